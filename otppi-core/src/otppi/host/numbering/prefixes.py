"""The settings that name the first digits of numbers: how they are checked, and kept as keys begin.

They may be typed as people dial: 0871. What is kept is 62871, which means the same subscribers for ever, also after
the own country has changed.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from otppi.host.numbering.numbers import Numbers
from otppi.wire.errors import AddressError, FieldError, WireError
from otppi.wire.msisdn import LONGEST, read_written

_AFTER_PREFIX = {"prices": "=", "promotions": ":"}
"""What stands behind the prefix in each text of a list; a promotion without it is to any receiver."""
_LISTS: Mapping[str, tuple[str, ...]] = {
    "modems": ("recipient_prefixes", "prices", "promotions"),
    "otp": ("allowed_prefixes",),
}


def prefixes_problem(prefixes: Iterable[str]) -> str | None:
    """Say what is wrong with a list of prefixes, or None."""
    for prefix in prefixes:
        try:
            check_prefix(prefix)
        except WireError as error:
            return f"{prefix!r} is not a prefix: {error}"
    return None


def check_prefix(text: str) -> None:
    """Check whether a text may be a prefix, whatever the own country is.

    Raises:
        AddressError: It is none.
    """
    digits = read_written(text).digits
    if digits.startswith("00") and not digits[2:].strip("0"):
        raise AddressError("the number has no country code: none begins with 0")
    if len(digits) > LONGEST:
        raise AddressError(f"the number is too long: {len(digits)} digits, at most {LONGEST} with its country code")


def keep_as_keys(
    section: str, values: dict[str, Any], numbers: Numbers, checks: Mapping[str, Callable[[Any], str | None] | None]
) -> list[FieldError]:
    """Replace the prefixes of one object of a section by those of keys; give what cannot be one.

    Args:
        section: The section's key.
        values: Its values, valid but for the own country.
        numbers: How numbers of the own country are written.
        checks: The checks of the section's settings: what was written in two ways may be the same.
    """
    problems = []
    for key in _LISTS.get(section, ()):
        try:
            kept = [_keep(text, _AFTER_PREFIX.get(key), numbers) for text in values[key]]
        except AddressError as error:
            problems.append(FieldError(key, str(error)))
            continue
        check = checks.get(key)
        if kept != values[key] and check and (reason := check(kept)):
            problems.append(FieldError(key, reason))
        values[key] = list(dict.fromkeys(kept))
    return problems


def _keep(text: str, after: str | None, numbers: Numbers) -> str:
    if after is None:
        return numbers.prefix(text)
    prefix, found, rest = text.partition(after)
    return numbers.prefix(prefix) + found + rest if found else text
