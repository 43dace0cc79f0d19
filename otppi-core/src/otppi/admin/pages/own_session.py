"""What whoever is logged in does about the own session: ends it, or gives the password again."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

import cherrypy

from otppi.admin.pages.answers import (
    TITLES,
    PageError,
    drawn,
    local,
    own_session,
    see_other,
    set_cookie,
    text_of,
    visit,
)
from otppi.admin.pages.form_fields import trouble as why_not
from otppi.admin.pages.login import WRONG, checked, clock_problem, enter, problem_of_code
from otppi.admin.pages.old_forms import packed, send_again, unpacked
from otppi.admin.parts import Parts
from otppi.admin.security import cookies, headers
from otppi.admin.security.guard import action, form, public
from otppi.api.errors import OtpPiError
from otppi.api.operations import Actor, Role
from otppi.api.trials import TrialOver
from otppi.host.administrators.administrators import LOGOUT, ORIGIN, Administrator
from otppi.text import Text, _

_OVER: Final = _(
    "This change is not on trial any more: it was kept before, or nobody confirmed it in time and the old settings are "
    "in use again."
)


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
        goes_to, kept, session = local(text_of(fields, "next")), text_of(fields, "kept"), visit().session
        assert session is not None  # noqa: S101 - the page is for who is logged in
        if cherrypy.request.method != "POST":
            return ask_again(self._parts, goes_to)
        found = checked(self._parts, session.name, text_of(fields, "password"))
        if not isinstance(found, Administrator):
            status, why = found
            return ask_again(self._parts, goes_to, kept, status, _("Wrong password.") if why is WRONG else why)
        if found.second_factor and (
            problem := problem_of_code(self._parts, found.name, text_of(fields, "code").strip())
        ):
            return ask_again(self._parts, goes_to, kept, 401, problem)
        enter(self._parts, self._parts.administrators.find(found.name) or found)
        old = unpacked(kept)
        return see_other(goes_to) if old is None else send_again(self._parts, old, in_time=True)

    @public("GET", "HEAD", "POST")
    def default(self, *path: str, **fields: Any) -> bytes:
        """Keep the change of the network whose token the address ends with: who sees this has reached the device.

        Nobody has to log in: whoever changes the network may have no session at its new address. The token does this
        one thing, or brings the old settings back, once.
        """
        if len(path) != 1 or not path[0]:
            raise PageError(404, *TITLES[404])
        anybody = Actor("", ORIGIN, Role.ADMINISTRATOR, visit().address, encrypted=visit().secure)
        going = self._parts.registry.call("network_status", {}, anybody)["trial"]
        if going is None:
            return drawn(self._parts, "network_confirmed.html", 410, trouble=_OVER)
        if cherrypy.request.method != "POST":
            return drawn(self._parts, "network_confirm.html", address=f"/confirm/{path[0]}", going=going)
        operation = "network_revert" if text_of(fields, "revert") else "network_confirm"
        try:
            with self._parts.waiting():
                self._parts.registry.call(operation, {"token": path[0]}, replace(anybody, name=going["by"]))
        except TrialOver:
            return drawn(self._parts, "network_confirmed.html", 410, trouble=_OVER)
        except (OtpPiError, OSError) as error:
            return drawn(self._parts, "network_confirmed.html", 503, trouble=why_not(error))
        return drawn(self._parts, "network_confirmed.html", trouble="", reverted=operation == "network_revert")


def password_first(parts: Parts, goes_to: str, fields: Mapping[str, Any]) -> bytes:
    """Ask for the password in place of what was asked for; of a form, what was typed comes after it.

    Args:
        parts: What pages work on.
        goes_to: The page that follows where there is nothing to be sent once more.
        fields: Of the form.
    """
    kept = packed(parts, visit().path, fields) if cherrypy.request.method == "POST" else ""
    return ask_again(parts, goes_to, kept, 403) if kept else see_other(f"/confirm?next={quote(goes_to)}")


def ask_again(parts: Parts, goes_to: str, kept: str = "", status: int = 200, problem: Text | str = "") -> bytes:
    """Ask for the password of whoever is logged in; `kept` is what was typed into a form before it (`packed`)."""
    if kept:
        visit().answers_form = False  # a reload of the page would lose it
    known = parts.administrators.find(own_session().name)
    code = known is not None and known.second_factor
    shown = {"goes_to": goes_to, "kept": kept, "problem": problem, "code": code}
    return drawn(parts, "confirm.html", status, **shown, clock=clock_problem(parts) if code else "")
