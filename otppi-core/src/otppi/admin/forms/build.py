"""Makes a form of the declaration of a section, of the values that are kept, and of what was typed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from otppi.admin.forms.controls import asked_for, autocomplete_of, control_of, keyboard_of, type_of
from otppi.admin.forms.numbers import written
from otppi.admin.forms.places import by_name
from otppi.admin.forms.read import FormInput, declared_for, is_same
from otppi.admin.forms.values import Cells, Entry, SecretEntry, cells_of, entry_of, is_stored, spoken, title_of
from otppi.admin.forms.view import Control, FormChoice, FormField, FormGroup, FormProblem, FormRow, FormView
from otppi.api.settings import Effect, FieldError, Group, Kind, Section, Setting, Suggest
from otppi.text import _, joined

Suggestions = Mapping[Suggest, Sequence[tuple[str, str]]]
"""What the gateway knows of: the values, and what people call them."""

_FEWEST_LINES: Final = 3
_MOST_LINES: Final = 12
_WORTH_SAYING: Final = 10_000_000
"""A greatest number above this is there for the sake of programs."""
_EFFECTS: Final[Mapping[Effect, str]] = {
    Effect.AT_ONCE: "",
    Effect.RECONNECTS: _("When this is saved, the connection is made anew."),
    Effect.REOPENS: _("When this is saved, the modem or account is opened anew, after the message that it is sending."),
    Effect.RESTARTS: _("This is used after the gateway's next start."),
    Effect.MAY_CUT_OFF: _("When this is saved, whoever is connected may be cut off."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How a form is to be shown, beside its values.

    Attributes:
        given: What was typed, where the form is shown again.
        problems: What is wrong with that.
        place: What problems call the object, such as `modems.m0` or, of a new one, `modems[3]`; see `by_name`.
        revision: Of the settings that the values are of.
        suggestions: What the gateway knows of.
        only: The keys of the settings that are asked for, where that is not all of them.
        unfolded: Whether parts that are shown on demand elsewhere are shown at once, as where the form is about these.
        prefix: With which ids begin, where a page has several forms.
        defaults: Whether fields say what is no default, and go back to it; not of a form that asks once.
        changed_meanwhile: Whether the values are those that somebody else saved while this was typed.
    """

    given: FormInput | None = None
    problems: Sequence[FieldError] = ()
    place: str | None = None
    revision: int | None = None
    suggestions: Suggestions = field(default_factory=dict)
    only: Collection[str] | None = None
    unfolded: bool = False
    prefix: str = "f"
    defaults: bool = True
    changed_meanwhile: bool = False


def form_of(section: Section, values: Mapping[str, Any], shown: Shown | None = None) -> FormView:
    """Make the form of one object.

    Args:
        section: Its declaration; where objects have types, that of the list.
        values: What is kept of it; empty of a new one. Secrets may be in it or redacted: they are never shown.
        shown: What was typed, what is wrong with it, and what else the form has to know.
    """
    shown = shown or Shown()
    typed = shown.given.typed if shown.given else {}
    declared = declared_for(section, typed, values)
    settings = [one for one in asked_for(declared) if shown.only is None or one.key in shown.only]
    entries = {one.key: typed.get(one.key, entry_of(one, _kept(one, values))) for one in settings}
    found, homeless = by_name(section, shown.problems, _names(settings, entries), shown.place)
    maker = _Maker(declared, values, entries, found, shown)
    fields = {one.key: maker.make(one) for one in settings}
    others = Group("others", _title_of_others(declared, typed, values))
    groups = [
        _group(group or others, [(one, fields[one.key]) for one in members if one.key in fields], shown)
        for group, members in declared.grouped()
    ]
    groups = [group for group in groups if group.fields or group.advanced]
    problems = (*_summary(groups), *(FormProblem("", joined(": ", [one.field, one.reason])) for one in homeless))
    return FormView(
        section=section.key,
        title=section.title,
        help=section.help,
        groups=tuple(groups if len(groups) > 1 else map(_without_title, groups)),
        revision=shown.revision,
        problems=problems,
        summary=_.plural("Not saved. Mend {count} field:", "Not saved. Mend {count} fields:", count=len(problems)),
        effect=_EFFECTS[section.effect],
        changed_meanwhile=shown.changed_meanwhile,
    )


