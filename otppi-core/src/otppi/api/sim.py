"""The SIM card's lock: how it stands, and what a person can do about it."""

from dataclasses import dataclass
from enum import StrEnum


class SimAction(StrEnum):
    """What the SIM PIN tool does (3GPP TS 27.007 7.4, 7.5, 8.3)."""

    ENTER_PIN = "enter-pin"
    UNBLOCK = "unblock"
    """Give the PUK and a new PIN."""
    CHANGE_PIN = "change-pin"
    ENABLE_PIN = "enable-pin"
    """From now on the SIM asks for its PIN when it is switched on."""
    DISABLE_PIN = "disable-pin"


@dataclass(frozen=True, slots=True)
class SimStatus:
    """How the SIM stands; None where the modem does not tell.

    Attributes:
        state: What the SIM asks for, as +CPIN tells it: "READY", "SIM PIN", "SIM PUK", …
        pin_tries, puk_tries: How many wrong ones it still bears.
        pin_enabled: Whether it asks for its PIN when it is switched on.
    """

    state: str
    pin_tries: int | None = None
    puk_tries: int | None = None
    pin_enabled: bool | None = None
