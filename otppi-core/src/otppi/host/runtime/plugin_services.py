"""The services of plugins: each is made on a thread of its own, so that one that fails is shown and stops nobody."""

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from otppi.api.events import Event, Events
from otppi.api.services import ListeningPort, Samples, Service, ServiceContext, ServiceType
from otppi.host.runtime.events import EventBus, Subscription
from otppi.host.runtime.services import StartedAnew

logger = logging.getLogger(__name__)

E = TypeVar("E", bound=Event)


class OwnSubscriptions:
    """The event bus for one run of a service: what it subscribes to ends with that run. Any thread."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._lock = threading.Lock()
        self._subscriptions: list[Subscription] | None = []

    def subscribe(self, kind: type[E], subscriber: Callable[[E], None], /) -> Subscription:
        """Subscribe; see `Events`. After the end of the run nothing is told."""
        with self._lock:
            subscription = self._bus.subscribe(kind, subscriber)
            if self._subscriptions is None:
                subscription.end()
            else:
                self._subscriptions.append(subscription)
        return subscription

    def end(self) -> None:
        """End all of them."""
        with self._lock:
            subscriptions, self._subscriptions = self._subscriptions or [], None
        for one in subscriptions:
            one.end()


class PluginService(StartedAnew):
    """A service of a plugin, as the gateway sees it. Its thread makes it, runs it, and closes it, anew where it failed.

    Args:
        service_type: What the plugin registered.
        bus: The gateway's events.
        settings: Returns the values of a section by its key.
        folder: Where each has a folder for what it keeps.
        boot_folder: On a RAM disk, where each has a folder, too.
        listening: Returns the TCP ports that the gateway listens on by its settings.
    """

    def __init__(
        self,
        service_type: ServiceType,
        bus: EventBus,
        settings: Callable[[str], Any],
        folder: Path,
        boot_folder: Path,
        listening: Callable[[], Sequence[ListeningPort]],
    ) -> None:
        self.name = f"service {service_type.key}"
        self.title = service_type.title
        self.sections: Collection[str] = service_type.sections
        self._type = service_type
        self._bus = bus
        self._settings = settings
        self._folder = folder / f"service-{service_type.key}"
        self._boot_folder = boot_folder / self._folder.name
        self._listening = listening
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._made: Service | None = None
        self._stopped: Service | None = None
        self._missed: set[str] = set()

    # -- its thread -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Make it, start it, and run it until `stop`; close it."""
        with self._lock:
            self._missed.clear()  # before it reads its settings: a change that comes later is told
        events = OwnSubscriptions(self._bus)
        made = None
        try:
            made = self._make(events)
            made.start()
            self._tell_missed(made)
            if self._stopping.is_set():
                return
            if made.has_thread:
                made.run()
            else:
                self._stopping.wait()
        finally:
            self._made = None
            events.end()
            if made is not None:
                self._end(made)

    def _make(self, events: Events) -> Service:
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._boot_folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:  # a card, or a RAM disk, that takes nothing: it may do without
            logger.error("%s has no folder for what it keeps: %s", self.name, error.strerror)  # noqa: TRY400
        made = self._type.create(ServiceContext(events, self._values, self._folder, self._boot_folder, self._listening))
        if not isinstance(made, Service):
            raise TypeError(f"{self.name} is a {type(made).__name__}, and not a Service")
        return made

    def _values(self, section: str) -> Any:
        if section not in self.sections:
            raise LookupError(f"{self.name} does not name {section!r} among its sections")
        return self._settings(section)

    def _tell_missed(self, made: Service) -> None:
        """Tell it what changed while it was made; from then on `configure` does."""
        while True:
            with self._lock:
                missed, self._missed = self._missed, set()
                if not missed:
                    self._made = made
                    return
            made.configure(missed)

    def _end(self, made: Service) -> None:
        for end in (partial(self._stop, made), made.close):
            try:
                end()
            except Exception:  # why it failed is told already, or it has ended as it was told to
                logger.exception("%s failed where it was told to end", self.name)

    def _stop(self, made: Service) -> None:
        with self._lock:
            if self._stopped is made:
                return
            self._stopped = made
        made.stop()

    # -- other threads ----------------------------------------------------------------------------------------------

    def configure(self, changed: Collection[str]) -> None:
        """Have it use new settings, now or as soon as it is made."""
        with self._lock:
            made = self._made
            if made is None:
                self._missed.update(changed)
                return
        made.configure(changed)

    def stop(self) -> None:
        """End it, or keep it from being made."""
        self._stopping.set()
        if (made := self._made) is not None:
            self._stop(made)

    def again(self) -> None:
        """Let `run` be called once more after `stop`: it is made anew."""
        self._stopping.clear()

    def look(self) -> None:
        """Hand on."""
        if (made := self._made) is not None:
            made.look()

    def tidy(self) -> None:
        """Hand on."""
        if (made := self._made) is not None:
            made.tidy()

    def describe(self) -> Mapping[str, Any] | Sequence[Mapping[str, Any]]:
        """Return what it says of itself."""
        return {} if (made := self._made) is None else made.describe()

    def warnings(self) -> Sequence[str]:
        """Return what people should know."""
        return [] if (made := self._made) is None else [f"{self.name}: {warning}" for warning in made.warnings()]

    def problems(self) -> Sequence[str]:
        """Return what a person at the device has to do something about."""
        return [] if (made := self._made) is None else [f"{self.name}: {problem}" for problem in made.problems()]

    def samples(self) -> Samples:
        """Return its metrics, under names that begin with its key: none of the gateway's own is replaced."""
        prefix = self._type.key.replace("-", "_")
        return {} if (made := self._made) is None else {f"{prefix}_{name}": one for name, one in made.samples().items()}
