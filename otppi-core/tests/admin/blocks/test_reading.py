"""What plugins give comes to plain values of a bounded size, or to a sentence of ours."""

import enum
import itertools
from typing import Any

import pytest

from otppi.admin.blocks import reading
from otppi.admin.blocks.guard import NotShownError
from otppi.admin.blocks.reading import read_block, read_cell, read_tile
from otppi.admin.blocks.shown import ShownChart, ShownFacts, ShownOperations, ShownParagraph, ShownTable
from otppi.api.blocks import (
    Chart,
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
from otppi.text import _


class Sly(str):
    """A text that claims to be another one wherever it is asked."""

    __slots__ = ()

    def __str__(self) -> str:
        raise AssertionError("nobody asks it")

    def encode(self, *_arguments: object) -> bytes:
        raise AssertionError("nobody asks it")


class Colour(enum.IntEnum):
    RED = 3


@pytest.mark.parametrize(
    ("value", "language", "text", "raw"),
    [
        (1234567, "id", "1.234.567", "1234567"),
        (1234.5, "id", "1.234,50", "1234.5"),
        (1234.0, "en", "1,234", "1234.0"),
        (Colour.RED, "en", "3", "3"),
        (True, "id", "ya", "ya"),
        (None, "en", "", ""),
        (-(10**12), "id", "-1.000.000.000.000", "-1000000000000"),
        (float("nan"), "en", "\N{EN DASH}", "nan"),
        (_("yes"), "id", "ya", "ya"),
        ("a\x00b\ud800c\n", "en", "a\N{REPLACEMENT CHARACTER}b?c\n", "a\N{REPLACEMENT CHARACTER}b?c\n"),
        ("x" * 400, "en", "x" * 299 + "…", "x" * 299 + "…"),
        (Mark(Level.WARN, "low"), "en", "low", "low"),
    ],
)
def test_a_value_is_written_for_people_and_for_programs(value: Any, language: str, text: str, raw: str) -> None:
    cell = read_cell(value, language)
    assert (cell.text, cell.raw) == (text, raw)


def test_a_text_is_copied_whatever_its_methods_say() -> None:
    shown = read_block(Paragraph(Sly("<b>")), "en")
    assert isinstance(shown, ShownParagraph)
    assert type(shown.text) is str
    assert shown.text == "<b>"


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ("a text", "no block, but of the type str"),
        (None, "no block, but of the type NoneType"),
        (Paragraph, "no block, but of the type type"),
        (Paragraph(7), "a text is of the type int"),  # type: ignore[arg-type]  # what a plugin may do
        (Notice("bad", "x"), "a level is of the type str"),  # type: ignore[arg-type]
        (Facts([("a", 1)]), "facts are of the type list"),  # type: ignore[arg-type]
        (Facts({"a": object()}), "a text is of the type object"),  # type: ignore[dict-item]
        (Facts({"a": b"x"}), "a text is of the type bytes"),  # type: ignore[dict-item]
        (Table(title="t", columns=("a", "b"), rows=[("1",)]), "row 1 has not a cell for each column"),
        (Table(title="t", columns=("a",), rows=[("1",), ("1", "2")]), "row 2 has not a cell for each column"),
        (Table(title="t", columns=("a",), rows="rows"), "rows are of the type str"),
        (Table(title="t", columns=("a",), rows=[7]), "rows are of the type int"),  # type: ignore[list-item]
        (Table(title="t", columns=("a",), rows=[], page_length="9"), "a number is of"),  # type: ignore[arg-type]
        (Table(title="t", columns=("a",), rows=[(Timestamp(1e300),)]), "a time is none of this calendar"),
        (Table(title="t", columns=("a",), rows=[(Timestamp("now"),)]), "a time is of"),  # type: ignore[arg-type]
        (Chart(title="t", points=[("a", float("inf"))]), "a point of a chart is no name with a number"),
        (Chart(title="t", points=[("a", 10**400)]), "a point of a chart is no name with a number"),
        (Chart(title="t", points=["ab"]), "a point of a chart"),  # type: ignore[list-item]
        (Chart(title="t", points=[("a", "1")]), "a point of a chart"),  # type: ignore[list-item]
        (Chart(title="t", points=[], kind="pie"), "a chart is of no kind"),  # type: ignore[arg-type]
        (Form(7), "a text is of the type int"),  # type: ignore[arg-type]
        (Operations("all"), "rows are of the type str"),
        (Facts({"a": OperationButton("x", {"y": 7})}), "a text is of the type int"),  # type: ignore[dict-item]
    ],
)
def test_nonsense_is_told_in_our_words(block: Any, reason: str) -> None:
    with pytest.raises(NotShownError, match=reason):
        read_block(block, "en")


def test_what_is_endless_is_cut() -> None:
    table = read_block(Table(title="t", columns=["n"], rows=([n] for n in itertools.count())), "en")
    chart = read_block(Chart(title="t", points=((str(n), n) for n in itertools.count())), "en")
    assert isinstance(table, ShownTable)
    assert isinstance(chart, ShownChart)
    assert (len(table.rows), table.cut) == (reading.MOST_ROWS, True)
    assert (len(chart.points), chart.cut) == (reading.MOST_POINTS, True)
    facts = read_block(Facts({str(n): n for n in range(1000)}), "en")
    assert isinstance(facts, ShownFacts)
    assert len(facts.facts) == reading.MOST_FACTS
    wide = read_block(Table(title="t", columns=["c"] * 40, rows=[["v"] * 40]), "en")
    assert isinstance(wide, ShownTable)
    assert (len(wide.columns), len(wide.rows[0])) == (reading.MOST_COLUMNS, reading.MOST_COLUMNS)
    operations = read_block(Operations(["x"] * 1000), "en")
    assert isinstance(operations, ShownOperations)
    assert len(operations.names) == reading.MOST_NAMES
    huge = read_block(Table(title="t", columns=["c"], rows=[], page_length=10**6), "en")
    assert isinstance(huge, ShownTable)
    assert huge.page_length == reading.LONGEST_PAGE


def test_a_tile_is_a_tile() -> None:
    shown = read_tile(Tile(Level.WARN, _("yes"), link=False), "id")
    assert (shown.level, shown.text, shown.link) == ("warn", "ya", False)
    with pytest.raises(NotShownError, match="it is no tile, but of the type str"):
        read_tile("fine", "en")
