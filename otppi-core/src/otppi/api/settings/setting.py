"""One setting: what it is called, which values it takes, and how they are read, kept and described."""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from otppi.api.settings.inputs import FORMATS, PORT_RANGE, PORTS, PROBLEMS, SECRET, Input
from otppi.api.settings.kinds import JSON_TYPES, LISTS, PYTHON_TYPES, TYPE_NAMES, Effect, Kind, Suggest
from otppi.text import _, joined, words
from otppi.wire.errors import FieldError

_LONGEST = 10_000
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
_MOST_ROWS = 1000
_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting. It cannot be declared without key, title, help and default.

    Attributes:
        key: Its name in documents.
        title: What a form calls it.
        help: One sentence that says what it does.
        default: Its value where nobody set it.
        kind: The type of its value.
        minimum: The least number.
        maximum: The greatest number.
        choices: The only texts that are valid.
        choice_titles: What people call those of them whose own words do not say enough.
        pattern: A regular expression that a text has to match as a whole, where it is not empty.
        pattern_says: What such a text is, in words: `14 to 16 digits`.
        unit: The unit of a number ("s", "segments").
        secret: Whether nobody is shown it.
        required: Whether it has to be given.
        check: Returns what is wrong with a value of the right type, or None.
        aliases: Other keys under which it is accepted.
        closed: Stands in place of a value that is kept and cannot be used, where the default would let somebody in:
            such as false for whether a user is active.
        tidy: Puts a text that a person typed into the form in which it is checked and kept.
        group: The group of its section that it is shown in.
        advanced: Whether a form shows it on demand only.
        input: What the value means: a form asks for it in that way, and what follows from it is checked.
        enabled_by: The switch of the same section without which it does nothing.
        suggest: The list that a form offers values from.
        effect: What a change does, where that is not what the section says.
        hashed_in: The setting that keeps this one's hash; the value itself is never kept.
        columns: Of rows: the settings of each row.
        unique: Of rows: the columns in which they differ.
        parse: Of rows: reads one as a single text, as earlier versions had it; raises ValueError with the reason.
        switched_on_encrypted: Of a switch: whether only who is connected by TLS may switch it on, since it leaves out
            whoever is not.
    """

    key: str
    title: str
    help: str
    default: Any
    kind: Kind = Kind.TEXT
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    choice_titles: Mapping[str, str] = field(default_factory=dict)
    pattern: str | None = None
    pattern_says: str = ""
    unit: str = ""
    secret: bool = False
    required: bool = False
    check: Callable[[Any], str | None] | None = None
    aliases: tuple[str, ...] = ()
    closed: Any = None
    tidy: Callable[[str], str] | None = None
    group: str = ""
    advanced: bool = False
    input: Input | None = None
    enabled_by: str | None = None
    suggest: Suggest | None = None
    effect: Effect | None = None
    hashed_in: str | None = None
    columns: "tuple[Setting, ...]" = ()
    unique: tuple[str, ...] = ()
    parse: Callable[[str], Mapping[str, Any]] | None = None
    switched_on_encrypted: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.key):
            raise ValueError(f"setting key {self.key!r} is not snake case")
        if not self.title or not self.help:
            raise ValueError(f"setting {self.key!r} needs a title and a help text")
        if self.input in PORTS:
            for name, limit in zip(("minimum", "maximum"), PORT_RANGE, strict=True):
                if getattr(self, name) is None:
                    object.__setattr__(self, name, limit)
        if (self.input in SECRET or self.hashed_in) and not self.secret:
            raise ValueError(f"setting {self.key!r} has to be declared secret")
        if unknown := self.choice_titles.keys() - set(self.choices):
            raise ValueError(f"setting {self.key!r} has a title for {', '.join(sorted(unknown))}, which is no choice")
        self._check_rows()
        if self.problem(self.default) and not self.required:
            raise ValueError(f"the default of setting {self.key!r} is not valid: {self.problem(self.default)}")
        if self.closed is not None and self.problem(self.closed):
            raise ValueError(f"the closed value of setting {self.key!r} is not valid: {self.problem(self.closed)}")

    def _check_rows(self) -> None:
        keys = [column.key for column in self.columns]
        if bool(keys) != (self.kind is Kind.ROWS) or len(set(keys)) < len(keys) or not set(self.unique) <= set(keys):
            raise ValueError(f"setting {self.key!r}: rows, and only rows, have columns, each once")
        if any(column.secret or column.aliases or column.kind is Kind.ROWS for column in self.columns):
            raise ValueError(f"setting {self.key!r}: a column is no secret, has no rows, and no other name")

    @property
    def safe(self) -> Any:
        """What stands in place of a value that cannot be used."""
        return copied(self.default if self.closed is None else self.closed)

    def choice_title(self, choice: str) -> str:
        """Return what people call one of the choices."""
        return self.choice_titles.get(choice, choice)

    # -- values -----------------------------------------------------------------------------------------------------

    def read(self, value: Any, path: str) -> tuple[Any, list[FieldError]]:
        """Tidy and check a value that was given.

        Returns:
            The value to keep, or what stands in its place; and what is wrong, named by `path`.
        """
        if self.kind is Kind.ROWS:
            return self._read_rows(value, path)
        if self.tidy is not None and isinstance(value, str):
            value = self.tidy(value)
        if reason := self.problem(value):
            return self.safe, [FieldError(path, reason)]
        return copied(value), []

    def problem(self, value: Any) -> str | None:
        """Return what is wrong with a value, or None. Never quotes the value of a secret."""
        if self.kind is Kind.ROWS:
            return next((problem.reason for problem in self._read_rows(value, "")[1]), None)
        if not self._has_type(value):
            return _("must be {type}", type=TYPE_NAMES[self.kind])
        if self.required and not value and self.kind in (Kind.TEXT, Kind.TEXT_LIST):
            return _("is required")
        for one in value if self.kind is Kind.TEXT_LIST else [value]:
            if reason := self._problem_of_one(one):
                return reason
        return self.check(value) if self.check else None

    def _has_type(self, value: Any) -> bool:
        if self.kind is Kind.TEXT_LIST:
            return isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value)
        if self.kind in (Kind.INTEGER, Kind.NUMBER):
            wanted = int if self.kind is Kind.INTEGER else (int, float)
            return isinstance(value, wanted) and not isinstance(value, bool)
        return isinstance(value, PYTHON_TYPES[self.kind])

    def _problem_of_one(self, value: Any) -> str | None:
        unit = joined(" ", ("", self.unit)) if self.unit else ""
        # A file in base64 is of any length: its own check bounds it.
        longest = None if self.kind is Kind.ANY else _LONGEST
        if isinstance(value, str) and ((longest and len(value) > longest) or _UNWRITABLE.search(value)):
            return _("is too long, or holds a NUL character or half of a surrogate pair")
        if isinstance(value, float) and not math.isfinite(value):
            return _("must be a finite number")
        if self.choices and value not in self.choices:
            return _("must be one of: {choices}", choices=", ".join(self.choices))
        if self.minimum is not None and not value >= self.minimum:
            return _("must be at least {minimum:g}{unit}", minimum=self.minimum, unit=unit)
        if self.maximum is not None and not value <= self.maximum:
            return _("must be at most {maximum:g}{unit}", maximum=self.maximum, unit=unit)
        if self.pattern is not None and value != "" and not re.fullmatch(self.pattern, value):
            if self.pattern_says:
                return _("must be {what}", what=self.pattern_says)
            return _("must match {pattern}", pattern=self.pattern)
        meant = PROBLEMS.get(self.input) if self.input and isinstance(value, str) and value else None
        return meant(value) if meant else None

    def _read_rows(self, value: Any, path: str) -> tuple[Any, list[FieldError]]:
        if not isinstance(value, (list, tuple)):
            return self.safe, [FieldError(path, _("must be {type}", type=TYPE_NAMES[self.kind]))]
        if len(value) > _MOST_ROWS:
            return self.safe, [FieldError(path, _("must be at most {most} rows", most=_MOST_ROWS))]
        kept, problems = [], []
        for index, given in enumerate(value):
            row, found = self._read_row(given, f"{path}[{index}]")
            kept.append(row)
            problems += found
        problems = problems or self.problems_of_rows(kept, path)
        if not problems and self.required and not kept:
            problems = [FieldError(path, _("is required"))]
        return (self.safe, problems) if problems else (kept, [])

    def _read_row(self, given: Any, path: str) -> tuple[dict[str, Any], list[FieldError]]:
        if isinstance(given, str) and self.parse is not None:
            try:
                given = self.parse(given)
            except ValueError as error:
                return {}, [FieldError(path, words(error))]
        return read_object(self.columns, given, path)

    def problems_of_rows(self, rows: Sequence[Mapping[str, Any]], path: str) -> list[FieldError]:
        """Return what is wrong with rows, each of which is valid by itself."""
        said = [tuple(row[key] for key in self.unique) for row in rows]
        twice = [index for index, one in enumerate(said) if self.unique and one in said[:index]]
        problems = [
            FieldError(
                f"{path}[{index}].{self.unique[0]}", _("{written} is there twice", written=_written(said[index]))
            )
            for index in twice
        ]
        if not problems and self.check is not None and (reason := self.check(rows)):
            problems = [FieldError(path, reason)]
        return problems

    def from_text(self, text: str) -> Any:
        """Read a value as a person types it on the command line; what cannot be read comes back as it is."""
        if self.kind is Kind.BOOLEAN:
            return _SWITCH.get(text.lower(), text)
        if self.kind in LISTS:
            return _list_from_text(text)
        if self.kind in (Kind.INTEGER, Kind.NUMBER):
            try:
                return int(text) if self.kind is Kind.INTEGER else float(text)
            except ValueError:
                return text
        return text

    # -- description ------------------------------------------------------------------------------------------------

    def json_schema(self, say: Callable[[str], str] = str) -> dict[str, Any]:
        """Describe the value in JSON Schema 2020-12; `say` says title and description to whoever reads it."""
        schema: dict[str, Any] = {"title": say(self.title), "description": say(self.help)}
        if self.kind is not Kind.ANY:
            schema = {"type": JSON_TYPES[self.kind]} | schema
        limits = schema
        if self.kind is Kind.TEXT_LIST:
            limits = schema["items"] = {"type": "string"}
        elif self.kind is Kind.ROWS:
            schema["items"] = self._schema_of_row(say)
        for keyword, value in (("minimum", self.minimum), ("maximum", self.maximum)):
            if value is not None:
                limits[keyword] = value
        if self.pattern is not None:  # JSON Schema searches; a text that is not required may be empty
            limits["pattern"] = f"^(?:{self.pattern}){'' if self.required else '?'}$"
        if self.required and (self.kind is Kind.TEXT or self.kind in LISTS):
            schema["minLength" if self.kind is Kind.TEXT else "minItems"] = 1
        if self.choices:
            limits["enum"] = list(self.choices)
        if self.input is not None and self.input in FORMATS and self.required:  # an empty text has no format
            limits["format"] = FORMATS[self.input]
        if self.secret:
            schema["writeOnly"] = True
        elif not self.required:
            schema["default"] = self.default
        return schema

    def _schema_of_row(self, say: Callable[[str], str]) -> dict[str, Any]:
        row = schema_of_object(self.columns, say)
        written = {"type": "string", "description": "The form of earlier versions.", "deprecated": True}
        return row if self.parse is None else {"anyOf": [row, written]}


def read_object(settings: Iterable[Setting], raw: object, path: str) -> tuple[dict[str, Any], list[FieldError]]:
    """Check one object: the complete values, and all the problems, named by `path`.key.

    Where a value cannot be used, the setting's closed value is given in its place, or else its default.
    """
    settings = tuple(settings)
    if not isinstance(raw, Mapping):
        return {setting.key: setting.safe for setting in settings}, [FieldError(path, _("must be an object"))]
    by_name = {name: setting for setting in settings for name in (setting.key, *setting.aliases)}
    values = {setting.key: copied(setting.default) for setting in settings}
    problems: list[FieldError] = []
    given: set[str] = set()
    for key, value in raw.items():
        setting = by_name.get(key)
        if setting is None:
            problems.append(FieldError(f"{path}.{key}", _unknown(str(key), by_name)))
            continue
        read, found = setting.read(value, f"{path}.{setting.key}")
        if setting.key in given:
            found = [FieldError(f"{path}.{setting.key}", _("is given twice, under two names"))]
        given.add(setting.key)
        values[setting.key] = setting.safe if found else read
        problems += found
    missing = [setting.key for setting in settings if setting.required and setting.key not in given]
    problems += [FieldError(f"{path}.{key}", _("is required")) for key in missing]
    return values, problems


def schema_of_object(settings: Iterable[Setting], say: Callable[[str], str] = str) -> dict[str, Any]:
    """Describe an object of settings in JSON Schema 2020-12."""
    settings = tuple(settings)
    return {
        "type": "object",
        "properties": {setting.key: setting.json_schema(say) for setting in settings},
        "required": [setting.key for setting in settings if setting.required],
        "additionalProperties": False,
    }


def copied(value: Any) -> Any:
    """Make a list or tuple, and the rows in it, its own, so that nobody changes a default or the document by it."""
    if not isinstance(value, list | tuple):
        return value
    return [dict(one) if isinstance(one, Mapping) else one for one in value]


def _list_from_text(text: str) -> list[Any]:
    """Read a list with commas between its texts, or one in JSON, whose texts may hold commas."""
    if text.startswith("["):
        try:
            read = json.loads(text)
        except ValueError:
            read = None
        if isinstance(read, list):
            return read
    return [one.strip() for one in text.split(",") if one.strip()]


def _unknown(key: str, known: Iterable[str]) -> str:
    import difflib  # only for who misspelt something: it takes memory

    close = difflib.get_close_matches(key, list(known), n=1)
    return _("is not a setting; did you mean {close}?", close=close[0]) if close else _("is not a setting")


def _written(values: Iterable[Any]) -> str:
    return ", ".join(map(repr, values))
