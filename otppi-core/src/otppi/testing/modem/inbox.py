"""Owns what comes to the simulated modem: messages, status reports, their indications and their storage."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import TYPE_CHECKING

from otppi.testing.modem.answers import RefusedError, render
from otppi.testing.modem.sim import Status, StoredSms
from otppi.wire.address import Address, encode_smsc
from otppi.wire.segment import segment
from otppi.wire.status_report import SmsStatusReport
from otppi.wire.tpdu import SmsDeliver, SmsSubmit

if TYPE_CHECKING:
    from otppi.testing.modem.commands import Request
    from otppi.testing.modem.peer import ModemPeer

_ALL = 4
_LISTED: dict[int, Status | None] = {0: Status.UNREAD, 1: Status.READ, _ALL: None}
_NEXT_TRY = 2.0
"""After how many seconds the SMSC tries again to reach a modem that is away."""
_DELETE_READ, _DELETE_ALL = (1, 2, 3), 4


class _Course(Enum):
    """What becomes of a message or report that came in."""

    DROP = auto()
    STORE = auto()
    INDICATE = auto()
    ROUTE = auto()


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of TPDU is told: which parameter of +CNMI decides, and what its values mean (27.005 3.4.1)."""

    parameter: int
    courses: tuple[_Course, _Course, _Course]
    indication: str
    routed: str


_MESSAGE = _Kind(1, (_Course.STORE, _Course.INDICATE, _Course.ROUTE), "+CMTI", "+CMT: ,")
_REPORT = _Kind(3, (_Course.DROP, _Course.ROUTE, _Course.INDICATE), "+CDSI", "+CDS: ")


def deliver(peer: "ModemPeer", originator: str, text: str, now: float) -> None:
    """Let a message come in; a long one comes in parts."""
    timestamp = datetime.now(UTC)
    for part in segment(text, reference=int(now) % 256):
        tpdu = SmsDeliver(originator=Address.parse(originator), timestamp=timestamp, user_data=part).encode()
        _arrive(peer, _MESSAGE, tpdu, now)


def expect_report(peer: "ModemPeer", submit: SmsSubmit, now: float) -> None:
    """Let the network report on this message in its time, under the TP-MR that it carries."""
    if peer.profile.report_delay is None:
        return
    sent = datetime.now(UTC)

    def report(now: float) -> None:
        tpdu = SmsStatusReport(
            message_reference=submit.message_reference,
            recipient=submit.destination,
            timestamp=sent,
            discharge=datetime.now(UTC),
            status=peer.profile.report_status,
        ).encode()
        _arrive(peer, _REPORT, tpdu, now)

    peer.at(now + peer.profile.report_delay, report, survives=True)


def cnmi(request: "Request") -> Iterable[str]:
    """AT+CNMI: how new messages are indicated (3GPP TS 27.005 3.4.1)."""
    session = request.peer.session
    if request.operation == "?":
        return [f"+CNMI: {','.join(map(str, session.cnmi))}"]
    mode, mt, bm, ds, bfr = (request.number(index, old) for index, old in enumerate(session.cnmi))
    if mode > 2 or mt > 2 or bm or ds > 2 or bfr > 1:
        raise RefusedError(303, "CMS")
    session.cnmi = (mode, mt, bm, ds, bfr)
    return ()


def cpms(request: "Request") -> Iterable[str]:
    """AT+CPMS: the memory in use (3GPP TS 27.005 3.2.2); reading, sending and receiving share one."""
    memories, session = request.peer.sim.memories, request.peer.session
    if request.operation == "=":
        if request.text(0) not in memories:
            raise RefusedError(302, "CMS")
        session.memory = request.text(0)
    place = f"{len(request.peer.memory.messages)},{request.peer.memory.capacity}"
    if request.operation == "=":
        return [f"+CPMS: {place},{place},{place}"]
    return ["+CPMS: " + ",".join([f'"{session.memory}",{place}'] * 3)]


def cmgl(request: "Request") -> Iterable[str]:
    """AT+CMGL: list messages, which makes them read (3GPP TS 27.005 4.1)."""
    kind = request.number(0, 0)
    wanted = _LISTED.get(kind)
    lines = []
    for place, sms in sorted(request.peer.memory.messages.items()):
        if kind == _ALL or sms.status is wanted:
            lines.append(f"+CMGL: {place},{sms.status.value},,{sms.length}\r\n{sms.pdu}")
            sms.status = Status.READ
    return lines


def cmgr(request: "Request") -> Iterable[str]:
    """AT+CMGR: read one message (3GPP TS 27.005 4.2); an empty place has no error, only OK."""
    place = request.number(0)
    if not 1 <= place <= request.peer.memory.capacity:
        raise RefusedError(321, "CMS")
    sms = request.peer.memory.messages.get(place)
    if sms is None:
        return ()
    line = f"+CMGR: {sms.status.value},,{sms.length}\r\n{sms.pdu}"
    sms.status = Status.READ
    return [line]


def cmgd(request: "Request") -> Iterable[str]:
    """AT+CMGD: delete one message, the read ones, or all (3GPP TS 27.005 3.5.4)."""
    place, flag = request.number(0), request.number(1, 0)
    messages = request.peer.memory.messages
    if flag == 0 and not 0 <= place <= request.peer.memory.capacity:
        raise RefusedError(321, "CMS")
    if flag == 0:
        messages.pop(place, None)
    for index in list(messages):
        if flag == _DELETE_ALL or (flag in _DELETE_READ and messages[index].status is Status.READ):
            del messages[index]
    return ()


def fill(peer: "ModemPeer", now: float) -> None:
    """Fill the memory in use with old messages, so that nothing more can come in."""
    while not peer.memory.full:
        peer.memory.store(_stored(peer, _sample(), Status.READ))
    peer.emit(render([f'^SMMEMFULL: "{peer.session.memory}"']), now)


def routed_sample(peer: "ModemPeer") -> bytes:
    """Return a +CMT line with its PDU, as a message makes it that comes at a bad moment."""
    sms = _stored(peer, _sample(), Status.UNREAD)
    return render([f"{_MESSAGE.routed}{sms.length}\r\n{sms.pdu}"])


def _sample() -> bytes:
    part = segment("OK")[0]
    return SmsDeliver(originator=Address.parse("1234"), timestamp=datetime.now(UTC), user_data=part).encode()


def _arrive(peer: "ModemPeer", kind: _Kind, tpdu: bytes, now: float) -> None:
    """Route a TPDU straight to the line, or store it and tell the place, as AT+CNMI has it."""
    if not (peer.plugged and peer.registered):
        peer.at(now + _NEXT_TRY, lambda now: _arrive(peer, kind, tpdu, now), survives=True)
        return
    sms = _stored(peer, tpdu, Status.UNREAD)
    how = kind.courses[peer.session.cnmi[kind.parameter]]
    if how is _Course.ROUTE:
        peer.emit(render([f"{kind.routed}{sms.length}\r\n{sms.pdu}"]), now)
    elif how is not _Course.DROP:
        place = peer.memory.store(sms)
        if place is None:
            peer.emit(render([f'^SMMEMFULL: "{peer.session.memory}"']), now)
        elif how is _Course.INDICATE:
            peer.emit(render([f'{kind.indication}: "{peer.session.memory}",{place}']), now)


def _stored(peer: "ModemPeer", tpdu: bytes, status: Status) -> StoredSms:
    smsc = encode_smsc(Address.parse(peer.profile.smsc) if peer.profile.smsc else None)
    return StoredSms((smsc + tpdu).hex().upper(), len(tpdu), status)
