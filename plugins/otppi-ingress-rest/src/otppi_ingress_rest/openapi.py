"""The OpenAPI 3.1 document of the API, made from the settings' paths."""

from collections.abc import Mapping, Sequence
from typing import Any

from otppi.api.egress import Channel
from otppi.api.events import state_data
from otppi.api.message import State
from otppi.wire.envelope import ResponseCode
from otppi_ingress_rest import settings as paths
from otppi_ingress_rest.openapi_commands import COMMANDS, Json, command_schema

DESCRIPTION = (
    "One request sends one command. Every answer is the same JSON envelope; `response_code` says what became of the "
    "command, and the HTTP status follows from it. `sent` means that the operator's SMSC accepted the message, never "
    "that it was delivered: a report of the network turns it into `delivered` or `undelivered` later. A message with "
    "the same id, receiver and text is sent once, however often it is posted. In place of a command in plain JSON, its "
    "encryption to the key of `/api/keys` (a JWE, RFC 7516: compact, or JSON) is taken everywhere; answers are plain."
)
_STATUSES: Mapping[str, tuple[str, tuple[ResponseCode, ...]]] = {
    "200": ("The command is done", (ResponseCode.SUCCESS, ResponseCode.DUPLICATE, ResponseCode.WRONG_OTP)),
    "202": ("The message is still on its way; ask for it later", (ResponseCode.SUCCESS,)),
    "400": ("The request is malformed; `data.errors` names each field", (ResponseCode.MALFORMED,)),
    "401": ("Wrong user name or password", (ResponseCode.UNAUTHORIZED,)),
    "403": (
        "The receiver is on the blocking list, or the user may not do that",
        (ResponseCode.BLOCKED, ResponseCode.UNAUTHORIZED),
    ),
    "404": ("There is nothing here", (ResponseCode.MALFORMED,)),
    "405": ("Wrong method; see the Allow header", (ResponseCode.MALFORMED,)),
    "410": ("The message, or the one-time password, is expired", (ResponseCode.EXPIRED,)),
    "413": ("The request is too large", (ResponseCode.MALFORMED,)),
    "415": ("The body is compressed", (ResponseCode.MALFORMED,)),
    "429": ("Too many requests; see Retry-After", (ResponseCode.TOO_MANY,)),
    "500": ("An internal error", (ResponseCode.FAILED, ResponseCode.UNCONFIRMED)),
    "502": ("It failed for good; `data.cause` says why", (ResponseCode.FAILED,)),
    "503": (
        "It cannot be sent now; see Retry-After",
        (ResponseCode.NO_MODEM, ResponseCode.QUEUE_FULL),
    ),
    "504": ("It may or may not have been sent", (ResponseCode.UNCONFIRMED,)),
}
_MESSAGE_ID = "5f0c8e1b2a7d4963"


def _state(state: State, egress: str | None = "m0", segments: int = 0, cause: str | None = None) -> Json:
    """Return the data of an answer, as the gateway makes it."""
    return state_data(
        _MESSAGE_ID,
        "123456",
        state,
        channel=Channel.SMS,
        reference=None,
        egress=egress,
        segments=segments,
        cause=cause,
        discharged=None,
    )


_SENT = _state(State.SENT, segments=1)
_DATA: Mapping[str, Json] = {
    "200": _SENT,
    "202": _state(State.QUEUED),
    "403": _state(State.BLOCKED, None, cause="the receiver is on the blocking list"),
    "410": _state(State.EXPIRED, None, cause="it expired before it could be sent"),
    "502": _state(State.FAILED, cause="the network refused it: +CMS ERROR: 1"),
    "503": {"id": "123456", "state": "failed", "cause": "no modem can send to this receiver now", "retry_after": 30},
    "504": _state(State.UNCONFIRMED, cause="the modem was lost after it had the message"),
}
"""What the examples of answers to `send-sms` hold, by HTTP status."""
_COMMON = ("400", "401", "413", "429", "500", "503")
_BOTH_SCHEMES: list[Json] = [{"basic": []}, {"bearer": []}]


