"""The operations on modems: SIM cards' locks, memories, connections to the internet, usage, simulated phones."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any, TypeVar

from otppi.api.egress import EgressState
from otppi.api.errors import InvalidSettings, NotDone
from otppi.api.modem import Modem
from otppi.api.operations import Offline, Operation, Role
from otppi.api.settings import number, text
from otppi.api.sim import SimAction, SimStatus
from otppi.host.messages.dispatch import Dispatch
from otppi.host.modems.apn import PRESETS
from otppi.host.modems.internet import InternetLinks
from otppi.host.modems.worker import ModemWorker, modem_workers
from otppi.host.runtime.registry import LONGEST_WAIT, HostCall
from otppi.text import _
from otppi.wire.errors import FieldError

MODEM = text("modem", _("Modem"), _("name of the modem"), required=True)
"""The parameter that names a modem as the settings do."""
PIN = text("secret", _("PIN"), _("the PIN of the SIM card"), secret=True, tidy=str.strip)
PUK = text("secret", _("PUK"), _("the PUK of the SIM card"), secret=True, tidy=str.strip)
NEW_PIN = text("new_pin", _("New PIN"), _("the PIN from now on"), secret=True, tidy=str.strip)
_TEST_MESSAGE = "OTP-Pi: this is a test message."
_SIM_PATIENCE = 120.0
"""For the modem to finish the message that it is sending, and for the SIM card."""
_NEW_PIN = frozenset({SimAction.UNBLOCK, SimAction.CHANGE_PIN})

T = TypeVar("T")


def workers_of(call: HostCall) -> list[ModemWorker]:
    """Return the workers of the running gateway's modems."""
    return modem_workers(call.part(Dispatch).workers())


def worker_of(call: HostCall, modem: str) -> ModemWorker:
    """Return the worker of a modem of the running gateway.

    Raises:
        InvalidSettings: There is no active modem of this name.
    """
    workers = {worker.name: worker for worker in workers_of(call)}
    if modem not in workers:
        reason = _("there is no active modem of this name; there are {workers}", workers=", ".join(workers))
        raise InvalidSettings([FieldError("modem", reason)])
    return workers[modem]


def _sim_status(call: HostCall, modem: str, wait: float) -> dict[str, Any]:
    worker = worker_of(call, modem)
    return _status(modem, _done(worker, lambda driver: driver.sim_status(), wait))


def _sim_change(wanted: SimAction, call: HostCall, modem: str, secret: str, new_pin: str = "") -> dict[str, Any]:
    """Change the lock; a modem that waited for it is opened at once.

    Raises:
        InvalidSettings: There is no such modem, or a number is none.
        NotDone: The SIM refused.
    """
    worker = worker_of(call, modem)
    puk = wanted is SimAction.UNBLOCK
    right = {"secret": _is_pin(secret) and (len(secret) == 8 or not puk), "new_pin": _is_pin(new_pin)}
    if wanted not in _NEW_PIN:
        del right["new_pin"]
    reason = {True: _("a PUK has 8 digits"), False: _("a PIN has 4 to 8 digits")}
    if problems := [FieldError(key, reason[puk and key == "secret"]) for key, ok in right.items() if not ok]:
        raise InvalidSettings(problems)

    def change(driver: Modem) -> SimStatus:
        try:
            return driver.sim_change(wanted, secret, new_pin)
        finally:  # also one that was refused: what the SIM card asks for may be another number now
            worker.retry_now()

    return _status(modem, _done(worker, change))


def _clear_memory(call: HostCall, modem: str) -> dict[str, Any]:
    worker = worker_of(call, modem)
    cleared = _done(worker, lambda driver: driver.clear_memory())
    return {"modem_id": modem, "cleared": cleared}


def _internet(call: HostCall) -> list[dict[str, Any]]:
    return call.part(InternetLinks).status()


def _usage(call: HostCall) -> list[dict[str, Any]]:
    """Return what each modem has sent and spent, and what its limits leave."""
    return [{"modem_id": worker.name, **worker.account.describe()} for worker in workers_of(call)]


def _phone(call: HostCall, after: float) -> list[dict[str, Any]]:
    """Show what arrived on the phones of simulated modems after some Unix time, oldest first."""
    shown = [
        {"arrived": one.arrived, "modem": one.modem, "to": one.destination, "text": one.text, "flash": one.flash}
        for worker in workers_of(call)
        for one in worker.modem.phone()
        if one.arrived > after
    ]
    return sorted(shown, key=lambda message: message["arrived"])


def _presets(call: HostCall) -> list[dict[str, Any]]:  # noqa: ARG001 - every handler gets the call
    return [{"preset": key} | asdict(one) for key, one in PRESETS.items()]


def _test(call: HostCall, modem: str, to: str) -> dict[str, Any]:
    """Look at a modem, and send a message by it where it is ready and a number is given; return both.

    Raises:
        InvalidSettings: There is no such modem, or the number is none.
    """
    modems = {one["modem_id"]: one for one in call.perform("modems")}
    found = modems.get(modem)
    if found is None:
        reason = _("there is no active modem {modem!r}; there are {modems}", modem=modem, modems=", ".join(modems))
        raise InvalidSettings([FieldError("modem", reason)])
    if found["state"] != EgressState.READY or not to:
        return {"modem": found}
    answer: dict[str, Any] = call.perform("send", receiver=to, message=_TEST_MESSAGE, modem=modem, wait=LONGEST_WAIT)
    return answer | {"modem": found}


