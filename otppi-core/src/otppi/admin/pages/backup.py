"""Backups: one is downloaded, one is looked at and restored, the last restore is undone."""

import base64
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import cherrypy

from otppi.admin.pages.answers import drawn, perform, see_other, text_of, visit
from otppi.admin.pages.downloads import downloaded
from otppi.admin.pages.jobs import begin
from otppi.admin.pages.tried import tried
from otppi.admin.parts import Parts
from otppi.admin.security.guard import action, form, page, public
from otppi.admin.uploads import uploaded
from otppi.api.operations import Role
from otppi.host.backup.backups import Backups
from otppi.host.jobs.jobs import Job, Jobs, JobState
from otppi.text import Text, _

_ADMINISTRATOR: Final = Role.ADMINISTRATOR
_RESTORES: Final = ("restore", "restore_undo", "claim_restore")
NO_FILE: Final = _("Choose a file.")


class BackupPages:
    """`/system/backup`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @page(_ADMINISTRATOR, fresh=True)
    def index(self, **_fields: Any) -> bytes:
        """Show when the last backup was made, and what can be done."""
        return self._show("", {})

    @action(_ADMINISTRATOR, fresh=True)
    def create(self, **fields: Any) -> bytes:
        """Make a backup, which the browser keeps."""
        answer = sealed(self._parts, fields)
        return self._show("create", answer, 422) if isinstance(answer, Mapping) else answer

    @action(_ADMINISTRATOR, fresh=True, uploads=True)
    def check(self, **fields: Any) -> bytes:
        """Open a backup, and show what restoring it would change."""
        sent = uploaded(fields, "content")
        if sent is None:
            return self._show("restore", {"content": NO_FILE}, 422)
        given = {"content": base64.b64encode(sent).decode("ascii"), "passphrase": text_of(fields, "passphrase")}
        outcome = tried(lambda: perform(self._parts, "restore_check", **given))
        if outcome.problems:
            return self._show("restore", outcome.problems, outcome.status)
        return drawn_check(self._parts, outcome.result, "/system/backup")

    @action(_ADMINISTRATOR, fresh=True)
    def restore(self, **fields: Any) -> bytes:
        """Restore what was looked at."""
        return goes_on(begin(self._parts, "restore", check=text_of(fields, "check")))

    @form(_ADMINISTRATOR, fresh=True)
    def undo(self, **_fields: Any) -> bytes:
        """Ask, and bring back the state before the last restore."""
        if cherrypy.request.method == "POST":
            return goes_on(begin(self._parts, "restore_undo"))
        return drawn(self._parts, "restore_undo.html", state=perform(self._parts, "backup_state"))

    def _show(self, tried_form: str, problems: Mapping[str, str], status: int = 200) -> bytes:
        state = perform(self._parts, "backup_state")
        backups = self._parts.registry.part(Backups)
        return drawn(
            self._parts, "backup.html", status, state=state, tried=tried_form, problems=problems,
            outside=backups.outside(), too_large=backups.too_large(),
        )  # fmt: skip


class RestoringPage:
    """`/restoring`: how far a restore is; seen by whoever knows the job, since its end is the end of all sessions.

    Args:
        parts: What pages work on.
        run: Tells this run of the gateway from the next one.
    """

    def __init__(self, parts: Parts, run: str) -> None:
        self._parts = parts
        self._run = run

    @public("GET", "HEAD")
    def index(self, **fields: Any) -> bytes:
        """Show how far it is; then wait for the gateway that has begun anew, and go to its login."""
        job = self._parts.registry.part(Jobs).find(text_of(fields, "job"))
        if job is None or job.operation not in _RESTORES:
            return see_other("/login")  # the gateway has begun anew
        if job.state is JobState.DONE and job.result["restarting"]:
            return see_other(f"/services/back?after={self._run}")
        about = job.describe() | {"steps": job.steps, "problems": [(one.field, one.reason) for one in job.problems]}
        return drawn(self._parts, "restoring.html", job=about)


def goes_on(job: Job) -> bytes:
    """Go to the page that shows how far a restore is."""
    return see_other(f"/restoring?job={quote(job.job_id)}")


def drawn_check(parts: Parts, told: Mapping[str, Any], at: str) -> bytes:
    """Draw what a restore would change; `at` is the path of the page above it."""
    sections = [
        {
            **one,
            "changes": [_said(change) for change in one["changes"]],
            "count": _.plural("{count} change", "{count} changes", count=len(one["changes"]) + one["more"]),
            "more_said": _.plural("And {count} more change.", "And {count} more changes.", count=one["more"]),
        }
        for one in told["sections"]
    ]
    files = list({str(one["title"]): one for one in told["files"]}.values())  # a certificate and its key are one thing
    return drawn(parts, "restore_check.html", told={**told, "sections": sections, "files": files}, at=at)


def sealed(parts: Parts, fields: Mapping[str, Any]) -> bytes | Mapping[str, str]:
    """Make a backup by what a form says, and answer with it as a file; return what is wrong where it cannot be."""
    passphrase = text_of(fields, "passphrase")
    if passphrase != text_of(fields, "again"):
        return {"again": _("The two are not the same.")}
    outcome = tried(lambda: perform(parts, "backup_create", new_passphrase=passphrase))
    if outcome.problems:
        return {"passphrase" if key == "new_passphrase" else "": why for key, why in outcome.problems.items()}
    made = outcome.result
    visit().answers_form = False
    return downloaded(made["name"], "application/octet-stream", base64.b64decode(made["content"]))


def _said(change: Mapping[str, Any]) -> dict[str, Any]:
    """Return a change in words."""
    if change["what"] != "changed":
        return {"name": change["name"], "said": _("added") if change["what"] == "added" else _("removed")}
    name = change["title"]
    if change["name"]:
        name = _("{label} of {name}", label=change["title"], name=change["name"])
    if change.get("secret"):
        return {"name": name, "said": _("changed")}
    return {"name": name, "old": _value(change["old"]), "new": _value(change["new"])}


def _value(value: Any) -> Text | str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        if any(isinstance(one, dict) for one in value):
            return _.plural("{count} row", "{count} rows", count=len(value))
        value = ", ".join(map(str, value))
    return _("empty") if value in (None, "") else str(value)
