"""Reads what a plugin gives for a page: all of it is copied into plain values, bounded, and said in a language.

Called on the worker that asked the plugin: what it gave may be lazy, and have any methods.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any, Final, TypeVar

from otppi.admin.blocks.guard import NotShownError
from otppi.admin.blocks.shown import (
    ShownBlock,
    ShownButton,
    ShownCell,
    ShownChart,
    ShownFacts,
    ShownForm,
    ShownNotice,
    ShownOperations,
    ShownParagraph,
    ShownTable,
    ShownTile,
)
from otppi.admin.rendering import formats
from otppi.api.blocks import (
    Chart,
    ChartKind,
    Facts,
    Form,
    Level,
    Mark,
    Notice,
    OperationButton,
    Operations,
    Paragraph,
    Table,
    Timestamp,
)
from otppi.api.pages import Tile
from otppi.text import Text, _
from otppi.text.languages import translated

MOST_NAMES: Final = 30
"""Operations that one block names."""
MOST_ROWS: Final = 2000
MOST_COLUMNS: Final = 12
MOST_FACTS: Final = 60
MOST_POINTS: Final = 120
MOST_ARGUMENTS: Final = 20
LONGEST_PAGE: Final = 100
"""Rows of a table that are shown at once."""
LONGEST_CELL: Final = 300
LONGEST_TEXT: Final = 2000

_MORE: Final = "\N{HORIZONTAL ELLIPSIS}"
_UNPRINTABLE: Final = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127), "�")
"""Control characters that HTML and CSV cannot have; tab and line breaks are white space."""

T = TypeVar("T")


def read_block(block: object, language: str) -> ShownBlock:
    """Read one block.

    Raises:
        NotShownError: It is none, or has something in it that it cannot have.
    """
    for kind, read in _READERS.items():
        if isinstance(block, kind):
            return read(block, language)
    raise NotShownError(_("it is no block, but of the type {kind}", kind=type(block).__name__[:64]))


def read_tile(tile: object, language: str) -> ShownTile:
    """Read a tile.

    Raises:
        NotShownError: It is none.
    """
    if not isinstance(tile, Tile):
        raise NotShownError(_("it is no tile, but of the type {kind}", kind=type(tile).__name__[:64]))
    return ShownTile(_level(tile.level), _text(tile.text, language, LONGEST_CELL), bool(tile.link))


# -- values -----------------------------------------------------------------------------------------------------------


def _text(value: object, language: str, longest: int = LONGEST_TEXT) -> str:
    """Copy a text, said in a language; one that is too long ends with an ellipsis."""
    if not isinstance(value, str):
        raise NotShownError(_("a text is of the type {kind}", kind=type(value).__name__[:64]))
    said = str.__str__(translated(value, language) if isinstance(value, Text) else value)
    said = said if len(said) <= longest else said[: longest - 1] + _MORE
    return said.encode("utf-8", "replace").decode().translate(_UNPRINTABLE)


def _level(value: object) -> str:
    if not isinstance(value, Level):
        raise NotShownError(_("a level is of the type {kind}", kind=type(value).__name__[:64]))
    return value.value


def _number(value: float, language: str) -> str:
    """Write a number as people read it: a whole one without fraction, others with two digits of it at most."""
    if isinstance(value, int):
        return formats.number(value, language)
    if not math.isfinite(value):
        return "\N{EN DASH}"
    if value == int(value):
        return formats.number(int(value), language)
    return formats.number(value, language, 2)


def read_cell(value: object, language: str) -> ShownCell:
    """Read one value."""
    if value is None:
        return ShownCell("", "", is_number=False, sort=(2, 0.0, ""))
    if isinstance(value, bool):
        said = translated(_("yes") if value else _("no"), language)
        return ShownCell(said, said, is_number=False, sort=(1, 0.0, said))
    if isinstance(value, int | float):
        plain = int(value) if isinstance(value, int) else float(value)
        return ShownCell(_number(plain, language), f"{plain}", is_number=True, sort=(0, _order(plain), ""))
    if isinstance(value, Timestamp):
        return _moment(value, language)
    if isinstance(value, Mark):
        word = _text(value.word, language, LONGEST_CELL)
        return ShownCell(word, word, is_number=False, sort=(1, 0.0, word.casefold()), level=_level(value.level))
    if isinstance(value, OperationButton):
        return ShownCell("", "", is_number=False, sort=(2, 0.0, ""), button=_button(value, language))
    text = _text(value, language, LONGEST_CELL)
    return ShownCell(text, text, is_number=False, sort=(1, 0.0, text.casefold()))


def _order(number: float) -> float:
    try:
        return -math.inf if math.isnan(number) else float(number)
    except OverflowError:
        return math.inf


def _moment(value: Timestamp, language: str) -> ShownCell:
    seconds = value.seconds
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise NotShownError(_("a time is of the type {kind}", kind=type(seconds).__name__[:64]))
    try:
        said = formats.moment(float(seconds), language)
    except (OverflowError, ValueError, OSError):
        raise NotShownError(_("a time is none of this calendar")) from None
    return ShownCell(said, f"{float(seconds):.0f}", is_number=True, sort=(0, float(seconds), ""))


def _button(button: OperationButton, language: str) -> ShownButton:
    given = list(islice(_mapping(button.arguments).items(), MOST_ARGUMENTS))
    arguments = tuple((_text(name, language), _text(value, language)) for name, value in given)
    return ShownButton(_text(button.operation, language), arguments, _text(button.title, language, LONGEST_CELL))


def _mapping(value: object) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise NotShownError(_("facts are of the type {kind}", kind=type(value).__name__[:64]))
    return value


def _first(values: object, most: int) -> tuple[list[Any], bool]:
    """Return the first of several things, and whether there are more."""
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise NotShownError(_("rows are of the type {kind}", kind=type(values).__name__[:64]))
    found = list(islice(values, most + 1))
    return found[:most], len(found) > most


# -- blocks -----------------------------------------------------------------------------------------------------------


def _notice(block: Notice, language: str) -> ShownNotice:
    return ShownNotice(_level(block.level), _text(block.text, language))


def _paragraph(block: Paragraph, language: str) -> ShownParagraph:
    return ShownParagraph(_text(block.text, language))


def _facts(block: Facts, language: str) -> ShownFacts:
    given = list(islice(_mapping(block.facts).items(), MOST_FACTS))
    facts = tuple((_text(name, language, LONGEST_CELL), read_cell(value, language)) for name, value in given)
    return ShownFacts(_text(block.title, language, LONGEST_CELL), facts)


def _table(block: Table, language: str) -> ShownTable:
    columns, _more = _first(block.columns, MOST_COLUMNS)
    rows, cut = _first(block.rows, MOST_ROWS)
    return ShownTable(
        title=_text(block.title, language, LONGEST_CELL),
        columns=tuple(_text(one, language, LONGEST_CELL) for one in columns),
        rows=tuple(_row(one, number, block.columns, language) for number, one in enumerate(rows, 1)),
        empty=_text(block.empty, language),
        page_length=_page_length(block.page_length),
        cut=cut,
    )


def _row(row: object, number: int, columns: Sequence[str], language: str) -> tuple[ShownCell, ...]:
    cells, _more = _first(row, MOST_COLUMNS)
    if len(cells) != min(len(columns), MOST_COLUMNS) or _more != (len(columns) > MOST_COLUMNS):
        raise NotShownError(_("row {number} has not a cell for each column", number=number))
    return tuple(read_cell(one, language) for one in cells)


def _page_length(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise NotShownError(_("a number is of the type {kind}", kind=type(value).__name__[:64]))
    return max(1, min(int(value), LONGEST_PAGE))


def _chart(block: Chart, language: str) -> ShownChart:
    points, cut = _first(block.points, MOST_POINTS)
    if not isinstance(block.kind, ChartKind):
        raise NotShownError(_("a chart is of no kind that there is"))
    read = tuple(_point(one, language) for one in points)
    title, unit = _text(block.title, language, LONGEST_CELL), _text(block.unit, language, LONGEST_CELL)
    return ShownChart(title, block.kind, unit, read, cut)


def _point(point: object, language: str) -> tuple[str, float, str]:
    if not isinstance(point, Sequence) or isinstance(point, str) or len(point) != 2:
        raise NotShownError(_("a point of a chart is no name with a number"))
    name, value = point
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(_order(value)):
        raise NotShownError(_("a point of a chart is no name with a number"))
    return _text(name, language, LONGEST_CELL), _order(value), _number(value, language)


def _form(block: Form, language: str) -> ShownForm:
    return ShownForm(_text(block.section, language))


def _operations(block: Operations, language: str) -> ShownOperations:
    names, _more = _first(block.names, MOST_NAMES)
    return ShownOperations(tuple(_text(one, language) for one in names))


_READERS: Final[Mapping[type[Any], Callable[[Any, str], ShownBlock]]] = MappingProxyType(
    {
        Notice: _notice,
        Paragraph: _paragraph,
        Facts: _facts,
        Table: _table,
        Chart: _chart,
        Form: _form,
        Operations: _operations,
    }
)
