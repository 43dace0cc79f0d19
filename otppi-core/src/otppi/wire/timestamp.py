"""Owns the time stamps of TPDUs: seven octets of swapped digits (3GPP TS 23.040 9.2.3.11)."""

from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from otppi.wire.errors import TpduError

SIZE: Final = 7
"""Octets of a time stamp."""

_QUARTER: Final = timedelta(minutes=15)
_MOST_QUARTERS: Final = 79
"""The zone's tens have three bits beside the sign."""
_MINUS: Final = 0x08
_CENTURY: Final = 2000


def to_swapped(number: int) -> int:
    """Write a number of 0 to 99 as an octet, the tens in its low half."""
    return number % 10 << 4 | number // 10


def from_swapped(octet: int) -> int | None:
    """Read an octet of two digits, the tens in its low half; None where a half is no digit."""
    tens, units = octet & 0x0F, octet >> 4
    return 10 * tens + units if tens < 10 and units < 10 else None


_NO_NUMBER: Final = -9999
"""In no field of a date is it valid."""
_NUMBERS: Final = tuple(_NO_NUMBER if number is None else number for number in map(from_swapped, range(256)))


def encode_time(when: datetime | None) -> bytes:
    """Write a time stamp; None, an unknown time, as seven zeros.

    The instant goes out in whole seconds, its zone in quarters of an hour.

    Raises:
        TpduError: The time has no zone, or its year is not 2000 to 2099.
    """
    if when is None:
        return bytes(SIZE)
    offset = when.utcoffset()
    if offset is None:
        raise TpduError("a time stamp needs a time zone")
    quarters = round(offset / _QUARTER)
    if quarters * _QUARTER != offset or abs(quarters) > _MOST_QUARTERS:
        # No such zone can be written, so the same instant goes out in UTC.
        quarters, when = 0, _in_utc(when)
    if not _CENTURY <= when.year < _CENTURY + 100:
        raise TpduError("a time stamp's year is 2000 to 2099")
    fields = (when.year - _CENTURY, when.month, when.day, when.hour, when.minute, when.second)
    return bytes((*map(to_swapped, fields), to_swapped(abs(quarters)) | (_MINUS if quarters < 0 else 0)))


def decode_time(octets: bytes) -> datetime | None:
    """Read a time stamp from seven octets.

    Returns:
        The time in its zone, or None where the digits make no date: a message or a report must not be lost for it.

    Raises:
        TpduError: There are fewer than seven octets.
    """
    if len(octets) < SIZE:
        raise TpduError("a TPDU ends before its time stamp does")
    year, month, day, hour, minute, second, zone = octets[:SIZE]
    number = _NUMBERS
    try:
        return datetime(
            _CENTURY + number[year],
            *(number[month], number[day], number[hour], number[minute], number[second]),
            tzinfo=_zone(zone),
        )
    except ValueError:
        return None


@lru_cache
def _zone(octet: int) -> timezone:
    """Read quarters of an hour with a sign; a half that is no digit counts as the number that it is, as in gammu."""
    quarters = 10 * (octet & 0x07) + (octet >> 4)
    return timezone((-quarters if octet & _MINUS else quarters) * _QUARTER)


def _in_utc(when: datetime) -> datetime:
    try:
        return when.astimezone(UTC)
    except OverflowError as error:
        raise TpduError("a time stamp's year is 2000 to 2099") from error
