"""The SIM's lock through ModemManager: its state, the PIN that is set, and the PIN tool."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from otppi.api.errors import ModemBlocked, NotDone, NotSupported
from otppi.api.sim import SimAction, SimStatus
from otppi.kit.at.pin_memory import PinMemory
from otppi_modem_modemmanager.bus import BusError
from otppi_modem_modemmanager.managed import ManagedModem
from otppi_modem_modemmanager.names import FACILITY_SIM, LOCKS, MODEM, THREEGPP, Lock
from otppi_modem_modemmanager.refusals import advice_and_meaning, short
from otppi_modem_modemmanager.text import _

logger = logging.getLogger(__name__)

_READY = frozenset({Lock.NONE, Lock.SIM_PIN2, Lock.SIM_PUK2})
_SECRET = re.compile(r"[0-9]{4,8}")


@dataclass(frozen=True, slots=True)
class _Change:
    """How an action is asked for, and in which state of the SIM it makes sense; `enable` is EnablePin's second word."""

    method: str
    needs: str
    new_pin: bool = False
    enable: bool | None = None


_CHANGES: Mapping[SimAction, _Change] = {
    SimAction.ENTER_PIN: _Change("SendPin", "SIM PIN"),
    SimAction.UNBLOCK: _Change("SendPuk", "SIM PUK", new_pin=True),
    SimAction.CHANGE_PIN: _Change("ChangePin", "READY", new_pin=True),
    SimAction.ENABLE_PIN: _Change("EnablePin", "READY", enable=True),
    SimAction.DISABLE_PIN: _Change("EnablePin", "READY", enable=False),
}


def unlock(modem: ManagedModem, settings: Mapping[str, Any], memory: PinMemory) -> bool:
    """Return the PIN where it is asked for, once per boot and PIN (modems.md 16); True where it was given.

    Raises:
        ModemBlocked: A person has to do something first.
    """
    lock = int(modem.get(MODEM, "UnlockRequired", Lock.NONE))
    if lock == Lock.SIM_PIN:
        _give_pin(modem, settings["sim_card_pin"], memory)
        return True
    if lock in _READY:
        memory.forget()
    elif LOCKS.get(lock, "") != "":
        raise ModemBlocked(_("the SIM asks for {locks}", locks=LOCKS[lock]))
    return False


def _give_pin(modem: ManagedModem, pin: str, memory: PinMemory) -> None:
    memory.claim(pin, lambda: _tries(modem, Lock.SIM_PIN))
    try:
        modem.call_sim("SendPin", "s", pin)
    except BusError as error:
        raise ModemBlocked(_("the SIM refused the PIN ({short})", short=short(error))) from error
    logger.info("the SIM PIN was accepted")


def status(modem: ManagedModem) -> SimStatus:
    """Return how the SIM's lock stands."""
    modem.refresh()
    lock = int(modem.get(MODEM, "UnlockRequired", Lock.NONE))
    facilities = modem.get(THREEGPP, "EnabledFacilityLocks", None)
    asking = lock in (Lock.SIM_PIN, Lock.SIM_PUK)
    return SimStatus(
        # The second PIN and PUK guard features that are of no use here: the SIM is ready all the same.
        state="READY" if lock in _READY else LOCKS.get(lock, ""),
        pin_tries=_tries(modem, Lock.SIM_PIN),
        puk_tries=_tries(modem, Lock.SIM_PUK),
        pin_enabled=True if asking else None if facilities is None else bool(int(facilities) & FACILITY_SIM),
    )


class SimTool:
    """What a person does with the SIM of one modem.

    Args:
        modem: The modem.
        memory: Where it is remembered which PIN must not be tried again by itself.
        own_pin: The PIN of the settings, which is tried by itself.
    """

    def __init__(self, modem: ManagedModem, memory: PinMemory, own_pin: str) -> None:
        self._modem = modem
        self._memory = memory
        self._own_pin = own_pin

    def change(self, action: SimAction, secret: str, new_pin: str) -> SimStatus:
        """Do what a person wants, and return the status after it; raises as `Modem.sim_change` does."""
        change = _CHANGES[action]
        arguments = [secret, *([new_pin] if change.new_pin else [])]
        if not all(map(_SECRET.fullmatch, arguments)):
            raise NotDone(_("a PIN is 4 to 8 digits, a PUK 8"))
        before = status(self._modem)
        if before.state != change.needs:
            raise NotDone(
                _("the SIM must say {needs} for that, and it says {state}", needs=change.needs, state=before.state)
            )
        words = [*arguments, *([] if change.enable is None else [change.enable])]
        signature = "s" * len(arguments) + "b" * (change.enable is not None)
        try:
            self._modem.call_sim(change.method, signature, *words)
        except BusError as error:
            if short(error) == "Core.Unsupported":
                raise NotSupported(_("ModemManager cannot do that with this modem")) from error
            if action is SimAction.ENTER_PIN and secret == self._own_pin:
                self._memory.remember(secret)
            raise NotDone(self._refusal(error)) from error
        if action in (SimAction.ENTER_PIN, SimAction.UNBLOCK):
            self._memory.forget()
        return status(self._modem)

    def _refusal(self, error: BusError) -> str:
        after = status(self._modem)
        reason = advice_and_meaning(error)[1]
        return _(
            "the SIM refused: {reason}; tries left: PIN {shown}, PUK {shown2}",
            reason=reason,
            shown=_shown(after.pin_tries),
            shown2=_shown(after.puk_tries),
        )


def _shown(count: int | None) -> str:
    return "unknown" if count is None else str(count)


def _tries(modem: ManagedModem, lock: Lock) -> int | None:
    left = modem.get(MODEM, "UnlockRetries", {}).get(int(lock))
    return None if left is None else int(left)
