"""The JSON API of the administration: what the registry of operations can do, asked for by HTTP.

It knows no server, no framework and no session: who asks, and in which language, is told to it.
"""

import json
import logging
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from otppi.admin.api.bodies import JSON, object_of
from otppi.admin.api.openapi import as_text, document
from otppi.admin.api.problems import (
    CHALLENGE,
    CHANGED_MEANWHILE,
    INVALID,
    KINDS,
    NOT_FOUND,
    NOT_LOGGED_IN,
    PASSWORD_WANTED,
    WRONG_METHOD,
    Headers,
    Problem,
    internal,
    problem_of,
)
from otppi.admin.api.queries import arguments_of, by_address
from otppi.api.errors import NotPermitted
from otppi.api.operations import Actor
from otppi.host.runtime.registry import Registry
from otppi.host.settings.asking_again import asks_again
from otppi.text import _
from otppi.text.languages import ENGLISH, languages, translated
from otppi.web.faults import log_fault
from otppi.wire.errors import FieldError

logger = logging.getLogger(__name__)

PROBLEM_JSON: Final = "application/problem+json"
_SHOW, _REVISION = "settings_show", "settings_revision"


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """An answer of the API.

    Attributes:
        status: The HTTP status.
        body: JSON, in UTF-8.
        headers: Its header fields, Content-Type and Content-Language among them.
    """

    status: int
    body: bytes
    headers: Headers


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request, by somebody who is logged in; `fresh` where the password was given a moment ago."""

    method: str
    query: str
    content_type: str
    body: bytes
    actor: Actor
    fresh: bool


class AdminApi:
    """Answers the requests below `/admin/api`. Any thread.

    Args:
        registry: The operations.
        waiting: Makes what an operation that waits is wrapped in (`HttpServer.waiting`).
        beside: What else is served below `/admin/api`, as paths of the OpenAPI document.
    """

    def __init__(
        self,
        registry: Registry,
        waiting: Callable[[], AbstractContextManager[None]] = nullcontext,
        beside: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self._registry = registry
        self._waiting = waiting
        self._beside = beside

    def answer(
        self,
        method: str,
        path: str,
        query: str,
        content_type: str,
        body: bytes,
        actor: Actor | None,
        language: str,
        *,
        fresh: bool = True,
    ) -> ApiAnswer:
        """Answer a request; it never raises what an operation does.

        Args:
            method: In capital letters; HEAD is answered as GET, and its body is the server's to leave out.
            path: What follows `/admin/api/`, decoded.
            query: What follows the `?`, as it came.
            content_type: That field, empty where there is none.
            body: All of it.
            actor: Who asks; None for nobody, who learns nothing.
            language: Of the texts in the answer; English where it is none that there is.
            fresh: Whether the password was given a moment ago (`Operation.asks_again`).
        """
        language = language if language in languages() else ENGLISH
        if actor is None:
            return self.tell(Problem(NOT_LOGGED_IN, headers=CHALLENGE), language)
        try:
            asked = _Asked("GET" if method == "HEAD" else method, query, content_type, body, actor, fresh)
            found = self._route(asked, path.removeprefix("/").split("/"))
            return _written(200, found, JSON, (), language)
        except Exception as error:  # noqa: BLE001 - an operation's, of any kind: logged without its words
            return self.tell(error, language, actor)

    def tell(self, error: Exception, language: str, actor: Actor | None = None) -> ApiAnswer:
        """Say why a request was not answered as it was meant, also where the API was not asked at all.

        Args:
            error: The problem, or the error that is being handled: one that nobody expected is told as a number.
            language: As for `answer`.
            actor: Who asked, where that is known.
        """
        language = language if language in languages() else ENGLISH
        problem = self._problem(error, actor)
        return _written(problem.kind.status, problem.content(), PROBLEM_JSON, problem.headers, language)

    # -- routes -------------------------------------------------------------------------------------------------------

    def _route(self, asked: _Asked, segments: list[str]) -> Any:
        found: Any
        match segments:
            case ["operations", name]:
                return self._operation(asked, name)
            case ["operations"]:
                found = {"operations": self._known(asked.actor)}
            case ["settings"]:
                found = self._settings(asked.actor)
            case ["settings", section]:
                found = self._section(asked.actor, section)
            case ["openapi.json"]:
                found = document(self._registry.operations.values(), self._beside)
            case ["problems"]:
                found = {"problems": [one.describe() for one in KINDS.values()]}
            case ["problems", name] if name in KINDS:
                found = KINDS[name].describe()
            case _:
                raise Problem(NOT_FOUND)
        _check_method(asked, "GET")
        return found

    def _known(self, actor: Actor) -> list[dict[str, Any]]:
        """Return the declarations of what this role may do."""
        return [
            {
                "name": one.name,
                "title": one.title,
                "help": one.help,
                "role": one.role.value,
                "reads_only": one.reads_only,
                "changes": one.changes,
                "waits": one.waits,
                "asks_again": one.asks_again,
                "confirm": one.confirm,
                "arguments": one.section.json_schema(as_text),
            }
            for one in self._registry.operations.values()
            if actor.role.covers(one.role)
        ]

    def _settings(self, actor: Actor) -> dict[str, Any]:
        """Return all settings without secrets, and the revision that a change of them is made from."""
        revision = self._registry.call(_REVISION, {}, actor)  # first: one that is too old overwrites nothing
        return {"revision": revision, "settings": self._registry.call(_SHOW, {}, actor)}

    def _section(self, actor: Actor, key: str) -> dict[str, Any]:
        found = self._settings(actor)
        if key not in found["settings"]:
            raise Problem(NOT_FOUND)
        return {"revision": found["revision"], "section": key, "values": found["settings"][key]}

    def _operation(self, asked: _Asked, name: str) -> Any:
        operation = self._registry.operations.get(name)
        if operation is None:
            raise Problem(NOT_FOUND)
        readable = by_address(operation)
        _check_method(asked, *(("GET", "POST") if readable else ("POST",)))
        if asked.method == "GET":
            given: tuple[object, Any] = arguments_of(operation, asked.query), None
        else:
            given = _body_of(asked)
        arguments, revision = given
        if (
            not asked.fresh
            and asked.actor.role.covers(operation.role)
            and asks_again(self._registry, operation, arguments)
        ):
            raise Problem(PASSWORD_WANTED)
        waits = operation.waits or operation.changes
        with self._waiting() if waits else nullcontext():
            return {"result": self._registry.call(name, arguments, asked.actor, revision)}

    # -- problems -----------------------------------------------------------------------------------------------------

    def _problem(self, error: Exception, actor: Actor | None) -> Problem:
        problem = problem_of(error)
        if problem is None:
            reference = secrets.token_hex(4)
            log_fault(logger, f"request {reference} of the administration's API could not be answered")
            return internal(reference)
        if problem.kind is CHANGED_MEANWHILE and actor is not None:
            problem.more["current"] = self._current(problem.more["sections"], actor)
        return problem

    def _current(self, sections: list[str], actor: Actor) -> dict[str, Any]:
        """Return what somebody else made of some sections, as far as this actor may see them."""
        try:
            shown: Mapping[str, Any] = self._registry.call(_SHOW, {}, actor)
        except NotPermitted:
            return {}
        return {key: shown[key] for key in sections if key in shown}


def _check_method(asked: _Asked, *methods: str) -> None:
    """Refuse other methods than these, one of which is GET where HEAD is taken."""
    if asked.method not in methods:
        allowed = ", ".join(sorted({*methods, "HEAD"} if "GET" in methods else methods))
        raise Problem(WRONG_METHOD, headers=(("Allow", allowed),))


def _body_of(asked: _Asked) -> tuple[object, Any]:
    """Read the arguments of an operation, and the revision that a change is made from."""
    if asked.query:
        raise Problem(INVALID, errors=[FieldError("query", _("arguments are given in the body"))])
    given = object_of(asked.content_type, asked.body, ("arguments", "revision"))
    return given.get("arguments", {}), given.get("revision")


def _written(status: int, content: Any, content_type: str, headers: Headers, language: str) -> ApiAnswer:
    """Say all texts in a language, and write the answer.

    Raises:
        TypeError, ValueError: It is nothing that JSON can say. Half a surrogate pair, which a modem may have sent, is
            a question mark.
    """
    body = json.dumps(translated(content, language), ensure_ascii=False, allow_nan=False).encode(errors="replace")
    return ApiAnswer(status, body, (("Content-Type", content_type), ("Content-Language", language), *headers))
