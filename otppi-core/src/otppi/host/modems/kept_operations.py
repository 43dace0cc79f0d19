"""The operations on the modems of the settings, used or not: which there are, and whether each is used."""

from collections.abc import Mapping
from typing import Any

from otppi.api.errors import InvalidSettings
from otppi.api.modem import ModemType
from otppi.api.operations import Operation, Role
from otppi.host.modems.internet import sends_sms
from otppi.host.modems.operations import MODEM, workers_of
from otppi.host.modems.settings import MODEMS
from otppi.host.modems.ussd_settings import quick_code
from otppi.host.modems.values import ModemValues
from otppi.host.runtime.plugins import Plugins
from otppi.host.runtime.registry import SETTINGS, HostCall
from otppi.host.settings.changes import SettingsChanges
from otppi.host.settings.config import Config
from otppi.text import _
from otppi.wire.errors import FieldError


def _overview(call: HostCall) -> list[dict[str, Any]]:
    """List the modems of the settings, and what depends on each; nothing that is secret."""
    types = call.part(Plugins).modem_types
    waiting = {worker.name: len(worker.queue) for worker in workers_of(call)}
    return [_described(one, types, waiting.get(one["name"], 0)) for one in call.part(Config).many(MODEMS)]


def _described(modem: ModemValues, types: Mapping[str, ModemType], waiting: int) -> dict[str, Any]:
    kind = types.get(modem["type"])
    return {
        "modem_id": modem["name"],
        "type": modem["type"],
        "type_title": modem["type"] if kind is None else kind.title,
        "active": modem["active"],
        "sends_sms": sends_sms(modem),
        "internet_access": modem["internet_access"],
        "default_modem": modem["default_modem"],
        "recipient_prefixes": list(modem["recipient_prefixes"]),
        "queued": waiting,
        "quick_codes": _quick_codes(modem, kind),
    }


def _quick_codes(modem: ModemValues, kind: ModemType | None) -> list[dict[str, str]]:
    """Return the codes that there is a button for: the balance's, and those of the setting, else of the type."""
    own = modem["quick_codes"] or (() if kind is None else kind.quick_codes)
    codes = [quick_code(line) for line in own]
    if modem["balance_ussd"]:
        codes.insert(0, (_("Balance"), modem["balance_ussd"].partition(">")[0]))
    return [{"title": title, "code": code} for title, code in codes]


def _activate(call: HostCall, modem: str) -> dict[str, Any]:
    return _switch(call, modem, active=True)


def _deactivate(call: HostCall, modem: str) -> dict[str, Any]:
    return _switch(call, modem, active=False)


def _switch(call: HostCall, modem: str, *, active: bool) -> dict[str, Any]:
    """Use a modem from now on, or no more; return whether that changed anything.

    Raises:
        InvalidSettings: There is no such modem in the settings, or it does not go together with another one.
    """
    known = {one["name"]: one for one in call.part(Config).many(MODEMS)}
    if modem not in known:
        reason = _("there is no modem of this name in the settings; there are {modems}", modems=", ".join(known))
        raise InvalidSettings([FieldError("modem", reason)])
    changed = known[modem]["active"] is not active
    if changed:
        call.part(SettingsChanges).put_item(MODEMS.key, modem, {"active": active}, call.revision)
    return {"modem_id": modem, "active": active, "changed": changed}


OPERATIONS = (
    Operation(
        name="modem_overview",
        title=_("Modems of the settings"),
        help=_(
            "List the modems of the settings, also those that are not active: what each is for, what waits for it, "
            "and the USSD codes at hand."
        ),
        handler=_overview,
        role=Role.VIEWER,
        reads_only=True,
        command="modem overview",
        examples=("", "--json | jq -r '.[] | select(.active | not).modem_id'"),
    ),
    Operation(
        name="modem_activate",
        title=_("Activate a modem"),
        help=_("Use a modem from now on."),
        handler=_activate,
        parameters=(MODEM,),
        changes=SETTINGS,
        waits=True,
        subject="modem",
        command="modem activate",
        positional=("modem",),
        examples=("m0",),
    ),
    Operation(
        name="modem_deactivate",
        title=_("Deactivate a modem"),
        help=_("Use a modem no more, until it is activated. What waits for it goes by another one, or fails."),
        handler=_deactivate,
        parameters=(MODEM,),
        changes=SETTINGS,
        waits=True,
        subject="modem",
        command="modem deactivate",
        positional=("modem",),
        examples=("m0",),
    ),
)
