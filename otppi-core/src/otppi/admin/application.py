"""The pages as a CherryPy application, and what is checked before and after each handler."""

import logging
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import cherrypy
from cherrypy._cpreqbody import process_urlencoded

from otppi.admin.api_access import ApiAccess
from otppi.admin.blocks.declared import DeclaredPages
from otppi.admin.gate import Gate
from otppi.admin.live.log import LogHub
from otppi.admin.live.monitor import LiveHub
from otppi.admin.live.snapshot import GatewayView
from otppi.admin.page_request import PageDispatcher, PageRequest
from otppi.admin.pages.answers import CONTENT_TYPE, TITLES, PageError, drawn, see_other, set_cookie, text_of, visit
from otppi.admin.pages.login import ask_to_log_in, later
from otppi.admin.pages.old_forms import packed, send_again, unpacked
from otppi.admin.pages.own_session import password_first
from otppi.admin.pages.root import Root
from otppi.admin.parts import Parts
from otppi.admin.rendering.drawing import Drawing
from otppi.admin.rendering.language import chosen
from otppi.admin.rendering.statics import Statics
from otppi.admin.security import cookies
from otppi.admin.security.form_tokens import new_browser
from otppi.admin.security.guard import Access, access_at, access_of
from otppi.admin.security.logged_in import logged_in
from otppi.admin.uploads import MULTIPART, MalformedUploadError, read_form
from otppi.admin.visit import Visit
from otppi.api.errors import InvalidSettings, NotPermitted, OtpPiError, Throttled
from otppi.host.administrators.claim import ClaimState
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.host.runtime.registry import Registry
from otppi.text import _, words
from otppi.web.arrival import UNKNOWN
from otppi.web.faults import log_fault
from otppi.web.wsgi import ARRIVAL, WsgiApplication

logger = logging.getLogger(__name__)

_FORM: Final = "application/x-www-form-urlencoded"
"""The kind of body that forms have; those with files, where a page takes any, are `MULTIPART`."""
_RECEIVER: Final = "self"
"""Fields become arguments of methods; one of this name would be the method's object."""
_BARE: Final = b'<!doctype html>\n<html lang="en"><title>OTP-Pi</title><h1>OTP-Pi</h1><p>%d</p></html>\n'
"""What is said where no page can be drawn."""
_TOKEN: Final = "form_token"  # noqa: S105 - the name of a field
_REFUSALS: Final = {InvalidSettings: (422, 400), NotPermitted: (403, 403), Throttled: (429, 503)}
"""With which status an operation's refusal is answered, and under which title of `TITLES`; any other one with 503."""

_TOO_OLD: Final = (
    _("This page is too old"),
    _("It was opened before you logged in, or before the device was restarted. Open it anew."),
)


def application(parts: Parts) -> Gate:
    """Make what the server serves."""
    root = Root(parts)
    tree = cherrypy.Application(root, "", {"/": _Checks(parts).config()})
    tree.request_class = PageRequest
    for log in (tree.log.access_log, tree.log.error_log):  # what happens is logged by us, without what was sent
        log.propagate = False
        log.setLevel(logging.CRITICAL + 1)
    tree.log.screen = False
    pages = WsgiApplication(tree, lambda _request: 0, _carry)
    api = ApiAccess(parts.registry, parts.administrators, parts.sessions, parts.tokens, parts.waiting)
    return Gate(
        pages, api, parts.statics, parts.sessions, parts.refusals, partial(access_at, root),
        unclaimed=lambda: parts.claim.state is ClaimState.OPEN,
    )  # fmt: skip


def parts_of(
    data: DataFolder, host: Host, registry: Registry, waiting: Callable[[], AbstractContextManager[None]]
) -> Parts:
    """Return what the pages of a gateway work on."""
    statics = Statics()
    return Parts(
        registry=registry,
        config=data.config,
        administrators=host.administrators,
        claim=data.claim,
        statics=statics,
        drawing=Drawing(statics),
        pages=DeclaredPages(data.plugins.pages, registry, data.config),
        safe_mode=data.plugins.safe_mode,
        live=LiveHub(host.events, GatewayView(registry)),
        live_log=LogHub(host.log),
        waiting=waiting,
    )


