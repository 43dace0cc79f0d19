"""The operations of USSD: sessions by hand, and what is left on the SIM cards."""

from collections.abc import Callable
from concurrent.futures import wait as wait_for
from typing import Any

from otppi.api.errors import InvalidSettings
from otppi.api.operations import Operation, Role
from otppi.api.settings import number, text
from otppi.host.messages.answers import Outcome
from otppi.host.messages.refusal import NotAccepted
from otppi.host.modems.operations import MODEM, worker_of
from otppi.host.runtime.registry import LONGEST_WAIT, HostCall, origin_of
from otppi.host.ussd.answers import of_exchange, of_refusal
from otppi.host.ussd.balance import Balances
from otppi.host.ussd.sessions import SessionState, UssdSession, UssdSessions, problem_of_code, problem_of_reply
from otppi.text import _
from otppi.wire.errors import FieldError

_SESSION = text("session", _("Session"), _("the session, as the answer names it"), required=True)
_WAIT = number(
    "wait", _("Wait"), _("seconds to wait for the answer"), 100.0, minimum=0, maximum=LONGEST_WAIT, unit=_("s")
)


def _begin(call: HostCall, modem: str, code: str, wait: float) -> dict[str, Any]:
    """Begin a USSD session; return the network's answer, or how it stands after at most `wait` seconds."""
    _check("code", problem_of_code(code))
    worker_of(call, modem)
    return _ask(lambda: call.part(UssdSessions).start(modem, code, origin_of(call.actor), keep=True), wait)


def _reply(call: HostCall, session: str, text: str, wait: float) -> dict[str, Any]:
    _check("text", problem_of_reply(text))
    return _ask(lambda: call.part(UssdSessions).reply(session, text, origin_of(call.actor).sender), wait)


def _wait(call: HostCall, session: str, wait: float) -> dict[str, Any]:
    found = _own(call, session)
    return _ask(lambda: found, wait)


def _dialogue(call: HostCall, session: str) -> dict[str, Any]:
    """Return what was said in a session of the actor, and how its last exchange stands.

    Raises:
        InvalidSettings: The actor has no such session.
    """
    found = _own(call, session)
    stands = _shown(of_exchange(found, found.exchange))
    return {
        "response_code": stands["response_code"],
        "session": found.session_id,
        "modem_id": found.modem,
        "state": found.state.value,
        "reply_wanted": found.state is SessionState.REPLY_WANTED,
        "cause": stands.get("cause", ""),
        "dialogue": [] if found.dialogue is None else found.dialogue.shown(),
    }


def _own(call: HostCall, session: str) -> UssdSession:
    found = call.part(UssdSessions).find(session, origin_of(call.actor).sender)
    if found is None:
        raise InvalidSettings([FieldError("session", _("there is no such USSD session"))])
    return found


def _cancel(call: HostCall, modem: str) -> dict[str, Any]:
    worker_of(call, modem)
    return {"modem_id": modem, "changed": call.part(UssdSessions).cancel(modem)}


def _sessions(call: HostCall) -> list[dict[str, Any]]:
    return call.part(UssdSessions).sessions()


def _balances(call: HostCall, modem: str) -> list[dict[str, Any]]:
    """List the balances as they were read last; of one modem where it is named.

    Raises:
        InvalidSettings: That modem has none.
    """
    balances = call.part(Balances)
    names = [name for name in balances.modems() if modem in ("", name)]
    if modem and not names:
        reason = _("{modem} is no active modem that has a balance_ussd", modem=modem)
        raise InvalidSettings([FieldError("modem", reason)])
    return [{"modem_id": name, **balances.describe(name)} for name in names]


def _balance_read(call: HostCall, modem: str) -> dict[str, Any]:
    worker_of(call, modem)
    balances = call.part(Balances)
    balances.read(modem, origin_of(call.actor))
    return {"modem_id": modem, **balances.describe(modem)}


def _ask(begin: Callable[[], UssdSession], wait: float) -> dict[str, Any]:
    try:
        session = begin()
    except NotAccepted as refused:
        return _shown(of_refusal(refused, {}))
    exchange = session.exchange
    wait_for([exchange], wait)
    return _shown(of_exchange(session, exchange))


def _check(field: str, problem: str | None) -> None:
    if problem:
        raise InvalidSettings([FieldError(field, problem)])


def _shown(outcome: Outcome) -> dict[str, Any]:
    shown = {key: value for key, value in outcome.data.items() if key != "id"}
    return {"response_code": outcome.code.value, **shown}


OPERATIONS = (
    Operation(
        name="ussd",
        title=_("Run a USSD code"),
        help=_("Run a USSD code on a modem, and tell what the network says."),
        handler=_begin,
        parameters=(MODEM, text("code", _("Code"), _("the code, such as *123#")), _WAIT),
        role=Role.OPERATOR,
        waits=True,
        subject="modem",
        command="ussd",
        positional=("modem", "code"),
        examples=(
            "m0 '*123#'",
            "m0 '*123#' --json | jq -r .text",
            "m0 1 --reply 0123456789abcdef",
            "m0 --cancel",
        ),
    ),
    Operation(
        name="ussd_reply",
        title=_("Reply in a USSD session"),
        help=_("Reply in a USSD session that waits for it."),
        handler=_reply,
        parameters=(_SESSION, text("text", _("Reply"), _("what the network is told")), _WAIT),
        role=Role.OPERATOR,
        waits=True,
        subject="session",
    ),
    Operation(
        name="ussd_wait",
        title=_("Wait for the answer in a USSD session"),
        help=_("Wait for the answer in a USSD session."),
        handler=_wait,
        parameters=(_SESSION, _WAIT),
        role=Role.OPERATOR,
        reads_only=True,
        waits=True,
    ),
    Operation(
        name="ussd_dialogue",
        title=_("Dialogue of a USSD session"),
        help=_("Show what was said in a USSD session of your own, also for five minutes after its end."),
        handler=_dialogue,
        parameters=(_SESSION,),
        role=Role.OPERATOR,
        reads_only=True,
    ),
    Operation(
        name="ussd_cancel",
        title=_("End a USSD session"),
        help=_("End the USSD session on a modem, whoever has it."),
        handler=_cancel,
        parameters=(MODEM,),
        role=Role.OPERATOR,
        subject="modem",
    ),
    Operation(
        name="ussd_sessions",
        title=_("USSD sessions"),
        help=_("List the open USSD sessions, without texts."),
        handler=_sessions,
        role=Role.VIEWER,
        reads_only=True,
    ),
    Operation(
        name="balances",
        title=_("Balances"),
        help=_("List the balances of the SIM cards as they were read last."),
        handler=_balances,
        parameters=(text("modem", _("Modem"), _("one modem (default: all that have a code)")),),
        role=Role.VIEWER,
        reads_only=True,
        command="balance",
        positional=("modem",),
        examples=("", "m0 --now", "--json"),
    ),
    Operation(
        name="balance_read",
        title=_("Read a balance"),
        help=_("Read the balance of a modem's SIM card now, which takes some seconds."),
        handler=_balance_read,
        parameters=(MODEM,),
        role=Role.OPERATOR,
        waits=True,
        subject="modem",
    ),
)
