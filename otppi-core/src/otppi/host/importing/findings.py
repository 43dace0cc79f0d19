"""What the configuration of another program says: which settings of ours it becomes, and what becomes none."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from otppi.text import _

SHOWN_LENGTH: Final = 80
"""Characters of a value that are shown."""
HIDDEN: Final = "***"
"""What is shown of a secret."""
MOST: Final = 20_000
"""Values that one configuration may have."""
MOST_NUMBERS: Final = 100_000
"""Numbers that it may block."""

_SECRET = re.compile(r"pass|pin$|pincode|token|secret|apikey|(^|[^a-z])key$|phonecode|networkcode", re.IGNORECASE)


class ImportOutcome(StrEnum):
    """What becomes of one value."""

    TAKEN = "taken"
    """It becomes a setting."""
    SAME = "same"
    """The setting has this value already."""
    ASK = "ask"
    """A person has to give it anew."""
    NONE = "none"
    """There is no such setting, or none is needed."""
    REFUSED = "refused"
    """It is a setting, but this value cannot work here."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """One value that becomes a setting.

    Attributes:
        file: Where it stands.
        key: What it is called there.
        old: Its value there, as it may be shown.
        section: Of our settings.
        item: The name of the object, in a section that is a list.
        setting: Its key.
        value: The value there; it was not checked.
        note: What a person should know of it.
    """

    file: str
    key: str
    old: str
    section: str
    item: str
    setting: str
    value: Any = field(repr=False)
    note: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        """Which setting of which object it is."""
        return self.section, self.item, self.setting


@dataclass(frozen=True, slots=True)
class NotTaken:
    """One value that becomes no setting, and why."""

    file: str
    key: str
    old: str
    outcome: ImportOutcome
    reason: str


@dataclass(frozen=True, slots=True)
class BlockedNumber:
    """A telephone number that the other program blocks, as it is written there."""

    file: str
    written: str = field(repr=False)


class TooMuch(ValueError):  # noqa: N818 - reads better at the raise
    """A configuration has more values than any that people have."""


class Findings:
    """What was found in the files of one program, in the order in which it stands there.

    Attributes:
        rows: What becomes of each value.
        numbers: That are to be blocked.
        lists: The files of numbers that were read.
    """

    def __init__(self) -> None:
        self.rows: list[Proposed | NotTaken] = []
        self.numbers: list[BlockedNumber] = []
        self.lists: set[str] = set()

    def propose(
        self, file: str, key: str, value: Any, to: tuple[str, str, str], becomes: Any = None, note: str = ""
    ) -> None:
        """Note that a value becomes a setting.

        Args:
            file: Where it stands.
            key: What it is called there.
            value: What it is there.
            to: Section, name of the object (empty where the section is one object), and setting.
            becomes: What it is here, where that is something else.
            note: What a person should know of it.
        """
        section, item, setting = to
        own = value if becomes is None else becomes
        self._add(Proposed(file, key, shown(key, value), section, item, setting, own, note))

    def leave(self, file: str, key: str, value: Any, reason: str, outcome: ImportOutcome = ImportOutcome.NONE) -> None:
        """Note that a value becomes no setting."""
        self._add(NotTaken(file, key, shown(key, value), outcome, reason))

    def block(self, file: str, written: str) -> None:
        """Note a number that is to be blocked.

        Raises:
            TooMuch: There are more than can be blocked.
        """
        if len(self.numbers) >= MOST_NUMBERS:
            raise TooMuch(_("there are more than {most:,} values", most=MOST_NUMBERS))
        self.numbers.append(BlockedNumber(file, written))

    def _add(self, row: Proposed | NotTaken) -> None:
        if len(self.rows) >= MOST:
            raise TooMuch(_("there are more than {most:,} values", most=MOST))
        self.rows.append(row)


def shown(key: str, value: Any) -> str:
    """Return a value as a person may see it: of a secret nothing, of a long one its beginning."""
    if value in ("", None):
        return ""
    if _SECRET.search(key.rpartition(" ")[2]):
        return HIDDEN
    text = value if isinstance(value, str) else _as_text(value)
    tidy = "".join(one if one.isprintable() else " " for one in text[: SHOWN_LENGTH + 1])
    return tidy if len(tidy) <= SHOWN_LENGTH else f"{tidy[: SHOWN_LENGTH - 1]}…"


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return _("values: {count}", count=len(value))
    if isinstance(value, list):
        return ", ".join(str(one)[:SHOWN_LENGTH] for one in value[:SHOWN_LENGTH])
    return str(value)


class Names:
    """Makes the names of objects: of signs that names here may have, and each once.

    Args:
        allowed: Matches a sign that may stay.
        longest: How many signs a name may have.
    """

    def __init__(self, allowed: str = r"[\w .:()+-]", longest: int = 64) -> None:
        self._allowed = re.compile(allowed)
        self._longest = longest
        self._used: set[str] = set()
        self._next: dict[str, int] = {}

    def name(self, written: str, otherwise: str) -> str:
        """Return the name of an object that is called so there; `otherwise` where it has no name."""
        kept = "".join(one if self._allowed.fullmatch(one) else "-" for one in written.strip()[: self._longest])
        wanted = kept.strip() or otherwise
        name, number = wanted, self._next.get(wanted, 2)
        while name in self._used:
            end = f" {number}"
            name, number = wanted[: self._longest - len(end)] + end, number + 1
        self._next[wanted] = number  # so that the next one of this name need not try all before
        self._used.add(name)
        return name


def as_bool(value: Any) -> Any:
    """Return a yes or no as the programs write it; what is neither stays as it is, to be refused."""
    if isinstance(value, str):
        word = value.strip().casefold()
        if word in ("yes", "true", "on", "1"):
            return True
        if word in ("no", "false", "off", "0"):
            return False
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    return value


def as_number(value: Any) -> Any:
    """Return a whole number that may be written as a text; what is none stays as it is, to be refused."""
    if isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]{1,15}\s*", value, re.ASCII):
        return int(value)
    return value


def as_seconds(value: Any) -> Any:
    """Return milliseconds as seconds; what is no number stays as it is, to be refused."""
    number = as_number(value)
    return number / 1000 if isinstance(number, int) and not isinstance(number, bool) else number


def as_list(value: Any) -> Any:
    """Return the entries of a text with commas; what is no text stays as it is, to be refused."""
    return [one.strip() for one in value.split(",") if one.strip()] if isinstance(value, str) else value


Convert = Callable[[Any], Any]
