"""The balance of each SIM card: read by USSD on a schedule, shown, and told of when it is low."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from otppi.api.egress import EgressState
from otppi.api.events import BalanceLow, UssdStatus
from otppi.api.ingress import Origin, Sender
from otppi.host.messages.refusal import NotAccepted
from otppi.host.modems.values import UssdValues
from otppi.host.modems.worker import ModemWorker
from otppi.host.runtime.events import EventBus
from otppi.host.ussd.balance_text import balance_in
from otppi.host.ussd.sessions import UssdSessions
from otppi.text import _, words
from otppi.wire.envelope import ResponseCode

logger = logging.getLogger(__name__)

ORIGIN = Origin("balance", Sender("schedule"))

_FIRST = 60.0
"""Seconds after the start, so that messages go first."""
_SPREAD = 20.0
_LATER = 60.0
_WAIT = 600.0
_HOUR = 3600.0
_LATER_CODES = frozenset({ResponseCode.NO_MODEM, ResponseCode.QUEUE_FULL})
"""The modem is not ready, or somebody else has a session on it."""


@dataclass(frozen=True, slots=True)
class BalancePlan:
    """How a modem's balance is read: `balance_*` of its settings, `every` in seconds, 0 for never."""

    code: str
    pattern: str = ""
    low: float = 0.0
    every: float = 0.0

    @classmethod
    def of(cls, values: UssdValues) -> "BalancePlan":
        """Take it from the settings of a modem."""
        every = values["balance_every"] * _HOUR
        return cls(values["balance_ussd"], values["balance_pattern"], values["balance_low"], every)


def plans_of(modems: Mapping[str, UssdValues]) -> dict[str, BalancePlan]:
    """Take the plans from the settings of all modems."""
    return {name: BalancePlan.of(values) for name, values in modems.items()}


@dataclass(frozen=True, slots=True)
class Balance:
    """What is known: the amount, when it was read (Unix seconds), and why it could not be read the last time."""

    amount: float | None = None
    read: float | None = None
    problem: str = ""
    low: bool = False


class Balances:
    """All balances. One thread of its own reads them one after the other; any thread may look or read now."""

    def __init__(self, sessions: UssdSessions, workers: Callable[[], Iterable[ModemWorker]], events: EventBus) -> None:
        self._events = events
        self._sessions = sessions
        self._workers = workers
        self._plans: Mapping[str, BalancePlan] = {}
        self._known: dict[str, Balance] = {}
        self._due: dict[str, float] = {}
        self._changed = threading.Event()
        self._stopping = False

    def configure(self, plans: Mapping[str, BalancePlan]) -> None:
        """Take the modems' settings; a modem that is new, or has a new plan, has its turn soon, and not all at once."""
        now = time.monotonic()
        new = [name for name, plan in plans.items() if self._plans.get(name) != plan]
        for name in new:
            self._known.pop(name, None)
        self._plans = {name: plan for name, plan in plans.items() if plan.code}
        fresh = {name: now + _FIRST + place * _SPREAD for place, name in enumerate(new)}
        self._due = {
            name: fresh.get(name) or self._due.get(name, now + _FIRST)
            for name, plan in self._plans.items()
            if plan.every
        }
        self._changed.set()

    # -- looking (any thread) ---------------------------------------------------------------------------------------

    def describe(self, modem: str) -> dict[str, Any]:
        """Describe a modem's balance for lists and health; nothing where it has no code for it."""
        plan = self._plans.get(modem)
        if plan is None:
            return {}
        known = self._known.get(modem, Balance())
        return {
            "balance": known.amount,
            "balance_read": known.read and round(known.read),
            "balance_low": known.low,
            "balance_limit": plan.low,
            "balance_problem": known.problem,
        }

    def modems(self) -> list[str]:
        """Name the modems whose balance can be read."""
        return list(self._plans)

    def warnings(self) -> list[str]:
        """Return which balances are low."""
        return [self._low(name) for name, known in list(self._known.items()) if known.low and name in self._plans]

    def _low(self, modem: str) -> str:
        return _("modem {modem}: its balance is low ({amount:,.2f})", modem=modem, amount=self._known[modem].amount)

    # -- reading ----------------------------------------------------------------------------------------------------

    def read(self, modem: str, origin: Origin = ORIGIN) -> Balance:
        """Read a balance now; it may take as long as the network takes.

        Raises:
            NotAccepted: It could not be read; the modem's old balance stays known.
        """
        plan = self._plans.get(modem)
        if plan is None:
            raise NotAccepted(ResponseCode.FAILED, _("modem {modem} has no setting balance_ussd", modem=modem))
        try:
            found = balance_in(self._ask(modem, plan.code, origin), plan.pattern)
        except NotAccepted as refused:
            if refused.code not in _LATER_CODES:
                self._note_problem(modem, refused.cause)
            raise
        except ValueError as error:
            self._note_problem(modem, words(error))
            raise NotAccepted(ResponseCode.FAILED, words(error)) from error
        return self._note(modem, plan, found)

    def _ask(self, modem: str, path: str, origin: Origin) -> str:
        """Go through the menu; return the last answer's text."""
        code, *replies = path.split(">")
        session = self._sessions.start(modem, code, origin)
        answer = session.exchange.result(_WAIT)
        for reply in replies:
            if answer.status is not UssdStatus.REPLY_WANTED:
                raise NotAccepted(ResponseCode.FAILED, _("the menu of the operator ended before balance_ussd did"))
            answer = self._sessions.reply(session.session_id, reply, origin.sender).exchange.result(_WAIT)
        if answer.status is UssdStatus.REPLY_WANTED:
            self._sessions.cancel(modem)
        return answer.text

    def _note(self, modem: str, plan: BalancePlan, found: float) -> Balance:
        before = self._known.get(modem, Balance())
        known = self._known[modem] = Balance(found, time.time(), low=found < plan.low)
        if known.low and not before.low:
            logger.warning("%s; it should be at least %s", self._low(modem), f"{plan.low:,.2f}")
            self._events.publish(BalanceLow(modem, found, plan.low))
        return known

    def _note_problem(self, modem: str, problem: str) -> None:
        before = self._known.get(modem, Balance())
        if before.problem != problem:
            logger.warning("the balance of modem %s could not be read: %s", modem, problem)
        self._known[modem] = replace(before, problem=problem)

    # -- the schedule (a thread of its own) -------------------------------------------------------------------------

    def run(self) -> None:
        """Read what is due, until `stop`."""
        while True:
            self._changed.clear()
            if self._stopping:  # looked at after clear, which forgets a stop that came before it
                return
            self._changed.wait(self._work())

    def stop(self) -> None:
        """End `run`."""
        self._stopping = True
        self._changed.set()

    def _work(self) -> float | None:
        """Read the most urgent one, if it is due; return the seconds until the next one is, None where none is."""
        due = self._due
        if not due or self._stopping:
            return None
        name = min(due, key=due.__getitem__)
        if (left := due[name] - time.monotonic()) > 0:
            return left
        plan = self._plans.get(name)  # the settings may change at any time, also while it is read
        due[name] = time.monotonic() + (plan.every if self._try(name) and plan else _LATER)
        return 0.0

    def _try(self, name: str) -> bool:
        """Read one; False where the modem has something better to do, or is not ready."""
        worker = next((worker for worker in self._workers() if worker.name == name), None)
        if worker is None or worker.status.state is not EgressState.READY or worker.load(bulk=True):
            return False
        if self._sessions.busy(name):
            return False
        try:
            self.read(name)
        except NotAccepted as refused:
            return refused.code not in _LATER_CODES
        return True
