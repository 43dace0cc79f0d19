"""Owns the simulated modem's data calls: contexts, dialling, and the line while it carries data."""

import re
from collections.abc import Iterable

from otppi.simulator import inbox
from otppi.simulator.answers import CallEndedError, RefusedError, render
from otppi.simulator.call import CallState
from otppi.simulator.device import SimulatedDevice
from otppi.simulator.request import AtRequest
from otppi.simulator.stages import Moment, Stage

GUARD_TIME = 1.0
"""Seconds of silence before and after +++ (V.250 family: register S12 is 50 fiftieths of a second)."""
_ESCAPE = b"+++"
_DIALLED = re.compile(r"[TP]?\s*(?:\*99(?:\*\*\*([0-9]{1,2}))?#|#777)", re.IGNORECASE)
_MOST_CONTEXTS = 16


def heard(peer: SimulatedDevice, data: bytes, now: float) -> None:
    """Count data, and watch for +++ between two silences."""
    link = peer.data
    if now - link.last >= GUARD_TIME:
        link.run = b""
    link.octets += len(data)
    link.last = now
    link.run = (link.run + data)[: len(_ESCAPE) + 1]
    if link.run == _ESCAPE:
        peer.at(now + GUARD_TIME, lambda then: _escape(peer, then, now))


def dial(peer: SimulatedDevice, number: str, now: float) -> None:
    """Make a data call (3GPP TS 27.007 10.2.1.1).

    Raises:
        CallEndedError: its result, with CONNECT too.
        RefusedError: it is no data call, or the SIM is not ready.
    """
    dialled = _DIALLED.fullmatch(number.strip())
    if not dialled:
        raise RefusedError(30)
    peer.sim.require(now)
    peer.hooks.strike(Stage.DIAL, Moment(now, "ATD" + number))
    _, apn = peer.data.contexts.get(int(dialled[1] or 1), ("", None))
    if apn is None or not (peer.data.attached and peer.registered) or peer.profile.apn not in (None, apn):
        raise CallEndedError("NO CARRIER")
    _go_online(peer, now)


def resume(peer: SimulatedDevice, now: float) -> None:
    """Go back from commands to data (ATO)."""
    if peer.data.state is not CallState.ESCAPED:
        raise CallEndedError("NO CARRIER")
    _go_online(peer, now)


def hang_up(peer: SimulatedDevice) -> None:
    """End the call (ATH)."""
    peer.data.state = CallState.IDLE


def lose_carrier(peer: SimulatedDevice, now: float) -> None:
    """Note that the network is gone."""
    if peer.data.state is not CallState.IDLE:
        peer.data.state = CallState.IDLE
        peer.emit(render(["NO CARRIER"]), now)
        inbox.tell_buffered(peer, now)


def _go_online(peer: SimulatedDevice, now: float) -> None:
    peer.data.state, peer.data.last, peer.data.run = CallState.ONLINE, now, b""
    raise CallEndedError("CONNECT")


def _escape(peer: SimulatedDevice, now: float, written: float) -> None:
    link = peer.data
    if link.state is CallState.ONLINE and link.last == written and link.run == _ESCAPE:
        link.state = CallState.ESCAPED
        link.octets -= len(_ESCAPE)
        peer.emit(render(["OK"]), now)
        inbox.tell_buffered(peer, now)


def cgdcont(request: AtRequest) -> Iterable[str]:
    """AT+CGDCONT: define a context (3GPP TS 27.007 10.1.1); with the number alone forget it."""
    contexts = request.peer.data.contexts
    if request.operation == "?":
        return [f'+CGDCONT: {cid},"{kind}","{apn}","",0,0' for cid, (kind, apn) in sorted(contexts.items())]
    cid = request.number(0)
    if not 1 <= cid <= _MOST_CONTEXTS:
        raise RefusedError(50)
    if len(request.arguments) == 1:
        contexts.pop(cid, None)
        return ()
    kind = request.text(1).upper()
    if kind not in ("IP", "IPV6", "IPV4V6", "PPP"):
        raise RefusedError(50)
    contexts[cid] = (kind, request.arguments[2] if len(request.arguments) > 2 else "")
    return ()


def cgatt(request: AtRequest) -> Iterable[str]:
    """AT+CGATT: packet data on or off (3GPP TS 27.007 10.1.9)."""
    link = request.peer.data
    if request.operation == "=":
        wanted = request.number(0)
        if wanted > 1:
            raise RefusedError(50)
        if wanted and not request.peer.registered:
            raise RefusedError(30)
        link.attached = bool(wanted)
        return ()
    return [f"+CGATT: {int(link.attached and request.peer.registered)}"]


def cgact(request: AtRequest) -> Iterable[str]:
    """AT+CGACT: activate contexts (3GPP TS 27.007 10.1.10)."""
    link = request.peer.data
    if request.operation != "=":
        return [f"+CGACT: {cid},{int(cid in link.active)}" for cid in sorted(link.contexts)]
    wanted, cid = request.number(0), request.number(1, 1)
    if wanted > 1 or cid not in link.contexts:
        raise RefusedError(50)
    if wanted and not (link.attached and request.peer.registered):
        raise RefusedError(30)
    (link.active.add if wanted else link.active.discard)(cid)
    return ()
