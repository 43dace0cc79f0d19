"""Reads JSON files of another program: whatever they hold, a value or the reason why there is none."""

import json
from typing import Any, NoReturn

from otppi.text import _


class NotReadable(ValueError):  # noqa: N818 - reads better at the raise
    """A file is not of the form that its program writes; says why."""


def json_value(text: str) -> Any:
    """Read a JSON text.

    Raises:
        NotReadable: It is none, or is nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=_no_number, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        raise NotReadable(
            _("is not valid JSON at line {lineno}, column {colno}", lineno=error.lineno, colno=error.colno)
        ) from None
    except RecursionError:
        raise NotReadable(_("is nested too deeply")) from None


def json_object(text: str) -> dict[str, Any]:
    """Read a JSON text that is an object.

    Raises:
        NotReadable: It is none.
    """
    value = json_value(text)
    if not isinstance(value, dict):
        raise NotReadable(_("must be an object"))
    return value


def json_objects(text: str) -> dict[str, dict[str, Any]]:
    """Read a JSON text that is an object of objects, by their keys.

    Raises:
        NotReadable: It is none.
    """
    found = json_object(text)
    for key, value in found.items():
        if not isinstance(value, dict):
            raise NotReadable(_("{key}: must be an object", key=key[:64]))
    return found


def _whole_number(digits: str) -> int:
    if len(digits) > 20:
        raise NotReadable(_("has a number that is too large"))
    return int(digits)


def _no_number(_name: str) -> NoReturn:
    raise NotReadable(_("has a number that is none: NaN or Infinity"))
