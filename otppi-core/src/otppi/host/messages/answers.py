"""Answers: what a record, a refusal or a command's result looks like to the sender, now or when it is final."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from otppi.api.events import state_data
from otppi.api.message import State
from otppi.host.messages.dispatch import Dispatch
from otppi.host.messages.refusal import NotAccepted
from otppi.host.records.names import shown_name
from otppi.host.records.record import Record
from otppi.wire.envelope import Answer, ResponseCode


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item of a command: a code, and its data."""

    code: ResponseCode
    data: Mapping[str, Any]


def of_record(record: Record, code: ResponseCode | None = None) -> Outcome:
    """Describe a message as it stands; `code` overrides the record's (1201 for a duplicate)."""
    content, status = record.content, record.status
    data = state_data(
        record.message_id,
        content.client_id,
        status.state,
        channel=record.channel,
        reference=content.reference,
        egress=None if status.egress is None else shown_name(record.channel, status.egress),
        segments=status.segments,
        cause=status.cause,
        discharged=status.discharged,
    )
    return Outcome(code or status.code, data)


def of_refusal(refused: NotAccepted, client_id: str | None) -> Outcome:
    """Describe a message that was not taken in, and of which no record is kept."""
    data: dict[str, Any] = {"id": client_id, "state": State.FAILED.value, "cause": refused.cause}
    if refused.retry_after is not None:
        data["retry_after"] = refused.retry_after
    return Outcome(refused.code, data)


def assemble(command: str, outcomes: Sequence[Outcome], *, as_list: bool) -> Answer:
    """Make the answer of one command. A list has the first code that is not 0000, and each item its own."""
    if not as_list:
        (outcome,) = outcomes
        return Answer(command, outcome.code, data=outcome.data)
    overall = next((one.code for one in outcomes if one.code is not ResponseCode.SUCCESS), ResponseCode.SUCCESS)
    items = [{"response_code": one.code.value, "response_text": one.code.text, **one.data} for one in outcomes]
    return Answer(command, overall, data=items)


class FixedTicket:
    """A ticket whose answer is known at once."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def answer(self, wait: float = 0.0) -> Answer:  # noqa: ARG002 - there is nothing to wait for
        """Return the answer."""
        return self._answer

    def when_final(self, callback: Callable[[Answer], None]) -> None:
        """Call back at once."""
        callback(self._answer)

    def withdraw(self) -> None:
        """Take nothing back: it is done."""

    def is_held(self) -> bool:
        """Wait for nothing."""
        return False


class MessageTicket:
    """The ticket of a send command: some items are on their way, others were refused."""

    def __init__(
        self,
        command: str,
        items: Sequence[Record | Outcome],
        duplicates: frozenset[int],
        dispatch: Dispatch,
        *,
        as_list: bool,
    ) -> None:
        self._command = command
        self._items = items
        self._duplicates = duplicates
        self._dispatch = dispatch
        self._as_list = as_list

    def answer(self, wait: float = 0.0) -> Answer:
        """Return the answer when every message is final, or after `wait` seconds as it stands then."""
        deadline = time.monotonic() + wait
        for record in self._records() if wait > 0 else ():
            if not self._dispatch.wait(record, deadline - time.monotonic()):
                break
        return self._now()

    def when_final(self, callback: Callable[[Answer], None]) -> None:
        """Call back once, when the last message has become final."""
        left = [len(self._items)]
        lock = threading.Lock()

        def one_less() -> None:
            with lock:
                left[0] -= 1
                last = left[0] == 0
            if last:
                callback(self._now())

        for item in self._items:
            if not (isinstance(item, Record) and self._dispatch.on_end(item, one_less)):
                one_less()

    def withdraw(self) -> None:
        """Take back what waits, where nobody else waits for it."""
        for index, item in enumerate(self._items):
            if isinstance(item, Record) and index not in self._duplicates:
                self._dispatch.withdraw(item)

    def is_held(self) -> bool:
        """Return whether all that has not ended waits for a modem that cannot send it now."""
        left = [record for record in self._records() if not record.state.final]
        return bool(left) and all(self._dispatch.is_held(record) for record in left)

    def _records(self) -> list[Record]:
        return [item for item in self._items if isinstance(item, Record)]

    def _now(self) -> Answer:
        outcomes = [
            item if isinstance(item, Outcome) else self._outcome(item, index) for index, item in enumerate(self._items)
        ]
        return assemble(self._command, outcomes, as_list=self._as_list)

    def _outcome(self, record: Record, index: int) -> Outcome:
        return of_record(record, ResponseCode.DUPLICATE if index in self._duplicates else None)
