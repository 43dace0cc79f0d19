"""What a page of the administration is made of: data only, which the gateway draws, and escapes.

Texts may be plain, or of a catalogue (`otppi.api.text`): those are said in the language of whoever reads the page.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """How something is: each level has a colour and a shape, and a word has to stand beside it."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A time, in Unix seconds: it is written in the device's zone, as the reader's language does."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A state: its word, and how that is."""

    level: Level
    word: str


@dataclass(frozen=True, slots=True)
class OperationButton:
    """A button in a row: it asks for one of the page's operations, with arguments that the row knows.

    Attributes:
        operation: Its name.
        arguments: By the names of its parameters; what is not here has its default.
        title: What is on the button; the operation's title where it is empty.
    """

    operation: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    title: str = ""


Cell = str | int | float | bool | Timestamp | Mark | OperationButton | None
"""What stands in one place of a table. Numbers are written as the reader's language does."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence that is not to be overlooked."""

    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A few sentences."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Names, each with one value."""

    facts: Mapping[str, Cell]
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under titles. People sort it by any column, turn its pages, and take all of it as CSV.

    Attributes:
        title: What it lists.
        columns: The titles of its columns.
        rows: A cell for each column.
        empty: What stands there instead of a table without rows.
        page_length: Rows that are shown at once.
    """

    title: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    empty: str = ""
    page_length: int = 50


class ChartKind(StrEnum):
    """How a chart shows its numbers."""

    BARS = "bars"
    """A bar for each: of things that are compared."""
    LINE = "line"
    """One line: of what changes with time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Numbers as a picture; they are there as a table, too.

    Attributes:
        title: What it shows.
        points: Numbers, each with what it is called, in the order of the picture.
        kind: How they are shown.
        unit: Of the numbers, such as `SMS`.
    """

    title: str
    points: Iterable[tuple[str, float]]
    kind: ChartKind = ChartKind.BARS
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a section of settings, for who may change them; of a section that is a list the way to its page."""

    section: str


@dataclass(frozen=True, slots=True)
class Operations:
    """Forms of the page's operations; of all that stand nowhere else on the page where this one names none.

    A page without such a block, and without buttons in its tables, has the forms of all its operations at its end.
    """

    names: Sequence[str] = ()


Block = Notice | Paragraph | Facts | Table | Chart | Form | Operations
