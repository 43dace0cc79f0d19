"""Values as a field shows them, and as a sentence says them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from otppi.admin.forms.numbers import written
from otppi.api.settings import REDACTED, Kind, Setting
from otppi.text import _, joined

_LONGEST: Final = 60
"""Characters of a value in a sentence."""
_UNWRITABLE: Final = re.compile("[\0\ud800-\udfff]")
_LINE_BREAK: Final = re.compile("\r\n?|\n")

Cells = Mapping[str, str | bool]
"""What stands in one row: a text in each field, and of a switch its state."""


@dataclass(frozen=True, slots=True)
class SecretEntry:
    """What was done with a secret; what was typed is forgotten.

    Attributes:
        typed: Whether one was typed, which has to be typed again where the form could not be saved.
        clears: Whether it is to be removed.
    """

    typed: bool
    clears: bool


Entry = str | bool | tuple[Cells, ...] | SecretEntry
"""What stands in a field, or was done with it."""


def entry_of(setting: Setting, value: Any) -> Entry:
    """Return what stands in a field for a value."""
    if setting.kind is Kind.ROWS:
        rows = value if isinstance(value, list | tuple) else ()
        return tuple(cells_of(setting, row) for row in rows if isinstance(row, Mapping))
    if setting.secret:
        return SecretEntry(typed=False, clears=False)
    if setting.kind is Kind.BOOLEAN:
        return bool(value)
    return text_of(setting, value)


def cells_of(setting: Setting, row: Mapping[str, Any]) -> Cells:
    """Return what stands in the fields of a row; of a new one, where it is empty, nothing that has to be given."""
    return {
        column.key: bool(value) if column.kind is Kind.BOOLEAN else text_of(column, value)
        for column in setting.columns
        for value in [row.get(column.key, "" if column.required else column.default)]
    }


def text_of(setting: Setting, value: Any) -> str:
    """Return the text that stands in a field for a value."""
    if value is None:
        return ""
    if setting.kind is Kind.ANY:
        return printable(json.dumps(value, ensure_ascii=False, indent=2))
    if isinstance(value, list | tuple):
        return printable("\n".join(map(str, value)))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return written(value)
    return printable(str(value))


def printable(text: str) -> str:
    """Replace what cannot stand in a page, such as half of a surrogate pair."""
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def as_sent(setting: Setting, text: str) -> str:
    """Return a text as a browser sends it: that of one line without line breaks, of several with ones of one kind."""
    return _LINE_BREAK.sub("\n" if setting.kind in (Kind.TEXT_LIST, Kind.ANY) else "", text)


def sent_back(setting: Setting, entry: Entry) -> Entry:
    """Return what comes back of an entry that nobody has touched."""
    if isinstance(entry, tuple):
        return tuple({one.key: _cell_sent_back(one, cells[one.key]) for one in setting.columns} for cells in entry)
    return as_sent(setting, entry) if isinstance(entry, str) and _LINE_BREAK.search(entry) else entry


def _cell_sent_back(column: Setting, cell: str | bool) -> str | bool:
    return as_sent(column, cell) if isinstance(cell, str) and _LINE_BREAK.search(cell) else cell


def spoken(setting: Setting, value: Any) -> str:
    """Say a value in a sentence, with its unit; never a secret."""
    if setting.secret:
        return _("set") if value else _("not set")
    if setting.kind is Kind.BOOLEAN:
        return _("yes") if value else _("no")
    if setting.kind is Kind.ROWS:
        return _.plural("{count} row", "{count} rows", count=len(value)) if value else _("none")
    if setting.kind is Kind.TEXT_LIST:
        return shortened(", ".join(value)) if value else _("none")
    if value is None or value == "":
        return _("empty")
    if setting.kind in (Kind.INTEGER, Kind.NUMBER):
        return joined(" ", [written(value), setting.unit]) if setting.unit else written(value)
    return title_of(setting, value) or shortened(text_of(setting, value))


def title_of(setting: Setting, value: Any) -> str:
    """Return what people call one of a setting's choices; empty where it is none."""
    return setting.choice_title(value) if value in setting.choices else ""


def shortened(text: str) -> str:
    """Cut a text that is long."""
    text = printable(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"


def is_stored(value: Any) -> bool:
    """Whether a secret is set, be it shown or not (`REDACTED`)."""
    return value == REDACTED or bool(value)
