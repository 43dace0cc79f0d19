"""Requests of the JSON API: whose session each belongs to, and that it does belong to it.

A program logs in as a person does, and sends the cookie of its session along; with what may change something also the
session's token, which a page of elsewhere cannot read (ASVS 5.0, 3.5.1). Nothing is redirected, and no page is drawn.
"""

import json
from collections.abc import Callable
from concurrent.futures import TimeoutError as Late
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Final

from otppi.admin.api.admin_api import AdminApi, ApiAnswer
from otppi.admin.api.bodies import JSON, object_of
from otppi.admin.api.openapi import PATH, session_path
from otppi.admin.api.problems import (
    BUSY,
    CHALLENGE,
    CODE_WANTED,
    INTERNAL,
    INVALID,
    MALFORMED,
    NOT_LOGGED_IN,
    TOO_LARGE,
    WRONG_HOST,
    WRONG_LOGIN,
    WRONG_METHOD,
    WRONG_TOKEN,
    Problem,
)
from otppi.admin.rendering.language import chosen
from otppi.admin.security import cookies, headers, origins
from otppi.admin.security.form_tokens import FormTokens
from otppi.admin.security.logged_in import LoggedIn, logged_in
from otppi.admin.security.sessions import Sessions
from otppi.api.errors import AuthenticationFailed, Busy
from otppi.api.operations import Actor
from otppi.host.administrators.administrators import LOGOUT, ORIGIN, Administrator, Administrators
from otppi.host.runtime.registry import Registry
from otppi.text import _
from otppi.web.request import Refusal, Request
from otppi.web.response import Response
from otppi.wire.errors import FieldError

PREFIX: Final = f"{PATH}/"
_SESSION: Final = "session"
_CREDENTIALS: Final = ("username", "password", "code")
_PATIENCE: Final = 20.0
"""Seconds that a password may wait for its hash."""
_METHODS: Final = ("DELETE", "GET", "HEAD", "POST")
_REFUSED: Final = {403: WRONG_TOKEN, 413: TOO_LARGE, 421: WRONG_HOST, 500: INTERNAL, 503: BUSY}


