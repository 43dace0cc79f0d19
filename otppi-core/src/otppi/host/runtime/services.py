"""The services of a gateway: started in order, stopped in the reverse one, and told of settings that changed."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, TypeVar, runtime_checkable

from otppi.api.errors import sentence
from otppi.api.events import ServiceChanged, SettingsChanged
from otppi.api.services import Samples, Service
from otppi.host.runtime.events import EventBus
from otppi.host.runtime.frontends import Frontend, HasFrontends
from otppi.host.runtime.supervisor import NoThread, Supervised, Supervision, ThreadState, Watch, end_all
from otppi.host.runtime.switches import ServiceSwitch, Switchable, check_ended, find_owner
from otppi.text import _
from otppi.text.states import said

logger = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds in which a thread may end; a modem finishes the message that it is sending."""

T = TypeVar("T")


@runtime_checkable
class OwnsThreads(Protocol):
    """A service that has several threads, which come and go."""

    def threads(self) -> Iterable[Supervised]:
        """Return the threads that are to live now (any thread)."""


class StartedAnew(Service, ABC):
    """A service with a `run` that a person may stop, and start again.

    Attributes:
        title: What people call it.
    """

    title: str = ""

    @abstractmethod
    def again(self) -> None:
        """Let `run` be called once more after `stop`."""


