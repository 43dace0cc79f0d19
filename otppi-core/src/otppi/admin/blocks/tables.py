"""How tables are looked at: sorted by a column, a part at a time, and all of it as CSV."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from otppi.admin.blocks.shown import ShownCell, ShownTable
from otppi.kit.spreadsheets import BYTE_ORDER_MARK, quoted


@dataclass(frozen=True, slots=True)
class TableHead:
    """The title of a column, and where it leads: to the table in its order.

    Attributes:
        title: The title.
        link: The address of the page with the table sorted by this column; empty where that makes no sense.
        sorted: `ascending` or `descending` where it is sorted by this one.
    """

    title: str
    link: str
    sorted: str


@dataclass(frozen=True, slots=True)
class TableView:
    """A table as it is looked at.

    Attributes:
        table: All of it.
        number: Its place among the tables of the page.
        heads: Its columns.
        rows: Those that are shown.
        first: The number of the first of them, counted from 1.
        before, after: The addresses of the page with the rows before and after these; empty where there are none.
        csv: The address of all of it as CSV; empty where there is none.
    """

    table: ShownTable
    number: int
    heads: tuple[TableHead, ...]
    rows: tuple[tuple[ShownCell, ...], ...]
    first: int
    before: str
    after: str
    csv: str


def look_at(table: ShownTable, number: int, address: str, asked: Mapping[str, str]) -> TableView:
    """Sort a table, and cut it, as the query of its page says.

    Args:
        table: The table.
        number: Its place among the tables of the page.
        address: Of the page, without a query; empty of a table that is there once, as what an operation gave.
        asked: The query: `sort0=2d` sorts the first table by its third column, the greatest first, and `from0=51`
            shows it from its 51st row on. What makes no sense is not minded.
    """
    column, down = _order(asked.get(f"sort{number}", ""), len(table.columns))
    rows = list(table.rows)
    if column is not None:
        rows.sort(key=lambda row: row[column].sort, reverse=down)
    first = _number(asked.get(f"from{number}", ""))
    first = first if 1 <= first <= len(rows) else 1

    def link(**changed: str) -> str:
        query = urlencode({**asked, **{f"{name}{number}": value for name, value in changed.items()}})
        return f"{address}?{query}#table{number}"

    sortable = len(rows) > 1 and bool(address)
    heads = tuple(
        TableHead(
            title,
            link(**{"sort": f"{place}{'d' if place == column and not down else ''}", "from": "1"})
            if sortable and not any(row[place].button for row in rows[:1])
            else "",
            ("descending" if down else "ascending") if place == column else "",
        )
        for place, title in enumerate(table.columns)
    )
    length, last = table.page_length, first + table.page_length - 1
    return TableView(
        table,
        number,
        heads,
        tuple(rows[first - 1 : last]),
        first,
        link(**{"from": str(max(1, first - length))}) if first > 1 and address else "",
        link(**{"from": str(last + 1)}) if last < len(rows) and address else "",
        f"{address}/csv?table={number}" if address else "",
    )


def _order(asked: str, columns: int) -> tuple[int | None, bool]:
    column = _number(asked.removesuffix("d"))
    return (column, asked.endswith("d")) if 0 <= column < columns else (None, False)


def _number(text: str) -> int:
    """Read a number of an address; of anything else -1."""
    return int(text) if len(text) <= 5 and text.isascii() and text.isdecimal() else -1


def as_csv(table: ShownTable) -> bytes:
    """Write a table as CSV (RFC 4180), in UTF-8 with a mark that spreadsheets know it by.

    A text that a spreadsheet would run as a formula has an apostrophe before it. Numbers are as programs write them.
    """
    kept = [place for place in range(len(table.columns)) if not any(row[place].button for row in table.rows[:1])]
    lines = [[quoted(table.columns[place]) for place in kept]]
    lines += [[_written(row[place]) for place in kept] for row in table.rows]
    return (BYTE_ORDER_MARK + "".join(",".join(line) + "\r\n" for line in lines)).encode()


def csv_line(values: Iterable[str | float]) -> str:
    """Write a line of a table that is not held as a whole, as `as_csv` writes them."""
    return ",".join(quoted(one) if isinstance(one, str) else str(one) for one in values) + "\r\n"


def _written(cell: ShownCell) -> str:
    return cell.raw if cell.is_number else quoted(cell.raw)
