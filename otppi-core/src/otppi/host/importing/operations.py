"""The operations by which the configuration of another program is looked at, and taken over."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from otppi.api.errors import InvalidSettings
from otppi.api.operations import Offline, Operation
from otppi.api.settings import Kind, Setting, boolean, text
from otppi.host.messages.blocklist import Blocklist
from otppi.host.runtime.registry import SETTINGS, HostCall
from otppi.host.settings.changes import SettingsChanges
from otppi.host.settings.config import Config
from otppi.host.settings.differences import changed_fields
from otppi.text import _

if TYPE_CHECKING:  # the readers are loaded by whoever imports, once in the life of a device
    from otppi.host.importing.plan import ImportPlan

PROGRAMS: Final = ("original", "gammu", "smstools", "kannel")
"""What a configuration may be of."""
_LARGEST: Final = 3 * 1024 * 1024


def _look(call: HostCall, files: Mapping[str, str], program: str, leave_out: bool) -> dict[str, Any]:
    """Tell what an import would do: of each value what it becomes, and why."""
    return _told(call, *_planned(call, files, program, leave_out=leave_out))


def _take(call: HostCall, files: Mapping[str, str], program: str, leave_out: bool) -> dict[str, Any]:
    """Take a configuration over, all or nothing.

    Raises:
        InvalidSettings: With everything that cannot work; nothing was changed.
        ChangedMeanwhile: Somebody changed one of its sections; nothing was changed.
    """
    title, plan = _planned(call, files, program, leave_out=leave_out)
    if plan.problems:
        raise InvalidSettings(plan.problems)
    told = _told(call, title, plan)
    config, blocklist = call.part(Config), call.part(Blocklist)
    before = {key: config.values_of(key) for key in plan.document}
    config.check_revision(call.revision, plan.document)
    blocked: list[str] = []
    if plan.numbers:
        done = blocklist.change(plan.numbers, blocked=True, by=str(call.actor))
        blocked = [number for number, anew in zip(plan.numbers, done, strict=True) if anew]
    try:
        changed = _update(call, plan)
    except BaseException:
        if blocked:  # others may have been blocked meanwhile by somebody else
            blocklist.change(blocked, blocked=False)
        raise
    call.has_changed(
        [
            *(
                one
                for key in changed
                for one in changed_fields(config.sections[key], before[key], config.values_of(key))
            ),
            *(["blocking_list"] if plan.numbers else []),
        ]
    )
    plan.tell_passwords_that_stayed()
    return told | {"counts": _counts(told["rows"]), "changed": changed, "blocked": len(plan.numbers)}


def _update(call: HostCall, plan: "ImportPlan") -> list[str]:
    return call.part(SettingsChanges).by(call.actor).update(plan.document, call.revision) if plan.document else []


def _planned(call: HostCall, files: Mapping[str, str], program: str, *, leave_out: bool) -> tuple[str, "ImportPlan"]:
    from otppi.host.importing.plan import ImportPlan
    from otppi.host.importing.programs import read_files

    of, findings = read_files(files, program)
    return of.title, ImportPlan(call.part(Config), call.part(Blocklist), findings, leave_out=leave_out)


def _told(call: HostCall, title: str, plan: "ImportPlan") -> dict[str, Any]:
    rows = plan.rows()
    return {
        "program": title,
        "revision": call.part(Config).revision,
        "counts": _counts(rows),
        "rows": rows,
        "problems": [{"field": one.field, "reason": one.reason} for one in plan.problems],
    }


def _counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return dict(Counter(row["outcome"] for row in rows))


def _files_problem(files: object) -> str | None:
    if not isinstance(files, Mapping) or not files:
        return _("must be an object: the text of each file by its path")
    if not all(isinstance(name, str) and isinstance(one, str) for name, one in files.items()):
        return _("must be an object: the text of each file by its path")
    size = sum(len(name) + len(one) for name, one in files.items())
    return _("is larger than {most} MiB", most=_LARGEST // 1024 // 1024) if size > _LARGEST else None


_PARAMETERS: Final = (
    Setting(
        key="files",
        title=_("Files"),
        help=_("the text of each file by its path within the folder of the configuration"),
        default=None,
        kind=Kind.ANY,
        required=True,
        secret=True,
        check=_files_problem,
    ),
    text("program", _("Program"), _("whose configuration it is; found out where it is empty"), choices=("", *PROGRAMS)),
    boolean(
        "leave_out",
        _("Leave out what cannot work"),
        _("take the rest over where some values cannot work here; else nothing is"),
        False,
    ),
)

OPERATIONS = (
    Operation(
        name="import_look",
        title=_("Look at a configuration"),
        help=_(
            "Tell what taking the configuration of another program over would do: the original OTP-Pi, gammu-smsd, "
            "smstools3 or Kannel. Nothing is changed, and no secret is shown."
        ),
        handler=_look,
        parameters=_PARAMETERS,
        reads_only=True,
        offline=Offline.YES,
    ),
    Operation(
        name="import_take",
        title=_("Take a configuration over"),
        help=_(
            "Take the configuration of another program over, all of it or nothing: the original OTP-Pi, gammu-smsd, "
            "smstools3 or Kannel. What it does not say stays as it is."
        ),
        handler=_take,
        parameters=_PARAMETERS,
        changes=SETTINGS,
        subject="program",
        asks_again=True,
        command="import",
        examples=("~/otp-pi --dry-run", "/etc/gammu-smsdrc", "kannel.zip --from kannel"),
        offline=Offline.CREATES,
    ),
)
