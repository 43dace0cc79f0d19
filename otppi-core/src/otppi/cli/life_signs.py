"""What the service manager hears of the gateway's life: that it starts, is ready, lives, and stops.

Nothing where none has started the process. systemd says what follows: who waits for the service goes on when it is
ready, and one that is silent for longer than `WatchdogSec` is ended, and started again.
"""

import faulthandler
import logging
import os
import threading
import time
from collections.abc import Iterable, Sequence
from enum import Enum, auto
from types import TracebackType
from typing import Final, Self

from otppi.api.egress import EgressState
from otppi.host.host import Host
from otppi.host.modems.worker import modem_workers
from otppi.host.runtime.frontends import Frontend
from otppi.host.runtime.liveness import Liveness
from otppi.host.runtime.supervisor import Supervised
from otppi.kit.sd_notify import ALIVE, READY, STOPPING, ServiceManager, extended, status

logger = logging.getLogger(__name__)

STARTS_WITHIN: Final = 300.0
"""Seconds for which a start asks for more time: one that takes longer hangs, and is ended by the manager."""
OPENS_WITHIN: Final = 120.0
"""Seconds in which the frontends are open, or have said why they cannot be."""
_STOPS_WITHIN: Final = 120.0
"""Seconds for which a stop asks for more time: modems finish the message that they send, each service has 10 s."""
_MORE: Final = 60.0
_AGAIN_WITHIN: Final = 180.0
"""Seconds that the new program may take to speak, where the gateway begins again: the watchdog goes on meanwhile."""
_EVERY: Final = 10.0
"""Seconds between two looks, where the manager has no watchdog: the state that people see is no older."""
_SOON: Final = 0.1
"""Seconds between two looks at frontends that are being opened: a plugin's need not tell when it is."""


class _Phase(Enum):
    STARTING = auto()
    OPENING = auto()
    RUNNING = auto()
    STOPPING = auto()


