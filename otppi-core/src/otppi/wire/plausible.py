"""Owns how much a string looks like a text that people read: the measure by which one of several readings is chosen.

`surprisal` is a cost in bits (the information content) under a coarse model of texts: how often a kind of character
follows another, and how often a character is among its kind. Of two readings of the same octets the one that surprises
less is the likelier one. The costs are rounded by hand: what is text at all lies tens of bits from what is not, and no
language is told from another.
"""

import re
import unicodedata
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Final


class _Kind(Enum):
    """Kinds of characters; letters of other scripts are of the kind `SCRIPT`, each script for itself."""

    START = "start"
    LOWER = "lower"
    UPPER = "upper"
    DIGIT = "digit"
    SPACE = "space"
    SIGN = "sign"
    SCRIPT = "script"
    ODD = "odd"


_L, _U, _D, _B, _P, _O = _Kind.LOWER, _Kind.UPPER, _Kind.DIGIT, _Kind.SPACE, _Kind.SIGN, _Kind.SCRIPT
_FOLLOWS: Final[Mapping[_Kind, Mapping[_Kind, float]]] = {
    _Kind.START: {_L: 2.5, _U: 1.5, _D: 3.0, _B: 4.0, _P: 4.0, _O: 5.0},
    _L: {_L: 0.7, _U: 6.0, _D: 4.5, _B: 2.5, _P: 4.0},
    _U: {_L: 1.5, _U: 1.5, _D: 4.0, _B: 3.0, _P: 4.0},
    _D: {_L: 4.5, _U: 4.0, _D: 0.3, _B: 2.5, _P: 2.5},
    _B: {_L: 1.5, _U: 2.0, _D: 2.5, _B: 4.0, _P: 4.0, _O: 3.0},
    _P: {_L: 4.5, _U: 3.5, _D: 1.5, _B: 1.5, _P: 4.5, _O: 4.0},
    _O: {_D: 4.0, _B: 2.5, _P: 4.0},
}
_SELDOM: Final = 7.0
"""What follows in no other way."""
_SCRIPT_GOES_ON: Final = 0.7
_OTHER_SCRIPT: Final = 12.0
"""A letter directly behind one of another script."""
_GREEK_CAPITALS: Final = 3.0
"""The 7 bit alphabet has only the Greek capitals that look like no Latin one: its words mix both (23.038 6.2.1)."""

_IMPOSSIBLE: Final = 40.0
"""No text has it: control characters, halves of pairs, positions without a character."""
_RARE_LETTER: Final = 25.0
_SHORT: Final = 4
_SHORT_COST: Final = 4.0
"""Few letters prove little: each that is missing to four."""
_LATIN: Final = (_Kind.LOWER, _Kind.UPPER)
_LETTER_KINDS: Final = (*_LATIN, _Kind.SCRIPT)
_ACCENT: Final = 8.0
_TWO_ACCENTS: Final = 4.0
"""What an accented letter directly behind another one costs beside."""
_VOUCHER: Final = re.compile("[0-9A-Z]{4,}")
_VOUCHER_BEGINS: Final = 10.0
_VOUCHER_SIGN: Final = 5.2
"""What is drawn by lot from digits and capitals: the code of a voucher."""

_LETTERS: Final[Mapping[str, float]] = {
    **dict.fromkeys("aein", 3.3),
    **dict.fromkeys("torsu", 3.9),
    **dict.fromkeys("ldkmpghc", 4.8),
    **dict.fromkeys("byvfwj", 6.0),
    **dict.fromkeys("xqz", 7.5),
}
# Quotes, dashes, points and brackets of typography, and what Arabic and Chinese have for them.
_TYPOGRAPHIC: Final = (
    *(0xA5, 0xA9, 0xAB, 0xAE, 0xB0, 0xB7, 0xBB, 0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2026, 0x2122),
    *(0x060C, 0x061B, 0x061F, 0x3001, 0x3002, 0xFF01, 0xFF08, 0xFF09, 0xFF0C, 0xFF1A, 0xFFE5),
)
_SIGNS: Final[Mapping[str, float]] = {
    **dict.fromkeys(".,", 1.5),
    **dict.fromkeys(":/-*#", 3.0),
    **dict.fromkeys("()!?\"'", 4.5),
    **dict.fromkeys("%€£", 6.5),
    **dict.fromkeys("&+=@$_;<>", 8.0),
    **dict.fromkeys(map(chr, _TYPOGRAPHIC), 7.0),
    **dict.fromkeys("[]{}|~^\\`§¿¡¤", 10.0),
}
_SPACES: Final[Mapping[str, float]] = {" ": 0.3, "\n": 2.5, "\r": 4.0, "\u00a0": 5.0, "\u3000": 7.0, "\t": 7.0}
_COMMON_ACCENTS: Final = frozenset("éèêàâçùûôîïäöüåøæñáíóúßÖÄÜÅÉÀ")
_GREEK_ONLY: Final = frozenset("ΔΦΓΛΩΠΨΣΘΞ")

