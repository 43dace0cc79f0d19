"""A recording: a card as it was, the logs of all that was written to it, and what was told meanwhile to whom.

What was told stands beside its place in the logs: how many writes had been done when it was heard. So it is known of
each cut what somebody had been told by then. In a folder: `card.img`, the logs, `logs.json`, `told.jsonl`.
"""

import contextlib
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from tests.image.powercut.write_log import length_of

_TICK: Final = 0.5
"""Seconds between two times that are noted."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that was noted.

    Attributes:
        place: So many writes had been done then, or fewer.
        at: When, monotonically, in seconds.
        kind: `begun` and `done` of a change, `time`, or what the workload names.
        what: What it is about.
        value: What was told.
    """

    place: int
    at: float
    kind: str
    what: str = ""
    value: Any = None


@dataclass
class Recording:
    """What was recorded. `begun`, `done`, `tell`: any thread."""

    folder: Path
    told: list[Told] = field(default_factory=list)
    logs: list[Path] = field(default_factory=list)
    _before: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def begun(cls, folder: Path, card: Path, *, others: Sequence[Path] = ()) -> Self:
        """Begin one, in a folder whose content is replaced.

        Args:
            folder: Where it is kept.
            card: What the card holds now.
            others: What is kept with it: the kernel by which the card was booted.
        """
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        subprocess.run(["cp", "--sparse=always", "--reflink=auto", card, folder / "card.img"], check=True)
        for one in others:
            shutil.copy(one, folder)
        return cls(folder)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return one that was kept."""
        lines = (folder / "told.jsonl").read_text().splitlines()
        logs = [folder / name for name in json.loads((folder / "logs.json").read_text())]
        return cls(folder, [Told(**json.loads(line)) for line in lines], logs)

    @property
    def image(self) -> Path:
        """The card as it was."""
        return self.folder / "card.img"

    def log(self, name: str) -> Path:
        """Return where the next log is to be written, which follows on those before it."""
        self._before = sum(map(length_of, self.logs))
        self.logs.append(self.folder / f"{name}.log")
        return self.logs[-1]

    def keep(self) -> None:
        """Write down what was told."""
        (self.folder / "told.jsonl").write_text("".join(f"{json.dumps(asdict(one))}\n" for one in self.told))
        (self.folder / "logs.json").write_text(json.dumps([log.name for log in self.logs]))

    # -- while it is recorded ------------------------------------------------------------------------------------------

    def tell(self, kind: str, what: str = "", value: Any = None) -> None:
        """Note what was heard just now."""
        with self._lock:
            place = self._before + length_of(self.logs[-1])
            self.told.append(Told(place, time.monotonic(), kind, what, value))

    def begin(self, what: str, value: Any) -> None:
        """Note that a change is asked for from now on: the card may have it after any later write."""
        self.tell("begun", what, value)

    def done(self, what: str, value: Any) -> None:
        """Note that a change was acknowledged: the card has it."""
        self.tell("done", what, value)

    @contextlib.contextmanager
    def changing(self, what: str, value: Any) -> Iterator[None]:
        """Note both around a change; only the first where it fails."""
        self.begin(what, value)
        yield
        self.done(what, value)

    @contextlib.contextmanager
    def going_on(self) -> Iterator[None]:
        """Note the time now and then meanwhile."""
        end = threading.Event()

        def tick() -> None:
            while not end.wait(_TICK):
                self.tell("time")

        thread = threading.Thread(target=tick, name="recording", daemon=True)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()
            self.keep()


class Known:
    """What had been told by a cut.

    Args:
        told: All that was noted, in order.
        cut: So many writes were done.
    """

    def __init__(self, told: Sequence[Told], cut: int) -> None:
        self._told = [one for one in told if one.place <= cut]

    @property
    def at(self) -> float:
        """When the cut was, at the earliest; -inf before anything was noted."""
        return max((one.at for one in self._told), default=float("-inf"))

    def possible(self) -> Mapping[str, list[Any]]:
        """Return of each thing that was changed what the card may say of it: what was told last, or asked for since."""
        found: dict[str, list[Any]] = {}
        for one in self._told:
            if one.kind == "begun":
                found.setdefault(one.what, [None]).append(one.value)
            elif one.kind == "done":
                found[one.what] = [one.value]
        return found

    def is_done(self, what: str) -> bool:
        """Say whether a change of this was acknowledged."""
        return any(one.kind == "done" and one.what == what for one in self._told)

    def of(self, kind: str) -> list[Told]:
        """Return what was told of one kind."""
        return [one for one in self._told if one.kind == kind]
