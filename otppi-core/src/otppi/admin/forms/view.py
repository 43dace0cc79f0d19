"""What a page shows of a form: values only, whose texts are said in a language where they are drawn."""

from dataclasses import dataclass
from enum import StrEnum


class Control(StrEnum):
    """How a value is asked for."""

    LINE = "line"
    """One line of text, or a number."""
    DOTS = "dots"
    """A line that shows dots, and never what is kept."""
    LINES = "lines"
    """Several lines: a list has one entry on each."""
    CHOICE = "choice"
    """One of several values."""
    SWITCH = "switch"
    """Yes or no."""
    ROWS = "rows"
    """Rows of several values."""


@dataclass(frozen=True, slots=True)
class FormChoice:
    """A value that can be chosen, and what people call it."""

    value: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field.

    Attributes:
        name: What it is called in what the form sends; its buttons and marks are called `NAME:WORD`.
        id: Of its control in the page; `ID-help`, `ID-unit`, `ID-more` and `ID-error` are what describes it.
        label: What people call it.
        help: What it does.
        control: How it is asked for.
        type: Of the HTML input.
        inputmode: The keyboard that a phone shows.
        autocomplete: What a browser may fill in.
        value: What stands in it; never a secret.
        on: Of a switch: its state.
        choices: Of a choice: what can be chosen; `value` says what is.
        suggestions: What may be typed.
        unit: Stands beside it.
        bounds: The least and greatest number.
        lines: How high it is, of several lines.
        required: Whether something has to stand in it.
        error: What is wrong with it.
        secret: Whether nobody is shown what is kept.
        stored: Of a secret: whether there is one.
        clears: Of a secret: whether it is to be removed.
        again: Of a secret: whether it has to be typed again, since the form could not be saved.
        default: What it is where nobody set it; empty where it cannot go back there by itself.
        modified: Whether something else stands in it.
        effect: What a change does beside being used, where that is not what the form says.
        enabled_by: The id of the field without which it does nothing.
        condition: Says so.
        theirs: What somebody else has changed it to meanwhile.
        rows: Of rows: what stands in them.
        chooses: Whether the form has other fields for another value, so that it has a button that shows them.
        focus: Whether somebody types here next.
    """

    name: str
    id: str
    label: str
    help: str
    control: Control
    type: str = "text"
    inputmode: str = ""
    autocomplete: str = "off"
    value: str = ""
    on: bool = False
    choices: tuple[FormChoice, ...] = ()
    suggestions: tuple[FormChoice, ...] = ()
    unit: str = ""
    bounds: str = ""
    lines: int = 0
    required: bool = False
    error: str = ""
    secret: bool = False
    stored: bool = False
    clears: bool = False
    again: bool = False
    default: str = ""
    modified: bool = False
    effect: str = ""
    enabled_by: str = ""
    condition: str = ""
    theirs: str = ""
    rows: "tuple[FormRow, ...]" = ()
    chooses: bool = False
    focus: bool = False

    @property
    def described_by(self) -> str:
        """Return the ids of what describes it, in the order in which they are read aloud."""
        more = self.condition or self.effect or self.modified or self.secret
        unit = self.unit or self.bounds
        parts = (("error", self.error), ("theirs", self.theirs), ("unit", unit), ("help", self.help), ("more", more))
        return " ".join(f"{self.id}-{part}" for part, there in parts if there)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRow:
    """One of several rows.

    Attributes:
        name: What its button that removes it is called, `NAME:remove`.
        id: Of it in the page.
        title: What people call it.
        fields: What stands in it.
        error: What is wrong with it as a whole.
    """

    name: str
    id: str
    title: str
    fields: tuple[FormField, ...]
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormGroup:
    """A part of a form.

    Attributes:
        id: Of it in the page.
        title: What people call it; empty where there is one part only.
        help: What it is about.
        fields: Those that everybody is shown.
        advanced: Those that are shown on demand.
        folded: Whether the part itself is shown on demand.
        open: Whether what is shown on demand is shown from the start, as something in it was changed or is wrong.
    """

    id: str
    title: str
    help: str
    fields: tuple[FormField, ...]
    advanced: tuple[FormField, ...] = ()
    folded: bool = False
    open: bool = False


@dataclass(frozen=True, slots=True)
class FormProblem:
    """A line of the summary of what is wrong.

    Attributes:
        label: What the field is called; empty where it belongs to no field.
        reason: What is wrong.
        target: The id of the field's control; empty where there is none.
    """

    label: str
    reason: str
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormView:
    """A form.

    Attributes:
        section: The key of its section.
        title: What people call it.
        help: What it is about.
        groups: Its fields.
        revision: Of the settings that it was made from.
        problems: What is wrong, in the order of the page.
        summary: What stands above that.
        effect: What a change does beside being used; empty where it does nothing else.
        changed_meanwhile: Whether somebody else has saved meanwhile, so that both values stand beside each other.
    """

    section: str
    title: str
    help: str
    groups: tuple[FormGroup, ...]
    revision: int | None = None
    problems: tuple[FormProblem, ...] = ()
    summary: str = ""
    effect: str = ""
    changed_meanwhile: bool = False

    @property
    def differing(self) -> tuple[FormField, ...]:
        """Return the fields that somebody else has changed to something else than what was typed."""
        return tuple(one for group in self.groups for one in (*group.fields, *group.advanced) if one.theirs)
