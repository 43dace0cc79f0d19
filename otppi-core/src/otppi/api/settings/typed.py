"""Sections whose values have a type: mypy finds a misspelt key, and a type that differs cannot be declared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args, get_origin

from otppi.api.settings.kinds import PYTHON_TYPES, Kind
from otppi.api.settings.section import Section
from otppi.api.settings.setting import Setting

V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedSection(Section, Generic[V]):
    """A section that says of which TypedDict its values are.

    Attributes:
        values: A TypedDict with a key for each setting, of its kind; that of rows is a list of a TypedDict again.
    """

    values: type[V]

    def __post_init__(self) -> None:
        Section.__post_init__(self)  # slots make a new class, which super() does not know
        # An object's type adds settings that no TypedDict of the section knows.
        hints, declared = annotations_of(self.values), {setting.key: setting for setting in self.settings}
        if self.typed_by is not None:
            declared = {key: setting for key, setting in declared.items() if key in hints}
        if problems := list(disagreements(declared.values(), hints)):
            raise ValueError(f"section {self.key!r} and {self.values.__name__}: {'; '.join(problems)}")


def annotations_of(values: type) -> Mapping[str, Any]:
    """Return the keys of a TypedDict, inherited ones included, with what each holds."""
    return dict(values.__annotations__)


def disagreements(settings: Iterable[Setting], hints: Mapping[str, Any]) -> Iterable[str]:
    """Yield where settings are not what a TypedDict says (`annotations_of`): other keys, or other kinds."""
    declared = {setting.key: setting for setting in settings}
    for key in declared.keys() ^ hints.keys():
        yield f"{key} is in one of them only"
    for key in declared.keys() & hints.keys():
        if not _fits(declared[key], hints[key]):
            yield f"{key} is {declared[key].kind}, not {hints[key]}"


def _fits(setting: Setting, hint: Any) -> bool:
    if setting.kind is Kind.TEXT_LIST:
        return get_origin(hint) is list and get_args(hint) == (str,)
    if setting.kind is Kind.ROWS:
        return get_origin(hint) is list and not list(disagreements(setting.columns, annotations_of(get_args(hint)[0])))
    return hint is PYTHON_TYPES[setting.kind]
