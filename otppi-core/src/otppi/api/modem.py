"""The modem ABC: one modem, its obligations, and what it tells about itself."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from otppi.api.message import OutgoingMessage
from otppi.api.settings import Setting


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


@dataclass(frozen=True, slots=True)
class PhoneMessage:
    """An SMS on the screen of a simulated phone; times are Unix seconds."""

    arrived: float
    modem: str
    destination: str
    text: str = field(repr=False)


class Modem(ABC):
    """One modem. Its own thread calls everything but `wake`, `identity` and `phone`, which any thread may call.

    The gateway calls `open`, then `send` and `idle` in turns, and `close` when it stops or when one of them raised
    `ModemLost`; then it opens it again, with a growing delay.
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

    def phone(self) -> Sequence[PhoneMessage]:
        """Say what a simulated modem's phone shows, oldest first; a real modem has no such phone."""
        return ()


@dataclass(frozen=True, slots=True)
class ModemContext:
    """What a modem gets: its settings, validated, and a folder on a RAM disk that lives as long as the device is on."""

    settings: Mapping[str, Any]
    boot_folder: Path


@dataclass(frozen=True, slots=True)
class ModemType:
    """What a plugin registers: how to make modems of one type.

    `settings` are those that this type has beyond the common ones.
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
