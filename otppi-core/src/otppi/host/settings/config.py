"""The settings as a whole: which sections there are, what is set, and how a document is checked and taken."""

import logging
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from otppi.api.errors import InvalidSettings
from otppi.api.settings import REDACTED, Section
from otppi.host.core import CORE_SECTIONS
from otppi.host.encryption.settings import ENCRYPTION, EVERYWHERE
from otppi.host.messages.settings import SMS
from otppi.host.modems.port_names import shared_ports
from otppi.host.modems.settings import MODEMS
from otppi.host.numbering.numbers import numbers_of
from otppi.host.numbering.prefixes import keep_as_keys
from otppi.host.runtime.plugins import Plugins, section_of_modem
from otppi.host.settings.passwords import hash_password, is_password
from otppi.host.storage.store import Store, lists_of
from otppi.host.users.settings import API_USERS
from otppi.wire.errors import FieldError

logger = logging.getLogger(__name__)

Values = dict[str, Any]


class Config:
    """Every section's values, complete and valid, in RAM.

    Changed by one thread at a time (the main thread at the start, then the control socket's); read by any.
    """

    def __init__(self, store: Store, plugins: Plugins) -> None:
        self._store = store
        self._plugins = plugins
        self.sections = {section.key: section for section in (*CORE_SECTIONS, *plugins.sections)}
        self._problems: dict[str, list[FieldError]] = {}
        self._values: dict[str, Values | list[Values]] = {}
        for key, section in self.sections.items():
            kept = store.read(key)
            raw: object = ([{}] if section.identity is None else []) if kept is None else kept
            checked = self._check(section, raw if section.identity else (raw or [{}])[0])  # type: ignore[index]
            self._values[key], self._problems[key] = checked
        self._close_users()
        self._unsaved = self._typed_prefixes()

    def _typed_prefixes(self) -> set[str]:
        """Read the prefixes that an earlier version kept as typed; give the sections that have some.

        They mean numbers of the country that is set now, and of no later one.
        """
        found = set()
        for key, values in self._values.items():
            before = deepcopy(values)
            self._problems[key] += self._keep_prefixes(key, values, self.one(SMS.key))
            if values != before and not (self._problems[key] or self._problems[SMS.key]):
                found.add(key)
        return found

    def _close_users(self) -> None:
        """Keep users out of whom anything that is kept cannot be used: it may be what kept them out."""
        damaged = {problem.field.partition(".")[0] for problem in self._problems[API_USERS.key]}
        for index, user in enumerate(self.many(API_USERS.key)):
            if f"{API_USERS.key}[{index}]" in damaged:
                user["active"] = False

    @property
    def problems(self) -> list[FieldError]:
        """What is kept and cannot be used; what stands in its place until it is set anew lets nobody in."""
        return [problem for problems in self._problems.values() for problem in problems]

    def warnings(self) -> list[str]:
        """Say what people should know."""
        fields = [problem.field for problem in self.problems]
        return [f"settings cannot be used as they are kept: {', '.join(fields)} (otppi doctor)"] if fields else []

    def usable(self, key: str) -> bool:
        """Whether all that is kept of a section can be used."""
        return not self._problems[key]

    def one(self, key: str) -> Values:
        """Give the values of a section that is one object."""
        values = self._values[key]
        assert isinstance(values, dict)  # noqa: S101 - a programming error
        return values

    def many(self, key: str) -> list[Values]:
        """Give the objects of a section that is a list."""
        values = self._values[key]
        assert isinstance(values, list)  # noqa: S101 - a programming error
        return values

    def section_of_modem(self, type_key: str) -> Section:
        """Give the settings of a modem of some type: the common ones, and the type's own."""
        return section_of_modem(self._plugins.modem_types[type_key])

    def section_of(self, section: Section, item: Mapping[str, Any]) -> Section:
        """Return the declaration of an object of a section: a modem also has the settings of its type."""
        return self._own_section(section, item)

    def export(self, *, secrets: bool) -> dict[str, Any]:
        """Give everything as a document that `update` takes; secrets are left out unless asked for."""
        document: dict[str, Any] = {}
        for key, section in self.sections.items():
            values = self._values[key]
            items = values if isinstance(values, list) else [values]
            shown = [self._exported(section, item, secrets=secrets) for item in items]
            document[key] = shown if section.identity else shown[0]
        return document

    def _exported(self, section: Section, item: Values, *, secrets: bool) -> Values:
        own = self._own_section(section, item)
        return {
            key: value
            for key, value in item.items()
            if not ((own[key].secret and not secrets) or (key == "password" and section is API_USERS))
        }

    def check(self, document: object) -> dict[str, Values | list[Values]]:
        """Check a document of sections as a whole.

        Raises:
            InvalidSettings: With every problem of every section.
        """
        if not isinstance(document, Mapping):
            raise InvalidSettings([FieldError("document", "must be an object of sections")])
        if (lists := lists_of(document)) is not None:
            document = self._of_lists(lists)
        checked, problems = {}, []
        for key, raw in document.items():
            section = self.sections.get(key)
            if section is None:
                problems.append(FieldError(str(key), f"is not a section; there are {', '.join(self.sections)}"))
                continue
            checked[key], found = self._check(section, raw)
            problems += found or self._unknown_ways_in(key, checked[key])
            if key == MODEMS.key and not found:
                problems += shared_ports(checked[key])  # type: ignore[arg-type]
        for key, values in checked.items() if not problems else ():
            problems += self._keep_prefixes(key, values, checked.get(SMS.key) or self.one(SMS.key))
        if problems:
            raise InvalidSettings(problems)
        return checked

    def _of_lists(self, lists: Mapping[str, list[Any]]) -> Mapping[str, Any]:
        """Read a `settings.json` as it is kept, such as one that a person edited, as a document of sections."""
        return {
            key: items if section.identity is not None else items[0]
            for key, items in lists.items()
            if (section := self.sections.get(key)) is not None and (items or section.identity is not None)
        }

    def _keep_prefixes(self, key: str, values: Values | list[Values], sms: object) -> list[FieldError]:
        """Put prefixes as keys begin in the place of typed ones; give what cannot be one."""
        if not isinstance(sms, Mapping):
            return []
        numbers, section = numbers_of(sms), self.sections[key]
        checks = {setting.key: setting.check for setting in section.settings}
        problems = []
        for index, one in enumerate(values if isinstance(values, list) else [values]):
            path = f"{key}[{index}]" if section.identity else key
            found = keep_as_keys(key, one, numbers, checks)
            problems += [FieldError(f"{path}.{problem.field}", problem.reason) for problem in found]
        return problems

    def _unknown_ways_in(self, key: str, values: Values | list[Values]) -> list[FieldError]:
        """Find the ways in that are to take encrypted envelopes only, and are none: a typing error would open them.

        Not when what is kept is read: a plugin that is missing must not undo the rest.
        """
        if key != ENCRYPTION.key or not isinstance(values, dict):
            return []
        known = self._plugins.ingress_types
        return [
            FieldError(f"{key}.required_on", f"{one} is not a way in; there are {', '.join(known)}")
            for one in values["required_on"]
            if one not in known and one != EVERYWHERE
        ]

    def provision(self, document: object) -> None:
        """Check and keep a document as `update` does; where the card takes nothing, it is used all the same.

        Raises:
            InvalidSettings: With every problem; nothing was changed.
        """
        checked = self._prepared(document)
        try:
            self._keep(checked)
        except OSError as error:
            logger.error("the settings are used, but cannot be kept: %s", error.strerror)  # noqa: TRY400
            self._use(checked)

    def update(self, document: object) -> list[str]:
        """Check and keep a document, all or nothing; give the keys of the sections that it changed.

        Raises:
            InvalidSettings: With every problem; nothing was changed.
            OSError: It cannot be kept; nothing was changed.
        """
        return self._keep(self._prepared(document))

    def _prepared(self, document: object) -> dict[str, Values | list[Values]]:
        checked = self.check(document)
        for user in checked.get(API_USERS.key, ()):
            self._hash(user)  # type: ignore[arg-type]
        return checked

    def _keep(self, checked: Mapping[str, Values | list[Values]]) -> list[str]:
        changed = [key for key, values in checked.items() if values != self._values[key] or self._problems[key]]
        if changed:
            lists = {key: values if isinstance(values, list) else [values] for key, values in checked.items()}
            self._store.write(self._rewritten() | {key: lists[key] for key in changed})
            self._unsaved.clear()
            self._use({key: checked[key] for key in changed})
        return changed

    def _use(self, checked: Mapping[str, Values | list[Values]]) -> None:
        self._values |= checked
        self._problems |= {key: [] for key in checked}

    def _rewritten(self) -> dict[str, list[Values]]:
        """Give the sections that are to be written since they were read from an earlier version's form."""
        kept = {key: self._values[key] for key in self._unsaved}
        return {key: values if isinstance(values, list) else [values] for key, values in kept.items()}

    def _hash(self, user: Values) -> None:
        """Replace a password by its hash; the hash that is kept stays where it is of the same password."""
        password, user["password"] = user["password"], ""
        if password and not is_password(user["password_hash"], password):
            user["password_hash"] = hash_password(password)

    # -- one section ------------------------------------------------------------------------------------------------

    def _check(self, section: Section, raw: object) -> tuple[Values | list[Values], list[FieldError]]:
        kept = self._values.get(section.key, [])
        if section.identity is None:
            return section.validate(_with_secrets(section, raw, kept if isinstance(kept, dict) else {}))
        if not isinstance(raw, list):
            return [], [FieldError(section.key, "must be a list")]
        items: list[Values] = []
        problems: list[FieldError] = []
        seen: set[str] = set()
        for index, one in enumerate(raw):
            path = f"{section.key}[{index}]"
            own = self._own_section(section, one, path, problems)
            same = next((old for old in kept if isinstance(old, dict) and _same(section, old, one)), {})
            values, found = own.validate(_with_secrets(own, one, same), path)
            problems += found
            if not found and values[section.identity] in seen:
                problems.append(FieldError(f"{path}.{section.identity}", "is used twice"))
            seen.add(values[section.identity])
            items.append(values)
        if section is API_USERS:
            problems += [
                FieldError(f"{section.key}[{index}].password", "is required")
                for index, user in enumerate(items)
                if not (user["password"] or user["password_hash"] or user["token_hashes"])
            ]
        return items, problems

    def _own_section(
        self, section: Section, raw: object, path: str = "", problems: list[FieldError] | None = None
    ) -> Section:
        if section is not MODEMS or not isinstance(raw, Mapping):
            return section
        key = raw.get("type", MODEMS["type"].default)
        if isinstance(key, str) and key in self._plugins.modem_types:
            return self.section_of_modem(key)
        if problems is not None:
            known = ", ".join(self._plugins.modem_types)
            problems.append(FieldError(f"{path}.type", f"there is no such modem type; there are {known}"))
        return section


def _same(section: Section, old: Values, new: object) -> bool:
    key = section.identity
    return isinstance(new, Mapping) and old.get(str(key)) == new.get(key)


def _with_secrets(section: Section, raw: object, kept: Values) -> object:
    """Put the secrets that are kept where the document leaves them out, or shows the asterisks of a redacted export."""
    if not isinstance(raw, Mapping):
        return raw
    document = dict(raw)
    for setting in section.settings:
        if setting.secret:
            given = [name for name in (setting.key, *setting.aliases) if name in document]
            shown = [name for name in given if document[name] == REDACTED]
            for name in shown:
                del document[name]
            if given == shown and setting.key in kept:
                document[setting.key] = kept[setting.key]
    return document
