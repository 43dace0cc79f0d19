"""The ways in: the ingresses of the plugins, each on its own thread, started anew when its settings change."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from otppi.api.ingress import Callback, Gateway, Ingress, IngressContext, ReceivedMessage
from otppi.host.config import Config
from otppi.host.plugins import Plugins
from otppi.host.supervisor import Supervised
from otppi.wire.envelope import Answer

logger = logging.getLogger(__name__)

_PATIENCE = 10.0
"""Seconds in which an ingress may answer what it has taken."""
_HELD = 10_000
"""Later states that wait for a way in that is not up yet."""


class WaysIn:
    """All ingresses that run. `use`, `stop` and `join` are called by one thread at a time, all else by any.

    Args:
        plugins: Whose ingresses they are.
        config: Their settings.
        gateway: The door that they knock at.
        folder: Where each has a folder for what it must keep.
    """

    def __init__(self, plugins: Plugins, config: Config, gateway: Gateway, folder: Path) -> None:
        self._types = plugins.ingress_types
        self._config = config
        self._gateway = gateway
        self._folder = folder
        self._running: dict[str, tuple[Supervised, Ingress]] = {}
        self._early = _Held()
        self._restarting: dict[str, _Held] = {}

    def use(self, key: str) -> None:
        """Start an ingress, anew where it runs, with the settings that it has now."""
        held = self._restarting[key] = _Held()
        try:
            self._use(key)
        finally:
            for one in held.release():
                self._tell(*one)
            del self._restarting[key]

    def _use(self, key: str) -> None:
        if running := self._running.pop(key, None):
            running[0].stop()
            running[0].join(_PATIENCE)
        ingress_type, values = self._types[key], self._config.one(key)
        if not ingress_type.enabled(values):
            return
        folder = self._folder / key
        folder.mkdir(mode=0o700, exist_ok=True)
        context = IngressContext(values, self._gateway, folder)
        ingress = _GuardedIngress(lambda: ingress_type.create(context))
        thread = Supervised(key, ingress.run, ingress.stop)
        self._running[key] = (thread, ingress)
        thread.start()

    def received(self, message: ReceivedMessage) -> None:
        """Tell all of a message that came in."""
        for name, (_, ingress) in list(self._running.items()):
            try:
                ingress.received(message)
            except Exception:  # a stranger's code may raise anything, and the others are to be told
                logger.exception("%s did not take message %s, which came in", name, message.message_id)

    def state_changed(self, ingress: str, callback: Callback, answer: Answer) -> None:
        """Tell a later state of a message where its sender wants it; nowhere where that way in is switched off."""
        if not self._early.hold((ingress, callback, answer)):
            self._tell(ingress, callback, answer)

    def all_started(self) -> None:
        """Tell the states of messages of an earlier run that were known before the ways in had been started."""
        for one in self._early.release():
            self._tell(*one)

    def _tell(self, ingress: str, callback: Callback, answer: Answer) -> None:
        held = self._restarting.get(ingress)
        if held is not None and held.hold((ingress, callback, answer)):
            return  # the one that ends may not come to it, and the next one is not there yet
        if running := self._running.get(ingress):
            running[1].state_changed(callback, answer)

    def describe(self) -> list[dict[str, Any]]:
        """Say how each one is, and what it says of itself."""
        return [
            {
                "name": name,
                "state": thread.supervision.state.value,
                "failures": thread.supervision.failures,
                "last_error": thread.supervision.last_error,
                **_said(name, ingress),
            }
            for name, (thread, ingress) in list(self._running.items())
        ]

    def stop(self) -> None:
        """Take nothing more in."""
        for thread, _ in self._running.values():
            thread.stop()

    def join(self) -> None:
        """Wait until all that was taken in is answered."""
        for thread, _ in self._running.values():
            thread.join(_PATIENCE)


def _said(name: str, ingress: Ingress) -> Mapping[str, Any]:
    try:
        return ingress.describe()
    except Exception:  # a stranger's code may raise anything, and health and metrics tell of the others too
        logger.exception("%s cannot say how it is", name)
        return {}


class _GuardedIngress(Ingress):
    """An ingress that is made on its own thread: one that cannot be made is shown and tried again as one that fails."""

    def __init__(self, create: Callable[[], Ingress]) -> None:
        self._create = create
        self._made: Ingress | None = None
        self._stopped = False
        self._early = _Held()

    def run(self) -> None:
        """Make it, once, and run it."""
        if self._made is None:
            self._made = self._create()
            for _, callback, answer in self._early.release():
                self._made.state_changed(callback, answer)
        if not self._stopped:
            self._made.run()

    def stop(self) -> None:
        """Stop it, or keep it from starting."""
        self._stopped = True
        if self._made is not None:
            self._made.stop()

    def received(self, message: ReceivedMessage) -> None:
        """Hand on what came in."""
        if self._made is not None:
            self._made.received(message)

    def state_changed(self, callback: Callback, answer: Answer) -> None:
        """Hand on a later state, as soon as it is made."""
        if not self._early.hold(("", callback, answer)) and self._made is not None:
            self._made.state_changed(callback, answer)

    def describe(self) -> Mapping[str, Any]:
        """Say what it says of itself."""
        return {} if self._made is None else self._made.describe()


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
        logger.warning("a later state is not told, %d wait for their way in already", _HELD)
        return True

    def release(self) -> list[tuple[str, Callback, Answer]]:
        """Hold nothing any more, and give what was held."""
        with self._lock:
            states, self._states = self._states or [], None
        return states
