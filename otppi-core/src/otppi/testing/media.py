"""What everything that watches for reset sticks has to do: a plugin's tests call it with sticks of their own.

Each check takes a `MediaBench`: `for check in MEDIA_CHECKS: check(bench)`, or one by one by `pytest.mark.parametrize`.
"""
# ruff: noqa: S101 - these are tests

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from otppi.api.media import LARGEST, WANTED, MediaWatcher, Medium
from otppi.testing.waiting import PATIENCE, until


class MediaBench(ABC):
    """A kind of watcher, with a computer that sticks are plugged into. Subclass it in a plugin's tests."""

    @abstractmethod
    def make(self) -> MediaWatcher:
        """Make a watcher."""

    @abstractmethod
    def plug_in(self, name: str) -> None:
        """Plug a stick in that has not been there; it has at least one of the files."""


class _Watched:
    """What a watcher has told, and on which threads."""

    def __init__(self) -> None:
        self.media: list[Medium] = []
        self.threads: set[int] = set()

    def found(self, medium: Medium) -> None:
        self.threads.add(threading.get_ident())
        self.media.append(medium)

    def times(self, device: str) -> int:
        return sum(one.device == device for one in self.media)


@contextmanager
def _watching(watcher: MediaWatcher) -> Iterator[_Watched]:
    """Watch on a thread of its own, which is stopped in the end, and has to end then."""
    watched = _Watched()
    thread = threading.Thread(target=watcher.watch, args=(watched.found, 3_600.0))
    thread.start()
    try:
        yield watched
        assert watched.threads <= {thread.ident}, "it tells on the thread that watches"
    finally:
        watcher.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive(), "stop ends it"


def ends_when_its_time_is_over(bench: MediaBench) -> None:
    """`watch` returns by itself, and may be called again."""
    watcher, began = bench.make(), time.monotonic()
    for _ in range(2):
        watcher.watch(lambda _medium: None, 0.05)
    assert time.monotonic() - began < PATIENCE
    watcher.stop()


def is_stopped_before_it_begins(bench: MediaBench) -> None:
    """`watch` returns at once after `stop`, which may be called twice."""
    watcher = bench.make()
    watcher.stop()
    watcher.stop()
    watcher.watch(lambda _medium: None, 3_600.0)


def tells_of_what_was_there_and_of_what_comes_once(bench: MediaBench) -> None:
    """Tell of a stick that was in its socket, and of one that comes; of each once."""
    bench.plug_in("sdx1")
    with _watching(bench.make()) as watched:
        until(lambda: watched.times("sdx1"), "the stick that was there is told")
        bench.plug_in("sdy1")
        until(lambda: watched.times("sdy1"), "the stick that came is told")
        bench.plug_in("sdz1")
        until(lambda: watched.times("sdz1"), "the last one is told")
        assert [watched.times(one) for one in ("sdx1", "sdy1", "sdz1")] == [1, 1, 1]


def tells_what_is_wanted_and_no_more(bench: MediaBench) -> None:
    """Only the wanted files are told of, and none that is too large."""
    bench.plug_in("sdw1")
    with _watching(bench.make()) as watched:
        until(lambda: watched.times("sdw1"), "the stick is told")
        (medium,) = [one for one in watched.media if one.device == "sdw1"]
        assert medium.problem or medium.files
        assert set(medium.files) <= set(WANTED)
        assert all(isinstance(one, bytes) and len(one) <= LARGEST for one in medium.files.values())


MEDIA_CHECKS = (
    ends_when_its_time_is_over,
    is_stopped_before_it_begins,
    tells_of_what_was_there_and_of_what_comes_once,
    tells_what_is_wanted_and_no_more,
)
