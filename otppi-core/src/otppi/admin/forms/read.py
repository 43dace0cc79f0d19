"""Reads what a form sends. Whatever that is, it comes to values and to problems, never to an exception."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from otppi.admin.forms.controls import asked_for
from otppi.admin.forms.numbers import any_number, whole_number
from otppi.admin.forms.values import Cells, Entry, SecretEntry, as_sent, cells_of, entry_of, printable, sent_back
from otppi.api.settings import FieldError, Input, Kind, Section, Setting
from otppi.text import _, words
from otppi.text.languages import languages, translated

_MOST_ROWS: Final = 1000
"""As many as a setting takes."""
_MOST_UNKNOWN: Final = 10
"""Of the fields that no form of ours sends so many are told."""
_NAME: Final = re.compile(r"([a-z][a-z0-9_]{0,63})(?:\.([0-9]{1,4})(?:\.([a-z][a-z0-9_]{0,63}))?)?(?::([a-z]{1,8}))?")
_OWN: Final = "_"
"""With which the names of a page's own fields begin, such as the revision and the token."""


@dataclass(frozen=True, slots=True)
class FormInput:
    """What a form has sent.

    Attributes:
        values: By key, as `settings_put` takes them; what the form did not ask for, or what is to stay, is not in it.
        typed: By key, what stands in its fields, for showing it again; of secrets only whether one was typed.
        problems: What cannot be read, and what else is wrong with the object then; named as settings name theirs.
        pressed: Whether a button was pressed that changes the form only: it is to be shown again, nothing is saved.
        focus: The name of the field where somebody goes on then.
    """

    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    typed: Mapping[str, Entry] = field(default_factory=dict, repr=False)
    problems: tuple[FieldError, ...] = ()
    pressed: bool = False
    focus: str = ""


def read_form(
    section: Section,
    fields: Mapping[str, Sequence[str]],
    before: Mapping[str, Any],
    *,
    place: str | None = None,
    besides: Collection[str] = (),
) -> FormInput:
    """Read what a form of one object has sent.

    Args:
        section: Its declaration; where objects have types, that of the list.
        fields: Of the form. Those whose name begins with `_` are the page's own.
        before: What is kept of the object, redacted or not; empty of a new one.
        place: What problems call the object, such as `modems.m0`; the section's key where it is None.
        besides: Names of further fields of the page's own.
    """
    sent = _Sent(fields, section.key if place is None else place, besides)
    typed_by = section.typed_by
    chosen = {typed_by: sent.texts[typed_by]} if typed_by is not None and typed_by in sent.texts else {}
    declared = declared_for(section, chosen, before)
    reader = _Reader(sent, before)
    for setting in asked_for(declared):
        reader.read(setting)
    problems = [*sent.problems, *reader.problems, *sent.unknown(_of_other_types(section))]
    if problems and not sent.button:
        problems += reader.further_problems(declared, problems)
    return FormInput(
        reader.values, reader.typed, () if sent.button else tuple(problems), bool(sent.button), reader.focus
    )


def declared_for(section: Section, typed: Mapping[str, Any], kept: Mapping[str, Any]) -> Section:
    """Return the declaration of an object of the type that was chosen, else of the one that it has."""
    if section.typed_by is None:
        return section
    return section.of({**kept, **{key: one for key, one in typed.items() if key == section.typed_by}})


def _of_other_types(section: Section) -> set[str]:
    """Return the keys that objects of any type have: those of a type that was left are no mistake of the form."""
    return {setting.key for kind in (section.types or {}).values() for setting in kind.settings}


