"""The modem ABC: one modem, its obligations, and what it tells about itself."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from otppi.api.devices import Devices, UsbMatch
from otppi.api.errors import NotSupported
from otppi.api.events import ModemEvents, NoEvents
from otppi.api.message import OutgoingMessage
from otppi.api.settings import Check, Setting
from otppi.api.sim import SimAction, SimStatus


class ModemState(StrEnum):
    """What a modem is able to do now."""

    STARTING = "starting"
    """Being opened for the first time: it may take messages into its queue."""
    READY = "ready"
    RECOVERING = "recovering"
    """It worked and was lost a short while ago: its queue waits for it."""
    ABSENT = "absent"
    """Not there, for longer than the grace period."""
    BLOCKED = "blocked"
    """Needs a person: SIM PIN or PUK, no SIM, a setting that cannot work."""
    STOPPED = "stopped"
    """Its thread has ended: the gateway stops, or its settings change."""


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
    """What may cure a modem that does not work, in the order in which it is tried."""

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
    """An SMS on the screen of a simulated phone; times are Unix seconds."""

    arrived: float
    modem: str
    destination: str
    text: str = field(repr=False)


class Modem(ABC):
    """One modem. Its own thread calls everything but `wake`, `identity`, `warnings` and `phone`: any thread may.

    The gateway calls `open`, then `send` and `idle` in turns, and `close` when it stops or when one of them raised
    `ModemLost`; then it opens it again, with a growing delay. Where that does not help, it calls `recover` while the
    modem is closed. What a person asks for (`ussd`, `sim_status`, `sim_change`) comes between two messages.
    """

    @abstractmethod
    def open(self) -> None:
        """Make the modem ready to send.

        Raises:
            ModemLost: it is not there or does not answer; the gateway will try again.
            ModemBlocked: a person has to do something first.
        """

    @abstractmethod
    def send(self, message: OutgoingMessage) -> None:
        """Send one message and wait for the network's answer; fills `message.progress`.

        Raises:
            NotSent: nothing (or, of several parts, no part beyond `progress.references`) went out.
            ModemUnfit: this SIM cannot, another modem should.
            Rejected: refused for good.
            Unconfirmed: it may or may not have gone out.
            ModemLost: it went away before anything went out.
        """

    def prepare(self, message: OutgoingMessage) -> None:  # noqa: B027 - a modem may have nothing to prepare
        """Do what can be done for a message before it is sent, which is probably next. Must not raise or wait."""

    @abstractmethod
    def idle(self, timeout: float) -> None:
        """Wait at most `timeout` seconds, or until `wake`; look after what the modem says of its own accord.

        Raises:
            ModemLost: the modem is gone.
        """

    @abstractmethod
    def wake(self) -> None:
        """End a running or the next `idle` (any thread)."""

    @abstractmethod
    def close(self) -> None:
        """Release the port. Safe to call twice."""

    @abstractmethod
    def identity(self) -> ModemIdentity:
        """Say what is known of the modem (any thread; an immutable snapshot)."""

    def recover(self, step: RecoveryStep) -> bool:  # noqa: ARG002
        """Try to cure the modem, which is closed; False where it has no such step.

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
        raise NotSupported("this type of modem cannot do USSD")

    def cancel_ussd(self) -> None:
        """End the USSD session, if there is one; raises like `ussd`."""
        raise NotSupported("this type of modem cannot do USSD")

    def sim_status(self) -> SimStatus:
        """Ask how the SIM's lock stands; also while the modem is closed, since it may be the SIM that keeps it so.

        Raises:
            ModemLost: The modem is gone.
            NotSupported: It cannot tell.
        """
        raise NotSupported("this type of modem cannot tell about its SIM card")

    def sim_change(self, action: SimAction, secret: str, new_pin: str = "") -> SimStatus:  # noqa: ARG002
        """Change the SIM's lock; `secret` is the PIN, of `UNBLOCK` the PUK. Also while the modem is closed.

        Raises:
            NotDone: The SIM refused; one try less is left.
            ModemLost: The modem is gone.
            NotSupported: It cannot do that.
        """
        raise NotSupported("this type of modem cannot change its SIM card's lock")

    def clear_memory(self) -> int:
        """Delete the messages to be sent, or sent, that other programs have left in the memories; give how many.

        What came in is never deleted so.

        Raises:
            ModemLost: The modem is gone, or not open.
            NotSupported: It cannot do that.
        """
        raise NotSupported("this type of modem cannot clear its memories")

    def warnings(self) -> Sequence[str]:
        """Say what is not as its settings want it, though it works (any thread)."""
        return ()

    def phone(self) -> Sequence[PhoneMessage]:
        """Say what a simulated modem's phone shows, oldest first; a real modem has no such phone."""
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
