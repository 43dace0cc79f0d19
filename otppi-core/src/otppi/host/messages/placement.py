"""Which egress holds which message: who may send what, and the order of messages to one receiver."""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from otppi.api.egress import Channel, EgressState
from otppi.host.messages.deferred import DeferredMessages
from otppi.host.messages.refusal import NotAccepted
from otppi.host.messages.routing import Target, choose
from otppi.host.messages.worker import AnyWorker
from otppi.host.records.record import Record
from otppi.text import _, joined, labelled
from otppi.wire.envelope import ResponseCode
from otppi.wire.errors import WireError
from otppi.wire.segment import segment

_RETRY_CAP = 60.0
"""A sender may try again after so many seconds, whatever queues and rates promise; quiet hours are certain."""
_SURELY_ONE = 35
"""Characters that fit in one segment whatever they are: twice as many code units of UCS-2."""
_REASONS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class PlacementRules:
    """The settings that messages are placed and sent by (section `sms`)."""

    duplicate_window: float
    attempts: int
    modem_grace: float
    fail_over: bool
    resend_unconfirmed: bool
    cheapest: bool = False


class Placement:
    """Owns the workers of all egresses and what is on its way by which of them.

    The dispatcher's lock guards every call but `workers`, `may_wait_for` and `is_held`, which any thread may call.
    """

    def __init__(self, rules: PlacementRules) -> None:
        self.rules = rules
        self._workers: dict[str, AnyWorker] = {}
        self._turn = 0
        # Messages to one receiver stay in order: while one is on its way, the next ones follow it to the same modem.
        self._on_the_way: dict[str, list[Record]] = {}
        self._deferred = DeferredMessages()

    # -- the egresses -----------------------------------------------------------------------------------------------

    def workers(self) -> list[AnyWorker]:
        """List the workers in the order of the settings, modems first."""
        return list(self._workers.values())

    def uses(self, worker: AnyWorker) -> bool:
        """Whether an egress is still one of the settings', as it was made."""
        return self._workers.get(worker.name) is worker

    def replace_egresses(self, workers: Iterable[AnyWorker], channel: Channel) -> list[Record]:
        """Replace the egresses of a channel; what waits for one that is gone goes to others: return what is left."""
        before = self._workers
        others = [worker for worker in before.values() if worker.channel is not channel]
        now = [*workers, *others] if channel is Channel.SMS else [*others, *workers]
        self._workers = {worker.name: worker for worker in now}
        gone = [worker for worker in before.values() if not self.uses(worker)]
        for worker in gone:
            self._keep_held(worker)
        return [record for worker in gone for record in self.give_up(worker)]

    def _keep_held(self, worker: AnyWorker) -> None:
        """Let what waits for an egress that a person has stopped wait for the one in its place, which is held too."""
        other = self._workers.get(worker.name)
        if other is None or not other.held:
            return
        for record in worker.queue.waiting():
            if worker.queue.remove(record):
                self.queue(record, other)

    def may_wait_for(self, worker: AnyWorker, now: float) -> bool:
        """Whether messages may wait for an egress: it works, or has not been away for longer than the grace."""
        if worker.held:
            return False
        state = worker.status.state  # read once: its thread may change it at any time
        if state in (EgressState.STARTING, EgressState.RECOVERING):
            return now - worker.usable_since_loss <= self.rules.modem_grace
        return state is EgressState.READY

    def target(self, worker: AnyWorker, receiver: str, now: float, *, takes: bool, bulk: bool = False) -> Target:
        """Return an egress as it is chosen by.

        Args:
            worker: Of the egress.
            receiver: Whom a message is for.
            now: The monotonic time.
            takes: Whether it has room for the message in its quotas, and has not refused it.
            bulk: Whether it is one of many, which may wait.
        """
        return Target(
            name=worker.name,
            prefixes=worker.prefixes,
            default=worker.default,
            ready=_is_ready(worker),
            unfit=worker.unfit_until > now,
            load=worker.load(bulk=bulk),
            turn=worker.turn,
            usable=takes and self.may_wait_for(worker, now),
            held=bool(worker.unfit_until or worker.account.holds) and _is_held(worker, bulk=bulk),
            price=worker.account.price(receiver) if self.rules.cheapest else 0.0,
        )

    def is_held(self, record: Record) -> bool:
        """Whether a message was put off, or the egress that it waits for is away, rests, or has quiet hours for it."""
        if record in self._deferred:
            return True
        worker = self._workers.get(record.egress or "")
        if worker is None:
            return False
        if worker.status.state is not EgressState.READY or worker.rest_left():
            return True
        return worker.account.quiet_left(bulk=record.bulk) > 0

    # -- one message ------------------------------------------------------------------------------------------------

    def place(self, record: Record) -> AnyWorker:
        """Choose the egress for a message. One that was taken in before finds room in a queue that is full.

        Raises:
            NotAccepted: none may send it (1101), or no queue has room or time for it (1205).
        """
        candidates = self._candidates(record)
        if not candidates:
            raise NotAccepted(ResponseCode.NO_MODEM, self._why_none(record))
        bulk = record.content.bulk
        together = self._companions_worker(record)
        if together in candidates and not together.account.quiet_left(bulk=bulk):
            candidates = [together]
        remaining = record.remaining()
        for worker in candidates:
            fits = _wait(worker, bulk=bulk) <= remaining and not worker.queue.full(bulk=bulk)
            if fits or record.restored or record.deferrals:
                self._turn += 1
                worker.turn = self._turn
                return worker
        raise _no_room(record, min(candidates, key=lambda worker: _wait(worker, bulk=bulk)), remaining)

    def queue(self, record: Record, worker: AnyWorker) -> None:
        """Put a message behind the others of an egress, and hold what it needs of its quotas."""
        receiver, cause, account = record.content.receiver, record.status.cause, worker.account
        if record.account is not None and record.account is not account:
            record.account.charge(record.message_id, receiver, 0)
        record.account = account
        if account.reserves:
            account.reserve(record.message_id, receiver, _parts(record))
        # Why one was put off stays to be read. A status is frozen, so that all others can have the same one.
        record.become(worker.as_queued if cause is None else replace(worker.as_queued, cause=cause))
        companions = self._on_the_way.setdefault(receiver, [])
        if record not in companions:
            companions.append(record)
        worker.put(record)

    def seconds(self, record: Record, worker: AnyWorker) -> float:
        """Estimate how long an egress would take until a message is sent."""
        return _wait(worker, bulk=record.content.bulk) + worker.seconds_per_message

    def remove(self, record: Record) -> bool:
        """Take a message out of where it waits; False where an egress has it already."""
        if self._deferred.remove(record):
            return True
        worker = self._workers.get(record.egress or "")
        return worker is not None and worker.queue.remove(record)

    def send_again(self, worker: AnyWorker, record: Record) -> bool:
        """Queue a record anew, and count the segment that may have gone out; False where it must not, or cannot."""
        account = worker.account
        if account.used_up(record.receiver, 1):
            return False
        if self.uses(worker):
            worker.queue.put_back(record)
        elif record.progress.references or not self.move(worker, record, leave=False):
            return False
        record.price += account.count(record.receiver, 1, messages=0)
        return True

    def defer(self, record: Record, retry_after: float) -> None:
        """Let a message wait apart, since its receiver cannot have it now."""
        self._deferred.add(record, retry_after)

    def deferred_due(self) -> list[Record]:
        """Take out what was put off and is to be tried again, or has expired."""
        return [*self._deferred.due(), *self._deferred.expired()] if self._deferred else []

    def place_again(self, record: Record) -> AnyWorker:
        """Choose the egress for a message that was put off: the same one where it can.

        Greylisting knows the sender's address too: another account would have to wait anew.

        Raises:
            NotAccepted: None may send it.
        """
        worker = self._workers.get(record.egress or "")
        if worker is not None and self.may_wait_for(worker, time.monotonic()) and _may_take(worker, record):
            return worker
        return self.place(record)

    def ended(self, record: Record, segments: int) -> None:
        """Forget a message that is on its way no more, and count the segments of it that went out, at their price."""
        receiver = record.content.receiver
        if record.account is not None:
            record.price += record.account.charge(record.message_id, receiver, segments)
        companions = self._on_the_way.get(receiver)
        if companions is not None and record in companions:
            companions.remove(record)
            if not companions:
                del self._on_the_way[receiver]

    def move(self, worker: AnyWorker, record: Record, *, leave: bool) -> bool:
        """Queue a record by another egress, its companions behind it; False where there is none.

        With `leave` only one that is ready will do; else the record is put back in front.
        """
        if other := self._other(worker, record, only_ready=leave):
            self.queue(record, other)
            for companion in self._on_the_way.get(record.receiver, []):
                may = companion is not record and _may_change(companion) and _may_take(other, companion)
                if may and worker.queue.remove(companion):
                    self.queue(companion, other)
            return True
        if leave:
            worker.queue.put_back(record)
        return leave

    # -- an egress' queue -------------------------------------------------------------------------------------------

    def relieve(self, worker: AnyWorker) -> None:
        """Hand what an egress cannot send, or not in its quiet hours or while it rests, to others that can."""
        others = (one for one in self._workers.values() if one.channel is worker.channel and one is not worker)
        if not any(one.status.state is EgressState.READY for one in others):
            return
        if worker.status.state is not EgressState.READY or worker.rest_left():
            self._hand_over(worker, only_ready=True)
        elif worker.account.quiet_left(bulk=True):
            self._hand_over(worker, only_ready=True, only_quiet=True)

    def give_up(self, worker: AnyWorker) -> list[Record]:
        """Wait no longer for an egress: others get its queue, also such as may send later; return what is left."""
        self._hand_over(worker, only_ready=False)
        return [record for record in worker.queue.waiting() if worker.queue.remove(record)]

    def _hand_over(self, worker: AnyWorker, *, only_ready: bool, only_quiet: bool = False) -> None:
        """Queue what waits for an egress by others; messages to one receiver go to the same one, in their order."""
        followed: dict[str, AnyWorker] = {}
        staying: set[str] = set()
        for record in worker.queue.waiting():
            if record.receiver in staying or (only_quiet and not worker.account.quiet_left(bulk=record.bulk)):
                continue
            other = None
            if _may_change(record):
                other = followed.get(record.receiver)
                if other is None or not _may_take(other, record):
                    other = self._other(worker, record, only_ready=only_ready, not_quiet=only_quiet)
            if other is not None and worker.queue.remove(record):
                followed[record.receiver] = other
                self.queue(record, other)
            elif only_ready:
                staying.add(record.receiver)  # the next ones to this receiver stay behind this one
            if only_quiet and other is None:
                break  # quiet hours are long: it is not worth asking for each of them again and again

    # -- who may send -----------------------------------------------------------------------------------------------

    def _companions_worker(self, record: Record) -> AnyWorker | None:
        """Find where earlier messages to the same receiver wait; they leave an egress that is of no use first."""
        companions = self._on_the_way.get(record.content.receiver)
        if not companions:
            return None
        worker = self._workers.get(companions[-1].egress or "")
        if worker is not None and not self.may_wait_for(worker, time.monotonic()):
            self._hand_over(worker, only_ready=False)
            worker = self._workers.get(companions[-1].egress or "")
        return worker

    def _candidates(self, record: Record, *, only_ready: bool = False, beyond_quota: bool = False) -> list[AnyWorker]:
        now, channel, content = time.monotonic(), record.channel, record.content
        receiver, bulk, only = content.receiver, content.bulk, content.only
        eligible = [
            worker
            for worker in self._workers.values()
            if worker.channel is channel and (worker.send_from_api if only is None else only == worker.name)
        ]
        # An egress that a person chose is asked whatever its prefixes are.
        fail_over = self.rules.fail_over or only is not None
        if len(eligible) == 1 and fail_over:  # as in most gateways: there is nothing to choose
            (worker,) = eligible
            usable = self.may_wait_for(worker, now) and _may_take(worker, record, beyond_quota=beyond_quota)
            return eligible if usable and not (only_ready and not _is_ready(worker)) else []
        targets = [
            self.target(worker, receiver, now, takes=_may_take(worker, record, beyond_quota=beyond_quota), bulk=bulk)
            for worker in eligible
        ]
        ranked = choose(targets, receiver, fail_over=fail_over)
        return [self._workers[target.name] for target in ranked if target.ready or not only_ready]

    def _other(
        self, worker: AnyWorker, record: Record, *, only_ready: bool, not_quiet: bool = False
    ) -> AnyWorker | None:
        for other in self._candidates(record, only_ready=only_ready):
            busy = (not_quiet and other.account.quiet_left(bulk=record.bulk)) or (only_ready and other.rest_left())
            if other is not worker and not busy and not other.queue.full(bulk=record.bulk):
                return other
        return None

    def _why_none(self, record: Record) -> str:
        """Return why none may send a message: quotas are named, where they alone stand in its way."""
        reasons = [
            labelled(worker.shown_name, worker.account.used_up(record.receiver, _parts(record)))
            for worker in self._candidates(record, beyond_quota=True)
        ]
        noun = record.channel.noun
        if not reasons:
            return _("no {noun} is connected that may send this", noun=noun)
        more = len(reasons) - _REASONS_SHOWN
        shown = reasons if more <= 0 else [*reasons[:_REASONS_SHOWN], _("and {more} more", more=more)]
        return _("no {noun} may send this now ({shown})", noun=noun, shown=joined(", ", shown))