class _Sent:
    """The fields of a form, each once, and which of its buttons was pressed."""

    def __init__(self, fields: Mapping[str, Sequence[str]], place: str, besides: Collection[str]) -> None:
        self.place = place
        self.problems: list[FieldError] = []
        self.texts: dict[str, str] = {}
        self.button: tuple[str, str] | None = None
        for name, values in fields.items():
            if name.startswith(_OWN) or name in besides:
                continue
            if len(values) != 1 or not isinstance(values[0], str):
                self.problems.append(FieldError(self.path(name), _("is there twice in the form, or is no text")))
            self.texts[name] = values[0] if values and isinstance(values[0], str) else ""
        self._left = set(self.texts)

    def path(self, name: str) -> str:
        """Return what problems call a field: `prices.0.price` is `modems.m0.prices[0].price`."""
        key = re.sub(r"\.([0-9]{1,4})(?=\.|$)", r"[\1]", printable(name.partition(":")[0][:128]))
        return f"{self.place}.{key}"

    def pop(self, name: str) -> str | None:
        """Return what a field holds, None where the form has none of this name."""
        self._left.discard(name)
        return self.texts.get(name)

    def pressed(self, name: str, word: str) -> bool:
        """Whether a button is that which was pressed."""
        if self.pop(f"{name}:{word}") is None:
            return False
        self.button = self.button or (name, word)
        return self.button == (name, word)

    def rows(self, setting: Setting) -> list[int]:
        """Return the places of the rows that a form has of a setting."""
        found = set()
        for name in self._left:
            parts = _NAME.fullmatch(name)
            if parts and parts[1] == setting.key and parts[2]:
                found.add(int(parts[2]))
        return sorted(found)

    def unknown(self, allowed: Collection[str]) -> Iterator[FieldError]:
        """Yield what no form of ours sends."""
        left = sorted(name for name in self._left if not (parts := _NAME.fullmatch(name)) or parts[1] not in allowed)
        yield from (FieldError(self.path(name), _("is no field of this form")) for name in left[:_MOST_UNKNOWN])


class _Reader:
    """Reads the fields of the settings, one after another."""

    def __init__(self, sent: _Sent, before: Mapping[str, Any]) -> None:
        self._sent = sent
        self._before = before
        self.values: dict[str, Any] = {}
        self.typed: dict[str, Entry] = {}
        self.problems: list[FieldError] = []
        self.focus = ""

    def read(self, setting: Setting) -> None:
        """Read the field of one setting, where the form has it."""
        key = setting.key
        if self._sent.pressed(key, "choose"):
            self.focus = key
        if self._sent.pressed(key, "default"):
            self.focus = key
        if setting.kind is Kind.ROWS:
            self._read_rows(setting)
        elif setting.secret:
            self._read_secret(setting)
        elif (cell := self._cell(setting, key)) is not None:
            self.typed[key] = printable(cell) if isinstance(cell, str) else cell
            if self._is_kept(setting, cell):
                self.values[key] = self._before[key]
            else:
                self._put(setting, key, cell)
        if self.focus == key and self._sent.button == (key, "default"):
            self.typed[key] = entry_of(setting, setting.default)

    def _is_kept(self, setting: Setting, entry: Entry) -> bool:
        """Whether a field says what the form shows of what is kept: that was not changed, however it would be read."""
        if setting.key not in self._before:
            return False
        return is_same(sent_back(setting, entry_of(setting, self._before[setting.key])), entry)

    def _put(self, setting: Setting, name: str, cell: str | bool) -> None:
        try:
            self.values[setting.key] = value_of(setting, cell)
        except ValueError as error:
            self.problems.append(FieldError(self._sent.path(name), words(error)))

    def _cell(self, setting: Setting, name: str) -> str | bool | None:
        """Return what stands in a field, None where the form has it not."""
        text = self._sent.pop(name)
        if setting.kind is Kind.BOOLEAN and not setting.secret:
            shown = self._sent.pop(f"{name}:shown") is not None
            return text is not None if shown or text is not None else None
        return None if text is None else as_sent(setting, text)

    def _read_secret(self, setting: Setting) -> None:
        text, clears = self._cell(setting, setting.key), self._sent.pop(f"{setting.key}:clear") is not None
        if text is None:
            return
        self.typed[setting.key] = SecretEntry(typed=bool(text), clears=clears and not text)
        if text:
            self._put(setting, setting.key, text)
        elif clears:
            self.values[setting.key] = setting.default

    # -- rows -------------------------------------------------------------------------------------------------------

    def _read_rows(self, setting: Setting) -> None:
        key = setting.key
        shown = self._sent.pop(f"{key}:shown") is not None
        adds = self._sent.pressed(key, "add")
        rows = []
        places = self._sent.rows(setting)
        for place in places:
            removed = self._sent.pressed(f"{key}.{place}", "remove")
            cells = self._cells(setting, f"{key}.{place}")
            if not removed:
                rows.append(cells)
            else:
                self.focus = key
        if not (shown or places or adds):
            return
        if adds and len(rows) < _MOST_ROWS:
            self.focus = f"{key}.{len(rows)}.{setting.columns[0].key}"
            rows.append(cells_of(setting, {}))
        if self._is_kept(setting, tuple(rows)):
            self.values[key] = self._before[key]
        elif len(rows) > _MOST_ROWS:
            self.problems.append(FieldError(self._sent.path(key), _("must be at most {most} rows", most=_MOST_ROWS)))
        else:
            if not self._sent.button:
                rows = [cells for cells in rows if not _is_blank(setting, cells)]
            self._put_rows(setting, rows)
        self.typed[key] = tuple(_printable_cells(cells) for cells in rows[:_MOST_ROWS])

    def _cells(self, setting: Setting, name: str) -> Cells:
        found = {column.key: self._cell(column, f"{name}.{column.key}") for column in setting.columns}
        blank = cells_of(setting, {})
        return {key: blank[key] if cell is None else cell for key, cell in found.items()}

    def _put_rows(self, setting: Setting, rows: Sequence[Cells]) -> None:
        values, problems = [], []
        for index, cells in enumerate(rows):
            row = {}
            for column in setting.columns:
                try:
                    row[column.key] = value_of(column, cells[column.key])
                except ValueError as error:
                    path = self._sent.path(f"{setting.key}.{index}.{column.key}")
                    problems.append(FieldError(path, words(error)))
            values.append(row)
        self.problems += problems
        if not problems:
            self.values[setting.key] = values

    # -- what else is wrong -----------------------------------------------------------------------------------------

    def further_problems(self, section: Section, known: Sequence[FieldError]) -> list[FieldError]:
        """Return what is wrong with the other fields, so that all of it is told at once."""
        untouched = {one.key for one in section.settings if one.secret and one.key not in self.values}
        kept = {key: value for key, value in self._before.items() if key not in untouched}
        declared = {one.key for one in section.settings}
        found = section.validate(
            {key: value for key, value in {**kept, **self.values}.items() if key in declared}, self._sent.place
        )[1]
        told = [one.field for one in known]

        def is_told(path: str) -> bool:
            return any(_within(path, field) or _within(field, path) for field in told)

        hidden = {f"{self._sent.place}.{key}" for key in untouched}
        return [one for one in found if one.field not in hidden and not is_told(one.field)]


