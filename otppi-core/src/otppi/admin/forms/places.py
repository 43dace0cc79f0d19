"""To which field of a form a problem belongs, whose path is such as `modems[2].prices[0].price` or `modems.m0.port`."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from otppi.api.settings import FieldError, Section

_REST: Final = re.compile(r"([a-z][a-z0-9_]*)(?:\[([0-9]{1,4})\](?:\.([a-z][a-z0-9_]*))?)?(?:\..*)?", re.DOTALL)


def by_name(
    section: Section, problems: Iterable[FieldError], names: Collection[str], place: str | None
) -> tuple[Mapping[str, list[str]], list[FieldError]]:
    """Sort problems by the names of the fields that they belong to.

    Args:
        section: Of the form.
        problems: As a check told them.
        names: Of the fields that the form has, with those in rows (`prices.0.price`) and the rows (`prices.0`).
        place: What problems call the object that the form shows, such as `modems.m0`; None where it is told by the
            section's key alone, or by any place in its list.

    Returns:
        The reasons by the name of their field; and the problems that belong to none.
    """
    found: dict[str, list[str]] = {}
    others = []
    for problem in problems:
        rest = _rest(section, problem.field, place)
        name = _name(rest, names) if rest else ""
        if name:
            found.setdefault(name, []).append(problem.reason)
        else:
            others.append(problem)
    return found, others


def _rest(section: Section, path: str, place: str | None) -> str:
    """Return what a path says behind the object, empty where it names another one."""
    if place is not None:
        return path[len(place) + 1 :] if path.startswith(f"{place}.") else ""
    within = re.match(rf"{re.escape(section.key)}(\[[0-9]+\])?\.", path)
    if within:
        return path[within.end() :]
    return path if _REST.fullmatch(path) else ""


def _name(rest: str, names: Collection[str]) -> str:
    parts = _REST.fullmatch(rest)
    if parts is None:
        return ""
    key, index, column = parts.groups()
    closest = [f"{key}.{index}.{column}", f"{key}.{index}", key]
    return next((name for name in closest if name in names), "")
