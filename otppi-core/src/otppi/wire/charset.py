"""Owns the strings of an AT line: how +CSCS says that they are written (3GPP TS 27.007 5.5)."""

import re

from otppi.wire import gsm7

PLAIN = ("IRA", "GSM")
"""The character sets in which digits and Latin letters stand as they are, the better one first.

In GSM `@` is a zero octet, and `$` and `_` are control characters, of which lines lose some.
"""

_UCS2, _HEX = "UCS2", "HEX"
_CONTROLS = re.compile("\x1b[ -~]|[\1-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f]")
_OCTETS = re.compile(r"(?:[0-9A-Fa-f]{2})+")


def decode(text: str, charset: str) -> str:
    """Read a string; one that is not in the form of its character set is given as it stands."""
    if charset not in (_UCS2, _HEX) or not _OCTETS.fullmatch(text):
        return text
    octets = bytes.fromhex(text)
    if charset == _UCS2:
        return octets.decode("utf-16-be", "replace") if len(octets) % 2 == 0 else text
    return gsm7.decode(octets) if max(octets) < 0x80 else text


def decode_controls(text: str) -> str:
    """Read what can only be octets of the 7 bit alphabet in a plain string: `$`, `_` and, of two of them, `€`.

    A modem that says GSM and writes ASCII has its `$` and `_` where ASCII has them; so nothing else is read so.
    """
    return _CONTROLS.sub(lambda found: gsm7.decode(found[0].encode("ascii")), text)


def encode(text: str, charset: str) -> str:
    """Write a string of digits and Latin letters."""
    if charset == _UCS2:
        return text.encode("utf-16-be").hex().upper()
    return text.encode("ascii").hex().upper() if charset == _HEX else text
