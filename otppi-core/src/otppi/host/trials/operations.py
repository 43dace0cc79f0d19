"""The operations on trials: change a part of the network, keep or revert that, and see what is in use."""

from collections.abc import Mapping
from typing import Any

from otppi.api.errors import sentence
from otppi.api.operations import Operation, Role
from otppi.api.settings import Kind, Setting, text
from otppi.api.trials import CannotWrite, TrialOver
from otppi.host.runtime.registry import SETTINGS, HostCall
from otppi.host.settings.changes import SettingsChanges
from otppi.host.settings.config import Config
from otppi.host.trials.trials import Trials, TrialStatus
from otppi.text import _


def _show(call: HostCall) -> dict[str, Any]:
    """Return what is in use and what is kept, for the eyes of a person: asterisks where a secret is set."""
    trials, config = call.part(Trials), call.part(Config)
    differing = trials.differences.look() if trials.current is None else {}
    return {
        key: {
            "kept": config.sections[key].redact(config.one(key)),
            **_in_use(trials, key),
            "differs": differing.get(key, []),
        }
        for key in trials.types
    }


def _in_use(trials: Trials, key: str) -> dict[str, Any]:
    try:
        return {"in_use": trials.types[key].section.redact(trials.in_use(key)), "problem": ""}
    except CannotWrite as error:
        return {"in_use": None, "problem": sentence(error)}


def _status(call: HostCall) -> dict[str, Any]:
    trials = call.part(Trials)
    current, last = trials.current, trials.last
    return {
        "trial": None if current is None else _told(trials, current),
        "last": None if last is None else {"section": last[0].section, "end": last[1].value},
        "differs": dict(trials.differences.found) if current is None else {},
    }


def _told(trials: Trials, status: TrialStatus) -> dict[str, Any]:
    """Describe a trial without its token, which confirms it."""
    section = trials.types[status.section].section
    before, now = section.redact(status.before), section.redact(status.values)
    return {
        "section": status.section,
        "by": status.actor.name,
        "seconds": status.seconds,
        "seconds_left": round(status.seconds_left(), 1),
        "address": status.address,
        "changed": {key: [before.get(key), now[key]] for key in status.changed},
    }


