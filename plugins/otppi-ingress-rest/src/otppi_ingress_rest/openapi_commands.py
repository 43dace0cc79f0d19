"""The commands as the OpenAPI document shows them: the fields of each, in JSON Schema, and an example."""

from collections.abc import Mapping
from typing import Any, NamedTuple

Json = dict[str, Any]

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


def _moment(description: str) -> Json:
    return {
        "description": description,
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": _LAST_SECOND},
            {"type": "string", "pattern": r"^0{0,9}[0-9]{1,11}$"},
        ],
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
_DIGITS: Json = {"type": "integer", "minimum": 0, "description": "A telephone number without its +."}
_TELEPHONE: Json = {"description": _NUMBER["description"], "anyOf": [_NUMBER, _DIGITS]}
_ANYBODY: Json = {"description": "A telephone number, or an e-mail address.", "anyOf": [_NUMBER, _DIGITS, _MAIL]}
_OTP_TEXT: Json = {
    "type": "string",
    "maxLength": 10_000,
    "pattern": r"^([^%\u0000]|%+[^%s\u0000])*%+s([^%\u0000]|%+[^%s\u0000])*%*$",
    "description": "The text, with %s once, where the code goes.",
}

# Field of data → its schema; a command's own receiver or message goes before these.
_FIELDS: Mapping[str, Json] = {
    "id": _word(128, "With receiver and text it tells a duplicate."),
    "message": {
        "description": "The text. It is kept in memory only, until its final state.",
        "anyOf": [
            {"type": "string", "maxLength": 10_000, "pattern": r"^[^\u0000]*[^\u0000-\u0020\s][^\u0000]*$"},
            {"type": "integer"},
        ],
    },
    "subject": {**_line(900, blank=True), "description": "Of an e-mail; refused where the receiver is a number."},
    "date_time": _moment("When it was made, in Unix seconds; tells a clock that is wrong."),
    "expiration": _moment("When it is worth nothing any more, in Unix seconds; it is not sent after."),
    "reference": _word(128, "Of a message: given back in its answers. Of a one-time password: what it is for."),
    "priority": {
        "type": "string",
        "enum": ["otp", "bulk"],
        "description": "One-time passwords go before bulk messages.",
    },
    "flash": {"type": "boolean", "description": "An SMS that is shown at once and not kept by the telephone."},
    "otp": _word(64, "The one-time password to verify."),
    "modem_id": _word(128, "The one modem that is to send it, or to run the code; 1206 where there is none."),
    "ussd_code": {**_line(182), "description": "Such as *123#; with `session` the reply that the network waits for."},
    "session": _word(64, "The USSD session to go on with, as an answer with `reply_wanted` named it."),
    **{f"param{number}": _word(1000, "Part of the reference.", blank=True) for number in range(1, 5)},
}
_EXAMPLES: Mapping[str, Any] = {
    "id": "A-1",
    "receiver": "08126666666",
    "message": "OTP Anda adalah 1234",
    "subject": "OTP",
    "date_time": 1_800_000_000,
    "expiration": 1_800_000_300,
    "reference": "login-77",
    "priority": "otp",
    "flash": False,
    "otp": "123456",
    "modem_id": "m0",
    "ussd_code": "*123#",
    "session": "0123456789abcdef",
    "param1": "Budi",
    "param2": "web",
    "param3": "10.15",
    "param4": "id",
}
"""Of each field; what generators and Postman fill in. A command's own example goes before these."""
_SENDING = ("id", "subject", "date_time", "expiration", "reference", "priority", "flash", "modem_id")
_PARAMETERS = ("param1", "param2", "param3", "param4")