class ApiAccess:
    """Answers what is asked for below `/admin/api/`. Any thread.

    Args:
        registry: The operations.
        administrators: Who may log in.
        sessions: Who is logged in.
        tokens: The tokens of sessions, as the pages' forms have them.
        waiting: Wraps what is waited for (`HttpServer.waiting`).
    """

    def __init__(
        self,
        registry: Registry,
        administrators: Administrators,
        sessions: Sessions,
        tokens: FormTokens,
        waiting: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._api = AdminApi(registry, waiting, session_path())
        self._administrators = administrators
        self._sessions = sessions
        self._tokens = tokens
        self._waiting = waiting

    def is_for(self, path: str) -> bool:
        """Return whether a path is one of the API."""
        return path.startswith(PREFIX)

    def respond(self, request: Request) -> Response:
        """Answer a request, whose names and origin were looked at already."""
        cookie_field = request.field("cookie")
        who = logged_in(cookie_field, self._sessions, self._administrators, secure=request.secure)
        language = self._language(request, "" if who is None else who.administrator.language)
        path = request.path.removeprefix(PREFIX)
        try:
            if path == _SESSION and request.method == "POST":
                return self._log_in(request, who)
            if who is not None:
                self._check_token(request, who)
                self._note_use(request, who)
                if path == _SESSION:
                    return self._session(request, who, language)
        except Exception as error:  # noqa: BLE001 - told, and logged without its words
            return _response(self._api.tell(error, language))
        answer = self._api.answer(
            request.method,
            path,
            request.query,
            request.field("content-type"),
            request.body,
            None if who is None else _actor(request, who.administrator),
            language,
            fresh=who is not None and self._sessions.is_fresh(who.session),
        )
        return _response(answer)

    def refused(self, refusal: Refusal, request: Request | None = None) -> Response:
        """Say why a request is not let in at all, in its language where it could be read."""
        kind = _REFUSED.get(refusal.status) or replace(MALFORMED, status=refusal.status)
        errors = [FieldError(refusal.part, refusal.reason)] if refusal.part else []
        language = "" if request is None else self._language(request, "")
        return _response(self._api.tell(Problem(kind, errors=errors, headers=refusal.headers), language))

    # -- sessions -----------------------------------------------------------------------------------------------------

    def _language(self, request: Request, own: str) -> str:
        kept = cookies.read(request.field("cookie"), cookies.LANGUAGE, secure=request.secure)
        return chosen(own, kept, accepted=request.field("accept-language"))

    def _check_token(self, request: Request, who: LoggedIn) -> None:
        given = request.field("x-csrf-token")
        if request.method not in origins.HARMLESS and not self._tokens.is_right(given, who.token):
            raise Problem(WRONG_TOKEN)

    def _note_use(self, request: Request, who: LoggedIn) -> None:
        if not (request.method in origins.HARMLESS and request.field("x-background")):
            self._sessions.used(who.session)

    def _session(self, request: Request, who: LoggedIn, language: str) -> Response:
        """Tell of a session, or end it."""
        if request.method == "DELETE":
            self._sessions.end(who.session)
            self._administrators.note(LOGOUT, who.administrator.name, request.address)
            forgotten = cookies.written(cookies.SESSION, "", secure=request.secure)
            return _json({"ended": True}, language, ("Set-Cookie", forgotten), headers.FORGET)
        if request.method not in origins.HARMLESS:
            raise Problem(WRONG_METHOD, headers=(("Allow", ", ".join(_METHODS)),))
        return self._told(who, language)

    def _log_in(self, request: Request, before: LoggedIn | None) -> Response:
        """Begin a session of whoever shows who it is, in place of one that there was (ASVS 5.0, 7.2.4)."""
        given = object_of(request.field("content-type"), request.body, _CREDENTIALS)
        wrong = [FieldError(key, _("must be text")) for key in _CREDENTIALS if not isinstance(given.get(key, ""), str)]
        missing = [FieldError(key, _("is required")) for key in _CREDENTIALS[:2] if key not in given]
        if wrong or missing:
            raise Problem(INVALID, errors=[*wrong, *missing])
        found = self._authenticated(given["username"], given["password"], given.get("code", ""), request.address)
        if before is not None:
            self._sessions.end(before.session)
        token = self._sessions.create(
            found.name, found.stamp, secure=request.secure, address=request.address,
            browser=request.field("user-agent"),
        )  # fmt: skip
        session = self._sessions.find(token, secure=request.secure)
        if session is None:
            raise Problem(NOT_LOGGED_IN)
        cookie = cookies.written(cookies.SESSION, token, secure=request.secure)
        language = self._language(request, found.language)
        return self._told(LoggedIn(token, session, found), language, ("Set-Cookie", cookie))

    def _authenticated(self, username: str, password: str, code: str, address: str) -> Administrator:
        """Check a password, and the code where one is wanted.

        Raises:
            Problem: It is wrong, was not looked at, or a code is missing.
        """
        try:
            with self._waiting():
                found = self._administrators.authenticate(username, password, address).result(_PATIENCE)
            if not found.second_factor:
                return found
            if not code:
                raise Problem(CODE_WANTED, headers=CHALLENGE)
            if not self._administrators.check_code(found.name, code, address):
                raise Problem(WRONG_LOGIN, headers=CHALLENGE)
        except AuthenticationFailed:
            raise Problem(WRONG_LOGIN, headers=CHALLENGE) from None
        except Late:
            raise Busy(_("too many people log in at the moment"), 5.0) from None
        return self._administrators.find(found.name) or found

    def _told(self, who: LoggedIn, language: str, *more: tuple[str, str]) -> Response:
        about: dict[str, Any] = {
            "username": who.administrator.name,
            "role": who.administrator.role.value,
            "language": language,
            "token": self._tokens.of(who.token),
            "fresh": self._sessions.is_fresh(who.session),
        }
        return _json(about, language, *more)


def _actor(request: Request, one: Administrator) -> Actor:
    """Return in whose name a request is answered."""
    return Actor(one.name, ORIGIN, one.role, request.address, encrypted=request.secure)


def _json(content: dict[str, Any], language: str, *more: tuple[str, str]) -> Response:
    return Response(200, json.dumps(content).encode(), (("Content-Language", language), *more), JSON)


def _response(answer: ApiAnswer) -> Response:
    (_name, content_type), *more = answer.headers
    return Response(answer.status, answer.body, tuple(more), content_type)
