"""The ingresses of the plugins, each on its own thread, started anew when its settings change.

One whose thread fails is started again by its supervisor; one that goes on but answers nobody is found by `look`.
"""

import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, RLock
from typing import Any, Protocol, TypeVar

from otppi.api.errors import InvalidSettings
from otppi.api.events import MessageChanged, MessageEnded, MessageEvent, MessageReceived
from otppi.api.ingress import Callback, DeviceTls, Gateway, Ingress, IngressContext, IngressType, ReceivedMessage
from otppi.api.services import Service
from otppi.host.ingresses.described import frontend_of, state_of
from otppi.host.runtime.events import EventBus
from otppi.host.runtime.frontends import Frontend
from otppi.host.runtime.made_on_thread import MadeOnThread
from otppi.host.runtime.plugins import Plugins
from otppi.host.runtime.services import failure_of
from otppi.host.runtime.supervisor import Supervised, ThreadState
from otppi.host.runtime.switches import ServiceSwitch
from otppi.host.settings.config import Config
from otppi.text import _
from otppi.wire.envelope import Answer

logger = logging.getLogger(__name__)

_PATIENCE = 10.0
"""Seconds in which an ingress may answer what it has taken."""
_RESTART_AFTER = 20.0
"""Seconds for which one may say that it is stalled before it is started again: it may be slow for a moment."""
_LONGEST_PAUSE = 3600.0
_HELD = 10_000
"""Later states that wait for an ingress that is not up yet."""

T = TypeVar("T")


@dataclass(slots=True)
class _Running:
    """One that runs; since when, on the monotonic clock, it answers nobody, and as it says why."""

    thread: Supervised
    ingress: "_GuardedIngress"
    stalled: str = ""
    since: float = 0.0


@dataclass(slots=True)
class _Restarts:
    """How often an ingress was started again because it answered nobody, and when, on the monotonic clock."""

    count: int = 0
    last: float = -math.inf

    def may_be(self, now: float) -> bool:
        """Whether it may be again: each time after twice as long, up to an hour."""
        return now - self.last >= min(_RESTART_AFTER * 2.0 ** min(self.count, 20), _LONGEST_PAUSE)


