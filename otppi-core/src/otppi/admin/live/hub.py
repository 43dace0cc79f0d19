"""A hub of pages that are live: one thread, while somebody watches, that tells every watcher what changed."""

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from otppi.admin.live.frames import frame
from otppi.admin.live.snapshot import clock
from otppi.api.errors import Busy
from otppi.kit.threads import CANNOT_START, PromptThread
from otppi.text import _
from otppi.web.faults import log_fault
from otppi.web.stream import BEHIND, Stream

logger = logging.getLogger(__name__)

_TICK = 0.25
"""Seconds between two looks at what came; all of it is told at once."""
_LOOK = 1.0
"""Seconds between two looks whether sessions live."""
_STOPS_WITHIN = 5.0

OpenStream = Callable[[Callable[[], None], int], Stream]
"""Opens the body of an answer (`otppi.web.wsgi.STREAM`): what is called at its end, and how far it may be behind."""


@dataclass(frozen=True, slots=True)
class WatcherLimits:
    """What watchers may take.

    Attributes:
        watchers: All of them together.
        per_session: Those of one session.
        behind: Octets that one may be behind.
        life: Seconds after which a stream ends; the browser asks for another one, with a session that still holds.
        ping: Seconds of silence after which it is told that the connection lives.
        retry_after: Seconds after which one that is too many may ask again.
    """

    watchers: int = 32
    per_session: int = 4
    behind: int = BEHIND
    life: float = 900.0
    ping: float = 15.0
    retry_after: float = 30.0


class LivePage:
    """One open page. Nobody is told whose it is."""

    def __init__(self, session: str, alive: Callable[[], bool], last_event_id: str, ends: float) -> None:
        self.session = session
        self.last_event_id = last_event_id
        self.greeted = False
        self._alive = alive
        self._ends = ends
        self._ended = False
        self._stream: Stream | None = None

    def attach(self, stream: Stream) -> None:
        """Give it the stream that it asked for."""
        self._stream = stream
        if self._ended:  # meanwhile; `end` has seen no stream, or this sees that it was called
            stream.close()

    @property
    def is_open(self) -> bool:
        """Whether it has its stream."""
        return self._stream is not None

    def is_over(self, now: float) -> bool:
        """Whether its time or its session has ended."""
        return now >= self._ends or not self._alive()

    def send(self, data: bytes) -> None:
        """Send octets; one that takes none is let go by its stream."""
        if self._stream is not None:
            self._stream.send(data)

    def end(self) -> None:
        """End its stream."""
        self._ended = True
        if self._stream is not None:
            self._stream.close()


class Telling(ABC):
    """What is told, for one time that somebody watches: made for the first watcher, then the hub's thread has it.

    Args:
        limits: What watchers may take.
    """

    def __init__(self, limits: WatcherLimits) -> None:
        self._limits = limits
        now = time.monotonic()
        self._next_tick = now + _TICK
        self._next_look = now + _LOOK
        self._silent_since = now

    def prepare(self) -> None:  # noqa: B027 - most need nothing
        """Look at how things stand."""

    @abstractmethod
    def change(self, now: float) -> bytes:
        """Return an event of what has changed since this was called last, by the monotonic clock; empty of nothing."""

    @abstractmethod
    def greeting(self, last_event_id: str) -> bytes:
        """Return events of what somebody has missed who has seen this one last, or else of how things stand."""

    @abstractmethod
    def end(self) -> None:
        """Look no more: the last watcher has gone."""

    def pause(self) -> float:
        """Return the seconds until the next tick."""
        return max(0.0, self._next_tick - time.monotonic())

    def turn(self, watchers: Sequence[LivePage]) -> None:
        """Tell those who are here what changed, and those who came how things stand."""
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + _LOOK
            for one in watchers:
                if one.is_over(now):
                    one.end()
        if now >= self._next_tick:
            self._next_tick = now + _TICK
            told = self._tick(now)
            for one in watchers:
                if one.greeted and told:
                    one.send(told)
        for one in watchers:
            if not one.greeted:
                one.greeted = True
                one.send(self.greeting(one.last_event_id))

    def _tick(self, now: float) -> bytes:
        """Return what is to be sent: a change, or a sign of life after a silence; empty where that is nothing."""
        changed = self.change(now)
        if not changed and now - self._silent_since < self._limits.ping:
            return b""
        self._silent_since = now
        return changed or frame("ping", clock())


