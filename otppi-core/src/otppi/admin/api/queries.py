"""The arguments of an operation in the query of an address: of those that only read, and no secrets (ASVS 14.2.1)."""

import re
from typing import Any, Final
from urllib.parse import parse_qsl

from otppi.admin.api.problems import MALFORMED, Problem
from otppi.api.operations import Operation
from otppi.api.settings import Kind, Setting
from otppi.text import _
from otppi.wire.errors import FieldError

_MOST_FIELDS: Final = 100
_SIMPLE: Final = frozenset({Kind.TEXT, Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN, Kind.TEXT_LIST})
_WHOLE_NUMBER = re.compile("-?(0|[1-9][0-9]{0,18})", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,19})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_SWITCH: Final = {"true": True, "false": False}


def by_address(operation: Operation) -> bool:
    """Return whether an operation can be asked for by GET: it only reads, and its arguments are few words."""
    return operation.reads_only and all(one.kind in _SIMPLE and not one.secret for one in operation.parameters)


def arguments_of(operation: Operation, query: str) -> dict[str, Any]:
    """Read a query as the arguments of an operation; what cannot be read stays a text, which the operation refuses.

    Numbers, true and false are written as in JSON; a list has commas between its texts.

    Raises:
        Problem: It is no query, or names an argument twice.
    """
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, strict_parsing=bool(query), errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:  # of UnicodeDecodeError too; its words quote the query
        raise Problem(MALFORMED, errors=[FieldError("query", _("is not valid"))]) from None
    given = dict(pairs)
    if len(given) != len(pairs):
        raise Problem(MALFORMED, errors=[FieldError("query", _("has an argument that is given twice"))])
    known = {one.key: one for one in operation.parameters}
    return {name: _read(known[name], value) if name in known else value for name, value in given.items()}


def _read(setting: Setting, value: str) -> Any:
    if setting.kind is Kind.TEXT_LIST:
        return value.split(",") if value else []
    if setting.kind is Kind.BOOLEAN:
        return _SWITCH.get(value, value)
    if setting.kind is Kind.INTEGER and _WHOLE_NUMBER.fullmatch(value):
        return int(value)
    if setting.kind is Kind.NUMBER and _NUMBER.fullmatch(value):
        return float(value)
    return value
