"""One-time passwords: makes a code, has it sent, keeps only its keyed hash, and verifies it once.

A code belongs to the sender who requested it (or to all, setting `verifier`), to a reference, and to a receiver. The
code itself stands in the text of its message only, like the text of any other, until that has its final state.
"""

import hashlib
import hmac
import logging
import math
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

from otppi.api.events import MessageChanged, MessageEnded, MessageEvent
from otppi.api.ingress import Origin
from otppi.api.message import State
from otppi.host.durable.spool import on_ram_disk
from otppi.host.messages.dispatch import Dispatch
from otppi.host.messages.expiry import span
from otppi.host.messages.refusal import NotAccepted
from otppi.host.otp.book import Code, CodeBook, CodeStatus
from otppi.host.otp.codes import Hasher, new_code, tidy
from otppi.host.otp.limits import RequestLimits, Window, too_many
from otppi.host.otp.settings import OtpValues
from otppi.host.records.record import Record
from otppi.host.runtime.events import EventBus, Subscription
from otppi.host.storage.sealed import SealedFile, spool_key
from otppi.text import _
from otppi.wire.envelope import Item, ResponseCode

logger = logging.getLogger(__name__)

_LONGEST = 86_400
"""Seconds that a code lives at most, whatever the request says."""
_OVER = frozenset({CodeStatus.VERIFIED, CodeStatus.REPLACED})
_NONE_WAITS = _("no one-time password waits for this reference and receiver")


@dataclass(frozen=True, slots=True)
class Draft:
    """A request with its code: `item` has it in its text, `wanted` is what came; `ends_at` as that of a record."""

    wanted: Item
    item: Item
    code: str = field(repr=False)
    ends_at: float | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """What became of a `verify-otp`. `retry_after` in seconds; `ambiguous`: the receiver has to be named."""

    code: ResponseCode
    cause: str = ""
    attempts_left: int | None = None
    retry_after: int | None = None
    ambiguous: bool = False


