"""Power cuts at random places of a recording: each leaves a card, which is mended, read and judged."""

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from otppi.host.core import load_plugins
from otppi.host.identity.identity import FILE_NAME
from tests.image.powercut.file_system import TornError, copied, mended, read_of_fat
from tests.image.powercut.judgement import FOLDERS, Brochure, Judgement
from tests.image.powercut.recording import Known, Recording
from tests.image.powercut.restart import faults_of_start
from tests.image.powercut.write_log import Card, Partition, copy_data, partition

DISK: Final = 4 << 30
"""Octets of the machine's card, of which the image is the beginning (`image/bin/boot`)."""
_CERTAIN: Final = ("done", "reported", "waits")
"""What was told, and has to be on the card from then on."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One cut, and what was found.

    Attributes:
        place: After so many writes.
        unflushed: So many of them had no flush after them.
        faults: What is wrong with the card.
        replayed: Whether the file system's journal was replayed.
        repaired: Whether more had to be mended than that.
        started: Whether a gateway was started with what the card holds.
        seconds: How long it took.
    """

    place: int
    unflushed: int
    faults: tuple[str, ...]
    replayed: bool
    repaired: bool
    started: bool
    seconds: float


class Cuts:
    """Makes cuts; a context, which removes what it has made.

    Args:
        recording: What they are made of.
        seed: Says where, and what of the unflushed is on the card: the same for the same recording and number.
        start_every: With what every so many-th card holds a gateway is started on this computer.
    """

    def __init__(self, recording: Recording, seed: int, start_every: int = 20) -> None:
        self._recording, self._seed, self._start_every = recording, seed, start_every
        self._stack = ExitStack()
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="otppi-cuts-")))
        boot, root = partition(recording.image, 1), partition(recording.image, 2)
        self._starts = (0, boot.start, root.start)
        self._table = self._card(Partition(0, boot.start))
        # The second one is made larger by the first boot: all up to the card's end is looked at as its.
        self._boot = self._card(boot)
        self._root = self._card(Partition(root.start, DISK - root.start))
        with self._boot.after(0, random.Random(0)) as state:
            document = read_of_fat(state, FILE_NAME)
        assert document, "the card is nobody's: it has to be personalised"
        self._brochure = Brochure.of(document, self._folder / "brochure")
        self._plugins = load_plugins()

    def _card(self, part: Partition) -> Card:
        card = Card(self._recording.image, part, self._recording.logs, self._folder)
        self._stack.callback(card.close)
        return card

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def writes(self) -> int:
        """How many were recorded, flushes among them."""
        return len(self._root.writes)

    def places(self, count: int) -> Sequence[int]:
        """Return where cuts are made, in order: half of them right after somebody was told something."""
        chance = random.Random(self._seed)
        told = sorted({one.place for one in self._recording.told if one.kind in _CERTAIN and one.place})
        places = chance.sample(told, min(count // 2, len(told)))
        others = sorted({*range(1, self.writes + 1)} - set(places))
        return sorted(places + chance.sample(others, min(count - len(places), len(others))))

    def made(self, count: int, progress: Callable[[Cut], None] = lambda _: None) -> Sequence[Cut]:
        """Make so many cuts, and return what was found of each."""
        found = []
        for number, place in enumerate(self.places(count)):
            found.append(self.made_at(place, start=number % self._start_every == self._start_every - 1))
            progress(found[-1])
        return found

    def made_at(self, place: int, *, start: bool = False) -> Cut:
        """Make one cut after so many writes, of which there are at least as many as of the one before."""
        begun = time.monotonic()
        replayed = repaired = False
        faults: list[str] = []
        with self.state(place) as (boot, root):
            try:
                with mended(root) as how:
                    replayed, repaired = how.replayed, how.repaired
                    faults += self._faults(boot, root, place, start=start)
            except TornError as error:
                faults.append(str(error))
        seconds = round(time.monotonic() - begun, 3)
        return Cut(place, self._root.waiting, tuple(faults), replayed, repaired, start, seconds)

    @contextmanager
    def state(self, place: int) -> Iterator[tuple[Path, Path]]:
        """Make both partitions as a cut leaves them: that of the boot, and that of the root up to the card's end."""
        with self._boot.after(place, self._chance(place)) as boot, self._root.after(place, self._chance(place)) as root:
            yield boot, root

    def assemble(self, place: int, card: Path) -> None:
        """Make the whole card as a cut leaves it, in a file."""
        with self._table.after(place, self._chance(place)) as table, self.state(place) as (boot, root):
            with card.open("wb") as file:
                file.truncate(DISK)
            for start, part in zip(self._starts, (table, boot, root), strict=True):
                copy_data(part, Partition(0, part.stat().st_size), card, start)

    def _chance(self, place: int) -> random.Random:
        """Return what decides of the unflushed writes: the same for each part of the card."""
        return random.Random(f"{self._seed} {place}")

    def _faults(self, boot: Path, root: Path, place: int, *, start: bool) -> Iterator[str]:
        files = self._folder / "files"
        shutil.rmtree(files, ignore_errors=True)
        copied(root, FOLDERS, files)
        known = Known(self._recording.told, place)
        data = files / "var/lib/otppi"
        start = start and known.is_done("first boot")
        if start and data.exists():  # before anything is put in order by looking at it
            shutil.rmtree(self._folder / "start", ignore_errors=True)
            shutil.copytree(data, self._folder / "start/data", symlinks=True)
        judgement = Judgement(files, _given(boot), self._brochure, known, self._plugins)
        yield from judgement.faults()
        if start and data.exists():
            yield from faults_of_start(self._folder / "start", judgement.noted)


def _given(boot: Path) -> bytes | None:
    """Return what the boot partition says of who the device is; None where it is torn, which is no fault by itself."""
    try:
        return read_of_fat(boot, FILE_NAME)
    except TornError:
        return None
