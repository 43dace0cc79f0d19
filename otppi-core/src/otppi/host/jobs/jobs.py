"""The jobs: operations that go on while a page, or several, look at how far they are; in RAM, and bounded."""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from otppi.api.errors import Busy, Cancelled, InvalidSettings, OtpPiError, sentence
from otppi.api.operations import Actor
from otppi.api.services import Service
from otppi.host.runtime.registry import Registry
from otppi.kit.threads import CANNOT_START, PromptThread
from otppi.text import _, words
from otppi.wire.errors import FieldError

logger = logging.getLogger(__name__)

MOST_RUNNING: Final = 4
MOST_KEPT: Final = 16
"""Ended ones that are remembered; those that ended first are forgotten first."""
KEPT_FOR: Final = 3600.0
"""Seconds for which an ended one is remembered."""
_LAST_STEPS: Final = 10.0
"""Seconds in which the running ones may end when the gateway stops."""
_MOST_STEPS: Final = 50


class JobState(StrEnum):
    """Where a job is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job:
    """One operation that goes on. Any thread.

    Attributes:
        job_id: Cannot be guessed: whoever knows it may see how far the job is.
        operation: The name of what it carries out.
        title: What that is called.
        actor: Who asked for it.
        started, ended: When, in Unix seconds; `ended` is None while it runs.
        steps: What it has told of itself so far, newest last.
        share: How much of all is done, from 0 to 1; None where that is not known.
        state: Where it is.
        result: What the operation gave; None before its end.
        problems: What was wrong with its arguments.
        trouble: Why it could not be done; empty where it could.
    """

    def __init__(self, operation: str, title: str, actor: Actor) -> None:
        self.job_id = secrets.token_urlsafe(12)
        self.operation = operation
        self.title = title
        self.actor = actor
        self.started = time.time()
        self.ended: float | None = None
        self.steps: tuple[str, ...] = ()
        self.share: float | None = None
        self.state = JobState.RUNNING
        self.result: Any = None
        self.problems: tuple[FieldError, ...] = ()
        self.trouble = ""
        self.over = threading.Event()
        self._called_off = threading.Event()

    def tell(self, step: str, share: float | None = None) -> None:
        """Note how far it is; see `Call.progress`.

        Raises:
            Cancelled: It was called off.
        """
        if self._called_off.is_set():
            raise Cancelled(_("it was called off"))
        if step and step != (self.steps[-1] if self.steps else ""):
            self.steps = (*self.steps, step)[-_MOST_STEPS:]
        self.share = share if share is None else min(1.0, max(0.0, share))

    def cancel(self) -> None:
        """Call it off: it ends at its next step, or goes on to its end where there is none."""
        self._called_off.set()

    def end(self, state: JobState) -> None:
        """Note that it has ended; what came of it is noted before."""
        self.ended, self.state = time.time(), state
        self.over.set()

    def describe(self) -> dict[str, Any]:
        """Return it as a JSON value, without its result."""
        return {
            "job": self.job_id,
            "operation": self.operation,
            "title": self.title,
            "by": self.actor.name,
            "state": self.state.value,
            "step": self.steps[-1] if self.steps else "",
            "share": self.share,
            "started": round(self.started, 3),
            "ended": None if self.ended is None else round(self.ended, 3),
            "trouble": self.trouble,
        }


class Jobs(Service):
    """All jobs of a gateway. Any thread.

    Args:
        clock: Unix seconds.
    """

    name = "jobs"

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._stopped = False

    def begin(self, registry: Registry, operation: str, arguments: Mapping[str, Any], actor: Actor) -> Job:
        """Begin to carry out an operation in an actor's name, and return at once.

        Raises:
            LookupError: There is no such operation.
            Busy: Too many go on already, or there is no thread for it; nothing was begun.
        """
        job = Job(operation, registry.find(operation).title, actor)
        thread = PromptThread(lambda: self._carry_out(registry, job, arguments), f"job {operation}")
        with self._lock:
            running = [one for one in self._jobs.values() if one.state is JobState.RUNNING]
            if self._stopped or len(running) >= MOST_RUNNING:
                raise Busy(_("too much goes on already: {count} jobs", count=len(running)), 10.0)
            self._jobs[job.job_id] = job
            self._forget()
        try:
            thread.start()
        except CANNOT_START as error:
            with self._lock:
                del self._jobs[job.job_id]
            raise Busy(_("there is no thread for it"), 10.0) from error
        return job

    def find(self, job_id: str) -> Job | None:
        """Return a job; None of one that there is not, or not any more."""
        return self._jobs.get(job_id)

    def all(self) -> list[Job]:
        """Return all, the newest first."""
        with self._lock:
            return sorted(self._jobs.values(), key=lambda one: one.started, reverse=True)

    def stop(self) -> None:
        """Call off what goes on, and wait for its end: an operation is not cut off in the middle."""
        with self._lock:
            self._stopped = True
            running = [one for one in self._jobs.values() if one.state is JobState.RUNNING]
        for one in running:
            one.cancel()
        until = time.monotonic() + _LAST_STEPS
        for one in running:
            if not one.over.wait(max(0.0, until - time.monotonic())):
                logger.warning("the job %s does not end", one.operation)

    def tidy(self) -> None:
        """Forget those that ended long ago."""
        with self._lock:
            self._forget()

    def describe(self) -> dict[str, int]:
        """Say how many go on."""
        return {"running": sum(one.state is JobState.RUNNING for one in self.all())}

    def _forget(self) -> None:
        """Forget what ended, of the oldest so many that the bounds are kept. Under the lock."""
        ended = sorted((one for one in self._jobs.values() if one.ended is not None), key=lambda one: one.ended or 0.0)
        old = [one for one in ended if (one.ended or 0.0) < self._clock() - KEPT_FOR]
        for one in {one.job_id: one for one in (*old, *ended[: max(0, len(ended) - MOST_KEPT)])}.values():
            del self._jobs[one.job_id]

    def _carry_out(self, registry: Registry, job: Job, arguments: Mapping[str, Any]) -> None:
        state = JobState.FAILED
        try:
            job.result = registry.call(job.operation, dict(arguments), job.actor, tell=job.tell)
            job.share, state = 1.0, JobState.DONE
        except Cancelled:
            state = JobState.CANCELLED
        except InvalidSettings as error:
            job.problems, job.trouble = error.problems, words(error)
        except OtpPiError as error:
            job.trouble = words(error)
        except OSError as error:
            job.trouble = sentence(error)
        except Exception:
            job.trouble = _("something is broken here: see the log")
            logger.exception("the job %s failed", job.operation)
        finally:
            job.end(state)
