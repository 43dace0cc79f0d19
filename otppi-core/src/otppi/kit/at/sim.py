"""The SIM card's lock over an AT channel: how it stands, and what a person may do about it (27.007 7.4, 7.5, 8.3)."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from otppi.api.errors import ModemBlocked, ModemLost, NotDone, NotSupported, Trouble
from otppi.api.sim import SimAction, SimStatus
from otppi.kit.at.channel import AtChannel, AtRefused, AtTimeout
from otppi.kit.at.pin_memory import PinMemory
from otppi.text import _
from otppi.wire.at import ResultKind
from otppi.wire.cme_cms import Advice, cme_advice, cme_meaning

_BUSY_STEP = 0.2
_BUSY_LONGEST = 5.0
"""Then the modem counts as not ready; the gateway opens it again and again, and can stop in between."""
_PATIENCE = 15.0
_SECRET = re.compile(r"[0-9]{4,8}")


@dataclass(frozen=True, slots=True)
class SimTries:
    """A command that tells how many wrong PINs and PUKs the SIM still bears.

    `pin` and `puk` find the numbers, as group 1, in its information lines, joined by line ends.
    """

    command: str
    pin: str
    puk: str


CPINR = SimTries("AT+CPINR", r'\+CPINR: *"?SIM PIN"?, *(\d+)', r'\+CPINR: *"?SIM PUK"?, *(\d+)')
"""That of the standard (27.007 8.65), which many models do not know."""


@dataclass(frozen=True, slots=True)
class _Change:
    """How an action is asked for, and in which state of the SIM it makes sense."""

    line: str
    needs: str


_CHANGES: Mapping[SimAction, _Change] = {
    SimAction.ENTER_PIN: _Change('AT+CPIN="{secret}"', "SIM PIN"),
    SimAction.UNBLOCK: _Change('AT+CPIN="{secret}","{new}"', "SIM PUK"),
    SimAction.CHANGE_PIN: _Change('AT+CPWD="SC","{secret}","{new}"', "READY"),
    SimAction.ENABLE_PIN: _Change('AT+CLCK="SC",1,"{secret}"', "READY"),
    SimAction.DISABLE_PIN: _Change('AT+CLCK="SC",0,"{secret}"', "READY"),
}


def sim_state(channel: AtChannel, wait: Callable[[float], None], patience: float = _BUSY_LONGEST) -> str:
    """Ask what the SIM asks for (+CPIN?) until it is no longer busy; empty where the modem does not know the command.

    Raises:
        ModemBlocked: There is no SIM, or it cannot be used.
        ModemLost: It stays busy.
        AtTimeout: The modem does not answer.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return _state_in(channel.command("AT+CPIN?"))
        except AtTimeout as error:  # some models say +CPIN: and forget the OK (modems.md 9)
            channel.synchronise()
            if state := _state_in(error.lines):
                return state
            raise
        except AtRefused as error:
            if error.result.kind is not ResultKind.CME:
                return ""
            if cme_advice(error.result.code) is not Advice.WAIT:
                raise ModemBlocked(
                    _("the SIM cannot be used: {cme_meaning}", cme_meaning=cme_meaning(error.result.code or 0))
                ) from error
        if time.monotonic() > deadline:
            raise ModemLost(_("the SIM stays busy"), Trouble.FAULTY)
        wait(_BUSY_STEP)


def _state_in(lines: tuple[str, ...]) -> str:
    """Read what the SIM asks for; some write it in quotes."""
    state = next((line.partition(":")[2].strip().strip('"') for line in lines if line.startswith("+CPIN:")), "")
    # The second PIN guards lists of numbers (fixed dialling); the SIM sends without (27.007 8.3).
    return "READY" if state in ("SIM PIN2", "SIM PUK2") else state


def tries_left(channel: AtChannel, queries: tuple[SimTries, ...]) -> tuple[int | None, int | None]:
    """Read how many wrong PINs and PUKs the SIM still bears; None where the modem does not tell."""
    for query in queries:
        lines = "\n".join(channel.attempt(query.command) or ())
        pin, puk = re.search(query.pin, lines), re.search(query.puk, lines)
        if pin or puk:
            return _count(pin), _count(puk)
    return None, None


def _count(found: re.Match[str] | None) -> int | None:
    return int(found[1]) if found and len(found[1]) <= 2 else None


class SimTool:
    """What a person does with the SIM of one modem, over a channel that is in step.

    Args:
        channel: The modem's.
        queries: How this model tells the tries that are left.
        memory: Where it is remembered which PIN must not be tried again by itself.
        own_pin: The PIN of the settings, which is tried by itself.
    """

    def __init__(self, channel: AtChannel, queries: tuple[SimTries, ...], memory: PinMemory, own_pin: str) -> None:
        self._channel = channel
        self._queries = queries
        self._memory = memory
        self._own_pin = own_pin

    def status(self) -> SimStatus:
        """Ask how the SIM's lock stands; raises like `sim_state`, and NotSupported where the modem cannot tell."""
        state = sim_state(self._channel, self._channel.listen)
        if not state:
            raise NotSupported(_("this modem cannot tell about its SIM card (AT+CPIN?)"))
        lock = re.search(r"\+CLCK: *([01])", "\n".join(self._channel.attempt('AT+CLCK="SC",2', _PATIENCE) or ()))
        # A SIM that asks for its PIN or PUK has its lock on, though it does not answer +CLCK then.
        enabled = lock[1] == "1" if lock else None if state == "READY" else True
        return SimStatus(state, *tries_left(self._channel, self._queries), enabled)

    def change(self, action: SimAction, secret: str, new_pin: str) -> SimStatus:
        """Do what a person wants; return the status after it.

        Raises:
            NotDone: A number is none, the SIM is not in the state for it, or refused it.
        """
        change = _CHANGES[action]
        for one in (secret, new_pin) if "{new}" in change.line else (secret,):
            if not _SECRET.fullmatch(one):
                raise NotDone(_("a PIN is 4 to 8 digits, a PUK 8"))
        before = self.status()
        if before.state != change.needs:
            raise NotDone(
                _("the SIM must say {needs} for that, and it says {state}", needs=change.needs, state=before.state)
            )
        try:
            self._channel.command(change.line.format(secret=secret, new=new_pin), _PATIENCE)
        except AtRefused as error:
            if action is SimAction.ENTER_PIN and secret == self._own_pin:
                self._memory.remember(secret)
            raise NotDone(self._refusal(error)) from error
        if action in (SimAction.ENTER_PIN, SimAction.UNBLOCK):
            self._memory.forget()
        return self.status()

    def _refusal(self, error: AtRefused) -> str:
        """Return why, and how many tries are left."""
        code = error.result.code
        reason = (
            cme_meaning(code) if error.result.kind is ResultKind.CME and code is not None else _("it gave no reason")
        )
        pin, puk = tries_left(self._channel, self._queries)
        left = (
            _("; tries left: PIN {shown}, PUK {shown2}", shown=_shown(pin), shown2=_shown(puk))
            if (pin, puk) != (None, None)
            else ""
        )
        return _("the SIM refused: {reason}{left}", reason=reason, left=left)


def _shown(count: int | None) -> str:
    return "unknown" if count is None else str(count)