def _may_change(record: Record) -> bool:
    """Whether another egress may send a record: not where a person chose one, or parts of it went out."""
    return record.only is None and not record.progress.references


def _may_take(worker: AnyWorker, record: Record, *, beyond_quota: bool = False) -> bool:
    """Whether an egress has not refused a record, and has room for it in its quotas."""
    if worker.name in record.excluded:
        return False
    account = worker.account
    return beyond_quota or not account.counts or not account.used_up(record.receiver, _parts(record))


def _is_ready(worker: AnyWorker) -> bool:
    return worker.status.state is EgressState.READY


def _is_held(worker: AnyWorker, *, bulk: bool) -> bool:
    """Whether another egress should have a record: in quiet hours, or for the rate's sake, for which bulk may wait."""
    if worker.rest_left():
        return True
    if not worker.account.holds:
        return False
    if worker.account.quiet_left(bulk=bulk):
        return True
    return not bulk and worker.rate_wait(bulk=False) > 0


def _wait(worker: AnyWorker, *, bulk: bool) -> float:
    """Estimate the seconds until an egress would send a record."""
    wait = worker.load(bulk=bulk) * worker.seconds_per_message
    if worker.unfit_until:
        wait = max(wait, worker.rest_left())
    if not worker.account.holds:
        return wait
    return max(wait, worker.account.quiet_left(bulk=bulk), worker.rate_wait(bulk=bulk))


