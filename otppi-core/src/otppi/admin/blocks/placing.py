"""What the template of a declared page is told: each block, and what goes with it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from otppi.admin.blocks.charts import picture_of
from otppi.admin.blocks.shown import ShownBlock, ShownButton, ShownChart, ShownForm, ShownOperations, ShownTable
from otppi.admin.blocks.tables import look_at
from otppi.admin.forms import FormView
from otppi.api.operations import Operation

Placed = tuple[ShownBlock, Any]


@dataclass(frozen=True, slots=True)
class OperationForm:
    """An operation as a page asks for it: its form, and where that is sent."""

    operation: Operation
    view: FormView
    action: str


def placed(
    blocks: Sequence[ShownBlock],
    address: str,
    asked: Mapping[str, str],
    ask: Callable[[str], OperationForm | None],
    form: Callable[[ShownForm, int], Placed],
    *,
    first: int = 0,
) -> Iterator[Placed]:
    """Yield each block with what the template needs beside it.

    Args:
        blocks: Of the page.
        address: Of the page; empty of what is there once.
        asked: The query, by which tables are looked at.
        ask: Makes the form of an operation; None of one that the visitor may not ask for.
        form: Makes the form of a section, at a place of the page.
        first: The number of the first table.
    """
    tables = first
    for place, one in enumerate(blocks):
        match one:
            case ShownTable():
                yield one, look_at(one, tables, address, asked)
                tables += 1
            case ShownChart():
                yield one, picture_of(one)
            case ShownOperations():
                yield one, [found for name in one.names if (found := ask(name)) is not None]
            case ShownForm():
                yield form(one, place)
            case _:
                yield one, None


def with_operations(blocks: Sequence[ShownBlock], operations: Sequence[str]) -> list[ShownBlock]:
    """Return blocks with the operations that none of them places: where one stands for the others, else at the end."""
    buttons = {button.operation for button in buttons_of(blocks)}
    spread = [one for one in blocks if isinstance(one, ShownOperations)]
    named = buttons.union(*(one.names for one in spread))
    others = ShownOperations(tuple(name for name in operations if name not in named))
    found = [others if isinstance(one, ShownOperations) and not one.names else one for one in blocks]
    return found if spread or buttons else [*found, others]


def buttons_of(blocks: Sequence[ShownBlock]) -> Iterator[ShownButton]:
    """Yield the buttons in the rows of tables."""
    for table in (one for one in blocks if isinstance(one, ShownTable)):
        yield from (cell.button for row in table.rows for cell in row if cell.button is not None)
