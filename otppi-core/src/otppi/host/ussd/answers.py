"""The answers to `request-ussd`: what an exchange looks like to the sender, now or when the network has answered."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import wait as wait_for
from threading import Lock
from typing import Any

from otppi.api.events import UssdAnswer, UssdStatus
from otppi.api.ingress import Origin, Ticket
from otppi.host.messages.answers import FixedTicket, Outcome, assemble
from otppi.host.messages.refusal import NotAccepted
from otppi.host.ussd.sessions import Exchange, UssdSession, UssdSessions, problem_of_code, problem_of_reply
from otppi.text import _
from otppi.wire.envelope import Answer, Envelope, Item, ResponseCode, malformed
from otppi.wire.errors import EnvelopeError, FieldError

_NO_TEXT: Mapping[UssdStatus, tuple[ResponseCode, str]] = {
    UssdStatus.ENDED: (ResponseCode.UNCONFIRMED, _("the session was ended without an answer")),
    UssdStatus.OTHER_CLIENT: (ResponseCode.FAILED, _("another client of the SIM has answered")),
    UssdStatus.NOT_SUPPORTED: (ResponseCode.FAILED, _("the network does not know this code")),
    UssdStatus.TIMED_OUT: (ResponseCode.UNCONFIRMED, _("the network gave up waiting")),
}
"""What an answer without text means; whether anything was done the network does not say of the unconfirmed ones."""


def of_exchange(session: UssdSession, exchange: Exchange, client_id: str | None = None) -> Outcome:
    """Describe an exchange as it stands."""
    data: dict[str, Any] = {"id": client_id, "modem_id": session.modem, "session": session.session_id}
    if not exchange.done():
        return Outcome(ResponseCode.SUCCESS, data | {"state": session.state.value})
    error = exchange.exception()
    if error is not None:
        return of_refusal(error, data)
    return _of_answer(exchange.result(), data)


def of_refusal(error: BaseException, data: Mapping[str, Any]) -> Outcome:
    """Describe why there is no answer."""
    if not isinstance(error, NotAccepted):
        raise error
    shown: dict[str, Any] = {**data, "state": _failed(error.code), "cause": error.cause}
    if error.retry_after is not None:
        shown["retry_after"] = error.retry_after
    return Outcome(error.code, shown)


def _of_answer(answer: UssdAnswer, data: Mapping[str, Any]) -> Outcome:
    if not answer.text and (meaning := _NO_TEXT.get(answer.status)):
        code, cause = meaning
        return Outcome(code, {**data, "state": _failed(code), "cause": cause})
    wanted = answer.status is UssdStatus.REPLY_WANTED
    said = {"state": answer.status.value, "text": answer.text, "reply_wanted": wanted}
    said |= {"ussd_content": answer.text, "replyable": wanted}  # the original's names for them
    return Outcome(ResponseCode.SUCCESS, {**data, **said})


def _failed(code: ResponseCode) -> str:
    return "unconfirmed" if code is ResponseCode.UNCONFIRMED else "failed"


Asked = tuple[UssdSession, Exchange, str | None]
"""A session that was begun or gone on with, the exchange of it that is asked about, and the sender's own number."""


class UssdTicket:
    """The ticket of `request-ussd`: some codes wait for the network, others were refused."""

    def __init__(self, command: str, items: Sequence[Asked | Outcome], *, as_list: bool) -> None:
        self._command = command
        self._items = items
        self._as_list = as_list
        self._exchanges = [item[1] for item in items if not isinstance(item, Outcome)]

    def answer(self, wait: float = 0.0) -> Answer:
        """Return the answer when the network has said all, or after `wait` seconds as it stands then."""
        if wait > 0 and self._exchanges:
            wait_for(self._exchanges, wait)
        outcomes = [item if isinstance(item, Outcome) else of_exchange(*item) for item in self._items]
        return assemble(self._command, outcomes, as_list=self._as_list)

    def when_final(self, callback: Callable[[Answer], None]) -> None:
        """Call back once, when the last answer has come."""
        left = [len(self._exchanges) + 1]
        lock = Lock()

        def one_less(_: object = None) -> None:
            with lock:
                left[0] -= 1
                last = left[0] == 0
            if last:
                callback(self.answer())

        for exchange in self._exchanges:
            exchange.add_done_callback(one_less)
        one_less()

    def withdraw(self) -> None:
        """Take nothing back: the network has been asked."""

    def is_held(self) -> bool:
        """Wait for nothing but the network."""
        return False


def ask(sessions: UssdSessions, envelope: Envelope, origin: Origin) -> Ticket:
    """Take a `request-ussd`: begin a session for each item, or go on with the one that it names."""
    problems = []
    for index, item in enumerate(envelope.items):
        check = problem_of_reply if item.session else problem_of_code
        if reason := check(item.ussd_code or ""):
            path = f"data[{index}]" if envelope.is_list else "data"
            problems.append(FieldError(f"{path}.ussd_code", reason))
    if problems:
        return FixedTicket(malformed(EnvelopeError(problems), envelope.name))
    items = [_begin(sessions, item, origin) for item in envelope.items]
    return UssdTicket(envelope.name, items, as_list=envelope.is_list)


def _begin(sessions: UssdSessions, item: Item, origin: Origin) -> Asked | Outcome:
    modem, text = item.modem_id or "", item.ussd_code or ""
    try:
        if item.session:
            session = sessions.reply(item.session, text, origin.sender)
        else:
            session = sessions.start(modem, text, origin, from_api=True, client_id=item.id)
    except NotAccepted as refused:
        return of_refusal(refused, {"id": item.id, "modem_id": modem})
    return session, session.exchange, item.id
