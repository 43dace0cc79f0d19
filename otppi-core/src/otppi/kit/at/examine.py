"""Which port of a device takes AT commands, and which modem answers there. Nothing is set, and no PIN is given."""

import select
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from otppi.api.errors import ModemLost, OtpPiError
from otppi.api.modem import ModemIdentity
from otppi.kit.at.channel import AtChannel, AtTimeout
from otppi.kit.at.identity import identify
from otppi.kit.at.port import DEFAULT_SPEED, Port, PortHeld, named, users_of
from otppi.kit.at.sim import sim_state
from otppi.kit.at.start import Profile, look
from otppi.kit.at.values import PortValues
from otppi.kit.net.wake import Wake
from otppi.text import _, joined, words

_SETTINGS: PortValues = {"baud_rate": DEFAULT_SPEED, "parity_bit": "none", "stop_bits": 1}
_ASKED = 3
_ANSWER_TIME = 0.4
_LISTEN = 0.5
"""What a modem that was just plugged in has to tell comes thick and fast."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found at a device.

    Attributes:
        port: Where it takes AT commands; empty where nothing answered.
        identity: Who answered there.
        sim: What the SIM asks for (`READY`: nothing), or why it cannot be used.
        problem: Why nothing answered.
        held_by: The programs that hold its ports.
    """

    port: str = ""
    identity: ModemIdentity = field(default_factory=ModemIdentity)
    sim: str = ""
    problem: str = ""
    held_by: tuple[str, ...] = ()


class _Candidate:
    """One port that is being asked."""

    def __init__(self, port: Port) -> None:
        self.port = port
        self.answered = False
        self.speaks = False
        self._heard = b""

    def hear(self) -> None:
        """Read what came: an answer, and after it what the modem says of its own accord."""
        data = self.port.read(0)
        self._heard += data
        if self.answered:
            self.speaks = self.speaks or bool(data.strip())
        elif b"OK" in self._heard or b"ERROR" in self._heard:
            self.answered = True


def examine(paths: Sequence[str], known: int = 0) -> Examined:
    """Ask all ports of a device at once, and the modem at the best of them who it is.

    A port that speaks of its own accord is preferred to one that only answers (modems.md 25).

    Args:
        paths: Its ports, the most promising first.
        known: How many of the first ports are known to be good: such a one is taken as soon as it answers.
    """
    held: list[str] = []
    problems: list[str] = []
    with ExitStack() as stack:
        wake = Wake()
        candidates = []
        for path in paths:
            try:
                if users := users_of(path):
                    held += users
                    continue
                candidates.append(_Candidate(stack.enter_context(_opened(path, wake))))
            except PortHeld as error:
                held += error.holders
            except (ModemLost, OSError) as error:
                problems.append(words(error))
        chosen = _choose(candidates, known)
        if chosen is not None:
            for one in candidates:
                if one is not chosen:
                    one.port.close()
            return _read(chosen.port)
    holders = tuple(dict.fromkeys(held))
    if holders:
        problems = [_("held by {named}", named=named(holders))]
    return Examined(problem=joined("; ", problems) or _("nothing answers AT commands"), held_by=holders)


@contextmanager
def _opened(path: str, wake: Wake) -> Iterator[Port]:
    port = Port(path, _SETTINGS, wake)
    try:
        yield port
    finally:
        port.close()


def _choose(candidates: list[_Candidate], known: int) -> _Candidate | None:
    """Ask until all have answered or the time is up, then listen to those that did."""
    for _try in range(_ASKED):
        silent = [one for one in candidates if not one.answered]
        for one in silent:
            with suppress(ModemLost):
                one.port.write(b"\x1b\rAT\r", timeout=_ANSWER_TIME)  # ESC: it may wait for a PDU (modems.md 2)
        _hear(candidates, _ANSWER_TIME, until_answered=True)
        if good := next((one for one in candidates[:known] if one.answered), None):
            return good
        if all(one.answered for one in candidates):
            break
    answered = [one for one in candidates if one.answered]
    if len(answered) > 1:
        _hear(answered, 0.05)  # the rest of the answers
        for one in answered:
            one.speaks = False
        _hear(answered, _LISTEN)
    return next((one for one in answered if one.speaks), answered[0] if answered else None)


def _hear(candidates: list[_Candidate], seconds: float, *, until_answered: bool = False) -> None:
    until = time.monotonic() + seconds
    gone: set[_Candidate] = set()
    while (left := until - time.monotonic()) > 0:
        waiting = [one for one in candidates if one not in gone and not (until_answered and one.answered)]
        if not waiting:
            return
        ready, _, _ = select.select([one.port for one in waiting], [], [], left)
        for one in waiting:
            if one.port in ready:
                try:
                    one.hear()
                except ModemLost:
                    gone.add(one)


def _read(port: Port) -> Examined:
    channel = AtChannel(port, lambda _: None)
    identity, sim = ModemIdentity(), ""
    try:
        channel.synchronise()
        channel.attempt("ATE0")
        channel.attempt("AT+CMEE=1")
        identity = identify(channel, Profile().iccid)
        try:
            sim = sim_state(channel, channel.listen)
        except ModemLost as error:
            sim = error.cause
        with suppress(ModemLost):  # no network: that is no matter here
            identity = look(channel, identity)
    except (ModemLost, AtTimeout) as error:
        return Examined(port.path, identity, sim, _cause(error))
    return Examined(port.path, identity, sim)


def _cause(error: OtpPiError) -> str:
    return _("it stopped answering: {error}", error=error)
