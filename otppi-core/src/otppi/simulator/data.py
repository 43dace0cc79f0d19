"""Owns the simulated modem's data calls: contexts, dialling, and the line while it carries data."""

import re
from collections.abc import Iterable
from enum import Enum, auto
from typing import TYPE_CHECKING

from otppi.simulator import inbox
from otppi.simulator.answers import CallEndedError, RefusedError, render
from otppi.simulator.faults import Moment, Stage

if TYPE_CHECKING:
    from otppi.simulator.commands import Request
    from otppi.simulator.peer import ModemPeer

GUARD_TIME = 1.0
"""Seconds of silence before and after +++ (V.250 family: register S12 is 50 fiftieths of a second)."""
_ESCAPE = b"+++"
_DIALLED = re.compile(r"[TP]?\s*(?:\*99(?:\*\*\*([0-9]{1,2}))?#|#777)", re.IGNORECASE)
_MOST_CONTEXTS = 16


class _State(Enum):
    IDLE = auto()
    ONLINE = auto()
    ESCAPED = auto()


class DataLink:
    """The data side of one modem.

    Attributes:
        contexts: PDP type and APN by number (+CGDCONT); a power cycle keeps them.
        octets: how many bytes of data came in since the beginning.
        attached: whether packet data is switched on (+CGATT).
        active: the contexts that are active (+CGACT).
    """

    def __init__(self, peer: "ModemPeer") -> None:
        self._peer = peer
        self.contexts: dict[int, tuple[str, str]] = {1: ("IP", "")}
        self.octets = 0
        self.reset()

    @property
    def online(self) -> bool:
        """Whether what is written to the line is data."""
        return self._state is _State.ONLINE

    def reset(self) -> None:
        """Power is gone, or the call was ended."""
        self._state = _State.IDLE
        self._last = 0.0
        self._run = b""
        self.attached = True
        self.active: set[int] = set()

    def heard(self, data: bytes, now: float) -> None:
        """Count data, and watch for +++ between two silences."""
        if now - self._last >= GUARD_TIME:
            self._run = b""
        self.octets += len(data)
        self._last = now
        self._run = (self._run + data)[: len(_ESCAPE) + 1]
        if self._run == _ESCAPE:
            self._peer.at(now + GUARD_TIME, lambda then: self._escape(then, now))

    def dial(self, number: str, now: float) -> None:
        """Make a data call (3GPP TS 27.007 10.2.1.1).

        Raises:
            CallEndedError: its result, with CONNECT too.
            RefusedError: it is no data call, or the SIM is not ready.
        """
        peer, dialled = self._peer, _DIALLED.fullmatch(number.strip())
        if not dialled:
            raise RefusedError(30)
        peer.sim.require(now)
        peer.faults.strike(Stage.DIAL, Moment(peer, now, "ATD" + number))
        _, apn = self.contexts.get(int(dialled[1] or 1), ("", None))
        if apn is None or not (self.attached and peer.registered) or peer.profile.apn not in (None, apn):
            raise CallEndedError("NO CARRIER")
        self._go_online(now)

    def resume(self, now: float) -> None:
        """Go back from commands to data (ATO)."""
        if self._state is not _State.ESCAPED:
            raise CallEndedError("NO CARRIER")
        self._go_online(now)

    def hang_up(self) -> None:
        """End the call (ATH)."""
        self._state = _State.IDLE

    def lose_carrier(self, now: float) -> None:
        """The network is gone."""
        if self._state is not _State.IDLE:
            self._state = _State.IDLE
            self._peer.emit(render(["NO CARRIER"]), now)
            inbox.tell_buffered(self._peer, now)

    def _go_online(self, now: float) -> None:
        self._state, self._last, self._run = _State.ONLINE, now, b""
        raise CallEndedError("CONNECT")

    def _escape(self, now: float, written: float) -> None:
        if self._state is _State.ONLINE and self._last == written and self._run == _ESCAPE:
            self._state = _State.ESCAPED
            self.octets -= len(_ESCAPE)
            self._peer.emit(render(["OK"]), now)
            inbox.tell_buffered(self._peer, now)


def cgdcont(request: "Request") -> Iterable[str]:
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


def cgatt(request: "Request") -> Iterable[str]:
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


def cgact(request: "Request") -> Iterable[str]:
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
