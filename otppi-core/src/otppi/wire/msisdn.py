"""Owns how people write telephone numbers: the digits in it, what cannot be one, and the mask that logs show.

Which subscriber the digits mean is a matter of the country's numbering plan, and of whoever holds its data.
"""

import re
from dataclasses import dataclass
from typing import Final

from otppi.text import _
from otppi.wire.errors import AddressError

SHORTEST: Final = 8
"""Digits of the shortest number that may receive, country code included; short codes are not telephones."""
LONGEST: Final = 15
"""Digits of the longest number there is (ITU-T E.164 6.2)."""
_LONGEST_DIALLED: Final = 24
"""The same with everything that is dialled before it: international and carrier prefixes, a trunk prefix."""
_HIDDEN: Final = 5
"""Digits that a masked number hides at least."""

# What people, spreadsheets and address books put between digits: blanks (also no-break and narrow ones), dots,
# brackets, hyphens, dashes, and the direction marks that come along when a contact is copied.
_SEPARATORS: Final = str.maketrans(
    "",
    "",
    " \t\r\n.()-\u00a0\u00ad\u200b\u200e\u200f\u2010\u2011\u2012\u2013\u2014\u202a\u202c\u202f\u2060\u2066\u2069\ufeff",
)
_LONGEST_SERVICE: Final = 6
"""Digits of the longest service number that has nothing else."""
_DIGITS: Final = re.compile(r"[0-9]+")
_SERVICE: Final = re.compile(r"[1-9][0-9]{2,5}|(?=.{3,20}$)[*#]{1,2}[0-9]+(?:[*#][0-9]+)*#?")


@dataclass(frozen=True, slots=True)
class Written:
    """The digits of a number as it was written; with `plus` they begin with a country code (ITU-T E.123 2.5)."""

    digits: str
    plus: bool


def read_written(text: str) -> Written:
    """Take the digits out of what a person wrote.

    Args:
        text: ``0812…``, ``+62812…``, ``62812…`` or ``0062812…``, with blanks, hyphens, dots or brackets anywhere.

    Raises:
        AddressError: It is empty, has letters or other signs, or more digits than can be dialled.
    """
    written = text.translate(_SEPARATORS)
    plus = written.startswith("+")
    digits = written[plus:]
    if not digits:
        raise AddressError(_("the number is empty"))
    if not _DIGITS.fullmatch(digits):
        raise AddressError(_reason_for_signs(digits))
    if plus and digits[0] == "0":
        raise AddressError(_("the number has no country code: none begins with 0"))
    if len(digits) > _LONGEST_DIALLED:
        raise AddressError(
            _(
                "the number is too long: {count} digits, at most {longest} with its country code",
                count=len(digits),
                longest=LONGEST,
            )
        )
    return Written(digits, plus)


def service_number(text: str) -> str | None:
    """Return an operator's service number as it is dialled, such as ``4444`` or ``*888#``; None where it is none.

    It is no subscriber's: it has three to six digits, or begins with ``*`` or ``#``, and means something in the network
    of the SIM card that sends to it. No number that `read_written` and a numbering plan make a key of looks like that.
    """
    if len(text) > _LONGEST_SERVICE and text.isdecimal():
        return None
    written = text.translate(_SEPARATORS)
    return written if _SERVICE.fullmatch(written) else None


def mask(msisdn: str) -> str:
    """Hide the middle of a number for logs and reports: ``62812*****66``.

    At most the first five and last two digits stay, and at least five are hidden, so nothing of a very short number is
    shown.
    """
    tail = min(2, max(0, len(msisdn) - _HIDDEN))
    head = min(5, max(0, len(msisdn) - _HIDDEN - tail))
    hidden = len(msisdn) - head - tail
    return msisdn[:head] + "*" * hidden + msisdn[head + hidden :]


def _reason_for_signs(number: str) -> str:
    if any(sign.isalpha() for sign in number):
        return _("the number has letters")
    if "+" in number:
        return _("the number has a + that is not its first sign")
    return _("the number has a sign that is no digit")
