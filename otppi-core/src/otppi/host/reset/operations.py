"""The operations of resets: what there is, what was done, and a reset by hand."""

import time
from typing import Any, Final

from otppi.api.errors import InvalidSettings, NotSupported
from otppi.api.operations import Offline, Operation, Role
from otppi.api.settings import boolean, text_list
from otppi.host.gateway.restarting import Restarting
from otppi.host.reset.carrying_out import Resets
from otppi.host.reset.groups import ADMINISTRATOR, WIPED, Groups, ResetPlan
from otppi.host.reset.service import OPERATION, STICK, StickResets
from otppi.host.runtime.registry import HostCall, NotRunning
from otppi.host.settings.config import Config
from otppi.text import _, joined
from otppi.wire.errors import FieldError

_GROUPS = text_list(
    "groups", _("Parts"), _("which, as `otppi reset parts` names them"), pattern=r"[a-z][a-z0-9_]{0,63}",
    pattern_says=_("names of parts"),
)  # fmt: skip
_CHANGES: Final = "reset"


def _parts(call: HostCall) -> list[dict[str, Any]]:
    """Tell which parts there are, and what is reset with each."""
    groups = Groups(call.part(Config).sections.values())
    return [{"part": key, "resets": joined("; ", groups.about(key))} for key in groups.keys]


def _status(call: HostCall) -> dict[str, Any]:
    """Tell what waits to be reset, what was last, and whether sticks are looked at."""
    resets = call.part(Resets)
    begun, last = resets.begun, resets.journal.past().last
    try:
        sticks = dict(call.part(StickResets).describe())
    except NotRunning:
        sticks = {"open_for": 0, "last_stick": None}
    return {
        "waits": None if begun is None else {"groups": list(begun.plan.groups), "wipe_secrets": begun.plan.wipe},
        "last_at": last and round(float(last["at"])),
        "last_by": last and f"{last['from']}/{last['by']}",
        "last_groups": last and [*last["groups"], *(["wipe_secrets"] if last["wipe"] else [])],
        "stick_open_for": sticks["open_for"],
        "last_stick": sticks["last_stick"],
    }


def _reset(call: HostCall, groups: list[str], *, wipe_secrets: bool, dry_run: bool) -> dict[str, Any]:
    known = Groups(call.part(Config).sections.values())
    plan = _plan(known, groups, wipe=wipe_secrets)
    told = {"resets": [str(one) for one in _said(known, plan)], "begun": False, "restarting": False}
    if dry_run:
        return told
    resets, name = call.part(Resets), call.actor.name
    content = call.part(StickResets).obeying if call.actor.origin == STICK.origin else ""
    resets.begin(plan, (name, call.actor.origin), time.time(), content)
    call.has_changed([*plan.groups, *(["wipe_secrets"] if plan.wipe else [])])
    call.last_change(_("the device is being reset, and the gateway starts anew"))
    try:
        call.part(Restarting).ask()
    except (NotRunning, NotSupported):
        return told | {"begun": True}
    return told | {"begun": True, "restarting": True}


def _plan(known: Groups, groups: list[str], *, wipe: bool) -> ResetPlan:
    """Return what is to be done.

    Raises:
        InvalidSettings: That is nothing, or a name is none of a part.
    """
    if unknown := known.unknown(groups):
        reason = _("{names}: there is no such part; there are {known}", names=", ".join(unknown),
                   known=", ".join(known.keys))  # fmt: skip
        raise InvalidSettings([FieldError("groups", reason)])
    plan = known.plan(groups, wipe=wipe)
    if not plan.steps:
        raise InvalidSettings([FieldError("groups", _("name a part at least"))])
    return plan


def _said(known: Groups, plan: ResetPlan) -> list[str]:
    return list(WIPED) if plan.wipe else [one for group in plan.groups for one in known.about(group)]


RESET_GROUPS: Final = Operation(
    name=OPERATION,
    title=_("Reset parts of the device"),
    help=_(
        "Bring parts of the device back to what they were when it was new. Settings have their defaults again, and "
        "their secrets are gone. The gateway starts anew for that; what a power cut interrupts is gone on with at "
        "the next start."
    ),
    handler=_reset,
    parameters=(
        _GROUPS,
        boolean(
            "wipe_secrets",
            _("Wipe secrets"),
            _("Remove all that is kept, for a device that somebody else gets: nothing but its code stays."),
            False,
        ),
        boolean("dry_run", _("Only try"), _("Tell what would be reset, and reset nothing."), False),
    ),
    changes=_CHANGES,
    asks_again=True,
    confirm=_("What is reset is gone, unless you have a backup."),
    command="reset groups",
    positional=("groups",),
    examples=(f"{ADMINISTRATOR} --dry-run", "wlan dhcp ethernet", "--wipe-secrets"),
    offline=Offline.YES,
)

OPERATIONS: Final = (
    Operation(
        name="reset_status",
        title=_("State of resets"),
        help=_("Tell what waits to be reset, what was reset last and by whom, and how long sticks are looked at yet."),
        handler=_status,
        reads_only=True,
        command="reset status",
        default_command=True,
        offline=Offline.YES,
    ),
    Operation(
        name="reset_parts",
        title=_("Parts that can be reset"),
        help=_("Tell which parts of the device can be reset, and what is reset with each."),
        handler=_parts,
        role=Role.ADMINISTRATOR,
        reads_only=True,
        command="reset parts",
        offline=Offline.YES,
    ),
)
