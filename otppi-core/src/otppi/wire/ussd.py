"""Owns USSD strings on an AT line: the three forms in which modems want them, and what a +CUSD line says.

3GPP TS 27.007 7.15 has +CUSD; 23.038 5 the data coding scheme of cell broadcast, which USSD uses as well. What stands
between the quotes differs from model to model (modems.md 27), and no modem says which form it wants.
"""

import re
from dataclasses import dataclass, field

from otppi.wire import gsm7
from otppi.wire.charset import decode_controls
from otppi.wire.errors import AlphabetError, AtError
from otppi.wire.ussd_text import UssdForm, alphabet_of, read_ussd, unpack

__all__ = [
    "LONGEST",
    "UssdForm",
    "UssdLine",
    "alphabet_of",
    "is_code",
    "pack",
    "parameters",
    "parse",
    "text_of",
    "unpack",
]

LONGEST = 182
"""Most characters of a USSD string: 160 octets hold 182 septets (3GPP TS 24.080 3.6.5)."""

_GSM7_DCS, _UCS2_DCS = 15, 72
_CR = 0x0D
_CODE = re.compile(rf"[0-9*#+]{{1,{LONGEST}}}")
_LINE = re.compile(r"\+CUSD: *(\d+)(?: *, *(.*))?", re.DOTALL)
_QUOTED = re.compile(r'"(.*)"\s*(?:,\s*(\d+)?\s*)?', re.DOTALL)
_IN_PLAIN = re.compile(r"[ !#-~]*")
_NOT_IN_TEXT = re.compile("[\0-\x09\x0b-\x1f\x7f]")


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
    """Return whether a text is a USSD code, such as `*123#`: what a telephone's keys can dial (22.030 6.5.2)."""
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
    """Read the text of a +CUSD line: the likeliest of all that it may be, as `otppi.wire.ussd_text` has it.

    What cannot be read is given as it stands: a person may make sense of it.
    """
    raw = line.raw or ""
    return _tidy(read_ussd(raw, line.dcs, form) if raw else "")


def _tidy(text: str) -> str:
    """Bring all line ends to line feeds, and leave out what has no place in a text."""
    return _NOT_IN_TEXT.sub("", decode_controls(text).replace("\r\n", "\n").replace("\r", "\n")).strip("\n ")
