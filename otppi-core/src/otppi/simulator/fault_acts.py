"""Owns the ways in which faults act that several of them share."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from otppi.simulator.answers import Family, RefusedError
from otppi.simulator.faults import Act, Fault, Moment, Stage, Undo
from otppi.simulator.session import Session

if TYPE_CHECKING:
    from otppi.simulator.peer import ModemPeer


def table(*faults: Fault) -> dict[str, Fault]:
    """Return faults by name."""
    return {fault.name: fault for fault in faults}


def set_state(**values: object) -> Act:
    """Set attributes of the session."""

    def act(moment: Moment) -> bool:
        for name, value in values.items():
            setattr(moment.peer.session, name, value)
        return False

    return act


def reset(*names: str) -> Undo:
    """Set attributes of the session back to what is healthy."""
    healthy = Session(echo=True, memory="")

    def undo(peer: "ModemPeer") -> None:
        for name in names:
            setattr(peer.session, name, getattr(healthy, name))

    return undo


def switch(name: str, row: int, summary: str, **values: object) -> Fault:
    """A fault that is no more than another state of the session."""
    return Fault(name, row, Stage.SWITCH, set_state(**values), summary, reset(*values))


def reply(shape: Callable[[Moment], bytes]) -> Act:
    """Change the bytes of an answer."""

    def act(moment: Moment) -> bool:
        moment.reply = shape(moment)
        return False

    return act


def refuse(text: str) -> Act:
    """End the message with this line instead of sending it."""

    def act(moment: Moment) -> bool:
        moment.peer.sender.refuse(moment.sms, text, moment.now)
        return True

    return act


def refuse_with_code(family: Family) -> Act:
    """End the message with the injection's code instead of sending it."""

    def act(moment: Moment) -> bool:
        line = RefusedError(moment.injection.code, family).line(moment.peer.session.cmee)
        moment.peer.sender.refuse(moment.sms, line, moment.now)
        return True

    return act


def raise_code(moment: Moment) -> bool:
    """End the command with +CME ERROR and the injection's code."""
    raise RefusedError(moment.injection.code or None)


def lose_result(*, sent: bool) -> Act:
    """Never say what became of the message, which was sent or not."""

    def act(moment: Moment) -> bool:
        moment.peer.sender.vanish(moment.sms, moment.now, sent=sent)
        return True

    return act


def be_late(moment: Moment) -> bool:
    """Let the next answer wait."""
    moment.peer.extra_delay = moment.injection.seconds
    return False


def be_deaf(moment: Moment) -> bool:
    """Hear nothing until a power cycle."""
    moment.peer.session.deaf_until = math.inf
    return True


def before_final_result(answer: bytes, lines: bytes) -> bytes:
    """Put lines between information and final result."""
    head, _, final = answer.rstrip(b"\r\n").rpartition(b"\r\n")
    return head + lines + b"\r\n" + final + b"\r\n"