def _within(path: str, other: str) -> bool:
    return path == other or path.startswith((f"{other}.", f"{other}["))


def _is_blank(setting: Setting, cells: Cells) -> bool:
    """Whether a row was added and left as it was, though something has to be given in it."""
    return any(column.required for column in setting.columns) and is_same((cells_of(setting, {}),), (cells,))


def _printable_cells(cells: Cells) -> Cells:
    return {key: printable(one) if isinstance(one, str) else one for key, one in cells.items()}


def is_same(shown: Entry, typed: Entry) -> bool:
    """Whether what was typed is what a form showed, in whichever language."""
    return any(translated(shown, language) == typed for language in languages())


def value_of(setting: Setting, entry: str | bool) -> Any:
    """Read what stands in a field; what is wrong with the value itself is not looked at.

    Raises:
        ValueError: It cannot be read; the reason, as a text.
    """
    if isinstance(entry, bool):
        return entry
    text = entry if setting.secret or setting.input is Input.REGEX else entry.strip()
    if setting.kind in (Kind.INTEGER, Kind.NUMBER):
        if not text.strip():
            raise ValueError(_("is required"))
        return whole_number(text.strip()) if setting.kind is Kind.INTEGER else any_number(text.strip())
    if setting.kind is Kind.BOOLEAN:
        return _switch(text)
    if setting.kind is Kind.TEXT_LIST:
        return [line for one in text.split("\n") if (line := one.strip())]
    if setting.kind is Kind.ANY:
        return _json(text)
    return text.replace(".", ":") if setting.input in (Input.TIME, Input.TIME_SPAN) else text


def _switch(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(_("must be {type}", type=_("true or false")))
    return text == "true"


def _json(text: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(_("is no JSON")) from None