def _check(call: HostCall, section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    trials = call.part(Trials)
    before, now = trials.foresee(section, values)
    declared, one = trials.types[section].section, trials.types[section]
    shown = (declared.redact(before), declared.redact(now))
    return {
        "section": section,
        "seconds": one.seconds,
        "address": one.address(now),
        "address_before": one.address(before),
        "changed": {key: [shown[0].get(key), shown[1][key]] for key in now if now[key] != before.get(key)},
    }


def _change(call: HostCall, section: str, values: Mapping[str, Any], token: str) -> dict[str, Any]:
    trials = call.part(Trials)
    status = trials.begin(section, values, call.actor, token)
    call.has_changed(status.changed)
    return {**_told(trials, status), "token": status.token}


def _confirm(call: HostCall, token: str) -> dict[str, Any]:
    status = call.part(Trials).confirm(_token_of(call, token))
    call.part(SettingsChanges).by(call.actor).update({status.section: dict(status.values)})
    call.part(Trials).compare()
    call.has_changed(status.changed)
    return {"section": status.section}


def _apply(call: HostCall, section: str, token: str) -> dict[str, Any]:
    trials = call.part(Trials)
    trials.check_settled(section)
    values = trials.differences.kept(section)
    if not values:
        raise CannotWrite(_("what is kept is in use already"))
    return _change(call, section, values, token)


def _adopt(call: HostCall, section: str) -> dict[str, Any]:
    trials = call.part(Trials)
    trials.check_settled(section)
    differing = list(trials.differences.kept(section))
    call.part(SettingsChanges).by(call.actor).update({section: trials.in_use(section)})
    trials.compare()
    call.has_changed(differing)
    return {"section": section}


def _revert(call: HostCall, token: str) -> dict[str, Any]:
    status = call.part(Trials).revert(_token_of(call, token))
    return {"section": status.section}


def _token_of(call: HostCall, token: str) -> str:
    """Return the token, or that of the trial which goes on where none is given: whoever asks may change the network."""
    if token:
        return token
    current = call.part(Trials).current
    if current is None:
        raise TrialOver(_("no change of the network is on trial"))
    return current.token


def _object_problem(value: object) -> str | None:
    return None if isinstance(value, Mapping) else _("must be an object")


_TOKEN = Setting(
    key="token",
    title=_("Token"),
    help=_("of the change, as it was told when it began; by default that which is on trial now"),
    default="",
    secret=True,
)

_SECTION = text("section", _("Section"), _("key of the section, as `otppi network show` names it"), required=True)
_CHANGE = (
    _SECTION,
    Setting(
        key="values",
        title=_("Values"),
        help=_("a JSON object of settings; - reads it from stdin"),
        default=None,
        kind=Kind.ANY,
        required=True,
        secret=True,
        check=_object_problem,
    ),
)
_OWN_TOKEN = text(
    "token",
    _("Token"),
    _("by which the change is to be confirmed, at least 24 characters drawn at random; by default one is made"),
    secret=True,
    pattern="[A-Za-z0-9_-]{24,64}",
)

OPERATIONS = (
    Operation(
        name="network_show",
        title=_("Show the network"),
        help=_(
            "Show what is in use of the device's network and firewall, and what is kept; of a secret only whether it "
            "is set."
        ),
        handler=_show,
        role=Role.ADMINISTRATOR,
        reads_only=True,
        waits=True,
        command="network show",
    ),
    Operation(
        name="network_status",
        title=_("Change of the network"),
        help=_("Show the change of the network that is on trial, if one is, and how the last one ended."),
        handler=_status,
        role=Role.ADMINISTRATOR,
        reads_only=True,
        command="network status",
        default_command=True,
    ),
    Operation(
        name="network_check",
        title=_("Look at a change of the network"),
        help=_("Tell what a change of the network would change, and whether it can work; nothing is changed."),
        handler=_check,
        role=Role.ADMINISTRATOR,
        parameters=_CHANGE,
        reads_only=True,
        waits=True,
        subject="section",
        command="network check",
        positional=("section", "values"),
        examples=("network_ethernet - < values.json",),
    ),
    Operation(
        name="network_change",
        title=_("Change the network"),
        help=_(
            "Use other settings of a part of the network at once, on trial: unless they are confirmed within a minute "
            "or two, what was before comes back by itself, also after a power cut. What is left out stays as it is."
        ),
        handler=_change,
        parameters=(*_CHANGE, _OWN_TOKEN),
        changes=SETTINGS,
        waits=True,
        asks_again=True,
        confirm=_("Whoever is connected by what changes loses this page, and opens it at the new address."),
        subject="section",
        command="network change",
        positional=("section", "values"),
        examples=("network_ethernet - < values.json",),
    ),
    Operation(
        name="network_apply",
        title=_("Use what is kept"),
        help=_(
            "Use the settings that are kept of a part of the network where others are in use, as after a restore: on "
            "trial, as any change."
        ),
        handler=_apply,
        parameters=(_SECTION, _OWN_TOKEN),
        changes=SETTINGS,
        waits=True,
        asks_again=True,
        confirm=_("Whoever is connected by what changes loses this page, and opens it at the new address."),
        subject="section",
        command="network apply",
        positional=("section",),
        examples=("network_ethernet",),
    ),
    Operation(
        name="network_adopt",
        title=_("Keep what is in use"),
        help=_(
            "Keep the settings that are in use of a part of the network where others are kept; nothing of the device "
            "changes."
        ),
        handler=_adopt,
        parameters=(_SECTION,),
        changes=SETTINGS,
        waits=True,
        subject="section",
        command="network adopt",
        positional=("section",),
        examples=("network_ethernet",),
    ),
    Operation(
        name="network_confirm",
        title=_("Keep the change"),
        help=_("Keep the change of the network that is on trial."),
        handler=_confirm,
        parameters=(_TOKEN,),
        changes=SETTINGS,
        waits=True,
        command="network confirm",
        examples=("",),
    ),
    Operation(
        name="network_revert",
        title=_("Revert the change"),
        help=_("End the change of the network that is on trial: what was before is used again."),
        handler=_revert,
        parameters=(_TOKEN,),
        changes=SETTINGS,
        waits=True,
        command="network revert",
        examples=("",),
    ),
)
