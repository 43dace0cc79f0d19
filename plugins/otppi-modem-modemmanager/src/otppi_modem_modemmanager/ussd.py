"""USSD through ModemManager: its methods answer when the network does, and nobody waits for them."""

import time
from collections import deque

from otppi.api.errors import ModemLost, NotDone, NotSupported
from otppi.api.events import ModemEvents, UssdAnswer, UssdStatus
from otppi.kit.at.ussd_hold import UssdHold
from otppi.wire.ussd import UssdForm, UssdLine, text_of
from otppi_modem_modemmanager.bus import BusError, BusTimeout, Pending, Signal
from otppi_modem_modemmanager.managed import ManagedModem
from otppi_modem_modemmanager.names import PROPERTIES, SERVICE, USSD, UssdState
from otppi_modem_modemmanager.refusals import advice_and_meaning, short
from otppi_modem_modemmanager.text import _

_REFUSED_WITHIN = 1.0
"""Seconds for which `ask` waits for a refusal; messages wait meanwhile. A later one is told as an answer."""
_LONGEST = 120.0
_NEVER = float("inf")
_PLAIN_DCS = 15
"""ModemManager gives plain text; what it could not decode it gives as it came."""

_ENDS = {
    "MobileEquipment.NotSupported": UssdStatus.NOT_SUPPORTED,
    "Core.Unsupported": UssdStatus.NOT_SUPPORTED,
    "MobileEquipment.NetworkTimeout": UssdStatus.TIMED_OUT,
    "Core.Timeout": UssdStatus.TIMED_OUT,
    "Serial.ResponseTimeout": UssdStatus.TIMED_OUT,
}
"""Errors that come instead of an answer; all others are `ENDED`."""


class Ussd:
    """The USSD session of one modem."""

    def __init__(self, modem: ManagedModem, events: ModemEvents) -> None:
        self._modem = modem
        self._events = events
        self._asked: Pending | None = None
        self._until = _NEVER
        self._answers: deque[UssdAnswer] = deque()
        self._hold = UssdHold()

    def ask(self, text: str) -> None:
        """Start a session, or reply in the one that waits for it; raises as `Modem.ussd` does."""
        state = self._state()
        if self._asked is not None or state == UssdState.ACTIVE:
            raise NotDone(_("a USSD answer is still waited for"))
        self._hold.forget()
        member = "Respond" if state == UssdState.USER_RESPONSE else "Initiate"
        pending = self._modem.start(USSD, member, "s", text)
        try:
            reply = self._modem.bus.wait(pending, _REFUSED_WITHIN)
        except BusTimeout:
            self._asked, self._until = pending, time.monotonic() + _LONGEST
        except BusError as error:
            raise _not_done(error) from error
        else:
            self._answered(str(reply[0]))

    def cancel(self) -> None:
        """End the session; raises as `Modem.cancel_ussd` does."""
        idle = self._state() in (UssdState.IDLE, UssdState.UNKNOWN) and self._asked is None
        self._asked, self._until = None, _NEVER
        self._hold.forget()
        if idle:
            return
        try:
            self._modem.call(USSD, "Cancel")
        except BusError as error:
            raise _not_done(error) from error

    def heard(self, signal: Signal) -> None:
        """Take note of what the network says of its own accord."""
        if signal.path != self._modem.path or signal.member != "PropertiesChanged" or signal.args[0] != USSD:
            return
        changed = signal.args[1]
        for name, status in (
            ("NetworkNotification", UssdStatus.FINISHED),
            ("NetworkRequest", UssdStatus.REPLY_WANTED),
        ):
            if text := str(changed.get(name, "")):
                self._accept_answer(UssdAnswer(status, _read(text)))

    @property
    def due(self) -> float:
        """When `work` is wanted next, by the monotonic clock."""
        return (
            0.0 if self._answers or (self._asked is not None and self._asked.done) else min(self._until, self._hold.due)
        )

    def work(self) -> None:
        """Tell one answer."""
        if self._answers:
            self._events.answered(self._answers.popleft())
        elif self._hold.due <= time.monotonic() and (held := self._hold.release()):
            self._answers.append(held)
        elif self._asked is not None:
            pending, self._asked, self._until = self._asked, None, _NEVER
            self._came(pending)

    def closed(self) -> None:
        """Tell whoever waits that the session ended with the modem."""
        if held := self._hold.release():
            self._answers.append(held)
        while self._answers:
            self._events.answered(self._answers.popleft())
        if self._asked is not None:
            self._asked = None
            self._events.answered(UssdAnswer(UssdStatus.ENDED))

    def _came(self, pending: Pending) -> None:
        if not pending.done:
            self._modem.start(USSD, "Cancel")
            self._answers.append(UssdAnswer(UssdStatus.TIMED_OUT))
            return
        try:
            reply = pending.result()
        except BusError as error:
            self._answers.append(UssdAnswer(_ENDS.get(short(error), UssdStatus.ENDED)))
        else:
            self._answered(str(reply[0]))

    def _answered(self, text: str) -> None:
        wanted = self._state() == UssdState.USER_RESPONSE
        self._accept_answer(UssdAnswer(UssdStatus.REPLY_WANTED if wanted else UssdStatus.FINISHED, _read(text)))

    def _accept_answer(self, answer: UssdAnswer) -> None:
        said = self._hold.feed(answer)
        if said is not None:
            self._answers.append(said)

    def _state(self) -> int:
        """Ask for the session's state: the signal of its change may come after the answer that changed it."""
        if not self._modem.has(USSD):
            raise NotSupported(_("ModemManager cannot do USSD with this modem"))
        try:
            (state,) = self._modem.bus.call(SERVICE, self._modem.path, PROPERTIES, "Get", "ss", USSD, "State")
        except BusError as error:
            raise ModemLost(_("ModemManager does not have the modem any more")) from error
        return int(state)


def _read(text: str) -> str:
    return text_of(UssdLine(0, text, _PLAIN_DCS), UssdForm.PLAIN)


def _not_done(error: BusError) -> Exception:
    if short(error) == "Core.Unsupported":
        return NotSupported(_("ModemManager cannot do USSD with this modem"))
    return NotDone(_("USSD was refused: {advice_and_meaning}", advice_and_meaning=advice_and_meaning(error)[1]))