def _no_room(record: Record, worker: AnyWorker, remaining: float) -> NotAccepted:
    """Return why not even the egress that could send a record soonest takes it, and when to try again."""
    soonest = _wait(worker, bulk=record.bulk)
    if soonest <= remaining:
        cause = _("the queue is full")
    elif quiet := worker.account.quiet_left(bulk=record.bulk):
        cause = _("it could not be sent before it expires (quiet hours of {shown_name})", shown_name=worker.shown_name)
        return NotAccepted(ResponseCode.QUEUE_FULL, cause, retry_after=math.ceil(quiet))
    else:
        cause = _("it could not be sent before it expires")
        if worker.rate_wait(bulk=record.bulk) > remaining:
            cause = _(
                "it could not be sent before it expires (rate limit of {shown_name}: {rate_per_minute} a minute)",
                shown_name=worker.shown_name,
                rate_per_minute=worker.account.plan.limits.rate_per_minute,
            )
    return NotAccepted(ResponseCode.QUEUE_FULL, cause, retry_after=max(1, round(min(soonest, _RETRY_CAP))))


def _parts(record: Record) -> int:
    """Count the segments that a record needs, once; an e-mail is one."""
    if record.parts:
        return record.parts
    if record.channel is not Channel.SMS:
        record.parts = 1
    else:
        text = record.text or ""
        try:
            record.parts = 1 if len(text) <= _SURELY_ONE else len(segment(text))
        except WireError:  # its modem refuses it
            record.parts = 1
    return record.parts
