"""The mobile internet ABC: one modem's connection to the internet, and what it tells about itself."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from otppi.api.errors import OtpPiError
from otppi.api.settings import Section


class InternetDown(OtpPiError):  # noqa: N818
    """There is no connection; the sentence says why, for a person."""


class InternetState(StrEnum):
    """How far a connection is."""

    WAITING = "waiting"
    """Before the next attempt; the detail says why the last one failed."""
    DIALLING = "dialling"
    NEGOTIATING = "negotiating"
    """The modem has a data connection, and the addresses are agreed upon."""
    CONNECTED = "connected"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class InternetStatus:
    """What is known of a connection; `since` is when its state changed last (Unix seconds)."""

    state: InternetState
    since: float
    port: str = ""
    interface: str = ""
    address: str = ""
    dns: tuple[str, ...] = ()
    detail: str = ""
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Dialling:
    """How a modem gets a data connection: what is sent on which port.

    `init` are AT commands that are sent before it dials, `dial_number` is what `dial_command` (ATD) calls.
    """

    port: str
    baud_rate: int
    apn: str
    username: str
    password: str = field(repr=False)
    dial_command: str
    dial_number: str
    init: tuple[str, ...] = ()


class Internet(ABC):
    """One connection. `run` is the body of a thread of its own, and connects again and again, with growing delays."""

    @abstractmethod
    def run(self) -> None:
        """Keep the connection up until `stop` is called. Raising means that it should be started again."""

    @abstractmethod
    def stop(self) -> None:
        """End `run` and hang up (any thread; safe to call twice)."""

    @abstractmethod
    def status(self) -> InternetStatus:
        """Return how far it is (any thread)."""


@dataclass(frozen=True, slots=True)
class InternetContext:
    """What a connection gets.

    Attributes:
        modem: The modem's name.
        settings: The section of the type, validated.
        dialling: Says how to dial, anew for each attempt, since ports come and go; raises InternetDown where that is
            not known.
        boot_folder: On a RAM disk, and nobody else's.
    """

    modem: str
    settings: Mapping[str, Any]
    dialling: Callable[[], Dialling]
    boot_folder: Path


@dataclass(frozen=True, slots=True)
class InternetType:
    """What a plugin registers: how to connect modems with `internet_access`, and its settings for all of them."""

    section: Section
    create: Callable[[InternetContext], Internet]
