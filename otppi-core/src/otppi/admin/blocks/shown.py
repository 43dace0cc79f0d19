"""What a declared page comes to: plain values of a bounded size, said in the reader's language."""

from dataclasses import dataclass, field
from typing import ClassVar

from otppi.api.blocks import ChartKind

SortKey = tuple[int, float, str]


@dataclass(frozen=True, slots=True)
class ShownButton:
    """A button in a row.

    Attributes:
        operation: The operation's name.
        arguments: What it is asked for with.
        title: What is on it; empty for the operation's own title.
    """

    operation: str
    arguments: tuple[tuple[str, str], ...]
    title: str


@dataclass(frozen=True, slots=True)
class ShownCell:
    """One value.

    Attributes:
        text: As people read it.
        raw: As programs do.
        is_number: Whether it is one, and no text that may look like one.
        sort: Where it comes in the order of a column: numbers, then texts, then nothing.
        level: Of a state.
        button: In place of a text.
    """

    text: str
    raw: str
    is_number: bool
    sort: SortKey
    level: str = ""
    button: ShownButton | None = None


@dataclass(frozen=True, slots=True)
class ShownNotice:
    """A sentence at a level."""

    block: ClassVar[str] = "notice"
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class ShownParagraph:
    """A few sentences."""

    block: ClassVar[str] = "paragraph"
    text: str


@dataclass(frozen=True, slots=True)
class ShownFacts:
    """Names, each with a value."""

    block: ClassVar[str] = "facts"
    title: str
    facts: tuple[tuple[str, ShownCell], ...]


@dataclass(frozen=True, slots=True)
class ShownTable:
    """Rows under titles; `cut` where there were more than are taken."""

    block: ClassVar[str] = "table"
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[ShownCell, ...], ...] = field(repr=False)
    empty: str
    page_length: int
    cut: bool


@dataclass(frozen=True, slots=True)
class ShownChart:
    """Numbers, each with its name and as people read it; `cut` where there were more than are taken."""

    block: ClassVar[str] = "chart"
    title: str
    kind: ChartKind
    unit: str
    points: tuple[tuple[str, float, str], ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class ShownForm:
    """The form of a section of settings."""

    block: ClassVar[str] = "form"
    section: str


@dataclass(frozen=True, slots=True)
class ShownOperations:
    """Forms of operations, by their names; all that are named nowhere else where there are none."""

    block: ClassVar[str] = "operations"
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownTrouble:
    """Why there is nothing in this place."""

    block: ClassVar[str] = "trouble"
    text: str


@dataclass(frozen=True, slots=True)
class ShownTile:
    """What a page says of itself on the first page."""

    level: str
    text: str
    link: bool


ShownBlock = (
    ShownNotice | ShownParagraph | ShownFacts | ShownTable | ShownChart | ShownForm | ShownOperations | ShownTrouble
)
