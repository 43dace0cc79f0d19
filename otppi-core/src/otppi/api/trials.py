"""Trials: changes of the device's network and firewall that end by themselves unless somebody confirms them.

Whoever changes an address, a Wi-Fi or a firewall from afar may lock himself out. So every such change is in use at
once, and is kept only when it is confirmed; otherwise what was before comes back, also where the power fails in
between: until it is confirmed nothing of it is on the card.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otppi.api.errors import OtpPiError
from otppi.api.settings import Section
from otppi.wire.errors import FieldError

Values = Mapping[str, Any]
"""Settings of one section, by their keys; all of them, validated."""


class CannotWrite(OtpPiError):  # noqa: N818
    """The device's network or firewall cannot be read or changed here; the sentence says why, for a person."""


class TrialOver(OtpPiError):  # noqa: N818
    """A trial cannot be confirmed: what was before is back already."""


class Trial(ABC):
    """A change that is in use. One of `confirm` and `roll_back` ends it; without either it ends by itself.

    What carries it out (NetworkManager's checkpoint, a timeout of nftables) ends it in time where the gateway dies,
    too. All methods are called by any thread.
    """

    @abstractmethod
    def confirm(self) -> None:
        """Keep the change, over restarts, too.

        Raises:
            TrialOver: It ended before that, and what was before is in use.
            CannotWrite: It could not be kept; what was before comes back.
        """

    @abstractmethod
    def roll_back(self) -> None:
        """Bring back what was before; does nothing where it is back already.

        Raises:
            CannotWrite: It could not be brought back now.
        """


class Writer(ABC):
    """What reads and changes one part of the device's network, as its section of settings describes it."""

    @abstractmethod
    def values(self) -> Values:
        """Return what is in use now, as values of its section.

        Raises:
            CannotWrite: It cannot be read here, such as on a computer that NetworkManager does not look after.
        """

    @abstractmethod
    def change(self, values: Values, seconds: float) -> Trial:
        """Use other values, for so many seconds unless the trial is confirmed.

        Raises:
            CannotWrite: They cannot be used; what was before is in use.
        """

    @abstractmethod
    def abandon(self) -> bool:
        """Bring back what is kept where a trial was left behind: by a gateway that died, or by what carried it out.

        Called when the gateway starts, and again where it could not be told; nothing of it is tried meanwhile.

        Returns:
            Whether there was one.

        Raises:
            CannotWrite: It cannot be told, or not be done.
        """

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Let go of what it holds."""


@dataclass(frozen=True, slots=True)
class WriterContext:
    """What a writer gets.

    Attributes:
        boot_folder: On a RAM disk, and nobody else's: what is written there is gone with the power.
        folder: On the card, and nobody else's.
    """

    boot_folder: Path
    folder: Path


def _nothing(_values: Values, _others: Mapping[str, Values]) -> Iterable[FieldError]:
    return ()


def _as_kept(values: Values, _others: Mapping[str, Values]) -> Values | None:
    return values


@dataclass(frozen=True, slots=True)
class WriterType:
    """What a plugin registers: how one part of the device's network is changed, and its settings.

    Attributes:
        section: Its settings; with `own_operations`, for they are changed by trials only.
        create: Makes the writer; called once, when it is needed first.
        seconds: How long a trial lasts: time enough to come back by the new address and to confirm it.
        check: Says which settings, by their keys, cannot work together with those of the other writers' sections.
        address: Says by which address the device is reached when values are in use; None where that stays.
        expected: Says what is in use where some values are kept, beside what is in use of the other writers' sections:
            where that is something else, people are told. None where nobody can say, or where it is put in use anyway.
    """

    section: Section
    create: Callable[[WriterContext], Writer]
    seconds: float = 90.0
    check: Callable[[Values, Mapping[str, Values]], Iterable[FieldError]] = _nothing
    address: Callable[[Values], str | None] = lambda _values: None
    expected: Callable[[Values, Mapping[str, Values]], Values | None] = _as_kept
