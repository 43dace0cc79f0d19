"""Owns the 7 bit alphabets of 3GPP TS 23.038 6: text to septets and back, septets to octets and back.

A character of an extension (single shift) table takes two septets, the escape 0x1B and its own. Septets travel through
this floor as `bytes` of one septet each.
"""

from codecs import charmap_decode
from functools import cache, lru_cache
from typing import Final

from otppi.wire.errors import AlphabetError
from otppi.wire.gsm7_tables import LOCKING, RESERVED, SINGLE, NationalLanguage

__all__ = ["ESCAPE", "NationalLanguage", "can_encode", "decode", "encode", "pack", "unpack"]

ESCAPE: Final = 0x1B
"""The septet that says: the next one is of the single shift table (23.038 6.2.1)."""

_DEFAULT: Final = NationalLanguage.DEFAULT
_UNENCODABLE: Final = "\uffff"


class _Encoder(dict[int, str]):
    """Character to septets, for `str.translate`; a character that has none becomes a mark that cannot be a septet."""

    def __missing__(self, character: int) -> str:
        return _UNENCODABLE


@cache
def _encoder(locking: NationalLanguage, single: NationalLanguage) -> _Encoder:
    table = _Encoder({ord(char): chr(ESCAPE) + chr(septet) for septet, char in SINGLE[single].items()})
    # The locking table comes last: where both tables have a character, one septet is shorter than two.
    table.update({ord(char): chr(septet) for septet, char in enumerate(LOCKING[locking]) if septet != ESCAPE})
    table.pop(ord(RESERVED), None)
    return table


def encode(text: str, locking: NationalLanguage = _DEFAULT, single: NationalLanguage = _DEFAULT) -> bytes:
    """Write a text in septets.

    Args:
        text: The text.
        locking: Whose locking shift table stands for the default alphabet.
        single: Whose single shift table stands for the default extension table.

    Returns:
        One septet in each byte.

    Raises:
        AlphabetError: A character is in neither table.
    """
    septets = text.translate(_encoder(locking, single))
    if _UNENCODABLE in septets:
        raise AlphabetError("the text has a character that the 7 bit alphabet has not")
    return septets.encode("latin-1")


def can_encode(text: str, locking: NationalLanguage = _DEFAULT, single: NationalLanguage = _DEFAULT) -> bool:
    """Return whether `encode` can write the text with these tables."""
    return _UNENCODABLE not in text.translate(_encoder(locking, single))


def decode(septets: bytes, locking: NationalLanguage = _DEFAULT, single: NationalLanguage = _DEFAULT) -> str:
    """Read a text from septets.

    As 23.038 6.2.1 and 6.2.1.1 ask of a receiver: an escaped septet that the single shift table has not is shown as the
    locking table's character; a doubled or last escape is shown as a space. A reserved position gives U+FFFD.

    Args:
        septets: One septet in each byte.
        locking: Whose locking shift table stands for the default alphabet.
        single: Whose single shift table stands for the default extension table.

    Raises:
        AlphabetError: A byte is no septet.
    """
    if not septets.isascii():
        raise AlphabetError("a septet is 0 to 127")
    base = LOCKING[locking]
    if ESCAPE not in septets:
        return charmap_decode(septets, "strict", base)[0]
    extension = SINGLE[single]
    rest = iter(septets)
    characters = []
    for septet in rest:
        if septet == ESCAPE:
            escaped = next(rest, ESCAPE)
            characters.append(extension.get(escaped, base[escaped]))
        else:
            characters.append(base[septet])
    return "".join(characters)


def _lanes(count: int, *halves: int) -> tuple[int, ...]:
    """Repeat masks of 64 bits, as many times as there are lanes of eight septets."""
    return tuple(int.from_bytes(half.to_bytes(8, "little") * count, "little") for half in halves)


@lru_cache(maxsize=64)
def _masks(count: int) -> tuple[int, ...]:
    return _lanes(
        count,
        0x007F007F007F007F,
        0x7F007F007F007F00,
        0x00003FFF00003FFF,
        0x3FFF00003FFF0000,
        0x000000000FFFFFFF,
        0x0FFFFFFF00000000,
    )


def pack(septets: bytes, fill_bits: int = 0) -> bytes:
    """Pack septets into octets, the first in the lowest bits (23.038 6.1.2.1).

    All lanes of eight septets are packed at once: pairs of 7 bits to 14, of 14 to 28, of 28 to 56.

    Args:
        septets: One septet in each byte.
        fill_bits: Zero bits before the first septet, 0 to 6: they align it after a user data header.

    Raises:
        AlphabetError: A byte is no septet.
    """
    if not septets.isascii():
        raise AlphabetError("a septet is 0 to 127")
    lanes = (len(septets) + 7) // 8
    low7, high7, low14, high14, low28, high28 = _masks(lanes)
    bits = int.from_bytes(septets, "little")
    bits = bits & low7 | (bits & high7) >> 1
    bits = bits & low14 | (bits & high14) >> 2
    bits = bits & low28 | (bits & high28) >> 4
    octets = bytearray(bits.to_bytes(8 * lanes, "little"))
    del octets[7::8]
    size = (7 * len(septets) + fill_bits + 7) // 8
    if fill_bits:
        return (int.from_bytes(octets, "little") << fill_bits).to_bytes(7 * lanes + 1, "little")[:size]
    return bytes(octets[:size])


def unpack(octets: bytes, count: int, fill_bits: int = 0) -> bytes:
    """Unpack septets from octets; what follows the last septet is ignored.

    Args:
        octets: The packed septets.
        count: How many septets there are.
        fill_bits: Bits before the first septet that are none of it.

    Returns:
        One septet in each byte.

    Raises:
        AlphabetError: There are fewer bits than the septets take.
    """
    size = (7 * count + fill_bits + 7) // 8
    if len(octets) < size:
        raise AlphabetError(f"{count} septets need {size} octets, there are {len(octets)}")
    lanes = (count + 7) // 8
    bits = int.from_bytes(octets[:size], "little") >> fill_bits & (1 << 7 * count) - 1
    packed = bits.to_bytes(7 * lanes, "little")
    spread = bytearray(8 * lanes)
    for position in range(7):
        spread[position::8] = packed[position::7]
    low7, high7, low14, high14, low28, high28 = _masks(lanes)
    bits = int.from_bytes(spread, "little")
    bits = bits & low28 | bits << 4 & high28
    bits = bits & low14 | bits << 2 & high14
    bits = bits & low7 | bits << 1 & high7
    return bits.to_bytes(8 * lanes, "little")[:count]
