"""Owns the AT commands for the simulated modem's message memories: +CPMS, +CMGL, +CMGR, +CMGD."""

from collections.abc import Iterable
from functools import partial

from otppi.simulator import inbox
from otppi.simulator.answers import RefusedError
from otppi.simulator.device import SimulatedDevice
from otppi.simulator.request import AtRequest
from otppi.simulator.sim import StoredSms, StoredStatus

_ALL = 4
_LISTED: dict[int, StoredStatus | None] = {0: StoredStatus.UNREAD, 1: StoredStatus.READ, _ALL: None}
_DELETE_READ, _DELETE_ALL = (1, 2, 3), 4


def cpms(request: AtRequest) -> Iterable[str]:
    """AT+CPMS: the memories for reading, for sending and for what comes in (3GPP TS 27.005 3.2.2)."""
    peer, session = request.peer, request.peer.session
    if request.operation != "=":
        used = zip(session.memories, _counts(peer), strict=True)
        return ["+CPMS: " + ",".join(f'"{name}",{count}' for name, count in used)]
    names = request.arguments[:3]
    if not names:
        raise RefusedError(50)
    if any(name not in peer.sim.memories or name == session.absent_memory for name in names):
        raise RefusedError(302, "CMS")
    session.memories[: len(names)] = names
    peer.after_answer(partial(inbox.bring, peer), request.now)
    return ["+CPMS: " + ",".join(_counts(peer))]


def memories(peer: SimulatedDevice) -> str:
    """Return the answer to AT+CPMS=?."""
    names = ",".join(f'"{name}"' for name in peer.sim.memories if name != peer.session.absent_memory)
    return ",".join([f"({names})"] * 3)


def _counts(peer: SimulatedDevice) -> list[str]:
    """Return used and total places of each memory in use."""
    lie = int(peer.session.gaps)
    memories = [peer.sim.memories[name] for name in peer.session.memories]
    return [f"{max(0, len(memory.messages) - lie)},{memory.capacity}" for memory in memories]


def cmgl(request: AtRequest) -> Iterable[str]:
    """AT+CMGL: list messages, which makes them read (3GPP TS 27.005 4.1)."""
    session = request.peer.session
    if session.cmgl_refused:
        raise RefusedError
    kind = request.number(0, 0)
    wanted = _LISTED.get(kind)
    listed = [
        (place, sms)
        for place, sms in sorted(request.peer.memory.messages.items())
        if kind == _ALL or sms.status is wanted
    ]
    lines = []
    for place, sms in listed[:: 2 if session.cmgl_incomplete else 1]:
        lines.append(f"+CMGL: {place},{sms.status.value},,{sms.length}\r\n{inbox.written(session, sms)}")
        _note_read(sms)
    return lines


def _note_read(sms: StoredSms) -> None:
    if sms.status is StoredStatus.UNREAD:
        sms.status = StoredStatus.READ


def cmgr(request: AtRequest) -> Iterable[str]:
    """AT+CMGR: read one message (3GPP TS 27.005 4.2); an empty place has no error, only OK."""
    place = request.number(0)
    if not 1 <= place <= request.peer.memory.capacity:
        raise RefusedError(321, "CMS")
    sms = request.peer.memory.messages.get(place)
    if sms is None:
        return ()
    line = f"+CMGR: {sms.status.value},,{sms.length}\r\n{inbox.written(request.peer.session, sms)}"
    _note_read(sms)
    return [line]


def cmgd(request: AtRequest) -> Iterable[str]:
    """AT+CMGD: delete one message, the read ones, or all (3GPP TS 27.005 3.5.4); the network may bring more then."""
    peer = request.peer
    place, flag = request.number(0), request.number(1, 0)
    messages = peer.memory.messages
    if flag == 0 and not 0 <= place <= peer.memory.capacity:
        raise RefusedError(321, "CMS")
    if flag == 0:
        messages.pop(place, None)
    for index in list(messages):
        if flag == _DELETE_ALL or (flag in _DELETE_READ and messages[index].status is StoredStatus.READ):
            del messages[index]
    peer.after_answer(partial(inbox.bring, peer), request.now)
    return ()
