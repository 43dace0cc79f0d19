"""The declaration of settings: one gives validation, redaction, JSON Schema, reference and reset group."""

import difflib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypedDict, Unpack

from otppi.wire.errors import FieldError

REDACTED = "********"

_LONGEST = 10_000
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")

_TYPE_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false", list: "a list of texts"}


class Kind(StrEnum):
    """The type of a setting's value."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT_LIST = "text list"


_PYTHON_TYPES: Mapping[Kind, type] = {
    Kind.TEXT: str,
    Kind.INTEGER: int,
    Kind.NUMBER: float,
    Kind.BOOLEAN: bool,
    Kind.TEXT_LIST: list,
}
_JSON_TYPES: Mapping[Kind, str] = {
    Kind.TEXT: "string",
    Kind.INTEGER: "integer",
    Kind.NUMBER: "number",
    Kind.BOOLEAN: "boolean",
    Kind.TEXT_LIST: "array",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting. It cannot be declared without key, title, help and default.

    `unit` is the unit of a number ("s", "segments"); `check` returns what is wrong with a value of the right type, or
    None; `aliases` are other keys under which it is accepted. `closed` stands in place of a value that is kept and
    cannot be used, where the default would let somebody in: such as false for whether a user is active. `tidy` puts a
    text that a person typed into the form in which it is checked and kept.
    """

    key: str
    title: str
    help: str
    default: Any
    kind: Kind = Kind.TEXT
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    unit: str = ""
    secret: bool = False
    required: bool = False
    check: Callable[[Any], str | None] | None = None
    aliases: tuple[str, ...] = ()
    closed: Any = None
    tidy: Callable[[str], str] | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.key):
            raise ValueError(f"setting key {self.key!r} is not snake case")
        if not self.title or not self.help:
            raise ValueError(f"setting {self.key!r} needs a title and a help text")
        if self.problem(self.default) and not self.required:
            raise ValueError(f"the default of setting {self.key!r} is not valid: {self.problem(self.default)}")
        if self.closed is not None and self.problem(self.closed):
            raise ValueError(f"the closed value of setting {self.key!r} is not valid: {self.problem(self.closed)}")

    @property
    def safe(self) -> Any:
        """What stands in place of a value that cannot be used."""
        return _copy(self.default if self.closed is None else self.closed)

    def problem(self, value: Any) -> str | None:
        """Say what is wrong with a value, or None. Never quotes the value of a secret."""
        if not self._has_type(value):
            return f"must be {_TYPE_NAMES[_PYTHON_TYPES[self.kind]]}"
        if self.required and not value and self.kind in (Kind.TEXT, Kind.TEXT_LIST):
            return "is required"
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
        return isinstance(value, _PYTHON_TYPES[self.kind])

    def _problem_of_one(self, value: Any) -> str | None:
        unit = f" {self.unit}" if self.unit else ""
        if isinstance(value, str) and (len(value) > _LONGEST or _UNWRITABLE.search(value)):
            return "is too long, or holds a NUL character or half of a surrogate pair"
        if isinstance(value, float) and not math.isfinite(value):
            return "must be a finite number"
        if self.choices and value not in self.choices:
            return f"must be one of: {', '.join(self.choices)}"
        if self.minimum is not None and not value >= self.minimum:
            return f"must be at least {self.minimum:g}{unit}"
        if self.maximum is not None and not value <= self.maximum:
            return f"must be at most {self.maximum:g}{unit}"
        if self.pattern is not None and value != "" and not re.fullmatch(self.pattern, value):
            return f"must match {self.pattern}"
        return None

    def from_text(self, text: str) -> Any:
        """Read a value as a person types it on the command line; what cannot be read comes back as it is."""
        if self.kind is Kind.BOOLEAN:
            return {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}.get(
                text.lower(), text
            )
        if self.kind is Kind.TEXT_LIST:
            return _list_from_text(text)
        if self.kind in (Kind.INTEGER, Kind.NUMBER):
            try:
                return int(text) if self.kind is Kind.INTEGER else float(text)
            except ValueError:
                return text
        return text

    def json_schema(self) -> dict[str, Any]:
        """Describe the value in JSON Schema 2020-12."""
        schema: dict[str, Any] = {"type": _JSON_TYPES[self.kind], "title": self.title, "description": self.help}
        limits = schema
        if self.kind is Kind.TEXT_LIST:
            limits = schema["items"] = {"type": "string"}
        for keyword, value in (("minimum", self.minimum), ("maximum", self.maximum)):
            if value is not None:
                limits[keyword] = value
        if self.pattern is not None:  # JSON Schema searches; a text that is not required may be empty
            limits["pattern"] = f"^(?:{self.pattern}){'' if self.required else '?'}$"
        if self.required and self.kind in (Kind.TEXT, Kind.TEXT_LIST):
            schema["minLength" if self.kind is Kind.TEXT else "minItems"] = 1
        if self.choices:
            limits["enum"] = list(self.choices)
        if self.secret:
            schema["writeOnly"] = True
        elif not self.required:
            schema["default"] = self.default
        return schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A named group of settings: one object, or, where `identity` names a key, a list of objects that differ in it.

    `reset_group` is the part of a factory reset that brings back its defaults.
    """

    key: str
    title: str
    help: str
    settings: tuple[Setting, ...]
    reset_group: str
    identity: str | None = None

    def __post_init__(self) -> None:
        keys = [key for setting in self.settings for key in (setting.key, *setting.aliases)]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise ValueError(f"section {self.key!r} declares {', '.join(sorted(twice))} twice")
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", self.key):  # it also names a folder
            raise ValueError(f"section key {self.key!r} is not of small letters, digits, - and _")
        if self.identity is not None and not (self.identity in keys and self[self.identity].required):
            raise ValueError(f"section {self.key!r}: its identity {self.identity!r} is not a required setting")

    def __getitem__(self, key: str) -> Setting:
        for setting in self.settings:
            if setting.key == key:
                return setting
        raise KeyError(key)

    def defaults(self) -> dict[str, Any]:
        """Give the value that each setting has where nobody set it."""
        return {setting.key: _copy(setting.default) for setting in self.settings}

    def validate(self, raw: object, path: str | None = None) -> tuple[dict[str, Any], list[FieldError]]:
        """Check one object: the complete values, and all the problems, named by `path`.key.

        Where a value cannot be used, the setting's closed value is given in its place, or else its default.
        """
        path = self.key if path is None else path
        if not isinstance(raw, Mapping):
            return {setting.key: setting.safe for setting in self.settings}, [FieldError(path, "must be an object")]
        by_name = {name: setting for setting in self.settings for name in (setting.key, *setting.aliases)}
        values = self.defaults()
        problems = []
        given: set[str] = set()
        for key, value in raw.items():
            setting = by_name.get(key)
            if setting is None:
                problems.append(FieldError(f"{path}.{key}", "is not a setting" + _suggestion(str(key), by_name)))
                continue
            if setting.tidy is not None and isinstance(value, str):
                value = setting.tidy(value)
            twice = "is given twice, under two names" if setting.key in given else None
            given.add(setting.key)
            if reason := twice or setting.problem(value):
                problems.append(FieldError(f"{path}.{setting.key}", reason))
                values[setting.key] = setting.safe
            else:
                values[setting.key] = _copy(value)
        missing = [setting.key for setting in self.settings if setting.required and setting.key not in given]
        problems += [FieldError(f"{path}.{key}", "is required") for key in missing]
        return values, problems

    def redact(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Copy the values with every secret replaced by asterisks."""
        secret = {setting.key for setting in self.settings if setting.secret}
        return {key: REDACTED if key in secret and value else value for key, value in values.items()}

    def json_schema(self) -> dict[str, Any]:
        """Describe the section in JSON Schema 2020-12."""
        schema: dict[str, Any] = {
            "type": "object",
            "title": self.title,
            "description": self.help,
            "properties": {setting.key: setting.json_schema() for setting in self.settings},
            "required": [setting.key for setting in self.settings if setting.required],
            "additionalProperties": False,
        }
        return schema if self.identity is None else {"type": "array", "items": schema}

    def reference(self) -> str:
        """Write the section's page of the reference, as a Markdown table."""
        rows = [f"## `{self.key}`: {self.title}", "", self.help, "", f"Reset group: `{self.reset_group}`.", ""]
        rows += ["| Setting | Title | Type | Default | What it does |", "|---|---|---|---|---|"]
        rows += [_reference_row(setting) for setting in self.settings]
        return "\n".join(rows) + "\n"


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


