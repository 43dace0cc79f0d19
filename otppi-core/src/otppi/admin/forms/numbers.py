"""Numbers as people type them, in Indonesian (1,5) or in English (1.5), and as a field shows them."""

import math
import re
from typing import Final

from otppi.text import Text, _

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,400}")
_FRACTION: Final = re.compile(r"([+-]?[0-9]{1,400})[.,]([0-9]{1,400})")
_SPACES: Final = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}"
_APART: Final = f".,' \N{RIGHT SINGLE QUOTATION MARK}{_SPACES}"
_THOUSANDS: Final = re.compile(rf"[+-]?[1-9][0-9]{{0,2}}([{_APART}][0-9]{{3}})+([.,][0-9]+)?")
"""What somebody means who sets thousands apart; of 1.500 nobody can tell whether that is 1500 or 1½."""
_AMBIGUOUS: Final = 3
"""Digits behind a point or comma that may be thousands."""


def whole_number(text: str) -> int:
    """Read a whole number.

    Raises:
        ValueError: The reason, as a text.
    """
    if _WHOLE.fullmatch(text):
        return int(text)
    raise ValueError(_thousands(text) or _("must be a whole number"))


def any_number(text: str) -> float:
    """Read a number that may have a fraction, behind a comma or a point.

    Raises:
        ValueError: The reason, as a text.
    """
    if reason := _thousands(text):
        raise ValueError(reason)
    if _WHOLE.fullmatch(text):
        return float(text)
    if parts := _FRACTION.fullmatch(text):
        return float(f"{parts[1]}.{parts[2]}")
    raise ValueError(_("must be a number"))


def written(value: float) -> str:
    """Write a number as `any_number` and `whole_number` read it, with the comma or point of whoever reads it."""
    if isinstance(value, int) or not math.isfinite(value):
        return str(value)
    mantissa, _e, exponent = repr(value).partition("e")  # such as 1.5, 100.0 and 1.5e-07
    digits = max(0, len(mantissa.partition(".")[2].rstrip("0")) - int(exponent or 0))
    if digits == _AMBIGUOUS and 1 <= abs(value) < 10**_AMBIGUOUS:
        digits += 1
    while float(f"{value:.{digits}f}") != value:  # a tie is rounded to even there, and not in repr()
        digits += 1
    return Text(f"{{number:.{digits}f}}", {"number": value})


def _thousands(text: str) -> str:
    if not _THOUSANDS.fullmatch(text):
        return ""
    return _("must be written without separators between thousands, such as 12500, or {fraction:.1f}", fraction=1.5)
