"""The OpenAPI 3.1 document of the API, made from the settings' paths."""

from collections.abc import Mapping
from typing import Any

from otppi.wire.envelope import ResponseCode
from otppi_ingress_rest import settings as paths

Json = dict[str, Any]

DESCRIPTION = (
    "One request sends one command. Every answer is the same JSON envelope; `response_code` says what became of the "
    "command, and the HTTP status follows from it. `sent` means that the operator's SMSC accepted the message, never "
    "that it was delivered. A message with the same id, receiver and text is sent once, however often it is posted."
)
_ONE_LINE = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$"
_ID: Json = {
    "description": "Text or a whole number; with receiver and text it tells a duplicate.",
    "anyOf": [{"$ref": "#/components/schemas/Word"}, {"type": "integer", "minimum": 0, "maximum": 2**53}],
}
_TIME: Json = {
    "type": ["integer", "null"],
    "minimum": 0,
    "maximum": 100_000_000_000,
    "description": "Unix time in seconds.",
}
_NUMBER: Json = {
    "type": "string",
    "pattern": r"^\+?[1-9][0-9]{8,13}$|^0[1-9][0-9]{7,11}$",
    "description": "A telephone number: 08…, +62… or 62….",
}
_MAIL: Json = {
    "type": "string",
    "pattern": r"^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,3}$",
    "description": "An e-mail address.",
}
_MESSAGE: Json = {
    "type": "string",
    "minLength": 1,
    "maxLength": 10_000,
    "pattern": r"^[^\u0000]*[^\u0000\s][^\u0000]*$",
    "description": "The text. It is kept in memory only, until its final state.",
}
_OTP_MESSAGE: Json = {
    "type": "string",
    "maxLength": 1000,
    "pattern": r"^[^%\u0000]*%s[^%\u0000]*$",
    "description": "The text, with %s where the code goes.",
}
_PARAMETERS: Json = {
    f"param{number}": {"type": ["string", "null"], "maxLength": 1000, "pattern": _ONE_LINE} for number in range(1, 5)
}
_TIMES: Json = {
    "date_time": _TIME,
    "expiration": {**_TIME, "description": "Unix time in seconds after which the message is not sent any more."},
}
_SENDING: Json = {
    "id": _ID,
    "message": _MESSAGE,
    **_TIMES,
    "priority": {"enum": ["otp", "bulk", None], "description": "One-time passwords go before bulk messages."},
    "flash": {"type": ["boolean", "null"], "description": "Shown at once and not kept by the telephone."},
}
_WORD: Json = {"$ref": "#/components/schemas/Word"}

# Command → what it does, its data's properties, which of them are required, an example.
_COMMANDS: Mapping[str, tuple[str, Json, tuple[str, ...], Json]] = {
    "send-sms": (
        "Send an SMS; a receiver with @ makes it an e-mail.",
        {"receiver": {"anyOf": [_NUMBER, _MAIL]}, **_SENDING},
        ("receiver", "message"),
        {"id": 123456, "receiver": "08126666666", "message": "OTP Anda adalah 1234"},
    ),
    "send-email": (
        "Send an e-mail.",
        {
            "receiver": _MAIL,
            "subject": {"type": ["string", "null"], "maxLength": 900, "pattern": _ONE_LINE},
            **_SENDING,
        },
        ("receiver", "message"),
        {"id": 123456, "receiver": "someone@domain.tld", "subject": "OTP", "message": "OTP Anda adalah 1234"},
    ),
    "send-message": (
        "Send an SMS or an e-mail, as the receiver is.",
        {"receiver": {"anyOf": [_NUMBER, _MAIL]}, **_SENDING},
        ("receiver", "message"),
        {"id": "A-1", "receiver": "+628126666666", "message": "OTP Anda adalah 1234"},
    ),
    "block-msisdn": (
        "Put a number on the blocking list.",
        {"receiver": _NUMBER},
        ("receiver",),
        {"receiver": "08126666666"},
    ),
    "unblock-msisdn": (
        "Take a number off the blocking list.",
        {"receiver": _NUMBER},
        ("receiver",),
        {"receiver": "08126666666"},
    ),
    "request-otp": (
        "Make a one-time password and send it.",
        {"reference": _WORD, "receiver": _NUMBER, "message": _OTP_MESSAGE, **_PARAMETERS, **_TIMES},
        ("reference", "receiver", "message"),
        {"reference": "login-77", "receiver": "08126666666", "message": "OTP Anda adalah %s"},
    ),
    "verify-otp": (
        "Verify a one-time password; it is right once.",
        {"reference": _WORD, "receiver": _NUMBER, "otp": _WORD, **_PARAMETERS},
        ("reference", "otp"),
        {"reference": "login-77", "receiver": "08126666666", "otp": "123456"},
    ),
    "request-ussd": (
        "Run a USSD command on a modem.",
        {"modem_id": _WORD, "ussd_code": {"type": "string", "pattern": r"^[*#][0-9*#]{1,160}$"}},
        ("modem_id", "ussd_code"),
        {"modem_id": "m0", "ussd_code": "*123#"},
    ),
    "get-modem-list": ("List the modems and their states.", {}, (), {}),
    "echo": ("Answer with the same data.", {}, (), {"hello": "there"}),
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
                "schema": {"type": "integer", "minimum": 0, "maximum": paths.WAIT_LIMIT},
            },
        },
        "requestBodies": {"Command": {"required": True, "content": {"application/json": _command_content()}}},
        "responses": {status: _response(status) for status in _STATUSES},
        "schemas": {
            "Word": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": r"^[!-~]+$"},
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
            command: {"summary": summary, "value": {"command": command, "data": example}}
            for command, (summary, _, _, example) in _COMMANDS.items()
        },
    }


def _command_schema(command: str) -> Json:
    summary, properties, required, _ = _COMMANDS[command]
    schema: Json = {
        "type": "object",
        "description": summary,
        "required": ["command"],
        "properties": {
            "command": {"const": command},
            "callback_topic": {"type": ["string", "null"], "minLength": 1, "maxLength": 256, "pattern": r"^[!-~]+$"},
            "callback_delay": {"type": ["integer", "null"], "minimum": 0, "maximum": 600_000, "description": "ms"},
        },
    }
    if properties:
        one = {"type": "object", "properties": properties, "required": list(required)}
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
