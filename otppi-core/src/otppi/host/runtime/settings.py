"""The setting of the plugins: which of them are not loaded."""

from collections.abc import Iterable
from typing import TypedDict

from otppi.api.settings import Document, Effect, FieldError, TypedSection, text_list
from otppi.host.runtime.plugins import Plugins
from otppi.text import _


class PluginValues(TypedDict):
    """The values of `PLUGINS`."""

    off: list[str]


PLUGINS = TypedSection(
    values=PluginValues,
    key="plugins",
    title=_("Plugins"),
    help=_("Which of the plugins that are installed are not loaded."),
    reset_group="administrator",
    effect=Effect.RESTARTS,
    settings=(
        text_list("off", _("Switched Off"), _("Names of plugins that are not loaded, as `otppi plugins` shows them.")),
    ),
)


def switched_off(plugins: Plugins, document: Document) -> Iterable[FieldError]:
    """Yield why plugins cannot be switched off: a name that none has, or one that is needed.

    One that cannot be loaded, and in safe mode any, may be: that is what it is switched off for.
    """
    known = {one.name for one in plugins.status}
    for index, name in enumerate(document.object(PLUGINS.key)["off"]):
        place = f"{PLUGINS.key}.off[{index}]"
        if name not in known:
            yield FieldError(place, _("there is no such plugin; there are {names}", names=", ".join(sorted(known))))
        elif used := ", ".join(_users(plugins, name, document)):
            yield FieldError(place, _("{plugin} is needed by {objects}", plugin=name, objects=used))


def _users(plugins: Plugins, plugin: str, document: Document) -> Iterable[str]:
    """Yield what has a type that a plugin brings."""
    sections = {section.key: section for section in plugins.sections}
    for key, types in plugins.types_of(plugin).items():
        section = sections[key]
        for one in document.objects(key) if section.typed_by and section.identity else ():
            if one[section.typed_by or ""] in types:
                yield str(one[section.identity or ""])
