"""How states look: a level, which gives the shape and the colour, beside the word, which says it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from otppi.text import Text, _

LEVELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("ready", "running", "sent", "delivered", "ok", "connected", "new"), "good"),
        **dict.fromkeys(
            ("starting", "recovering", "queued", "sending", "unconfirmed", "degraded", "waiting", "connecting"), "warn"
        ),
        **dict.fromkeys(
            ("blocked", "absent", "failed", "undelivered", "expired", "lost", "down", "stalled", "refused"), "bad"
        ),
        "waiting to be started again": "bad",
        "blocked until its settings are changed": "bad",
        "stopped": "off",
        **{one: one for one in ("good", "warn", "bad")},
    }
)
"""Of a state that is not here nothing is known but its word."""


LOG_LEVELS: Final[Mapping[str, str]] = MappingProxyType(
    {"debug": "off", "info": "off", "warning": "warn", "error": "bad", "critical": "bad"}
)
"""How levels of the log look."""


def level(state: str) -> str:
    """Return how a state looks: good, warn, bad or off."""
    return LEVELS.get(state, "off")


def signal_said(dbm: float | None) -> Text | str:
    """Return the word for a signal (3GPP TS 27.007 8.5 gives -113 to -51 dBm)."""
    if dbm is None:
        return ""
    if dbm >= -75:
        return _("good signal")
    return _("fair signal") if dbm >= -95 else _("weak signal")
