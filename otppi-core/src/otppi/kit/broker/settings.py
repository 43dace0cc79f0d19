"""The settings that every message broker has: one style for all of them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from otppi.api.settings import (
    Check,
    FieldError,
    Group,
    Input,
    Setting,
    boolean,
    grouped,
    integer,
    number,
    text,
)
from otppi.kit.net.endpoint_values import EndpointValues
from otppi.kit.net.tls import TLS_SETTINGS, tls_problems
from otppi.text import _

SERVER, COMMANDS, FURTHER = "server", "commands", "further"
BROKER_GROUPS = (
    Group(SERVER, _("Server")),
    Group(COMMANDS, _("Commands"), _("Where they are taken from, and where something is published.")),
    Group(FURTHER, _("Further settings"), advanced=True),
)
"""The parts of a broker's page: what an ingress declares beside `broker_settings` is put into one of them."""
_TIMES = (
    number(
        "timeout",
        _("Timeout"),
        _("The longest wait for the server to connect, or to answer."),
        10.0,
        minimum=1,
        maximum=300,
        unit=_("s"),
        input=Input.DURATION,
        advanced=True,
    ),
    integer(
        "refresh",
        _("Refresh connection"),
        _("The connection is made anew after this time; 0 keeps it as long as it works."),
        0,
        minimum=0,
        maximum=604_800,
        unit=_("s"),
        input=Input.DURATION,
        advanced=True,
    ),
)
_INBOX_TOPIC = text(
    "inbox_topic",
    _("Inbox topic"),
    _("Where messages that come in to a modem are published, with their text; empty for nowhere."),
)


class BrokerValues(EndpointValues):
    """The values of `broker_settings`, beside that of the source, which each broker calls otherwise."""

    enable: bool
    username: str
    password: str
    refresh: int
    inbox_topic: str


def broker_settings(name: str, *, port: int, source: Setting) -> tuple[Setting, ...]:
    """Declare the settings of a broker's ingress, in the order of the page; the ingress adds its own behind them.

    Args:
        name: The broker's name.
        port: Its usual port without TLS.
        source: Where commands are taken from: queue, topic or channel.
    """
    server = (
        boolean("enable", _("Enable"), _("Take commands from {name}.", name=name), False),
        text(
            "host",
            _("Host"),
            _("Host name or IP address of {name}.", name=name),
            "localhost",
            input=Input.HOST,
            tidy=str.strip,
            closed="",  # no other server is told the password
        ),
        integer("port", _("Port"), _("TCP port of {name}.", name=name), port, input=Input.PORT),
        *TLS_SETTINGS,
        text("username", _("Username"), _("User name; empty for none.")),
        text("password", _("Password"), _("Password of the user."), secret=True, input=Input.PASSWORD),
    )
    return (
        *grouped(SERVER, *server),
        *grouped(COMMANDS, source),
        *grouped(FURTHER, *_TIMES),
        *grouped(COMMANDS, _INBOX_TOPIC),
    )


def broker_problems(values: BrokerValues) -> Iterable[FieldError]:
    """Yield which settings of `broker_settings` do not go together, where commands are taken at all."""
    if values["enable"]:
        if not values["host"]:
            yield FieldError("host", _("must not be empty"))
        yield from tls_problems(values)


def apart(source: str, *others: str, full: Callable[[str], str] = str) -> Check:
    """Return a check that nothing is published to where commands are taken from.

    What is rejected would come again for ever, and what came in by a modem be taken for a command.

    Args:
        source: The setting that says where commands are taken from.
        others: The settings that say where something is published.
        full: Makes a name what the broker calls it.
    """

    def check(values: Mapping[str, Any]) -> Iterable[FieldError]:
        if values["enable"]:
            for key in others:
                if values[key] and values[source] and full(values[key]) == full(values[source]):
                    yield FieldError(key, _("must not be the same as {source}", source=source))

    return check
