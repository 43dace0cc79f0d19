"""Owns the TPDUs of the short message service and their line for AT commands (3GPP TS 23.040 9.2.2, 27.005 3.1).

Octets after the end of a TPDU are ignored: modems are known to pad. Reserved bits are ignored too.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from otppi.wire.address import Address, decode_smsc, encode_smsc
from otppi.wire.dcs import Dcs
from otppi.wire.errors import TpduError
from otppi.wire.status_report import ReportOutcome, SmsStatusReport
from otppi.wire.timestamp import SIZE as TIME_SIZE
from otppi.wire.timestamp import decode_time, encode_time
from otppi.wire.tpdu_fields import (
    MTI,
    NO_MMS,
    RD,
    RP,
    SRI,
    SRR,
    UDHI,
    VPF_SHIFT,
    MessageType,
    check_octet,
    first_octet,
    octet_at,
)
from otppi.wire.user_data import UserData
from otppi.wire.validity import (
    AbsoluteValidity,
    AnyValidity,
    EnhancedValidity,
    Validity,
    ValidityFormat,
    decode_validity,
)

__all__ = [
    "AbsoluteValidity",
    "EnhancedValidity",
    "ReportOutcome",
    "SmsDeliver",
    "SmsStatusReport",
    "SmsSubmit",
    "Tpdu",
    "UserData",
    "Validity",
    "decode_tpdu",
    "parse_pdu_line",
    "pdu_line",
]


@dataclass(frozen=True, slots=True)
class SmsSubmit:
    """A message to send, SMS-SUBMIT (9.2.2.2).

    Attributes:
        destination: Who receives it, TP-DA.
        user_data: What it carries.
        message_reference: TP-MR, 0 to 255; most modems put one of their own.
        validity: How long it may be tried, TP-VP; None leaves it to the service centre.
        status_report_request: Ask for a status report, TP-SRR.
        reject_duplicates: Refuse it if one of the same reference and destination waits already, TP-RD.
        reply_path: TP-RP.
        protocol_id: TP-PID, 0 to 255.

    Raises:
        TpduError: A number is out of its range.
    """

    destination: Address
    user_data: UserData
    message_reference: int = 0
    validity: AnyValidity | None = None
    status_report_request: bool = False
    reject_duplicates: bool = False
    reply_path: bool = False
    protocol_id: int = 0

    def __post_init__(self) -> None:
        check_octet(self.message_reference, "TP-MR")
        check_octet(self.protocol_id, "TP-PID")

    def encode(self) -> bytes:
        """Write the TPDU, without the service centre's address.

        Raises:
            TpduError: An absolute validity has no time zone, or its year is not 2000 to 2099.
        """
        validity = self.validity
        first = (
            MessageType.SUBMIT
            | (RD if self.reject_duplicates else 0)
            | (0 if validity is None else validity.format << VPF_SHIFT)
            | (SRR if self.status_report_request else 0)
            | (0 if self.user_data.header is None else UDHI)
            | (RP if self.reply_path else 0)
        )
        return b"".join(
            (
                bytes((first, self.message_reference)),
                self.destination.encode(),
                bytes((self.protocol_id, self.user_data.dcs.octet)),
                b"" if validity is None else validity.encode(),
                self.user_data.encode(),
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the TPDU, without the service centre's address.

        Raises:
            WireError: It is no SMS-SUBMIT, ends too soon, or a field of it is not valid.
        """
        first = first_octet(data, MessageType.SUBMIT)
        reference = octet_at(data, 1)
        destination, size = Address.decode(data[2:])
        position = 2 + size
        protocol_id, dcs = octet_at(data, position), Dcs.from_octet(octet_at(data, position + 1))
        position += 2
        validity, size = decode_validity(ValidityFormat(first >> VPF_SHIFT & 3), data[position:])
        user_data, _ = UserData.decode(data[position + size :], dcs, has_header=bool(first & UDHI))
        return cls(
            destination,
            user_data,
            message_reference=reference,
            validity=validity,
            status_report_request=bool(first & SRR),
            reject_duplicates=bool(first & RD),
            reply_path=bool(first & RP),
            protocol_id=protocol_id,
        )


