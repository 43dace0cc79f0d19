"""The OpenAPI 3.1 document of the administration's API, made from the declarations of the operations.

Its titles and descriptions are texts: whoever writes it says them in the reader's language.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from otppi.admin.api.problems import KINDS
from otppi.admin.api.queries import by_address
from otppi.api.operations import Operation, Role
from otppi.api.settings import Kind, Setting
from otppi.host.runtime.registry import SETTINGS
from otppi.text import Text, _, joined

Json = dict[str, Any]

PATH: Final = "/admin/api"
DISTRIBUTION: Final = "otppi-core"

_SESSIONS: Final = ("session", "secureSession")
_READS: Final[list[Json]] = [{one: []} for one in _SESSIONS]
_CHANGES: Final[list[Json]] = [{one: [], "token": []} for one in _SESSIONS]
"""What each request needs: the cookie of HTTP or that of HTTPS, and for POST the session's token (ASVS 3.5.1)."""
_ALWAYS: Final = (401, 403, 405, 421, 429, 500, 503)
_OF_OPERATIONS: Final = (400, 409, 422, 507)
_OF_BODIES: Final = (413, 415)
_HEADERS: Final[Mapping[int, tuple[str, Text]]] = {
    405: ("Allow", _("The methods that are taken")),
    429: ("Retry-After", _("Seconds to wait")),
    503: ("Retry-After", _("Seconds to wait")),
}


def as_text(text: str) -> str:
    """Leave a text of a declaration as it is: it is said when the answer is written."""
    return text


def document(operations: Iterable[Operation], beside: Mapping[str, Any]) -> Json:
    """Make the document of these operations, and of the paths that are served beside them."""
    from importlib.metadata import version  # only for who asks: it takes memory

    declared = list(operations)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": _("OTP-Pi: administration"),
            "summary": _("What the pages of the administration and the command otppi can do"),
            "version": version(DISTRIBUTION),
            "description": _(
                "Each operation is asked for by its name and answers with a JSON value. Texts are in the language of "
                "the session's user; keys and names are English. Errors are problem details (RFC 9457)."
            ),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": _("This device")}],
        "tags": [
            {"name": "operations", "description": _("What can be asked of the gateway")},
            {"name": "settings", "description": _("How the gateway is set, without secrets")},
            {"name": "session", "description": _("Logging in and out")},
            {"name": "about", "description": _("This API")},
        ],
        "paths": {
            **{f"{PATH}/operations/{one.name}": _operation(one) for one in declared},
            f"{PATH}/operations": _plain("listOperations", _("What the role of the session may do"), "operations"),
            **beside,
            f"{PATH}/settings": _plain("getSettings", _("All settings, and their revision"), "settings"),
            f"{PATH}/settings/{{section}}": _section(),
            f"{PATH}/openapi.json": _plain("getOpenapi", _("This document"), "about"),
            f"{PATH}/problems": _plain("listProblems", _("The kinds of problems"), "about"),
            f"{PATH}/problems/{{name}}": _problem(),
        },
        "components": _components(),
    }


def session_path() -> Json:
    """Describe how a program logs in, where that is served (`otppi.admin.api_access`)."""
    about: Json = {
        "username": {"type": "string"},
        "role": {"type": "string", "enum": [one.value for one in Role]},
        "language": {"type": "string", "description": _("The language of the texts")},
        "token": {"type": "string", "description": _("What is sent as X-CSRF-Token")},
        "fresh": {"type": "boolean", "description": _("Whether the password was given within five minutes")},
    }
    session = {"type": "object", "properties": about, "required": [*about], "additionalProperties": False}
    told = {"description": _("The session"), "content": {"application/json": {"schema": session}}}
    credentials = {
        "type": "object",
        "properties": {
            "username": {"type": "string"},
            "password": {"type": "string", "writeOnly": True},
            "code": {"type": "string", "writeOnly": True, "description": _("Of two-step login, where it is on")},
        },
        "required": ["username", "password"],
        "additionalProperties": False,
    }
    body = {"required": True, "content": {"application/json": {"schema": credentials}}}
    always = {"200": told, **_refs(*_ALWAYS)}
    ended = {"description": _("The session has ended"), "content": {"application/json": {"schema": {"type": "object"}}}}
    return {
        f"{PATH}/session": {
            "post": {
                "operationId": "logIn", "tags": ["session"], "summary": _("Log in: the answer sets the cookie"),
                "security": [], "requestBody": body, "responses": always | _refs(400, 413, 415, 422),
            },
            "get": {
                "operationId": "getSession", "tags": ["session"], "summary": _("Whose session it is, and its token"),
                "security": _READS, "responses": always,
            },
            "delete": {
                "operationId": "logOut", "tags": ["session"], "summary": _("Log out"),
                "security": _CHANGES, "responses": always | {"200": ended},
            },
        }
    }  # fmt: skip


def _operation(operation: Operation) -> Json:
    """Describe the path of one operation."""
    about = {
        "tags": ["operations"],
        "summary": operation.title,
        "description": joined("\n\n", (operation.help, _role(operation))),
        "x-role": operation.role.value,
        "x-reads-only": operation.reads_only,
        "x-changes": operation.changes,
        "x-waits": operation.waits,
        "x-asks-again": operation.asks_again,
    }
    responses = {"200": _result(), **_refs(*_ALWAYS, *_OF_OPERATIONS)}
    post = {
        "operationId": operation.name,
        **about,
        "security": _CHANGES,
        "requestBody": {"required": True, "content": {"application/json": {"schema": _body(operation)}}},
        "responses": responses | _refs(*_OF_BODIES),
    }
    if not by_address(operation):
        return {"post": post}
    get = {
        "operationId": f"{operation.name}_get",
        **about,
        "security": _READS,
        "parameters": [_parameter(one) for one in operation.parameters],
        "responses": responses,
    }
    return {"get": get, "post": post}


