"""What a line with a TPDU from the network means: a message or a part of one, or a status report."""

import re
from contextlib import suppress
from datetime import datetime

from otppi.api.events import DeliveryOutcome, DeliveryReport, InboundPart
from otppi.wire.dcs import Alphabet
from otppi.wire.errors import WireError
from otppi.wire.status_report import SmsStatusReport
from otppi.wire.tpdu import SmsDeliver, decode_tpdu, parse_pdu_line
from otppi.wire.user_data import UserData

_MTI, _SUBMIT = 0b11, 0b01
_LENGTH = re.compile(r"(?<!\d)(\d{1,3})$")


def read_inbound(header: str, pdu: str) -> InboundPart | DeliveryReport:
    """Read what stands in a line of +CMGL, +CMGR, +CMT or +CDS and in the line after it (3GPP TS 27.005 3.4.1, 4.1).

    What cannot be decoded is a binary message of nobody, with the whole line as it came: so a person sees it, and it
    does not fill the SIM for ever.
    """
    try:
        tpdu = decode_tpdu(_tpdu(header, pdu), from_network=True)
        return _report(tpdu) if isinstance(tpdu, SmsStatusReport) else _part(tpdu)  # type: ignore[arg-type]
    except WireError:
        return InboundPart("", pdu, 0.0, binary=True)


def is_to_be_sent(header: str, pdu: str) -> bool:
    """Tell whether it is an SMS-SUBMIT, which somebody stored in order to send it (3GPP TS 23.040 9.2.3.1)."""
    with suppress(WireError):
        return any(octet & _MTI == _SUBMIT for octet in _tpdu(header, pdu)[:1])
    return False


def _tpdu(header: str, pdu: str) -> bytes:
    """Take the TPDU without the service centre's address, which some models leave out: the header tells its length."""
    length = _LENGTH.search(header)
    if length and len(pdu) == 2 * int(length[1]):
        with suppress(ValueError):
            return bytes.fromhex(pdu)
    return parse_pdu_line(pdu)[1]


def _part(deliver: SmsDeliver) -> InboundPart:
    data = deliver.user_data
    place = data.concatenation
    binary = data.dcs.alphabet is Alphabet.EIGHT_BIT
    return InboundPart(
        originator=str(deliver.originator),
        text=data.payload.hex().upper() if binary else _text(data),
        sent=_unix(deliver.timestamp) or 0.0,
        reference=place.reference if place else None,
        number=place.number if place else 1,
        total=place.total if place else 1,
        binary=binary,
    )


def _text(data: UserData) -> str:
    """Read the text; halves of a character that the sender cut in two stay halves, until the parts are together."""
    if data.concatenation and data.dcs.alphabet is Alphabet.UCS2 and not data.dcs.compressed:
        with suppress(UnicodeDecodeError):
            return data.payload.decode("utf-16-be", "surrogatepass")
    return data.text


def _report(report: SmsStatusReport) -> DeliveryReport:
    return DeliveryReport(
        destination=report.recipient.digits,
        reference=report.message_reference,
        outcome=DeliveryOutcome(report.outcome.value),
        status=report.status,
        discharged=_unix(report.discharge),
    )


def _unix(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
