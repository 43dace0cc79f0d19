"""The blocking list: receivers that get nothing from any egress; who blocked each, and since when."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import does to the list, or would do.

    Attributes:
        added: How many numbers it adds.
        known: How many of its numbers are blocked already.
        removed: How many numbers it takes off the list.
    """

    added: int
    known: int
    removed: int


@dataclass(slots=True)
class _Turn:
    """One request: what it wants of which numbers, and what became of it.

    Attributes:
        wanted: Each number with what is to be known of it.
        at_once: Whether a power cut, too, leaves all of it or nothing: the file is replaced.
        alone: Whether no other number is to be blocked afterwards, and what was known of these is forgotten.
        changed: Of each number, whether it was, or was not, blocked before.
        removed: How many others were taken off.
        error: Why nothing has changed.
        done: Whether it is over.
    """

    wanted: Sequence[tuple[str, Entry | None]]
    at_once: bool = False
    alone: bool = False
    changed: list[bool] = field(default_factory=list)
    removed: int = 0
    error: Exception | None = None
    done: bool = False

    def would_change(self, now: Mapping[str, Entry]) -> bool:
        """Whether anything would be written."""
        return self.alone or any((number in now) is (entry is None) for number, entry in self.wanted)


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
        entry = Entry(time.time(), by) if blocked else None
        return self._request(_Turn([(number, entry) for number in numbers])).changed

    def import_entries(self, entries: Mapping[str, Entry], *, alone: bool = False) -> Imported:
        """Block many numbers, all or none, also where the power is cut meanwhile.

        Args:
            entries: Since when and by whom each is blocked. A number that is blocked already stays as it is known.
            alone: Whether the list is to be just these, as they are given here.

        Raises:
            ListFull, OSError, StoreDamaged: Nothing has changed, and asking again tries again.
        """
        turn = self._request(_Turn(list(entries.items()), at_once=True, alone=alone))
        added = sum(turn.changed)
        return Imported(added, len(entries) - added, turn.removed)

    def would_import(self, entries: Mapping[str, Entry], *, alone: bool = False) -> Imported:
        """Return what `import_entries` would do now.

        Raises:
            ListFull: There is no room for it.
        """
        now = self.entries()
        known = sum(number in now for number in entries)
        if (len(entries) if alone else len(now) + len(entries) - known) > MOST:
            raise _full()
        return Imported(len(entries) - known, known, len(now) - known if alone else 0)

    def _request(self, turn: _Turn) -> _Turn:
        """Have a request carried out, by this thread or by that which writes."""
        with self._changed:
            self._turns.append(turn)
            self._changed.wait_for(lambda: turn.done or not self._writing)
            if not turn.done:
                self._writing = True
        if not turn.done:
            self._lead(turn)
        if turn.error is not None:
            raise turn.error
        return turn

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
            if own.would_change(self._now):
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
                if any(turn.at_once for turn in turns):
                    self._file.replace(_after(self._now, changes))
                else:
                    self._file.append(changes)
        except Exception as error:  # noqa: BLE001 - each who waits gets it raised
            for turn in turns:
                turn.error = error
            return
        _change(self._now, changes)
        self._file.tidy(self._now)

    def _changes_of(self, turn: _Turn, before: Change) -> Change:
        """Find what a turn changes after those before it."""
        new: dict[str, Entry | None] = {}
        for number, entry in turn.wanted:
            known = new[number] if number in new else before.get(number, self._now.get(number))
            changed = (known is None) is not (entry is None)
            turn.changed.append(changed)
            if changed or (turn.alone and known != entry):
                new[number] = entry
        if turn.alone:
            others = (self._now.keys() | before.keys()) - {number for number, _entry in turn.wanted}
            gone = [number for number in others if before.get(number, self._now.get(number)) is not None]
            turn.removed = len(gone)
            new |= dict.fromkeys(gone)
        if any(entry is not None for entry in new.values()) and self._size_after({**before, **new}) > MOST:
            turn.error = _full()
        return new

    def _size_after(self, changes: Change) -> int:
        return len(self._now) + sum(
            (entry is not None) - (number in self._now) for number, entry in changes.items()
        )  # fmt: skip

    def _move(self) -> None:
        """Take the list out of the settings, where the version before kept it: first into the file of its own."""
        if self._rekeyed or (self._to_move and not self._file.there):
            self._file.write(self._now)
            self._rekeyed = False
        if self._to_move:
            self._store.write({_OLD_LIST: None})
            self._to_move = False


def _full() -> ListFull:
    return ListFull(_("the blocking list is full: it holds {most:,} numbers", most=MOST))


def _change(entries: dict[str, Entry], changes: Change) -> None:
    for number, entry in changes.items():
        if entry is None:
            entries.pop(number, None)
        else:
            entries[number] = entry


def _after(entries: Mapping[str, Entry], changes: Change) -> dict[str, Entry]:
    after = dict(entries)
    _change(after, changes)
    return after
