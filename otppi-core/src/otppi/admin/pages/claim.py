"""The first administrator: whoever has the device makes it, once."""

from typing import Any

import cherrypy

from otppi.admin.pages.answers import PageError, drawn, see_other, text_of, visit
from otppi.admin.pages.claim_restore import ClaimRestorePages
from otppi.admin.pages.clock_offer import offered
from otppi.admin.pages.login import enter
from otppi.admin.pages.who_claimed import NOT_YOU, who_claimed
from otppi.admin.parts import Parts
from otppi.admin.security.guard import public
from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.api.operations import Actor, Role
from otppi.host.administrators.administrators import ORIGIN
from otppi.host.administrators.claim import ACCESS_POINT, ClaimState
from otppi.host.administrators.page import ADMINISTRATION
from otppi.text import Text, _, joined
from otppi.text import words as sentence

_FIELDS = ("username", "password", "phone", "email", "code")
_WHO = "first administrator"
"""In whose name the first administrator is made, in the audit trail: nobody has a name yet."""


class ClaimPage:
    """`/claim`: there until there is an administrator, and never again."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.restore = ClaimRestorePages(parts, self._check_state, self._actor, self._needs_code)

    @public("GET", "HEAD", "POST")
    def index(self, **fields: Any) -> bytes:
        """Ask for the first administrator, and make it."""
        self._check_state()
        if cherrypy.request.method != "POST":
            return self._ask({}, {})
        given = {name: text_of(fields, name) for name in _FIELDS}
        given["username"], given["code"] = given["username"].strip(), given["code"].strip()
        try:
            with self._parts.waiting():
                self._parts.registry.call("administrator_claim", given, self._actor())
        except InvalidSettings as error:
            return self._ask(given, {problem.field.rpartition(".")[2]: problem.reason for problem in error.problems})
        except OtpPiError as error:
            if self._parts.claim.state is ClaimState.DONE:  # somebody else was quicker
                raise PageError(409, who_claimed(self._parts) or sentence(error), NOT_YOU) from error
            return self._ask(given, {"": sentence(error)})
        made = self._parts.administrators.find(given["username"])
        if made is not None:
            enter(self._parts, made)
        return see_other("/guide")

    def _ask(self, given: dict[str, str], problems: dict[str, Text | str]) -> bytes:
        shown = {name: given.get(name, "") for name in _FIELDS if name != "password"}
        return drawn(
            self._parts,
            "claim.html",
            422 if problems else 200,
            given=shown,
            problems=problems,
            needs_code=(needs_code := self._needs_code()),
            offered=offered(self._parts),
            address="" if needs_code else visit().arrival.url,
        )

    def _actor(self) -> Actor:
        """Return in whose name the device is claimed: nobody has a name yet, but it is known by where he came."""
        return Actor(_WHO, ORIGIN if self._needs_code() else ACCESS_POINT, Role.VIEWER, visit().address)

    def _needs_code(self) -> bool:
        """Whether the request did not come in by the access point, whose passphrase is on the brochure, too."""
        name = self._parts.config.one(ADMINISTRATION)["access_point"]
        return not name or visit().arrival.interface != name

    def _check_state(self) -> None:
        state = self._parts.claim.state
        if state is ClaimState.DAMAGED:
            raise PageError(
                503,
                _("The accounts of this device are damaged"),
                _("Nothing was changed. Bring a backup back, or reset the device."),
            )
        if state is not ClaimState.OPEN:
            told = who_claimed(self._parts)
            advice = _("Log in, or reset it with a flash disk.") if told is None else joined(" ", [told, NOT_YOU])
            raise PageError(404, _("This device has an administrator"), advice)
