"""How a handler answers: a page that is drawn, another page to go to, or an error."""

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

import cherrypy

from otppi.admin.pages.menu import menu_of
from otppi.admin.parts import Parts
from otppi.admin.security import cookies
from otppi.admin.security.sessions import PageSession
from otppi.admin.visit import Visit
from otppi.api.errors import InvalidSettings
from otppi.host.settings.asking_again import asks_again
from otppi.text import Text, _

CONTENT_TYPE = "text/html; charset=utf-8"
_FIRST = "/"
_OF_PATHS = "/?#%&=+;:@!$'()*,~[]"
"""Characters that stand in a path and its query as they are; others are written by their octets (RFC 3986 2)."""


class PageError(cherrypy.HTTPError):  # type: ignore[misc]  # CherryPy has no types
    """What a person is told instead of the page.

    Args:
        status: The HTTP status.
        title: What it is.
        advice: What to do.
        headers: Further header fields.
    """

    def __init__(self, status: int, title: str, advice: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, str(title))
        self.title = title
        self.advice = advice
        self.headers = dict(headers or {})

    def set_response(self) -> None:
        """Answer with it; what `error_page.default` makes of it is the body."""
        cherrypy.request.page_error = self
        super().set_response()
        cherrypy.response.headers.update(self.headers)


def visit() -> Visit:
    """Return the visit that is being answered."""
    return cast("Visit", cherrypy.request.visit)


def drawn(parts: Parts, template: str, status: int = 200, /, **values: Any) -> bytes:
    """Draw a page for the visit.

    Args:
        parts: What pages work on.
        template: Its file.
        status: The HTTP status.
        values: What the template is told.
    """
    now = visit()
    notice = ""
    if now.session is not None and status == 200:
        notice, now.session.notice = now.session.notice, ""
    cherrypy.response.status = status
    cherrypy.response.headers["Content-Type"] = CONTENT_TYPE
    cherrypy.response.headers["Content-Language"] = now.language
    menu = [one for one in menu_of(parts.pages.pages.values()) if now.may(one.role)]
    shown = {"visit": now, "menu": menu, "notice": notice, "safe_mode": parts.safe_mode}
    return parts.drawing.draw(template, now.language, shown | values)


def see_other(path: str, notice: Text | str = "") -> bytes:
    """Send the browser to another page of ours (RFC 9110 15.4.4): by its path, so that no Host field decides where.

    Args:
        path: Of the page.
        notice: What has been done, to be told there.
    """
    now = visit()
    if notice and now.session is not None:
        now.session.notice = notice
    cherrypy.response.status = 303
    cherrypy.response.headers["Location"] = quote(path, safe=_OF_PATHS)
    return b""


def own_session() -> PageSession:
    """Return the session of whoever visits; the guard lets nobody else in."""
    session = visit().session
    if session is None:
        raise PageError(403, _("You are logged out"), _("Log in, and try it once more."))
    return session


def perform(parts: Parts, operation: str, /, **arguments: Any) -> Any:
    """Carry out an operation in the visitor's name; raise what `change` does."""
    return change(parts, None, operation, **arguments)


def change(parts: Parts, revision: int | None, operation: str, /, **arguments: Any) -> Any:
    """Carry out an operation in the visitor's name.

    Args:
        parts: What pages work on.
        revision: Of the settings that a change was made from.
        operation: Its name.
        arguments: Its arguments.

    Raises:
        PageError: It wants a password that was given a moment ago. Pages ask before they show a form (`guard`).
        InvalidSettings, OtpPiError: As `Registry.call`.
    """
    session = visit().session
    declared = parts.registry.find(operation)
    if asks_again(parts.registry, declared, arguments) and not (session and parts.sessions.is_fresh(session)):
        raise PageError(403, _("Your password again"), _("It was given too long ago. Open the page anew."))
    with parts.waiting():
        return parts.registry.call(operation, arguments, visit().actor, revision)


def problems_of(error: InvalidSettings) -> dict[str, str]:
    """Return what is wrong with the fields of a form, by their names."""
    return {problem.field: problem.reason for problem in error.problems}


def set_cookie(name: str, value: str) -> None:
    """Have the browser keep a cookie, or forget it where `value` is empty."""
    visit().cookies.append(cookies.written(name, value, secure=visit().secure))


def local(path: str) -> str:
    """Return a path of ours that a form or a link named; the first page where it leads elsewhere."""
    usable = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if usable and len(path) <= 500 else _FIRST


def text_of(fields: Mapping[str, Any], name: str) -> str:
    """Return what was typed into a field; the first where it came several times."""
    value = fields.get(name, "")
    if isinstance(value, list):
        value = value[0] if value else ""
    return value if isinstance(value, str) else ""


TITLES: dict[int, tuple[Text, Text]] = {
    400: (_("This form cannot be read"), _("Go back, and try it once more.")),
    403: (_("You may not do this"), _("Ask an administrator for the right to do it.")),
    404: (_("There is no such page"), _("Begin at the first page of the device.")),
    405: (_("This address takes something else"), _("Begin at the first page of the device.")),
    415: (_("This form cannot be read"), _("Forms of this device are sent by its own pages.")),
    500: (_("Something is broken here"), _("What happened is in the log of the device, under the number below.")),
    503: (_("Not at the moment"), _("Try it again in a few seconds.")),
}
"""What is said of an error that has no words of its own."""
