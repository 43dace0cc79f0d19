"""What an import changes: the findings as a document of our settings, checked as a whole, and a row for each value."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from otppi.api.errors import InvalidSettings
from otppi.api.settings import Section, Setting
from otppi.host.importing.findings import HIDDEN, BlockedNumber, Findings, ImportOutcome, NotTaken, Proposed
from otppi.host.messages.blocklist import MOST, Blocklist
from otppi.host.messages.settings import SMS, SmsValues
from otppi.host.numbering.numbers import numbers_of
from otppi.host.numbering.receivers import receiver_of
from otppi.host.settings.config import Config
from otppi.host.settings.password_hash import nobodys_hash
from otppi.kit.at.identity import same_imei
from otppi.text import _, words
from otppi.wire.errors import FieldError, WireError

Values = dict[str, Any]
Place = tuple[str, str, str]

_MOST_PASSWORDS: Final = 50
"""Users whose passwords are taken over at once: each is hashed while no other setting can be changed."""
_FIELD: Final = re.compile(r"([a-z0-9_-]+)(?:\[([0-9]+)\])?(?:\.([a-z0-9_]+))?.*")
_SHOWN_NUMBERS: Final = 50
"""Numbers that cannot be blocked, each with its reason; of more only how many there are."""
_MOST_ROUNDS: Final = 20
_USERS: Final = "api_users"
_BLOCKING_LIST: Final = "blocking list"


class ImportPlan:
    """What is changed by the findings of one program, and what is wrong with them.

    Args:
        config: The settings as they are.
        blocklist: The numbers that are blocked.
        findings: What the files say.
        leave_out: Whether what cannot work is left out; else it is why nothing is changed.
    """

    def __init__(self, config: Config, blocklist: Blocklist, findings: Findings, *, leave_out: bool = False) -> None:
        self._config = config
        self._blocklist = blocklist
        self._rows = findings.rows
        self._targets = _Targets(config)
        self._refused: dict[Place, str] = {}
        self._unknown: dict[Place, str] = {}
        self._problems: list[FieldError] = []
        self._index: dict[tuple[str, int], str] = {}
        self.document: dict[str, Values | list[Values]] = {}
        """What is changed, as `Config.update` takes it."""
        self._checked: Mapping[str, Values | list[Values]] = {}
        self._kept_objects: Mapping[tuple[str, str], Values] = {}
        self._new_objects: Mapping[tuple[str, str], Values] = {}
        self._declared: dict[tuple[str, str], Section] = {}
        self._kept_hashes: list[tuple[Values, Place, str]] = []
        self._check(leave_out=leave_out)
        self._count_passwords()
        self._number_rows: list[Values] = []
        self.numbers: list[str] = []
        """The keys of the numbers that are blocked anew."""
        self._read_numbers(findings.numbers, leave_out=leave_out)

    @property
    def problems(self) -> list[FieldError]:
        """Why nothing can be changed; none where it can."""
        return self._problems

    def rows(self) -> list[Values]:
        """Return what becomes of each value, as JSON."""
        keys = self.document
        self._kept_hashes = []
        self._kept_objects = self._by_name({key: self._config.values_of(key) for key in keys})
        self._new_objects = self._by_name(self._checked)
        return [self._row(one) for one in self._rows] + self._number_rows

    def tell_passwords_that_stayed(self) -> None:
        """Say of each password, once it was taken over, whether the user had it before: in the rows that were told."""
        now = self._by_name(
            {key: self._config.values_of(key) for key in {place[0] for _row, place, _ in self._kept_hashes}}
        )
        for row, (section, item, hashed_in), kept in self._kept_hashes:
            row["reason"] = ""
            if now.get((section, item), {}).get(hashed_in) == kept:
                row["outcome"] = ImportOutcome.SAME.value

    # -- the document -----------------------------------------------------------------------------------------------

    def _proposed(self) -> list[Proposed]:
        """Return what is to become settings, and has no problem that it is left out for."""
        found = [one for one in self._rows if isinstance(one, Proposed)]
        return [one for one in found if self._place(one) not in self._refused and self._is_known(one)]

    def _place(self, one: Proposed) -> Place:
        return one.section, self._targets.name(one.section, one.item), one.setting

    def _is_known(self, one: Proposed) -> bool:
        section = self._config.sections.get(one.section)
        if section is None:
            self._unknown[one.place] = _("this is of a plugin that is not installed: {plugin}", plugin=one.section)
        return section is not None

    def _check(self, *, leave_out: bool) -> None:
        """Make the document and check it; leave out what is wrong, round after round.

        Where it is not to be left out, all that was wrong with the whole is why nothing is changed; what the rest would
        become is known all the same.
        """
        self._targets.find([one for one in self._rows if isinstance(one, Proposed)])
        for round_ in range(_MOST_ROUNDS):
            self._make_document()
            try:
                self._checked = self._config.check(self.document)
            except InvalidSettings as error:
                if round_ == 0 or leave_out:
                    self._problems = [self._named(one) for one in error.problems]
                if not self._leave_out({self._place_of(one): one.reason for one in error.problems}):
                    return
            else:
                self._problems = [] if leave_out else self._problems
                return

    def _make_document(self) -> None:
        self.document, self._index = {}, {}
        given: dict[str, dict[str, Values]] = {}
        for one in self._proposed():
            key, item, setting = self._place(one)
            given.setdefault(key, {}).setdefault(item, {})[setting] = one.value
        for key, items in given.items():
            section = self._config.sections[key]
            if section.identity is None:
                self.document[key] = {**self._config.one(key), **items.get("", {})}
            else:
                self.document[key] = self._listed(section, items)

    def _listed(self, section: Section, items: Mapping[str, Values]) -> list[Values]:
        identity = str(section.identity)
        listed = [dict(one) for one in self._config.many(section.key)]
        places = {str(one[identity]): index for index, one in enumerate(listed)}
        for name, values in items.items():
            kept = listed[places[name]] if name in places else {}
            if not kept and identity not in values:  # its name cannot work, and so nothing of it can
                continue
            merged = {**kept, **values, **({identity: name} if kept else {})}
            if section.key == _USERS and not kept and not values.get("password"):
                merged["password_hash"] = nobodys_hash()  # nobody can log in until a person sets one
            own = {one.key for one in section.of(merged).settings}
            merged = {key: value for key, value in merged.items() if key in own or key in values}
            if name in places:
                listed[places[name]] = merged
            else:
                places[name] = len(listed)
                listed.append(merged)
        self._index |= {(section.key, index): name for name, index in places.items()}
        return listed

    # -- problems ---------------------------------------------------------------------------------------------------

    def _place_of(self, problem: FieldError) -> Place:
        found = _FIELD.fullmatch(problem.field)
        if found is None:
            return problem.field, "", ""
        section, index, setting = found[1], found[2], found[3] or ""
        return section, self._index.get((section, int(index)), "") if index else "", setting

    def _named(self, problem: FieldError) -> FieldError:
        """Name a problem as people know the object: by its name."""
        section, item, setting = self._place_of(problem)
        return FieldError(".".join(one for one in (section, item, setting) if one), problem.reason) if item else problem

    def _leave_out(self, refused: Mapping[Place, str]) -> bool:
        """Leave out what is refused; return whether anything of it was of this import."""
        proposed = {self._place(one) for one in self._proposed()}
        news = False
        for place, reason in refused.items():
            # What is wrong without having been proposed follows from what was: the object cannot be had like that.
            whole = place not in proposed or self._is_name(place)
            for own in [one for one in proposed if one == place or (whole and one[:2] == place[:2])]:
                self._refused[own] = reason
                news = True
        return news

    def _is_name(self, place: Place) -> bool:
        section = self._config.sections.get(place[0])
        return section is not None and section.identity is not None and place[2] == section.identity

    def _count_passwords(self) -> None:
        places = {
            self._place(one)
            for one in self._proposed()
            if one.section == _USERS and one.setting == "password" and one.value
        }
        if len(places) > _MOST_PASSWORDS:
            reason = _(
                "{count} users with passwords are more than can be taken over at once: split the file into parts of"
                " {most} users at most, and import one after the other",
                count=len(places),
                most=_MOST_PASSWORDS,
            )
            self._problems = [*self._problems, FieldError(_USERS, reason)]

    # -- numbers that are blocked -----------------------------------------------------------------------------------

    def _read_numbers(self, written: Sequence[BlockedNumber], *, leave_out: bool) -> None:
        if not written:
            return
        sms = self._checked.get(SMS.key) or self._config.one(SMS.key)
        numbers = numbers_of(cast("SmsValues", sms))
        keys: dict[str, dict[str, None]] = {}
        refused: list[tuple[BlockedNumber, str]] = []
        for one in written:
            try:
                keys.setdefault(one.file, {})[receiver_of(one.written, numbers).key] = None
            except WireError as error:
                refused.append((one, words(error)))
        for file, found in keys.items():
            news = [key for key in found if key not in self._blocklist]
            self.numbers += news
            self._add_count(file, len(found) - len(news), ImportOutcome.SAME)
            self._add_count(file, len(news), ImportOutcome.TAKEN)
        self.numbers = list(dict.fromkeys(self.numbers))
        self._refuse_numbers(refused, leave_out=leave_out)
        if len(self._blocklist.entries()) + len(self.numbers) > MOST:
            self._problems = [
                *self._problems,
                FieldError(_BLOCKING_LIST, _("the blocking list is full: it holds {most:,} numbers", most=MOST)),
            ]

    def _add_count(self, file: str, count: int, outcome: ImportOutcome) -> None:
        if count:
            told = _("numbers: {count}", count=count)
            self._number_rows.append(_json(file, told, "", outcome, place=_("blocking list"), new=count))

    def _refuse_numbers(self, refused: Sequence[tuple[BlockedNumber, str]], *, leave_out: bool) -> None:
        for one, reason in refused[:_SHOWN_NUMBERS]:
            self._number_rows.append(_json(one.file, one.written[:40], "", ImportOutcome.REFUSED, reason))
        if (more := len(refused) - _SHOWN_NUMBERS) > 0:
            told, why = _("numbers: {count}", count=more), _("as those before")
            self._number_rows.append(_json(refused[-1][0].file, told, "", ImportOutcome.REFUSED, why))
        if refused and not leave_out:
            shown = refused[:_SHOWN_NUMBERS]
            self._problems += [
                FieldError(f"{_BLOCKING_LIST} {one.written[:40]}", reason, noted=_BLOCKING_LIST)
                for one, reason in shown
            ]

    # -- rows -------------------------------------------------------------------------------------------------------

    def _row(self, one: Proposed | NotTaken) -> Values:
        if isinstance(one, NotTaken):
            return _json(one.file, one.key, one.old, one.outcome, one.reason)
        if one.place in self._unknown:
            return _json(one.file, one.key, one.old, ImportOutcome.NONE, self._unknown[one.place])
        section, item, setting = place = self._place(one)
        told = ".".join(part for part in place if part)
        if reason := self._refused_for(place):
            return _json(one.file, one.key, self._hide(one, place), ImportOutcome.REFUSED, reason, place=told)
        value, same = self._new(place, one.value)
        declared = self._setting(section, item, setting)
        secret = declared is not None and declared.secret
        outcome = ImportOutcome.SAME if same else ImportOutcome.TAKEN
        new = HIDDEN if secret and one.old else value
        row = _json(one.file, one.key, self._hide(one, place), outcome, one.note, place=told, new=new)
        if declared is not None and declared.hashed_in is not None:
            kept = self._kept_objects.get((section, item), {}).get(declared.hashed_in)
            if kept:
                row["reason"] = _("whether the user has this password already is known when it is taken over")
                self._kept_hashes.append((row, (section, item, declared.hashed_in), kept))
        return row

    def _hide(self, one: Proposed, place: Place) -> str:
        declared = self._setting(*place)
        return HIDDEN if one.old and declared is not None and declared.secret else one.old

    def _refused_for(self, place: Place) -> str:
        section, item, _setting = place
        return self._refused.get(place) or self._refused.get((section, item, "")) or ""

    def _setting(self, section: str, item: str, setting: str) -> Setting | None:
        declared = self._config.sections[section]
        if declared.typed_by is not None:
            one = self._new_objects.get((section, item), {})
            kind = section, str(one.get(declared.typed_by))
            declared = self._declared[kind] = self._declared.get(kind) or declared.of(one)
        return next((known for known in declared.settings if known.key == setting), None)

    def _new(self, place: Place, given: Any) -> tuple[Any, bool]:
        """Return what a setting is then, and whether it is so already."""
        section, item, setting = place
        kept, new = self._kept_objects.get((section, item)), self._new_objects.get((section, item))
        if new is None:
            return given, False
        if kept is None:
            return new.get(setting, given), False
        declared = self._setting(section, item, setting)
        if declared is not None and declared.hashed_in is not None:  # to compare it takes as long as to take it over
            return given, False
        return new.get(setting, given), setting in kept and kept[setting] == new.get(setting)

    def _by_name(self, document: Mapping[str, Values | list[Values]]) -> dict[tuple[str, str], Values]:
        """Return the objects of a document by section and name, which is empty where a section is one object."""
        found: dict[tuple[str, str], Values] = {}
        for key, values in document.items():
            if isinstance(values, dict):
                found[key, ""] = values
            else:
                identity = str(self._config.sections[key].identity)
                found |= {(key, str(one.get(identity))): one for one in values}
        return found


class _Targets:
    """Which object of ours each one of theirs is: that of the same name, or else the modem of the same IMEI."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._names: dict[tuple[str, str], str] = {}

    def name(self, section: str, item: str) -> str:
        """Return the name here of what has this name in the findings."""
        return self._names.get((section, item), item)

    def find(self, rows: Iterable[Proposed]) -> None:
        """Find the modems that are here under another name."""
        imeis = {one.item: one.value for one in rows if one.section == "modems" and one.setting == "imei"}
        if not imeis:
            return
        modems = self._config.many("modems")
        taken = {str(one["name"]) for one in modems} & imeis.keys()
        for item, imei in imeis.items():
            if item in taken or not isinstance(imei, str):
                continue
            for modem in modems:
                name = str(modem["name"])
                if name not in taken and modem["imei"] and same_imei(modem["imei"], imei):
                    taken.add(name)
                    self._names["modems", item] = name
                    break


def _json(
    file: str, key: str, old: str, outcome: ImportOutcome, reason: str = "", *, place: str = "", new: Any = None
) -> Values:
    return {
        "file": file,
        "key": key,
        "old": old,
        "place": place,
        "new": new,
        "outcome": outcome.value,
        "reason": reason,
    }
