"""Owns the cutting of texts into messages and the joining of the parts (3GPP TS 23.040 9.2.3.24.1, 9.2.3.24.8)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import Final

from otppi.text import _
from otppi.wire import gsm7
from otppi.wire.dcs import Alphabet, Dcs
from otppi.wire.errors import AlphabetError, TpduError
from otppi.wire.gsm7 import NationalLanguage
from otppi.wire.udh import Concatenation, UserDataHeader
from otppi.wire.user_data import MOST_OCTETS, MOST_SEPTETS, UserData, decode_payload, header_septets

MOST_PARTS: Final = 255
"""Parts of one message, at most: their number is one octet."""

_DEFAULT: Final = NationalLanguage.DEFAULT
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class _Writing:
    """A way to write a text: an alphabet and, where it has seven bits, whose shift tables."""

    alphabet: Alphabet
    locking: NationalLanguage = _DEFAULT
    single: NationalLanguage = _DEFAULT

    def header(self, concatenation: Concatenation | None) -> UserDataHeader | None:
        return UserDataHeader.of(concatenation, single_shift=self.single, locking_shift=self.locking)


@dataclass(frozen=True, slots=True)
class _Cut:
    """A text, written and cut."""

    writing: _Writing
    chunks: tuple[bytes, ...] = field(repr=False)


_GSM7: Final = _Writing(Alphabet.GSM7)
_UCS2: Final = _Writing(Alphabet.UCS2)


def segment(
    text: str,
    *,
    reference: int = 0,
    wide_reference: bool = False,
    languages: Sequence[NationalLanguage] = (),
    flash: bool = False,
    max_parts: int = MOST_PARTS,
) -> tuple[UserData, ...]:
    """Cut a text into as few messages as it needs, in the alphabet that takes least.

    That is the GSM 7 bit default alphabet where it has all characters; otherwise the national tables of the allowed
    languages that give the fewest parts; otherwise UCS-2 (as UTF-16). Neither an escaped character nor a surrogate
    pair is cut in two.

    Args:
        text: The text; an empty one gives one empty message.
        reference: What the parts have in common, where there are several; taken modulo 256, or 65536 where wide.
        wide_reference: Use a reference of 16 bits, which leaves a little less room for text.
        languages: Whose tables may be used, the favourite first; many old telephones do not know them.
        flash: Message class 0: shown at once and not stored.
        max_parts: How many parts are allowed, at most 255.

    Returns:
        The parts in their order.

    Raises:
        AlphabetError: The text has half a surrogate pair, which no alphabet can write.
        TpduError: More than the allowed parts are needed.
    """
    cut = _cut_best(text, wide_reference, languages)
    total = len(cut.chunks)
    if total > min(max_parts, MOST_PARTS):
        raise TpduError(
            _("the text needs {total} messages, allowed are {most}", total=total, most=min(max_parts, MOST_PARTS))
        )
    dcs = _dcs(cut.writing.alphabet, flash)
    if total == 1:
        return (UserData(dcs, cut.writing.header(None), cut.chunks[0]),)
    reference &= 0xFFFF if wide_reference else 0xFF
    return tuple(
        UserData(dcs, cut.writing.header(Concatenation(reference, total, number, wide_reference)), chunk)
        for number, chunk in enumerate(cut.chunks, 1)
    )


def join(parts: Iterable[UserData]) -> str:
    """Join the parts of a message, in whatever order they came; a part that came twice counts once.

    Characters that the sender cut in two are made whole.

    Raises:
        TpduError: There are no parts, some are missing, or they are not of one message.
        AlphabetError: The text is compressed.
    """
    by_number: dict[int, UserData] = {}
    messages = set()
    total = 1
    for part in parts:
        place = part.concatenation or Concatenation(0, 1, 1)
        messages.add((place.reference, place.total, place.wide))
        if by_number.setdefault(place.number, part) != part:
            raise TpduError("two different parts have one number")
        total = place.total
    if len(messages) != 1:
        raise TpduError("the parts are not of one message" if messages else "there are no parts")
    if len(by_number) < total:
        raise TpduError(f"{total - len(by_number)} of {total} parts are missing")
    runs = (tuple(run) for _tables, run in groupby((by_number[number] for number in sorted(by_number)), _tables_of))
    return "".join(decode_payload(run[0], b"".join(part.payload for part in run)) for run in runs)


def _tables_of(part: UserData) -> tuple[Dcs, NationalLanguage, NationalLanguage]:
    if part.header is None:
        return part.dcs, _DEFAULT, _DEFAULT
    return part.dcs, part.header.locking_shift, part.header.single_shift


def _cut_best(text: str, wide: bool, languages: Sequence[NationalLanguage]) -> _Cut:
    with suppress(AlphabetError):
        return _cut(_GSM7, gsm7.encode(text), wide)
    candidates = [
        _cut(writing, gsm7.encode(text, writing.locking, writing.single), wide)
        for writing in _national_writings(languages)
        if gsm7.can_encode(text, writing.locking, writing.single)
    ]
    # Seven bits and an escape are less than the sixteen of UCS-2, whatever the header takes.
    return min(candidates, key=lambda cut: len(cut.chunks)) if candidates else _cut(_UCS2, _utf16(text), wide)


def _national_writings(languages: Sequence[NationalLanguage]) -> Iterator[_Writing]:
    """Name the ways to write with national tables: one table before both, for each takes room in every part."""
    for language in languages:
        yield _Writing(Alphabet.GSM7, single=language)
        yield _Writing(Alphabet.GSM7, locking=language)
        yield _Writing(Alphabet.GSM7, locking=language, single=language)


def _utf16(text: str) -> bytes:
    if _SURROGATE.search(text):
        raise AlphabetError(_("the text has half a surrogate pair"))
    return text.encode("utf-16-be")


@lru_cache
def _dcs(alphabet: Alphabet, flash: bool) -> Dcs:
    return Dcs(alphabet, message_class=0 if flash else None)


@lru_cache(maxsize=256)
def _room(writing: _Writing, wide: bool | None) -> int:
    """How much text fits into a part: septets, or octets of UTF-16; `wide` is None for a message that stands alone."""
    header = writing.header(None if wide is None else Concatenation(0, 1, 1, wide))
    size = 0 if header is None else header.size
    return MOST_SEPTETS - header_septets(size) if writing.alphabet is Alphabet.GSM7 else (MOST_OCTETS - size) & ~1


def _cut(writing: _Writing, payload: bytes, wide: bool) -> _Cut:
    if len(payload) <= _room(writing, None):
        return _Cut(writing, (payload,))
    return _Cut(writing, tuple(_chunks(writing.alphabet, payload, _room(writing, wide))))


def _chunks(alphabet: Alphabet, payload: bytes, room: int) -> Iterator[bytes]:
    start = 0
    while start < len(payload):
        end = start + room
        if end < len(payload):
            end -= _overhang(alphabet, payload, end)
        yield payload[start:end]
        start = end


def _overhang(alphabet: Alphabet, payload: bytes, end: int) -> int:
    """How much before a cut belongs together with what follows it."""
    if alphabet is Alphabet.GSM7:
        return int(payload[end - 1] == gsm7.ESCAPE)
    return 2 if payload[end - 2] & 0xFC == 0xD8 else 0
