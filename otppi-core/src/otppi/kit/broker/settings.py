"""The settings that every message broker has: one style for all of them."""

from collections.abc import Mapping
from typing import Any

from otppi.api.errors import InvalidSettings
from otppi.api.settings import Setting, boolean, integer, number, text
from otppi.kit.net.tls import TLS_SETTINGS
from otppi.text import _
from otppi.wire.errors import FieldError


def broker_settings(name: str, *, port: int, source: Setting) -> tuple[Setting, ...]:
    """Declare the settings of a broker's ingress, in the order of the page; the ingress adds its own behind them.

    Args:
        name: The broker's name.
        port: Its usual port without TLS.
        source: Where commands are taken from: queue, topic or channel.
    """
    return (
        boolean("enable", "Enable", f"Take commands from {name}.", False),
        text("host", "Host", f"Host name or IP address of {name}.", "localhost"),
        integer("port", "Port", f"TCP port of {name}.", port, minimum=1, maximum=65535),
        *TLS_SETTINGS,
        text("username", "Username", "User name; empty for none."),
        text("password", "Password", "Password of the user.", secret=True),
        source,
        number(
            "timeout",
            "Timeout",
            "The longest wait for the server to connect, or to answer.",
            10.0,
            minimum=1,
            maximum=300,
            unit="s",
        ),
        integer(
            "refresh",
            "Refresh connection",
            "The connection is made anew after this time; 0 keeps it as long as it works.",
            0,
            minimum=0,
            maximum=604_800,
            unit="s",
        ),
        text(
            "inbox_topic",
            "Inbox topic",
            "Where messages that come in to a modem are published, with their text; empty for nowhere.",
        ),
    )


def check_apart(section: str, values: Mapping[str, Any], source: str, *others: str) -> None:
    """Check that nothing is published to where commands are taken from: what is rejected would come again for ever.

    Raises:
        InvalidSettings: Names the settings, of `others`, that are the same as `source`.
    """
    same = [key for key in others if values[key] and values[key] == values[source]]
    if same:
        raise InvalidSettings(
            [FieldError(f"{section}.{key}", _("must not be the same as {source}", source=source)) for key in same]
        )