# First and last code point of a script, its name, how rare it is, and how many letters are usual in it (in bits).
_SCRIPTS: Final[tuple[tuple[int, int, str, float, float], ...]] = (
    (0x0370, 0x03FF, "Greek", 0, 4.7),
    (0x0400, 0x045F, "Cyrillic", 0, 4.7),
    (0x0460, 0x052F, "Cyrillic", 4, 9),
    (0x0531, 0x058F, "Armenian", 4, 5.5),
    (0x0590, 0x05FF, "Hebrew", 0, 4.7),
    (0x0600, 0x06FF, "Arabic", 0, 5),
    (0x0900, 0x097F, "Devanagari", 0, 5.5),
    (0x0980, 0x09FF, "Bengali", 0, 5.5),
    (0x0A00, 0x0D7F, "Indic", 2, 6.5),
    (0x0D80, 0x0DFF, "Sinhala", 2, 5.5),
    (0x0E00, 0x0E7F, "Thai", 0, 5.5),
    (0x0E80, 0x0EFF, "Lao", 3, 5.5),
    (0x1000, 0x109F, "Myanmar", 2, 5.5),
    (0x10A0, 0x10FF, "Georgian", 3, 5.2),
    (0x1200, 0x137F, "Ethiopic", 5, 7.5),
    (0x1780, 0x17FF, "Khmer", 2, 6),
    (0x3040, 0x30FF, "Chinese and Japanese", 0, 6),
    (0x4E00, 0x9FFF, "Chinese and Japanese", 0, 18),
    (0xAC00, 0xD7A3, "Korean", 0, 15),
    (0xFB50, 0xFEFC, "Arabic", 4, 9),
)
# The character sets whose first level holds the everyday characters of a language, and the lead octets of that level.
_EVERYDAY: Final = (("gb2312", 0xB0, 0xD7), ("big5", 0xA4, 0xC6), ("shift_jis", 0x88, 0x97), ("euc_kr", 0xB0, 0xC8))
_EVERYDAY_COST: Final = 11.5


def surprisal(text: str) -> float:
    """Tell by how many bits a text surprises; the less, the likelier it is a text that somebody wrote."""
    bits, letters, last, before = 0.0, 0, 0.0, (_Kind.START, "")
    for char in text:
        kind, script, cost = _look_at(char)
        if char in _GREEK_ONLY and before[1] != "Greek":
            bits += _GREEK_CAPITALS if before[0] in (_Kind.UPPER, _Kind.START, _Kind.SPACE, _Kind.SIGN) else _SELDOM
        elif kind is _Kind.UPPER and before[1] == "Greek":
            bits += _GREEK_CAPITALS
        else:
            bits += _transition(before, kind, script)
        bits += cost + (_TWO_ACCENTS if cost >= _ACCENT <= last and kind in _LATIN else 0.0)
        last = cost if kind in _LATIN else 0.0
        letters += kind in _LETTER_KINDS or kind is _Kind.DIGIT
        if kind is not _Kind.ODD:
            before = (kind, script)
    bits += _SHORT_COST * max(0, _SHORT - letters)
    return min(bits, _VOUCHER_BEGINS + _VOUCHER_SIGN * len(text)) if _VOUCHER.fullmatch(text) else bits


def _transition(before: tuple[_Kind, str], kind: _Kind, script: str) -> float:
    if script and before[1] == script:
        return _SCRIPT_GOES_ON
    if before[0] in _LETTER_KINDS and kind in _LETTER_KINDS and _Kind.SCRIPT in (before[0], kind):
        return _OTHER_SCRIPT
    return _FOLLOWS[before[0]].get(kind, _SELDOM)


@lru_cache(maxsize=1024)
def _look_at(char: str) -> tuple[_Kind, str, float]:
    """Tell of what kind and script a character is, and how seldom it is in them."""
    if (bits := _SPACES.get(char)) is not None:
        return _Kind.SPACE, "", bits
    if "0" <= char <= "9":
        return _Kind.DIGIT, "", 2.6 if char == "0" else 3.2
    if (bits := _LETTERS.get(char.lower())) is not None:
        return (_Kind.UPPER, "", bits + 0.3) if char.isupper() else (_Kind.LOWER, "", bits)
    if (bits := _SIGNS.get(char)) is not None:
        return _Kind.SIGN, "", bits
    category = unicodedata.category(char)
    if category in ("Cc", "Cs", "Co", "Cn") or char == "\ufffd":
        return _Kind.ODD, "", _IMPOSSIBLE
    return _other_letter(char, category) or (_Kind.ODD, "", 6.0 if category in ("Cf", "Mn") else 13.0)


def _other_letter(char: str, category: str) -> tuple[_Kind, str, float] | None:
    """Look at a letter, or a mark that belongs to one, beyond ASCII."""
    point = ord(char)
    if category[0] not in "LMN":
        return None
    for first, last, name, rare, bits in _SCRIPTS:
        if first <= point <= last:
            everyday = point >= 0x4E00 and name != "Arabic" and _is_everyday(char)
            return _Kind.SCRIPT, name, rare + (_EVERYDAY_COST if everyday else bits)
    if (category in ("Ll", "Lu", "Lt") and point <= 0x024F) or 0x1E00 <= point <= 0x1EFF:
        seldom = 8.0 if char in _COMMON_ACCENTS else 10.0 if point <= 0x017F or point >= 0x1E00 else 15.0
        return _Kind.UPPER if char.isupper() else _Kind.LOWER, "", seldom
    return (_Kind.SCRIPT, f"block {point >> 8}", _RARE_LETTER) if category[0] == "L" else None


def _is_everyday(char: str) -> bool:
    """Whether a Chinese, Japanese or Korean character is among the few thousand that are used every day."""
    for charset, first, last in _EVERYDAY:
        octets = char.encode(charset, "ignore")
        if len(octets) == 2 and first <= octets[0] <= last:
            return True
    return False
