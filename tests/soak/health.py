"""How the gateway's process is meanwhile: memory, threads and descriptors, sampled; and whether they stay flat."""

import statistics
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmark.usage import memory

_EVERY = 5.0
MOST_GROWTH = 1.05
"""The last fifth of the run may use so much of the memory that the fifth after the middle used."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process used at one time; memory in MB."""

    memory: float
    threads: int
    descriptors: int


def sample(pid: int) -> Sample:
    """Look at a process (proc(5))."""
    threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Sample(memory(pid).alone, threads, descriptors)


class Watch:
    """Samples a process every few seconds on a thread of its own, until `end`."""

    def __init__(self, pid: int) -> None:
        self.samples: list[Sample] = []
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Sample no more."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(_EVERY):
            self.samples.append(sample(self._pid))


def growth(samples: Sequence[Sample]) -> float:
    """Compare the memory of the last fifth with that of the fifth after the middle; 1 where there are too few.

    By the middle the table of messages that are known (20,000 at the most) should be full.
    """
    fifth = len(samples) // 5
    if fifth < 3:
        return 1.0
    middle = statistics.median(one.memory for one in samples[2 * fifth + fifth // 2 : 3 * fifth + fifth // 2])
    return statistics.median(one.memory for one in samples[-fifth:]) / middle
