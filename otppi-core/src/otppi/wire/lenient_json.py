"""Owns the reading of JSON as senders really write it: strictly first, then with the flaws that the original took.

The original program's parser accepts a comma before a closing bracket, and ``;`` where a comma belongs; its own
documents show both a trailing comma and strict JSON. Everything else that strict JSON forbids, and what JSON leaves
open (a key given twice, a number without end), is an error with the name of the field.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from otppi.text import _
from otppi.wire.errors import EnvelopeError, FieldError

DIGITS_LIMIT = 128
"""Most digits of a whole number."""
_ERRORS_LIMIT = 50
_BOM = b"\xef\xbb\xbf"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")
"""Such as fields have."""

# A string, closed or cut off, is one token (possessive: it never backtracks, so hostile bodies cost linear time).
_STRING = r'"(?:[^"\\]++|\\.)*+"?'
_SEPARATOR = re.compile(rf"(?P<string>{_STRING})|(?P<trailing>[,;])(?=\s*+[\]}}])|;", re.DOTALL)
_STRUCTURE = re.compile(r'"(?:[^"\\]++|\\.)*+(?P<end>"?)|[\[{\]}]', re.DOTALL)


class _FlawError(Exception):
    """The fast decoder met what JSON leaves open; the careful one will say where."""


@dataclass(frozen=True, slots=True)
class _Flaw:
    """Stands in the careful decoder's result where a value is not acceptable."""

    reason: str


def load(body: bytes) -> object:
    """Read a JSON text.

    Args:
        body: UTF-8, with or without byte order mark, and with or without NULs behind its end.

    Raises:
        EnvelopeError: It is no acceptable JSON; names the field, or ``body``.
    """
    text = _decode(body)
    try:
        try:
            return _FAST.decode(text)
        except (json.JSONDecodeError, _FlawError):
            return _load_carefully(_repair(text))
    except RecursionError:
        raise _body_error(_("is nested too deeply")) from None


def _load_carefully(text: str) -> object:
    try:
        value: object = _CAREFUL.decode(text)
    except json.JSONDecodeError as error:
        raise _body_error(_syntax_reason(text, error)) from None
    errors = tuple(islice(_flaws(value, ""), _ERRORS_LIMIT))
    if errors:
        raise EnvelopeError(errors)
    return value


def _decode(body: bytes) -> str:
    # A client in C sends the octet that ends its string along with it (homebridge-mqtt#75).
    body = body.removeprefix(_BOM).rstrip(b"\0")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        cut = error.end == len(body) and error.reason == "unexpected end of data"
        reason = _CUT if cut else _("is not valid UTF-8 at byte {start}", start=error.start)
        raise _body_error(reason) from None


def _repair(text: str) -> str:
    """Turn the original's dialect into JSON, outside strings only, and keep every character's place."""

    def mend(token: re.Match[str]) -> str:
        if token["string"]:
            return token["string"]
        return " " if token["trailing"] else ","

    return _SEPARATOR.sub(mend, text)


_CUT = _("ends in the middle: it was cut off, or its declared length is too short")


def _syntax_reason(text: str, error: json.JSONDecodeError) -> str:
    """Return what is wrong, without a word of the text."""
    if not text.strip():
        return _("is empty")
    if error.msg == "Extra data":
        return _("has more behind its end, at line {lineno}, column {colno}", lineno=error.lineno, colno=error.colno)
    if _is_cut(text):
        return _CUT
    return _("is not valid JSON at line {lineno}, column {colno}", lineno=error.lineno, colno=error.colno)


def _is_cut(text: str) -> bool:
    """Return whether a string or a bracket is still open at the end."""
    depth = 0
    for token in _STRUCTURE.finditer(text):
        if token["end"] == "":
            return True
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
    return depth > 0


def _flaws(value: object, path: str) -> Iterator[FieldError]:
    """Find what the careful decoder marked, and name its place."""
    if isinstance(value, _Flaw):
        yield FieldError(path or "body", value.reason)
    elif isinstance(value, dict):
        for key, item in value.items():
            # Places are logged, and a client that mixes up names and values may have a text where a name should be.
            name = key if _NAME.fullmatch(key) else _("(no name)")
            yield from _flaws(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flaws(item, f"{path}[{index}]")


def _body_error(reason: str) -> EnvelopeError:
    return EnvelopeError([FieldError("body", reason)])


def _careful_integer(digits: str) -> int | _Flaw:
    return (
        int(digits)
        if len(digits) <= DIGITS_LIMIT
        else _Flaw(_("has more than {digits_limit} digits", digits_limit=DIGITS_LIMIT))
    )


def _careful_real(digits: str) -> float | _Flaw:
    value = float(digits)
    return value if math.isfinite(value) else _careful_constant(digits)


def _careful_constant(_name: str) -> _Flaw:
    return _Flaw(_("must be a finite number"))


def _careful_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result: dict[str, object] = {}
    for key, value in pairs:
        result[key] = _Flaw(_("is given twice")) if key in result else value
    return result


def _fast_integer(digits: str) -> int:
    if len(digits) > DIGITS_LIMIT:
        raise _FlawError
    return int(digits)


def _fast_real(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _FlawError
    return value


def _fast_constant(_name: str) -> object:
    raise _FlawError


def _fast_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _FlawError
    return result


_FAST = json.JSONDecoder(
    object_pairs_hook=_fast_object, parse_int=_fast_integer, parse_float=_fast_real, parse_constant=_fast_constant
)
_CAREFUL = json.JSONDecoder(
    object_pairs_hook=_careful_object,
    parse_int=_careful_integer,
    parse_float=_careful_real,
    parse_constant=_careful_constant,
)
