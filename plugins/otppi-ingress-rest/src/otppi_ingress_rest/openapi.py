"""The OpenAPI 3.1 document of the API, made from the settings' paths."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from otppi.wire.envelope import ResponseCode
from otppi_ingress_rest import settings as paths

Json = dict[str, Any]

DESCRIPTION = (
    "One request sends one command. Every answer is the same JSON envelope; `response_code` says what became of the "
    "command, and the HTTP status follows from it. `sent` means that the operator's SMSC accepted the message, never "
    "that it was delivered: a report of the network turns it into `delivered` or `undelivered` later. A message with "
    "the same id, receiver and text is sent once, however often it is posted."
)
_LINE = r"[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*"
_SPACED = r"[ .()-]*"
_NULL: Json = {"type": "null"}


def _line(limit: int, *, blank: bool = False) -> Json:
    """Describe text of one line."""
    sign = "" if blank else r"[^\u0000-\u0020\u007f-\u00a0\u2028\u2029\s]"
    return {"type": "string", "maxLength": limit, "pattern": f"^{_LINE}{sign}{_LINE if sign else ''}$"}


def _word(limit: int, description: str, *, blank: bool = False) -> Json:
    """Describe an identifier: text of one line, or a whole number."""
    return {"description": description, "anyOf": [_line(limit, blank=blank), {"type": "integer"}]}


def _whole(limit: int, description: str) -> Json:
    digits = r"^0{0,9}[0-9]{1,11}$" if limit == _LAST_SECOND else r"^0{0,14}([0-5]?[0-9]{1,5}|600000)$"
    return {
        "description": description,
        "anyOf": [{"type": "integer", "minimum": 0, "maximum": limit}, {"type": "string", "pattern": digits}],
    }


def _digits(first: str, least: int, most: int) -> str:
    """Write the pattern of a number whose digits may stand apart."""
    return f"{first}({_SPACED}[0-9]){{{least},{most}}}{_SPACED}"


_LAST_SECOND = 100_000_000_000
_NUMBER: Json = {
    "type": "string",
    "maxLength": 320,
    "pattern": (
        rf"^{_SPACED}(\+?{_SPACED}{_digits('[1-9]', 7, 14)}|0{_SPACED}0{_SPACED}{_digits('[1-9]', 7, 14)}"
        rf"|0{_SPACED}{_digits('[1-9]', 5, 12)})$"
    ),
    "description": "A telephone number: 08…, +62… or 62….",
}
_MAIL: Json = {
    "type": "string",
    "maxLength": 320,
    "pattern": f"^{_LINE}@{_LINE}$",
    "description": "An e-mail address.",
}
_ANYBODY: Json = {"anyOf": [_NUMBER, _MAIL]}
_OTP_TEXT: Json = {
    "type": "string",
    "maxLength": 10_000,
    "pattern": r"^([^%\u0000]|%(?!s))*%s([^%\u0000]|%(?!s))*$",
    "description": "The text, with %s once, where the code goes.",
}

# Field of data → its schema; a command's own receiver or message goes before these.
_FIELDS: Mapping[str, Json] = {
    "id": _word(128, "With receiver and text it tells a duplicate."),
    "message": {
        "type": "string",
        "maxLength": 10_000,
        "pattern": r"^[^\u0000]*[^\u0000-\u0020\s][^\u0000]*$",
        "description": "The text. It is kept in memory only, until its final state.",
    },
    "subject": {**_line(900, blank=True), "description": "Of an e-mail."},
    "date_time": _whole(_LAST_SECOND, "When it was made, in Unix seconds."),
    "expiration": _whole(_LAST_SECOND, "When it is worth nothing any more, in Unix seconds; it is not sent after."),
    "reference": _word(128, "What a one-time password is for."),
    "priority": {"enum": ["otp", "bulk"], "description": "One-time passwords go before bulk messages."},
    "flash": {"type": "boolean", "description": "Shown at once and not kept by the telephone."},
    "otp": _word(64, "The one-time password to verify."),
    "modem_id": _word(128, "The modem that is meant."),
    "ussd_code": {**_line(182), "description": "Such as *123#; with `session` the reply that the network waits for."},
    "session": _word(64, "The USSD session to go on with, as an answer with `reply_wanted` named it."),
    **{f"param{number}": _word(1000, "Part of the reference.", blank=True) for number in range(1, 5)},
}
_SENDING = ("id", "subject", "date_time", "expiration", "reference", "priority", "flash", "modem_id")
_PARAMETERS = ("param1", "param2", "param3", "param4")


class _Command(NamedTuple):
    """A command as the document shows it. `own` are schemas of fields that are special to it."""

    summary: str
    example: Json
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    own: Mapping[str, Json] = {}

    def data(self) -> Json:
        """Describe one command's data."""
        properties: Json = {name: self.own.get(name) or _FIELDS[name] for name in self.required}
        for name in self.optional:
            schema = self.own.get(name) or _FIELDS[name]
            described = {"description": schema["description"]} if "description" in schema else {}
            properties[name] = schema if name == "id" else {**described, "anyOf": [schema, _NULL]}
        return {"type": "object", "properties": properties, "required": list(self.required)}