class Ingresses(Service):
    """All ingresses that run. Any thread.

    Args:
        plugins: Whose ingresses they are.
        config: Their settings.
        gateway: What they hand commands to.
        folder: Where each has a folder for what it must keep.
        device_tls: The device's certificate, for those that serve TLS.
    """

    name = "ingresses"

    def __init__(
        self, plugins: Plugins, config: Config, gateway: Gateway, folder: Path, device_tls: DeviceTls | None = None
    ) -> None:
        self._device_tls = device_tls
        self._types = plugins.ingress_types
        self._order = list(self._types)
        self.sections: Collection[str] = self._types.keys()
        self._config = config
        self._gateway = gateway
        self._folder = folder
        self._changing = RLock()
        self._stopped = False
        self._running: dict[str, _Running] = {}
        self._restarts: defaultdict[str, _Restarts] = defaultdict(_Restarts)
        self._early = _Held()
        self._between: dict[str, _Held] = {}
        self._off: dict[str, float] = {}
        """Those that a person has stopped, and when (Unix seconds)."""

    def start(self) -> None:
        """Start those that are switched on, and tell them what was known before."""
        for key in self._types:
            self.restart(key)
        self.all_started()

    def configure(self, changed: Collection[str]) -> None:
        """Start those anew whose settings changed."""
        for key in changed:
            self.restart(key)

    def restart(self, key: str) -> None:
        """Start an ingress, anew where it runs, with the settings that it has now; not where a person stopped it."""
        with self._changing:
            if self._stopped or self._stays_off(key):
                return
            held = self._between.setdefault(key, _Held())
            try:
                self._start_anew(key)
            finally:
                for one in held.release():
                    self._tell(*one)
                del self._between[key]

    def _stays_off(self, key: str) -> bool:
        """Whether a person has stopped it. Settings that switch it off end that: those that switch it on start it."""
        if key in self._off and not self._is_enabled(key):
            del self._off[key]
        return key in self._off

    def _is_enabled(self, key: str) -> bool:
        return self._types[key].enabled(self._config.one(key))

    def switches(self) -> list[ServiceSwitch]:
        """Return how each ingress is that is switched on by its settings, and whether a person has stopped it."""
        off = set(self._off)
        told = ((one, *state_of(one)) for one in self.describe())
        return [
            ServiceSwitch(one["name"], one["title"], "ingress", state, one["since"], why or "", one["name"] in off)
            for one, state, why in told
        ]

    def switch_off(self, key: str) -> None:
        """Stop an ingress; what it has taken is answered. Later states wait for it until it is started."""
        with self._changing:
            if key not in self._off:
                self._off[key] = time.time()
                self._between[key] = _Held()
                self._end(key)
                logger.info("%s is stopped until somebody starts it", key)

    def switch_on(self, key: str) -> None:
        """Start an ingress that was stopped."""
        with self._changing:
            if self._off.pop(key, None) is not None:
                self.restart(key)

    def _start_anew(self, key: str) -> None:
        self._end(key)
        ingress_type, values = self._types[key], self._config.one(key)
        if not ingress_type.enabled(values):
            return
        ingress = _GuardedIngress(lambda: self._make(ingress_type, values))
        running = _Running(Supervised(key, ingress.run, ingress.stop), ingress)
        self._running[key] = running
        running.thread.start()

    def _end(self, key: str) -> None:
        """End one that runs. One that does not end lets go of what another one needs."""
        if running := self._running.pop(key, None):
            running.thread.stop()
            if not running.thread.join(_PATIENCE):
                logger.error("%s does not end: it is left to itself", key)
                running.ingress.abandon()

    def _make(self, ingress_type: IngressType, values: Mapping[str, Any]) -> Ingress:
        if problems := ingress_type.section.contradictions(values):  # an earlier version kept them
            raise InvalidSettings(problems)
        folder = self._folder / ingress_type.section.key
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:  # a card that takes nothing: it may do without
            logger.error("%s has no folder for what it keeps: %s", folder.name, error.strerror)  # noqa: TRY400
        return ingress_type.create(IngressContext(values, self._gateway, folder, self._device_tls))

    # -- watching ---------------------------------------------------------------------------------------------------

    def threads(self) -> list[Supervised]:
        """List the threads of those that are to run."""
        return [running.thread for running in list(self._running.values())]

    def look(self) -> None:
        """See which of them answer nobody, and start those again that have not for a while; every few seconds."""
        now = time.monotonic()
        for key, running in list(self._running.items()):
            stalled = _guarded(key, running.ingress.stalled, "")
            if stalled and not running.stalled:
                running.since = now
                logger.warning("%s does not answer: %s", key, stalled)
            running.stalled = stalled
            if stalled and now - running.since >= _RESTART_AFTER and self._restarts[key].may_be(now):
                self._restart_stalled(key, running, now)

    def _restart_stalled(self, key: str, running: _Running, now: float) -> None:
        with self._changing:
            if self._stopped or self._running.get(key) is not running:
                return
            restarts = self._restarts[key]
            restarts.count, restarts.last = restarts.count + 1, now
            logger.error(
                "%s has not answered for %.0f s (%s): it is started again", key, now - running.since, running.stalled
            )
            self.restart(key)

    def warnings(self) -> list[str]:
        """Return which of them do not answer, or cannot be started."""
        told: list[str] = []
        for key, running in list(self._running.items()):
            if running.stalled:
                told.append(_("{key} does not answer: {stalled}", key=key, stalled=running.stalled))
            elif failed := failure_of(key, running.thread.supervision):
                told.append(failed)
        return told

    # -- news -------------------------------------------------------------------------------------------------------

    def subscribe_to(self, events: EventBus) -> None:
        """Hand on to the ingresses what the event bus tells: messages that came in, and states that no answer tells."""
        events.subscribe(MessageReceived, lambda event: self.received(event.message))
        events.subscribe(MessageEnded, self._message_state, concerns=_is_told_later)
        events.subscribe(MessageChanged, self._message_state, concerns=_is_told_later)

    def _message_state(self, event: MessageEvent) -> None:
        if event.unanswered and event.answer_to is not None:
            ingress, callback = event.answer_to
            self.state_changed(ingress, callback, Answer(callback.command, event.code, data=event.as_data()))

    def received(self, message: ReceivedMessage) -> None:
        """Tell all of a message that came in."""
        for name, running in list(self._running.items()):
            try:
                running.ingress.received(message)
            except Exception:  # a stranger's code may raise anything, and the others are to be told
                logger.exception("%s did not take message %s, which came in", name, message.message_id)

    def state_changed(self, ingress: str, callback: Callback, answer: Answer) -> None:
        """Tell a later state of a message where its sender wants it; nowhere where that ingress is switched off."""
        if not self._early.hold((ingress, callback, answer)):
            self._tell(ingress, callback, answer)

    def all_started(self) -> None:
        """Tell the states of messages of an earlier run that were known before the ingresses had been started."""
        for one in self._early.release():
            self._tell(*one)

    def _tell(self, ingress: str, callback: Callback, answer: Answer) -> None:
        held = self._between.get(ingress)
        if held is not None and held.hold((ingress, callback, answer)):
            return  # the one that ends may not come to it, and the next one is not there yet
        if running := self._running.get(ingress):
            running.ingress.state_changed(callback, answer)

    def describe(self) -> list[dict[str, Any]]:
        """Return how each one is, and what it says of itself."""
        running = [self._described(key, one) for key, one in list(self._running.items())]
        off = [
            self._named(key, ThreadState.STOPPED) | {"since": round(since), "failures": 0, "last_error": None}
            for key, since in list(self._off.items())
            if self._is_enabled(key)
        ]
        return sorted((*running, *off), key=lambda one: self._order.index(one["name"]))

    def frontends(self) -> list[Frontend]:
        """Return which of those that are to run take commands by now, and why others cannot."""
        return [
            frontend_of(self._described(key, one)) if one.ingress.is_made else self._not_made(key, one)
            for key, one in list(self._running.items())
        ]

    def _not_made(self, key: str, running: _Running) -> Frontend:
        return Frontend(key, is_open=False, problem=failure_of(key, running.thread.supervision))

    def _described(self, key: str, running: _Running) -> dict[str, Any]:
        supervision = running.thread.supervision
        return {
            **self._named(key, supervision.state),
            "since": round(supervision.since),
            "failures": supervision.failures,
            "last_error": supervision.last_error,
            **({"stalled": running.stalled} if running.stalled else {}),
            **({"restarts": self._restarts[key].count} if key in self._restarts else {}),
            **_guarded(key, running.ingress.describe, {}),
        }

    def _named(self, key: str, state: ThreadState) -> dict[str, Any]:
        return {"name": key, "title": self._types[key].section.title, "state": state.value}

    def stop(self) -> None:
        """Take nothing more in."""
        with self._changing:
            self._stopped = True
            for key, running in self._running.items():
                _guarded(key, running.thread.stop, None)

    def close(self) -> None:
        """Wait until all that was taken in is answered."""
        for thread in self.threads():
            thread.join(_PATIENCE)


