"""Owns the SMS-STATUS-REPORT and what its status means (3GPP TS 23.040 9.2.2.3, 9.2.3.15)."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, Self

from otppi.wire.address import Address
from otppi.wire.dcs import Dcs
from otppi.wire.errors import WireError
from otppi.wire.timestamp import SIZE as TIME_SIZE
from otppi.wire.timestamp import decode_time, encode_time
from otppi.wire.tpdu_fields import NO_MMS, SRQ, UDHI, MessageType, check_octet, first_octet, octet_at
from otppi.wire.user_data import UserData

# Bits of TP-PI (9.2.3.27).
_PI_PID: Final = 0x01
_PI_DCS: Final = 0x02
_PI_UDL: Final = 0x04
_PI_EXTENSION: Final = 0x80


class ReportOutcome(Enum):
    """What a status report says of a message (9.2.3.15)."""

    DELIVERED = "delivered"
    """The receiver has it, or the service centre handed it on."""
    PENDING = "pending"
    """Not yet: the service centre is still trying; another report follows."""
    FAILED = "failed"
    """It will not be delivered."""


# 9.2.3.15. A status of 0x02, replaced by a newer message, means that this one never arrived; a reserved value is to be
# read as 0x63, "service rejected".
_DELIVERED: Final = frozenset({0x00, 0x01, *range(0x10, 0x20)})
_PENDING: Final = frozenset({*range(0x20, 0x26), *range(0x30, 0x40)})


def status_outcome(status: int) -> ReportOutcome:
    """Return what TP-ST, 0 to 255, says of a message (9.2.3.15)."""
    if status in _DELIVERED:
        return ReportOutcome.DELIVERED
    return ReportOutcome.PENDING if status in _PENDING else ReportOutcome.FAILED


@dataclass(frozen=True, slots=True)
class SmsStatusReport:
    """What became of a message, SMS-STATUS-REPORT (9.2.2.3).

    Attributes:
        message_reference: TP-MR of the message, 0 to 255.
        recipient: Whom the message was for, TP-RA.
        timestamp: When the service centre took the message in, TP-SCTS; None where what came is no time.
        discharge: When that became of it, TP-DT; None where what came is no time.
        status: TP-ST, 0 to 255; see `outcome`.
        more_messages: More wait at the service centre, TP-MMS.
        of_command: The report is of an SMS-COMMAND, TP-SRQ.
        protocol_id: TP-PID, or None where there is none.
        user_data: What the report carries, mostly nothing.

    Raises:
        TpduError: A number is out of its range.
    """

    message_reference: int
    recipient: Address
    timestamp: datetime | None
    discharge: datetime | None
    status: int
    more_messages: bool = False
    of_command: bool = False
    protocol_id: int | None = None
    user_data: UserData | None = None

    def __post_init__(self) -> None:
        check_octet(self.message_reference, "TP-MR")
        check_octet(self.status, "TP-ST")
        check_octet(self.protocol_id or 0, "TP-PID")

    @property
    def outcome(self) -> ReportOutcome:
        """What became of the message."""
        return status_outcome(self.status)

    def encode(self) -> bytes:
        """Write the TPDU, without the service centre's address.

        Raises:
            TpduError: A time has no zone, or its year is not 2000 to 2099.
        """
        carries, pid = self.user_data, self.protocol_id
        first = (
            MessageType.STATUS_REPORT
            | (0 if self.more_messages else NO_MMS)
            | (SRQ if self.of_command else 0)
            | (0 if carries is None or carries.header is None else UDHI)
        )
        present = (0 if pid is None else _PI_PID) | (0 if carries is None else _PI_DCS | _PI_UDL)
        return b"".join(
            (
                bytes((first, self.message_reference)),
                self.recipient.encode(),
                encode_time(self.timestamp),
                encode_time(self.discharge),
                bytes((self.status,)),
                bytes((present,)) if present else b"",
                b"" if pid is None else bytes((pid,)),
                b"" if carries is None else bytes((carries.dcs.octet,)) + carries.encode(),
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the TPDU, without the service centre's address.

        What follows TP-ST is optional; where it cannot be read it is ignored, for the outcome must not be lost for it.

        Raises:
            WireError: It is no SMS-STATUS-REPORT, ends before TP-ST, or its address is not valid.
        """
        first = first_octet(data, MessageType.STATUS_REPORT)
        reference = octet_at(data, 1)
        recipient, size = Address.decode(data[2:])
        position = 2 + size
        taken_in = decode_time(data[position : position + TIME_SIZE])
        discharge = decode_time(data[position + TIME_SIZE : position + 2 * TIME_SIZE])
        position += 2 * TIME_SIZE
        status = octet_at(data, position)
        try:
            protocol_id, user_data = _optional_fields(data, position + 1, has_header=bool(first & UDHI))
        except WireError:
            protocol_id, user_data = None, None
        return cls(
            reference,
            recipient,
            taken_in,
            discharge,
            status,
            more_messages=not first & NO_MMS,
            of_command=bool(first & SRQ),
            protocol_id=protocol_id,
            user_data=user_data,
        )


def _optional_fields(data: bytes, position: int, *, has_header: bool) -> tuple[int | None, UserData | None]:
    """Read TP-PI and the fields that it announces."""
    if position >= len(data):
        return None, None
    present = data[position]
    while octet_at(data, position) & _PI_EXTENSION:
        position += 1
    position += 1
    protocol_id, dcs = None, Dcs()
    if present & _PI_PID:
        protocol_id = octet_at(data, position)
        position += 1
    if present & _PI_DCS:
        dcs = Dcs.from_octet(octet_at(data, position))
        position += 1
    if not present & _PI_UDL:
        return protocol_id, None
    return protocol_id, UserData.decode(data[position:], dcs, has_header=has_header)[0]