class Hub:
    """Tells watchers what changed: the same octets to all, made once. Any thread calls `join`, `end_session`, `stop`.

    The thread lives, and there is a `Telling`, only while there are watchers. It is woken four times a second; what
    came in between is one change.

    Args:
        thread: What it is called.
        tell: Begins to look at what is told; quick.
        limits: What watchers may take.
    """

    def __init__(self, thread: str, tell: Callable[[WatcherLimits], Telling], limits: WatcherLimits) -> None:
        self._name = thread
        self._tell = tell
        self._limits = limits
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._watchers: dict[int, LivePage] = {}
        self._thread: PromptThread | None = None
        self._stopped = False

    @property
    def watchers(self) -> int:
        """How many there are."""
        return len(self._watchers)

    # -- any thread -------------------------------------------------------------------------------------------------

    def join(self, open_stream: OpenStream, session: str, alive: Callable[[], bool], last_event_id: str = "") -> Stream:
        """Open a watcher's stream; it gets what it has missed, or a snapshot, and then every change.

        Args:
            open_stream: Opens it.
            session: Names the session that it belongs to.
            alive: Whether that still holds; asked once a second, quick, and no activity of it.
            last_event_id: The last event that the browser has seen, where it comes back.

        Raises:
            Busy: There are too many watchers, or no thread for them.
        """
        watcher = LivePage(session, alive, last_event_id, time.monotonic() + self._limits.life)
        with self._lock:
            self._admit(watcher)
        try:
            stream = open_stream(lambda: self._gone(watcher), self._limits.behind)
        except BaseException:
            self._gone(watcher)
            raise
        watcher.attach(stream)
        self._wake.set()
        return stream

    def end_session(self, session: str) -> None:
        """End the streams of a session, which has ended."""
        with self._lock:
            ended = [one for one in self._watchers.values() if one.session == session]
        for one in ended:
            one.end()

    def stop(self) -> None:
        """End all streams and the thread, and let nobody in any more."""
        with self._lock:
            self._stopped = True
            thread, watchers = self._thread, list(self._watchers.values())
            self._watchers.clear()
        for one in watchers:
            one.end()
        self._wake.set()
        if thread is not None and not thread.end(_STOPS_WITHIN):
            logger.error("%s does not end", self._name)

    def _admit(self, watcher: LivePage) -> None:
        """Put a watcher among the others, and start the thread for the first one; under the lock."""
        of_session = sum(one.session == watcher.session for one in self._watchers.values())
        if self._stopped or len(self._watchers) >= self._limits.watchers or of_session >= self._limits.per_session:
            raise Busy(_("too many live pages are open"), self._limits.retry_after)
        if self._thread is None or not self._thread.lives:
            self._begin()
        self._watchers[id(watcher)] = watcher

    def _begin(self) -> None:
        telling = self._tell(self._limits)
        thread = PromptThread(partial(self._run, telling), self._name)
        try:
            thread.start()
        except CANNOT_START as error:
            telling.end()
            raise Busy(_("no thread can be started: memory is short"), self._limits.retry_after) from error
        self._thread = thread

    def _gone(self, watcher: LivePage) -> None:
        """Forget a watcher whose stream has ended; the thread ends with the last one."""
        with self._lock:
            self._watchers.pop(id(watcher), None)
            if self._watchers:
                return
        self._wake.set()

    # -- the hub's thread -------------------------------------------------------------------------------------------

    def _run(self, telling: Telling) -> None:
        try:
            telling.prepare()
            self._tell_all(telling)
        except Exception:  # noqa: BLE001 - of any kind: logged without its words
            log_fault(logger, f"{self._name} failed: its pages are told nothing until they connect again")
            with self._lock:
                left = list(self._watchers.values())
                self._watchers.clear()
                self._thread = None
            for one in left:
                one.end()
        finally:
            telling.end()

    def _tell_all(self, telling: Telling) -> None:
        """Tell watchers what changed, as long as there are any; the next one after that starts another thread."""
        while True:
            self._wake.wait(telling.pause())
            self._wake.clear()
            with self._lock:
                watchers = [one for one in self._watchers.values() if one.is_open]
                if not self._watchers:
                    self._thread = None
                    return
            telling.turn(watchers)
