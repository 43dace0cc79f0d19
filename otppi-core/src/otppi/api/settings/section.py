"""A section: settings that belong together, one object or a list of them, with what holds across them."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

from otppi.api.settings.checks import ChangesCheck, Check, DocumentCheck, ItemsCheck, Sound, run_check
from otppi.api.settings.kinds import REDACTED, Effect, Group
from otppi.api.settings.reference import Say, page
from otppi.api.settings.setting import Setting, copied, read_object, schema_of_object
from otppi.text import _, joined, labelled
from otppi.wire.errors import FieldError

RENAMED_FROM = "renamed_from"
"""A key of an object of a list that is no setting: the name that it had, whose secrets it keeps."""


class ItemType(Protocol):
    """What an object's type adds to its settings: a modem type, for one."""

    @property
    def key(self) -> str:
        """The type's name."""
        ...

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    @property
    def help(self) -> str:
        """One sentence about it."""
        ...

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The settings that it adds."""
        ...

    @property
    def checks(self) -> tuple[Check, ...]:
        """What it does not take together."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A named group of settings: one object, or, where `identity` names a key, a list of objects that differ in it.

    Attributes:
        key: Its name in documents.
        title: What its page is called.
        help: One sentence about it.
        settings: Its settings, in the order of the page.
        reset_group: The part of a factory reset that brings back its defaults.
        identity: Of a list: the setting by which its objects are told apart.
        groups: The parts of its page; each setting names its own.
        effect: What a change does, where a setting does not say otherwise.
        checks: What an object's settings do not take together.
        check_items: What the objects of a list do not take together.
        check_changes: Of a list: which change of a valid list to another one is refused.
        check_document: What does not go together with other sections.
        typed_by: Of a list: the setting that names an object's type, which adds settings of its own.
        types: The types, filled in by the gateway from its plugins.
        asks_again: Whether it is changed only by a person who has given the password within the last minutes
            (`Operation.asks_again`).
        own_operations: Whether people change it by operations of its own, which see to more than a valid document:
            those on settings change it on the device only (the command line).
        damaged: Of a list: what an object is set to where anything that is kept of it cannot be used, as that may be
            what kept somebody out.
    """

    key: str
    title: str
    help: str
    settings: tuple[Setting, ...]
    reset_group: str
    identity: str | None = None
    groups: tuple[Group, ...] = ()
    effect: Effect = Effect.AT_ONCE
    checks: tuple[Check, ...] = ()
    check_items: tuple[ItemsCheck, ...] = ()
    check_changes: tuple[ChangesCheck, ...] = ()
    check_document: tuple[DocumentCheck, ...] = ()
    typed_by: str | None = None
    types: Mapping[str, ItemType] | None = field(default=None, compare=False, repr=False)
    damaged: Mapping[str, Any] = field(default_factory=dict)
    asks_again: bool = False
    own_operations: bool = False

    def __post_init__(self) -> None:
        keys = [key for setting in self.settings for key in (setting.key, *setting.aliases)]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise ValueError(f"section {self.key!r} declares {', '.join(sorted(twice))} twice")
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", self.key):  # it also names a folder
            raise ValueError(f"section key {self.key!r} is not of small letters, digits, - and _")
        if self.identity is not None and not (self.identity in keys and self[self.identity].required):
            raise ValueError(f"section {self.key!r}: its identity {self.identity!r} is not a required setting")
        if RENAMED_FROM in keys:
            raise ValueError(f"section {self.key!r}: {RENAMED_FROM} is no setting, but the former name of an object")
        self._check_references(set(keys))

    def _check_references(self, keys: set[str]) -> None:
        groups = {group.key for group in self.groups}
        for setting in self.settings:
            if setting.group and groups and setting.group not in groups:
                raise ValueError(f"section {self.key!r}: setting {setting.key!r} is in no group of it")
            for other in (setting.enabled_by, setting.hashed_in):
                if other is not None and other not in keys:
                    raise ValueError(f"section {self.key!r}: setting {setting.key!r} names {other!r}, which is none")
        if self.typed_by is not None and not (self.identity and self.typed_by in keys):
            raise ValueError(f"section {self.key!r}: {self.typed_by!r} cannot name the type of an object")

    def __getitem__(self, key: str) -> Setting:
        for setting in self.settings:
            if setting.key == key:
                return setting
        raise KeyError(key)

    def defaults(self) -> dict[str, Any]:
        """Return the value that each setting has where nobody set it."""
        return {setting.key: copied(setting.default) for setting in self.settings}

    def effect_of(self, setting: Setting) -> Effect:
        """Return what a change of one of its settings does."""
        return setting.effect or self.effect

    def grouped(self) -> list[tuple[Group | None, list[Setting]]]:
        """Return the settings by groups, in the page's order; last those of none."""
        named: list[tuple[Group | None, list[Setting]]] = [
            (group, [setting for setting in self.settings if setting.group == group.key]) for group in self.groups
        ]
        keys = {group.key for group in self.groups}
        named.append((None, [setting for setting in self.settings if setting.group not in keys]))
        return [(group, settings) for group, settings in named if settings]

    # -- types ------------------------------------------------------------------------------------------------------

    def with_types(self, types: Mapping[str, ItemType]) -> Self:
        """Return the section with the types that there are; a mapping that grows later is seen to have grown."""
        return replace(self, types=types)

    def of(self, item: object) -> Self:
        """Return the settings of one object: the common ones, and those of its type where that is known."""
        if self.typed_by is None or not isinstance(item, Mapping):
            return self
        key = item.get(self.typed_by, self[self.typed_by].default)
        return self.of_type(key) if isinstance(key, str) and key in (self.types or {}) else self

    def of_type(self, key: str) -> Self:
        """Return the settings of an object of some type.

        Raises:
            KeyError: There is no such type.
            ValueError: The type declares one of the common ones anew.
        """
        return self.extended((self.types or {})[key])

    def extended(self, kind: ItemType) -> Self:
        """Return the settings of an object of a type, be it one of its types or not.

        Raises:
            ValueError: The type declares one of the common ones anew.
        """
        return replace(self, settings=(*self.settings, *kind.settings), checks=(*self.checks, *kind.checks))

    def _type_problems(self, item: object, path: str) -> list[FieldError]:
        if self.typed_by is None or self.types is None or not isinstance(item, Mapping):
            return []
        key = item.get(self.typed_by, self[self.typed_by].default)
        if isinstance(key, str) and key in self.types:
            return []
        reason = _("there is no such type; there are {types}", types=", ".join(self.types))
        return [FieldError(f"{path}.{self.typed_by}", reason)]

    # -- validation -------------------------------------------------------------------------------------------------

    def validate(self, raw: object, path: str | None = None) -> tuple[dict[str, Any], list[FieldError]]:
        """Check one object: the complete values, and all the problems, named by `path`.key.

        Where a value cannot be used, the setting's closed value is given in its place, or else its default.
        """
        path = self.key if path is None else path
        values, problems = read_object(self.settings, raw, path)
        return values, problems + self.contradictions(values, problems, path)

    def contradictions(
        self, values: Mapping[str, Any], problems: Iterable[FieldError] = (), path: str | None = None
    ) -> list[FieldError]:
        """Return which values of one object do not go together.

        Args:
            values: Its values.
            problems: What is wrong with single ones of them: nothing follows from those.
            path: What the object is called in problems; the section's key where it is None.
        """
        path = self.key if path is None else path
        faulty = faulty_keys(problems, path, values)
        if faulty is None:
            return []
        sound = Sound(values, faulty)
        found = [problem for check in self.checks for problem in run_check(self.key, check, sound)]
        return [FieldError(f"{path}.{problem.field}", problem.reason) for problem in found]

    def validate_items(self, raw: object) -> tuple[list[dict[str, Any]], list[FieldError]]:
        """Check the objects of a list: their complete values, and all the problems, named by the section's key[index].

        Raises:
            ValueError: The section is no list.
        """
        if self.identity is None:
            raise ValueError(f"section {self.key!r} is one object")
        if not isinstance(raw, list):
            return [], [FieldError(self.key, _("must be a list"))]
        items, problems = [], []
        seen: set[str] = set()
        for index, one in enumerate(raw):
            path = f"{self.key}[{index}]"
            given = {key: value for key, value in one.items() if key != RENAMED_FROM} if isinstance(one, dict) else one
            unknown = self._type_problems(given, path)
            values, found = self.of(given).validate(given, path)
            found = unknown + found
            name = values[self.identity]
            if name in seen and not any(problem.field in (path, f"{path}.{self.identity}") for problem in found):
                found.append(FieldError(f"{path}.{self.identity}", _("is used twice")))
            seen.add(name)
            items.append(values)
            problems += found
        return items, problems + self._contradicting_items(items, problems)

    def _contradicting_items(
        self, items: Iterable[Mapping[str, Any]], problems: Iterable[FieldError]
    ) -> list[FieldError]:
        sound = []
        for index, values in enumerate(items):
            faulty = faulty_keys(problems, f"{self.key}[{index}]", values)
            sound.append(Sound(values, values.keys() if faulty is None else faulty))
        found = [problem for check in self.check_items for problem in run_check(self.key, check, sound)]
        return [FieldError(f"{self.key}{problem.field}", problem.reason) for problem in found]

    def problems_of_change(
        self, before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
    ) -> list[FieldError]:
        """Return why a list that is valid must not become another one that is."""
        change = (list(before), list(after))
        found = [problem for check in self.check_changes for problem in run_check(self.key, check, change)]
        return [FieldError(f"{self.key}{problem.field}", problem.reason) for problem in found]

    # -- description ------------------------------------------------------------------------------------------------

    def redact(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Copy the values with every secret replaced by asterisks."""
        secret = {setting.key for setting in self.settings if setting.secret}
        return {key: REDACTED if key in secret and value else value for key, value in values.items()}

    def json_schema(self, say: Say = str) -> dict[str, Any]:
        """Describe the section in JSON Schema 2020-12.

        Args:
            say: Says titles and helps in the language of whoever reads it.
        """
        if self.identity is None:
            return self._schema_of_object(say)
        if not (self.typed_by and self.types):
            return {"type": "array", "items": self._schema_of_object(say)}
        return {"type": "array", "items": {"anyOf": [self._schema_of_type(key, say) for key in self.types]}}

    def _schema_of_object(self, say: Say) -> dict[str, Any]:
        schema = schema_of_object(self.settings, say)
        if self.identity is not None:
            description = "The name that it had, where it is renamed: it keeps its secrets."
            schema["properties"][RENAMED_FROM] = {"type": "string", "description": description, "writeOnly": True}
        return {"type": "object", "title": say(self.title), "description": say(self.help), **schema}

    def _schema_of_type(self, key: str, say: Say) -> dict[str, Any]:
        schema = self.of_type(key)._schema_of_object(say)
        schema["properties"][self.typed_by]["const"] = key
        if key != self[str(self.typed_by)].default:
            schema["required"] = [*schema["required"], self.typed_by]
        return schema

    def reference(self, say: Say = str) -> str:
        """Write the section's page of the reference in Markdown, with one part for each type.

        Args:
            say: Says a text in the language of whoever reads it.
        """
        about: list[str] = [_("Reset group: `{group}`.", group=self.reset_group)]
        if self.effect is not Effect.AT_ONCE:
            about.append(_("After a change {effect}.", effect=self.effect.value))
        if self.identity is not None:
            renamed = _(
                "An object that is renamed says its former `{identity}` as `{renamed_from}`: secrets stay.",
                identity=self.identity,
                renamed_from=RENAMED_FROM,
            )
            about.append(renamed)
        title = labelled(f"`{self.key}`", self.title)
        pages = [page(title, [self.help, joined(" ", about)], self.grouped(), say)]
        for kind in (self.types or {}).values():
            if kind.settings:
                title = _(
                    "`{section}`: beside these, where `{setting}` is `{type}`",
                    section=self.key,
                    setting=self.typed_by,
                    type=kind.key,
                )
                pages.append(page(title, [kind.help], [(None, list(kind.settings))], say))
        return "\n".join(pages)


def faulty_keys(problems: Iterable[FieldError], path: str, keys: Collection[str]) -> set[str] | None:
    """Return the keys of an object that have a problem; None where the object itself has one."""
    fields = [problem.field for problem in problems]
    if path in fields:
        return None
    places = {f"{path}.{key}": key for key in keys}
    return {key for place, key in places.items() if any(one == place or one.startswith(f"{place}[") for one in fields)}