@dataclass(frozen=True, slots=True)
class SmsDeliver:
    """A message that came in, SMS-DELIVER (9.2.2.1).

    Attributes:
        originator: Who sent it, TP-OA.
        timestamp: When the service centre took it in, TP-SCTS; None where what came is no time.
        user_data: What it carries.
        more_messages: More wait at the service centre, TP-MMS.
        status_report_indication: The sender will get a status report, TP-SRI.
        reply_path: TP-RP.
        protocol_id: TP-PID, 0 to 255.

    Raises:
        TpduError: A number is out of its range.
    """

    originator: Address
    timestamp: datetime | None
    user_data: UserData
    more_messages: bool = False
    status_report_indication: bool = False
    reply_path: bool = False
    protocol_id: int = 0

    def __post_init__(self) -> None:
        check_octet(self.protocol_id, "TP-PID")

    def encode(self) -> bytes:
        """Write the TPDU, without the service centre's address.

        Raises:
            TpduError: The time has no zone, or its year is not 2000 to 2099.
        """
        first = (
            MessageType.DELIVER
            | (0 if self.more_messages else NO_MMS)
            | (SRI if self.status_report_indication else 0)
            | (0 if self.user_data.header is None else UDHI)
            | (RP if self.reply_path else 0)
        )
        return b"".join(
            (
                bytes((first,)),
                self.originator.encode(),
                bytes((self.protocol_id, self.user_data.dcs.octet)),
                encode_time(self.timestamp),
                self.user_data.encode(),
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the TPDU, without the service centre's address.

        Raises:
            WireError: It is no SMS-DELIVER, ends too soon, or a field of it is not valid.
        """
        # 9.2.3.1: a reserved TP-MTI is to be processed as if it were an SMS-DELIVER.
        first = first_octet(data, MessageType.DELIVER, MessageType.RESERVED)
        originator, size = Address.decode(data[1:])
        position = 1 + size
        protocol_id, dcs = octet_at(data, position), Dcs.from_octet(octet_at(data, position + 1))
        position += 2
        when = decode_time(data[position : position + TIME_SIZE])
        user_data, _ = UserData.decode(data[position + TIME_SIZE :], dcs, has_header=bool(first & UDHI))
        return cls(
            originator,
            when,
            user_data,
            more_messages=not first & NO_MMS,
            status_report_indication=bool(first & SRI),
            reply_path=bool(first & RP),
            protocol_id=protocol_id,
        )


Tpdu = SmsDeliver | SmsStatusReport | SmsSubmit
"""The TPDUs that this module reads and writes."""


def decode_tpdu(data: bytes, from_network: bool) -> Tpdu:
    """Read a TPDU, without the service centre's address.

    Args:
        data: Its octets; what follows its end is ignored.
        from_network: It came from the service centre (received messages and reports), not to it (stored ones to send):
            TP-MTI has other meanings for the two.

    Raises:
        WireError: It is none of the three kinds, ends too soon, or a field of it is not valid.
    """
    kind = octet_at(data, 0) & MTI
    if not from_network:
        return SmsSubmit.decode(data)
    if kind == MessageType.STATUS_REPORT:
        return SmsStatusReport.decode(data)
    return SmsDeliver.decode(data)


def pdu_line(submit: SmsSubmit, smsc: Address | None = None) -> tuple[str, int]:
    """Write a message as AT+CMGS and AT+CMGW want it (3GPP TS 27.005 4.3).

    Args:
        submit: The message.
        smsc: The service centre's address; None for the one that the SIM has stored.

    Returns:
        The service centre's address and the TPDU in hexadecimal, and the length for the command: that of the TPDU
        alone, in octets.

    Raises:
        TpduError: As `SmsSubmit.encode`.
    """
    tpdu = submit.encode()
    return (encode_smsc(smsc) + tpdu).hex().upper(), len(tpdu)


def parse_pdu_line(line: str) -> tuple[Address | None, bytes]:
    """Read a line of AT+CMGR, AT+CMGL, +CMT or +CDS.

    Args:
        line: The service centre's address and a TPDU in hexadecimal, of any case.

    Returns:
        The service centre's address, None where there is none, and the TPDU.

    Raises:
        WireError: The line is not hexadecimal, or the service centre's address is not valid.
    """
    try:
        octets = bytes.fromhex(line)
    except ValueError:
        raise TpduError("a PDU is not hexadecimal") from None
    smsc, size = decode_smsc(octets)
    return smsc, octets[size:]