def document(settings: Mapping[str, Any], version: str) -> Json:
    """Make the document for these settings."""
    main, *others = paths.command_paths(settings)
    uses = _uses(settings)
    items: Json = {main: _command_path(main, uses[main], None)}
    items |= {path: _command_path(path, uses[path], main) for path in others}
    items[f"{paths.MESSAGES}/{{message_id}}"] = _message_path()
    items[paths.HEALTH] = _health_path()
    items[paths.OPENAPI] = _plain_path("getOpenapi", "This document", "application/json", {"type": "object"})
    items[paths.DOCS] = _plain_path("getDocs", "This document as a page", "text/html", {"type": "string"})
    items[paths.KEYS] = _keys_path()
    items[paths.KEYS_ROTATE] = _rotate_path()
    if settings["metrics_enable"]:
        metrics = _plain_path("getMetrics", "Counters for Prometheus", "text/plain", {"type": "string"})
        metrics["get"] |= {
            "security": _BOTH_SCHEMES,
            "responses": {**metrics["get"]["responses"], **_refs("401", "429")},
        }
        items[paths.METRICS] = metrics
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "OTP-Pi", "summary": "Sends one-time passwords by SMS and e-mail", "version": version,
            "description": DESCRIPTION, "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "This device"}],
        "tags": [
            {"name": "commands", "description": "Send, block, verify"},
            {"name": "messages", "description": "What became of a message"},
            {"name": "device", "description": "State and description of the device"},
        ],
        "paths": items,
        "components": _components(),
    }  # fmt: skip


