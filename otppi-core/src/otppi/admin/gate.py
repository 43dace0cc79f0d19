"""What stands before the pages: names and origins are checked, files come from memory, header fields are added."""

from collections.abc import Callable
from dataclasses import replace
from html import escape
from typing import Final

from otppi.admin.api_access import ApiAccess
from otppi.admin.rendering.statics import PREFIX, Statics
from otppi.admin.security import captive_portal, headers, origins
from otppi.admin.security.captive_portal import CaptivePortal
from otppi.admin.security.guard import Access
from otppi.admin.security.hosts import HostNames
from otppi.admin.security.logged_in import session_of
from otppi.admin.security.refusal_log import RefusalLog
from otppi.admin.security.sessions import Sessions
from otppi.admin.uploads import LARGEST_UPLOAD, MULTIPART
from otppi.host.administrators.page import PageValues
from otppi.kit.token_bucket import TokenBucket
from otppi.text import Text, _
from otppi.text.languages import translated
from otppi.web.application import Application
from otppi.web.request import Refusal, Refused, Request
from otppi.web.response import Response

_LARGEST_FORM: Final = 65_536
_LARGEST_DOCUMENT: Final = 262_144
"""Octets of a document that the JSON API takes."""
_LANGUAGES: Final = ("id", "en")
_UPLOADS: Final = {True: (8, 0.2), False: (3, 0.1)}
"""How many long forms with files may come at once, and how many a second afterwards, of those who are logged in and of
strangers to a new device. Each may take the server's 30 seconds for a body: never more than 20 are in RAM."""


