"""Long work that somebody began: how far each is, and an end to it; found again after a reload, and by others."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from otppi.admin.pages.answers import drawn, perform, see_other, text_of, visit
from otppi.admin.pages.tried import tried
from otppi.admin.parts import Parts
from otppi.admin.security.guard import action, page
from otppi.api.operations import Role
from otppi.host.jobs.jobs import Job, Jobs
from otppi.text import Text, _

STATES: Final[Mapping[str, tuple[str, Text]]] = {
    "running": ("waiting", _("goes on")),
    "done": ("ready", _.in_context("a job's state", "done")),
    "failed": ("bad", _.in_context("a job's state", "failed")),
    "cancelled": ("stopped", _("called off")),
}
"""How the state of a job looks, and what it is called."""


def begin(parts: Parts, operation: str, /, **arguments: Any) -> Job:
    """Begin long work in the visitor's name.

    Whether the operation wants the password once more is asked before, by the page with its form (`guard`).

    Raises:
        Busy: Too much goes on already.
    """
    return parts.registry.part(Jobs).begin(parts.registry, operation, arguments, visit().actor)


class JobPages:
    """`/jobs`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @page()
    def index(self, **_fields: Any) -> bytes:
        """List what goes on, and what has ended not long ago."""
        return drawn(self._parts, "jobs.html", jobs=perform(self._parts, "jobs"), states_of=STATES)

    @page()
    def show(self, **fields: Any) -> bytes:
        """Show how far one is."""
        outcome = tried(lambda: perform(self._parts, "job", job=text_of(fields, "job")))
        if outcome.problems:
            return see_other("/jobs", _("That job is forgotten: jobs end with a restart, and an hour after their end."))
        return drawn(self._parts, "job.html", job=outcome.result, states_of=STATES)

    @action(Role.OPERATOR)
    def cancel(self, **fields: Any) -> bytes:
        """Call one off."""
        job_id = text_of(fields, "job")
        tried(lambda: perform(self._parts, "job_cancel", job=job_id))  # of one that is forgotten the page tells
        return see_other(f"/jobs/show?job={quote(job_id)}")
