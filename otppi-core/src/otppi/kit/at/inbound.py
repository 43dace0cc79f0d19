"""What a line with a TPDU from the network means: a message or a part of one, or a status report."""

import re
from contextlib import suppress
from datetime import datetime

from otppi.api.events import DeliveryOutcome, DeliveryReport, InboundPart
from otppi.wire.dcs import Alphabet
from otppi.wire.errors import WireError
from otppi.wire.plausible import surprisal
from otppi.wire.salvage import Remains, read_received
from otppi.wire.status_report import ReportOutcome, SmsStatusReport
from otppi.wire.tpdu import SmsDeliver, parse_pdu_line
from otppi.wire.tpdu_fields import MTI, MessageType
from otppi.wire.user_data import UserData
from otppi.wire.ussd_text import UssdForm, read_ussd

_MARKS = (b"\xfe\xff", b"\xff\xfe")
_LOW_FIRST = 24.0
"""Bits by which a text must be likelier with the low octet first (3GPP TS 23.038 6.2.3 has the high one there)."""
_LONGEST_TEXT = 640
"""Digits of the longest text that a single message can hold: 160 characters in UCS-2."""
_OUTCOMES = {outcome: DeliveryOutcome(outcome.value) for outcome in ReportOutcome}
_LENGTH = re.compile(r"(?<!\d)(\d{1,3})$")


def read_inbound(header: str, pdu: str) -> InboundPart | DeliveryReport:
    """Read what stands in a line of +CMGL, +CMGR, +CMT or +CDS and in the line after it (3GPP TS 27.005 3.4.1, 4.1).

    Of what has a flaw all is given that can be read, marked as damaged. What cannot be read at all is a binary message
    with the whole line as it came, of nobody where no address can be read: so a person sees it, and it does not fill
    the SIM for ever. A text in hexadecimal where a PDU should be (gammu#530) is that text.
    """
    length = _LENGTH.search(header)
    try:
        received = read_received(pdu, int(length[1]) if length else None)
    except WireError:
        text = read_ussd(pdu, None, UssdForm.PLAIN) if len(pdu) <= _LONGEST_TEXT else pdu
        return InboundPart("", text, 0.0, binary=text == pdu, damaged=True)
    match received.tpdu:
        case SmsStatusReport() as report:
            return _report(report)
        case Remains(recipient):
            return InboundPart(str(recipient), pdu, 0.0, binary=True, damaged=True)
        case deliver:
            return _part(deliver, damaged=not received.whole)


def is_to_be_sent(header: str, pdu: str) -> bool:
    """Return whether it is an SMS-SUBMIT, which somebody stored in order to send it (3GPP TS 23.040 9.2.2.2)."""
    with suppress(WireError):
        return any(octet & MTI == MessageType.SUBMIT for octet in _tpdu(header, pdu.partition(",")[0])[:1])
    return False


def _tpdu(header: str, pdu: str) -> bytes:
    """Take the TPDU without the service centre's address, which some models leave out: the header tells its length."""
    length = _LENGTH.search(header)
    if length and len(pdu) == 2 * int(length[1]):
        with suppress(ValueError):
            return bytes.fromhex(pdu)
    return parse_pdu_line(pdu)[1]


def _part(deliver: SmsDeliver, *, damaged: bool) -> InboundPart:
    data = deliver.user_data
    place = data.concatenation
    binary = data.dcs.alphabet is Alphabet.EIGHT_BIT or data.dcs.compressed
    return InboundPart(
        originator=str(deliver.originator),
        text=data.payload.hex().upper() if binary else _text(data),
        sent=_unix(deliver.timestamp) or 0.0,
        reference=place.reference if place else None,
        number=place.number if place else 1,
        total=place.total if place else 1,
        binary=binary,
        damaged=damaged,
    )


def _text(data: UserData) -> str:
    """Read the text; UCS-2 with its low octet first is told by what it reads as, for marks are missing, or lie.

    vumi#812 and jasmin#437 have seen both. Only the first part of a long message has a mark at all.
    """
    if data.dcs.alphabet is not Alphabet.UCS2:
        return data.text
    payload = data.payload[2:] if data.payload.startswith(_MARKS) else data.payload
    high_first, low_first = (_utf16(payload, order, whole=not data.concatenation) for order in ("be", "le"))
    return low_first if surprisal(low_first) + _LOW_FIRST < surprisal(high_first) else high_first


def _utf16(payload: bytes, order: str, *, whole: bool) -> str:
    """Read UTF-16; halves of a character that the sender cut in two stay halves, until the parts are together."""
    if not whole:
        with suppress(UnicodeDecodeError):
            return payload.decode(f"utf-16-{order}", "surrogatepass")
    return payload.decode(f"utf-16-{order}", "replace")


def _report(report: SmsStatusReport) -> DeliveryReport:
    return DeliveryReport(
        destination=report.recipient.digits,
        reference=report.message_reference,
        outcome=_OUTCOMES[report.outcome],
        status=report.status,
        discharged=_unix(report.discharge),
    )


def _unix(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
