"""A restore in place of the claim of a new device: by whoever may claim it, once."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

import cherrypy

from otppi.admin.pages.answers import drawn, text_of
from otppi.admin.pages.backup import NO_FILE, drawn_check, goes_on
from otppi.admin.pages.tried import tried
from otppi.admin.parts import Parts
from otppi.admin.security.guard import public
from otppi.admin.uploads import uploaded
from otppi.api.operations import Actor
from otppi.host.jobs.jobs import Jobs


class ClaimRestorePages:
    """`/claim/restore`: there as long as `/claim` is.

    Args:
        parts: What pages work on.
        admit: Refuses where the device is not to be claimed.
        actor: In whose name the device is claimed.
        needs_code: Whether the code of the device is wanted.
    """

    def __init__(
        self, parts: Parts, admit: Callable[[], None], actor: Callable[[], Actor], needs_code: Callable[[], bool]
    ) -> None:
        self._parts = parts
        self._admit = admit
        self._actor = actor
        self._needs_code = needs_code

    @public("GET", "HEAD", "POST", uploads=True)
    def index(self, **fields: Any) -> bytes:
        """Ask for a backup, open it, and show what restoring it would change."""
        self._admit()
        if cherrypy.request.method != "POST":
            return self._ask("", {})
        code, sent = text_of(fields, "code").strip(), uploaded(fields, "content")
        if sent is None:
            return self._ask(code, {"content": NO_FILE}, 422)
        content = base64.b64encode(sent).decode("ascii")
        given = {"content": content, "passphrase": text_of(fields, "passphrase"), "code": code}
        with self._parts.waiting():
            outcome = tried(lambda: self._parts.registry.call("claim_restore_check", given, self._actor()))
        if outcome.problems:
            return self._ask(code, outcome.problems, outcome.status)
        return drawn_check(self._parts, outcome.result, "/claim/restore")

    @public("POST")
    def now(self, **fields: Any) -> bytes:
        """Restore what was looked at."""
        self._admit()
        registry, given = self._parts.registry, {"check": text_of(fields, "check")}
        return goes_on(registry.part(Jobs).begin(registry, "claim_restore", given, self._actor()))

    def _ask(self, code: str, problems: Mapping[str, str], status: int = 200) -> bytes:
        return drawn(
            self._parts,
            "claim_restore.html",
            status,
            tried="restore",
            problems=problems,
            code=code,
            needs_code=self._needs_code(),
        )
