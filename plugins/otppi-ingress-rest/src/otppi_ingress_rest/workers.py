"""The worker threads: they answer whole requests, a few at a time, and may wait for modems, many at a time."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

Job = TypeVar("Job")

RUNNING = 4
"""Threads that work (not wait) at the same time: more of them would only contend for the interpreter's lock."""
IDLE_SECONDS = 30.0


class Workers(Generic[Job]):
    """A pool that grows by the threads that wait.

    A thread that is about to wait says so with `waiting`, and another one may take its place. When `limit` threads
    wait, jobs are refused instead of queued, so that none is stuck behind them. Any thread may call any method.
    """

    def __init__(self, work: Callable[[Job], None], refuse: Callable[[Job], None], limit: int) -> None:
        self._work = work
        self._refuse = refuse
        self._limit = limit
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        self._waiting = 0
        self._stopped = False

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
            self._grow()

    def submit(self, job: Job) -> None:
        """Have a job done by a thread, or refused (on the caller's thread) where all of them wait."""
        with self._lock:
            full = self._stopped or self._waiting >= self._limit
            if not full:
                self._jobs.put(job)
                self._grow()
        if full:
            self._refuse(job)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Wrap whatever a job waits for, on the job's thread."""
        stuck: list[Job] = []
        with self._lock:
            self._waiting += 1
            self._grow()
            if self._waiting >= self._limit and not self._stopped:
                stuck = self._drain()
        for job in stuck:
            self._refuse(job)
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1

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
            thread.join(max(0.0, deadline - time.monotonic()))

    def _grow(self) -> None:
        """Add a thread if there are jobs (or no thread at all) and too few to do them. Needs the lock."""
        if self._stopped or len(self._threads) >= self._limit:
            return
        wanted = self._jobs.qsize() > self._idle or not self._threads
        if wanted and len(self._threads) - self._waiting < RUNNING:
            thread = threading.Thread(target=self._run, name="ingress-rest-worker", daemon=True)
            self._threads.add(thread)
            thread.start()

    def _drain(self) -> list[Job]:
        jobs = []
        while not self._jobs.empty():
            if (job := self._jobs.get_nowait()) is not None:
                jobs.append(job)
        return jobs

    def _run(self) -> None:
        try:
            while (job := self._next()) is not None:
                try:
                    self._work(job)
                except Exception:
                    logger.exception("A request could not be answered; its connection is lost")
                del job
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _next(self) -> Job | None:
        """Wait for a job; None when this thread is not needed any more."""
        while True:
            with self._lock:
                self._idle += 1
            try:
                return self._jobs.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                with self._lock:
                    if len(self._threads) - self._waiting > 1 and self._jobs.empty():
                        self._threads.discard(threading.current_thread())
                        return None
            finally:
                with self._lock:
                    self._idle -= 1