def _uses(settings: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """Return which commands each path is meant for; the settings' meaning of a path goes before that of an alias."""
    configured = {settings["blocking_path"]: ("block-msisdn",), settings["unblocking_path"]: ("unblock-msisdn",)}
    meant = {**paths.ALIASES, **configured, settings["message_path"]: ()}
    return {path: commands or tuple(COMMANDS) for path, commands in meant.items()}


def _command_path(path: str, commands: Sequence[str], alias_of: str | None) -> Json:
    """Describe a path with the body that it is meant for, so that what imports it has a right one for each."""
    name = path.strip("/").replace("/", "_")
    summary = COMMANDS[commands[0]].summary.rstrip(".") if alias_of else "Take a command"
    operation: Json = {
        "tags": ["commands"],
        "summary": summary,
        "security": _BOTH_SCHEMES,
        "parameters": [{"$ref": "#/components/parameters/wait"}],
        "requestBody": {"required": True, "content": {"application/json": _command_content(commands)}},
        "responses": _refs("200", "202", "403", "410", "415", "502", "504", *_COMMON),
    }
    if alias_of:
        operation |= {"x-alias-of": alias_of, "description": f"Takes every command, as {alias_of} does, also by PUT."}
    methods = ("post",) if alias_of else ("post", "put")
    return {method: {**operation, "operationId": f"{method}_{name}"} for method in methods}


def _message_path() -> Json:
    parameter = {
        "name": "message_id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1},
        "description": "`data.message_id` of the command's answer.", "example": _MESSAGE_ID,
    }  # fmt: skip
    operation = {
        "tags": ["messages"],
        "operationId": "getMessage",
        "summary": "Say what became of a message of the same user",
        "description": "The status is 200 whatever became of the message; `response_code` and `data.state` tell it.",
        "security": _BOTH_SCHEMES,
        "parameters": [parameter],
        "responses": _refs("200", "400", "401", "404", "429", "500", "503"),
    }
    return {"get": operation}


def _health_path() -> Json:
    def response(description: str) -> Json:
        return {
            "description": description,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Health"}}},
        }

    operation = {
        "tags": ["device"],
        "operationId": "getHealth",
        "summary": "Say whether messages can be sent",
        "description": "Without credentials: status and version. With them: modems and queue too.",
        "security": [{}, *_BOTH_SCHEMES],
        "responses": {
            "200": response("`ok` or `degraded`"),
            "503": response("`down`, or too busy to tell"),
            **_refs("400", "401", "429", "500"),
        },
    }
    busy = {"anyOf": [{"$ref": "#/components/schemas/Health"}, {"$ref": "#/components/schemas/Answer"}]}
    operation["responses"]["503"]["content"]["application/json"]["schema"] = busy  # type: ignore[index]
    return {"get": operation}


def _plain_path(name: str, summary: str, kind: str, schema: Json) -> Json:
    responses = {"200": {"description": summary, "content": {kind: {"schema": schema}}}, **_refs("400", "500", "503")}
    return {
        "get": {"tags": ["device"], "operationId": name, "summary": summary, "security": [], "responses": responses}
    }


def _keys_path() -> Json:
    summary = "The public key that commands may be encrypted to, as a JWK Set (RFC 7517)"
    schema = {"$ref": "#/components/schemas/JwkSet"}
    return _plain_path("getKeys", summary, "application/jwk-set+json", schema)


def _rotate_path() -> Json:
    operation = {
        "tags": ["device"],
        "operationId": "rotateKeys",
        "summary": "Replace the key that commands may be encrypted to",
        "description": "For users with the setting `manage_keys`. The old key still opens commands for some days; "
        "`data` is the new JWK Set.",
        "security": _BOTH_SCHEMES,
        "responses": _refs("200", "403", *_COMMON),
    }
    return {"post": operation}


def _refs(*statuses: str) -> Json:
    return {status: {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)}


def _components() -> Json:
    return {
        "securitySchemes": {
            "basic": {"type": "http", "scheme": "basic", "description": "User name and password of an API user."},
            "bearer": {"type": "http", "scheme": "bearer", "description": "A token of an API user."},
        },
        "parameters": {
            "wait": {
                "name": "wait", "in": "query", "required": False, "example": 0,
                "description": "Seconds to wait for the final state; 0 answers at once. The default is a setting.",
                "schema": {"type": "number", "minimum": 0, "maximum": paths.WAIT_LIMIT},
            },
        },
        "responses": {status: _response(status) for status in _STATUSES if status != "405"},
        "schemas": {
            **{_schema_name(command): command_schema(command) for command in COMMANDS},
            "Answer": _answer_schema(),
            "JwkSet": _jwk_set_schema(),
            "Health": {
                "type": "object",
                "required": ["status"],
                "properties": {
                    "status": {"type": "string", "enum": ["ok", "degraded", "down"], "examples": ["ok"]},
                    "version": {"type": "string", "examples": ["1.0.0"]},
                },
            },
        },
    }  # fmt: skip


def _schema_name(command: str) -> str:
    return "".join(word.capitalize() for word in command.split("-"))


def _command_content(commands: Sequence[str]) -> Json:
    references = {command: f"#/components/schemas/{_schema_name(command)}" for command in commands}
    if len(commands) == 1:
        schema: Json = {"$ref": references[commands[0]]}
    else:
        choices = [{"$ref": reference} for reference in references.values()]
        schema = {"oneOf": choices, "discriminator": {"propertyName": "command", "mapping": references}}
    examples = {name: {"summary": COMMANDS[name].summary, "value": COMMANDS[name].body(name)} for name in commands}
    return {"schema": schema, "examples": examples}


def _answer_schema() -> Json:
    return {
        "type": "object",
        "required": ["command", "response_code", "response_text"],
        "properties": {
            "command": {
                "type": "string",
                "description": "As the sender spelled it; empty where it could not be read.",
                "examples": ["send-sms"],
            },
            "response_code": {
                "type": "string",
                "enum": [code.value for code in ResponseCode],
                "description": "What became of the command.",
                "examples": [ResponseCode.SUCCESS.value],
            },
            "response_text": {
                "type": "string",
                "description": "The same in words.",
                "examples": [ResponseCode.SUCCESS.text],
            },
            "data": {
                "description": "More about it; a list where the command's data was one.",
                "anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}, {"type": "null"}],
                "examples": [_SENT],
            },
        },
    }


def _jwk_set_schema() -> Json:
    number: Json = {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$", "examples": ["x" * 43]}
    names = {
        name: {"type": "string", "enum": [value], "examples": [value]}
        for name, value in (("kty", "EC"), ("crv", "P-256"), ("use", "enc"))
    }
    key: Json = {"type": "object", "required": ["kty", "crv", "x", "y", "use", "kid"]}
    key |= {"properties": {**names, "x": number, "y": number, "kid": number}, "additionalProperties": False}
    example = {name: schema["examples"][0] for name, schema in key["properties"].items()}
    keys: Json = {"type": "array", "items": key, "minItems": 1, "examples": [[example]]}
    return {"type": "object", "required": ["keys"], "properties": {"keys": keys}}


def _response(status: str) -> Json:
    summary, codes = _STATUSES[status]
    explained = "; ".join(f"`{code.value}` {code.text}" for code in codes)
    example: Json = {"command": "send-sms", "response_code": codes[0].value, "response_text": codes[0].text}
    if status in _DATA:
        example["data"] = _DATA[status]
    elif codes[0] is ResponseCode.MALFORMED:
        example |= {"command": "", "data": {"errors": [{"field": "data.receiver", "reason": "is missing"}]}}
    response: Json = {
        "description": f"{summary}. {explained}.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}, "example": example}},
    }
    header = {"401": "WWW-Authenticate", "405": "Allow", "429": "Retry-After", "503": "Retry-After"}.get(status)
    if header:
        response["headers"] = {header: {"schema": {"type": "string"}, "description": "RFC 9110"}}
    return response