def _copy(value: Any) -> Any:
    """Make a list of a list's or tuple's own, so that nobody changes a default or the document by it."""
    return list(value) if isinstance(value, list | tuple) else value


def _suggestion(key: str, known: Sequence[str] | Mapping[str, Setting]) -> str:
    close = difflib.get_close_matches(key, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _reference_row(setting: Setting) -> str:
    kind = " or ".join(f"`{choice}`" for choice in setting.choices) or setting.kind.value
    span = [
        f"{word} {limit:,}" for word, limit in (("from", setting.minimum), ("to", setting.maximum)) if limit is not None
    ]
    kind = " ".join([kind, *span, setting.unit]).strip()
    default = "required" if setting.required else "secret" if setting.secret else f"`{json.dumps(setting.default)}`"
    cells = (f"`{setting.key}`", setting.title, kind, default, setting.help)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


class Rules(TypedDict, total=False):
    """What may be said of a setting beyond key, title, help and default; see `Setting`."""

    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]
    pattern: str | None
    unit: str
    secret: bool
    required: bool
    check: Callable[[Any], str | None] | None
    aliases: tuple[str, ...]
    closed: Any
    tidy: Callable[[str], str] | None


def text(key: str, title: str, help: str, default: str = "", **rules: Unpack[Rules]) -> Setting:  # noqa: A002
    """Declare a text."""
    return Setting(key=key, title=title, help=help, default=default, **rules)


def integer(key: str, title: str, help: str, default: int, **rules: Unpack[Rules]) -> Setting:  # noqa: A002
    """Declare a whole number."""
    return Setting(key=key, title=title, help=help, default=default, kind=Kind.INTEGER, **rules)


def number(key: str, title: str, help: str, default: float, **rules: Unpack[Rules]) -> Setting:  # noqa: A002
    """Declare a number that may have a fraction."""
    return Setting(key=key, title=title, help=help, default=default, kind=Kind.NUMBER, **rules)


def boolean(key: str, title: str, help: str, default: bool, **rules: Unpack[Rules]) -> Setting:  # noqa: A002
    """Declare a yes or no."""
    return Setting(key=key, title=title, help=help, default=default, kind=Kind.BOOLEAN, **rules)


def text_list(key: str, title: str, help: str, **rules: Unpack[Rules]) -> Setting:  # noqa: A002
    """Declare a list of texts, empty by default."""
    return Setting(key=key, title=title, help=help, default=[], kind=Kind.TEXT_LIST, **rules)
