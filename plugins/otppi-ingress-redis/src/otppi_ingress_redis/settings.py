"""The settings of the Redis ingress."""

from collections.abc import Mapping
from typing import Any

from otppi.api.settings import Effect, Section, boolean, integer, number, text
from otppi.kit.broker.settings import BROKER_GROUPS, COMMANDS, FURTHER, SERVER, apart, broker_problems, broker_settings
from otppi_ingress_redis.text import _

STREAM, LIST, CHANNEL = "stream", "list", "channel"
LEFT, RIGHT = "left", "right"


def _not_empty(value: str) -> str | None:
    return None if value.strip() else _("must not be empty")


_KEY = text("key", _("Key"), _("The stream, list or channel that commands are taken from."), "sms", check=_not_empty)

SECTION = Section(
    key="ingress-redis",
    title=_("Redis"),
    help=_("Commands from a stream, a list or a channel of Redis (6.2 or newer)."),
    reset_group="subscriber_redis",
    groups=BROKER_GROUPS,
    effect=Effect.RECONNECTS,
    checks=(broker_problems, apart("key", "dead_letter", "inbox_topic")),
    settings=(
        *broker_settings("Redis", port=6379, source=_KEY),
        text(
            "kind",
            _("Kind"),
            _(
                "What the key is. A stream loses nothing and can be shared by several gateways; a list loses nothing; "
                "a channel keeps nothing while the gateway is away."
            ),
            STREAM,
            choices=(STREAM, LIST, CHANNEL),
            group=COMMANDS,
        ),
        integer("db", _("Database"), _("Number of the database."), 0, minimum=0, maximum=65535, group=SERVER),
        text(
            "group",
            _("Group"),
            _("Consumer group of the stream, made where it does not exist; gateways of one group share the messages."),
            "otp-pi",
            check=_not_empty,
            group=COMMANDS,
        ),
        text(
            "consumer",
            _("Consumer"),
            _(
                "This gateway's own name in the group, or for its processing list: each needs another one. Empty: one "
                "is made and kept."
            ),
            group=FURTHER,
        ),
        text(
            "field",
            _("Field"),
            _("Field of a stream's entry that holds the command."),
            "body",
            check=_not_empty,
            group=FURTHER,
        ),
        text(
            "take_from",
            _("Take from"),
            _(
                "End of the list that commands are taken from: right where senders use LPUSH, left where they use "
                "RPUSH."
            ),
            RIGHT,
            choices=(RIGHT, LEFT),
            group=FURTHER,
        ),
        number(
            "claim_after",
            _("Claim after"),
            _(
                "An entry of the stream whose gateway gave no sign of life for this long is taken over by another one; "
                "the same in all gateways of a group."
            ),
            60.0,
            minimum=5,
            maximum=86_400,
            unit=_("s"),
            group=FURTHER,
        ),
        boolean(
            "delete_done",
            _("Delete what is done"),
            _(
                "An entry of the stream is deleted when it is done, so that no text stays in Redis; off where other "
                "groups read the same stream."
            ),
            True,
            group=FURTHER,
        ),
        text(
            "dead_letter",
            _("Dead letter"),
            _(
                "Stream or list, as the key is, for commands that can never be sent, with their texts; empty drops "
                "them."
            ),
            group=COMMANDS,
        ),
        integer(
            "max_length",
            _("Longest stream or list"),
            _("Callbacks, the inbox topic and dead letters keep at most so many entries; the oldest are dropped."),
            10_000,
            minimum=1,
            maximum=10_000_000,
            unit=_("entries"),
            group=FURTHER,
        ),
    ),
)


def enabled(settings: Mapping[str, Any]) -> bool:
    """Return whether commands are taken at all."""
    return bool(settings["enable"])
