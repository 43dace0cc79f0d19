"""All settings as they will be, for checks across sections; and the checks that hold for all sections alike."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from otppi.api.services import ListeningPort
from otppi.api.settings import Document, Input, Kind, Section, Setting, Suggest
from otppi.api.settings.checks import NotSoundError, Sound, run_check
from otppi.api.settings.section import faulty_keys
from otppi.text import _, words
from otppi.wire.errors import FieldError

Values = dict[str, Any]
Reader = Callable[[Document], Callable[[str], str]]
"""Given all settings, reads a text as a person typed it; that raises ValueError with the reason."""


@dataclass(frozen=True, slots=True)
class Declarations:
    """What there is to be set, handed in by the composition.

    Attributes:
        sections: The sections of core and plugins, in the order of a document.
        readers: How texts of an input are put into the form in which they are kept, where that takes other settings.
        known: What the gateway knows of, by kind.
    """

    sections: tuple[Section, ...]
    readers: Mapping[Input, Reader] = field(default_factory=dict)
    known: Mapping[Suggest, Callable[[], Collection[str]]] = field(default_factory=dict)


class Whole:
    """All settings. What has a problem of its own cannot be read, so that nothing is told that follows from it."""

    def __init__(
        self,
        declarations: Declarations,
        values: Mapping[str, Values | list[Values]],
        problems: Iterable[FieldError] = (),
    ) -> None:
        self._declarations = declarations
        self._values = values
        self._problems = tuple(problems)

    def object(self, section: str) -> Mapping[str, Any]:
        """Return the values of a section that is one object; empty where there is no such section."""
        values = self._values.get(section, {})
        return self._sound(values, section) if isinstance(values, dict) else {}

    def objects(self, section: str) -> Sequence[Mapping[str, Any]]:
        """Return the objects of a section that is a list; none where there is no such section."""
        values = self._values.get(section, [])
        items = values if isinstance(values, list) else []
        return [self._sound(one, f"{section}[{index}]") for index, one in enumerate(items)]

    def known(self, suggest: Suggest) -> Collection[str]:
        """Return what the gateway knows of a kind, such as its ingresses."""
        ask = self._declarations.known.get(suggest)
        return ask() if ask is not None else ()

    def _sound(self, values: Values, path: str) -> Mapping[str, Any]:
        faulty = faulty_keys(self._problems, path, values)
        return Sound(values, values.keys() if faulty is None else faulty)


def contradictions(declarations: Declarations, whole: Whole) -> list[FieldError]:
    """Return what does not go together across sections."""
    found = [
        problem
        for section in declarations.sections
        for check in section.check_document
        for problem in run_check(section.key, check, whole)
    ]
    return found + run_check("listeners", lambda document: _shared_ports(declarations.sections, document), whole)


def _shared_ports(sections: Iterable[Section], whole: Document) -> Iterable[FieldError]:
    """Find TCP ports that two would listen on; one that is 0 is any that is free."""
    owners: dict[int, ListeningPort] = {}
    for one in listening_ports(sections, whole.object):
        owner = owners.setdefault(one.port, one)
        if owner.section != one.section:  # that it says itself
            named = f"{owner.section}.{owner.setting}"
            yield FieldError(f"{one.section}.{one.setting}", _("must not be the same as {owner}", owner=named))


def listening_ports(
    sections: Iterable[Section], values_of: Callable[[str], Mapping[str, Any]]
) -> Iterator[ListeningPort]:
    """Yield the TCP ports that settings have the gateway listen on; none of those that are 0, which is any free one.

    All that a section listens on is at its one address (`Input.LISTEN_ADDRESS`), where it has such a setting.

    Args:
        sections: All of them.
        values_of: Returns the values of one that is one object; empty where there are none.
    """
    for section in sections:
        values = values_of(section.key) if section.identity is None else {}
        address = next((one.key for one in section.settings if one.input is Input.LISTEN_ADDRESS), None)
        for setting in section.settings:
            if setting.input is not Input.LISTEN_PORT or not values or not _is_on(setting, values):
                continue
            if port := values[setting.key]:
                yield ListeningPort(section.key, setting.key, port, values[address] if address else "")


def _is_on(setting: Setting, values: Mapping[str, Any]) -> bool:
    return setting.enabled_by is None or bool(values[setting.enabled_by])


def read_inputs(
    section: Section, item: Values, path: str, readers: Mapping[Input, Callable[[str], str]]
) -> list[FieldError]:
    """Put the texts of one object that a reader is for into the form in which they are kept; say what cannot be.

    What was written in two ways may be the same then: a list has it once, rows are refused.
    """
    problems: list[FieldError] = []
    for setting in section.settings:
        place, value = f"{path}.{setting.key}", item[setting.key]
        try:
            if setting.kind is Kind.ROWS:
                problems += _read_columns(setting, value, place, readers)
            elif setting.input is not None and setting.input in readers and value:
                item[setting.key] = _read_texts(setting, value, readers[setting.input])
        except ValueError as error:
            problems.append(FieldError(place, words(error)))
    return problems


def _read_texts(setting: Setting, value: Any, read: Callable[[str], str]) -> Any:
    kept = read(value) if isinstance(value, str) else list(dict.fromkeys(map(read, value)))
    if kept != value and (reason := setting.problem(kept)):
        raise ValueError(reason)
    return kept


def _read_columns(
    setting: Setting, rows: list[Values], path: str, readers: Mapping[Input, Callable[[str], str]]
) -> list[FieldError]:
    problems = []
    columns = [(one, readers[one.input]) for one in setting.columns if one.input is not None and one.input in readers]
    for index, row in enumerate(rows):
        for column, read in columns:
            try:
                if row[column.key]:
                    row[column.key] = _read_texts(column, row[column.key], read)
            except ValueError as error:
                problems.append(FieldError(f"{path}[{index}].{column.key}", words(error)))
    return problems or (setting.problems_of_rows(rows, path) if columns else [])


def readers_of(declarations: Declarations, whole: Document) -> Mapping[Input, Callable[[str], str]]:
    """Return how texts are read by these settings; those readers are left out whose settings are not valid."""
    readers = {}
    for meant, make in declarations.readers.items():
        try:
            readers[meant] = make(whole)
        except NotSoundError:
            continue
    return readers
