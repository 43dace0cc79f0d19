"""What a restore would change: of each section of the settings, and of what is kept beside them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from otppi.api.settings import Input, Section, Setting
from otppi.host.backup.contents import Contents, said_of
from otppi.host.settings import renames, revisions
from otppi.host.settings.config import Config
from otppi.host.storage.store import Tables
from otppi.text import Text, _

Values = dict[str, Any]

_INTERNAL: Final = frozenset({revisions.TABLE, renames.TABLE})
"""Tables that are no sections."""
_MOST: Final = 50
"""Changes of one section that are told one by one."""
_LISTS: Final[Mapping[str, Text]] = {
    "blocking-list": _("Blocked numbers"),
    "encryption-keys.json": _("Encryption keys"),
    "usage/counters.json": _("Modems and e-mail accounts with counters"),
}
"""What is counted of a file, by its name."""


def of_settings(config: Config, tables: Tables) -> list[dict[str, Any]]:
    """Return what changes in each section, in the order of the settings; those that stay as they are are left out."""
    found = []
    for key, section in config.sections.items():
        before, (after, problems) = config.values_of(key), validated(section, tables)
        changes = list(_changes(section, before, after))
        if changes or problems:
            found.append(
                {
                    "section": key,
                    "title": section.title,
                    "before": len(before) if isinstance(before, list) else None,
                    "after": len(after) if isinstance(after, list) else None,
                    "changes": changes[:_MOST],
                    "more": max(0, len(changes) - _MOST),
                    "problems": [[one.field, one.reason] for one in problems],
                }
            )
    return found


def validated(section: Section, tables: Tables) -> tuple[Values | list[Values], list[Any]]:
    """Return the values that a section has by a backup's tables, and what of them cannot be used."""
    rows = list(tables.get(section.key, {}).values())
    if section.identity is not None:
        return section.validate_items(rows)
    return section.validate((rows or [{}])[0])


def files_named(config: Config, tables: Tables) -> list[tuple[str, str]]:
    """Return the files of the device that settings name, which no backup has: the setting's path, and the file's."""
    found = []
    for key, section in config.sections.items():
        values = validated(section, tables)[0]
        for one in values if isinstance(values, list) else [values]:
            name = key if section.identity is None else f"{key}.{one[section.identity]}"
            found += [
                (f"{name}.{setting.key}", str(one[setting.key]))
                for setting in section.of(one).settings
                if setting.input is Input.PATH and one.get(setting.key)
            ]
    return found


def of_files(here: Mapping[str, bytes], contents: Contents) -> list[dict[str, Any]]:
    """Return what changes beside the settings: how many there are and will be, or that a file is another one."""
    found: list[dict[str, Any]] = []
    for name, title in _LISTS.items():
        before, after = _count(name, here), _count(name, contents.files)
        if here.get(name) != contents.files.get(name):
            found.append({"file": name, "title": title, "before": before, "after": after})
    others = sorted(name for name in contents.files if _is_own(name) and here.get(name) != contents.files[name])
    return found + [{"file": name, "title": said_of(name), "before": None, "after": None} for name in others]


def unknown(config: Config, contents: Contents) -> list[Text]:
    """Return what of a backup this device does not know, and what becomes of that."""
    tables = [name for name in contents.settings if name not in config.sections and name not in _INTERNAL]
    told = [
        _("{name}: the plugin of these settings is not installed here; they are kept until it is", name=name)
        for name in tables
    ]
    told += [_("{name}: this version does not know this file; it is left out", name=one) for one in contents.unknown]
    return told + [_("{name}: was too large for the backup", name=one) for one in contents.left_out]


def _is_own(name: str) -> bool:
    return "/" in name and not name.startswith(("audit/", "usage/"))


def _changes(section: Section, before: Values | list[Values], after: Values | list[Values]) -> Iterable[dict[str, Any]]:
    if isinstance(before, dict) or isinstance(after, dict):
        assert isinstance(before, dict)  # noqa: S101 - a section is the same here and there
        assert isinstance(after, dict)  # noqa: S101
        yield from _of_object(section, "", before, after)
        return
    identity = str(section.identity)
    olds, news = ({one[identity]: one for one in values} for values in (before, after))
    for name in dict.fromkeys((*olds, *news)):
        old, new = olds.get(name), news.get(name)
        if old is None or new is None:
            yield {"name": name, "what": "removed" if new is None else "added"}
        else:
            yield from _of_object(section.of({**old, **new}), name, old, new)


def _of_object(section: Section, name: str, old: Values, new: Values) -> Iterable[dict[str, Any]]:
    for setting in section.settings:
        was, will = old.get(setting.key, setting.default), new.get(setting.key, setting.default)
        if was != will:
            yield {"name": name, "what": "changed", "field": setting.key, "title": setting.title} | _shown(
                setting, was, will
            )


def _shown(setting: Setting, was: Any, will: Any) -> dict[str, Any]:
    if setting.secret:
        return {"secret": True}
    return {"old": was, "new": will}


def _count(name: str, files: Mapping[str, bytes]) -> int:
    raw = files.get(name, b"")
    try:
        if name == "blocking-list":
            return _blocked(raw.split(b"\n"))
        document = json.loads(raw or b"{}")
        kept = document.get("modems" if name.startswith("usage/") else "keys", [])
        return len(kept)
    except (ValueError, TypeError, AttributeError):
        return 0


def _blocked(lines: Sequence[bytes]) -> int:
    """Count the numbers of a blocking list, whose lines are changes."""
    known: dict[str, bool] = {}
    for line in filter(None, lines):
        number, *since = json.loads(line.partition(b" ")[2] or b"[0]")
        known[str(number)] = bool(since)
    return sum(known.values())