_COMMANDS: Mapping[str, _Command] = {
    "send-sms": _Command(
        "Send an SMS; a receiver with @ makes it an e-mail.",
        {"id": 123456, "receiver": "08126666666", "message": "OTP Anda adalah 1234"},
        ("receiver", "message"),
        _SENDING,
        {"receiver": _ANYBODY},
    ),
    "send-email": _Command(
        "Send an e-mail.",
        {"id": 123456, "receiver": "someone@domain.tld", "subject": "OTP", "message": "OTP Anda adalah 1234"},
        ("receiver", "message"),
        _SENDING,
        {"receiver": _MAIL},
    ),
    "send-message": _Command(
        "Send an SMS or an e-mail, as the receiver is.",
        {"id": "A-1", "receiver": "+628126666666", "message": "OTP Anda adalah 1234"},
        ("receiver", "message"),
        _SENDING,
        {"receiver": _ANYBODY},
    ),
    "block-msisdn": _Command(
        "Put a number on the blocking list.", {"receiver": "08126666666"}, ("receiver",), ("id",), {"receiver": _NUMBER}
    ),
    "unblock-msisdn": _Command(
        "Take a number off the blocking list.",
        {"receiver": "08126666666"},
        ("receiver",),
        ("id",),
        {"receiver": _NUMBER},
    ),
    "request-otp": _Command(
        "Make a one-time password and send it.",
        {"reference": "login-77", "receiver": "08126666666", "message": "OTP Anda adalah %s"},
        ("reference", "receiver", "message"),
        (*(name for name in _SENDING if name != "reference"), *_PARAMETERS),
        {"receiver": _ANYBODY, "message": _OTP_TEXT},
    ),
    "verify-otp": _Command(
        "Verify a one-time password; it is right once.",
        {"reference": "login-77", "receiver": "08126666666", "otp": "123456"},
        ("reference", "otp"),
        ("id", "receiver", "date_time", *_PARAMETERS),
        {"receiver": _ANYBODY},
    ),
    "request-ussd": _Command(
        "Run a USSD command on a modem; `data.text` is the network's answer.",
        {"modem_id": "m0", "ussd_code": "*123#"},
        ("modem_id", "ussd_code"),
        ("id", "session"),
    ),
    "get-modem-list": _Command("List the modems and their states.", {}),
    "echo": _Command("Answer with the same data.", {"hello": "there"}),
}

_STATUSES: Mapping[str, tuple[str, tuple[ResponseCode, ...]]] = {
    "200": ("The command is done", (ResponseCode.SUCCESS, ResponseCode.DUPLICATE, ResponseCode.WRONG_OTP)),
    "202": ("The message is still on its way; ask for it later", (ResponseCode.SUCCESS,)),
    "400": ("The request is malformed; `data.errors` names each field", (ResponseCode.MALFORMED,)),
    "401": ("Wrong user name or password", (ResponseCode.UNAUTHORIZED,)),
    "403": ("The receiver is on the blocking list", (ResponseCode.BLOCKED,)),
    "404": ("There is nothing here", (ResponseCode.MALFORMED,)),
    "405": ("Wrong method; see the Allow header", (ResponseCode.MALFORMED,)),
    "410": ("The message, or the one-time password, is expired", (ResponseCode.EXPIRED,)),
    "413": ("The request is too large", (ResponseCode.MALFORMED,)),
    "429": ("Too many requests; see Retry-After", (ResponseCode.TOO_MANY,)),
    "500": ("An internal error", (ResponseCode.FAILED, ResponseCode.UNCONFIRMED)),
    "502": ("It failed for good; `data.cause` says why", (ResponseCode.FAILED,)),
    "503": (
        "It cannot be sent now; see Retry-After",
        (ResponseCode.NO_MODEM, ResponseCode.QUEUE_FULL),
    ),
    "504": ("It may or may not have been sent", (ResponseCode.UNCONFIRMED,)),
}
_COMMON = ("400", "401", "413", "429", "500", "503")
_BOTH_SCHEMES: list[Json] = [{"basic": []}, {"bearer": []}]


