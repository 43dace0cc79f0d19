"""Owns the ways in which faults act that several of them share."""

import math
from collections.abc import Callable

from otppi.simulator.answers import Family, RefusedError
from otppi.simulator.faults.board import Act, Fault, Strike, Undo
from otppi.simulator.healthy import HealthyPeer
from otppi.simulator.session import Session
from otppi.simulator.stages import Stage


def table(*faults: Fault) -> dict[str, Fault]:
    """Return faults by name."""
    return {fault.name: fault for fault in faults}


def set_state(**values: object) -> Act:
    """Set attributes of the session."""

    def act(strike: Strike) -> bool:
        for name, value in values.items():
            setattr(strike.peer.session, name, value)
        return False

    return act


def reset(*names: str) -> Undo:
    """Set attributes of the session back to what is healthy."""
    healthy = Session(echo=True, memory="")

    def undo(peer: HealthyPeer) -> None:
        for name in names:
            setattr(peer.session, name, getattr(healthy, name))

    return undo


def switch(name: str, row: int, summary: str, **values: object) -> Fault:
    """Make a fault that is no more than another state of the session."""
    return Fault(name, row, Stage.SWITCH, set_state(**values), summary, reset(*values))


def reply(shape: Callable[[Strike], bytes]) -> Act:
    """Change the bytes of an answer."""

    def act(strike: Strike) -> bool:
        strike.moment.reply = shape(strike)
        return False

    return act


def refuse(text: str) -> Act:
    """End the message with this line instead of sending it."""

    def act(strike: Strike) -> bool:
        strike.peer.sender.refuse(strike.sms, text, strike.now)
        return True

    return act


def refuse_with_code(family: Family) -> Act:
    """End the message with the injection's code instead of sending it."""

    def act(strike: Strike) -> bool:
        line = RefusedError(strike.injection.code, family).line(strike.peer.session.cmee)
        strike.peer.sender.refuse(strike.sms, line, strike.now)
        return True

    return act


def raise_code(strike: Strike) -> bool:
    """End the command with +CME ERROR and the injection's code."""
    raise RefusedError(strike.injection.code or None)


def lose_result(*, sent: bool) -> Act:
    """Never say what became of the message, which was sent or not."""

    def act(strike: Strike) -> bool:
        strike.peer.sender.vanish(strike.sms, strike.now, sent=sent)
        return True

    return act


def be_late(strike: Strike) -> bool:
    """Let the next answer wait."""
    strike.peer.extra_delay = strike.injection.seconds
    return False


def be_deaf(strike: Strike) -> bool:
    """Hear nothing until a power cycle."""
    strike.peer.session.deaf_until = math.inf
    return True


def before_final_result(answer: bytes, lines: bytes) -> bytes:
    """Put lines between information and final result."""
    head, _, final = answer.rstrip(b"\r\n").rpartition(b"\r\n")
    return head + lines + b"\r\n" + final + b"\r\n"
