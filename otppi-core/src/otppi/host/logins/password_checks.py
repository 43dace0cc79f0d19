"""The passwords that wait to be hashed: a bounded queue with a thread of its own, so that nobody waits behind it."""

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from otppi.api.errors import AuthenticationFailed, Busy, Throttled, sentence
from otppi.host.logins.login_throttle import LoginThrottle
from otppi.host.logins.seniority import Seniority
from otppi.kit.threads import CANNOT_START, PromptThread
from otppi.text import _

logger = logging.getLogger(__name__)

PATIENCE = 15.0
"""Seconds that a password may wait for its turn."""
PLACES = 128
PLACES_OF_NETWORK = 8
_IDLE = 10.0
_NICE = 10
_AGAIN = 5.0
_LAST_CHECK = 60.0

G = TypeVar("G")


@dataclass(slots=True, eq=False)
class _Check(Generic[G]):
    key: bytes
    username: str
    network: str
    work: Callable[[], G] = field(repr=False)
    came: float
    first_asked: float
    future: Future[G] = field(default_factory=Future)


class PasswordChecks(Generic[G]):
    """Checks one password at a time: each takes 19 MiB, and no more of the processor than a message leaves over.

    Who has come from the same network before goes first; then whoever asked first, however often it was sent away
    since. Where all places are taken, who asked earlier than the last of them takes that one's. Any thread.

    Type parameter `G`: what a right password gives, such as the sender whose it is.

    Args:
        throttle: The pace.
        patience: Seconds that a password may wait; one whose turn would come later is refused at once, and told when.
        turn: Is held while a hash is computed: what several of these share, so that all together compute one at a time.
    """

    def __init__(
        self,
        throttle: LoginThrottle,
        *,
        patience: float = PATIENCE,
        turn: AbstractContextManager[object] | None = None,
    ) -> None:
        self._throttle = throttle
        self._seniority = Seniority()
        self._patience = patience
        self._turn = turn or nullcontext()
        self._changed = threading.Condition()
        self._waiting: dict[bytes, _Check[G]] = {}
        self._thread: PromptThread | None = None
        self._closed = False

    def submit(self, key: bytes, username: str, network: str, work: Callable[[], G]) -> Future[G]:
        """Have a password checked; the same one (`key`) that waits already is checked once.

        Raises:
            Throttled: As many as may wait from this network do, or its turn would come too late.
            Busy: As many as may wait at all do, or there is no thread to be had.
        """
        with self._changed:
            if (earlier := self._waiting.get(key)) is not None:
                return earlier.future
            if self._closed:
                raise Busy(_("the gateway is being stopped"), _AGAIN)
            now = time.monotonic()
            check = _Check(key, username, network, work, now, self._seniority.first_asked(key, now))
            if (wait := self._pause(check)) > self._patience:
                raise Throttled(wait)
            self._start()
            displaced = self._make_room(check)
            self._waiting[key] = check
            self._changed.notify()
        if displaced is not None:
            displaced.future.set_exception(Throttled(_AGAIN))
        return check.future

    def close(self) -> None:
        """Check nothing more; what waits is refused."""
        with self._changed:
            self._closed = True
            waiting, thread = list(self._waiting.values()), self._thread
            self._waiting.clear()
            self._changed.notify()
        for check in waiting:
            check.future.set_exception(Busy(_("the gateway is being stopped"), _AGAIN))
        if thread is not None:
            thread.end(_LAST_CHECK)

    def _make_room(self, check: _Check[G]) -> _Check[G] | None:
        """Return the one that has to make room, if any has to. Needs the lock."""
        same = [one for one in self._waiting.values() if one.network == check.network]
        taken = same if len(same) >= PLACES_OF_NETWORK else [*self._waiting.values()]
        if taken is not same and len(taken) < PLACES:
            return None
        last = max([*taken, check], key=lambda one: one.first_asked)
        self._seniority.sent_away(last.key, last.network, last.first_asked, check.came)
        if last is check or last.first_asked == check.first_asked:
            raise Throttled(_AGAIN) if taken is same else Busy(_("too many passwords wait to be checked"), _AGAIN)
        del self._waiting[last.key]
        return last

    def _start(self) -> None:
        if self._thread is not None and self._thread.lives:
            return
        thread = PromptThread(self._run, "password-checks")
        try:
            thread.start()
        except CANNOT_START as error:
            raise Busy(_("no thread can be started to check the password"), _AGAIN) from error
        self._thread = thread

    # -- the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)  # of this thread alone (setpriority(2))
            while (check := self._next()) is not None:
                if self._is_late(check):
                    check.future.set_exception(self._send_away(check))
                else:
                    self._carry_out(check)
                    with self._changed:
                        self._seniority.done(check.key)
        finally:  # one that died, for want of memory, must not be taken for one that works
            with self._changed:
                if self._thread is threading.current_thread():
                    self._thread = None

    def _next(self) -> _Check[G] | None:
        """Wait for a check whose turn it is, or that has waited too long; None where this thread is not needed."""
        with self._changed:
            while not self._closed:
                if (key := self._choose()) is not None:
                    return self._waiting.pop(key)
                if not self._wait() and not self._waiting:
                    break
            self._thread = None
            return None

    def _choose(self) -> bytes | None:
        if late := [key for key, check in self._waiting.items() if self._is_late(check)]:
            return late[0]
        ready = [check for check in self._waiting.values() if not self._pause(check)]
        ready = [check for check in ready if self._is_familiar(check)] or ready
        return min(ready, key=lambda check: check.first_asked).key if ready else None

    def _wait(self) -> bool:
        """Wait until something changes (True) or a moment comes for which something waits."""
        now = time.monotonic()
        waits = [min(self._pause(one), one.came + self._patience - now) for one in self._waiting.values()]
        return self._changed.wait(min(waits, default=_IDLE))

    def _pause(self, check: _Check[G]) -> float:
        return self._throttle.wait(check.username, check.network)

    def _is_familiar(self, check: _Check[G]) -> bool:
        return self._throttle.is_familiar(check.username, check.network)

    def _is_late(self, check: _Check[G]) -> bool:
        return time.monotonic() - check.came >= self._patience

    def _send_away(self, check: _Check[G]) -> Exception:
        with self._changed:
            self._seniority.sent_away(check.key, check.network, check.first_asked, time.monotonic())
            wait = self._pause(check)
        return Throttled(max(_AGAIN, wait)) if wait else Busy(_("too many passwords wait to be checked"), _AGAIN)

    def _carry_out(self, check: _Check[G]) -> None:
        try:
            with self._turn:
                given = check.work()
        except AuthenticationFailed as error:
            with self._changed:
                self._throttle.failed(check.username, check.network)
            check.future.set_exception(error)
        except Busy as error:
            check.future.set_exception(error)
        except Exception as error:  # noqa: BLE001 - whoever waits has to be told of it, whatever it is
            logger.error("a password could not be checked: %s", sentence(error))  # noqa: TRY400 - a trace may quote
            check.future.set_exception(error)
        else:
            with self._changed:
                self._throttle.succeeded(check.username, check.network)
            check.future.set_result(given)