class _Message(Protocol):
    """What of a message says whether its sender wants to be told of states that no answer tells."""

    @property
    def answer_to(self) -> object: ...


def _is_told_later(message: _Message) -> bool:
    return message.answer_to is not None


def _guarded(key: str, ask: Callable[[], T], otherwise: T) -> T:
    """Call what may be a stranger's code, which may raise anything; the others are told of too."""
    try:
        return ask()
    except Exception:
        logger.exception("%s failed where it was only asked", key)
        return otherwise


class _GuardedIngress(MadeOnThread[Ingress], Ingress):
    """An ingress that is made on its own thread: one that cannot be made is shown and tried again as one that fails."""

    def __init__(self, create: Callable[[], Ingress]) -> None:
        super().__init__(create)
        self._early = _Held()

    def _has_made(self, made: Ingress) -> None:
        for _key, callback, answer in self._early.release():
            made.state_changed(callback, answer)

    def received(self, message: ReceivedMessage) -> None:
        """Hand on what came in."""
        if self._made is not None:
            self._made.received(message)

    def state_changed(self, callback: Callback, answer: Answer) -> None:
        """Hand on a later state, as soon as it is made."""
        if not self._early.hold(("", callback, answer)) and self._made is not None:
            self._made.state_changed(callback, answer)

    def describe(self) -> Mapping[str, Any]:
        """Return what it says of itself."""
        return {} if self._made is None else self._made.describe()

    def stalled(self) -> str:
        """Return what it says has stopped going on."""
        return "" if self._made is None else self._made.stalled()

    def abandon(self) -> None:
        """Let go of what the next one needs."""
        if self._made is not None:
            self._made.abandon()


class _Held:
    """Later states that wait until somebody can take them. Any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._states: list[tuple[str, Callback, Answer]] | None = []

    def hold(self, state: tuple[str, Callback, Answer]) -> bool:
        """Keep a state for later; False where it can be told now."""
        with self._lock:
            if self._states is None:
                return False
            if len(self._states) < _HELD:
                self._states.append(state)
                return True
        logger.warning("a later state is not told, %d wait for their ingress already", _HELD)
        return True

    def release(self) -> list[tuple[str, Callback, Answer]]:
        """Hold nothing any more, and return what was held."""
        with self._lock:
            states, self._states = self._states or [], None
        return states
