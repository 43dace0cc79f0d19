"""Reads the JSON of a request, strictly and within bounds: what it does not hold for certain is refused (RFC 7493)."""

import json
import math
import re
from typing import Any, Final

from otppi.api.errors import OtpPiError
from otppi.text import _

LARGEST: Final = 262_144
"""Octets of a body."""
DEEPEST: Final = 32
"""Brackets within one another: a document of settings in the arguments of an operation has eight."""

# A string, closed or cut off, is one token (possessive: it never backtracks, so hostile bodies cost linear time).
_STRUCTURE = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{\]}]', re.DOTALL)
_STEPS: Final = {"[": 1, "{": 1, "]": -1, "}": -1}


class NotJson(OtpPiError):  # noqa: N818 - reads better at the raise
    """A body that is no JSON text, or one that readers would understand differently. Never quotes it."""


def load(body: bytes) -> object:
    """Read a JSON text (RFC 8259) that is I-JSON (RFC 7493): each name once, numbers and texts that others can hold.

    Args:
        body: UTF-8, at most `LARGEST` octets.

    Raises:
        NotJson: It is not, or is nested deeper than `DEEPEST`; with the reason.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise NotJson(_("is not valid UTF-8 at byte {start}", start=error.start)) from None
    if not text.strip():
        raise NotJson(_("is empty"))
    _check_depth(text)
    try:
        value: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotJson(
            _("is not valid JSON at line {lineno}, column {colno}", lineno=error.lineno, colno=error.colno)
        ) from None
    if "\\u" in text:
        _check_texts(value)
    return value


def _check_depth(text: str) -> None:
    """Refuse what is nested too deeply, before anything is made of it."""
    depth = 0
    for token in _STRUCTURE.finditer(text):
        depth += _STEPS.get(token[0], 0)
        if depth > DEEPEST:
            raise NotJson(_("is nested too deeply"))


def _check_texts(value: object) -> None:
    """Refuse half of a surrogate pair, which no UTF-8 can hold (RFC 7493 2.1)."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise NotJson(_("holds half of a surrogate pair")) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object each of whose names is there once (RFC 7493 2.3)."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise NotJson(_("has an object with a name that is given twice"))
    return made


def _number(digits: str) -> float:
    """Read a number that a double can hold (RFC 7493 2.2)."""
    value = float(digits)
    if not math.isfinite(value):
        raise NotJson(_("has a number that is too large"))
    return value


def _whole_number(digits: str) -> int:
    _number(digits)  # before the digits are read: that takes as long as their square
    return int(digits)


def _constant(_name: str) -> object:
    raise NotJson(_("has a number that is none: NaN or Infinity"))


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_whole_number, parse_float=_number, parse_constant=_constant
)
