"""Loading plugins: each one in its own guard, so that a broken one is shown and never stops the gateway."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from otppi.api import hookspecs
from otppi.api.ingress import IngressType
from otppi.api.modem import ModemType

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
        self.status: list[PluginStatus] = []
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        for entry_point in entry_points(group="otppi") if found is None else found:
            self._load(entry_point)

    def _load(self, entry_point: EntryPoint) -> None:
        error = None
        try:
            plugin = entry_point.load()
            self._manager.register(plugin, entry_point.name)
            self._manager.check_pending()
            modem_types = self._ask(entry_point.name, "otppi_modem_types", self.modem_types, lambda one: one.key)
            ingress_types = self._ask(
                entry_point.name, "otppi_ingress_types", self.ingress_types, lambda one: one.section.key
            )
        except Exception as caught:  # noqa: BLE001 - a stranger's code may raise anything, and the others must start
            error = f"{type(caught).__name__}: {caught}"
            logger.exception("plugin %s is left out", entry_point.name)
            if self._manager.has_plugin(entry_point.name):
                self._manager.unregister(name=entry_point.name)
        else:
            self.modem_types |= modem_types
            self.ingress_types |= ingress_types
        distribution = entry_point.dist
        self.status.append(
            PluginStatus(
                entry_point.name,
                distribution.name if distribution else "",
                distribution.version if distribution else "",
                error,
            )
        )

    def _ask(self, name: str, hook: str, known: dict[str, Any], key: Callable[[Any], str]) -> dict[str, Any]:
        plugin = self._manager.get_plugin(name)
        implementations = getattr(self._manager.hook, hook).get_hookimpls()
        offered = {}
        for implementation in implementations:
            if implementation.plugin is plugin:
                for one in implementation.function():
                    if key(one) in known or key(one) in offered:
                        raise ValueError(f"{key(one)!r} is registered already")
                    offered[key(one)] = one
        return offered
