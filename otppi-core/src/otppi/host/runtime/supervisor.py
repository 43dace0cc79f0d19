"""Threads that are started again when they fail, with a growing delay, and whose state can be seen."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from otppi.api.errors import InvalidSettings, OtpPiError, sentence
from otppi.kit.net.back_off import Backoff
from otppi.kit.threads import CANNOT_START, PromptThread
from otppi.text import _

logger = logging.getLogger(__name__)

WATCH_EVERY = 5.0
_STEADY = 60.0
"""A thread that ran for so long before it failed starts again at once."""


class NoThread(OtpPiError):  # noqa: N818
    """A thread could not be started."""


class ThreadState(StrEnum):
    """What a supervised thread does now."""

    RUNNING = "running"
    WAITING = "waiting to be started again"
    BLOCKED = "blocked until its settings are changed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Supervision:
    """The state of a supervised thread, since when (Unix seconds), and how it failed last."""

    state: ThreadState
    since: float
    failures: int = 0
    last_error: str | None = None


class Supervised:
    """One thread whose body is `run`, until `stop` ends it. When `run` raises, that is logged, and it starts again.

    Where it raises `InvalidSettings` it does not: only other settings help. Who changes them makes another one, or has
    this one `try_again`.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[], None],
        stop: Callable[[], None],
        changed: Callable[["Supervised"], None] | None = None,
    ) -> None:
        self.name = name
        self._told = changed
        self.supervision = Supervision(ThreadState.STOPPED, time.time())
        self._run = run
        self._stop = stop
        self._stopping = threading.Event()
        self._unblocked = threading.Event()
        self._launching = threading.Lock()
        self._thread: PromptThread | None = None
        self._wanted = False

    def start(self) -> bool:
        """Start the thread; False where memory or the number of processes is short: `revive` tries again."""
        self._wanted = True
        return self._launch()

    @property
    def started(self) -> bool:
        """Whether it was told to start, and not yet to stop."""
        return self._wanted and not self._stopping.is_set()

    @property
    def is_dead(self) -> bool:
        """Whether it is to run, and has no thread: it could not be started, or died without a word."""
        return self.started and (self._thread is None or not self._thread.lives)

    def revive(self) -> None:
        """Start the thread where it is dead; for who watches over all of them."""
        if not self.is_dead:
            return
        if self._thread is not None:
            logger.error("%s died; it is started again", self.name)
        self._launch()

    def try_again(self) -> None:
        """Let a thread that is blocked run again: its settings have changed (any thread)."""
        self._unblocked.set()

    def stop(self) -> None:
        """Ask the thread to end."""
        with self._launching:
            self._stopping.set()
        self._unblocked.set()
        if self._thread is not None:
            self._stop()

    def join(self, timeout: float) -> bool:
        """Wait for the end of the thread; False where it did not end in time."""
        if self._thread is None:
            return True
        return self._thread.end(timeout)

    def _launch(self) -> bool:
        with self._launching:
            if self._stopping.is_set():
                return True
            try:
                # A daemon, so that a thread which waits for a network's answer cannot hold up the end of the process.
                thread = PromptThread(self._body, self.name)
                thread.start()
            except CANNOT_START as error:
                if self.supervision.state is not ThreadState.WAITING:
                    logger.error("%s cannot be started now: %s", self.name, error)  # noqa: TRY400 - it says it all
                self._failed(NoThread(_("no thread can be started: memory, or the number of processes, is short")))
                return False
            self._thread = thread
            return True

    def _body(self) -> None:
        backoff = Backoff(0.5, 30.0)
        while not self._stopping.is_set():
            started = time.monotonic()
            self._unblocked.clear()  # before it reads its settings: a change that comes later counts
            self._change(ThreadState.RUNNING)
            try:
                self._run()
                if not self._stopping.is_set():
                    raise OtpPiError(_("it ended without being told to"))  # noqa: TRY301 - a failure like any other
            except InvalidSettings as error:
                self._blocked(error)
            except (Exception, SystemExit) as error:  # a thread must not end unseen, whatever its plugin raises
                if time.monotonic() - started > _STEADY:
                    backoff.reset()
                delay = backoff.delay()
                # First the line, then the state: who sees that finds the line.
                logger.exception("%s failed; it will be started again in %.1f s", self.name, delay)
                self._failed(error)
                self._stopping.wait(delay)
        self._change(ThreadState.STOPPED)

    def _blocked(self, error: InvalidSettings) -> None:
        """Wait for other settings, or `stop`: until then no further try helps."""
        reason = "; ".join(map(str, error.problems))
        logger.error("%s is %s: %s", self.name, ThreadState.BLOCKED, reason)
        self._set(Supervision(ThreadState.BLOCKED, time.time(), self.supervision.failures + 1, reason))
        if not self._stopping.is_set():  # looked at after clear, which forgets a stop that came before it
            self._unblocked.wait()

    def _change(self, state: ThreadState) -> None:
        self._set(replace(self.supervision, state=state, since=time.time()))

    def _set(self, supervision: Supervision) -> None:
        self.supervision = supervision
        if self._told is not None:
            self._told(self)

    def _failed(self, error: BaseException) -> None:
        self._set(Supervision(ThreadState.WAITING, time.time(), self.supervision.failures + 1, sentence(error)))


def end_all(threads: Collection[Supervised], patience: float) -> None:
    """Stop threads, all at once, and give them so many seconds to end."""
    for thread in threads:
        thread.stop()
    deadline = time.monotonic() + patience
    for thread in threads:
        if not thread.join(deadline - time.monotonic()):
            logger.warning("%s did not end in time", thread.name)


class Watch:
    """Looks after threads every few seconds; the owner of the one that looks is the process itself.

    Args:
        threads: Those that are to live; asked each time.
        looks: What else is to be done each time.
    """

    def __init__(self, threads: Callable[[], Iterable[Supervised]], looks: Collection[Callable[[], None]]) -> None:
        self._threads = threads
        self._looks = looks
        self._stopping = threading.Event()
        self._looked = time.monotonic()

    def run(self) -> None:
        """Look until `stop`."""
        self._looked = time.monotonic()
        while not self._stopping.wait(WATCH_EVERY):
            for thread in self._threads():
                thread.revive()
            for look in self._looks:
                look()
            self._looked = time.monotonic()

    def age(self) -> float:
        """Return how many seconds ago it has looked at all of them (any thread)."""
        return time.monotonic() - self._looked

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()
