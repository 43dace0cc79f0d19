"""Tables: in order, a part at a time, and as CSV; charts as pictures."""

import csv
import io

import pytest

from otppi.admin.blocks.charts import picture_of
from otppi.admin.blocks.reading import read_block
from otppi.admin.blocks.shown import ShownChart, ShownTable
from otppi.admin.blocks.tables import TableView, as_csv, look_at
from otppi.api.blocks import Cell, Chart, ChartKind, OperationButton, Table, Timestamp

ROWS: list[tuple[Cell, ...]] = [("b", 10), ("a", 9), ("c", 100), (None, 1)]


def shown(
    rows: list[tuple[Cell, ...]], columns: tuple[str, ...] = ("Name", "Number"), page_length: int = 50
) -> ShownTable:
    table = read_block(Table(title="T", columns=columns, rows=rows, page_length=page_length), "en")
    assert isinstance(table, ShownTable)
    return table


def names(view: TableView) -> list[str]:
    return [row[0].text for row in view.rows]


@pytest.mark.parametrize(
    ("asked", "order"),
    [
        ("", ["b", "a", "c", ""]),
        ("0", ["a", "b", "c", ""]),
        ("0d", ["", "c", "b", "a"]),
        ("1", ["", "a", "b", "c"]),
        ("1d", ["c", "b", "a", ""]),
        ("2", ["b", "a", "c", ""]),
        ("-1", ["b", "a", "c", ""]),
        ("x" * 900, ["b", "a", "c", ""]),
    ],
)
def test_it_is_sorted_by_a_column_numbers_as_numbers(asked: str, order: list[str]) -> None:
    assert names(look_at(shown(ROWS), 0, "/pages/x", {"sort0": asked})) == order


def test_a_title_leads_to_the_other_order_and_says_which_it_is() -> None:
    first, second = look_at(shown(ROWS), 1, "/pages/x", {"sort1": "0"}).heads
    assert (first.link, first.sorted) == ("/pages/x?sort1=0d&from1=1#table1", "ascending")
    assert (second.link, second.sorted) == ("/pages/x?sort1=1&from1=1#table1", "")


def test_rows_come_a_page_at_a_time() -> None:
    table = shown([(f"r{n}", n) for n in range(1, 8)], page_length=3)
    first = look_at(table, 0, "/pages/x", {})
    assert (names(first), first.before) == (["r1", "r2", "r3"], "")
    last = look_at(table, 0, "/pages/x", {"from0": "7"})
    assert (names(last), last.after) == (["r7"], "")
    assert last.before == "/pages/x?from0=4#table0"
    for nonsense in ("0", "8", "99999", "-1", "x"):
        assert look_at(table, 0, "/pages/x", {"from0": nonsense}).first == 1


def test_csv_is_read_as_it_was_meant_and_runs_nothing() -> None:
    hostile = ["=1+1", "+1", "-1", "@x", "\tx", 'a "b", c\nd']
    table = shown([(text, -5) for text in hostile])
    rows = list(csv.reader(io.StringIO(as_csv(table).decode("utf-8-sig"), newline="")))
    assert rows[0] == ["Name", "Number"]
    assert [row[0] for row in rows[1:]] == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", 'a "b", c\nd']
    assert {row[1] for row in rows[1:]} == {"-5"}


def test_csv_has_times_as_programs_read_them_and_no_buttons() -> None:
    table = shown([(Timestamp(1e9), OperationButton("x"))], ("When", "Do"))
    assert as_csv(table).decode("utf-8-sig") == '"When"\r\n1000000000\r\n'


def test_bars_begin_at_nought_whichever_way_they_go() -> None:
    chart = read_block(Chart(title="C", points=[("up", 30), ("down", -10)]), "en")
    assert isinstance(chart, ShownChart)
    up, down = picture_of(chart).bars
    assert (up.start, up.length, down.start, down.length) == (25, 75, 0, 25)
    assert picture_of(chart).line == "0.0,6.0 600.0,154.0"


@pytest.mark.parametrize("points", [[], [("one", 0)], [("one", 5)], [("one", -1), ("two", -1)]])
def test_every_chart_can_be_drawn(points: list[tuple[str, float]]) -> None:
    chart = read_block(Chart(title="C", points=points), "en")
    assert isinstance(chart, ShownChart)
    view = picture_of(chart)
    assert all(0 <= bar.start <= 100 and 0 <= bar.length <= 100 for bar in view.bars)
    assert "nan" not in view.line


def test_numbers_at_the_edge_of_what_there_is_are_drawn() -> None:
    """The distance of the two is no number; an SVG that names none is an error in the browser."""
    far = (("down", -1.7e308, ""), ("up", 1.7e308, ""), ("little", 5e-324, ""))
    view = picture_of(ShownChart("", ChartKind.LINE, "", far, cut=False))
    assert [(one.start, one.length) for one in view.bars] == [(0.0, 50.0), (50.0, 50.0), (50.0, 0.0)]
    assert view.line == "0.0,154.0 300.0,6.0 600.0,80.0"
