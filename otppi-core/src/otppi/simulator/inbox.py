"""Owns what comes to the simulated modem: messages, status reports, how they are told and what waits for room."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum, auto
from functools import partial

from otppi.simulator.answers import RefusedError, render
from otppi.simulator.arrival import MESSAGE, REPORT, Arrival, ArrivalKind
from otppi.simulator.device import SimulatedDevice
from otppi.simulator.dialogue import Dialogue
from otppi.simulator.request import AtRequest
from otppi.simulator.session import Session
from otppi.simulator.sim import StoredSms, StoredStatus
from otppi.simulator.stages import Moment, Stage
from otppi.wire.address import Address, encode_smsc
from otppi.wire.dcs import Alphabet, Dcs
from otppi.wire.segment import segment
from otppi.wire.status_report import SmsStatusReport
from otppi.wire.tpdu import SmsDeliver, UserData
from otppi.wire.udh import Ports, UserDataHeader

_NEXT_TRY = 2.0
"""After how many seconds the SMSC tries again to reach a modem that is away, or full, or did not acknowledge."""
_MOST_MISSES = 3
_ONLY_CNMI = (2, 1, 0, 0, 0)
_REPORT_MEMORY = "SR"


class _Course(Enum):
    """What becomes of a message or report that came in."""

    DROP = auto()
    STORE = auto()
    INDICATE = auto()
    ROUTE = auto()


_REPORT_COURSES = (_Course.DROP, _Course.ROUTE, _Course.INDICATE)


def deliver(peer: SimulatedDevice, originator: str, text: str, now: float, *, flash: bool = False) -> None:
    """Let a message come in; a long one comes in parts."""
    _deliver(peer, originator, segment(text, reference=int(now) % 256, flash=flash), now)


def deliver_parts(
    peer: SimulatedDevice,
    originator: str,
    text: str,
    now: float,
    *,
    reference: int = 0,
    wide: bool = False,
    order: Sequence[int] | None = None,
    missing: Collection[int] = (),
) -> None:
    """Let the parts of a message come in as told: see `ModemPeer.deliver_parts`."""
    parts = segment(text, reference=reference, wide_reference=wide)
    numbers = order or range(1, len(parts) + 1)
    if not set(numbers) <= set(range(1, len(parts) + 1)):
        raise ValueError(f"the text has {len(parts)} parts")
    _deliver(peer, originator, [parts[number - 1] for number in numbers if number not in missing], now)


def deliver_binary(
    peer: SimulatedDevice, originator: str, payload: bytes, now: float, ports: Ports | None = None
) -> None:
    """Let a message of 8 bit data come in (3GPP TS 23.038 4)."""
    part = UserData(Dcs(Alphabet.EIGHT_BIT), UserDataHeader.of(ports=ports), payload)
    _deliver(peer, originator, [part], now)


def _deliver(peer: SimulatedDevice, originator: str, parts: Iterable[UserData], now: float) -> None:
    timestamp, address = datetime.now(UTC), Address.parse(originator)
    for part in parts:
        tpdu = SmsDeliver(originator=address, timestamp=timestamp, user_data=part).encode()
        _arrive(peer, Arrival(MESSAGE, tpdu, part.dcs.message_class), now)


def expect_reports(peer: SimulatedDevice, dialogue: Dialogue, reference: int, now: float) -> None:
    """Let the network report on this message in its time, under the TP-MR that the modem gave it."""
    submit, delay, statuses = dialogue.submit, peer.profile.report_delay, peer.profile.report_status
    if delay is None or submit is None:
        return
    statuses = [statuses] if isinstance(statuses, int) else statuses
    reports = [(number * delay, status) for number, status in enumerate(statuses, 1)]
    moment = Moment(now, "AT+CMGS", dialogue, reports=reports)
    if peer.hooks.strike(Stage.REPORT, moment):
        return
    sent, recipient = datetime.now(UTC), submit.destination

    def report(status: int, now: float) -> None:
        tpdu = SmsStatusReport(reference, recipient, sent, datetime.now(UTC), status).encode()
        _arrive(peer, Arrival(REPORT, tpdu), now)

    for delay, status in moment.reports:
        if delay:
            peer.at(now + delay, partial(report, status), survives=True)
        else:
            report(status, now)


def cnmi(request: AtRequest) -> Iterable[str]:
    """AT+CNMI: how new messages are indicated (3GPP TS 27.005 3.4.1)."""
    session = request.peer.session
    if request.operation == "?":
        return [f"+CNMI: {','.join(map(str, session.cnmi))}"]
    mode, mt, bm, ds, bfr = (request.number(index, old) for index, old in enumerate(session.cnmi))
    if mode > 2 or mt > 3 or bm > 3 or ds > 2 or bfr > 1:
        raise RefusedError(303, "CMS")
    if session.cnmi_refused and (mode, mt, bm, ds, bfr) != _ONLY_CNMI:
        raise RefusedError(303, "CMS")
    session.cnmi = (mode, mt, bm, ds, bfr)
    if mode:
        if bfr:
            session.untold.clear()
        request.peer.after_answer(partial(tell_buffered, request.peer), request.now)
    return ()


def cnma(request: AtRequest) -> Iterable[str]:
    """AT+CNMA: acknowledge what was routed to the line, or with 2 say that it was not taken (3GPP TS 27.005 4.7)."""
    peer, session = request.peer, request.peer.session
    arrival = session.unacknowledged
    if arrival is None:
        raise RefusedError(340, "CMS")
    session.unacknowledged = None
    if request.number(0, 0) == 2:
        peer.waiting.appendleft(arrival)
    session.misses = 0
    peer.after_answer(partial(bring, peer), request.now)
    return ()


def written(session: Session, sms: StoredSms) -> str:
    """Write the PDU of what came in as this modem does."""
    return sms.pdu[: len(sms.pdu) - 2 * session.pdu_lost] + session.pdu_behind


def tell_buffered(peer: SimulatedDevice, now: float) -> None:
    """Tell what was kept back while the line was not to be disturbed."""
    untold = peer.session.untold
    while untold and not _kept_back(peer):
        peer.emit(untold.pop(0), now)


def bring(peer: SimulatedDevice, now: float) -> None:
    """Let the network bring what waits, as far as nothing stands in its way; the rest is tried again later."""
    waiting = tuple(peer.waiting)
    peer.waiting.clear()
    peer.waiting.extend(_not_brought(peer, waiting, now))
    if peer.waiting and not peer.retry_planned:
        peer.retry_planned = True
        peer.at(now + _NEXT_TRY, partial(_retry, peer), survives=True)


def _retry(peer: SimulatedDevice, now: float) -> None:
    peer.retry_planned = False
    bring(peer, now)


def _arrive(peer: SimulatedDevice, arrival: Arrival, now: float) -> None:
    peer.waiting.append(arrival)
    bring(peer, now)


def _not_brought(peer: SimulatedDevice, waiting: Iterable[Arrival], now: float) -> Iterator[Arrival]:
    for arrival in waiting:
        if not (peer.plugged and peer.registered and _take(peer, arrival, now)):
            yield arrival


def _take(peer: SimulatedDevice, arrival: Arrival, now: float) -> bool:
    """Route a TPDU straight to the line, or store it and tell the place, as AT+CNMI has it; False if it must wait."""
    course = _course(peer.session, arrival)
    if course is _Course.ROUTE:
        return _route(peer, arrival, now)
    if course is _Course.DROP:
        return True
    name = memory_of(peer, arrival.kind)
    place = peer.sim.memories[name].store(stored(peer, arrival.tpdu, StoredStatus.UNREAD), gaps=peer.session.gaps)
    if place is None:
        if not arrival.found_full:
            _tell(peer, render([peer.profile.full_urc.format(memory=name)]), now)
        arrival.found_full = True
        return False
    if course is _Course.INDICATE:
        _tell(peer, render([f'{arrival.kind.indication}: "{name}",{place}']), now)
    return True


def _route(peer: SimulatedDevice, arrival: Arrival, now: float) -> bool:
    """Write a TPDU to the line; under +CSMS=1 it has to be acknowledged (3GPP TS 27.005 3.4.1)."""
    session = peer.session
    if session.unacknowledged and session.cnma_time:
        return False
    if session.csms:
        session.unacknowledged = arrival
        if session.cnma_time:
            peer.at(now + session.cnma_time, partial(_missed, peer, arrival))
    sms = stored(peer, arrival.tpdu, StoredStatus.UNREAD)
    _tell(peer, render([f"{arrival.kind.routed}{sms.length}\r\n{written(session, sms)}"]), now)
    return True


def _missed(peer: SimulatedDevice, arrival: Arrival, now: float) -> None:
    """Nobody has acknowledged: the network tries again, and after some misses nothing is routed any more."""
    session = peer.session
    if session.unacknowledged is not arrival:
        return
    session.unacknowledged = None
    session.misses += 1
    if session.misses >= _MOST_MISSES:
        mode, _, bm, _, bfr = session.cnmi
        session.cnmi = (mode, 0, bm, 0, bfr)
        session.misses = 0
    peer.waiting.appendleft(arrival)
    bring(peer, now)


def _course(session: Session, arrival: Arrival) -> _Course:
    """Return what AT+CNMI says of this kind and class (3GPP TS 27.005 3.4.1).

    Class 0 is for showing and not for storing (23.038 4), so it is routed as soon as anything is to be told.
    """
    mt, ds = session.cnmi[1], session.cnmi[3]
    if arrival.kind is REPORT:
        course = _REPORT_COURSES[ds]
    elif arrival.message_class == 0:
        course = _Course.ROUTE if mt else _Course.DROP
    elif mt == 2:
        course = _Course.INDICATE if arrival.message_class == 2 else _Course.ROUTE
    elif mt == 3:
        course = _Course.ROUTE if arrival.message_class == 3 else _Course.INDICATE
    else:
        course = _Course.INDICATE if mt else _Course.STORE
    return _Course.STORE if session.notifications_lost and course is not _Course.DROP else course


def memory_of(peer: SimulatedDevice, kind: ArrivalKind) -> str:
    """Name the memory in which this kind is stored."""
    memories = peer.sim.memories
    if kind is REPORT and _REPORT_MEMORY in memories:
        return _REPORT_MEMORY
    selected = peer.session.memories[2]
    if peer.session.other_memory:
        return next((name for name in memories if name not in (selected, _REPORT_MEMORY)), selected)
    return selected


def _kept_back(peer: SimulatedDevice) -> bool:
    return peer.session.cnmi[0] == 0 or peer.data.online


def _tell(peer: SimulatedDevice, data: bytes, now: float) -> None:
    """Write to the line unless the `<mode>` of +CNMI, or a data call, forbids it: 1 discards then, 2 keeps."""
    if not _kept_back(peer):
        peer.emit(data, now)
    elif peer.session.cnmi[0] != 1:
        peer.session.untold.append(data)


def stored(peer: SimulatedDevice, tpdu: bytes, status: StoredStatus) -> StoredSms:
    """Return a TPDU as a memory holds it, behind the octets of the SMSC."""
    smsc = encode_smsc(Address.parse(peer.profile.smsc) if peer.profile.smsc else None)
    return StoredSms((smsc + tpdu).hex().upper(), len(tpdu), status)
