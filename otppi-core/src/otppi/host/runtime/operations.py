"""The operations on the plugins; the other operations of a gateway are those of its rooms above."""

from dataclasses import asdict
from typing import Any

from otppi.api.errors import InvalidSettings
from otppi.api.operations import Offline, Operation, Role
from otppi.api.settings import text
from otppi.host.runtime.plugins import Plugins
from otppi.host.runtime.registry import SETTINGS, HostCall
from otppi.host.runtime.settings import PLUGINS
from otppi.text import _
from otppi.wire.errors import FieldError

_NAME = text("name", _("Plugin"), _("Its name, as `otppi plugins` shows it."), required=True)


def _plugins(call: HostCall) -> list[dict[str, Any]]:
    """List the plugins that were found, with what each offers or why it is left out."""
    return [asdict(one) | {"offers": list(one.offers), "titles": list(one.titles)} for one in call.part(Plugins).status]


def _switch_off(call: HostCall, name: str) -> str:
    """Keep a plugin from being loaded at the next start."""
    off = _kept(call)
    _keep(call, [*off, *([] if name in off else [name])])
    return _("{plugin} is not loaded from the next start on.", plugin=name)


def _switch_on(call: HostCall, name: str) -> str:
    """Have a plugin loaded again at the next start."""
    off = _kept(call)
    if name not in off and name not in {one.name for one in call.part(Plugins).status}:
        raise InvalidSettings([FieldError("name", _("there is no such plugin"))])
    _keep(call, [one for one in off if one != name])
    return _("{plugin} is loaded from the next start on.", plugin=name)


def _kept(call: HostCall) -> list[str]:
    return list(call.perform("settings_show")[PLUGINS.key]["off"])


def _keep(call: HostCall, off: list[str]) -> None:
    """Keep which plugins are off.

    Raises:
        InvalidSettings: That cannot work.
    """
    try:
        call.perform("settings_put", path=PLUGINS.key, values={"off": off})
    except InvalidSettings as error:
        raise InvalidSettings([FieldError("name", one.reason) for one in error.problems]) from error


SWITCHES = (
    Operation(
        name="plugin_off",
        title=_("Switch off"),
        help=_("Do not load a plugin from the next start on. What is set for it stays."),
        handler=_switch_off,
        parameters=(_NAME,),
        changes=SETTINGS,
        subject="name",
        command="plugin off",
        positional=("name",),
        examples=("modem-zte",),
        offline=Offline.YES,
    ),
    Operation(
        name="plugin_on",
        title=_("Switch on"),
        help=_("Load a plugin that was switched off again, from the next start on."),
        handler=_switch_on,
        parameters=(_NAME,),
        changes=SETTINGS,
        subject="name",
        command="plugin on",
        positional=("name",),
        examples=("modem-zte",),
        offline=Offline.YES,
    ),
)
"""Those of the page of the plugins."""

OPERATIONS = (
    Operation(
        name="plugins",
        title=_("Plugins"),
        help=_("List the plugins that were found, with what each offers or why it is left out."),
        handler=_plugins,
        role=Role.VIEWER,
        reads_only=True,
        command="plugins",
        examples=("", "--json | jq '.[] | select(.error)'"),
        offline=Offline.ANYWHERE,
    ),
)