class _Checks:
    """What surrounds each handler: who asks, whether it may, and what is said where it may not."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def config(self) -> dict[str, Any]:
        """Return the configuration of all pages."""
        return {
            "hooks.before_request_body": self._admit,
            "hooks.before_handler": self._check_fields,
            "hooks.on_end_resource": _add_cookies,
            "error_page.default": self._say,
            "request.dispatch": PageDispatcher(),
            "request.error_response": self._fault,
            "request.show_tracebacks": False,
            "request.show_mismatched_params": False,
            "request.methods_with_bodies": ("POST",),
            # What CherryPy does by itself: an address made of the Host field, and a log of what was sent.
            "tools.trailing_slash.on": False,
            "tools.log_tracebacks.on": False,
            "tools.log_headers.on": False,
        }

    def _admit(self) -> None:
        """Find out who visits, and let it to the handler or not; before a body is read."""
        cherrypy.request.visit = self._visit()
        handler = getattr(cherrypy.request.handler, "callable", None)
        access = access_of(handler)
        if access is None:
            raise PageError(404, *TITLES[404])
        method = cherrypy.request.method
        if method not in access.methods:
            raise PageError(405, *TITLES[405], {"Allow": ", ".join(sorted(access.methods))})
        if "GET" not in access.methods:
            cherrypy.request.visit.back = cherrypy.request.path_info.rpartition("/")[0] or "/"
        cherrypy.request.visit.answers_form = method == "POST" and "GET" in access.methods
        kinds = (_FORM, MULTIPART) if access.uploads else (_FORM,)
        if method == "POST" and _content_type() not in kinds:
            raise PageError(415, *TITLES[415])
        # In place of CherryPy's own, which keep parts of a form in files on the card.
        cherrypy.request.body.processors = {_FORM: process_urlencoded, "multipart": _read_upload}
        # Our pages are in UTF-8, and so are their forms; what a request says of it would be any codec of Python.
        cherrypy.request.body.attempt_charsets = ["utf-8"]
        if access.role is not None:
            self._admit_session(access, method)

    def _admit_session(self, access: Access, method: str) -> None:
        now = visit()
        if now.session is None:
            if access.background:
                raise PageError(403, _("You are logged out"), _("Log in, and try it once more."))
            if method == "POST":
                _instead(self._ask_again)
                return
            to = "/claim" if self._parts.claim.state is ClaimState.OPEN else f"/login?next={quote(now.path)}"
            _instead(lambda: see_other(to))
            return
        if not (access.background or (method == "GET" and "X-Background" in cherrypy.request.headers)):
            self._parts.sessions.used(now.session)
        if access.role is not None and not now.may(access.role):
            self._note("the role is too small")
            raise PageError(403, *TITLES[403])
        if access.fresh and not self._parts.sessions.is_fresh(now.session):
            back = now.back or now.path
            _instead(lambda: password_first(self._parts, back, cherrypy.request.params))

    def _visit(self) -> Visit:
        request = cherrypy.request
        secure = request.scheme == "https"
        kept = request.headers.get("Cookie", "")
        found = logged_in(kept, self._parts.sessions, self._parts.administrators, secure=secure)
        browser = cookies.read(kept, cookies.BROWSER, secure=secure) if found is None else found.token
        path = request.path_info + (f"?{request.query_string}" if request.query_string else "")
        language = chosen(
            "" if found is None else found.administrator.language,
            cookies.read(kept, cookies.LANGUAGE, secure=secure),
            accepted=request.headers.get("Accept-Language", ""),
        )
        made = Visit(language, request.remote.ip, secure, browser, self._parts.tokens.of(browser), path)
        made.arrival = request.wsgi_environ.get(ARRIVAL, UNKNOWN)
        if found is not None:
            made.session, made.role = found.session, found.administrator.role
        elif not browser:
            made.browser = new_browser()
            made.token = self._parts.tokens.of(made.browser)
            cherrypy.request.visit = made
            set_cookie(cookies.BROWSER, made.browser)
        return made

    def _check_fields(self) -> None:
        """Refuse a form that was not made for this browser, or too long ago."""
        cherrypy.request.params.pop(_RECEIVER, None)
        if cherrypy.request.method != "POST":
            return
        token = text_of(cherrypy.request.params, _TOKEN)
        cherrypy.request.params.pop(_TOKEN, None)
        if not self._parts.tokens.is_right(token, visit().browser):
            self._note("the form's token is wrong")
            if visit().session is not None:
                _instead(self._ask_again)
            elif cherrypy.request.handler != self._ask_again:  # a page that is there without a login
                raise PageError(403, *_TOO_OLD)

    def _ask_again(self) -> bytes:
        """Answer a form whose login has ended, or that was shown before the gateway began anew, without its loss."""
        now = visit()
        now.answers_form = False  # what was sent is in the page that is shown, and nowhere else
        kept = packed(self._parts, now.path, cherrypy.request.params)
        if now.session is None:
            back = now.path.partition("?")[0] if kept else "/"
            return ask_to_log_in(self._parts, back, kept, status=403, ended=True)
        old = unpacked(kept)
        return self._error_page(403, *_TOO_OLD) if old is None else send_again(self._parts, old, 403)

    def _note(self, reason: str) -> None:
        now = visit()
        who = f"{now.session.name}, {now.role}" if now.session is not None else "somebody who is not logged in"
        self._parts.refusals.note(who, now.address, cherrypy.request.path_info, reason)

    def _say(self, status: str, **_about: Any) -> bytes:
        """Say an error as a page: for what CherryPy raises, and for `PageError`."""
        code = int(status[:3])
        error = getattr(cherrypy.request, "page_error", None)
        if isinstance(error, PageError):
            return self._error_page(code, error.title, error.advice)
        return self._error_page(code, *TITLES.get(code, TITLES[400 if code < 500 else 500]))

    def _error_page(self, code: int, title: str, advice: str, reference: str = "") -> bytes:
        looks_again = code == 503 and cherrypy.request.method in ("GET", "HEAD")
        shown = {"title": title, "advice": advice, "code": code, "reference": reference, "looks_again": looks_again}
        try:
            if getattr(cherrypy.request, "visit", None) is None:
                cherrypy.request.visit = self._visit()
            return drawn(self._parts, "error.html", code, **shown)
        except Exception:  # noqa: BLE001 - CherryPy would answer with its words, and with its own name and version
            log_fault(logger, "An error could not be told as a page")
            return _BARE % code

    def _fault(self) -> None:
        """Answer what a handler raised and nobody expected: with a number, by which the log is found.

        What an operation has refused is no fault: it is told as it says.
        """
        error = sys.exc_info()[1]
        if isinstance(error, OtpPiError):
            code, told_as = next((codes for kind, codes in _REFUSALS.items() if isinstance(error, kind)), (503, 503))
            advice = later(error) if isinstance(error, Throttled) else words(error)
            cherrypy.response.body = [self._error_page(code, TITLES[told_as][0], advice)]
            return
        reference = secrets.token_hex(4)
        log_fault(logger, f"A page failed ({reference})")
        title, advice = TITLES[500]
        cherrypy.response.body = [self._error_page(500, title, advice, reference)]
        cherrypy.response.headers["Content-Type"] = CONTENT_TYPE
        cherrypy.response.headers.pop("Content-Length", None)


def _add_cookies() -> None:
    """Write the cookies of the answer: CherryPy's own would all have an end by the device's clock."""
    made = getattr(cherrypy.request, "visit", None)
    for line in made.cookies if isinstance(made, Visit) else ():
        cherrypy.response.header_list.append((b"Set-Cookie", line.encode("latin-1")))


@contextmanager
def _entered(request: Any, response: Any) -> Iterator[None]:
    cherrypy.serving.load(request, response)
    try:
        yield
    finally:
        cherrypy.serving.clear()


def _carry() -> Callable[[], AbstractContextManager[None]]:
    """Take away what CherryPy keeps by threads, and give what brings it back."""
    request, response = cherrypy.serving.request, cherrypy.serving.response
    cherrypy.serving.clear()
    return lambda: _entered(request, response)


def _instead(answer: Callable[[], bytes]) -> None:
    """Have a request answered by something else than its handler."""
    cherrypy.request.handler = answer


def _read_upload(body: Any) -> None:
    try:
        body.params.update(read_form(body.fp.read(), cherrypy.request.headers["Content-Type"]))
    except MalformedUploadError as error:
        raise PageError(400, *TITLES[400]) from error


def _content_type() -> str:
    return str(cherrypy.request.headers.get("Content-Type", "")).partition(";")[0].strip().lower()
