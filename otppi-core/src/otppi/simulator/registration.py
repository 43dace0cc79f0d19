"""Owns how the simulated modem finds and loses its network: coverage, radio, +CREG, +COPS, +CFUN."""

from collections.abc import Iterable

from otppi.simulator.answers import RefusedError, render
from otppi.simulator.data import lose_carrier
from otppi.simulator.device import SimulatedDevice
from otppi.simulator.request import AtRequest
from otppi.wire.charset import encode


def set_coverage(peer: SimulatedDevice, covered: bool, now: float) -> None:
    """Let the modem find or lose its network."""
    peer.covered = covered
    tell_registration(peer, now)


def tell_registration(peer: SimulatedDevice, now: float) -> None:
    """Say whether the modem is registered, where that was asked for (3GPP TS 27.007 7.2); a call may end."""
    if not peer.registered:
        lose_carrier(peer, now)
    for name, n in peer.session.registration_urc.items():
        if n:
            peer.emit(render([f"{name}: {int(peer.registered)}"]), now)


def set_radio(peer: SimulatedDevice, on: bool, now: float) -> None:
    """Switch the radio; after an off and on the network is searched anew."""
    if on and not peer.session.radio:
        peer.hooks.radio_switched_on()
    changed = peer.session.radio is not on
    peer.session.radio = on
    if changed:
        tell_registration(peer, now)


def creg(request: AtRequest) -> Iterable[str]:
    """AT+CREG, +CGREG, +CEREG: whether the modem is registered (3GPP TS 27.007 7.2)."""
    if request.operation == "=":
        request.peer.session.registration_urc[request.name] = request.number(0)
        return ()
    n = request.peer.session.registration_urc.get(request.name, 0)
    cell = ',"0001","00000001"' if n == 2 and request.peer.registered else ""
    return [f"{request.name}: {n},{int(request.peer.registered)}{cell}"]


def cops(request: AtRequest) -> Iterable[str]:
    """AT+COPS: the name of the network (3GPP TS 27.007 7.3)."""
    profile, session = request.peer.profile, request.peer.session
    if request.operation == "=":
        if request.number(0) == 3:
            session.operator_format = request.number(1)
        return ()
    if not request.peer.registered:
        return ["+COPS: 0"]
    name = profile.operator_code if session.operator_format == 2 else profile.operator
    return [f'+COPS: 0,{session.operator_format},"{encode(name, session.charset)}",{profile.technology}']


def cfun(request: AtRequest) -> Iterable[str]:
    """AT+CFUN: the radio off and on, and a restart (3GPP TS 27.007 8.2)."""
    session, now = request.peer.session, request.now
    if request.operation == "?":
        return [f"+CFUN: {session.functionality}"]
    level, reset = request.number(0), request.number(1, 0)
    if level not in (0, 1, 4):
        raise RefusedError(50)
    session.functionality = level
    set_radio(request.peer, level == 1, now)
    if reset:
        request.peer.after_answer(lambda now: request.peer.unplug(now, request.peer.profile.boot_time), now)
    return ()
