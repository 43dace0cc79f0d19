"""Frontends, what messages and people come in by: ingresses and the pages; and whether each is open by now."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Frontend:
    """One that is switched on.

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
class HasFrontends(Protocol):
    """A service by which messages or people come in."""

    def frontends(self) -> Iterable[Frontend]:
        """Return its frontends that are switched on (any thread)."""
