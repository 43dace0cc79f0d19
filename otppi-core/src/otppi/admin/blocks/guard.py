"""Calls what a plugin has declared: each time on a thread of its own, which is waited for two seconds."""

import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, TypeVar

from otppi.admin.blocks.declared import PATIENCE
from otppi.kit.threads import CANNOT_START, PromptThread
from otppi.text import Text, _, words
from otppi.web.faults import log_fault

logger = logging.getLogger(__name__)

MOST_FAILURES: Final = 3
"""Failures in a row after which a page is not asked again."""
MOST_AT_ONCE: Final = 4
"""Calls of one function that go on at the same time, for as many people who look."""

T = TypeVar("T")
Make = Callable[[Callable[[T], None]], None]
"""Makes things, and gives each away when it is there."""


class NotShownError(Exception):
    """A plugin gave something that cannot be shown: the sentence is ours, and has nothing of what was given in it."""


class Off(Enum):
    """Why a page is switched off."""

    FAILED = "failed"
    STUCK = "stuck"

    @property
    def said(self) -> Text:
        """What people are told."""
        return _STUCK if self is Off.STUCK else _FAILED


_FAILED: Final = _("This page failed three times in a row, and is switched off until OTP-Pi is started again.")
_STUCK: Final = _("This page did not come to an end, and is switched off until OTP-Pi is started again.")
_LATE: Final = _("This part of the page did not come within two seconds.")
_BUSY: Final = _("Others look at this page at the moment. Try it again in a few seconds.")


def not_shown(error: NotShownError) -> Text:
    """Say that something was given that is nothing to show."""
    return _("This part of the page cannot be shown: {reason}.", reason=words(error))


def failed(error: BaseException) -> Text:
    """Say that something failed: by the kind of the exception, whose words may quote a message."""
    return _("This part of the page failed ({kind}). Where it did is in the log.", kind=type(error).__name__[:64])


@dataclass(frozen=True, slots=True)
class Made(Generic[T]):
    """What a call came to: what was there in time, and what is to be said of the rest; empty where that is all."""

    found: tuple[T, ...]
    trouble: str = ""


class _Worker(Generic[T]):
    """One call, on its thread."""

    def __init__(self, name: str, make: Make[T]) -> None:
        self.name = name
        self.began = time.monotonic()
        self.found: list[T] = []
        self.trouble = ""
        self.done = threading.Event()
        self._make = make

    def run(self) -> None:
        """Make it, and keep how that failed: the log has where it did, without the words of the exception."""
        try:
            self._make(self.found.append)
        except NotShownError as error:
            logger.error("%s gave something that cannot be shown: %s", self.name, error)  # noqa: TRY400 - it says it all
            self.trouble = not_shown(error)
        except BaseException as error:  # noqa: BLE001 - a stranger's code may raise anything; it is told and logged
            log_fault(logger, f"{self.name} failed")
            self.trouble = failed(error)
        finally:
            self.done.set()


class Pending(Generic[T]):
    """A call that was begun, or could not be."""

    def __init__(self, worker: _Worker[T] | None, trouble: str = "") -> None:
        self.worker = worker
        self.trouble = trouble


class GuardedCall:
    """One function of a page. Any thread.

    Args:
        name: What the log calls it.
        patience: Seconds that a call may take.
    """

    def __init__(self, name: str, patience: float = PATIENCE) -> None:
        self._name = name
        self._patience = patience
        self._lock = threading.Lock()
        self._workers: set[_Worker[object]] = set()
        self._failures = 0
        self._numbers = itertools.count(1)
        self.off: Off | None = None

    def begin(self, make: "Make[T]") -> Pending[T]:
        """Begin a call, unless a former one did not come to its end."""
        with self._lock:
            self._workers = {one for one in self._workers if not one.done.is_set()}
            if any(time.monotonic() - one.began > self._patience for one in self._workers):
                self._switch_off(Off.STUCK)
            if self.off is not None:
                return Pending(None, self.off.said)
            if len(self._workers) >= MOST_AT_ONCE:
                return Pending(None, _BUSY)
            worker: _Worker[T] = _Worker(self._name, make)
            try:
                PromptThread(worker.run, f"{self._name} {next(self._numbers)}").start()
            except CANNOT_START:
                return Pending(None, _("No thread can be started: memory, or the number of processes, is short."))
            self._workers.add(worker)  # type: ignore[arg-type]  # what it makes is not looked at here
            return Pending(worker)

    def end(self, pending: Pending[T]) -> Made[T]:
        """Wait for the end of a call, and return what it made."""
        worker = pending.worker
        if worker is None:
            return Made((), pending.trouble)
        in_time = worker.done.wait(max(0.0, worker.began + self._patience - time.monotonic()))
        found, trouble = tuple(worker.found), worker.trouble if in_time else _LATE
        if not in_time:
            logger.error("%s did not come to its end within %g s", self._name, self._patience)
        with self._lock:
            self._failures = self._failures + 1 if trouble else 0
            if self._failures >= MOST_FAILURES:
                self._switch_off(Off.FAILED)
        return Made(found, trouble)

    def call(self, make: "Make[T]") -> Made[T]:
        """Make it, and wait for that."""
        return self.end(self.begin(make))

    def _switch_off(self, why: Off) -> None:
        if self.off is None:
            self.off = why
            logger.error("%s is switched off until the next start: it %s", self._name, why.value)