def document(settings: Mapping[str, Any], version: str) -> Json:
    """Make the document for these settings."""
    main, *others = paths.command_paths(settings)
    items: Json = {main: _command_path(main, None)}
    items |= {path: _command_path(path, main) for path in others}
    items[f"{paths.MESSAGES}/{{message_id}}"] = _message_path()
    items[paths.HEALTH] = _health_path()
    items[paths.OPENAPI] = _plain_path("getOpenapi", "This document", "application/json", {"type": "object"})
    items[paths.DOCS] = _plain_path("getDocs", "This document as a page", "text/html", {"type": "string"})
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


def _command_path(path: str, alias_of: str | None) -> Json:
    name = path.strip("/").replace("/", "_")
    summary = f"The same as {alias_of}" if alias_of else "Take a command"
    operation: Json = {
        "tags": ["commands"],
        "summary": summary,
        "security": _BOTH_SCHEMES,
        "parameters": [{"$ref": "#/components/parameters/wait"}],
        "requestBody": {"$ref": "#/components/requestBodies/Command"},
        "responses": _refs("200", "202", "403", "410", "502", "504", *_COMMON),
    }
    extra = {"x-alias-of": alias_of} if alias_of else {}
    return {method: {**operation, "operationId": f"{method}_{name}", **extra} for method in ("post", "put")}


def _message_path() -> Json:
    parameter = {
        "name": "message_id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1},
        "description": "`data.message_id` of the command's answer.",
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
        "requestBodies": {"Command": {"required": True, "content": {"application/json": _command_content()}}},
        "responses": {status: _response(status) for status in _STATUSES},
        "schemas": {
            **{_schema_name(command): _command_schema(command) for command in _COMMANDS},
            "Answer": _answer_schema(),
            "Health": {
                "type": "object",
                "required": ["status"],
                "properties": {"status": {"enum": ["ok", "degraded", "down"]}, "version": {"type": "string"}},
            },
        },
    }  # fmt: skip


def _schema_name(command: str) -> str:
    return "".join(word.capitalize() for word in command.split("-"))


def _command_content() -> Json:
    references = {command: f"#/components/schemas/{_schema_name(command)}" for command in _COMMANDS}
    return {
        "schema": {
            "oneOf": [{"$ref": reference} for reference in references.values()],
            "discriminator": {"propertyName": "command", "mapping": references},
        },
        "examples": {
            name: {"summary": command.summary, "value": {"command": name, "data": command.example}}
            for name, command in _COMMANDS.items()
        },
    }


def _command_schema(name: str) -> Json:
    command = _COMMANDS[name]
    topic, delay = _line(256), _whole(600_000, "Milliseconds before the answer is sent there.")
    schema: Json = {
        "type": "object",
        "description": command.summary,
        "required": ["command"],
        "properties": {
            "command": {"const": name},
            "callback_topic": {"description": "Where the answer is wanted too.", "anyOf": [topic, _NULL]},
            "callback_delay": {"description": delay["description"], "anyOf": [delay, _NULL]},
        },
    }
    if command.required:
        one = command.data()
        many = {"type": "array", "items": one, "minItems": 1, "maxItems": 100, "description": "Several commands' data."}
        schema["properties"]["data"] = {"anyOf": [one, many]}
        schema["required"].append("data")
    return schema


def _answer_schema() -> Json:
    return {
        "type": "object",
        "required": ["command", "response_code", "response_text"],
        "properties": {
            "command": {"type": "string"},
            "response_code": {"enum": [code.value for code in ResponseCode]},
            "response_text": {"type": "string"},
            "data": {"type": ["object", "array", "null"]},
        },
    }


def _response(status: str) -> Json:
    summary, codes = _STATUSES[status]
    explained = "; ".join(f"`{code.value}` {code.text}" for code in codes)
    example: Json = {"command": "send-sms", "response_code": codes[0].value, "response_text": codes[0].text}
    if status in ("200", "202"):
        state = "sent" if status == "200" else "queued"
        example["data"] = {"id": "123456", "message_id": "Nx3k9", "state": state, "modem_id": "m0", "segments": 1}
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
