"""The ways by which messages and people come in, and whether each is open by now."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class WayIn:
    """A way in that is switched on.

    Attributes:
        name: What it is called in the log and for people.
        is_open: Whether it listens, or is connected to its server.
        problem: Why it is not, where that is known; empty while it is being opened.
    """

    name: str
    is_open: bool
    problem: str = ""

    @property
    def begins(self) -> bool:
        """Whether it is neither open yet, nor has said why it cannot be."""
        return not (self.is_open or self.problem)


@runtime_checkable
class HasWaysIn(Protocol):
    """A service by which messages or people come in."""

    def ways_in(self) -> Iterable[WayIn]:
        """Return its ways in that are switched on (any thread)."""