def _kept(setting: Setting, values: Mapping[str, Any]) -> Any:
    """Return the value that is kept, or would be; nothing of what has to be given and was not yet."""
    if setting.key in values:
        return values[setting.key]
    return None if setting.required and setting.kind is not Kind.ROWS else setting.default


def _names(settings: Iterable[Setting], entries: Mapping[str, Entry]) -> set[str]:
    names = {one.key for one in settings}
    for one in settings:
        entry = entries[one.key]
        for index in range(len(entry)) if isinstance(entry, tuple) else ():
            names |= {f"{one.key}.{index}", *(f"{one.key}.{index}.{column.key}" for column in one.columns)}
    return names


class _Maker:
    """Makes the fields of one form."""

    def __init__(
        self,
        section: Section,
        values: Mapping[str, Any],
        entries: Mapping[str, Entry],
        problems: Mapping[str, list[str]],
        shown: Shown,
    ) -> None:
        self._section = section
        self._values = values
        self._entries = entries
        self._problems = problems
        self._shown = shown
        self._focus = shown.given.focus if shown.given else ""

    def make(self, setting: Setting) -> FormField:
        """Make the field of a setting."""
        entry, kept = self._entries[setting.key], _kept(setting, self._values)
        effect = self._section.effect_of(setting)
        return self._field(
            setting,
            setting.key,
            entry,
            default=self._default(setting),
            modified=self._shown.defaults
            and not setting.secret
            and not setting.required
            and not is_same(entry_of(setting, setting.default), entry),
            stored=setting.secret and is_stored(self._values.get(setting.key)),
            effect=_EFFECTS[effect] if effect is not self._section.effect else "",
            theirs=self._theirs(setting, entry, kept),
            **self._condition(setting),
        )

    def _field(self, setting: Setting, name: str, entry: Entry, **more: Any) -> FormField:
        choices = self._choices(setting)
        control = control_of(setting, listed=bool(choices))
        value = "" if isinstance(entry, bool | tuple | SecretEntry) else entry
        if control is Control.CHOICE:
            choices = _with_value(choices, value)
        secret = entry if isinstance(entry, SecretEntry) else SecretEntry(typed=False, clears=False)
        return FormField(
            name=name,
            id=self._id(name),
            label=setting.title,
            help=setting.help,
            control=control,
            type=type_of(setting),
            inputmode=keyboard_of(setting),
            autocomplete=autocomplete_of(setting),
            value=value,
            on=entry is True,
            choices=choices,
            suggestions=self._suggestions(setting) if control is not Control.CHOICE else (),
            unit=_unit(setting) if control not in (Control.SWITCH, Control.ROWS) else "",
            bounds=_bounds(setting),
            lines=_lines(value) if control is Control.LINES else 0,
            required=setting.required,
            error=joined("; ", self._problems.get(name, ())),
            secret=setting.secret,
            clears=secret.clears,
            again=secret.typed,
            rows=self._rows(setting, entry) if isinstance(entry, tuple) else (),
            chooses=bool(choices) and setting.key == self._section.typed_by,
            focus=name == self._focus,
            **more,
        )

    def _rows(self, setting: Setting, entries: Sequence[Cells]) -> tuple[FormRow, ...]:
        blank = cells_of(setting, {})
        return tuple(
            FormRow(
                name=f"{setting.key}.{index}",
                id=self._id(f"{setting.key}.{index}"),
                title=_("{title}, row {number}", title=setting.title, number=index + 1),
                fields=tuple(
                    self._field(column, f"{setting.key}.{index}.{column.key}", cells.get(column.key, blank[column.key]))
                    for column in setting.columns
                ),
                error=joined("; ", self._problems.get(f"{setting.key}.{index}", ())),
            )
            for index, cells in enumerate(entries)
        )

    def _id(self, name: str) -> str:
        return f"{self._shown.prefix}-{name.replace('.', '-')}"

    def _default(self, setting: Setting) -> str:
        if setting.required or setting.secret:
            return ""
        titles = {one.value: one.title for one in self._choices(setting)}
        return titles.get(str(setting.default)) or spoken(setting, setting.default)

    def _theirs(self, setting: Setting, entry: Entry, kept: Any) -> str:
        if not self._shown.changed_meanwhile or setting.secret or is_same(entry_of(setting, kept), entry):
            return ""
        return spoken(setting, kept)

    def _condition(self, setting: Setting) -> Mapping[str, str]:
        if setting.enabled_by is None or setting.enabled_by not in self._entries:
            return {}
        title = self._section[setting.enabled_by].title
        return {"enabled_by": self._id(setting.enabled_by), "condition": _("Used with “{title}” only.", title=title)}

    def _choices(self, setting: Setting) -> tuple[FormChoice, ...]:
        """Return what can be chosen, where the page knows all of it."""
        if setting.kind is Kind.BOOLEAN and setting.secret:
            return (FormChoice("true", _("yes")), FormChoice("false", _("no")))
        if setting.choices:
            return tuple(FormChoice(one, title_of(setting, one)) for one in setting.choices)
        if setting.key == self._section.typed_by:
            return tuple(FormChoice(key, one.title) for key, one in (self._section.types or {}).items())
        return ()

    def _suggestions(self, setting: Setting) -> tuple[FormChoice, ...]:
        known = self._shown.suggestions.get(setting.suggest, ()) if setting.suggest else ()
        return tuple(FormChoice(value, title) for value, title in known)


