"""The page of the plugins, declared as those of plugins are."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from otppi.api.pages import Page, PageContext, Tile
from otppi.host.runtime.operations import SWITCHES
from otppi.host.runtime.plugins import PluginState
from otppi.host.runtime.settings import PLUGINS
from otppi.text import Text, _, joined

if TYPE_CHECKING:
    from otppi.api.blocks import Block, Mark, OperationButton

_KINDS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "section": _("settings: {title}"),
        "modem type": _("modem type: {title}"),
        "mail type": _("type of mail account: {title}"),
        "ingress": _("ingress: {title}"),
        "internet": _("connection: {title}"),
        "network writer": _("part of the network: {title}"),
        "firewall writer": _("firewall: {title}"),
        "media watcher": _("watches for: {title}"),
        "operation": _("operation: {title}"),
        "service": _("service: {title}"),
        "page": _("page: {title}"),
    }
)
"""What plugins offer, to people, by the names of kinds."""


def _blocks(context: PageContext) -> "Iterator[Block]":
    from otppi.api.blocks import Table  # with what only pages need

    found = context.perform("plugins")
    off = context.settings(PLUGINS.key)["off"]
    yield Table(
        title=_("Plugins that are installed"),
        columns=(_("Plugin"), _("Version"), _("State"), _("Adds"), _("Change")),
        rows=[(one["name"], one["version"], _state(one, off), _about(one), _button(one, off)) for one in found],
        empty=_("No plugin is installed."),
    )


def _state(one: Mapping[str, Any], off: list[str]) -> "Mark":
    from otppi.api.blocks import Level, Mark

    if one["state"] == PluginState.FAILED:
        return Mark(Level.BAD, _("cannot be loaded"))
    if one["state"] == PluginState.LOADED:
        return Mark(Level.WARN, _("off after the next start")) if one["name"] in off else Mark(Level.GOOD, _("loaded"))
    if one["name"] in off:
        return Mark(Level.OFF, _("switched off"))
    if one["state"] == PluginState.OFF:
        return Mark(Level.WARN, _("loaded after the next start"))
    return Mark(Level.OFF, _("not loaded: safe mode"))


def _about(one: Mapping[str, Any]) -> str:
    """Say what a plugin adds, or why it does not."""
    if one["error"]:
        return str(one["error"])
    kinds = [offer.rpartition(" ")[0] for offer in one["offers"]]
    return joined(", ", [_KINDS[kind].filled(title=title) for kind, title in zip(kinds, one["titles"], strict=True)])


def _button(one: Mapping[str, Any], off: list[str]) -> "OperationButton":
    from otppi.api.blocks import OperationButton

    return OperationButton("plugin_on" if one["name"] in off else "plugin_off", {"name": one["name"]})


def _tile(context: PageContext) -> Tile | None:
    """Tell of plugins that cannot be loaded."""
    from otppi.api.blocks import Level

    failed = [one["name"] for one in context.perform("plugins") if one["state"] == PluginState.FAILED]
    return Tile(Level.BAD, _("Cannot be loaded: {names}", names=", ".join(failed))) if failed else None


PLUGIN_LIST = Page(
    key="plugin-list",
    title=_("Plugins"),
    blocks=_blocks,
    tile=_tile,
    operations=SWITCHES,
    sections=(PLUGINS.key,),
)
