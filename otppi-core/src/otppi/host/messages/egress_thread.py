"""An egress' own thread: keeps it open, opens it again when it was lost, and does jobs in between."""

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from otppi.api.egress import Channel, Egress, EgressState
from otppi.api.errors import Blocked, InvalidSettings, Lost
from otppi.host.records.names import shown_name
from otppi.text import _
from otppi.text.states import egress_said

logger = logging.getLogger(__name__)

_SOONEST = 0.5
"""Not even what may have come back is opened sooner than this: two modems may wake each other for one device."""
_PAUSES = (5.0, 15.0, 60.0, 300.0)
"""Seconds until an egress that was lost is opened again, where it does not say: a server is not to be stormed."""
_BLOCKED_PAUSE = 3600.0

E_co = TypeVar("E_co", bound=Egress, covariant=True)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EgressStatus:
    """The state of an egress, and since when (Unix seconds)."""

    state: EgressState
    detail: str
    since: float


_Job = Callable[[], None]


class EgressThread(ABC, Generic[E_co]):
    """One egress and its thread (whose owner is the supervisor: `run` is the thread's body).

    Args:
        name: Its internal name, unique among all channels: `egress_name` of `otppi.host.records.names`.
        egress: What sends.

    Attributes:
        held: Whether a person has stopped it: what waits for it is kept until it is started again.
    """

    def __init__(self, name: str, egress: E_co) -> None:
        self.name = name
        self.egress = egress
        self.channel: Channel = egress.channel
        self.status = EgressStatus(EgressState.STARTING, "", time.time())
        self.usable_since_loss = time.monotonic()
        self.held = False
        self._failures = 0
        self._stopping = threading.Event()
        self._open = False
        self._jobs: deque[_Job] = deque()
        self._jobs_lock = threading.Lock()
        self._takes_jobs = True
        self._called = threading.Event()
        self._retry = False

    @abstractmethod
    def _serve(self) -> None:
        """Use the egress, which is open, until `stop`."""

    @abstractmethod
    def _status_changed(self) -> None:
        """Tell others of another status."""

    @property
    @abstractmethod
    def _grace(self) -> float:
        """Seconds for which an egress that was lost counts as recovering."""

    @property
    def title(self) -> str:
        """What people know it by, such as `modem m0`."""
        return f"{self.channel.noun} {self.shown_name}"

    @property
    def shown_name(self) -> str:
        """The name that a person gave it."""
        return shown_name(self.channel, self.name)

    # -- any thread -------------------------------------------------------------------------------------------------

    def call(self, job: Callable[[E_co], T], *, closed: bool = False) -> "Future[T]":
        """Let the thread do something with the egress between two messages.

        Where it is not open, the future gets Lost at once, unless the job can do with a `closed` one; where its thread
        has ended, in either case. A future that is cancelled before its turn is not carried out.
        """
        future: Future[T] = Future()

        def body() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                if not (self._open or closed):
                    raise self._not_open()  # noqa: TRY301 - as if the job had found it out
                future.set_result(job(self.egress))
            except BaseException as error:  # noqa: BLE001 - raised again by whoever asks for the result
                future.set_exception(error)

        with self._jobs_lock:
            taken = self._takes_jobs
            if taken:
                self._jobs.append(body)
        if not taken:
            future.set_exception(self._not_open())
            return future
        self._called.set()
        self.egress.wake()
        return future

    def _not_open(self) -> Lost:
        return Lost(self._why_not_open())

    def _why_not_open(self) -> str:
        return _(
            "the {noun} is {state}: {detail}",
            noun=self.channel.noun,
            state=egress_said(self.status.state.value),
            detail=self.status.detail or _("being opened"),
        )

    def retry_now(self) -> None:
        """Open it at once where it waits to be opened again: what kept it from working may be gone."""
        self._retry = True
        self._called.set()

    def stop(self) -> None:
        """End the thread after the message that is being sent."""
        self._stopping.set()
        self._called.set()
        self.egress.wake()

    def hold(self) -> None:
        """Do as `stop`, and keep what waits until `release`."""
        self.held = True
        self.stop()

    def hold_unstarted(self) -> None:
        """Hold one that takes the place of one that is held, and has no thread yet."""
        self.hold()
        self.status = EgressStatus(EgressState.STOPPED, "", time.time())

    def release(self) -> None:
        """Let `run` be called again, after a `hold` whose thread has ended."""
        self._stopping.clear()
        self.held = False
        self.usable_since_loss = time.monotonic()
        self.status = EgressStatus(EgressState.STARTING, "", time.time())
        self._status_changed()

    # -- its own thread ---------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Keep it open and send, until `stop`; no job is left over, even when the driver fails."""
        with self._jobs_lock:
            self._takes_jobs = True
        try:
            self._keep_open()
        finally:
            with self._jobs_lock:
                self._takes_jobs = False
            self._do_jobs()

    def _keep_open(self) -> None:
        self._failures = 0
        while not self._stopping.is_set():
            pause = 0.0
            try:
                self._open_and_send()
            except Blocked as error:
                self._change(EgressState.BLOCKED, error.cause)
                pause = self._recover(error)
            except Lost as error:
                self._lost(error, error.cause)
                pause = self._recover(error)
            except InvalidSettings as error:  # no other try helps: who supervises it waits for other settings
                self._change(EgressState.BLOCKED, "; ".join(map(str, error.problems)))
                raise
            except Exception as error:
                self._failed(error)
                raise
            self._pause(pause)
        self._change(EgressState.STOPPED, "")

    def _pause(self, seconds: float) -> None:
        """Wait before it is opened again; jobs are done meanwhile, and `stop` ends it."""
        began = time.monotonic()
        while not self._stopping.is_set():
            self._do_jobs()
            left = began + (min(seconds, _SOONEST) if self._retry else seconds) - time.monotonic()
            if left <= 0 or not self._called.wait(left):
                return
            self._called.clear()

    def _do_jobs(self) -> None:
        while self._jobs:
            self._jobs.popleft()()

    def _recover(self, error: Lost) -> float:
        """Do what may recover it after it was lost; return the seconds until it is opened again."""
        pause = _BLOCKED_PAUSE if isinstance(error, Blocked) else _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        self._failures += 1
        return error.retry_after or pause

    def _open_and_send(self) -> None:
        """Open it and send; it is closed before anybody waits, since a port that is held cannot come back."""
        self._retry = False  # before it is opened: what comes up meanwhile is worth another try
        try:
            self.egress.open()
            self._opened()
            self._open = True
            self._change(EgressState.READY, "")
            self._serve()
        finally:
            self._open = False
            self.egress.close()

    def _opened(self) -> None:
        """Note that it works."""
        self._failures = 0

    def _failed(self, error: Exception) -> None:
        """Note that the driver failed, which the supervisor starts again."""
        cause = _("its driver failed ({error})", error=type(error).__name__)
        self._lost(Lost(cause), cause)

    def _lost(self, error: Lost, cause: str) -> None:  # noqa: ARG002 - what is wrong with it tells more to a modem
        now = time.monotonic()
        if self.status.state in (EgressState.READY, EgressState.BLOCKED):
            self.usable_since_loss = now
        if now - self.usable_since_loss > self._grace:
            self._change(EgressState.ABSENT, cause)
        elif self.status.state is EgressState.STARTING:
            self._change(EgressState.STARTING, cause)
        else:
            self._change(EgressState.RECOVERING, cause)

    def _change(self, state: EgressState, detail: str) -> None:
        before = self.status
        if (before.state, before.detail) == (state, detail):
            return
        log: Callable[..., None] = logger.info if state in (EgressState.READY, EgressState.STOPPED) else logger.warning
        log("%s is %s%s", self.title, state.value, f": {detail}" if detail else "")  # who sees the state finds its line
        self.status = EgressStatus(state, detail, time.time())
        self._status_changed()