class Gate:
    """The application that the server serves: `pages` behind what is checked of every request.

    Args:
        pages: What answers what is let through.
        api: What answers what programs ask for.
        statics: The files that go with the pages.
        sessions: Whose requests come before those of strangers.
        refusals: Logs whom it refuses.
        access: Returns who may ask for a path of the pages; None of one that nothing is at.
        unclaimed: Says whether the device has no administrator yet.
    """

    def __init__(
        self,
        pages: Application,
        api: ApiAccess,
        statics: Statics,
        sessions: Sessions,
        refusals: RefusalLog,
        access: Callable[[str], Access | None],
        unclaimed: Callable[[], bool],
    ) -> None:
        self._pages = pages
        self._api = api
        self._statics = statics
        self._sessions = sessions
        self._names = HostNames()
        self._https_only = False
        self._refusals = refusals
        self._access = access
        self._unclaimed = unclaimed
        self._portal = CaptivePortal(unclaimed)
        self._uploads = {known: TokenBucket(*bounds) for known, bounds in _UPLOADS.items()}
        self._used = False

    def configure(self, values: PageValues, *, encrypted: bool) -> None:
        """Use these settings from now on; who is logged in stays so.

        Args:
            values: The settings.
            encrypted: Whether the port serves HTTPS; where it does not, nobody is sent there.
        """
        self._names = HostNames(values["host_names"])
        self._https_only = values["https_only"] and encrypted
        self._portal.configure(values["access_point"])

    def tidy(self) -> None:
        """Forget the sessions that are over, and log how many requests were refused that were not logged one by one."""
        self._sessions.tidy()
        self._refusals.flush()

    def was_used(self) -> bool:
        """Return whether a page was asked for since this was called last."""
        used, self._used = self._used, False
        return used

    def body_limit(self, request: Request) -> int:
        """Return how long a form may be, or a document of the API.

        Raises:
            Refused: Too many come at once with files.
        """
        if self._api.is_for(request.path):
            return _LARGEST_DOCUMENT
        return LARGEST_UPLOAD if self._may_upload(request) else _LARGEST_FORM

    def _may_upload(self, request: Request) -> bool:
        """Return whether a form may have files: they are held in RAM, which no stranger is to fill."""
        if not request.field("content-type").lower().startswith(MULTIPART):
            return False
        unclaimed, known = self._unclaimed(), self.recognises(request)
        access = self._access(request.path) if unclaimed or known else None
        if access is None or not access.uploads:
            return False
        if not (unclaimed if access.role is None else known):
            return False
        length = request.field("content-length")
        short = length.isdecimal() and int(length) <= _LARGEST_FORM
        if not short and not self._uploads[known].allows():
            raise Refused(503, "the body", "must come a little later: too many files come at once")
        return True

    def recognises(self, request: Request) -> bool:
        """Return whether the request belongs to a session."""
        return session_of(request.field("cookie"), self._sessions, secure=request.secure)[1] is not None

    def is_quick(self, request: Request) -> bool:
        """Return whether it asks for a file, which are in memory, or as a phone does again and again."""
        return request.path.startswith(PREFIX) or request.path == captive_portal.PATH

    def respond(self, request: Request) -> Response:
        """Answer a request.

        Raises:
            Refused: It calls the device by a strange name, or comes from a page of elsewhere.
        """
        try:
            response = self._led(request) or self._let_in(request)
        except Refused as refused:
            reason = f"{refused.refusal.part} {refused.refusal.reason}"
            self._refusals.note("a request", request.address, request.path, reason)
            if not self._api.is_for(request.path):
                raise
            response = self._api.refused(refused.refusal, request)
        return _dressed(response)

    def _led(self, request: Request) -> Response | None:
        """Return the way to the pages, for who called the access point of a new device by a name of elsewhere."""
        return None if self._names.knows(request.field("host")) else self._portal.lead(request)

    def _let_in(self, request: Request) -> Response:
        self._names.check(request)
        origins.check(request)
        if request.path.startswith(PREFIX):
            return self._statics.respond(request)
        if request.path == captive_portal.PATH:
            return self._portal.respond(request)
        # A new device is claimed over its access point by HTTP: phones open no portal whose certificate they doubt.
        if self._https_only and not request.secure and not self._portal.address(request):
            return _to_https(request)
        self._used = True
        return self._api.respond(request) if self._api.is_for(request.path) else self._pages.respond(request)

    def refuse(self, refusal: Refusal, path: str) -> Response:
        """Tell a program, or say it in a page without a menu, in all languages: it is not known who reads it."""
        if self._api.is_for(path):
            return _dressed(self._api.refused(refusal))
        title, advice = _EXPLAINED.get(refusal.status, _EXPLAINED[400 if refusal.status < 500 else 500])
        said = "".join(
            f'<section lang="{one}"><h1>{escape(translated(title, one))}</h1><p>{escape(translated(advice, one))}</p>'
            "</section>"
            for one in _LANGUAGES
        )
        style = escape(self._statics.url("admin.css"))
        body = (
            '<!doctype html><html lang="id"><meta charset="utf-8"><title>OTP-Pi</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<link rel="stylesheet" href="{style}"><main class="narrow">{said}'
            f'<p class="small">{refusal.status}</p></main></html>'
        )
        return _dressed(Response(refusal.status, body.encode(), refusal.headers, "text/html; charset=utf-8"))


def _to_https(request: Request) -> Response:
    """Send a browser to the same page by HTTPS: the port serves both."""
    if request.method not in origins.HARMLESS:
        raise Refused(403, "scheme", "must be https")
    return Response(308, b"", (("Location", f"https://{request.field('host').strip()}{request.target}"),), "")


def _dressed(response: Response) -> Response:
    """Add the header fields that every answer has."""
    given = {name.lower() for name, _value in response.headers}
    more = tuple(one for one in (*headers.ALWAYS, headers.NOT_KEPT) if one[0].lower() not in given)
    return replace(response, headers=(*response.headers, *more))


_EXPLAINED: Final[dict[int, tuple[Text, Text]]] = {
    400: (_("This request cannot be read"), _("Go back, and try it once more.")),
    403: (_("Not from here"), _("Open the page anew in this browser, and send the form from there.")),
    404: (_("There is no such page"), _("Begin at the first page of the device.")),
    405: (_("This address takes something else"), _("Begin at the first page of the device.")),
    413: (
        _("That is too long"),
        _("Send less at once. Is it a file, then see whether you are still logged in."),
    ),
    421: (
        _("This is not a name of the device"),
        _("Open the device by its address, such as http://192.168.0.11:8888. More names can be set."),
    ),
    500: (_("Something is broken here"), _("What happened is in the log of the device.")),
    503: (_("Too much at once"), _("Try it again in a few seconds.")),
}
