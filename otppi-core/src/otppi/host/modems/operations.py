"""What a person at the device can ask of a single modem: an SMS, USSD, its SIM card's lock, its balance."""

from collections.abc import Callable, Mapping
from concurrent.futures import wait as wait_for
from typing import Any, TypeVar, cast

from otppi.api.errors import InvalidSettings, NotDone
from otppi.api.modem import Modem
from otppi.api.sim import SimAction, SimStatus
from otppi.host.messages.placement import Refused
from otppi.host.messages.tickets import Outcome
from otppi.host.modems.worker import ModemWorker
from otppi.host.runtime.operations import CLI, LONGEST_WAIT, Operating
from otppi.host.ussd.answers import of_exchange, of_refusal
from otppi.host.ussd.desk import UssdSession, problem_of_code, problem_of_reply
from otppi.wire.errors import FieldError

_SIM_PATIENCE = 120.0
"""For the modem to finish the message that it is sending, and for the SIM card."""
_NEW_PIN = frozenset({SimAction.UNBLOCK, SimAction.CHANGE_PIN})

T = TypeVar("T")


class ModemOperations(Operating):
    """On a modem of the running gateway; modems are named as in the settings."""

    def send(self, receiver: str, message: str, modem: str | None = None, wait: float = 15.0) -> dict[str, Any]:
        """Send an SMS by hand, by a chosen modem if one is named; give its state after at most `wait` seconds.

        Raises:
            InvalidSettings: The number, the text or the modem's name is not valid.
        """
        ticket = self._running().gateway.send_by_hand(receiver, message, modem, CLI)
        answer = ticket.answer(min(wait, LONGEST_WAIT))
        return {"response_code": answer.code.value, **cast("Mapping[str, Any]", answer.data)}

    # -- USSD -------------------------------------------------------------------------------------------------------

    def ussd(self, modem: str, code: str, wait: float = 100.0) -> dict[str, Any]:
        """Begin a USSD session; give the network's answer, or how it stands after at most `wait` seconds."""
        _check("code", problem_of_code(code))
        self._worker(modem)
        return self._ask(lambda: self._running().gateway.ussd.start(modem, code, CLI), wait)

    def ussd_reply(self, session: str, text: str, wait: float = 100.0) -> dict[str, Any]:
        """Reply in a session that waits for it."""
        _check("text", problem_of_reply(text))
        return self._ask(lambda: self._running().gateway.ussd.reply(session, text, CLI.sender), wait)

    def ussd_wait(self, session: str, wait: float = 100.0) -> dict[str, Any]:
        """Wait for the answer in a session, as `ussd` does."""
        found = self._running().gateway.ussd.find(session, CLI.sender)
        if found is None:
            raise InvalidSettings([FieldError("session", "there is no such USSD session")])
        return self._ask(lambda: found, wait)

    def ussd_cancel(self, modem: str) -> dict[str, Any]:
        """End the USSD session on a modem, whoever has it."""
        self._worker(modem)
        return {"modem_id": modem, "changed": self._running().gateway.ussd.cancel(modem)}

    def ussd_sessions(self) -> list[dict[str, Any]]:
        """List the open USSD sessions, without texts."""
        return self._running().gateway.ussd.sessions()

    @staticmethod
    def _ask(begin: Callable[[], UssdSession], wait: float) -> dict[str, Any]:
        try:
            session = begin()
        except Refused as refused:
            return _shown(of_refusal(refused, {}))
        exchange = session.exchange
        wait_for([exchange], min(wait, LONGEST_WAIT))
        return _shown(of_exchange(session, exchange))

    # -- SIM card ---------------------------------------------------------------------------------------------------

    def sim_status(self, modem: str) -> dict[str, Any]:
        """Say how the lock of a modem's SIM card stands."""
        worker = self._worker(modem)
        return _status(modem, _done(worker, lambda driver: driver.sim_status()))

    def sim_change(self, modem: str, action: str, secret: str, new_pin: str = "") -> dict[str, Any]:
        """Change it; `secret` is the PIN, to unblock the PUK. A modem that waited for it is opened at once.

        Raises:
            InvalidSettings: There is no such action or modem, or a number is none.
            NotDone: The SIM refused.
        """
        worker = self._worker(modem)
        if action not in list(SimAction):
            raise InvalidSettings([FieldError("action", f"must be one of: {', '.join(SimAction)}")])
        wanted = SimAction(action)
        puk = wanted is SimAction.UNBLOCK
        right = {"secret": _is_pin(secret) and (len(secret) == 8 or not puk), "new_pin": _is_pin(new_pin)}
        if wanted not in _NEW_PIN:
            del right["new_pin"]
        reason = {True: "a PUK has 8 digits", False: "a PIN has 4 to 8 digits"}
        if problems := [FieldError(key, reason[puk and key == "secret"]) for key, ok in right.items() if not ok]:
            raise InvalidSettings(problems)

        def change(driver: Modem) -> SimStatus:
            status = driver.sim_change(wanted, secret, new_pin)
            worker.retry_now()
            return status

        return _status(modem, _done(worker, change))

    # -- memories ---------------------------------------------------------------------------------------------------

    def clear_memory(self, modem: str) -> dict[str, Any]:
        """Delete what other programs have left to be sent in a modem's memories; say how many messages that were.

        Raises:
            InvalidSettings: There is no such modem.
        """
        worker = self._worker(modem)
        cleared = _done(worker, lambda driver: driver.clear_memory())
        return {"modem_id": modem, "cleared": cleared}

    # -- balance ----------------------------------------------------------------------------------------------------

    def balances(self) -> list[dict[str, Any]]:
        """List the balances of the modems that have a code for it, as they were read last."""
        balances = self._running().gateway.balances
        return [{"modem_id": name, **balances.describe(name)} for name in balances.modems()]

    def balance_read(self, modem: str) -> dict[str, Any]:
        """Read a modem's balance now."""
        self._worker(modem)
        balances = self._running().gateway.balances
        balances.read(modem, CLI)
        return {"modem_id": modem, **balances.describe(modem)}


def _done(worker: ModemWorker, job: Callable[[Modem], T]) -> T:
    """Let the modem's thread do it, also while the modem is closed: it may be the SIM that keeps it so."""
    future = worker.call(job, closed=True)
    try:
        return future.result(_SIM_PATIENCE)
    except TimeoutError as error:
        future.cancel()  # nobody would hear what became of it
        raise NotDone(f"modem {worker.name} had no time for it") from error


def _is_pin(text: str) -> bool:
    return text.isascii() and text.isdigit() and 4 <= len(text) <= 8


def _check(field: str, problem: str | None) -> None:
    if problem:
        raise InvalidSettings([FieldError(field, problem)])


def _shown(outcome: Outcome) -> dict[str, Any]:
    shown = {key: value for key, value in outcome.data.items() if key != "id"}
    return {"response_code": outcome.code.value, **shown}


def _status(modem: str, status: SimStatus) -> dict[str, Any]:
    return {
        "modem_id": modem,
        "state": status.state,
        "pin_tries": status.pin_tries,
        "puk_tries": status.puk_tries,
        "pin_enabled": status.pin_enabled,
    }
