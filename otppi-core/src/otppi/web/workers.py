"""The worker threads: they answer whole requests, a few at a time, and may wait for modems, many at a time."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Generic, TypeVar, cast

from otppi.kit.threads import CANNOT_START, PromptThread
from otppi.text import _

logger = logging.getLogger(__name__)

Job = TypeVar("Job")

RUNNING = 4
"""Threads that work (not wait) at the same time: more of them would only contend for the interpreter's lock."""
SLOW = 0.25
"""Seconds after which a job does not work but waits for something (the card, a lock), though it did not say so."""
IDLE_SECONDS = 30.0
PATIENCE = 10.0
"""Seconds after which a job that no thread has begun is refused: its client is told to come again."""
STALLED_AFTER = 30.0
"""Seconds in which jobs came and none was done: the threads are stuck."""


class Workers(Generic[Job]):
    """A pool that grows by the threads that wait.

    A thread that is about to wait says so with `waiting`, and another one may take its place. When `limit` threads
    wait, jobs are refused instead of queued, so that none is stuck behind them. Where no thread can be started, because
    memory or the number of processes is short, the jobs wait for those that there are, and `tend` tries again. Any
    thread may call any method; none of them raises.
    """

    def __init__(
        self,
        work: Callable[[Job], None],
        refuse: Callable[[Job], None],
        limit: int,
        name: str,
    ) -> None:
        self._work = work
        self._refuse = refuse
        self._limit = limit
        self._name = name
        self._jobs: queue.SimpleQueue[tuple[Job, float] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: set[PromptThread] = set()
        self._begun: dict[int, float] = {}
        self._idle = 0
        self._waiting = 0
        self._stopped = False
        self._last_done = time.monotonic()
        self._last_overdue = 0.0
        self._failed_starts = 0
        self._failed_starts_told = 0

    @property
    def threads(self) -> int:
        """How many threads there are now."""
        return len(self._threads)

    @property
    def waiting_threads(self) -> int:
        """How many of them wait for modems."""
        return self._waiting

    def start(self) -> None:
        """Start the first thread, so that the first request need not."""
        with self._lock:
            self._grow(first=True)

    def submit(self, job: Job) -> None:
        """Have a job done by a thread, or refused (on the caller's thread) where all of them wait."""
        with self._lock:
            full = self._stopped or self._waiting >= self._limit
            if not full:
                self._jobs.put((job, time.monotonic()))
                self._grow()
        if full:
            self._refuse(job)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Wrap whatever a job waits for, on the job's thread."""
        stuck: list[Job] = []
        with self._lock:
            self._waiting += 1
            self._begun.pop(threading.get_ident(), None)
            self._grow()
            if self._waiting >= self._limit and not self._stopped:
                stuck = self._drain()
        try:
            for job in stuck:
                self._refuse(job)
            yield
        finally:
            with self._lock:
                self._waiting -= 1

    def tend(self) -> None:
        """Start threads that could not be started before, and refuse what has waited too long; twice a second or so."""
        now = time.monotonic()
        with self._lock:
            overdue = [] if self._stopped or self._jobs.empty() else self._take_overdue(now)
            if dead := [thread for thread in self._threads if not thread.lives]:
                self._threads.difference_update(dead)  # they did not come to say so
                self._failed_starts += len(dead)
            self._grow()
            failed = self._failed_starts - self._failed_starts_told
            self._failed_starts_told += failed
        if failed:
            logger.warning("%d threads could not be started, there are %d (%s)", failed, self.threads, self._name)
        for job in overdue:
            self._refuse(job)

    def stalled(self) -> str:
        """Say so where jobs come and the threads that should do them do not; empty where all goes on."""
        now = time.monotonic()
        starved = self._last_overdue > self._last_done and now - self._last_overdue < STALLED_AFTER
        if starved and self.threads > self._waiting and now - self._last_done > STALLED_AFTER:
            return _.plural(
                "its {count} thread has answered nothing for {now:.0f} s",
                "its {count} threads have answered nothing for {now:.0f} s",
                count=self.threads,
                now=now - self._last_done,
            )
        return ""

    def stop(self, timeout: float) -> None:
        """End the threads once their jobs are done; wait at most `timeout` seconds for them."""
        with self._lock:
            self._stopped = True
            stuck = self._drain()
            threads = list(self._threads)
            for _ in threads:
                self._jobs.put(None)
        for job in stuck:
            self._refuse(job)
        deadline = time.monotonic() + timeout
        for thread in threads:
            thread.end(deadline - time.monotonic())

    def _grow(self, *, first: bool = False) -> None:
        """Add a thread if there are jobs (or it is the first) and too few to do them. Needs the lock.

        It counts once it runs: what was counted before would, where it cannot be started, take up its place for ever.
        """
        if self._stopped or len(self._threads) >= self._limit:
            return
        wanted = self._jobs.qsize() > self._idle or first
        if wanted and len(self._threads) - self._waiting - self._slow() < RUNNING:
            try:
                thread = PromptThread(self._run, self._name)
                thread.start()
            except CANNOT_START:
                self._failed_starts += 1
            else:
                self._threads.add(thread)  # it cannot have ended: for that it needs the lock

    def _slow(self) -> int:
        """Count the threads that take long, and do not say that they wait: nobody is to wait behind them."""
        if len(self._threads) - self._waiting < RUNNING:
            return 0  # it makes no difference
        since = time.monotonic() - SLOW
        return sum(begun < since for begun in list(self._begun.values()))

    def _take_overdue(self, now: float) -> list[Job]:
        """Take out what has waited too long; the rest keeps its order. Needs the lock, so that nothing is added."""
        overdue: list[Job] = []
        for _turn in range(self._jobs.qsize()):
            with suppress(queue.Empty):  # a thread was quicker
                if (entry := self._jobs.get_nowait()) is not None and now - entry[1] > PATIENCE:
                    overdue.append(entry[0])
                else:
                    self._jobs.put(entry)
        if overdue:
            self._last_overdue = now
        return overdue

    def _drain(self) -> list[Job]:
        jobs = []
        with suppress(queue.Empty):
            while True:
                if (entry := self._jobs.get_nowait()) is not None:
                    jobs.append(entry[0])
        return jobs

    def _run(self) -> None:
        try:
            own = threading.get_ident()
            while (entry := self._next()) is not None:
                self._begun[own] = time.monotonic()
                try:
                    self._work(entry[0])
                except Exception:
                    logger.exception("A request could not be answered; its connection is lost")
                self._last_done = time.monotonic()
                self._begun.pop(own, None)
                del entry
        finally:
            with self._lock:
                self._threads.discard(cast("PromptThread", threading.current_thread()))

    def _next(self) -> tuple[Job, float] | None:
        """Wait for a job; None when this thread is not needed any more."""
        while True:
            with self._lock:
                self._idle += 1
            try:
                return self._jobs.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                with self._lock:
                    if len(self._threads) - self._waiting > 1 and self._jobs.empty():
                        self._threads.discard(cast("PromptThread", threading.current_thread()))
                        return None
            finally:
                with self._lock:
                    self._idle -= 1
