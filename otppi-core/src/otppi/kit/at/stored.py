"""What +CMGL and +CMGR tell of a stored message, whichever fields of their headers a model leaves out.

3GPP TS 27.005 4.1, 4.2. Seen are `+CMGR: ,,27` (ZTE) and `4,1,,151` for +CMGL; other lines may stand in between.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from otppi.api.events import DeliveryReport, InboundPart
from otppi.kit.at.inbound import is_to_be_sent, read_inbound

_HEADER = re.compile(r"\+CMG[LR]: *(.*)|( *[0-9]{0,5} *,.*)")
_INDEX = re.compile(r" *([0-9]{1,5}) *(?:,|$)")
_PDU = re.compile(r"[0-9A-Fa-f]{26,}(?:,.*)?")
"""26 digits: no SMS-DELIVER and no SMS-STATUS-REPORT is shorter (3GPP TS 23.040 9.2.2)."""
_LENGTH = re.compile(r", *([0-9]{1,3})$")
_HEX = re.compile("[0-9A-Fa-f]{2}")
_EMPTY = re.compile(r"[^1-9]*0[^1-9]*")
"""An empty place may read as `+CMGR: 0,,0`."""
_TO_BE_SENT = re.compile("[23]|STO .*")
_RECEIVED = re.compile("[01]|REC .*")


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known of a message in a memory; of one that is yet to be read, whether it was `announced`."""

    announced: bool = False
    header: str = ""
    status: str = ""
    pdu: str = field(default="", repr=False)

    @property
    def is_there(self) -> bool:
        """Whether anything was told of it."""
        return bool(self.header or self.pdu)

    @property
    def fits(self) -> bool:
        """Whether the header proves to be this PDU's by its length, without or with the service centre's address."""
        length = _LENGTH.search(self.header)
        digits = self.pdu.partition(",")[0]
        if not length or not _HEX.match(digits):
            return False
        octets = int(length[1])
        return len(digits) in (2 * octets, 2 * (octets + 1 + int(digits[:2], 16)))

    def came(self) -> InboundPart | DeliveryReport | None:
        """Read what came in; None where nothing did, or it is a message that is to be sent (27.005 3.1, <stat>).

        Where the status is left out, or is none, the TPDU says which of them it is.
        """
        return read_inbound(self.header, self.pdu) if self.pdu and not self.is_to_be_sent else None

    @property
    def is_to_be_sent(self) -> bool:
        """Whether it is a message that is to be sent, or was: some programs store before they send."""
        if not self.pdu or _RECEIVED.fullmatch(self.status):
            return False
        return _TO_BE_SENT.fullmatch(self.status) is not None or is_to_be_sent(self.header, self.pdu)


def is_pdu(line: str) -> bool:
    """Return whether a line looks like a message or a report."""
    return _PDU.fullmatch(line) is not None


def read(lines: Sequence[str]) -> Stored | None:
    """Take the reply to +CMGR; None where the place is empty. A header that is missing is not missed."""
    for header, fields, pdu in _messages(lines):
        return Stored(header=header, status=_status(fields), pdu=pdu)
    return None


def listed(lines: Sequence[str]) -> tuple[dict[int, Stored], bool]:
    """Take the reply to +CMGL: the messages by their places, and whether that is all of them.

    It is not where a header does not tell the place: then each place has to be read by itself. What lacks its PDU is
    yet to be read.
    """
    found: dict[int, Stored] = {}
    complete = True
    for header, fields, pdu in _messages(lines):
        index = _INDEX.match(fields)
        if index is None:
            complete = False
            continue
        status = _status(fields[index.end() :])
        found[int(index[1])] = Stored(header=header, status=status, pdu=pdu) if pdu else Stored()
    return found, complete


def _messages(lines: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Yield each message's header, the fields in it, and its PDU; what is missing is empty."""
    header, fields, rest = "", "", list[str]()
    for line in lines:
        found = _HEADER.fullmatch(line)
        if not found:
            rest.append(line)
            continue
        yield from _message(header, fields, rest)
        header, fields, rest = line, found[1] or found[2] or "", []
    yield from _message(header, fields, rest)


def _message(header: str, fields: str, rest: list[str]) -> Iterator[tuple[str, str, str]]:
    """Choose the PDU: the line that looks like one, or else any; a line that no table knows may stand before it."""
    pdu = next(filter(is_pdu, rest), "")
    if pdu or (header and not _EMPTY.fullmatch(fields)):
        yield header, fields, pdu or next(iter(rest), "")


def _status(fields: str) -> str:
    return fields.partition(",")[0].strip().strip('"')
