"""The queue before the workers: requests of strangers wait here, so that those of known senders never wait for them."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Job = TypeVar("Job")

STRANGERS = 2
"""Of the threads that work at the same time, how many may do so for strangers."""


class RequestQueue(Generic[Job]):
    """Gives jobs to the workers: known senders' at once, strangers' a few at a time, in their order.

    Any thread may call any method. `submit` of the workers may call `done` before it returns, where it refuses.
    """

    def __init__(self, is_known: Callable[[Job], bool], submit: Callable[[Job], None]) -> None:
        self._is_known = is_known
        self._submit = submit
        self._lock = threading.Lock()
        self._waiting: deque[Job] = deque()
        self._working: list[Job] = []
        self._submitting = False

    def submit(self, job: Job) -> None:
        """Give a job to the workers, now or in its turn."""
        if self._is_known(job):
            self._submit(job)
            return
        with self._lock:
            self._waiting.append(job)
        self._submit_waiting()

    def done(self, job: Job) -> None:
        """Note that the workers are done with a job, whosever it is."""
        if not self._working:
            return  # looked at without the lock: this job, which would be in here since before it was begun, is not
        with self._lock:
            if job not in self._working:
                return
            self._working.remove(job)
        self._submit_waiting()

    def _submit_waiting(self) -> None:
        """Submit strangers' jobs as long as there is room; one call at a time, lest refusals nest without end."""
        with self._lock:
            if self._submitting:
                return  # that call looks again before it ends
            self._submitting = True
        while (job := self._next()) is not None:
            self._submit(job)

    def _next(self) -> Job | None:
        with self._lock:
            if not self._waiting or len(self._working) >= STRANGERS:
                self._submitting = False
                return None
            job = self._waiting.popleft()
            self._working.append(job)
            return job
