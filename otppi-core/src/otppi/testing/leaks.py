"""Owns how a test proves that nothing was left behind: no thread, no file descriptor, no child process."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from otppi.testing.waiting import until


def descriptors() -> int:
    """Count the open file descriptors, but for eventfds: a wake-up has one, which is closed when it is collected."""
    count = 0
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the descriptor that lists them
            count += "eventfd" not in str(link.readlink())
    return count


def children() -> set[str]:
    """Name the child processes of this one, also those that have ended and nobody has waited for."""
    found: set[str] = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
            found |= set((task / "children").read_text().split())
    return found


@contextmanager
def leaves_nothing() -> Iterator[None]:
    """Run a block that has to end its threads and child processes, and to close its files.

    Raises:
        AssertionError: Something is still there a minute later.
    """
    threads, files, processes = set(threading.enumerate()), descriptors(), children()
    yield
    until(lambda: set(threading.enumerate()) <= threads, "the threads end")
    if descriptors() > files:
        gc.collect()  # what is in a circle of references is closed when that is found
    until(lambda: descriptors() <= files, "the files are closed")
    until(lambda: children() <= processes, "the child processes end")