class Command(NamedTuple):
    """A command as the document shows it. `own` are schemas of fields that are special to it."""

    summary: str
    example: Json
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    own: Mapping[str, Json] = {}

    def data(self) -> Json:
        """Describe one command's data."""
        properties: Json = {name: self._field(name) for name in self.required}
        properties |= {name: self._field(name, nullable=name != "id") for name in self.optional}
        return {"type": "object", "properties": properties, "required": list(self.required)}

    def body(self, name: str) -> Json:
        """Return the body of a request that sends it."""
        return {"command": name, "data": self.example}

    def _field(self, name: str, *, nullable: bool = False) -> Json:
        schema = self.own.get(name) or _FIELDS[name]
        described = {"description": schema["description"]} if nullable and "description" in schema else {}
        field = {**described, "anyOf": [schema, _NULL]} if nullable else schema
        return {**field, "examples": [self.example.get(name, _EXAMPLES[name])]}


COMMANDS: Mapping[str, Command] = {
    "send-sms": Command(
        "Send an SMS; a receiver with @ makes it an e-mail.",
        {"id": 123456, "receiver": "08126666666", "message": "OTP Anda adalah 1234"},
        ("receiver", "message"),
        _SENDING,
        {"receiver": _ANYBODY},
    ),
    "send-email": Command(
        "Send an e-mail.",
        {"id": 123456, "receiver": "someone@domain.tld", "subject": "OTP", "message": "OTP Anda adalah 1234"},
        ("receiver", "message"),
        _SENDING,
        {"receiver": _MAIL},
    ),
    "send-message": Command(
        "Send an SMS or an e-mail, as the receiver is.",
        {"id": "A-1", "receiver": "+628126666666", "message": "OTP Anda adalah 1234"},
        ("receiver", "message"),
        _SENDING,
        {"receiver": _ANYBODY},
    ),
    "block-msisdn": Command(
        "Put a number on the blocking list.",
        {"receiver": "08126666666"},
        ("receiver",),
        ("id",),
        {"receiver": _TELEPHONE},
    ),
    "unblock-msisdn": Command(
        "Take a number off the blocking list.",
        {"receiver": "08126666666"},
        ("receiver",),
        ("id",),
        {"receiver": _TELEPHONE},
    ),
    "request-otp": Command(
        "Make a one-time password and send it.",
        {"reference": "login-77", "receiver": "08126666666", "message": "OTP Anda adalah %s"},
        ("reference", "receiver", "message"),
        (*(name for name in _SENDING if name != "reference"), *_PARAMETERS),
        {
            "receiver": _ANYBODY,
            "message": _OTP_TEXT,
            "priority": {"type": "string", "enum": ["otp"], "description": "Always this."},
        },
    ),
    "verify-otp": Command(
        "Verify a one-time password; it is right once.",
        {"reference": "login-77", "receiver": "08126666666", "otp": "123456"},
        ("reference", "otp"),
        ("id", "receiver", "date_time", *_PARAMETERS),
        {"receiver": _ANYBODY},
    ),
    "request-ussd": Command(
        "Run a USSD command on a modem; `data.text` is the network's answer.",
        {"modem_id": "m0", "ussd_code": "*123#"},
        ("modem_id", "ussd_code"),
        ("id", "session"),
    ),
    "get-modem-list": Command("List the modems and their states.", {}),
    "echo": Command("Answer with the same data.", {"hello": "there"}),
}


def command_schema(name: str) -> Json:
    """Describe one command's envelope."""
    command = COMMANDS[name]
    schema: Json = {
        "type": "object",
        "description": command.summary,
        "required": ["command"],
        "properties": {
            "command": {"type": "string", "enum": [name], "description": "The command.", "examples": [name]},
        },
    }
    if command.required:
        one = command.data()
        many = {"type": "array", "items": one, "minItems": 1, "maxItems": 100, "description": "Several commands' data."}
        schema["properties"]["data"] = {"anyOf": [one, many]}
        schema["required"].append("data")
    else:
        schema["properties"]["data"] = {"description": "Anything, or nothing."}
    schema["properties"]["data"]["examples"] = [command.example]
    return schema
