"""Threads that are started again when they fail, with a growing delay, and whose state can be seen."""

import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from otppi.api.errors import OtpPiError, sentence
from otppi.kit.reconnect import Backoff

logger = logging.getLogger(__name__)

_STEADY = 60.0
"""A thread that ran for so long before it failed starts again at once."""


class ThreadState(StrEnum):
    """What a supervised thread does now."""

    RUNNING = "running"
    WAITING = "waiting to be started again"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Supervision:
    """The state of a supervised thread, since when (Unix seconds), and how it failed last."""

    state: ThreadState
    since: float
    failures: int = 0
    last_error: str | None = None


class Supervised:
    """One thread whose body is `run`, until `stop` ends it. When `run` raises, that is logged, and it starts again."""

    def __init__(self, name: str, run: Callable[[], None], stop: Callable[[], None]) -> None:
        self.name = name
        self.supervision = Supervision(ThreadState.STOPPED, time.time())
        self._run = run
        self._stop = stop
        self._stopping = threading.Event()
        # A daemon, so that a thread which waits for a network's answer cannot hold up the end of the process for ever.
        self._thread = threading.Thread(target=self._body, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._stop()

    def join(self, timeout: float) -> bool:
        """Wait for the end of the thread; False where it did not end in time."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, timeout))
        return not self._thread.is_alive()

    def _body(self) -> None:
        backoff = Backoff(0.5, 30.0)
        while not self._stopping.is_set():
            started = time.monotonic()
            self._change(ThreadState.RUNNING)
            try:
                self._run()
                if not self._stopping.is_set():
                    raise OtpPiError("it ended without being told to")  # noqa: TRY301 - a failure like any other
            except (Exception, SystemExit) as error:  # a thread must not end unseen, whatever its plugin raises
                if time.monotonic() - started > _STEADY:
                    backoff.reset()
                delay = backoff.delay()
                self._failed(error)
                logger.exception("%s failed; it will be started again in %.1f s", self.name, delay)
                self._stopping.wait(delay)
        self._change(ThreadState.STOPPED)

    def _change(self, state: ThreadState) -> None:
        self.supervision = replace(self.supervision, state=state, since=time.time())

    def _failed(self, error: BaseException) -> None:
        self.supervision = Supervision(ThreadState.WAITING, time.time(), self.supervision.failures + 1, sentence(error))


def end_all(threads: Collection[Supervised], patience: float) -> None:
    """Stop threads, all at once, and give them so many seconds to end."""
    for thread in threads:
        thread.stop()
    deadline = time.monotonic() + patience
    for thread in threads:
        if not thread.join(deadline - time.monotonic()):
            logger.warning("%s did not end in time", thread.name)