class OneTimePasswords:
    """All codes. Any thread may call anything.

    The lock of `OneTimePasswords` is taken before the dispatcher's, never while that is held.

    Args:
        values: The settings of section `otp`.
        dispatch: Sends the messages.
        key: What the hashes are made with.
        book: The codes, or where those of an earlier run are.
        clock: The monotonic clock.

    Attributes:
        counts: How many were `requested`, `verified`, `wrong`, `expired`, and `limited`.
    """

    def __init__(
        self,
        values: OtpValues,
        dispatch: Dispatch,
        key: bytes,
        book: CodeBook,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hasher = Hasher(key)
        self._book = book
        self._values = values
        self._limits = RequestLimits(values)
        self._wrong = Window()
        self._dispatch = dispatch
        self._clock = clock
        self._lock = Lock()
        self.counts = Counter[str](requested=0, verified=0, wrong=0, expired=0, limited=0)

    def configure(self, values: OtpValues) -> None:
        """Use other settings; codes that were sent keep their life."""
        with self._lock:
            self._values = values
            self._limits.configure(values)

    def subscribe_to(self, events: EventBus) -> tuple[Subscription, ...]:
        """Be told of the ends of messages, and of later states, by the event bus.

        Not of what is taken in: the lock of `OneTimePasswords` is held there.
        """

        def sent_a_code(record: Record) -> bool:
            return self._book.by_message(record.message_id) is not None

        return (
            events.subscribe(MessageEnded, self.ended, concerns=sent_a_code),
            events.subscribe(MessageChanged, self.ended, concerns=sent_a_code),
        )

    # -- request-otp ------------------------------------------------------------------------------------------------

    def draft(self, item: Item, *, direct: bool = False) -> Draft:
        """Put a new code into a request's text, and say when both end."""
        values, now = self._values, time.time()
        code = new_code(values["code_length"], values["alphabet"])
        end, ends_at = span(now, values["lifetime"], item.date_time, item.expiration, direct=direct)
        end = min(end, now + _LONGEST)
        text = (item.message or "").replace("%s", code)
        return Draft(item, replace(item, message=text, expiration=math.ceil(end)), code, ends_at)

    def submit(self, draft: Draft, record: Record) -> Record:
        """Have a request's message sent; return the earlier record where it is a duplicate, which makes no new code.

        Raises:
            NotAccepted: It is too early or too much (1208), there are too many codes (1205), or it cannot be sent.
        """
        record.amend(bulk=False, ends_at=draft.ends_at, reference=None)
        if record.digest:  # what tells a duplicate is what was requested, by whom: the text differs by its code
            wanted = f"{self._place(draft.wanted, record.origin).hex()}\0{_request(draft.wanted)}"
            record.digest = self._dispatch.records.digest(record.client_id, record.receiver, wanted)
        with self._lock:
            try:
                return self._admit(draft, record)
            except NotAccepted as refused:
                self.counts["limited"] += refused.code is ResponseCode.TOO_MANY
                raise

    def _admit(self, draft: Draft, record: Record) -> Record:
        now = self._clock()
        self._book.sweep(now)
        place = self._place(draft.wanted, record.origin)
        if not self._dispatch.is_duplicate(record):  # it has the last word
            self._check(place, record.receiver, now)
        if not self._book.has_room():
            raise NotAccepted(
                ResponseCode.QUEUE_FULL, _("too many one-time passwords wait to be verified"), retry_after=60
            )
        hash_ = self._hasher.code(record.message_id, place, record.receiver, draft.wanted.params, draft.code)
        until = now + max(0.0, record.deadline - record.taken)
        code = Code(record.message_id, place, record.receiver, hash_, now, until)
        self._book.store(code)  # before the message can go out: a crash must not leave somebody with an unknown code
        try:
            taken = self._dispatch.enqueue(record)
        except Exception:
            self._book.drop(code)
            raise
        if taken is not record or record.follows is not None:
            self._book.drop(code)
            return taken
        self._book.activate(code)
        self._limits.count(record.receiver, now, now)
        self.counts["requested"] += 1
        return record

    def _check(self, place: bytes, receiver: str, now: float) -> None:
        """Check whether a new code may be made; raises NotAccepted."""
        code = self._book.at(place).get(receiver)
        if code is not None and (wait := self._resend_wait(code, now)) > 0:
            raise too_many(_("a one-time password was sent a moment ago"), wait)
        self._check_wrong(place, receiver, now)
        self._limits.check(receiver, now)

    def _resend_wait(self, code: Code, now: float) -> float:
        if code.freed or code.status in _OVER:
            return 0.0
        record = self._dispatch.records.get(code.message_id)
        if record is not None and not record.state.went_out:
            return 0.0  # its sender may know it a moment before this object is told
        return code.made + float(self._values["resend_interval"]) - now

    # -- verify-otp -------------------------------------------------------------------------------------------------

    def verify(self, item: Item, receiver: str | None, origin: Origin) -> Verification:
        """Verify a code, which is right once; `receiver` may be left out where one code waits for the reference."""
        with self._lock:
            now = self._clock()
            self._book.sweep(now)
            try:
                verification = self._verify(item, self._place(item, origin), receiver, now)
            except NotAccepted as refused:
                verification = Verification(refused.code, refused.cause, retry_after=refused.retry_after)
            if kind := _COUNTED.get(verification.code):
                self.counts[kind] += 1
            return verification

    def _verify(self, item: Item, place: bytes, receiver: str | None, now: float) -> Verification:
        codes = self._book.at(place)
        if receiver is None:
            waiting = [code for code in codes.values() if code.status is CodeStatus.OPEN]
            if len(waiting) > 1:
                return Verification(ResponseCode.MALFORMED, ambiguous=True)
            code = waiting[0] if waiting else max(codes.values(), key=lambda one: one.made, default=None)
        else:
            code = codes.get(receiver)
        if code is None or code.status in _OVER:
            return Verification(ResponseCode.WRONG_OTP, _NONE_WAITS)
        self._check_wrong(place, code.receiver, now)
        if code.until <= now or self._over_by_the_clock(code):
            return Verification(ResponseCode.EXPIRED, _("the one-time password has expired"))
        if code.status is CodeStatus.BLOCKED:
            raise self._blocked(code, now)
        return self._compare(code, item, now)

    def _over_by_the_clock(self, code: Code) -> bool:
        """Whether the end that a request named is over by the wall clock, which may have been put right meanwhile."""
        record = self._dispatch.records.get(code.message_id)
        return record is not None and record.ends_at is not None and time.time() >= record.ends_at

    def _compare(self, code: Code, item: Item, now: float) -> Verification:
        given = self._hasher.code(code.message_id, code.place, code.receiver, item.params, tidy(item.otp or ""))
        if hmac.compare_digest(given, code.hash):
            self._book.end(code, CodeStatus.VERIFIED)
            self._limits.verified(code.receiver, code.made, now)
            return Verification(ResponseCode.SUCCESS)
        code.wrong += 1
        self._wrong.add(_who(code.place, code.receiver), now, now)
        left = self._values["attempts"] - code.wrong
        if left <= 0:
            self._book.end(code, CodeStatus.BLOCKED)
            raise self._blocked(code, now)
        self._book.changed(code)
        return Verification(ResponseCode.WRONG_OTP, attempts_left=left)

    def _blocked(self, code: Code, now: float) -> NotAccepted:
        cause = _("too many wrong one-time passwords: this one is void, a new one may be requested")
        return too_many(cause, self._resend_wait(code, now))

    def _check_wrong(self, place: bytes, receiver: str, now: float) -> None:
        """Check that not too many wrong ones were tried in an hour, over all codes; raises NotAccepted."""
        limit = self._values["wrong_per_hour"]
        if limit and (wait := self._wrong.wait(_who(place, receiver), now, limit)):
            raise too_many(_("too many wrong one-time passwords for this reference and receiver"), wait)

    def _place(self, item: Item, origin: Origin) -> bytes:
        own = self._values["verifier"] == "sender"
        return self._hasher.place(f"{origin.ingress}/{origin.sender.name}" if own else "", item.reference or "")

    # -- what becomes of the messages -------------------------------------------------------------------------------

    def ended(self, event: MessageEvent) -> None:
        """Take a message's state: a code that was not sent is void, and holds no new one up (any thread; quick)."""
        if self._book.by_message(event.message_id) is None:
            return
        with self._lock:
            code = self._book.by_message(event.message_id)
            if code is None or code.status is CodeStatus.VERIFIED:
                return
            if not event.state.went_out:
                self._limits.take_back(code.receiver, code.made)
                self._book.drop(code)
            elif event.state is State.UNDELIVERED and not code.freed:
                code.freed = True  # a report may come after all; but who asks for a new one gets it
                self._book.changed(code)

    def restore(self) -> None:
        """Take over the codes of an earlier run; after the dispatcher has restored its messages."""
        with self._lock:
            now = self._clock()
            for code in self._book.restore(now):
                record = self._dispatch.records.get(code.message_id)
                before = self._book.at(code.place).get(code.receiver)
                never_taken = record is None and before is not None and before.status is CodeStatus.OPEN
                if never_taken or (record is not None and not record.state.went_out):
                    self._book.drop(code)
                    continue
                if record is None and not code.freed:  # perhaps the kill came before it was taken in
                    code.freed = True
                    self._book.changed(code)
                self._book.activate(code)
                self._limits.count(code.receiver, code.made, now)
                if code.status is CodeStatus.VERIFIED:
                    self._limits.verified(code.receiver, code.made, now)
                for _ in range(code.wrong):
                    self._wrong.add(_who(code.place, code.receiver), code.made, now)
            self._book.sweep(now)

    # -- asking -----------------------------------------------------------------------------------------------------

    def warnings(self) -> list[str]:
        """Return which limits hold codes back."""
        with self._lock:
            now = self._clock()
            self._book.sweep(now)
            return [
                _("requests for one-time passwords are refused: {cause}", cause=cause)
                for cause in self._limits.warnings(now)
            ]

    def counters(self) -> dict[str, dict[str, float]]:
        """Count for metrics."""
        with self._lock:
            self._book.sweep(self._clock())
            counts: dict[str, float] = {f'result="{name}"': count for name, count in self.counts.items()}
            return {"otp_total": counts, "otp_open": {"": self._book.open}}

    def close(self) -> None:
        """Close the file, which stays for the next start; after the dispatcher."""
        self._book.close()


def open_passwords(values: OtpValues, dispatch: Dispatch, folder: Path) -> OneTimePasswords:
    """Open them with the codes in a folder on a RAM disk; elsewhere they are in memory only, and end with it."""
    try:
        if on_ram_disk(folder):
            key = spool_key(folder)
            book = CodeBook(SealedFile(folder / "otp", _derived(key, b"otppi-otp-file")))
            return OneTimePasswords(values, dispatch, _derived(key, b"otppi-otp-code"), book)
        why = f"{folder} is not on a RAM disk"
    except OSError as error:
        why = error.strerror or str(error)
    logger.warning("one-time passwords do not survive a restart: %s", why)
    return OneTimePasswords(values, dispatch, os.urandom(32), CodeBook())


_COUNTED = {
    ResponseCode.SUCCESS: "verified",
    ResponseCode.WRONG_OTP: "wrong",
    ResponseCode.EXPIRED: "expired",
    ResponseCode.TOO_MANY: "limited",
}


def _request(item: Item) -> str:
    """Write what was requested; no text of a message has a NUL character, so none is like it."""
    return "\0".join(("request-otp", item.reference or "", *(one or "" for one in item.params), item.message or ""))


def _who(place: bytes, receiver: str) -> bytes:
    return place + receiver.encode()


def _derived(key: bytes, purpose: bytes) -> bytes:
    return hashlib.blake2b(b"", key=key, digest_size=32, person=purpose).digest()
