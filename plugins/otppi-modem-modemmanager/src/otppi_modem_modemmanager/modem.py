"""A modem that ModemManager drives: opening it, sending, looking after it, recovering it."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from otppi.api.egress import NO_HOOKS, SendHooks
from otppi.api.errors import ModemBlocked, ModemLost, Rejected, Trouble, Unconfirmed
from otppi.api.message import OutgoingMessage
from otppi.api.modem import Modem, ModemContext, ModemIdentity, RecoveryStep
from otppi.api.sim import SimAction, SimStatus
from otppi.api.text import labelled
from otppi.kit.at.pin_memory import PinMemory
from otppi.kit.net.wake import Wake
from otppi.wire.errors import WireError
from otppi.wire.segment import segment
from otppi_modem_modemmanager import sim
from otppi_modem_modemmanager.bus import Bus, BusError, Pending, Signal
from otppi_modem_modemmanager.inbox import Inbox
from otppi_modem_modemmanager.managed import ManagedModem, translated
from otppi_modem_modemmanager.names import MESSAGING, MODEM, POWER_LOW, SIM_MISSING, ModemState
from otppi_modem_modemmanager.outbox import Outbox
from otppi_modem_modemmanager.refusals import advice_and_meaning, short
from otppi_modem_modemmanager.text import _
from otppi_modem_modemmanager.ussd import Ussd

logger = logging.getLogger(__name__)

_SETTLING = 10.0
"""Seconds to wait in `open` for ModemManager to make the modem ready; then the gateway opens it again."""
_RECOVERING = 30.0


class _Session:
    """What exists as long as the modem is open: its own connection to the bus, and what uses it."""

    def __init__(self, context: ModemContext, wake: Wake) -> None:
        self.bus = Bus(wake, self._heard)
        self.modem = ManagedModem(self.bus, context.settings)
        self.outbox = Outbox(self.modem, context.settings, context.events)
        self.inbox = Inbox(self.modem, context.events, self.outbox.delete)
        self.ussd = Ussd(self.modem, context.events)

    def _heard(self, signal: Signal) -> None:
        self.modem.heard(signal)
        self.inbox.heard(signal)
        self.ussd.heard(signal)

    @property
    def due(self) -> float:
        """When `work` is wanted next, by the monotonic clock."""
        return 0.0 if self.outbox.due else min(self.ussd.due, self.inbox.due)

    def work(self) -> None:
        """Do one piece of what is due, the most urgent first."""
        now = time.monotonic()
        if self.outbox.due:
            self.outbox.work()
        elif self.ussd.due <= now:
            self.ussd.work()
        elif self.inbox.due <= now:
            self.inbox.work()


class ModemManagerModem(Modem):
    """See `otppi.api.modem.Modem` for the contract."""

    def __init__(self, context: ModemContext) -> None:
        self._context = context
        self._pin_memory = PinMemory(context.boot_folder, context.settings["name"])
        self._wake = Wake()
        self._session: _Session | None = None
        self._identity = ModemIdentity()

    # -- any thread -------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """End a running or the next `idle`."""
        self._wake.set()

    def identity(self) -> ModemIdentity:
        """Return what was read when the modem was opened or last looked after."""
        return self._identity

    def warnings(self) -> Sequence[str]:
        """Return which settings do nothing here."""
        unused = bool(self._context.settings["init_commands"])
        return [_("its init_commands are not run: ModemManager has the port")] if unused else []

    # -- the modem's thread -----------------------------------------------------------------------------------------

    def open(self) -> None:
        """Find the modem, unlock and enable it, and see that it has a network."""
        self._session = session = _Session(self._context, self._wake)
        modem = session.modem
        modem.find()
        self._see_that_it_works(modem)
        if sim.unlock(modem, self._context.settings, self._pin_memory):
            self._wait_for_state(modem, ModemState.DISABLED)
            sim.unlock(modem, self._context.settings, self._pin_memory)
        if modem.state < ModemState.ENABLED:
            self._enable(modem)
        self._identity = modem.identity()
        modem.check()
        if not modem.has(MESSAGING):
            raise ModemBlocked(_("ModemManager cannot send SMS with this modem"))
        session.inbox.opened()

    def _see_that_it_works(self, modem: ManagedModem) -> None:
        if modem.state == ModemState.FAILED:
            if int(modem.get(MODEM, "StateFailedReason", 0)) == SIM_MISSING:
                raise ModemBlocked(_("there is no SIM card in the modem"))
            raise ModemLost(_("ModemManager failed to set the modem up"), Trouble.FAULTY)
        if modem.state in (ModemState.UNKNOWN, ModemState.INITIALIZING):
            self._wait_for_state(modem, ModemState.LOCKED)

    def _enable(self, modem: ManagedModem) -> None:
        """Enable the modem. It goes on doing so when nobody waits for it any more."""
        enabling = None if modem.state == ModemState.ENABLING else modem.start(MODEM, "Enable", "b", True)
        deadline = time.monotonic() + _SETTLING
        while modem.state < ModemState.ENABLED and (left := deadline - time.monotonic()) > 0 and modem.lost is None:
            if enabling is not None and enabling.done:
                _see_that_it_was_enabled(enabling)
            modem.bus.hear(left)
        if modem.state < ModemState.ENABLED:
            raise ModemLost(modem.lost or _("ModemManager is still enabling the modem"))

    def _wait_for_state(self, modem: ManagedModem, least: ModemState) -> None:
        """Wait for a modem that ModemManager is setting up."""
        deadline = time.monotonic() + _SETTLING
        while modem.state < least and (left := deadline - time.monotonic()) > 0 and modem.lost is None:
            modem.bus.hear(left)
        if modem.state < least:
            raise ModemLost(modem.lost or _("ModemManager is still setting the modem up"))

    def idle(self, timeout: float) -> None:
        """Do a piece of what is due, or wait for something to come."""
        session = self._ready_session()
        now = time.monotonic()
        if session.due <= now:
            session.work()
        else:
            session.bus.listen(min(timeout, session.due - now))
            session.modem.check()
            self._identity = session.modem.seen(self._identity)

    def _ready_session(self) -> _Session:
        if self._session is None:
            raise ModemLost(_("the modem is not open"))
        self._session.modem.check()
        return self._session

    def send(self, message: OutgoingMessage, hooks: SendHooks = NO_HOOKS) -> None:
        """Have ModemManager send the message, in as many parts as it takes (3GPP TS 23.040 9.2.3.24.1)."""
        session = self._ready_session()
        session.work()
        try:
            parts = len(segment(message.text))
        except WireError as error:
            raise Rejected(_("it cannot be written as SMS: {error}", error=error)) from error
        message.progress.segments = parts
        try:
            session.outbox.send(message, parts, hooks)
        except Unconfirmed as error:
            if isinstance(error.__cause__, ModemLost):
                self.close()  # the dialogue cannot go on, and the next message is to find that out
            raise

    def close(self) -> None:
        """Let go of the bus."""
        session, self._session = self._session, None
        if session is not None:
            session.bus.close()
            session.ussd.closed()

    # -- what a person asks for -------------------------------------------------------------------------------------

    def ussd(self, text: str) -> None:
        """Send a USSD string, or the reply that an open session waits for."""
        self._ready_session().ussd.ask(text)

    def cancel_ussd(self) -> None:
        """End the USSD session, if there is one."""
        self._ready_session().ussd.cancel()

    def sim_status(self) -> SimStatus:
        """Return how the SIM's lock stands."""
        with self._modem() as modem:
            return sim.status(modem)

    def sim_change(self, action: SimAction, secret: str, new_pin: str = "") -> SimStatus:
        """Change the SIM's lock."""
        with self._modem() as modem:
            tool = sim.SimTool(modem, self._pin_memory, self._context.settings["sim_card_pin"])
            return tool.change(action, secret, new_pin)

    def recover(self, step: RecoveryStep) -> bool:
        """Switch the radio off and on, or reset the modem; ModemManager can do no more."""
        if step not in (RecoveryStep.RADIO, RecoveryStep.RESET):
            return False
        with self._modem() as modem:
            try:
                if step is RecoveryStep.RESET:
                    modem.call(MODEM, "Reset", timeout=_RECOVERING)
                else:
                    _radio(modem)
            except BusError as error:
                if short(error) == "Core.Unsupported":
                    return False
                raise ModemLost(labelled(step.value, advice_and_meaning(error)[1]), Trouble.FAULTY) from error
        return True

    @contextmanager
    def _modem(self) -> Iterator[ManagedModem]:
        """Yield the modem, found anew where it is not open."""
        if self._session is not None:
            yield self._session.modem
            return
        session = _Session(self._context, self._wake)
        try:
            session.modem.find()
            yield session.modem
        finally:
            session.bus.close()


def _see_that_it_was_enabled(enabling: Pending) -> None:
    try:
        enabling.result()
    except BusError as error:
        other = translated(error)
        if other is not error:
            raise other from error
        raise ModemLost(
            _("the modem cannot be enabled: {advice_and_meaning}", advice_and_meaning=advice_and_meaning(error)[1]),
            Trouble.FAULTY,
        ) from error


def _radio(modem: ManagedModem) -> None:
    """Take the modem's radio away and give it back: enabling it brings full power (MMModemPowerState)."""
    modem.call(MODEM, "Enable", "b", False, timeout=_RECOVERING)
    try:
        modem.call(MODEM, "SetPowerState", "u", POWER_LOW, timeout=_RECOVERING)
    except BusError as error:
        logger.debug("the modem's radio stays on: %s", short(error))
    modem.call(MODEM, "Enable", "b", True, timeout=_RECOVERING)
