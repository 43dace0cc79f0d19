"""Which settings a change of them changed, by their names."""

from collections.abc import Mapping
from typing import Any

from otppi.api.settings import Section

Values = dict[str, Any]


def changed_fields(section: Section, before: Values | list[Values], after: Values | list[Values]) -> list[str]:
    """Return the names of what differs: `section.setting`; of an object of a list `section.name.setting`.

    Of one that came or went the name alone; of a list whose order changed the section's.
    """
    olds, news = _by_path(section, before), _by_path(section, after)
    found = []
    for path in dict.fromkeys((*olds, *news)):
        old, new = olds.get(path), news.get(path)
        if old is None or new is None:
            found.append(path)
        else:
            found += [f"{path}.{key}" for key in dict.fromkeys((*old, *new)) if old.get(key) != new.get(key)]
    return found or [section.key]


def _by_path(section: Section, values: Values | list[Values]) -> Mapping[str, Values]:
    if isinstance(values, dict):
        return {section.key: values}
    return {f"{section.key}.{one[str(section.identity)]}": one for one in values}
