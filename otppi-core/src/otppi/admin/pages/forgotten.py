"""A password that was forgotten: a code by SMS, and a new password with it (ASVS 5.0, 6.4.3)."""

from collections.abc import Mapping
from typing import Any

import cherrypy

from otppi.admin.pages.answers import drawn, problems_of, see_other, text_of, visit
from otppi.admin.parts import Parts
from otppi.admin.security.guard import public
from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.api.operations import Actor, Role
from otppi.host.administrators.administrators import ORIGIN
from otppi.text import words

_WHO = "somebody who forgot the password"
"""In whose name it is asked, in the audit trail: it is not known who it is."""


class ForgottenPages:
    """`/forgotten`, and `/forgotten/code`.

    What is answered tells nobody whether there is such an account, nor whether it has a number.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @public("GET", "HEAD", "POST")
    def index(self, **fields: Any) -> bytes:
        """Ask for the name, and have a code sent."""
        name = text_of(fields, "username").strip()
        if cherrypy.request.method != "POST":
            return drawn(self._parts, "forgotten.html", username="", problems={})
        try:
            told = self._perform("password_forgotten", username=name, preferred_language=visit().language)
        except InvalidSettings as error:
            return drawn(self._parts, "forgotten.html", 422, username=name, problems=problems_of(error))
        except OtpPiError as error:
            return drawn(self._parts, "forgotten.html", 503, username=name, problems={"": words(error)})
        return self._ask_code(str(told["ticket"]), {})

    @public("POST")
    def code(self, **fields: Any) -> bytes:
        """Take the code, and set the new password."""
        given = {name: text_of(fields, name).strip() for name in ("ticket", "code")}
        try:
            self._perform("password_reset", **given, new_password=text_of(fields, "new_password"))
        except InvalidSettings as error:
            return self._ask_code(given["ticket"], problems_of(error), 422)
        except OtpPiError as error:
            return self._ask_code(given["ticket"], {"": words(error)}, 503)
        return see_other("/login?changed=1")

    def _ask_code(self, ticket: str, problems: Mapping[str, str], status: int = 200) -> bytes:
        return drawn(self._parts, "forgotten_code.html", status, ticket=ticket, problems=problems)

    def _perform(self, operation: str, **arguments: str) -> Any:
        actor = Actor(_WHO, ORIGIN, Role.VIEWER, visit().address)
        with self._parts.waiting():
            return self._parts.registry.call(operation, arguments, actor)
