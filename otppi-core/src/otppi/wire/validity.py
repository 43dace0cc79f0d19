"""Owns TP-VP: how long the service centre may try to deliver a message (3GPP TS 23.040 9.2.3.12)."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final, Self

from otppi.wire import timestamp
from otppi.wire.errors import TpduError

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_WEEK: Final = 7 * _DAY

# 9.2.3.12.1: what each value of TP-VP means, in seconds.
_PERIODS: Final[tuple[int, ...]] = (
    *range(5 * _MINUTE, 12 * _HOUR + 1, 5 * _MINUTE),
    *range(12 * _HOUR + 30 * _MINUTE, 24 * _HOUR + 1, 30 * _MINUTE),
    *range(2 * _DAY, 30 * _DAY + 1, _DAY),
    *range(5 * _WEEK, 63 * _WEEK + 1, _WEEK),
)


class ValidityFormat(IntEnum):
    """TP-VPF, bits 4 and 3 of the first octet of an SMS-SUBMIT (9.2.3.3)."""

    ABSENT = 0
    ENHANCED = 1
    RELATIVE = 2
    ABSOLUTE = 3


@dataclass(frozen=True, slots=True)
class Validity:
    """A period counted from when the service centre takes the message in (9.2.3.12.1).

    Attributes:
        octet: The value of TP-VP, 0 (5 minutes) to 255 (63 weeks).

    Raises:
        TpduError: The value is no octet.
    """

    octet: int

    def __post_init__(self) -> None:
        if not 0 <= self.octet <= 0xFF:
            raise TpduError("a relative validity period is one octet")

    @classmethod
    def from_seconds(cls, seconds: int) -> Self:
        """Make the smallest period that is not shorter than so many seconds.

        The least there is has 5 minutes; more than 63 weeks becomes 63 weeks.
        """
        return cls(min(0xFF, bisect_left(_PERIODS, seconds)))

    @property
    def seconds(self) -> int:
        """The period in seconds."""
        return _PERIODS[self.octet]

    @property
    def format(self) -> ValidityFormat:
        """What TP-VPF says of it."""
        return ValidityFormat.RELATIVE

    def encode(self) -> bytes:
        """Write TP-VP."""
        return bytes((self.octet,))


@dataclass(frozen=True, slots=True)
class AbsoluteValidity:
    """The moment when the message ends (9.2.3.12.2).

    Attributes:
        until: The moment, with its time zone; None where the octets received make no date.
    """

    until: datetime | None

    @property
    def format(self) -> ValidityFormat:
        """What TP-VPF says of it."""
        return ValidityFormat.ABSOLUTE

    def encode(self) -> bytes:
        """Write TP-VP.

        Raises:
            TpduError: The moment has no time zone, or its year is not 2000 to 2099.
        """
        return timestamp.encode_time(self.until)


_ENHANCED_SIZE: Final = 7
_EXTENDED: Final = 0x80
_SINGLE_SHOT: Final = 0x40
_FORMAT: Final = 0x07
_LONGEST_CLOCK: Final = 100 * _HOUR - 1


@dataclass(frozen=True, slots=True)
class EnhancedValidity:
    """A period in seconds, and whether to try once only (9.2.3.12.3).

    Attributes:
        seconds: The period, 1 to 63 weeks; None leaves it to the service centre.
        single_shot: The service centre tries to deliver once.

    Raises:
        TpduError: The period is less than a second or more than 63 weeks.
    """

    seconds: int | None = None
    single_shot: bool = False

    def __post_init__(self) -> None:
        if self.seconds is not None and not 1 <= self.seconds <= _PERIODS[-1]:
            raise TpduError("an enhanced validity period is 1 second to 63 weeks")

    @property
    def format(self) -> ValidityFormat:
        """What TP-VPF says of it."""
        return ValidityFormat.ENHANCED

    def encode(self) -> bytes:
        """Write TP-VP: in seconds up to 255, as a clock up to 99:59:59, and beyond rounded up as `Validity`."""
        kind, value = 0, b""
        if self.seconds is None:
            pass
        elif self.seconds <= 0xFF:
            kind, value = 2, bytes((self.seconds,))
        elif self.seconds <= _LONGEST_CLOCK:
            hours, minutes, seconds = self.seconds // _HOUR, self.seconds // _MINUTE % 60, self.seconds % 60
            kind, value = 3, bytes(map(timestamp.to_swapped, (hours, minutes, seconds)))
        else:
            kind, value = 1, Validity.from_seconds(self.seconds).encode()
        return (bytes((kind | (_SINGLE_SHOT if self.single_shot else 0),)) + value).ljust(_ENHANCED_SIZE, b"\0")

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read TP-VP from seven octets.

        Raises:
            TpduError: There are fewer, or they use an extension or a format that 23.040 has not defined.
        """
        if len(octets) < _ENHANCED_SIZE:
            raise TpduError("a TPDU ends before its validity period does")
        indicator = octets[0]
        if indicator & _EXTENDED:
            raise TpduError("an enhanced validity period has an extension that is not defined")
        single_shot = bool(indicator & _SINGLE_SHOT)
        match indicator & _FORMAT:
            case 0:
                return cls(None, single_shot)
            case 1:
                return cls(Validity(octets[1]).seconds, single_shot)
            case 2:
                return cls(octets[1], single_shot)
            case 3:
                return cls(_clock(octets[1:4]), single_shot)
            case _:
                raise TpduError("an enhanced validity period has a format that is not defined")


AnyValidity = Validity | AbsoluteValidity | EnhancedValidity
"""What TP-VP may hold."""


def decode_validity(form: ValidityFormat, octets: bytes) -> tuple[AnyValidity | None, int]:
    """Read TP-VP in the form that TP-VPF names; octets after it are left alone.

    Returns:
        The period, None where there is none, and how many octets it took.

    Raises:
        TpduError: The octets end too soon or make no period.
    """
    match form:
        case ValidityFormat.ABSENT:
            return None, 0
        case ValidityFormat.RELATIVE:
            if not octets:
                raise TpduError("a TPDU ends before its validity period does")
            return Validity(octets[0]), 1
        case ValidityFormat.ABSOLUTE:
            return AbsoluteValidity(timestamp.decode_time(octets)), timestamp.SIZE
        case ValidityFormat.ENHANCED:
            return EnhancedValidity.decode(octets), _ENHANCED_SIZE


def _clock(octets: bytes) -> int:
    hours, minutes, seconds = map(timestamp.from_swapped, octets)
    if hours is None or minutes is None or seconds is None or minutes > 59 or seconds > 59:
        raise TpduError("an enhanced validity period has no valid clock")
    return hours * _HOUR + minutes * _MINUTE + seconds
