"""Loading plugins: each one in its own guard, so that a broken one is shown and never stops the gateway.

What plugins may offer is one table, `KINDS`: it drives the loading, `otppi plugins`, the reference and the tests.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar, cast

import pluggy

from otppi.api import hookspecs
from otppi.api.clock import ClockWriterType
from otppi.api.ingress import IngressType
from otppi.api.internet import InternetType
from otppi.api.mail import MailType
from otppi.api.media import MediaWatcherType
from otppi.api.modem import ModemType
from otppi.api.operations import Operation
from otppi.api.pages import Page
from otppi.api.services import ServiceType
from otppi.api.settings import ItemType, Section
from otppi.api.trials import WriterType
from otppi.host.runtime.entry_points import Found, installed

logger = logging.getLogger(__name__)

T = TypeVar("T")
GROUP = "otppi"
"""The group of entry points that plugins are found in."""


@dataclass(frozen=True, slots=True, eq=False)
class PluginKind(Generic[T]):
    """One kind of thing that plugins offer.

    Attributes:
        name: What it is called, as in the `modem type zte` of `otppi plugins`.
        hook: Which hook gives things of this kind.
        type: What each of them has to be.
        key: How one is called: unlike all others of its kind.
        section: Which settings one brings: their section's key is unlike that of every other section.
        extends: The key of the section whose objects one is a type of (`Section.typed_by`): its settings join those.
        operations: Which operations one brings.
    """

    name: str
    hook: str
    type: type[T]
    key: Callable[[T], str]
    section: Callable[[T], Section] | None = None
    extends: str = ""
    operations: Callable[[T], Iterable[Operation]] | None = None


SECTIONS = PluginKind("section", "otppi_sections", Section, lambda one: one.key, lambda one: one)
MODEM_TYPES = PluginKind("modem type", "otppi_modem_types", ModemType, lambda one: one.key, extends="modems")
MAIL_TYPES = PluginKind("mail type", "otppi_mail_types", MailType, lambda one: one.key, extends="mail_accounts")
INGRESS_TYPES = PluginKind(
    "ingress", "otppi_ingress_types", IngressType, lambda one: one.section.key, lambda one: one.section
)
INTERNET_TYPES = PluginKind(
    "internet", "otppi_internet_types", InternetType, lambda one: one.section.key, lambda one: one.section
)
NETWORK_WRITERS = PluginKind(
    "network writer", "otppi_network_writers", WriterType, lambda one: one.section.key, lambda one: one.section
)
FIREWALL_WRITERS = PluginKind(
    "firewall writer", "otppi_firewall_writers", WriterType, lambda one: one.section.key, lambda one: one.section
)
CLOCK_WRITERS = PluginKind("clock writer", "otppi_clock_writers", ClockWriterType, lambda one: one.key)
MEDIA_WATCHERS = PluginKind("media watcher", "otppi_media_watchers", MediaWatcherType, lambda one: one.key)
OPERATIONS = PluginKind("operation", "otppi_operations", Operation, lambda one: one.name)
SERVICES = PluginKind("service", "otppi_services", ServiceType, lambda one: one.key)
PAGES = PluginKind("page", "otppi_admin_pages", Page, lambda one: one.key, operations=lambda one: one.registered)
KINDS: tuple[PluginKind[Any], ...] = (
    SECTIONS,
    MODEM_TYPES,
    MAIL_TYPES,
    INGRESS_TYPES,
    INTERNET_TYPES,
    NETWORK_WRITERS,
    FIREWALL_WRITERS,
    CLOCK_WRITERS,
    MEDIA_WATCHERS,
    OPERATIONS,
    SERVICES,
    PAGES,
)


class PluginState(StrEnum):
    """What has become of a plugin that was found."""

    LOADED = "loaded"
    FAILED = "failed"
    """It is left out, with its error."""
    OFF = "off"
    """An administrator has switched it off: it was not even imported."""
    SAFE_MODE = "safe mode"
    """No plugin was imported."""


@dataclass(frozen=True, slots=True)
class PluginStatus:
    """One plugin that was found: where it comes from, what it offers, and why it is left out if it failed.

    What it offers is told by kinds and keys, and, in the same order, by titles.
    """

    name: str
    distribution: str
    version: str
    error: str | None
    offers: tuple[str, ...] = ()
    state: PluginState = PluginState.LOADED
    titles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Offer:
    """What one plugin offers, each kind by its keys, and the sections that come with that."""

    things: dict[PluginKind[Any], dict[str, Any]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    sections: dict[str, Section] = field(default_factory=dict)


class Plugins:
    """What the plugins, and the gateway's own rooms, offer. Built once, on the main thread.

    pluggy's own `load_setuptools_entrypoints` stops at the first entry point that cannot be imported, and one hook that
    raises ends the call of all; here each plugin is imported, registered and asked by itself. It is taken as a whole or
    left out as a whole.

    Args:
        found: The plugins; those that are installed where it is None.
        rooms: The gateway's own rooms by their names, which register through the same hooks. What one of them raises is
            raised: it is a programming error.
        off: The names of those that are not to be loaded.
        safe_mode: Whether none is to be loaded.
    """

    def __init__(
        self,
        found: Iterable[Found] | None = None,
        rooms: Mapping[str, object] | None = None,
        *,
        off: Collection[str] = (),
        safe_mode: bool = False,
    ) -> None:
        self.status: list[PluginStatus] = []
        self.safe_mode = safe_mode
        self._offered = _Offer()
        self._of_plugins: dict[str, _Offer] = {}
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        for name, room in (rooms or {}).items():
            self._add(self._register(room, name))
        for entry_point in installed(GROUP) if found is None else found:
            if safe_mode or entry_point.name in off:
                self._note(entry_point, PluginState.SAFE_MODE if safe_mode else PluginState.OFF)
            else:
                self._load(entry_point)

    def of_kind(self, kind: PluginKind[T]) -> dict[str, T]:
        """Return all things of a kind by their keys, in the order of the plugins."""
        return cast("dict[str, T]", self._offered.things[kind])

    @property
    def modem_types(self) -> dict[str, ModemType]:
        """The modem types by their keys."""
        return self.of_kind(MODEM_TYPES)

    @property
    def mail_types(self) -> dict[str, MailType]:
        """The types of mail accounts by their keys."""
        return self.of_kind(MAIL_TYPES)

    @property
    def ingress_types(self) -> dict[str, IngressType]:
        """The types of ingresses by the keys of their sections."""
        return self.of_kind(INGRESS_TYPES)

    @property
    def internet_types(self) -> dict[str, InternetType]:
        """The types of internet connections by the keys of their sections."""
        return self.of_kind(INTERNET_TYPES)

    @property
    def writer_types(self) -> dict[str, WriterType]:
        """What changes the device's network, and its firewall, by the keys of the sections.

        There is one firewall on a device: of several writers the first one is used.
        """
        firewalls: dict[str, WriterType] = self.of_kind(FIREWALL_WRITERS)
        return self.of_kind(NETWORK_WRITERS) | dict(list(firewalls.items())[:1])

    @property
    def clock_writers(self) -> dict[str, ClockWriterType]:
        """What sets the clock of the device, by their keys."""
        return self.of_kind(CLOCK_WRITERS)

    @property
    def media_watchers(self) -> dict[str, MediaWatcherType]:
        """What watches for reset sticks, by its keys."""
        return self.of_kind(MEDIA_WATCHERS)

    @property
    def operations(self) -> dict[str, Operation]:
        """The operations by their names."""
        return self.of_kind(OPERATIONS)

    @property
    def service_types(self) -> dict[str, ServiceType]:
        """The services by their keys."""
        return self.of_kind(SERVICES)

    @property
    def pages(self) -> dict[str, Page]:
        """The pages of the administration that rooms and plugins bring, by their keys."""
        return self.of_kind(PAGES)

    def types_of(self, plugin: str) -> dict[str, frozenset[str]]:
        """Return the types that a plugin gives to the objects of sections, by the keys of those sections."""
        offer = self._of_plugins.get(plugin, _Offer())
        return {kind.extends: frozenset(things) for kind, things in offer.things.items() if kind.extends and things}

    @property
    def sections(self) -> list[Section]:
        """The sections of settings of rooms and plugins, those of a typed list with the types that there are."""
        bringing = ((kind.section, self._offered.things[kind].values()) for kind in KINDS if kind.section is not None)
        return [self._typed(section_of(one)) for section_of, things in bringing for one in things]

    def _typed(self, section: Section) -> Section:
        if section.typed_by is None:
            return section
        kind = next((kind for kind in KINDS if kind.extends == section.key), None)
        return section if kind is None else section.with_types(self.of_kind(kind))

    def _load(self, entry_point: Found) -> None:
        plugin = None
        try:
            plugin = entry_point.load()
            offer = self._register(plugin, entry_point.name)
        except (Exception, SystemExit) as caught:  # a stranger's code may raise anything, and the others must start
            logger.exception("plugin %s is left out", entry_point.name)
            if plugin is not None and self._manager.get_plugin(entry_point.name) is plugin:
                self._manager.unregister(plugin)
            self._note(entry_point, PluginState.FAILED, f"{type(caught).__name__}: {caught}")
        else:
            self._add(offer)
            self._of_plugins[entry_point.name] = offer
            self._note(entry_point, PluginState.LOADED, offer=offer)

    def _note(
        self, entry_point: Found, state: PluginState, error: str | None = None, offer: _Offer | None = None
    ) -> None:
        distribution = entry_point.dist
        things = [] if offer is None else [(kind, *one) for kind, all_ in offer.things.items() for one in all_.items()]
        self.status.append(
            PluginStatus(
                entry_point.name,
                distribution.name if distribution else "",
                distribution.version if distribution else "",
                error,
                tuple(f"{kind.name} {key}" for kind, key, _thing in things),
                state,
                tuple((thing if kind.section is None else kind.section(thing)).title for kind, _key, thing in things),
            )
        )

    def _register(self, plugin: object, name: str) -> _Offer:
        """Register a plugin, and ask it for all that it offers."""
        self._manager.register(plugin, name)
        self._manager.check_pending()
        offer = _Offer()
        for kind in KINDS:
            for implementation in getattr(self._manager.hook, kind.hook).get_hookimpls():
                if implementation.plugin is plugin:
                    for one in implementation.function():
                        self._add_to_offer(offer, kind, one)
        return offer

    def _add_to_offer(self, offer: _Offer, kind: PluginKind[Any], one: object) -> None:
        """Put one thing into an offer.

        Raises:
            TypeError: It is not of its kind.
            ValueError: Its key, or that of its section or operation, is taken; or it declares a setting anew.
        """
        if not isinstance(one, kind.type):
            raise TypeError(f"{kind.hook} gave a {type(one).__name__} where a {kind.type.__name__} is wanted")
        key = kind.key(one)
        if not isinstance(key, str):
            raise TypeError(f"{kind.hook} gave a {kind.name} whose key is a {type(key).__name__}")
        if key in self._offered.things[kind] or key in offer.things[kind]:
            raise ValueError(f"{key!r} is registered already")
        if kind.section is not None:
            self._add_section(offer, kind.section(one))
        elif (extended := self._offered.sections.get(kind.extends)) is not None:
            extended.extended(cast("ItemType", one))
        if kind is PAGES and (key in self._offered.sections or key in offer.sections):
            raise ValueError(f"page {key!r} has the key of a section of settings")
        for operation in kind.operations(one) if kind.operations is not None else ():
            self._add_to_offer(offer, OPERATIONS, operation)
        offer.things[kind][key] = one

    def _add_section(self, offer: _Offer, section: Section) -> None:
        if section.key in self._offered.sections or section.key in offer.sections:
            raise ValueError(f"section {section.key!r} is registered already")
        if section.key in self._offered.things[PAGES]:
            raise ValueError(f"section {section.key!r} has the key of a page")
        offer.sections[section.key] = section

    def _add(self, offer: _Offer) -> None:
        for kind, things in offer.things.items():
            self._offered.things[kind].update(things)
        self._offered.sections.update(offer.sections)
