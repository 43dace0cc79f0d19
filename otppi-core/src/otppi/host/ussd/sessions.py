"""USSD sessions: one session for each modem at a time, who has it, and the network's answers, in RAM only.

A session begins with a code. The modem's own thread sends it between two messages, and goes on sending messages; the
answer comes when it comes (3GPP TS 27.007 7.15). Where the network wants a reply, the session stays open for one.
"""

import hashlib
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from enum import StrEnum
from typing import Any

from otppi.api.egress import EgressState
from otppi.api.errors import ModemLost, NotDone, NotSupported
from otppi.api.events import UssdAnswer, UssdStatus
from otppi.api.ingress import Origin, Sender
from otppi.api.modem import Modem
from otppi.host.messages.refusal import NotAccepted
from otppi.host.modems.ussd_settings import USSD_TIMEOUT
from otppi.host.modems.worker import ModemWorker
from otppi.host.ussd.dialogue import UssdDialogue
from otppi.kit.threads import BEGIN_WITHIN, CANNOT_START, prompt
from otppi.text import _, words
from otppi.text.states import egress_said, said
from otppi.wire.envelope import ResponseCode
from otppi.wire.ussd import LONGEST, is_code

logger = logging.getLogger(__name__)

_KEPT = 64
_KEPT_FOR = 300.0
_RETRY_AFTER = 30


class SessionState(StrEnum):
    """Where a session stands."""

    QUEUED = "queued"
    """Its string waits for the modem, which may be sending a message."""
    SENDING = "sending"
    """The network has it, or is about to."""
    REPLY_WANTED = "reply-wanted"
    ENDED = "ended"


Exchange = Future[UssdAnswer]
"""One string and its answer; a failure is always a `NotAccepted`."""


class UssdSession:
    """One session. The lock of `UssdSessions` guards every change; single attributes may be read by any thread."""

    __slots__ = (
        "asked",
        "dialogue",
        "due",
        "ended",
        "exchange",
        "job",
        "modem",
        "owner",
        "session_id",
        "since",
        "state",
        "timer",
        "unanswered",
    )

    def __init__(self, modem: str, owner: Origin) -> None:
        self.session_id = os.urandom(8).hex()
        self.modem = modem
        self.owner = owner
        self.asked = b""
        self.since = time.time()
        self.ended = 0.0
        self.state = SessionState.QUEUED
        self.exchange: Exchange = Future()
        self.unanswered: Exchange | None = self.exchange
        self.job: Future[None] | None = None
        self.due = 0.0
        self.timer: threading.Timer | None = None
        self.dialogue: UssdDialogue | None = None

    @property
    def shown_owner(self) -> str:
        """Who has it, as others are told."""
        return f"{self.owner.ingress}/{self.owner.sender.name}"

    def __repr__(self) -> str:
        return f"<UssdSession {self.session_id} {self.modem} {self.state.value}>"


def problem_of_code(text: str) -> str | None:
    """Return what is wrong with a USSD code, or None."""
    return None if is_code(text) else _("must be 1 to {longest} digits, *, # and +, such as *123#", longest=LONGEST)


def problem_of_reply(text: str) -> str | None:
    """Return what is wrong with a reply, or None: it is any text of one line."""
    right = 0 < len(text) <= LONGEST and text.isprintable()
    return None if right else _("must be one line of 1 to {longest} characters", longest=LONGEST)


