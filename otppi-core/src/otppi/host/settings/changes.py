"""Changes of the settings by a person: kept, and then used by a gateway that runs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from otppi.api.errors import InvalidSettings
from otppi.api.operations import Actor
from otppi.api.settings import RENAMED_FROM, Section
from otppi.host.settings.config import Config
from otppi.text import _
from otppi.wire.errors import FieldError

Values = dict[str, Any]


class SettingsChanges:
    """One change at a time: the registry of operations sees to it.

    All of them are checked as a whole: a change is refused with every problem at once, and nothing is changed then. The
    `revision` is that which a change was made from, where it is known (`HostCall.revision`); each raises
    `ChangedMeanwhile` where somebody changed one of its sections after that, `InvalidSettings`, and OSError where it
    cannot be kept, and returns the keys of the sections that it changed.

    Args:
        config: The settings.
        apply: Has the gateway use the new values of the sections whose keys it is given.
        encrypted: Whether who changes them is connected by TLS, or is on the device (`Actor.encrypted`).
    """

    def __init__(
        self, config: Config, apply: Callable[[Sequence[str]], None] | None = None, *, encrypted: bool = True
    ) -> None:
        self.config = config
        self._apply = apply
        self._encrypted = encrypted

    def by(self, actor: Actor) -> "SettingsChanges":
        """Return these changes as somebody may make them."""
        return SettingsChanges(self.config, self._apply, encrypted=actor.encrypted)

    def update(self, document: object, revision: int | None = None) -> list[str]:
        """Take a document of sections."""
        if not self._encrypted and (problems := self._leaving_out(document)):
            raise InvalidSettings(problems)
        changed = self.config.update(document, revision=revision)
        if self._apply is not None:
            self._apply(changed)
        return changed

    def put_section(self, section: str, values: Mapping[str, Any], revision: int | None = None) -> list[str]:
        """Change a section that is one object; what `values` leaves out stays as it is."""
        declared = self.config.sections.get(section)
        if declared is None or declared.identity is not None:
            known = ", ".join(key for key, one in self.config.sections.items() if one.identity is None)
            raise InvalidSettings([FieldError(section, _("is not one object; there are {known}", known=known))])
        return self.update({section: {**self.config.one(section), **values}}, revision)

    def _leaving_out(self, document: object) -> list[FieldError]:
        """Return what would be switched on that leaves out whoever is not connected by TLS, such as who does it."""
        reason = _("can be switched on only from a page that was opened by HTTPS: then it is sure to work from there")
        return [
            FieldError(f"{key}.{one.key}", reason)
            for key, values in self.config.check(document).items()
            for one in self.config.sections[key].settings
            if isinstance(values, Mapping)
            and one.switched_on_encrypted
            and values[one.key]
            and not self.config.one(key)[one.key]
        ]

    # -- one object of a list: problems name it by its name, `modems.m0.port`, a new one by its place ------------------

    def add_item(self, section: str, values: Mapping[str, Any], revision: int | None = None) -> list[str]:
        """Add an object to a list; what `values` leaves out has its default."""
        declared, items = self._list(section)
        own, unknown = _own_values(f"{section}[{len(items)}]", values)
        return self._replace(declared, [*items, own], revision, unknown)

    def put_item(self, section: str, name: str, values: Mapping[str, Any], revision: int | None = None) -> list[str]:
        """Change an object of a list; what `values` leaves out stays as it is.

        Another name renames it: its secrets and its counters stay.
        """
        declared, items = self._list(section)
        index = self.place_of(declared, name)
        own, unknown = _own_values(f"{section}[{index}]", values)
        items[index] = _merged(declared, items[index], own)
        if items[index][str(declared.identity)] != name:
            items[index][RENAMED_FROM] = name
        return self._replace(declared, items, revision, unknown)

    def remove_item(self, section: str, name: str, revision: int | None = None) -> list[str]:
        """Remove an object from a list."""
        declared, items = self._list(section)
        del items[self.place_of(declared, name)]
        return self._replace(declared, items, revision, [])

    def _list(self, section: str) -> tuple[Section, list[Values]]:
        """Return how a list is declared, and its objects."""
        declared = self.config.sections.get(section)
        if declared is None or declared.identity is None:
            known = ", ".join(key for key, one in self.config.sections.items() if one.identity is not None)
            raise InvalidSettings([FieldError(section, _("is not a list; there are {known}", known=known))])
        return declared, [dict(one) for one in self.config.many(section)]

    def place_of(self, section: Section, name: str, path: str = "") -> int:
        """Return the place of an object in its list, by its name; `path` is what was asked for, where that is more."""
        for index, item in enumerate(self.config.many(section.key)):
            if item[str(section.identity)] == name:
                return index
        reason = _("there is no {identity} {item_name!r}", identity=section.identity, item_name=name)
        raise InvalidSettings([FieldError(path or f"{section.key}.{name}", reason)])

    def _replace(
        self, section: Section, items: list[Values], revision: int | None, unknown: list[FieldError]
    ) -> list[str]:
        key, identity = section.key, str(section.identity)
        kept = len(self.config.many(key))
        names = [str(item.get(RENAMED_FROM, item.get(identity, ""))) for item in items[:kept]]
        try:
            if not unknown:
                return self.update({key: items}, revision)
            self.config.check({key: items})
            raise InvalidSettings(unknown)  # noqa: TRY301 - as if the check had found it
        except InvalidSettings as error:  # nobody who changes m0 knows that it is modems[0]
            named = {f"{key}[{place}]": f"{key}.{name}" for place, name in enumerate(names)}
            problems = dict.fromkeys([*unknown, *error.problems])
            raise InvalidSettings([_by_name(one, named) for one in problems]) from error


def _own_values(place: str, values: Mapping[str, Any]) -> tuple[Values, list[FieldError]]:
    """Return values without a former name; and that as a problem: which object is changed, is said beside them.

    Where it named another object, the secrets and counters of that one would move to this one.
    """
    unknown = [FieldError(f"{place}.{RENAMED_FROM}", _("is not a setting"))] if RENAMED_FROM in values else []
    return {key: value for key, value in values.items() if key != RENAMED_FROM}, unknown


def _merged(section: Section, kept: Mapping[str, Any], values: Mapping[str, Any]) -> Values:
    """Put values over those that an object has; one of another type leaves the settings of its old type behind."""
    changed = {**kept, **values}
    own = [setting for setting in section.of(changed).settings if not _is_given(setting.aliases, values)]
    return {setting.key: kept[setting.key] for setting in own if setting.key in kept} | dict(values)


def _is_given(names: Sequence[str], values: Mapping[str, Any]) -> bool:
    return any(name in values for name in names)


def _by_name(problem: FieldError, named: Mapping[str, str]) -> FieldError:
    place, dot, rest = problem.field.partition(".")
    return FieldError(f"{named.get(place, place)}{dot}{rest}", problem.reason)
