"""The settings that every message broker has: one style for all of them."""

from otppi.api.settings import Setting, boolean, integer, number, text
from otppi.kit.tls import TLS_SETTINGS


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
