"""Owns the fields of a command's data: how each is read, and which command takes and needs which."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from otppi.text import _


class Command(StrEnum):
    """What a sender may ask for."""

    SEND_SMS = "send-sms"
    SEND_MAIL = "send-mail"
    SEND_MESSAGE = "send-message"
    BLOCK_MSISDN = "block-msisdn"
    UNBLOCK_MSISDN = "unblock-msisdn"
    REQUEST_OTP = "request-otp"
    VERIFY_OTP = "verify-otp"
    REQUEST_USSD = "request-ussd"
    GET_MODEM_LIST = "get-modem-list"
    ECHO = "echo"


COMMAND_NAMES: Mapping[str, Command] = {
    **{command.value: command for command in Command},
    "send-email": Command.SEND_MAIL,
}

SENDING = frozenset((Command.SEND_SMS, Command.SEND_MAIL, Command.SEND_MESSAGE))
WITHOUT_DATA = frozenset((Command.GET_MODEM_LIST, Command.ECHO))

Reader = Callable[[object], Any]
"""Takes a value as it stands in the JSON; returns it as :class:`Item` keeps it, or raises WrongValueError."""

# Unix seconds beyond this are milliseconds: in seconds it is the year 5138, in milliseconds 1973.
_SECONDS_LIMIT = 100_000_000_000
_NOT_IN_TEXT = re.compile("[\0\ud800-\udfff]")
_NOT_IN_LINE = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class WrongValueError(Exception):
    """A field's value is not acceptable; the text is the reason, and never quotes the value."""


def text(
    limit: int, *, one_line: bool = False, may_be_empty: bool = False, or_number: bool = False
) -> Callable[[object], str]:
    """Make a reader of text with at most ``limit`` characters; a whole number is taken as its digits where it may be.

    The original's parser gives text for any number. A number with a point is refused: 1.50 would become 1.5.
    """
    forbidden = _NOT_IN_LINE if one_line else _NOT_IN_TEXT

    def read(value: object) -> str:
        if or_number and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise WrongValueError(_("must be text or a whole number") if or_number else _("must be text in quotes"))
        if not may_be_empty and not value.strip():
            raise WrongValueError(_("must not be empty"))
        if len(value) > limit:
            raise WrongValueError(_("must not be longer than {limit:,} characters", limit=limit))
        # What is printable has none of these characters: nearly all texts are, and it is told many times sooner.
        if not value.isprintable() and (wrong := forbidden.search(value)) is not None:
            raise WrongValueError(_character_reason(wrong[0]))
        return value

    return read


def _character_reason(character: str) -> str:
    if character == "\0":
        return _("must not contain a NUL character")
    if "\ud800" <= character <= "\udfff":
        return _("must not contain half of a surrogate pair")
    return _("must be one line without control characters")


def word(limit: int, *, may_be_empty: bool = False) -> Reader:
    """Make a reader of an identifier: text of one line, or a whole number, which is kept as text."""
    return text(limit, one_line=True, may_be_empty=may_be_empty, or_number=True)


def whole_number(limit: int) -> Reader:
    """Make a reader of a whole number from 0 to ``limit``, also given as digits in quotes."""

    def read(value: object) -> int:
        number = _integer(value)
        if number > limit:
            raise WrongValueError(_("must not be more than {limit:,}", limit=limit))
        return number

    return read


def _integer(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongValueError(_("must be a whole number"))
    if value < 0:
        raise WrongValueError(_("must not be negative"))
    return value


def unix_time(value: object) -> int:
    """Read a moment in Unix seconds."""
    number = _integer(value)
    if number > _SECONDS_LIMIT:
        unit = "milliseconds" if number < _SECONDS_LIMIT * 1000 else _("another unit")
        raise WrongValueError(_("must be Unix time in seconds; this looks like {unit}", unit=unit))
    return number


def flag(value: object) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise WrongValueError(_("must be true or false"))
    return value


def priority(value: object) -> str:
    """Read a priority."""
    if value not in ("otp", "bulk") or not isinstance(value, str):
        raise WrongValueError(_('must be "otp" or "bulk"'))
    return value


PARAMETERS = ("param1", "param2", "param3", "param4")

# A field's name in the request, the attribute of Item that it becomes, and its reader.
_RECEIVER: Mapping[str, tuple[str, Reader]] = {
    name: ("receiver", word(320)) for name in ("receiver", "msisdn", "recipient")
}
_FIELDS: Mapping[str, tuple[str, Reader]] = {
    "id": ("id", word(128)),
    "message": ("message", text(10_000, or_number=True)),
    "subject": ("subject", text(900, one_line=True, may_be_empty=True)),
    "date_time": ("date_time", unix_time),
    "expiration": ("expiration", unix_time),
    "reference": ("reference", word(128)),
    "otp": ("otp", word(64)),
    "modem_id": ("modem_id", word(128)),
    "ussd_code": ("ussd_code", text(182, one_line=True)),
    "session": ("session", word(64)),
    "priority": ("priority", priority),
    "flash": ("flash", flag),
    **{name: (name, word(1_000, may_be_empty=True)) for name in PARAMETERS},
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What one command's data looks like.

    Attributes:
        fields: The fields that it takes; others are ignored, such as a sender's own.
        required: Attributes that must be there.
        checks: Further demands: attribute, test, reason.
    """

    fields: Mapping[str, tuple[str, Reader]]
    required: tuple[str, ...]
    checks: tuple[tuple[str, Callable[[str], bool], str], ...] = ()


def _fields(*names: str) -> Mapping[str, tuple[str, Reader]]:
    return {name: _FIELDS[name] for name in ("id", *names)}


def _addressed(*names: str) -> Mapping[str, tuple[str, Reader]]:
    return {**_RECEIVER, **_fields(*names)}


_MESSAGE = _addressed("message", "subject", "date_time", "expiration", "reference", "priority", "flash", "modem_id")
_SENDING_SHAPE = Shape(_MESSAGE, ("receiver", "message"))
_BLOCKING_SHAPE = Shape(_addressed(), ("receiver",))

SHAPES: Mapping[Command, Shape] = {
    Command.SEND_SMS: _SENDING_SHAPE,
    Command.SEND_MESSAGE: _SENDING_SHAPE,
    Command.SEND_MAIL: Shape(
        _MESSAGE,
        ("receiver", "message"),
        (("receiver", lambda value: "@" in value, _("must be an e-mail address")),),
    ),
    Command.BLOCK_MSISDN: _BLOCKING_SHAPE,
    Command.UNBLOCK_MSISDN: _BLOCKING_SHAPE,
    Command.REQUEST_OTP: Shape(
        {**_MESSAGE, **_fields(*PARAMETERS)},
        ("reference", "receiver", "message"),
        (
            ("message", lambda value: value.count("%s") == 1, "must contain %s exactly once, where the code goes"),
            ("priority", lambda value: value == "otp", _('must be "otp": the code of a person who waits')),
        ),
    ),
    Command.VERIFY_OTP: Shape(_addressed("reference", "otp", "date_time", *PARAMETERS), ("reference", "otp")),
    Command.REQUEST_USSD: Shape(_fields("modem_id", "ussd_code", "session"), ("modem_id", "ussd_code")),
}
