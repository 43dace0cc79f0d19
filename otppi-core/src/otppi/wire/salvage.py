"""Owns the reading of a PDU line with a flaw: what of it can be read, and whether that is all.

`otppi.wire.tpdu` reads what is right, and refuses the rest. Here nothing is refused from which an address can be read:
a TPDU that ends too soon, whose length field counts something else than 3GPP TS 23.040 9.2.3.16 has it, whose first
octet or service centre address is wrong. Ways to read it are tried until one is found whose fields fit together.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, NamedTuple

from otppi.wire import gsm7
from otppi.wire.address import Address, TypeOfNumber, smsc_size
from otppi.wire.dcs import GSM7, UCS2, Alphabet, Dcs
from otppi.wire.errors import AddressError, TpduError, WireError
from otppi.wire.plausible import surprisal
from otppi.wire.status_report import SmsStatusReport
from otppi.wire.timestamp import SIZE as TIME_SIZE
from otppi.wire.timestamp import decode_time
from otppi.wire.tpdu import SmsDeliver
from otppi.wire.tpdu_fields import MTI, NO_MMS, RP, SRI, UDHI, MessageType
from otppi.wire.udh import UserDataHeader
from otppi.wire.user_data import MOST_OCTETS, MOST_SEPTETS, UserData, fill_bits, header_septets

_LINE: Final = re.compile(r'[\s"]*([0-9A-Fa-f\s]*)')
_TYPE_IS_SET: Final = 0x80
"""Bit 7 of a type of address is 1 (23.040 9.1.2.5); of what is taken for one by mistake it seldom is."""
_BOTH: Final = 2
_PADDING: Final = frozenset(b"\0\xff\x1a\r\n ")
_LONGEST_SMSC: Final = 12
_HIDDEN_HEADERS: Final = (bytes((5, 0, 3)), bytes((6, 8, 4)))
"""How the header of one part of a long message begins (9.2.3.24.1, 9.2.3.24.8)."""


@dataclass(frozen=True, slots=True)
class Remains:
    """A status report of which only the address could be read: whose it is, and not what became of the message."""

    recipient: Address


@dataclass(frozen=True, slots=True)
class Received:
    """What a line reads as.

    Attributes:
        tpdu: The message or report, as far as it could be read.
        whole: Nothing of it is missing or guessed.
    """

    tpdu: SmsDeliver | SmsStatusReport | Remains
    whole: bool = True


class _Reading(NamedTuple):
    """One way to read a line.

    Attributes:
        received: What it gives.
        has_address: The address looks like one.
        is_proven: The times behind it do, too: it is the right way.
    """

    received: Received
    has_address: bool
    is_proven: bool

    def proves(self, *, strict: bool) -> bool:
        """Whether its fields prove it; `strict` where all of them have to be there, and fit."""
        return self.is_proven and (self.received.whole or not strict)

    @property
    def is_of_report(self) -> bool:
        """Whether the address of a status report is all that could be read."""
        return isinstance(self.received.tpdu, Remains)


@dataclass(frozen=True, slots=True)
class _Fields:
    """An SMS-DELIVER (9.2.2.1), taken apart; what the octets end before is None."""

    first: int
    originator: Address
    type_is_set: bool
    protocol_id: int = 0
    dcs: Dcs = GSM7
    timestamp: datetime | None = None
    length: int | None = None
    body: bytes = field(default=b"", repr=False)


def read_received(line: str, length: int | None = None) -> Received:
    """Read the line of a PDU that came in, of +CMT, +CDS, +CMGL or +CMGR (3GPP TS 27.005 3.4.1, 4.1).

    Args:
        line: The service centre's address and a TPDU in hexadecimal; other parameters may stand behind a comma.
        length: How many octets the TPDU has, by the header before it; None where that does not tell.

    Raises:
        WireError: No address can be read from it.
    """
    octets, lost = _octets(line)
    reading = _choose(octets, length)
    if reading is None:
        raise TpduError("no address can be read from a PDU")
    return replace(reading.received, whole=False) if lost else reading.received


def _octets(line: str) -> tuple[bytes, int]:
    """Return the octets that a line begins with, and how many digits (0 or 1) stand behind the last whole one."""
    try:
        return bytes.fromhex(line), 0
    except ValueError:
        found = _LINE.match(line)
    digits = "".join(found[1].split()) if found else ""
    return bytes.fromhex(digits[: len(digits) & ~1]), len(digits) & 1


def _choose(octets: bytes, length: int | None) -> _Reading | None:
    """Take the first reading whose fields prove it, looked for where the TPDU should be and then wherever it may be."""
    expected: set[int] = set()
    readings: list[_Reading] = []
    for start in _starts(octets, length):
        if start in expected:
            continue
        expected.add(start)
        if one := _read(octets[start:], length):
            if not readings and one.proves(strict=True):
                return one  # whatever the others are
            readings.append(one)
    # Octets of a report that is cut behind its address may look like a message of somebody else, but do not fit it.
    strict = any(one.is_of_report for one in readings)
    for reading in readings:
        if reading.proves(strict=strict):
            return reading
    if not any(one.has_address and one.received.whole for one in readings):
        for start in range(_LONGEST_SMSC + 1):
            if start not in expected and (one := _read(octets[start:], length)) and one.proves(strict=strict):
                return one
    # What fits may be right though its address looks like none; what does not fit then is something else than a PDU.
    possible = [one for one in readings if one.has_address or one.received.whole]
    return max(possible, key=lambda one: (one.has_address, one.received.whole), default=None)


def _starts(octets: bytes, length: int | None) -> Iterator[int]:
    """Name the places where the TPDU should begin.

    Some models leave the service centre's address out, and some count its digits (9.1.2.5 instead of 24.011 8.2.5.2):
    then the header's length tells where the TPDU is.
    """
    if length == len(octets):
        yield 0
    with suppress(AddressError):
        yield smsc_size(octets)
    if length is not None and 0 <= len(octets) - length <= _LONGEST_SMSC:
        yield len(octets) - length


def _read(tpdu: bytes, length: int | None) -> _Reading | None:
    if not tpdu:
        return None
    is_report = tpdu[0] & MTI == MessageType.STATUS_REPORT
    report = _report(tpdu, certain=is_report)
    if report is not None and is_report:
        return report
    fields = _take_apart(tpdu)
    if report is not None and (fields is None or not fields.type_is_set):
        return report
    if fields is None:
        return _remains(tpdu) if is_report else None
    if is_report and not fields.type_is_set:
        return _remains(tpdu)
    deliver, fits = _deliver(fields, None if length is None else length - (len(tpdu) - len(fields.body)))
    known = tpdu[0] & MTI in (MessageType.DELIVER, MessageType.RESERVED)  # 9.2.3.1: as if it were an SMS-DELIVER
    # Who sends has digits alone, or a name: `*`, `#`, a, b and c (9.1.2.3) come of octets that are no address.
    sender = fields.originator
    has_address = fields.type_is_set and (
        sender.digits.isdecimal()
        or (sender.ton is TypeOfNumber.ALPHANUMERIC and sender.digits.isprintable() and bool(sender.digits))
    )
    return _Reading(Received(deliver, fits and known), has_address, has_address and fields.timestamp is not None)


def _report(tpdu: bytes, *, certain: bool) -> _Reading | None:
    """Read a status report; where the first octet says that it is none, all its fields have to fit."""
    try:
        report = SmsStatusReport.decode(
            tpdu if certain else bytes((tpdu[0] & ~MTI | MessageType.STATUS_REPORT,)) + tpdu[1:]
        )
    except WireError:
        return None
    times = (report.timestamp is not None) + (report.discharge is not None)
    typed = bool(tpdu[3] & _TYPE_IS_SET)
    proven = typed and times == _BOTH
    return _Reading(Received(report, certain), typed and times > 0, proven) if certain or proven else None


def _remains(tpdu: bytes) -> _Reading | None:
    try:
        recipient, _ = Address.decode(tpdu[2:])
    except AddressError:
        return None
    if not tpdu[3] & _TYPE_IS_SET:
        return None
    return _Reading(Received(Remains(recipient), whole=False), has_address=True, is_proven=False)


def _take_apart(tpdu: bytes) -> _Fields | None:
    """Take the fields of an SMS-DELIVER, as far as they are there; None where its address is not."""
    try:
        originator, size = Address.decode(tpdu[1:])
    except AddressError:
        return None
    fields, rest = _Fields(tpdu[0], originator, bool(tpdu[2] & _TYPE_IS_SET)), tpdu[1 + size :]
    if len(rest) < 2 + TIME_SIZE:
        return fields
    fields = replace(fields, protocol_id=rest[0], dcs=Dcs.from_octet(rest[1]), timestamp=decode_time(rest[2:]))
    rest = rest[2 + TIME_SIZE :]
    return replace(fields, length=rest[0], body=rest[1:]) if rest else fields


def _deliver(fields: _Fields, declared: int | None) -> tuple[SmsDeliver, bool]:
    """Return the message, and whether its user data are all there and fit the length that they tell.

    Args:
        fields: What it consists of.
        declared: How many octets of user data there are by the header before the line.
    """
    user_data, fits = _user_data(fields, declared) if fields.length is not None else (UserData(fields.dcs), False)
    deliver = SmsDeliver(
        fields.originator,
        fields.timestamp,
        user_data,
        more_messages=not fields.first & NO_MMS,
        status_report_indication=bool(fields.first & SRI),
        reply_path=bool(fields.first & RP),
        protocol_id=fields.protocol_id,
    )
    return deliver, fits


def _user_data(fields: _Fields, declared: int | None) -> tuple[UserData, bool]:
    length, body, dcs = fields.length or 0, fields.body, fields.dcs
    needed = _octets_of(length, dcs)
    has_header = bool(fields.first & UDHI) or (dcs.alphabet is not Alphabet.EIGHT_BIT and _hides_header(body))
    behind = body[needed:]
    if len(body) >= needed and length <= _most(dcs) and (declared == needed or set(behind) <= _PADDING):
        try:
            return _cut_out(body[:needed], length, dcs, has_header=has_header), True
        except TpduError:  # the header is longer than the user data: there is none
            return _cut_out(body[:needed], length, dcs, has_header=False), False
    return _second_reading(length, body, dcs, has_header=has_header)


def _second_reading(length: int, body: bytes, dcs: Dcs, *, has_header: bool) -> tuple[UserData, bool]:
    """Read user data that do not fit their length: all octets that are there, by the alphabet that makes most sense.

    It is whole where the alphabet is the one that is told and the length counts octets instead of septets, or
    characters instead of octets.
    """
    has_header = has_header and bool(body) and body[0] < max(_octets_of(length, dcs), len(body))
    everything = [(_cut(body, dcs, has_header=has_header), length == _counted(body, dcs))]
    for other in (GSM7, UCS2) if not dcs.compressed else ():
        fits = other.packed != dcs.packed and len(body) == _octets_of(length, other)
        if fits and dcs.alphabet is not Alphabet.EIGHT_BIT:
            everything.append((_cut(body, other, has_header=has_header), False))
    if len(everything) == 1:
        return everything[0]
    return min(everything, key=lambda one: surprisal(one[0].text))


def _counted(body: bytes, dcs: Dcs) -> int | None:
    """Return what the length is where it counts something else than it should; None where that cannot be."""
    if dcs.packed:
        return len(body) if body else None
    return len(body) // 2 if dcs.alphabet is Alphabet.UCS2 and body and len(body) % 2 == 0 else None


def _octets_of(length: int, dcs: Dcs) -> int:
    return (7 * length + 7) // 8 if dcs.packed else length


def _most(dcs: Dcs) -> int:
    return MOST_SEPTETS if dcs.packed else MOST_OCTETS


def _hides_header(body: bytes) -> bool:
    """Whether there is the header of one part of a long message, though TP-UDHI does not say so."""
    return any(
        body.startswith(start) and len(body) > start[0] and 1 <= body[start[0]] <= body[start[0] - 1]
        for start in _HIDDEN_HEADERS
    )


def _cut(body: bytes, dcs: Dcs, *, has_header: bool) -> UserData:
    """Read all octets that are there as user data."""
    body = body[:MOST_OCTETS]
    length = min(len(body) * 8 // 7, MOST_SEPTETS) if dcs.packed else len(body)
    try:
        return _cut_out(body, length, dcs, has_header=has_header)
    except TpduError:
        return UserData(dcs)  # the header is cut off, too: what is there of it is no text


def _cut_out(body: bytes, length: int, dcs: Dcs, *, has_header: bool) -> UserData:
    header, size = UserDataHeader.decode(body) if has_header else (None, 0)
    if not dcs.packed:
        return UserData(dcs, header, body[size:])
    count = length - header_septets(size)
    if count < 0:
        raise TpduError("a user data header is longer than the user data")
    return UserData(dcs, header, gsm7.unpack(body[size:], count, fill_bits(size)))