def _with_value(choices: tuple[FormChoice, ...], value: str) -> tuple[FormChoice, ...]:
    """Add what stands there now where it is none of the choices: a browser would show the first one in its place."""
    return choices if any(one.value == value for one in choices) else (FormChoice(value, value), *choices)


def _unit(setting: Setting) -> str:
    each = [_("one on each line")] if setting.kind is Kind.TEXT_LIST else []
    return joined(", ", [setting.unit, *each] if setting.unit else each)


def _bounds(setting: Setting) -> str:
    """Return the least and greatest number, written as they are typed."""
    if setting.kind not in (Kind.INTEGER, Kind.NUMBER):
        return ""
    least, most = setting.minimum, setting.maximum
    if most is not None and most > _WORTH_SAYING:
        most = None
    if least == 0 and most is None:
        return ""
    if least is not None and most is not None:
        return joined("\N{EN DASH}", [written(least), written(most)])
    if least is not None:
        return joined(" ", ["\N{GREATER-THAN OR EQUAL TO}", written(least)])
    return joined(" ", ["\N{LESS-THAN OR EQUAL TO}", written(most)]) if most is not None else ""


def _lines(value: str) -> int:
    return max(_FEWEST_LINES, min(_MOST_LINES, value.count("\n") + 2))


def _title_of_others(section: Section, typed: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """Return what the settings of no group are called: by the object's type, which has added them."""
    if section.typed_by is not None:
        key = typed.get(section.typed_by, values.get(section.typed_by, section[section.typed_by].default))
        kind = (section.types or {}).get(str(key))
        if kind is not None:
            return kind.title
    return _("Others")


def _group(group: Group, members: Sequence[tuple[Setting, FormField]], shown: Shown) -> FormGroup:
    folded = not shown.unfolded and (group.advanced or all(setting.advanced for setting, _field in members))
    shown_first = [one for setting, one in members if folded or not setting.advanced]
    on_demand = [one for setting, one in members if setting.advanced and not folded]
    hidden = shown_first if folded else on_demand
    return FormGroup(
        id=f"{shown.prefix}--{group.key}",
        title=group.title,
        help=group.help,
        fields=tuple(shown_first),
        advanced=tuple(on_demand),
        folded=folded,
        open=any(_is_notable(one) for one in hidden),
    )


def _is_notable(one: FormField) -> bool:
    """Whether a field must not be hidden: it was changed, is wrong, or somebody is at it."""
    cells = [cell for row in one.rows for cell in row.fields]
    rows = any(row.error for row in one.rows) or any(_is_notable(cell) for cell in cells)
    return bool(one.modified or one.stored or one.error or one.theirs or one.focus or one.again or rows)


def _without_title(group: FormGroup) -> FormGroup:
    return FormGroup(id=group.id, title="", help="", fields=group.fields, advanced=group.advanced, open=group.open)


def _summary(groups: Iterable[FormGroup]) -> Iterable[FormProblem]:
    """Yield what is wrong in the order of the page."""
    for group in groups:
        for one in (*group.fields, *group.advanced):
            if one.error:
                yield FormProblem(one.label, one.error, one.id)
            for row in one.rows:
                if row.error:
                    yield FormProblem(row.title, row.error, row.id)
                for cell in row.fields:
                    if cell.error:
                        yield FormProblem(joined(", ", [row.title, cell.label]), cell.error, cell.id)
