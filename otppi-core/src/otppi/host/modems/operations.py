"""The operations on a single modem: its SIM card's lock, its memories, and its connection to the internet."""

from collections.abc import Callable
from typing import Any, TypeVar

from otppi.api.errors import InvalidSettings, NotDone
from otppi.api.modem import Modem
from otppi.api.operations import Operation, Role
from otppi.api.settings import text
from otppi.api.sim import SimAction, SimStatus
from otppi.host.messages.dispatch import Dispatch
from otppi.host.modems.internet import InternetLinks
from otppi.host.modems.worker import ModemWorker, modem_workers
from otppi.host.runtime.operations import HostCall
from otppi.text import _
from otppi.wire.errors import FieldError

MODEM = text("modem", "Modem", "name of the modem", required=True)
"""The parameter that names a modem as the settings do."""
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


def _sim_status(call: HostCall, modem: str) -> dict[str, Any]:
    worker = worker_of(call, modem)
    return _status(modem, _done(worker, lambda driver: driver.sim_status()))


def _sim_change(call: HostCall, modem: str, action: str, secret: str, new_pin: str) -> dict[str, Any]:
    """Change the lock; a modem that waited for it is opened at once.

    Raises:
        InvalidSettings: There is no such modem, or a number is none.
        NotDone: The SIM refused.
    """
    worker = worker_of(call, modem)
    wanted = SimAction(action)
    puk = wanted is SimAction.UNBLOCK
    right = {"secret": _is_pin(secret) and (len(secret) == 8 or not puk), "new_pin": _is_pin(new_pin)}
    if wanted not in _NEW_PIN:
        del right["new_pin"]
    reason = {True: _("a PUK has 8 digits"), False: _("a PIN has 4 to 8 digits")}
    if problems := [FieldError(key, reason[puk and key == "secret"]) for key, ok in right.items() if not ok]:
        raise InvalidSettings(problems)

    def change(driver: Modem) -> SimStatus:
        status = driver.sim_change(wanted, secret, new_pin)
        worker.retry_now()
        return status

    return _status(modem, _done(worker, change))


def _clear_memory(call: HostCall, modem: str) -> dict[str, Any]:
    worker = worker_of(call, modem)
    cleared = _done(worker, lambda driver: driver.clear_memory())
    return {"modem_id": modem, "cleared": cleared}


def _internet(call: HostCall) -> list[dict[str, Any]]:
    return call.part(InternetLinks).status()


def _done(worker: ModemWorker, job: Callable[[Modem], T]) -> T:
    """Let the modem's thread do it, also while the modem is closed: it may be the SIM that keeps it so."""
    future = worker.call(job, closed=True)
    try:
        return future.result(_SIM_PATIENCE)
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


OPERATIONS = (
    Operation(
        name="sim_status",
        title="Lock of the SIM card",
        help="Say what the SIM asks for, and how many tries are left.",
        handler=_sim_status,
        parameters=(MODEM,),
        role=Role.VIEWER,
        reads_only=True,
        command="sim status",
        positional=("modem",),
        examples=("m0",),
    ),
    Operation(
        name="sim_change",
        title="Change the lock of the SIM card",
        help="Give the PIN that the SIM asks for, unblock it by its PUK, change its PIN, or have it ask for none. "
        "A modem that waited for it is opened at once.",
        handler=_sim_change,
        parameters=(
            MODEM,
            text("action", "Action", "what is to be done", required=True, choices=tuple(SimAction)),
            text("secret", "PIN or PUK", "the PIN; to unblock it the PUK", secret=True),
            text("new_pin", "New PIN", "the PIN from now on, to unblock it or to change it", secret=True),
        ),
        subject="modem",
    ),
    Operation(
        name="clear_memory",
        title="Clear the memories",
        help="Delete messages to be sent that other programs have left in a modem's memories: where these are full, "
        "nothing comes in and some modems cannot send. What came in is not deleted.",
        handler=_clear_memory,
        parameters=(MODEM,),
        role=Role.OPERATOR,
        subject="modem",
        command="modem clear-memory",
        positional=("modem",),
        examples=("m0",),
    ),
    Operation(
        name="internet",
        title="Mobile internet",
        help="Say how the connection of each modem with internet access is, and why there is none.",
        handler=_internet,
        role=Role.VIEWER,
        reads_only=True,
        command="internet status",
        examples=("", "--json"),
    ),
)
