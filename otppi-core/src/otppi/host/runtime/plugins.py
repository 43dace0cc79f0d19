"""Loading plugins: each one in its own guard, so that a broken one is shown and never stops the gateway."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from otppi.api import hookspecs
from otppi.api.ingress import IngressType
from otppi.api.internet import InternetType
from otppi.api.modem import ModemIdentity, ModemType
from otppi.api.operations import Operation
from otppi.api.settings import Section
from otppi.host.core import CORE_SECTIONS
from otppi.host.modems.settings import MODEMS

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PluginStatus:
    """One plugin that was found: where it comes from, and why it is left out if it is."""

    name: str
    distribution: str
    version: str
    error: str | None


class Plugins:
    """What the plugins offer. Built once, on the main thread.

    pluggy's own `load_setuptools_entrypoints` stops at the first entry point that cannot be imported, and one hook that
    raises ends the call of all; here each plugin is imported, registered and asked by itself.
    """

    def __init__(self, found: Iterable[EntryPoint] | None = None) -> None:
        self.modem_types: dict[str, ModemType] = {}
        self.ingress_types: dict[str, IngressType] = {}
        self.internet_types: dict[str, InternetType] = {}
        self.operations: dict[str, Operation] = {}
        self.status: list[PluginStatus] = []
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        for entry_point in _installed() if found is None else found:
            self._load(entry_point)

    @property
    def sections(self) -> list[Section]:
        """Give the sections of settings that plugins bring, beside what modem types add to `modems`."""
        ingresses = [one.section for one in self.ingress_types.values()]
        return ingresses + [one.section for one in self.internet_types.values()]

    def _load(self, entry_point: EntryPoint) -> None:
        error = plugin = None
        try:
            plugin = entry_point.load()
            self._manager.register(plugin, entry_point.name)
            self._manager.check_pending()
            modem_types = self._ask(plugin, "otppi_modem_types", ModemType, self.modem_types, lambda one: one.key)
            for one in modem_types.values():
                section_of_modem(one)
            sections: dict[str, Any] = self.ingress_types | self.internet_types
            ingress_types = self._ask(plugin, "otppi_ingress_types", IngressType, sections, lambda one: one.section.key)
            internet_types = self._ask(
                plugin, "otppi_internet_types", InternetType, sections | ingress_types, lambda one: one.section.key
            )
            operations = self._ask(plugin, "otppi_operations", Operation, self.operations, lambda one: one.name)
        except (Exception, SystemExit) as caught:  # a stranger's code may raise anything, and the others must start
            error = f"{type(caught).__name__}: {caught}"
            logger.exception("plugin %s is left out", entry_point.name)
            if plugin is not None and self._manager.get_plugin(entry_point.name) is plugin:
                self._manager.unregister(plugin)
        else:
            self.modem_types |= modem_types
            self.ingress_types |= ingress_types
            self.internet_types |= internet_types
            self.operations |= operations
        distribution = entry_point.dist
        self.status.append(
            PluginStatus(
                entry_point.name,
                distribution.name if distribution else "",
                distribution.version if distribution else "",
                error,
            )
        )

    def _ask(
        self, plugin: object, hook: str, kind: type, known: Mapping[str, Any], key: Callable[[Any], str]
    ) -> dict[str, Any]:
        implementations = getattr(self._manager.hook, hook).get_hookimpls()
        offered: dict[str, Any] = {}
        for implementation in implementations:
            if implementation.plugin is plugin:
                for one in implementation.function():
                    if not isinstance(one, kind):
                        raise TypeError(f"{hook} gave a {type(one).__name__} where a {kind.__name__} is wanted")
                    if key(one) in known or key(one) in offered or key(one) in _CORE_KEYS:
                        raise ValueError(f"{key(one)!r} is registered already")
                    offered[key(one)] = one
        return offered


def _installed() -> list[EntryPoint]:
    """Give the plugins that are installed by their names: Python gives them in the order of a folder, which varies."""
    return sorted(entry_points(group="otppi"), key=lambda one: one.name)


def best_type(types: Iterable[ModemType], found_by: ModemType, identity: ModemIdentity) -> ModemType:
    """Choose the type for a modem that a type's probe found: the first that recognises it, else the one that asked."""
    return next((one for one in types if one.recognises is not None and one.recognises(identity)), found_by)


_CORE_KEYS = frozenset(section.key for section in CORE_SECTIONS)


def section_of_modem(modem_type: ModemType) -> Section:
    """Give the settings of a modem of some type: the common ones, and the type's own.

    Raises:
        ValueError: The type declares one of the common ones anew.
    """
    return replace(MODEMS, settings=(*MODEMS.settings, *modem_type.settings))
