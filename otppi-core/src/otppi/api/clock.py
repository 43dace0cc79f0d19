"""The clock ABC: what reads and sets the clock of the device, its time zone, and the servers that it asks for the time.

Not here: what is set (section `clock` of the gateway's settings), and who may set it (`otppi.host.clock`).
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClockState:
    """What is known of the clock of the device.

    Attributes:
        synchronized: Whether a server has told the time, not long ago.
        was_told: Whether one has told it since the device was switched on.
        asks_servers: Whether servers are asked for the time (NTP).
        time_zone: The zone of the device, such as `Asia/Jakarta`; empty where it is not known.
        battery_clock: What the clock with a battery (RTC) says, in Unix seconds; None where there is none.
        servers: Those that were set (`ClockWriter.set_servers`).
        server: The one that is asked now; empty where there is none.
        offset: By how many seconds the clock of the device was ahead of that server's at its last answer; None where
            it has not answered.
    """

    synchronized: bool
    was_told: bool
    asks_servers: bool
    time_zone: str
    battery_clock: float | None = None
    servers: tuple[str, ...] = ()
    server: str = ""
    offset: float | None = None


class ClockWriter(ABC):
    """The clock of the device. Any thread may call anything; a call may take seconds.

    Each raises `NotSupported` where the device cannot do that or does not let the gateway, and `NotDone` where it
    refuses now or has not answered.
    """

    @abstractmethod
    def state(self) -> ClockState:
        """Return how the clock is."""

    @abstractmethod
    def set_time(self, unix: float) -> None:
        """Set the clock, and the one with a battery where there is one; servers that are asked go on being asked.

        Args:
            unix: What time it is when this is called, in Unix seconds.
        """

    @abstractmethod
    def set_time_zone(self, name: str) -> None:
        """Set the zone of the device.

        Args:
            name: As `Asia/Jakarta`.
        """

    @abstractmethod
    def set_asking(self, on: bool) -> None:
        """Have servers be asked for the time (NTP), or not."""

    @abstractmethod
    def set_servers(self, servers: Sequence[str]) -> None:
        """Say which servers are asked first, by name or address; none: only those that the device knows by itself.

        They may be forgotten when the device starts, or its program does: `ClockState.servers` tells what it has.
        """


@dataclass(frozen=True, slots=True)
class ClockWriterType:
    """What a plugin registers: how the clock of the device is reached; the first one of all plugins is used.

    Attributes:
        key: Its name: small letters, digits and dashes.
        title: What it is called.
        create: Makes one; it reaches nothing before it is asked.
    """

    key: str
    title: str
    create: Callable[[], ClockWriter]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", self.key):
            raise ValueError(f"clock writer {self.key!r} is not named by small letters, digits and dashes")
        if not self.title:
            raise ValueError(f"clock writer {self.key!r} needs a title")