def _role(operation: Operation) -> Text:
    return _("For the role {role}.", role=operation.role.value)


def _body(operation: Operation) -> Json:
    """Describe what is posted; what may be left out may be null, too."""
    arguments = operation.section.json_schema(as_text)
    arguments["properties"] = {
        one.key: schema if one.required else _or_null(schema)
        for one, schema in zip(operation.parameters, arguments["properties"].values(), strict=True)
    }
    members: Json = {"arguments": arguments}
    if operation.changes == SETTINGS:
        members["revision"] = {
            "type": ["integer", "null"],
            "title": _("Revision"),
            "description": _("Of the settings that the change is made from: what others changed since is kept"),
        }
    return {
        "type": "object",
        "properties": members,
        "required": ["arguments"] if arguments["required"] else [],
        "additionalProperties": False,
    }


def _or_null(schema: Json) -> Json:
    changed = dict(schema)
    if "type" in schema:
        changed["type"] = [schema["type"], "null"]
    if "enum" in schema:
        changed["enum"] = [*schema["enum"], None]
    return changed


def _parameter(setting: Setting) -> Json:
    """Describe an argument in the query."""
    schema = setting.json_schema(as_text)
    about = {"title": schema.pop("title"), "description": schema.pop("description")}
    made = {"name": setting.key, "in": "query", "required": setting.required, **about, "schema": schema}
    del made["title"]
    if setting.kind is Kind.TEXT_LIST:
        made |= {"style": "form", "explode": False}
    return made


def _result() -> Json:
    """Describe the answer of an operation, whose form is its own."""
    schema = {"type": "object", "properties": {"result": {}}, "required": ["result"], "additionalProperties": False}
    return {
        "description": _("It is done"),
        "headers": {"Content-Language": {"$ref": "#/components/headers/Content-Language"}},
        "content": {"application/json": {"schema": schema}},
    }


def _plain(name: str, summary: Text, tag: str, *statuses: int) -> Json:
    """Describe a path that is read."""
    answer = {"description": summary, "content": {"application/json": {"schema": {"type": "object"}}}}
    responses = {"200": answer, **_refs(*_ALWAYS, *statuses)}
    return {"get": {"operationId": name, "tags": [tag], "summary": summary, "security": _READS, "responses": responses}}


def _section() -> Json:
    described = _plain("getSection", _("One section of the settings"), "settings", 404)
    return described | {"parameters": [_in_path("section", _("Key of the section, such as sms"))]}


def _problem() -> Json:
    described = _plain("getProblem", _("What a kind of problem means, and what to do about it"), "about", 404)
    return described | {"parameters": [_in_path("name", _("The last segment of its type"))]}


def _in_path(name: str, about: Text) -> Json:
    return {"name": name, "in": "path", "required": True, "description": about, "schema": {"type": "string"}}


def _refs(*statuses: int) -> Json:
    return {str(one): {"$ref": f"#/components/responses/{one}"} for one in sorted(statuses)}


def _components() -> Json:
    statuses = sorted({one.status for one in KINDS.values()})
    return {
        "schemas": {"Problem": _problem_schema()},
        "headers": {"Content-Language": {"description": _("The language of the texts"), "schema": {"type": "string"}}},
        "responses": {str(one): _response(one) for one in statuses},
        "securitySchemes": {
            "session": _scheme("cookie", "otppi", _("The cookie of a session by HTTP")),
            "secureSession": _scheme("cookie", "__Host-otppi", _("The cookie of a session by HTTPS")),
            "token": _scheme("header", "X-CSRF-Token", _("The token of the session, as its pages hold it")),
        },
    }


def _scheme(place: str, name: str, about: Text) -> Json:
    return {"type": "apiKey", "in": place, "name": name, "description": about}


def _response(status: int) -> Json:
    """Describe the answers with an HTTP status, which may be of several kinds."""
    titles = [one.title for one in KINDS.values() if one.status == status]
    described: Json = {"description": joined(" / ", titles)}
    if status in _HEADERS:
        name, about = _HEADERS[status]
        described["headers"] = {name: {"description": about, "schema": {"type": "string"}}}
    described["content"] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return described


def _problem_schema() -> Json:
    """Describe problem details (RFC 9457 3.1), and the members that some kinds have besides."""
    text = {"type": "string"}
    wrong = {
        "type": "object",
        "properties": {"field": text, "reason": text},
        "required": ["field", "reason"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "type": {"type": "string", "format": "uri-reference", "description": _("The kind of the problem")},
            "title": text,
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": _("What is wrong this time")},
            "errors": {"type": "array", "items": wrong, "description": _("The fields that are wrong")},
            "revision": {"type": "integer", "description": _("The revision that the settings are at now")},
            "sections": {"type": "array", "items": text, "description": _("The sections that others changed")},
            "current": {"type": "object", "description": _("What these sections are now, without secrets")},
            "reference": {"type": "string", "description": _("The number by which the log knows the fault")},
        },
        "required": ["type", "title", "status"],
        "additionalProperties": False,
    }
