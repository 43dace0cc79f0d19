"""Owns the AT commands for the lock of the simulated modem's SIM: +CPIN, +CPINR, +CLCK, +CPWD."""

from collections.abc import Iterable

from otppi.simulator.answers import RefusedError
from otppi.simulator.request import AtRequest
from otppi.simulator.sim import PIN_TRIES, PUK_TRIES

_OFF, _ON, _STATUS = range(3)
_SIM_LOCK = "SC"


def cpin(request: AtRequest) -> Iterable[str]:
    """AT+CPIN: what the SIM waits for, and giving it (3GPP TS 27.007 8.3)."""
    sim = request.peer.sim
    if request.operation == "=":
        new_pin = request.arguments[1] if len(request.arguments) > 1 else None
        sim.enter(request.text(0), new_pin, request.now)
        return ()
    try:
        sim.require(request.now)
    except RefusedError as refusal:
        if refusal.code not in (11, 12):
            raise
    return [f"+CPIN: {sim.lock.value}"]


def cpinr(request: AtRequest) -> Iterable[str]:
    """AT+CPINR: how many tries are left (3GPP TS 27.007 8.65)."""
    sim = request.peer.sim
    return [f"+CPINR: SIM PIN,{sim.pin_tries},{PIN_TRIES}", f"+CPINR: SIM PUK,{sim.puk_tries},{PUK_TRIES}"]


def clck(request: AtRequest) -> Iterable[str]:
    """AT+CLCK: whether the SIM asks for its PIN, and making it do so or not (3GPP TS 27.007 7.4)."""
    sim = request.peer.sim
    if request.text(0) != _SIM_LOCK:
        raise RefusedError(4)
    mode = request.number(1)
    if mode == _STATUS:
        return [f"+CLCK: {int(sim.asks_for_pin)}"]
    if mode not in (_OFF, _ON):
        raise RefusedError(50)
    sim.set_lock(mode == _ON, request.text(2), request.now)
    return ()


def cpwd(request: AtRequest) -> Iterable[str]:
    """AT+CPWD: change the PIN (3GPP TS 27.007 7.5)."""
    if request.text(0) != _SIM_LOCK:
        raise RefusedError(4)
    request.peer.sim.change_pin(request.text(1), request.text(2), request.now)
    return ()
