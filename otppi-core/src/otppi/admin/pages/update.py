"""`/system/update`: a bundle is sent piece by piece, tried while the page shows how far it is, and the way back."""

import base64
from typing import Any, Final
from urllib.parse import quote

import cherrypy

from otppi.admin.pages.answers import CONTENT_TYPE, drawn, perform, see_other, text_of, visit
from otppi.admin.pages.jobs import begin
from otppi.admin.pages.tried import tried
from otppi.admin.parts import Parts
from otppi.admin.security.guard import action, form, page
from otppi.admin.uploads import uploaded
from otppi.api.operations import Role
from otppi.host.jobs.jobs import Jobs, JobState

_PATH: Final = "/system/update"
PIECE: Final = 48 * 1024
"""Octets that the page sends at once: a form with them is short enough to come as often as it likes (`Gate`)."""


class UpdatePages:
    """`/system/update`, and below it `piece`, `install`, `goes` and `back`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @page(Role.ADMINISTRATOR, fresh=True)
    def index(self, **_fields: Any) -> bytes:
        """Show which versions there are, and take a bundle."""
        told = perform(self._parts, "update_status")
        return drawn(self._parts, "update.html", told=told, piece=PIECE)

    @action(Role.ADMINISTRATOR, uploads=True)
    def piece(self, **fields: Any) -> bytes:
        """Take a piece of a bundle from the page's script; say in words what is wrong with it."""
        offset, content = text_of(fields, "offset"), uploaded(fields, "content") or b""
        given = {"offset": int(offset) if offset.isdecimal() and len(offset) < 12 else 0}
        piece = base64.b64encode(content).decode("ascii")
        outcome = tried(lambda: perform(self._parts, "update_receive", **given, content=piece))
        visit().answers_form = False
        cherrypy.response.status = outcome.status
        cherrypy.response.headers["Content-Type"] = CONTENT_TYPE
        return "; ".join(map(str, outcome.problems.values())).encode()

    @action(Role.ADMINISTRATOR, fresh=True)
    def install(self, **_fields: Any) -> bytes:
        """Have tried what was sent."""
        job = begin(self._parts, "update_install")
        return see_other(f"{_PATH}/goes?job={quote(job.job_id)}")

    @page(Role.ADMINISTRATOR)
    def goes(self, **fields: Any) -> bytes:
        """Show how far it is; then wait for the gateway that has begun anew."""
        job = self._parts.registry.part(Jobs).find(text_of(fields, "job"))
        if job is None or job.operation != "update_install":
            return see_other(_PATH)  # the gateway has begun anew
        about = job.describe() | {"steps": job.steps}
        restarting = job.state is JobState.DONE
        return drawn(self._parts, "update_goes.html", job=about, restarting=restarting)

    @form(Role.ADMINISTRATOR, fresh=True)
    def back(self, **fields: Any) -> bytes:
        """Ask, and bring the version before back."""
        if cherrypy.request.method != "POST":
            return drawn(self._parts, "update_back.html", told=perform(self._parts, "update_status"), trouble="")
        with_settings = bool(text_of(fields, "with_settings"))
        outcome = tried(lambda: perform(self._parts, "update_rollback", with_settings=with_settings))
        if outcome.problems:
            told = perform(self._parts, "update_status")
            why = outcome.problems.get("", "")
            return drawn(self._parts, "update_back.html", outcome.status, told=told, trouble=why)
        visit().answers_form = False
        return drawn(self._parts, "restarting.html", again="/system/update")
