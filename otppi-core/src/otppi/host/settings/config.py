"""The settings as a whole: which sections there are, what is set, and how a document is checked and taken."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeVar, overload

from otppi.api.errors import InvalidSettings
from otppi.api.services import ListeningPort
from otppi.api.settings import Section, TypedSection
from otppi.host.settings import renames
from otppi.host.settings.document import Declarations, Whole, contradictions, listening_ports, read_inputs, readers_of
from otppi.host.settings.renames import Rename, Renames
from otppi.host.settings.revisions import TABLE, Revisions
from otppi.host.settings.secrets import hash_secrets, renamed, with_secrets
from otppi.host.storage.store import Lists, lists_of
from otppi.text import _
from otppi.wire.errors import FieldError

logger = logging.getLogger(__name__)

Values = dict[str, Any]
Checked = dict[str, Values | list[Values]]
V = TypeVar("V")

REVISION = TABLE
"""A key of a document that is no section: the revision that it was made from."""


class Config:
    """Every section's values, complete and valid, in RAM.

    Changed by one thread at a time (the main thread at the start, then the control socket's); read by any.
    """

    def __init__(self, store: Lists, declarations: Declarations) -> None:
        self._store = store
        self._declarations = declarations
        self._revisions = Revisions(store)
        self._renames = Renames(store)
        self.sections = {section.key: section for section in declarations.sections}
        self._problems: dict[str, list[FieldError]] = {}
        self._values: Checked = {}
        for key, section in self.sections.items():
            kept = store.read(key)
            raw: object = kept if section.identity is not None else (kept or [{}])[0]
            self._values[key], self._problems[key] = _validated(section, [] if raw is None else raw)
            self._close_damaged(section)
        self._unsaved = self._typed_inputs()

    def _typed_inputs(self) -> set[str]:
        """Read what an earlier version kept as it was typed; return the sections that have some.

        It means what the other settings say now, and not what a later change of them makes of it.
        """
        found = set()
        whole = Whole(self._declarations, self._values)
        sound = readers_of(self._declarations, Whole(self._declarations, self._values, self.problems))
        for key, values in self._values.items():
            before = deepcopy(values)
            self._problems[key] += self._read_inputs(key, values, whole)
            if values != before and not self._problems[key] and sound.keys() == self._declarations.readers.keys():
                found.add(key)
        return found

    def _close_damaged(self, section: Section) -> None:
        """Set what an object is set to of which anything that is kept cannot be used."""
        damaged = {problem.field.partition(".")[0] for problem in self._problems[section.key]}
        values = self._values[section.key]
        for index, item in enumerate(values if isinstance(values, list) and section.damaged else ()):
            if f"{section.key}[{index}]" in damaged:
                item |= section.damaged

    # -- reading ----------------------------------------------------------------------------------------------------

    @property
    def revision(self) -> int:
        """The number of the state that the settings are in; each change makes it greater."""
        return self._revisions.number

    def renames(self, section: str) -> list[Rename]:
        """Return the newest changes of names in a list, oldest first, for who keeps something by these names."""
        return [one for one in self._renames.known if one.section == section]

    @property
    def problems(self) -> list[FieldError]:
        """What is kept and cannot be used; what stands in its place until it is set anew lets nobody in."""
        return [problem for problems in self._problems.values() for problem in problems]

    def warnings(self) -> list[str]:
        """Return what people should know."""
        fields = [problem.field for problem in self.problems]
        return (
            [_("settings cannot be used as they are kept: {fields} (otppi doctor)", fields=", ".join(fields))]
            if fields
            else []
        )

    def usable(self, key: str) -> bool:
        """Whether all that is kept of a section can be used."""
        return not self._problems[key]

    def is_kept(self, key: str) -> bool:
        """Whether somebody has set anything of a section; else it has its defaults."""
        return bool(self._store.read(key))

    @overload
    def one(self, section: TypedSection[V]) -> V: ...
    @overload
    def one(self, section: str) -> Values: ...
    def one(self, section: TypedSection[V] | str) -> V | Values:
        """Return the values of a section that is one object, typed where the section is given rather than its key."""
        values = self._values[section if isinstance(section, str) else section.key]
        assert isinstance(values, dict)  # noqa: S101 - a programming error
        return values

    @overload
    def many(self, section: TypedSection[V]) -> Sequence[V]: ...
    @overload
    def many(self, section: str) -> list[Values]: ...
    def many(self, section: TypedSection[V] | str) -> Sequence[V] | list[Values]:
        """Return the objects of a section that is a list, typed where the section is given rather than its key."""
        values = self._values[section if isinstance(section, str) else section.key]
        assert isinstance(values, list)  # noqa: S101 - a programming error
        return values

    def values_of(self, key: str) -> Values | list[Values]:
        """Return the values of a section by its key, be it one object or a list of them.

        Raises:
            LookupError: There is no such section.
        """
        return self._values[key]

    def listening(self) -> list[ListeningPort]:
        """Return the TCP ports that the settings have the gateway listen on."""
        return list(listening_ports(self._declarations.sections, self.one))

    def section_of(self, section: Section, item: Mapping[str, Any]) -> Section:
        """Return the declaration of an object of a section: a modem also has the settings of its type."""
        return section.of(item)

    def export(self, *, secrets: bool) -> dict[str, Any]:
        """Return everything as a document that `update` takes; secrets are left out unless asked for."""
        document: dict[str, Any] = {}
        for key, section in self.sections.items():
            values = self._values[key]
            items = values if isinstance(values, list) else [values]
            shown = [_exported(section.of(item), item, secrets=secrets) for item in items]
            document[key] = shown if section.identity else shown[0]
        return document

    # -- changing ---------------------------------------------------------------------------------------------------

    def check(self, document: object) -> Checked:
        """Check a document of sections as a whole.

        Raises:
            InvalidSettings: With every problem of every section.
        """
        checked: Checked = {}
        problems: list[FieldError] = []
        for key, raw in self.sections_of(document).items():
            section = self.sections.get(key)
            if section is not None:
                given, found = with_secrets(section, raw, self._values[key])
                checked[key], invalid = _validated(section, given)
                problems += found + (invalid or _problems_of_change(section, self._values[key], checked[key]))
            elif key != REVISION:
                problems.append(
                    FieldError(str(key), _("is not a section; there are {sections}", sections=", ".join(self.sections)))
                )
        problems += self._problems_across(checked, problems)
        if problems:
            raise InvalidSettings(problems)
        return checked

    def _problems_across(self, checked: Checked, problems: Sequence[FieldError]) -> list[FieldError]:
        """Put what takes other settings to be read into the form in which it is kept; say what does not go together.

        What did not go together before, in sections that the document does not name, is no reason to refuse it.
        """
        whole = Whole(self._declarations, self._values | checked, problems)
        found = []
        for key, values in checked.items():
            if not any(_is_of(key, problem) for problem in problems):
                found += self._read_inputs(key, values, whole)
        before = contradictions(self._declarations, Whole(self._declarations, self._values))
        whole = Whole(self._declarations, self._values | checked, [*problems, *found])
        return found + [
            problem
            for problem in contradictions(self._declarations, whole)
            if problem not in before or any(_is_of(key, problem) for key in checked)
        ]

    def sections_of(self, document: object) -> Mapping[str, Any]:
        """Return what a document says of each section; it may have the form in which settings are kept.

        Raises:
            InvalidSettings: It is no object.
        """
        if not isinstance(document, Mapping):
            raise InvalidSettings([FieldError("document", _("must be an object of sections"))])
        lists = lists_of(document)
        return document if lists is None else self._of_lists(lists)

    def _of_lists(self, lists: Mapping[str, list[Any]]) -> Mapping[str, Any]:
        """Read a `settings.json` as it is kept, such as one that a person edited, as a document of sections."""
        return {
            key: items if section.identity is not None else items[0]
            for key, items in lists.items()
            if (section := self.sections.get(key)) is not None and (items or section.identity is not None)
        }

    def _read_inputs(self, key: str, values: Values | list[Values], whole: Whole) -> list[FieldError]:
        section, readers = self.sections[key], readers_of(self._declarations, whole)
        items = (
            [(key, values)] if isinstance(values, dict) else [(f"{key}[{at}]", one) for at, one in enumerate(values)]
        )
        return [problem for path, item in items for problem in read_inputs(section.of(item), item, path, readers)]

    def provision(self, document: object) -> bool:
        """Check and keep a document as `update` does; where the card takes nothing, it is used all the same.

        Returns:
            Whether it is kept.

        Raises:
            InvalidSettings: With every problem; nothing was changed.
        """
        checked = self._prepared(document)
        known = self._renames.after(self._renamed(document))
        try:
            self._keep(checked, known)
        except OSError as error:
            logger.error("the settings are used, but cannot be kept: %s", error.strerror)  # noqa: TRY400
            self._replace(checked)
            self._renames.adopt(known)
            return False
        return True

    def update(self, document: object, *, revision: int | None = None) -> list[str]:
        """Check and keep a document, all or nothing; return the keys of the sections that it changed.

        Args:
            document: Of sections; also of the form in which they are kept.
            revision: That of the state which the change was made from; where the document holds one, that counts.
                None overwrites what somebody else may have changed meanwhile.

        Raises:
            ChangedMeanwhile: Somebody changed one of its sections after that revision; nothing was changed.
            InvalidSettings: With every problem; nothing was changed.
            OSError: It cannot be kept; nothing was changed.
        """
        if isinstance(document, Mapping):
            told = document.get(REVISION, revision) if lists_of(document) is None else revision
            if not (told is None or (isinstance(told, int) and not isinstance(told, bool))):
                raise InvalidSettings([FieldError(REVISION, _("must be a whole number"))])
            self._revisions.check(told, [str(key) for key in document if key != REVISION])
        checked = self._prepared(document)
        return self._keep(checked, self._renames.after(self._renamed(document)))

    def check_revision(self, revision: int | None, sections: Iterable[str]) -> None:
        """Refuse what `update` would refuse of these sections, for who changes something else before that.

        Raises:
            ChangedMeanwhile: Somebody changed one of them after that revision.
        """
        self._revisions.check(revision, sections)

    def _prepared(self, document: object) -> Checked:
        checked = self.check(document)
        for key, values in checked.items():
            for item in values if isinstance(values, list) else [values]:
                hash_secrets(self.sections[key].of(item), item)
        return checked

    def _renamed(self, document: object) -> dict[str, dict[str, str]]:
        """Return the new names that a valid document gives, by section and former name."""
        assert isinstance(document, Mapping)  # noqa: S101 - it was checked
        lists = lists_of(document)
        sections = document if lists is None else self._of_lists(lists)
        known = {key: (self.sections[key], raw) for key, raw in sections.items() if key in self.sections}
        return {key: renamed(section, raw, self._values[key]) for key, (section, raw) in known.items()}

    def _keep(self, checked: Checked, known: list[Rename]) -> list[str]:
        changed = [key for key, values in checked.items() if values != self._values[key] or self._problems[key]]
        if changed:
            new = {key: self._values[key] for key in self._unsaved} | {key: checked[key] for key in changed}
            lists = {key: values if isinstance(values, list) else [values] for key, values in new.items()}
            revision = self._revisions.after(changed)
            tables = {TABLE: [revision]} | ({renames.TABLE: renames.rows(known)} if known else {})
            self._store.write({**lists, **tables})
            self._revisions.adopt(revision)
            self._renames.adopt(known)
            self._unsaved.clear()
            self._replace({key: checked[key] for key in changed})
        return changed

    def _replace(self, checked: Checked) -> None:
        self._values |= checked
        self._problems |= {key: [] for key in checked}


def _validated(section: Section, raw: object) -> tuple[Values | list[Values], list[FieldError]]:
    return section.validate(raw) if section.identity is None else section.validate_items(raw)


def _problems_of_change(
    section: Section, before: Values | list[Values], after: Values | list[Values]
) -> list[FieldError]:
    if isinstance(before, dict) or isinstance(after, dict):
        return []
    return section.problems_of_change(before, after)


def _exported(section: Section, item: Values, *, secrets: bool) -> Values:
    left_out = {one.key for one in section.settings if one.hashed_in is not None or (one.secret and not secrets)}
    return {key: value for key, value in item.items() if key not in left_out}


def _is_of(key: str, problem: FieldError) -> bool:
    """Whether a problem is one of a section."""
    return problem.field == key or problem.field.startswith((f"{key}.", f"{key}["))
