"""The settings of this ingress."""

from collections.abc import Iterable, Mapping
from typing import Any

from otppi.api.settings import Effect, FieldError, Section, number, text
from otppi.kit.broker.settings import BROKER_GROUPS, FURTHER, SERVER, apart, broker_problems, broker_settings
from otppi_ingress_wsmessagebroker.text import _


def _not_empty(value: str) -> str | None:
    return None if value.strip() else _("must not be empty")


_PATH = text(
    "path",
    _("Path"),
    _("Context path of the server; what follows a ? in it is sent as well."),
    "/",
    group=SERVER,
)
_TOPIC = text(
    "topic",
    _("Topic"),
    _("Channel that commands are taken from; sent to the server both as channel and as topic."),
    "sms",
    check=_not_empty,
)
_OWN = (
    number(
        "reconnect_delay",
        _("Reconnect Delay"),
        _("Pause before a lost connection is tried again; twice as long after each failure, up to 30 s."),
        1.0,
        minimum=0.1,
        maximum=300,
        unit=_("s"),
        group=FURTHER,
    ),
    number(
        "ping_interval",
        _("Ping interval"),
        _(
            "The server is asked for a sign of life so often; one that gives none within the timeout is given up. "
            "0 for a server that does not answer pings."
        ),
        30.0,
        minimum=0,
        maximum=3600,
        unit=_("s"),
        group=FURTHER,
    ),
)

_shared = broker_settings("WSMessageBroker", port=8890, source=_TOPIC)
_after_port = next(index for index, setting in enumerate(_shared, 1) if setting.key == "port")


def _login_problems(values: Mapping[str, Any]) -> Iterable[FieldError]:
    if values["enable"] and ":" in values["username"]:
        yield FieldError("username", _("must not hold a colon (RFC 7617)"))


SECTION = Section(
    key="ingress-wsmessagebroker",
    title=_("WSMessageBroker"),
    help=_("Takes commands from a WSMessageBroker (Messenger), a message broker over WebSocket."),
    settings=(*_shared[:_after_port], _PATH, *_shared[_after_port:], *_OWN),
    reset_group="subscriber_ws",
    groups=BROKER_GROUPS,
    effect=Effect.RECONNECTS,
    checks=(broker_problems, apart("topic", "inbox_topic"), _login_problems),
)


def enabled(values: Mapping[str, Any]) -> bool:
    """Whether it should run."""
    return bool(values["enable"])
