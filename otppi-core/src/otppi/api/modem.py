"""The modem ABC: one modem, its obligations, and what it tells about itself."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from otppi.api.devices import Devices, UsbMatch
from otppi.api.egress import Channel, Egress, EgressState
from otppi.api.errors import NotSupported
from otppi.api.events import ModemEvents, NoEvents
from otppi.api.settings import Check, Setting
from otppi.api.sim import SimAction, SimStatus
from otppi.text import _

ModemState = EgressState
"""The name that the version before had for it."""


@dataclass(frozen=True, slots=True)
class ModemIdentity:
    """What could be read from the modem and its SIM; empty where it does not tell (3GPP TS 27.007 5, 7, 8)."""

    manufacturer: str = ""
    model: str = ""
    revision: str = ""
    imei: str = ""
    imsi: str = ""
    iccid: str = ""
    smsc: str = ""
    operator: str = ""
    registration: str = ""
    signal_dbm: int | None = None
    msisdn: str = ""


class RecoveryStep(StrEnum):
    """What may recover a modem that does not work, in the order in which it is tried."""

    REINITIALISE = "re-initialise"
    """Close and open it."""
    RADIO = "radio"
    """Switch its radio off and on (AT+CFUN=4, 1; 3GPP TS 27.007 8.2)."""
    RESET = "reset"
    """Restart it (AT+CFUN=1,1): its port vanishes and comes back."""
    POWER = "power"
    """Take its USB power, or its authorisation to be used, away and give it back."""


@dataclass(frozen=True, slots=True)
class PhoneMessage:
    """An SMS on the screen of a simulated phone; times are Unix seconds, and `flash` ones are shown and not kept."""

    arrived: float
    modem: str
    destination: str
    text: str = field(repr=False)
    flash: bool = False


class Modem(Egress):
    """One modem. Its own thread calls everything but `wake`, `identity`, `warnings` and `phone`: any thread may.

    Where opening it again does not help, the gateway calls `recover` while the modem is closed. What a person asks for
    (`ussd`, `sim_status`, `sim_change`) comes between two messages. It raises `ModemLost`, `ModemBlocked` and
    `ModemUnfit` for `Lost`, `Blocked` and `Unfit`: those know what is wrong with a modem.
    """

    channel = Channel.SMS

    @abstractmethod
    def identity(self) -> ModemIdentity:
        """Return what is known of the modem (any thread; an immutable snapshot)."""

    def recover(self, step: RecoveryStep) -> bool:  # noqa: ARG002
        """Try to recover the modem, which is closed; False where it has no such step.

        The gateway opens it afterwards, and gives it time to come back.

        Raises:
            ModemLost: The step could not be taken: the port is gone, or the modem does not listen.
        """
        return False

    def ussd(self, text: str) -> None:  # noqa: ARG002
        """Send a USSD string, or the reply that an open session waits for; the answer goes to `ModemEvents.answered`.

        Raises:
            NotDone: The modem or the network refused it.
            ModemLost: The modem is gone.
            NotSupported: There is no USSD here.
        """
        raise NotSupported(_("this type of modem cannot do USSD"))

    def cancel_ussd(self) -> None:
        """End the USSD session, if there is one; raises like `ussd`."""
        raise NotSupported(_("this type of modem cannot do USSD"))

    def sim_status(self) -> SimStatus:
        """Ask how the SIM's lock stands; also while the modem is closed, since it may be the SIM that keeps it so.

        Raises:
            ModemLost: The modem is gone.
            NotSupported: It cannot tell.
        """
        raise NotSupported(_("this type of modem cannot tell about its SIM card"))

    def sim_change(self, action: SimAction, secret: str, new_pin: str = "") -> SimStatus:  # noqa: ARG002
        """Change the SIM's lock; `secret` is the PIN, of `UNBLOCK` the PUK. Also while the modem is closed.

        Raises:
            NotDone: The SIM refused; one try less is left.
            ModemLost: The modem is gone.
            NotSupported: It cannot do that.
        """
        raise NotSupported(_("this type of modem cannot change its SIM card's lock"))

    def clear_memory(self) -> int:
        """Delete the messages to be sent, or sent, that other programs have left in the memories; return how many.

        What came in is never deleted so.

        Raises:
            ModemLost: The modem is gone, or not open.
            NotSupported: It cannot do that.
        """
        raise NotSupported(_("this type of modem cannot clear its memories"))

    def phone(self) -> Sequence[PhoneMessage]:
        """Return what a simulated modem's phone shows, oldest first; a real modem has no such phone."""
        return ()


@dataclass(frozen=True, slots=True)
class ModemContext:
    """What a modem gets: its settings, validated, and a folder on a RAM disk that lives as long as the device is on.

    `events` is where it tells what comes to it; `devices` finds its port among those of hot-plugged devices, None where
    nobody watches for them.
    """

    settings: Mapping[str, Any]
    boot_folder: Path
    events: ModemEvents = field(default_factory=NoEvents)
    devices: Devices | None = None


@dataclass(frozen=True, slots=True)
class ModemType:
    """What a plugin registers: how to make modems of one type.

    `settings` are those that this type has beyond the common ones; `checks` say which of all these do not go together.
    """

    key: str
    title: str
    help: str
    create: Callable[[ModemContext], Modem]
    settings: tuple[Setting, ...] = ()
    embedded_default: bool = False
    """Used under the name of the type where no modem is configured, so that the product can be tried."""
    probe: Callable[[str], ModemIdentity] | None = None
    """Asks the device at a path who it is; raises ModemLost where nothing of this type answers there."""
    recognises: Callable[[ModemIdentity], bool] | None = None
    """Tells a modem that another type's `probe` found, and that this type drives better. Pure and quick."""
    usb: tuple[UsbMatch, ...] = ()
    """USB devices that are this type's, so that a new one is offered with the right type."""
    checks: tuple[Check, ...] = ()
    quick_codes: tuple[str, ...] = ()
    """USSD codes that pages have a button for, where the modem's setting names none: `Balance: *123#`, or a code alone.
    """
