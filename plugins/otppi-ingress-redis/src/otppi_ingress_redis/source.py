"""What stream, list and channel have in common: how commands come, are settled, and are answered."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from otppi.kit.broker.outbox import Action, Delivery
from otppi_ingress_redis.line import Command, Line, checked

BLOCK = 1.0
"""Seconds that the server holds a read that finds nothing. A gateway whose modems all fail meanwhile may still get what
it asked for, so it is short."""
AT_ONCE = 100
"""How many entries are read, or actions done, in one exchange at most."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent on the reading line, and for how many seconds its reply may take."""

    command: Command
    patience: float


class Source(ABC):
    """Where commands come from. Only the connection's thread calls it.

    Attributes:
        kept: Whether the server keeps a command until it is settled.
        own_keys: Names that no sender may have answers published to.
    """

    kept = True

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._key: str = values["key"]
        self._dead_letter: str = values["dead_letter"]
        self._most: int = values["max_length"]
        self.own_keys = {self._key, self._dead_letter} - {""}

    @abstractmethod
    def open(self, line: Line) -> None:
        """Make what has to be there, on a new connection; LinkLost where that is refused."""

    @abstractmethod
    def backlog(self, line: Line, room: int) -> Iterator[Delivery]:
        """Return, without waiting, what was left here by an earlier connection or by others: at most `room`."""

    @abstractmethod
    def question(self, room: int) -> Question | None:
        """Return what to ask for `room` commands, answered when there are some; None for nothing now."""

    @abstractmethod
    def reply_received(self, reply: Any) -> tuple[list[Delivery], bool]:
        """Read a reply of the reading line; say whether it ends the question."""

    @abstractmethod
    def publish(self, topic: str, payload: bytes) -> list[Command]:
        """Return how to publish where senders look."""

    def settle(self, line: Line, actions: list[Action]) -> None:  # noqa: B027 - a channel has nothing to do
        """Settle deliveries by their verdicts; nothing to do where the server keeps none."""

    def tend(self, line: Line, now: float) -> None:  # noqa: B027 - a channel has nothing to do
        """Do what has to be done from time to time (`now` in monotonic seconds)."""

    def forget(self) -> None:  # noqa: B027 - a channel has nothing to do
        """Forget what was read: others may have it by now."""

    def overdue(self, now: float) -> bool:  # noqa: ARG002 - only those that can be taken away from us are
        """Whether others may soon take over what this gateway has in hand, since it could tell no sign of life."""
        return False

    @property
    def held(self) -> int:
        """How many commands were read and not settled."""
        return 0

    def describe(self) -> dict[str, Any]:
        """Return what is to know of it."""
        return {}


@contextmanager
def exchanged(line: Line, what: str) -> Iterator[list[Command]]:
    """Collect commands, and exchange them at the end; LinkLost where one is refused."""
    commands: list[Command] = []
    yield commands
    for reply in line.exchange(commands):
        checked(reply, what)


def pairs(fields: list[bytes]) -> dict[bytes, bytes]:
    """Return an entry's fields, which RESP2 has in one row."""
    return dict(zip(fields[::2], fields[1::2], strict=False))
