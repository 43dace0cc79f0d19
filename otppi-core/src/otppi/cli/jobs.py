"""`otppi job`: long work, and how far it is."""

from collections.abc import Mapping
from typing import Any

from otppi.cli.arguments import Options
from otppi.cli.exits import Exit
from otppi.cli.generated import Own
from otppi.cli.language import _
from otppi.cli.output import columns, complain, moment, show

_COLUMNS = {"job": "JOB", "title": "TITLE", "state": "STATE", "done": "DONE", "started": "STARTED", "by": "BY"}


def _listed(options: Options, jobs: Any) -> int:
    show(options, jobs, columns([_shown(one) for one in jobs], _COLUMNS))
    if not jobs and not options.json:
        complain(_("nothing goes on, and nothing has ended within the last hour"))
    return Exit.DONE


def _told(options: Options, job: Any) -> int:
    lines = list(columns([_shown(job)], _COLUMNS))
    lines += [str(one) for one in (job["step"], job["trouble"]) if one]
    lines += [f"{field}: {reason}" for field, reason in job["problems"]]
    show(options, job, lines)
    return Exit.DONE


def _shown(job: Mapping[str, Any]) -> dict[str, Any]:
    done = "" if job["share"] is None else f"{job['share']:.0%}"
    return {**job, "started": moment(job["started"]), "done": done}


OWN = {"job list": Own(show=_listed), "job show": Own(show=_told)}
