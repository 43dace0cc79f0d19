"""Threads whose start cannot hang.

`threading.Thread.start` waits until the new thread says that it runs. Where memory is short the thread may die before
it can (its first frame is not to be had), and whoever started it would wait for ever: the thread that accepts
connections, or one that holds a lock which all need. So nobody waits here, and the owner looks whether it has begun.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

BEGIN_WITHIN = 5.0
"""Seconds after which a thread that has not begun never will, however busy the machine is."""
CANNOT_START: Final = (RuntimeError, MemoryError)
"""What `start` raises where memory, or the number of processes, is short (pthread_create's EAGAIN is a RuntimeError),
or the interpreter is ending."""


class _NotWaitedFor(threading.Event):
    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set() if timeout is None else super().wait(timeout)


def prompt(timer: threading.Timer) -> threading.Timer:
    """Return a timer whose start does not hang either; it may never go off."""
    timer._started = _NotWaitedFor()  # type: ignore[attr-defined]  # what `start` waits for, in Python 3.11 to 3.13
    timer.daemon = True
    return timer


class PromptThread(threading.Thread):
    """A daemon. `start` raises one of `CANNOT_START` where that is known at once."""

    def __init__(self, target: Callable[[], None], name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._started = _NotWaitedFor()  # what `start` waits for, in Python 3.11 to 3.13
        self._do = target
        self._guard = threading.Lock()
        self._given_up = False
        self._since = time.monotonic()

    def run(self) -> None:
        """Do it, if nobody has given this thread up."""
        with self._guard:
            if self._given_up:
                return
        self._do()

    @property
    def lives(self) -> bool:
        """Whether it runs, or may still begin. One that does not begin in time is given up: it never does anything."""
        with self._guard:
            if self._started.is_set():
                return self.is_alive()
            self._given_up = self._given_up or time.monotonic() - self._since > BEGIN_WITHIN
            return not self._given_up

    def end(self, timeout: float) -> bool:
        """Wait for its end; False where it did not come in time. One that has not begun by then never will."""
        until = time.monotonic() + timeout
        begun = self._given_up or self._started.wait(max(0.0, timeout))
        if begun and self._started.is_set():
            self.join(max(0.0, until - time.monotonic()))
            return not self.is_alive()
        with self._guard:
            self._given_up = True
        return True
