"""Owns what a USSD string from a modem reads as: all forms in which it may be written, and the choice among them.

What stands between the quotes of +CUSD is plain text, or one of four things in hexadecimal digits: packed septets
(3GPP TS 23.038 6.1.2.3), an octet for each character (the character set "HEX" of 27.007 7.15, or 8 bit data), UCS-2, or
UCS-2 with a byte order mark. Neither the data coding scheme nor the form that the modem took the request in is to be
relied on: operators and models tell 15 or 0 beside UCS-2 (gammu#358, gammu#513), 72 beside plain text, or nothing. So
every reading that is possible is made, and the one is taken that surprises least (`otppi.wire.plausible`), where a
reading that neither scheme nor form speaks for has to be better by some bits.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from otppi.wire import gsm7
from otppi.wire.dcs import Alphabet
from otppi.wire.plausible import surprisal

_CR: Final = 0x0D
_GSM7_WITH_LANGUAGE, _UCS2_WITH_LANGUAGE = 0x10, 0x11
"""The text begins with its language: two letters and a CR, or two octets (23.038 5)."""
_LEAST_DIGITS: Final = 2
_HEX: Final = re.compile(r"[0-9A-Fa-f\r\n]+")
_CODE_BEGINS, _CODE_DIGIT = 10.0, 4.0
"""Digits that are meant as they stand: a number, a voucher."""
_CUT_OFF: Final = 12.0
"""Bits against a reading with half a character at its end."""
_LANGUAGE: Final = re.compile(r"[a-z]{2}[\r\n]")
_LANGUAGE_LETTERS: Final = re.compile(r"[a-z]{2}")
_PIECE: Final = re.compile(r"(?:[0-9A-Fa-f]{4})+")
_END: Final = re.compile("[\0\uffff]")
_ASCII_END: Final = 0x80
_OTHER_ORDER: Final = 8.0
"""Bits against the low octet first, unless a byte order mark says so."""


class UssdForm(Enum):
    """How a model writes USSD strings between the quotes (modems.md 27)."""

    PLAIN = "plain"
    GSM7_HEX = "gsm7-hex"
    """Packed septets in hexadecimal digits."""
    UCS2_HEX = "ucs2-hex"


class _Written(Enum):
    """How the string that came may be written."""

    PLAIN = "plain"
    GSM7 = "packed septets"
    OCTETS = "octets"
    UCS2 = "UCS-2"


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read a string; `rest` are the bits of what it does not explain."""

    written: _Written
    text: str = field(repr=False)
    rest: float = 0.0


# By how many bits a reading must be better than the expected one: by what the DCS says or, where that says the 7 bit
# alphabet or nothing, by the form in which the modem took the request. A modem that answers plain text with what can be
# plain text is believed until three letters speak against it.
_AGAINST_DCS: Final = {
    Alphabet.UCS2: {_Written.UCS2: 0.0, _Written.PLAIN: 4.0, _Written.OCTETS: 16.0, _Written.GSM7: 20.0},
    Alphabet.EIGHT_BIT: {_Written.OCTETS: 0.0, _Written.PLAIN: 4.0, _Written.UCS2: 10.0, _Written.GSM7: 20.0},
}
_AGAINST_FORM: Final = {
    UssdForm.PLAIN: {_Written.PLAIN: 0.0, _Written.OCTETS: 20.0, _Written.GSM7: 20.0, _Written.UCS2: 24.0},
    UssdForm.GSM7_HEX: {_Written.GSM7: 0.0, _Written.OCTETS: 8.0, _Written.PLAIN: 3.0, _Written.UCS2: 8.0},
    UssdForm.UCS2_HEX: {_Written.UCS2: 0.0, _Written.OCTETS: 8.0, _Written.PLAIN: 3.0, _Written.GSM7: 10.0},
}
_UNTOLD: Final = 0.6
"""How much of these bits counts where the modem tells no DCS at all."""


def read_ussd(raw: str, dcs: int | None, form: UssdForm) -> str:
    """Read a USSD string as the likeliest of all that it may be.

    Args:
        raw: What stood between the quotes.
        dcs: The data coding scheme that was told, or None.
        form: The form in which this modem took the request.

    Returns:
        Its text; as it stands where nothing else is likelier, for a person may make sense of it.
    """
    alphabet = Alphabet.GSM7 if dcs is None else alphabet_of(dcs)
    against = _AGAINST_DCS.get(alphabet) or _AGAINST_FORM[form]
    weight = _UNTOLD if dcs is None else 1.0
    readings = [one for one in _readings(raw, dcs) if one.text.strip()]
    if not readings:
        return raw
    return min(readings, key=lambda one: _bits(one) + one.rest + weight * against[one.written]).text


