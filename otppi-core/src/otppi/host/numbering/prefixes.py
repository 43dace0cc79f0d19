"""The settings that name the first digits of numbers: how they are checked.

They may be typed as people dial: 0871. What is kept is 62871, which means the same subscribers for ever, also after
the own country has changed: `Numbers.prefix` reads them so.
"""

from collections.abc import Iterable

from otppi.text import _
from otppi.wire.errors import AddressError, WireError
from otppi.wire.msisdn import LONGEST, read_written


def prefixes_problem(prefixes: Iterable[str]) -> str | None:
    """Return what is wrong with a list of prefixes, or None."""
    for prefix in prefixes:
        try:
            check_prefix(prefix)
        except WireError as error:
            return _("{prefix!r} is not a prefix: {error}", prefix=prefix, error=error)
    return None


def check_prefix(text: str) -> None:
    """Check whether a text may be a prefix, whatever the own country is.

    Raises:
        AddressError: It is none.
    """
    digits = read_written(text).digits
    if digits.startswith("00") and not digits[2:].strip("0"):
        raise AddressError(_("the number has no country code: none begins with 0"))
    if len(digits) > LONGEST:
        raise AddressError(
            _(
                "the number is too long: {count} digits, at most {longest} with its country code",
                count=len(digits),
                longest=LONGEST,
            )
        )


def prefix_problem(prefix: str) -> str | None:
    """Return what is wrong with a prefix, or None; an empty one stands for all numbers."""
    return prefixes_problem([prefix]) if prefix else None
