"""Secrets in documents: those that a document leaves out stay, those of a renamed object move with it, some are hashed.

An object of a list is known by its identity. Where that changes, the document says which one it had: `renamed_from`.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from otppi.api.settings import REDACTED, RENAMED_FROM, Section
from otppi.host.settings.password_hash import hash_password, is_password
from otppi.text import _
from otppi.wire.errors import FieldError

Values = dict[str, Any]


def with_secrets(section: Section, raw: object, kept: Values | list[Values]) -> tuple[object, list[FieldError]]:
    """Put the secrets that are kept where a document leaves them out, or shows the asterisks of a redacted export.

    Returns:
        The section's part of the document; and what is wrong with former names in it.
    """
    if section.identity is None:
        return _object_with_secrets(section, raw, kept if isinstance(kept, dict) else {}), []
    if not isinstance(raw, list):
        return raw, []
    named = {str(item[section.identity]): item for item in kept if isinstance(item, dict)}
    former, problems = _former_names(section, raw, named)
    items = [
        _object_with_secrets(section.of(item), item, named.get(name, {}))
        for item, name in zip(raw, former, strict=True)
    ]
    return items, problems


def renamed(section: Section, raw: object, kept: Values | list[Values]) -> dict[str, str]:
    """Return the new name of each object that a valid document renames, by the one that it had."""
    if section.identity is None or not isinstance(raw, list):
        return {}
    named = {str(item[section.identity]): item for item in kept if isinstance(item, dict)}
    former, _problems = _former_names(section, raw, named)
    names = (_text(item, section.identity) for item in raw)
    return {was: name for was, name in zip(former, names, strict=True) if was and was != name}


def _former_names(
    section: Section, raw: list[object], named: Mapping[str, Values]
) -> tuple[list[str], list[FieldError]]:
    """Return by which name each object is kept now, empty where it is new; and what is wrong with those names."""
    told = [_text(item, RENAMED_FROM) for item in raw]
    names = [_text(item, str(section.identity)) for item in raw]
    staying = {name for name, was in zip(names, told, strict=True) if not was}
    # Who imports the same document twice has renamed already: the former name may be another object's by now.
    former = [
        name if was and name in named and (was not in named or was in staying) else was
        for name, was in zip(names, told, strict=True)
    ]
    claims = Counter(was for was in former if was)
    places = [f"{section.key}[{index}].{RENAMED_FROM}" for index in range(len(raw))]
    problems = [
        FieldError(
            place,
            _("is renamed twice")
            if claims[was] > 1
            else _("there is no {identity} {was!r}", identity=section.identity, was=was),
        )
        for place, was in zip(places, former, strict=True)
        if was and (was not in named or claims[was] > 1)
    ]
    problems += [
        FieldError(place, _("must be text"))
        for place, item in zip(places, raw, strict=True)
        if isinstance(item, Mapping) and not isinstance(item.get(RENAMED_FROM, ""), str)
    ]
    return [was or ("" if name in claims else name) for name, was in zip(names, former, strict=True)], problems


def _text(item: object, key: str) -> str:
    value = item.get(key, "") if isinstance(item, Mapping) else ""
    return value if isinstance(value, str) else ""


def _object_with_secrets(section: Section, raw: object, kept: Values) -> object:
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


def hash_secrets(section: Section, item: Values) -> None:
    """Replace the secrets of which only a hash is kept; the hash that is kept stays where it is of the same secret.

    Raises:
        Busy: There is not enough memory.
    """
    for setting in section.settings:
        if setting.hashed_in is not None:
            given, item[setting.key] = item[setting.key], ""
            if given and not is_password(item[setting.hashed_in], given):
                item[setting.hashed_in] = hash_password(given)
