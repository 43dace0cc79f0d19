"""Owns how people write telephone numbers, and the one form in which the gateway keeps them.

That form is the international number of ITU-T E.164 as digits without ``+``: country code and national number.
"""

import re
from typing import Final

from otppi.wire.errors import AddressError

_SHORTEST: Final = 8
"""Digits of the shortest number that may receive; short codes are not telephones."""
_LONGEST: Final = 15
"""Digits of the longest number there is (ITU-T E.164 6.2)."""
_HIDDEN: Final = 5
"""Digits that a masked number hides at least."""

# What people, spreadsheets and address books put between digits: blanks (also no-break and narrow ones), dots,
# brackets, hyphens, dashes, and the direction marks that come along when a contact is copied.
_SEPARATORS: Final = str.maketrans(
    "",
    "",
    " \t\r\n.()-\u00a0\u00ad\u200b\u200e\u200f\u2010\u2011\u2012\u2013\u2014\u202a\u202c\u202f\u2060\u2066\u2069\ufeff",
)
_TRUNK_IN_BRACKETS: Final = re.compile(r"^\s*((?:\+|00)[^(]*)\(0\)")
_DIGITS: Final = re.compile(r"[0-9]+")
_COUNTRY_CODE: Final = re.compile(r"[1-9][0-9]{0,2}")


def normalise(text: str, country_code: str) -> str:
    """Give the international number that a person wrote.

    Args:
        text: ``0812…``, ``+62812…``, ``62812…`` or ``0062812…``, with blanks, hyphens, dots or brackets anywhere; also
            ``+62 (0)812…``.
        country_code: Digits of the country that a number with a leading zero belongs to, such as ``62``.

    Returns:
        The digits of the international number, without ``+``.

    Raises:
        AddressError: The number is empty, has letters or other signs, is too short or too long, or the country code
            is no country code.
    """
    digits = normalise_prefix(text, country_code)
    if len(digits) < _SHORTEST:
        raise AddressError(f"the number is too short: {len(digits)} digits with its country code, at least {_SHORTEST}")
    return digits


def normalise_prefix(text: str, country_code: str) -> str:
    """Give the international form of the first digits of numbers: ``0871`` becomes ``62871``.

    Args:
        text: The prefix as written; the forms of `normalise`, of any length up to a whole number's.
        country_code: Digits of the country that a prefix with a leading zero belongs to.

    Returns:
        The digits that an international number begins with.

    Raises:
        AddressError: As in `normalise`, but for the least length.
    """
    if not _COUNTRY_CODE.fullmatch(country_code):
        raise AddressError("the country code must be one to three digits and not begin with 0")
    written = _TRUNK_IN_BRACKETS.sub(r"\1", text, count=1).translate(_SEPARATORS)
    plus = written.startswith("+")
    number = written[plus:]
    if not number:
        raise AddressError("the number is empty")
    if not _DIGITS.fullmatch(number):
        raise AddressError(_reason_for_signs(number))
    digits = number if plus else _without_prefix(number, country_code)
    if not digits or digits[0] == "0":
        raise AddressError("the number has no country code: none begins with 0")
    if len(digits) > _LONGEST:
        raise AddressError(f"the number is too long: {len(digits)} digits with its country code, at most {_LONGEST}")
    return digits


def mask(msisdn: str) -> str:
    """Hide the middle of a number for logs and reports: ``62812*****66``.

    At most the first five and last two digits stay, and at least five are hidden, so nothing of a very short number is
    shown.
    """
    tail = min(2, max(0, len(msisdn) - _HIDDEN))
    head = min(5, max(0, len(msisdn) - _HIDDEN - tail))
    hidden = len(msisdn) - head - tail
    return msisdn[:head] + "*" * hidden + msisdn[head + hidden :]


def _without_prefix(number: str, country_code: str) -> str:
    """Replace the international prefix 00 by nothing, and the trunk prefix 0 by the country code."""
    if number.startswith("00"):
        return number[2:]
    if number.startswith("0"):
        return country_code + number[1:]
    return number


def _reason_for_signs(number: str) -> str:
    if any(sign.isalpha() for sign in number):
        return "the number has letters"
    if "+" in number:
        return "the number has a + that is not its first sign"
    return "the number has a sign that is no digit"
