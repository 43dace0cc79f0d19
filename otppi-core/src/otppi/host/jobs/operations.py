"""The operations on jobs: which there are, how far one is, and an end to it."""

from typing import Any

from otppi.api.errors import InvalidSettings
from otppi.api.operations import Operation, Role
from otppi.api.settings import text
from otppi.host.jobs.jobs import Job, Jobs
from otppi.host.runtime.registry import HostCall
from otppi.text import _
from otppi.wire.errors import FieldError

_JOB = text("job", _("Job"), _("which, as `otppi job list` names it"), required=True)


def _list(call: HostCall) -> list[dict[str, Any]]:
    return [one.describe() for one in call.part(Jobs).all() if call.actor.role.covers(one.actor.role)]


def _show(call: HostCall, job: str) -> dict[str, Any]:
    found = _find(call, job)
    return {
        **found.describe(),
        "steps": list(found.steps),
        "problems": [[one.field, one.reason] for one in found.problems],
        "result": found.result,
    }


def _cancel(call: HostCall, job: str) -> bool:
    found = _find(call, job)
    found.cancel()
    return not found.over.is_set()


def _find(call: HostCall, job_id: str) -> Job:
    """Return a job of somebody with no greater role: its result is what that role was told.

    Raises:
        InvalidSettings: There is none.
    """
    found = call.part(Jobs).find(job_id)
    if found is None or not call.actor.role.covers(found.actor.role):
        raise InvalidSettings([FieldError("job", _("there is no such job, or not any more (otppi job list)"))])
    return found


OPERATIONS = (
    Operation(
        name="jobs",
        title=_("Jobs"),
        help=_(
            "List the long work that goes on, and what has ended within an hour: whoever began it. Jobs are in RAM, "
            "and gone with a restart."
        ),
        handler=_list,
        role=Role.VIEWER,
        reads_only=True,
        command="job list",
        default_command=True,
        examples=("--json",),
    ),
    Operation(
        name="job",
        title=_("Job"),
        help=_("Show one job: how far it is, and, when it has ended, what came of it."),
        handler=_show,
        parameters=(_JOB,),
        role=Role.VIEWER,
        reads_only=True,
        subject="job",
        command="job show",
        positional=("job",),
        examples=("4fX0wq8Zk1bRduQk",),
    ),
    Operation(
        name="job_cancel",
        title=_("Call a job off"),
        help=_("Have a job end at its next step; what it did so far is undone. One that has ended stays as it is."),
        handler=_cancel,
        parameters=(_JOB,),
        role=Role.OPERATOR,
        subject="job",
        command="job cancel",
        positional=("job",),
        examples=("4fX0wq8Zk1bRduQk",),
    ),
)
