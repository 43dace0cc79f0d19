"""The settings of the RabbitMQ ingress."""

from collections.abc import Mapping
from typing import Any

from otppi.api.settings import Effect, Section, integer, text
from otppi.kit.broker.settings import BROKER_GROUPS, COMMANDS, FURTHER, SERVER, apart, broker_problems, broker_settings
from otppi_ingress_rabbitmq.text import _

_SHORT_STRING = 255
"""Octets that a name may have in AMQP (AMQP 0-9-1, 4.2.5.3)."""


def _is_name(value: str) -> str | None:
    return _is_short(value) if value else _("must not be empty")


def _is_short(value: str) -> str | None:
    return (
        _("must not be longer than {short_string} bytes", short_string=_SHORT_STRING)
        if len(value.encode()) > _SHORT_STRING
        else None
    )


_QUEUE = text(
    "queue",
    _("Queue"),
    _("Queue that commands are taken from; where it does not exist, it is declared."),
    "sms",
    check=_is_name,
)

SECTION = Section(
    key="ingress-rabbitmq",
    title=_("RabbitMQ"),
    help=_("Commands from a queue of RabbitMQ (AMQP 0-9-1). Several gateways may take from the same queue."),
    reset_group="subscriber_amqp",
    groups=BROKER_GROUPS,
    effect=Effect.RECONNECTS,
    checks=(
        broker_problems,
        apart("queue", "bulk_queue", "dead_letter_queue", "inbox_topic"),
        apart("bulk_queue", "dead_letter_queue", "inbox_topic"),
    ),
    settings=(
        *broker_settings("RabbitMQ", port=5672, source=_QUEUE),
        text(
            "bulk_queue",
            _("Bulk queue"),
            _(
                "Queue of its own for bulk: what is in it is bulk, and however much that is, it holds up nothing in "
                "the other one; where it does not exist, it is declared as that one is. Empty for none."
            ),
            check=_is_short,
            group=COMMANDS,
        ),
        text(
            "virtual_host",
            _("Virtual host"),
            _("Virtual host that the queue is in."),
            "/",
            check=_is_short,
            group=SERVER,
        ),
        integer(
            "heartbeat",
            _("Heartbeat"),
            _(
                "A server that is silent for longer is taken for gone; it does the same, and asks others to do the "
                "rest."
            ),
            10,
            minimum=2,
            maximum=600,
            unit=_("s"),
            group=FURTHER,
        ),
        integer(
            "prefetch",
            _("Prefetch"),
            _("How many messages are taken before the first is done; 0 takes as many as keep the modems busy."),
            0,
            minimum=0,
            maximum=2000,
            unit=_("messages"),
            group=FURTHER,
        ),
        text(
            "queue_type",
            _("Queue type"),
            _("How the queue is declared where it does not exist; one that exists is used as it is."),
            "quorum",
            choices=("quorum", "classic"),
            group=FURTHER,
        ),
        text(
            "dead_letter_queue",
            _("Dead-letter queue"),
            _(
                "Where the queue has to be declared: the queue for what can never be sent; empty for none. What a "
                "queue that exists does with such messages is set in RabbitMQ."
            ),
            check=_is_short,
            group=COMMANDS,
        ),
    ),
)


def enabled(settings: Mapping[str, Any]) -> bool:
    """Return whether commands are taken at all."""
    return bool(settings["enable"])
