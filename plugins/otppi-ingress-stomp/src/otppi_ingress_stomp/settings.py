"""The settings of the STOMP ingress."""

from collections.abc import Mapping
from typing import Any

from otppi.api.settings import Effect, Section, integer, text, text_list
from otppi.kit.broker.settings import BROKER_GROUPS, COMMANDS, FURTHER, SERVER, apart, broker_problems, broker_settings
from otppi_ingress_stomp.messages import destination
from otppi_ingress_stomp.text import _


def _is_destination(value: str) -> str | None:
    if not value.strip():
        return _("must not be empty")
    return _("must not hold control characters") if not value.isprintable() else None


def _is_optional_destination(value: str) -> str | None:
    return _is_destination(value) if value else None


def _are_headers(values: list[str]) -> str | None:
    for value in values:
        name, colon, _rest = value.partition(":")
        if not colon or not name.strip() or not value.isprintable():
            return _("must be written as name: value")
        if name.strip().lower() in ("destination", "id", "ack", "receipt"):
            return _("must not set {strip}, which this gateway sets itself", strip=name.strip())
    return None


_DESTINATION = text(
    "destination",
    _("Destination"),
    _("Where commands are taken from, such as /queue/sms; a name without / is a queue."),
    "/queue/sms",
    check=_is_destination,
)

SECTION = Section(
    key="ingress-stomp",
    title=_("STOMP"),
    help=_("Commands from a queue of ActiveMQ, RabbitMQ or another broker that speaks STOMP 1.2 or 1.1."),
    reset_group="subscriber_stomp",
    groups=BROKER_GROUPS,
    effect=Effect.RECONNECTS,
    checks=(broker_problems, apart("destination", "dead_letter", "inbox_topic", full=destination)),
    settings=(
        *broker_settings(_("the STOMP broker"), port=61613, source=_DESTINATION),
        text("virtual_host", _("Virtual host"), _("Virtual host that the destination is in."), "/", group=SERVER),
        integer(
            "heartbeat",
            _("Heart-beat"),
            _(
                "A sign of life is sent, and wanted from the server, so often; 0 for none, and then a server that "
                "stands still is not noticed."
            ),
            10,
            minimum=0,
            maximum=600,
            unit=_("s"),
            group=FURTHER,
        ),
        text(
            "dead_letter",
            _("Dead letter"),
            _(
                "Destination for commands that can never be sent. Empty: they are refused (NACK), and the broker does "
                "with them what it is set to: RabbitMQ its dead-letter exchange, ActiveMQ the queue ActiveMQ.DLQ."
            ),
            check=_is_optional_destination,
            group=COMMANDS,
        ),
        text_list(
            "subscribe_headers",
            _("Subscribe headers"),
            _("Further headers of the subscription, each written as name: value, such as x-queue-type: quorum."),
            check=_are_headers,
            group=FURTHER,
        ),
    ),
)


def enabled(settings: Mapping[str, Any]) -> bool:
    """Return whether commands are taken at all."""
    return bool(settings["enable"])