def _done(worker: ModemWorker, job: Callable[[Modem], T], patience: float = _SIM_PATIENCE) -> T:
    """Let the modem's thread do it, also while the modem is closed: it may be the SIM that keeps it so."""
    future = worker.call(job, closed=True)
    try:
        return future.result(patience)
    except TimeoutError as error:
        future.cancel()  # nobody would hear what became of it
        raise NotDone(_("modem {worker} had no time for it", worker=worker.name)) from error


def _is_pin(text: str) -> bool:
    return text.isascii() and text.isdigit() and 4 <= len(text) <= 8


def _status(modem: str, status: SimStatus) -> dict[str, Any]:
    return {
        "modem_id": modem,
        "state": status.state,
        "pin_tries": status.pin_tries,
        "puk_tries": status.puk_tries,
        "pin_enabled": status.pin_enabled,
    }


def _sim_operation(action: SimAction, title: str, help_text: str) -> Operation:
    """Declare a change of the lock of a modem's SIM card."""
    numbers = (PUK if action is SimAction.UNBLOCK else PIN, *([NEW_PIN] if action in _NEW_PIN else []))
    return Operation(
        name=f"sim_{action.value.replace('-', '_')}",
        title=title,
        help=help_text,
        handler=partial(_sim_change, action),
        parameters=(MODEM, *numbers),
        waits=True,
        subject="modem",
        command=f"sim {action.value}",
        positional=("modem",),
        examples=("m0", "m0 < secrets.txt"),
    )


OPERATIONS = (
    Operation(
        name="sim_status",
        title=_("Lock of the SIM card"),
        help=_("Say what the SIM asks for, and how many tries are left."),
        handler=_sim_status,
        parameters=(
            MODEM,
            number(
                "wait",
                _("Wait"),
                _("seconds that the modem may take to finish what it does"),
                _SIM_PATIENCE,
                minimum=0,
                maximum=LONGEST_WAIT,
                unit=_("s"),
            ),
        ),
        role=Role.VIEWER,
        reads_only=True,
        waits=True,
        command="sim status",
        positional=("modem",),
        examples=("m0",),
    ),
    _sim_operation(
        SimAction.ENTER_PIN, _("Enter the PIN"), _("Give the PIN that the SIM asks for; the modem is used at once.")
    ),
    _sim_operation(
        SimAction.UNBLOCK,
        _("Unblock the SIM card"),
        _("Give the PUK of a SIM that was blocked by wrong PINs, and a new PIN."),
    ),
    _sim_operation(SimAction.CHANGE_PIN, _("Change the PIN"), _("Change the PIN of a SIM that asks for one.")),
    _sim_operation(
        SimAction.ENABLE_PIN, _("Ask for the PIN"), _("Let the SIM ask for its PIN whenever it is switched on.")
    ),
    _sim_operation(SimAction.DISABLE_PIN, _("Ask for no PIN"), _("Let the SIM ask for its PIN no more.")),
    Operation(
        name="clear_memory",
        title=_("Clear the memories"),
        help=_(
            "Delete messages to be sent that other programs have left in a modem's memories: where these are full, "
            "nothing comes in and some modems cannot send. What came in is not deleted."
        ),
        handler=_clear_memory,
        parameters=(MODEM,),
        role=Role.OPERATOR,
        waits=True,
        subject="modem",
        command="modem clear-memory",
        positional=("modem",),
        examples=("m0",),
    ),
    Operation(
        name="internet",
        title=_("Mobile internet"),
        help=_("Say how the connection of each modem with internet access is, and why there is none."),
        handler=_internet,
        role=Role.VIEWER,
        reads_only=True,
        command="internet status",
        examples=("", "--json"),
    ),
    Operation(
        name="usage",
        title=_("Usage"),
        help=_("Say how many segments each modem has sent today and this month, of which quota, and what they cost."),
        handler=_usage,
        role=Role.VIEWER,
        reads_only=True,
        command="usage",
        examples=("", "--json | jq '.[].this_month.spent'"),
    ),
    Operation(
        name="phone",
        title=_("Phones of simulated modems"),
        help=_("Show what arrived on the phones of simulated modems. The texts are in the memory of the gateway only."),
        handler=_phone,
        parameters=(number("after", _("After"), _("only what arrived after this Unix time"), 0.0, unit=_("s")),),
        role=Role.OPERATOR,
        reads_only=True,
        command="phone",
        examples=("", "--follow", "--follow --json | jq -r .text"),
    ),
    Operation(
        name="internet_presets",
        title=_("Access points of operators"),
        help=_("List the operators whose access points are known: what the setting apn_preset can be."),
        handler=_presets,
        role=Role.VIEWER,
        reads_only=True,
        command="internet presets",
        examples=("", "--json"),
        offline=Offline.ANYWHERE,
    ),
    Operation(
        name="modem_test",
        title=_("Test a modem"),
        help=_("Say whether a modem of the running gateway is ready, and send a test SMS by it."),
        handler=_test,
        parameters=(MODEM, text("to", _("Number"), _("send a test SMS to this number"))),
        role=Role.OPERATOR,
        waits=True,
        subject="modem",
        command="modem test",
        positional=("modem",),
        examples=("m0", "m0 --to 081234567890"),
    ),
)
