"""What a case is: a name, and a function that measures and gives rows."""

import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.benchmark.rows import Row


@dataclass(frozen=True, slots=True)
class Effort:
    """How thorough a run is: `pick` gives the first of two numbers, or the second one in a quick run."""

    quick: bool = False

    def pick(self, thorough: int, quick: int) -> int:
        """Choose a count."""
        return quick if self.quick else thorough


@dataclass(frozen=True, slots=True)
class Case:
    """One subject of the benchmark."""

    name: str
    title: str
    measure: Callable[[Effort], Sequence[Row]]


def progress(text: str) -> None:
    """Tell the person who waits."""
    print(f"  {text}", file=sys.stderr, flush=True)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that `percent` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return float(statistics.median(values))