class Services:
    """All services, and the watch that sees their threads die. `start`, `configure` and `stop`: one thread at a time.

    Args:
        services: In the order in which they start: each may use those before it. They stop in the reverse order: first
            all are told to, and each one's thread is waited for; when all have stopped, they are closed.
        events: Is told of services whose state changes, and of settings that changed.
        patience: Seconds in which a thread may end.

    Attributes:
        unwatched: Returns how many seconds ago the watch has looked after all threads (any thread).
    """

    def __init__(self, services: Iterable[Service], events: EventBus, patience: float = PATIENCE) -> None:
        self._services = list(services)
        self._events = events
        self._patience = patience
        self._threads: dict[str, Supervised] = {}
        self._refused: dict[str, str] = {}
        self._others: list[Supervised] = []
        watch = Watch(self.threads, (self.look,))
        self._watch = Supervised("watch", watch.run, watch.stop)
        self.unwatched = watch.age

    def look_after(self, thread: Supervised) -> None:
        """Start a thread of somebody else again as well, where it could not be started, or died without a word."""
        self._others.append(thread)

    def add(self, service: Service) -> None:
        """Put another one at the end of the order, and start it where the others have been started."""
        self._services.append(service)
        if self._watch.started:
            self._start(service)

    def start(self) -> None:
        """Start them all.

        Raises:
            NoThread: Nothing can be started, for nobody could look after it.
        """
        if not self._watch.start():
            raise NoThread(_("no thread can be started: memory, or the number of processes, is short"))
        for service in self._services:
            self._start(service)

    def _start(self, service: Service) -> None:
        service.start()
        if service.has_thread:
            self._run(service)

    def _run(self, service: Service) -> None:
        thread = Supervised(service.name, service.run, service.stop, self._changed)
        self._threads[service.name] = thread
        thread.start()

    def configure(self, changed: Collection[str]) -> None:
        """Have each service use the new values of its sections."""
        for service in list(self._services):
            own = [key for key in changed if key in service.sections]
            if own:
                self._configure(service, own)
        self._events.publish(SettingsChanged(tuple(changed)))

    def _configure(self, service: Service, changed: Collection[str]) -> None:
        try:
            service.configure(changed)
        except Exception as error:  # the others are to use theirs, whatever one of them thinks of its own
            logger.exception("%s cannot use its settings", service.name)
            self._refused[service.name] = sentence(error)
        else:
            self._refused.pop(service.name, None)
            if (thread := self._threads.get(service.name)) is not None:
                thread.try_again()

    # -- what people stop and start (one thread at a time) ----------------------------------------------------------

    def switches(self) -> list[ServiceSwitch]:
        """Return what may be stopped and started, and how it is (any thread)."""
        nothing: Sequence[ServiceSwitch] = ()
        owners = [one for one in list(self._services) if isinstance(one, Switchable)]
        parts = [part for one in owners for part in _guarded(one, one.switches, nothing)]
        return [*parts, *(self._switch_of(one) for one in self._started_anew())]

    def switch_off(self, key: str) -> None:
        """Stop what has this key; what it is at is finished. Nothing where it is stopped.

        Raises:
            LookupError: There is none.
        """
        if (owner := find_owner(self._services, key)) is not None:
            owner.switch_off(key)
        else:
            end_all([self._threads[self._own(key).name]], self._patience)

    def switch_on(self, key: str) -> None:
        """Start what has this key, where it was stopped.

        Raises:
            LookupError: There is none.
            NotEnded: It has not come to its end yet.
        """
        if (owner := find_owner(self._services, key)) is not None:
            owner.switch_on(key)
            return
        service = self._own(key)
        thread = self._threads[service.name]
        if not thread.started:
            check_ended(thread)
            service.again()
            self._run(service)

    def _started_anew(self) -> list[StartedAnew]:
        services = list(self._services)
        return [one for one in services if isinstance(one, StartedAnew) and one.name in self._threads]

    def _own(self, key: str) -> StartedAnew:
        for one in self._started_anew():
            if _key_of(one) == key:
                return one
        raise LookupError(key)

    def _switch_of(self, service: StartedAnew) -> ServiceSwitch:
        thread = self._threads[service.name]
        told = thread.supervision
        key, stopped = _key_of(service), not thread.started
        return ServiceSwitch(
            key, service.title, "service", told.state.value, told.since, told.last_error or "", stopped=stopped
        )

    def stop(self) -> None:
        """Stop them all; what one of them raises, or does not end, keeps none of the others from its end."""
        self._watch.stop()
        for service in reversed(self._services):
            thread = self._threads.get(service.name)
            if thread is None:
                _guarded(service, service.stop, None)
            else:
                _guarded(service, partial(end_all, [thread], self._patience), None)
        for service in reversed(self._services):
            _guarded(service, service.close, None)

    # -- any thread -------------------------------------------------------------------------------------------------

    def threads(self) -> list[Supervised]:
        """List the threads that are to live: those of the services, and those that services own."""
        owned = [thread for one in list(self._services) if isinstance(one, OwnsThreads) for thread in one.threads()]
        return [*self._threads.values(), *owned, *self._others]

    def dead(self) -> list[str]:
        """Name the threads that are to live, and do not: the watch starts them again as soon as that can be."""
        return [thread.name for thread in self.threads() if thread.is_dead]

    def frontends(self) -> list[Frontend]:
        """Return what messages and people come in by, and how each is."""
        nothing: Iterable[Frontend] = ()
        owners = [one for one in list(self._services) if isinstance(one, HasFrontends)]
        return [self._with_failure(one, each) for one in owners for each in _guarded(one, one.frontends, nothing)]

    def _with_failure(self, service: Service, frontend: Frontend) -> Frontend:
        """Add why one cannot be opened where the thread that opens it has failed."""
        thread = self._threads.get(service.name)
        if thread is None or not frontend.begins:
            return frontend
        return replace(frontend, problem=failure_of(frontend.name, thread.supervision))

    def look(self) -> None:
        """See after what has no thread of its own; on the watch's thread."""
        for service in list(self._services):
            _guarded(service, service.look, None)

    def tidy(self) -> None:
        """Have each forget what is old; about once a minute, on the thread of the housekeeping."""
        for service in list(self._services):
            _guarded(service, service.tidy, None)

    def warnings(self) -> list[str]:
        """Return what people should know."""
        nothing: Sequence[str] = ()
        told = [warning for one in list(self._services) for warning in _guarded(one, one.warnings, nothing)]
        for name, why in list(self._refused.items()):
            told.append(_("{name} cannot use its settings: {why}", name=name, why=why))
        for name, thread in list(self._threads.items()):
            if failed := failure_of(name, thread.supervision):
                told.append(failed)
        return told

    def problems(self) -> list[str]:
        """Return what a person at the device has to do something about."""
        nothing: Sequence[str] = ()
        return [problem for one in list(self._services) for problem in _guarded(one, one.problems, nothing)]

    def samples(self) -> Samples:
        """Return the metrics of all of them."""
        nothing: Samples = {}
        return {
            name: values for one in list(self._services) for name, values in _guarded(one, one.samples, nothing).items()
        }

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return how each is, by its name: the state of its thread where it has one, and what it says itself."""
        described: dict[str, dict[str, Any]] = {}
        for one in list(self._services):
            about: Mapping[str, Any] | Sequence[Mapping[str, Any]] = {}
            entry: dict[str, Any] = {"about": _guarded(one, one.describe, about)}
            if (thread := self._threads.get(one.name)) is not None:
                supervision = thread.supervision
                entry |= {
                    "state": supervision.state.value,
                    "since": round(supervision.since),
                    "failures": supervision.failures,
                    "last_error": supervision.last_error,
                }
            described[one.name] = entry
        return described

    def _changed(self, thread: Supervised) -> None:
        supervision = thread.supervision
        self._events.publish(ServiceChanged(thread.name, supervision.state.value, supervision.last_error or ""))


def _key_of(service: Service) -> str:
    return service.name.replace(" ", ":")


def failure_of(name: str, supervision: Supervision) -> str:
    """Return how a thread failed that does not run now, to people; empty of one that runs, or has ended."""
    state, error = supervision.state, supervision.last_error
    if state is ThreadState.BLOCKED:
        return _("{key} is {state}: {last_error}", key=name, state=said(state.value), last_error=error)
    if state is ThreadState.WAITING:
        return _("{key} failed, and is {state}: {last_error}", key=name, state=said(state.value), last_error=error)
    return ""


def _guarded(service: Service, ask: Callable[[], T], otherwise: T) -> T:
    """Ask one service, which may raise anything; the others are asked too."""
    try:
        return ask()
    except Exception:
        logger.exception("%s failed where it was only asked, or told to end", service.name)
        return otherwise
