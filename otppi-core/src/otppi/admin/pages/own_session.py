"""What whoever is logged in does about the own session: ends it, or gives the password again."""

from typing import Any

import cherrypy

from otppi.admin.pages.answers import drawn, local, see_other, set_cookie, text_of, visit
from otppi.admin.pages.login import WRONG, checked, clock_problem, enter, problem_of_code
from otppi.admin.parts import Parts
from otppi.admin.security import cookies, headers
from otppi.admin.security.guard import action, form
from otppi.admin.security.sessions import PageSession
from otppi.api.operations import Role
from otppi.host.administrators.administrators import LOGOUT, Administrator
from otppi.text import Text, _


class LogoutPage:
    """`/logout`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @action(Role.VIEWER)
    def index(self, **_fields: Any) -> bytes:
        """End the session."""
        session = visit().session
        if session is not None:
            self._parts.sessions.end(session)
            self._parts.administrators.note(LOGOUT, session.name, visit().address)
        set_cookie(cookies.SESSION, "")
        name, value = headers.FORGET
        cherrypy.response.headers[name] = value
        return see_other("/login")


class ConfirmPage:
    """`/confirm`: the password again, before something that a borrowed browser must not do (ASVS 5.0, 7.5.3)."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @form(Role.VIEWER)
    def index(self, **fields: Any) -> bytes:
        """Ask for the password, and the code where there is a second step, and go on where it was asked for."""
        goes_to, session = local(text_of(fields, "next")), visit().session
        assert session is not None  # noqa: S101 - the page is for who is logged in
        if cherrypy.request.method != "POST":
            return self._ask(goes_to, session)
        found = checked(self._parts, session.name, text_of(fields, "password"))
        if not isinstance(found, Administrator):
            status, why = found
            return self._ask(goes_to, session, status, _("Wrong password.") if why is WRONG else why)
        if found.second_factor and (
            problem := problem_of_code(self._parts, found.name, text_of(fields, "code").strip())
        ):
            return self._ask(goes_to, session, 401, problem)
        enter(self._parts, self._parts.administrators.find(found.name) or found)
        return see_other(goes_to)

    def _ask(self, goes_to: str, session: PageSession, status: int = 200, problem: Text | str = "") -> bytes:
        known = self._parts.administrators.find(session.name)
        code = known is not None and known.second_factor
        clock = clock_problem(self._parts) if code else ""
        return drawn(self._parts, "confirm.html", status, goes_to=goes_to, problem=problem, code=code, clock=clock)