def looks_like_code(text: str) -> bool:
    """Return whether a text is nothing but hexadecimal digits: a string that could not be read, or a number."""
    return _HEX.fullmatch(text) is not None


def alphabet_of(dcs: int) -> Alphabet:
    """Tell the alphabet of a cell broadcast data coding scheme (23.038 5); reserved ones are read as GSM 7 bit."""
    group = dcs >> 4 & 0xF
    if dcs == _UCS2_WITH_LANGUAGE:
        return Alphabet.UCS2
    if group in (0b0100, 0b0101, 0b0110, 0b0111, 0b1001):
        return Alphabet(dcs >> 2 & 3) if dcs >> 2 & 3 != 3 else Alphabet.GSM7
    if group == 0b1111:
        return Alphabet.EIGHT_BIT if dcs & 4 else Alphabet.GSM7
    return Alphabet.GSM7


def unpack(octets: bytes) -> str:
    """Read packed septets; the CRs at the end fill the last octet, or show nothing (23.038 6.1.2.3.1)."""
    return gsm7.decode(gsm7.unpack(octets, len(octets) * 8 // 7).rstrip(bytes([_CR])))


def _bits(reading: _Reading) -> float:
    bits = surprisal(reading.text)
    if reading.written is _Written.PLAIN and looks_like_code(reading.text):
        return min(bits, _CODE_BEGINS + _CODE_DIGIT * len(reading.text))
    return bits


def _readings(raw: str, dcs: int | None) -> Iterator[_Reading]:
    yield _Reading(_Written.PLAIN, raw)
    if not _HEX.fullmatch(raw):
        yield from _in_pieces(raw)
        return
    digits = "".join(raw.split())
    if len(digits) < _LEAST_DIGITS:
        return
    octets = bytes.fromhex(digits[: len(digits) & ~1])
    lost = _CUT_OFF * (len(digits) & 1)
    text = unpack(octets)
    language = dcs == _GSM7_WITH_LANGUAGE and _LANGUAGE.match(text)
    yield _Reading(_Written.GSM7, text[3:] if language else text, lost)
    for text in _of_octets(octets):
        yield _Reading(_Written.OCTETS, text, lost)
    yield from _of_ucs2(octets, lost)
    if dcs == _UCS2_WITH_LANGUAGE and _LANGUAGE_LETTERS.fullmatch(
        gsm7.decode(gsm7.unpack(octets[:2], len(octets[:2])))
    ):
        yield from _of_ucs2(octets[2:], lost)


def _of_octets(octets: bytes) -> Iterator[str]:
    """Read an octet for each character: of the 7 bit alphabet (27.007 7.15), of ASCII or Latin-1, or UTF-8."""
    octets = octets.rstrip(b"\0") or octets
    if max(octets) < _ASCII_END:
        yield gsm7.decode(octets.rstrip(bytes([_CR])))
    yield octets.decode("latin-1")
    yield octets.decode("utf-8", "replace")


def _of_ucs2(octets: bytes, lost: float) -> Iterator[_Reading]:
    """Read UCS-2 as UTF-16, in either order; its end may be missing, or marked by a zero with garbage behind it."""
    lost = max(lost, _CUT_OFF * (len(octets) & 1))
    for order, handicap in (("be", 0.0), ("le", _OTHER_ORDER)):
        text = octets[: len(octets) & ~1].decode(f"utf-16-{order}", "replace")
        if text.startswith("\ufeff"):
            text, handicap = text[1:], 0.0
        # Behind the end of the string some models write what is left over in their memory (gammu#377).
        text, *garbage = _END.split(text, maxsplit=1)
        yield _Reading(_Written.UCS2, text, handicap + lost + _CODE_DIGIT * 4 * sum(map(len, garbage)))


def _in_pieces(raw: str) -> Iterator[_Reading]:
    """Read UCS-2 in which a quoted part stands as it is: some models convert only what is outside (gammu#150)."""
    pieces = raw.split('"')
    if len(pieces) < 2 or not any(_PIECE.fullmatch(piece) for piece in pieces):
        return
    yield _Reading(
        _Written.UCS2,
        '"'.join(
            bytes.fromhex(piece).decode("utf-16-be", "replace") if _PIECE.fullmatch(piece) else piece
            for piece in pieces
        ),
    )
