"""Owns USSD strings on an AT line: the three forms in which modems write them, and what a +CUSD line says.

3GPP TS 27.007 7.15 has +CUSD; 23.038 5 the data coding scheme of cell broadcast, which USSD uses as well. What stands
between the quotes differs from model to model (modems.md 27), and no modem says which form it wants.
"""

import re
from dataclasses import dataclass, field
from enum import Enum

from otppi.wire import gsm7
from otppi.wire.dcs import Alphabet
from otppi.wire.errors import AlphabetError, AtError

LONGEST = 182
"""Most characters of a USSD string: 160 octets hold 182 septets (3GPP TS 24.080 3.6.5)."""

_GSM7_DCS, _UCS2_DCS = 15, 72
_CR = 0x0D
_CODE = re.compile(rf"[0-9*#+]{{1,{LONGEST}}}")
_LINE = re.compile(r"\+CUSD: *(\d+)(?: *, *(.*))?", re.DOTALL)
_QUOTED = re.compile(r'"(.*)"\s*(?:,\s*(\d+)?\s*)?', re.DOTALL)
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
# At least three characters of Latin script or line ends: nobody says "003100320033" in plain digits.
_PLAINLY_UCS2 = re.compile(r"(?:00(?:[2-7][0-9A-F]|0[AD])){3,}", re.IGNORECASE)
_IN_PLAIN = re.compile(r"[ !#-~]*")
_NOT_IN_TEXT = re.compile("[\0-\x09\x0b-\x1f\x7f]")


class UssdForm(Enum):
    """How a model writes USSD strings between the quotes (modems.md 27)."""

    PLAIN = "plain"
    GSM7_HEX = "gsm7-hex"
    """Packed septets in hexadecimal digits."""
    UCS2_HEX = "ucs2-hex"


@dataclass(frozen=True, slots=True)
class UssdLine:
    """A +CUSD line.

    Attributes:
        mode: `<m>`: 0 finished, 1 a reply is wanted, 2 ended by the network, 3 another client has answered, 4 not
            supported, 5 time-out.
        raw: What stood between the quotes; None where there was nothing.
        dcs: The data coding scheme; None where it was not told.
    """

    mode: int
    raw: str | None = field(default=None, repr=False)
    dcs: int | None = None


def is_code(text: str) -> bool:
    """Tell whether a text is a USSD code, such as `*123#`: what a telephone's keys can dial (22.030 6.5.2)."""
    return _CODE.fullmatch(text) is not None


def parameters(text: str, form: UssdForm) -> str:
    """Write a USSD string as the parameters `<str>,<dcs>` of AT+CUSD.

    What the 7 bit alphabet cannot write goes as UCS-2, which only `UssdForm.UCS2_HEX` has.

    Raises:
        AlphabetError: This form cannot write it.
    """
    in_gsm7 = gsm7.can_encode(text)
    if form is UssdForm.UCS2_HEX:
        return f'"{text.encode("utf-16-be").hex().upper()}",{_GSM7_DCS if in_gsm7 else _UCS2_DCS}'
    if form is UssdForm.GSM7_HEX:
        return f'"{pack(text).hex().upper()}",{_GSM7_DCS}'
    if not (in_gsm7 and _IN_PLAIN.fullmatch(text)):
        raise AlphabetError("the text cannot be written as it is on an AT line")
    return f'"{text}",{_GSM7_DCS}'


def pack(text: str) -> bytes:
    """Pack a text into septets; a CR fills the end where seven spare bits would read as "@" (23.038 6.1.2.3.1).

    Raises:
        AlphabetError: A character is not in the 7 bit alphabet.
    """
    septets = gsm7.encode(text)
    ends_as_fill = len(septets) % 8 == 0 and septets[-1:] == bytes([_CR])
    return gsm7.pack(septets + bytes([_CR]) if len(septets) % 8 == 7 or ends_as_fill else septets)


def unpack(octets: bytes) -> str:
    """Read packed septets; the CRs at the end fill the last octet, or show nothing (23.038 6.1.2.3.1)."""
    return gsm7.decode(gsm7.unpack(octets, len(octets) * 8 // 7).rstrip(bytes([_CR])))


def parse(line: str) -> UssdLine:
    """Read a +CUSD line; its text may hold quotes and line feeds, and end without a quote.

    Raises:
        AtError: It is none.
    """
    found = _LINE.fullmatch(line.rstrip())
    if found is None or len(found[1]) > 2:
        raise AtError("not a +CUSD line")
    mode, rest = int(found[1]), found[2]
    if not rest:
        return UssdLine(mode)
    quoted = _QUOTED.fullmatch(rest)
    if quoted is None:
        return UssdLine(mode, rest.lstrip('"'))
    return UssdLine(mode, quoted[1], int(quoted[2]) if quoted[2] and len(quoted[2]) <= 3 else None)


def text_of(line: UssdLine, form: UssdForm) -> str:
    """Read the text of a +CUSD line: by its DCS first, then by the form in which this modem took the request.

    What cannot be read so is given as it stands: a person may make sense of it.
    """
    raw = line.raw or ""
    return _tidy(_decode(raw, line.dcs, form) if raw else "")


def _decode(raw: str, dcs: int | None, form: UssdForm) -> str:
    alphabet = Alphabet.GSM7 if dcs is None else alphabet_of(dcs)
    if alphabet is not Alphabet.GSM7:
        octets = _octets(raw)
        if octets is None:
            return raw
        if alphabet is Alphabet.EIGHT_BIT:
            return octets.decode("latin-1")
        return _ucs2(octets[2:] if dcs == _UCS2_WITH_LANGUAGE else octets)
    if form is UssdForm.PLAIN:
        return _ucs2(bytes.fromhex(raw)) if _PLAINLY_UCS2.fullmatch(raw) else raw
    octets = _octets(raw)
    if octets is None:
        return raw
    if form is UssdForm.UCS2_HEX:
        return _ucs2(octets)
    text = unpack(octets)
    return text[3:] if dcs == _GSM7_WITH_LANGUAGE else text


_GSM7_WITH_LANGUAGE, _UCS2_WITH_LANGUAGE = 0x10, 0x11
"""The text begins with its language: two letters and a CR, or two octets (23.038 5)."""


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


def _octets(raw: str) -> bytes | None:
    return bytes.fromhex(raw) if _HEX.fullmatch(raw) else None


def _ucs2(octets: bytes) -> str:
    return octets.decode("utf-16-be", "replace")


def _tidy(text: str) -> str:
    """Bring all line ends to line feeds, and leave out what has no place in a text."""
    return _NOT_IN_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip("\n ")