class UssdSessions:
    """All sessions. Any thread may call anything.

    Args:
        workers: Gives the modems that there are now.

    Attributes:
        timeouts: For each modem how many seconds its turn, the network's answer, and a reply may take.
    """

    def __init__(self, workers: Callable[[], Sequence[ModemWorker]]) -> None:
        self.timeouts: Mapping[str, float] = {}
        self._workers = workers
        self._lock = threading.Lock()
        self._open: dict[str, UssdSession] = {}
        self._kept: OrderedDict[str, UssdSession] = OrderedDict()
        self._stopped = False
        self._key = os.urandom(32)

    # -- asking -----------------------------------------------------------------------------------------------------

    def start(
        self,
        modem: str,
        code: str,
        owner: Origin,
        *,
        from_api: bool = False,
        client_id: str | None = None,
        keep: bool = False,
    ) -> UssdSession:
        """Begin a session; `owner` is who others are told has it. With `keep` what is said in it is kept for them.

        A code may cost money, so one that its broker delivers again is not run again: its sender gets the session that
        it began, and where that is not known (the gateway was started anew, or another one had it) it is unconfirmed.

        Raises:
            NotAccepted: There is no such modem, it is not ready (1101), or somebody has a session on it (1205); or it
                may have been run before (1207).
        """
        asked = self._digest(modem, code, client_id)
        if owner.redelivered:
            return self._begun(asked, owner.sender)
        worker = self._ready_worker(modem, from_api=from_api)
        with self._lock:
            if self._stopped:
                raise NotAccepted(ResponseCode.NO_MODEM, _("the gateway is stopping"))
            if busy := self._open.get(modem):
                cause = _("{shown_owner} has a USSD session on {modem}", shown_owner=busy.shown_owner, modem=modem)
                raise NotAccepted(ResponseCode.QUEUE_FULL, cause, retry_after=_RETRY_AFTER)
            session = self._open[modem] = UssdSession(modem, owner)
            session.asked = asked
            if keep:
                session.dialogue = UssdDialogue()
                session.dialogue.asked(code)
            self._keep(session)
        self._send(session, session.exchange, worker, code)
        return session

    def _digest(self, modem: str, code: str, client_id: str | None) -> bytes:
        """Know a request again without keeping its code."""
        return hashlib.blake2b(repr((modem, code, client_id)).encode(), key=self._key, digest_size=16).digest()

    def _begun(self, asked: bytes, sender: Sender) -> UssdSession:
        with self._lock:
            self._forget_old()
            for session in reversed(self._kept.values()):
                if session.asked == asked and session.owner.sender == sender:
                    return session
        cause = _("it came again from its broker and may have been run before; it is not run again")
        raise NotAccepted(ResponseCode.UNCONFIRMED, cause)

    def reply(self, session_id: str, text: str, sender: Sender) -> UssdSession:
        """Reply in a session of this sender that waits for it.

        Raises:
            NotAccepted: There is no such session, or it waits for no reply (1102); or the modem is not ready (1101).
        """
        session = self.find(session_id, sender)
        if session is None:
            raise NotAccepted(ResponseCode.FAILED, _("there is no such USSD session"))
        worker = self._ready_worker(session.modem)
        with self._lock:
            if session.state is not SessionState.REPLY_WANTED:
                raise NotAccepted(
                    ResponseCode.FAILED,
                    _("the USSD session wants no reply: it is {state}", state=said(session.state.value)),
                )
            session.state = SessionState.QUEUED
            session.exchange = session.unanswered = Future()
            if session.dialogue is not None:
                session.dialogue.asked(text)
        self._send(session, session.exchange, worker, text)
        return session

    def cancel(self, modem: str) -> bool:
        """End the session on a modem, whoever has it; False where there is none."""
        with self._lock:
            session = self._open.get(modem)
            if session is None:
                return False
            exchange = session.unanswered
            self._close(session)
        if exchange is not None:
            exchange.set_exception(NotAccepted(ResponseCode.FAILED, _("the USSD session was cancelled")))
        self._hang_up(modem)
        return True

    def find(self, session_id: str, sender: Sender) -> UssdSession | None:
        """Find a session of this sender, also one that ended in the last five minutes."""
        with self._lock:
            self._forget_old()
            session = self._kept.get(session_id)
        return session if session is not None and session.owner.sender == sender else None

    def sessions(self) -> list[dict[str, Any]]:
        """List the open sessions, without any text."""
        with self._lock:
            return [
                {
                    "session": session.session_id,
                    "modem_id": session.modem,
                    "owner": session.shown_owner,
                    "state": session.state.value,
                    "since": round(session.since),
                }
                for session in self._open.values()
            ]

    def busy(self, modem: str) -> bool:
        """Whether somebody has a session on a modem."""
        return modem in self._open

    def stop(self) -> None:
        """End all sessions and begin no more."""
        with self._lock:
            self._stopped = True
            exchanges = [session.unanswered for session in self._open.values()]
            for session in list(self._open.values()):
                self._close(session)
        for exchange in filter(None, exchanges):
            exchange.set_exception(
                NotAccepted(ResponseCode.UNCONFIRMED, _("the gateway stopped before the network answered"))
            )

    # -- the modem's thread -----------------------------------------------------------------------------------------

    def answered(self, modem: str, answer: UssdAnswer) -> None:
        """Take what the network says; of what nobody asked for only the log has a line."""
        with self._lock:
            session = self._open.get(modem)
            if session is None or session.state is SessionState.QUEUED:
                logger.debug("modem %s: the network said something by USSD that nobody waits for", modem)
                return
            exchange, session.unanswered = session.unanswered, None
            if session.dialogue is not None:
                session.dialogue.answered(answer.text)
            if answer.status is UssdStatus.REPLY_WANTED:
                session.state = SessionState.REPLY_WANTED
                self._arm(session, session.exchange)
            else:
                self._close(session)
        if exchange is not None:
            exchange.set_result(answer)

    def _send(self, session: UssdSession, exchange: Exchange, worker: ModemWorker, text: str) -> None:
        def job(modem: Modem) -> None:
            with self._lock:
                if session.unanswered is not exchange:
                    return
                session.state = SessionState.SENDING  # from now on what comes is its answer
            modem.ussd(text)

        session.job = worker.call(job)
        with self._lock:
            if session.unanswered is exchange:
                self._arm(session, exchange)
        session.job.add_done_callback(lambda done: self._sent(session, exchange, done))

    def _sent(self, session: UssdSession, exchange: Exchange, job: "Future[None]") -> None:
        """Begin to wait for the network, or end with what the modem raised."""
        if job.cancelled():
            return
        error = job.exception()
        if error is not None:
            self._fail(session, exchange, _refusal(error))
            return
        with self._lock:
            if session.unanswered is exchange:
                self._arm(session, exchange)

    # -- time-outs --------------------------------------------------------------------------------------------------

    def _arm(self, session: UssdSession, exchange: Exchange) -> None:
        """Wind the clock up anew (locked)."""
        if session.timer is not None:
            session.timer.cancel()
        seconds = self.timeouts.get(session.modem, USSD_TIMEOUT)
        session.due = time.monotonic() + seconds
        timer = prompt(threading.Timer(seconds, self._expire, (session, exchange)))
        try:
            timer.start()
        except CANNOT_START:  # `look` ends it instead
            session.timer = None
        else:
            session.timer = timer

    def look(self) -> None:
        """End what took too long and has no timer that goes off, for want of a thread; every few seconds."""
        now = time.monotonic()
        with self._lock:
            grace = {session: BEGIN_WITHIN if session.timer is not None else 0.0 for session in self._open.values()}
            late = [session for session, seconds in grace.items() if 0.0 < session.due < now - seconds]
        for session in late:
            self._expire(session, session.exchange)

    def _expire(self, session: UssdSession, exchange: Exchange) -> None:
        """End what took too long: the string's turn, the network's answer, or the reply."""
        with self._lock:
            if session.exchange is not exchange or session.state is SessionState.ENDED:
                return
            unanswered = session.unanswered is not None
        if unanswered and session.job is not None and session.job.cancel():
            cause = _("the modem had no time for it: nothing was sent")
            self._fail(session, exchange, NotAccepted(ResponseCode.QUEUE_FULL, cause, retry_after=_RETRY_AFTER))
            return
        if unanswered:
            cause = _("the network did not answer in time: what was asked for may have been done")
            self._fail(session, exchange, NotAccepted(ResponseCode.UNCONFIRMED, cause))
        else:
            with self._lock:
                self._close(session)
        self._hang_up(session.modem)

    def _fail(self, session: UssdSession, exchange: Exchange, refused: NotAccepted) -> None:
        with self._lock:
            if session.unanswered is not exchange:
                return
            self._close(session)
        logger.info("USSD session %s on modem %s: %s", session.session_id, session.modem, refused.cause)
        exchange.set_exception(refused)

    def _close(self, session: UssdSession) -> None:
        """Let go of the modem (locked)."""
        session.state = SessionState.ENDED
        session.ended = time.monotonic()
        session.unanswered = None
        if session.timer is not None:
            session.timer.cancel()
        if self._open.get(session.modem) is session:
            del self._open[session.modem]

    def _hang_up(self, modem: str) -> None:
        """Tell the modem to end the session, so that a late answer is not taken for the next one's."""
        worker = self._worker(modem)
        if worker is not None:
            worker.call(lambda driver: driver.cancel_ussd())

    # -- tables -----------------------------------------------------------------------------------------------------

    def _keep(self, session: UssdSession) -> None:
        self._kept[session.session_id] = session
        self._forget_old()

    def _forget_old(self) -> None:
        """Forget the sessions that ended long ago, and the oldest of too many (locked)."""
        now = time.monotonic()
        for session_id, session in list(self._kept.items()):
            if session.ended and (now - session.ended > _KEPT_FOR or len(self._kept) > _KEPT):
                del self._kept[session_id]

    def _worker(self, name: str) -> ModemWorker | None:
        return next((worker for worker in self._workers() if worker.name == name), None)

    def _ready_worker(self, name: str, *, from_api: bool = False) -> ModemWorker:
        worker = self._worker(name)
        if worker is None or (from_api and not worker.send_from_api):
            raise NotAccepted(ResponseCode.NO_MODEM, _("there is no such active modem"))
        if worker.status.state is not EgressState.READY:
            raise NotAccepted(
                ResponseCode.NO_MODEM,
                _("modem {name} is {state}", name=name, state=egress_said(worker.status.state.value)),
            )
        return worker


def _refusal(error: BaseException) -> NotAccepted:
    """Return what the modem's refusal means to whoever asked."""
    if isinstance(error, ModemLost):
        return NotAccepted(ResponseCode.NO_MODEM, error.cause)
    if isinstance(error, NotDone | NotSupported):
        return NotAccepted(ResponseCode.FAILED, words(error))
    logger.error("a modem's driver failed at USSD", exc_info=error)
    return NotAccepted(ResponseCode.UNCONFIRMED, _("the modem's driver failed ({error})", error=type(error).__name__))