class LifeSigns:
    """Speaks on a thread of its own, from `with` to its end; its methods are called by the main thread.

    While the gateway runs it is said to live only where it does (`Liveness`): nobody looking after the threads, a
    thread that cannot be had again, or a lock that is held for ever, silence it. While it starts and stops it asks for
    more time instead: that holds for systemd's watchdog, too.

    Args:
        manager: The service manager; None where there is none, and nothing is said.
        opens_within: Seconds; see `OPENS_WITHIN`.
    """

    def __init__(self, manager: ServiceManager | None, opens_within: float = OPENS_WITHIN) -> None:
        self._manager = manager
        self._opens_within = opens_within
        self._lock = threading.Lock()
        self._phase = _Phase.STARTING
        self._until = time.monotonic() + STARTS_WITHIN
        self._next_extension = 0.0
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._host: Host | None = None
        self._liveness: Liveness | None = None
        self._told = self._failing = ""
        self._late = False
        self._thread = Supervised("life signs", self._run, self._end)

    def __enter__(self) -> Self:
        """Say that it starts."""
        if self._manager is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Say nothing more."""
        if self._manager is not None:
            self._thread.stop()
            self._thread.join(5)
            self._manager.close()

    # -- what the main thread says ----------------------------------------------------------------------------------

    def opening(self, host: Host) -> None:
        """Say that it is ready as soon as its frontends are open, or have said why not: all else has begun."""
        if self._manager is None:
            return
        host.services.look_after(self._thread)
        self._host, self._liveness = host, Liveness(host.services, host.dispatch.takes)
        self._go_to(_Phase.OPENING, self._opens_within)

    def stopping(self, *, again: bool) -> None:
        """Say that it stops; not where it begins again as the same process, which stays the service that runs."""
        if self._manager is None:
            return
        if again:
            self._go_to(_Phase.STOPPING, _STOPS_WITHIN, status("begins again: modems finish what they send"))
        else:
            self._go_to(_Phase.STOPPING, _STOPS_WITHIN, STOPPING, status("stops: modems finish what they send"))

    def hand_on(self) -> None:
        """Leave it to the program that takes this one's place to speak; it has a few minutes to begin."""
        if self._manager is not None:
            self._manager.hand_on(os.environ)
            self._say(extended(_AGAIN_WITHIN))

    def _go_to(self, phase: _Phase, seconds: float, *fields: str) -> None:
        with self._lock:
            self._phase, self._until = phase, time.monotonic() + seconds
            self._say(*fields, extended(_MORE))
            self._next_extension = time.monotonic() + _EVERY
        self._wake.set()

    # -- its thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ended.is_set():
            self._wake.clear()
            self._wake.wait(self._step())

    def _end(self) -> None:
        self._ended.set()
        self._wake.set()

    def _step(self) -> float:
        """Say what there is to say now; return after how many seconds there is more."""
        phase, host, liveness = self._phase, self._host, self._liveness
        if host is None or liveness is None or phase in (_Phase.STARTING, _Phase.STOPPING):
            self._extend(phase, *([status("starts")] if phase is _Phase.STARTING else []))
            return _EVERY
        if phase is _Phase.OPENING:
            return self._open(host)
        return self._live(host, liveness)

    def _open(self, host: Host) -> float:
        frontends = host.services.frontends()
        waited_for = [one.name for one in frontends if one.begins]
        is_late = time.monotonic() > self._until
        if waited_for and not (is_late and any(one.is_open for one in frontends)):
            told = f"starts: {_listed(waited_for)} not open yet"
            if told != self._told and self._say_in(_Phase.OPENING, status(told)):
                self._told = told
            self._extend(_Phase.OPENING)
            if is_late and not self._late:
                self._late = True
                logger.error("no frontend is open after %.0f s: %s", self._opens_within, _listed(waited_for))
            return 10 * _SOON if is_late else _SOON
        if waited_for:
            logger.error("the gateway runs without %s, not open after %.0f s", _listed(waited_for), self._opens_within)
        self._told = _sentence(host, frontends)
        if self._say_in(_Phase.OPENING, READY, status(self._told)):
            with self._lock:
                if self._phase is _Phase.OPENING:
                    self._phase = _Phase.RUNNING
            logger.info("the service manager knows that the gateway is ready")
            return 0.0
        return _SOON

    def _live(self, host: Host, liveness: Liveness) -> float:
        """Say that it lives, where it does, three times within the watchdog's time."""
        watchdog = 0.0 if self._manager is None else self._manager.watchdog
        pause = watchdog / 3 or _EVERY
        began = time.monotonic()
        failing = liveness.failing(pause)
        if failing:
            self._tell_failing(failing, "the service manager ends it unless that passes" if watchdog else "")
            return max(0.0, began + pause - time.monotonic())
        told = _sentence(host, host.services.frontends())
        fields = [ALIVE] if watchdog else []
        if told != self._told or self._failing:
            fields.append(status(told))
        if self._failing:
            logger.warning("the gateway goes on: it hung for a while")
        if fields and self._say_in(_Phase.RUNNING, *fields):
            self._told, self._failing = told, ""
        return pause

    def _tell_failing(self, failing: str, follows: str) -> None:
        """Leave a trace for who looks why the service was ended: nothing else will say it."""
        if not self._failing:
            logger.critical("%s", "; ".join(filter(None, [f"the gateway hangs: {failing}", follows])))
            faulthandler.dump_traceback(2)  # places in the code, no values
        self._failing = failing
        self._say_in(_Phase.RUNNING, status(f"hangs: {failing}"))

    def _extend(self, phase: _Phase, *fields: str) -> None:
        """Ask for more time now and then, but not for ever."""
        now = time.monotonic()
        if self._next_extension <= now < self._until and self._say_in(phase, extended(_MORE), *fields):
            self._next_extension = now + _EVERY

    def _say_in(self, phase: _Phase, *fields: str) -> bool:
        """Speak, unless the main thread has said meanwhile that something else is so: a word too late undoes that."""
        with self._lock:
            return phase is self._phase and self._say(*fields)

    def _say(self, *fields: str) -> bool:
        return self._manager is not None and self._manager.tell(*fields)


def _sentence(host: Host, frontends: Sequence[Frontend]) -> str:
    """Return how the gateway is, to people who ask the service manager; English, and without what is secret."""
    states = [worker.status.state for worker in modem_workers(host.dispatch.workers())]
    wanted = [state for state in states if state is not EgressState.STOPPED]
    ready = sum(state is EgressState.READY for state in wanted)
    opened = _listed(one.name for one in frontends if one.is_open)
    closed = _listed(one.name for one in frontends if not one.is_open)
    said = [
        f"{ready} of {len(wanted)} modems ready" if wanted else "no modem",
        f"open: {opened}" if opened else "nothing is open",
        *([f"not open: {closed}"] if closed else []),
    ]
    return "; ".join(said)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
