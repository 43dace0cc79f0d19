"""The blocking list: receivers that get nothing from any egress; who blocked each, and since when."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from otppi.api.errors import OtpPiError
from otppi.host.messages.blocklist_file import BlocklistFile, Change, Entry
from otppi.host.storage.store import Store
from otppi.kit.token_bucket import TokenBucket
from otppi.text import _

logger = logging.getLogger(__name__)

_OLD_LIST = "blocking_list"
MOST = 100_000
"""Receivers that may be blocked; about 25 MB of RAM."""
_FREE_WRITES = 50.0
_WRITES_PER_SECOND = 2.0


class ListFull(OtpPiError):  # noqa: N818
    """There is no room for one more number."""


@dataclass(slots=True)
class _Turn:
    """One request: what it wants of which numbers, and what became of it."""

    numbers: Sequence[str]
    entry: Entry | None
    changed: list[bool] = field(default_factory=list)
    error: Exception | None = None
    done: bool = False


class Blocklist:
    """Kept on the card in a file of its own, and looked up in RAM. Any thread.

    Who asks for a change waits until the card has it. What is asked for while one is written goes together with the
    next one; and after many, one is written each half second, so that a loop of requests does not wear the card out.

    Args:
        path: The file.
        store: Where the version before kept the list; it is moved once.
        key: Gives the key of what an earlier version kept as one.
        clock: Counts seconds, monotonically.
    """

    def __init__(
        self, path: Path, store: Store, key: Callable[[str], str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._writes = TokenBucket(_FREE_WRITES, _WRITES_PER_SECOND, clock)
        self._file = BlocklistFile(path)
        self._changed = threading.Condition()
        self._turns: list[_Turn] = []
        self._writing = False
        self._closing = threading.Event()
        old = store.read(_OLD_LIST)
        self._to_move = old is not None
        kept = self._file.read()
        if kept is None:
            kept = {entry.get("receiver") or entry["msisdn"]: Entry(entry["since"], "") for entry in old or ()}
        self._now = {key(number): entry for number, entry in kept.items()}
        self._rekeyed = self._now.keys() != kept.keys()

    def __contains__(self, receiver: str) -> bool:
        return receiver in self._now

    def entries(self) -> dict[str, Entry]:
        """Return what is known of each blocked receiver, by its key."""
        return dict(self._now)

    def warnings(self) -> list[str]:
        """Return what people should know."""
        return self._file.warnings()

    def block(self, receiver: str, by: str = "") -> bool:
        """Add a receiver, durably; False where it was there. Raises what `change` does."""
        return self.change([receiver], blocked=True, by=by)[0]

    def unblock(self, receiver: str) -> bool:
        """Remove a receiver, durably; False where it was not there. Raises what `change` does."""
        return self.change([receiver], blocked=False)[0]

    def change(self, numbers: Sequence[str], *, blocked: bool, by: str = "") -> list[bool]:
        """Add or remove numbers, all or none, durably; says of each whether that changed anything.

        Raises:
            ListFull, OSError, StoreDamaged: Nothing has changed, and asking again tries again.
        """
        turn = _Turn(numbers, Entry(time.time(), by) if blocked else None)
        with self._changed:
            self._turns.append(turn)
            self._changed.wait_for(lambda: turn.done or not self._writing)
            if not turn.done:
                self._writing = True
        if not turn.done:
            self._lead(turn)
        if turn.error is not None:
            raise turn.error
        return turn.changed

    def repair(self) -> None:
        """Put in order what the version before or damage left, at the gateway's start; a card that fails is told."""
        try:
            self._move()
            self._file.repair(self._now)
        except OSError as error:
            logger.error("the blocking list cannot be written: %s", error.strerror or error)  # noqa: TRY400

    def close(self) -> None:
        """Let nobody wait any more."""
        self._closing.set()

    # -- writing (by one thread at a time) --------------------------------------------------------------------------

    def _lead(self, own: _Turn) -> None:
        """Write what was asked for until now, for all who wait."""
        turns: list[_Turn] = [own]
        try:
            if any((number in self._now) is (own.entry is None) for number in own.numbers):
                self._closing.wait(self._writes.delay())  # requests that come meanwhile share the write
            with self._changed:
                turns, self._turns = self._turns, []
            self._commit(turns)
        finally:
            with self._changed:
                self._writing = False
                for turn in turns:
                    turn.done = True
                self._changed.notify_all()

    def _commit(self, turns: Sequence[_Turn]) -> None:
        changes: dict[str, Entry | None] = {}
        for turn in turns:
            new = self._changes_of(turn, changes)
            if turn.error is None:
                changes |= new
        try:
            if changes:
                self._move()
                self._file.append(changes)
        except Exception as error:  # noqa: BLE001 - each who waits gets it raised
            for turn in turns:
                turn.error = error
            return
        for number, entry in changes.items():
            if entry is None:
                self._now.pop(number, None)
            else:
                self._now[number] = entry
        self._file.tidy(self._now)

    def _changes_of(self, turn: _Turn, before: Change) -> Change:
        """Find what a turn changes after those before it."""
        new: dict[str, Entry | None] = {}
        for number in turn.numbers:
            known = new[number] if number in new else before.get(number, self._now.get(number))
            changed = (known is None) is not (turn.entry is None)
            turn.changed.append(changed)
            if changed:
                new[number] = turn.entry
        added = sum(entry is not None for entry in (*before.values(), *new.values()))
        if turn.entry is not None and len(self._now) + added > MOST:
            turn.error = ListFull(_("the blocking list is full: it holds {most:,} numbers", most=MOST))
        return new

    def _move(self) -> None:
        """Take the list out of the settings, where the version before kept it: first into the file of its own."""
        if self._rekeyed or (self._to_move and not self._file.there):
            self._file.write(self._now)
            self._rekeyed = False
        if self._to_move:
            self._store.write({_OLD_LIST: None})
            self._to_move = False
