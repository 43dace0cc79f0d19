"""One delivery on its way: what became of each of its messages, and what that means for the whole."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from otppi.api.ingress import Origin, Ticket
from otppi.api.message import State
from otppi.kit.broker.outbox import Delivery
from otppi.kit.broker.verdict import Verdict, verdict_of
from otppi.wire.envelope import Answer, Envelope, ResponseCode

_LONGEST_RETRY = 30.0
"""The longest pause, in seconds, before what was not sent is tried again, where nothing says when it may be."""
_LONGEST_WAIT = 300.0
"""The longest pause, in seconds, where the gateway says when: hours, maybe; but settings may be changed meanwhile."""
_LONGEST_KEPT_BACK = 900.0
"""The longest time, in seconds, for which others do not get what cannot be sent here. A quorum queue delivers a message
only so often (100 times where it is declared here, 20 times by RabbitMQ 4's default), so it is long; RabbitMQ closes a
channel that has held a message for half an hour (`consumer_timeout`), so it is not longer."""


@dataclass(slots=True, eq=False)
class Work:
    """A delivery that was read. One thread at a time changes it.

    Attributes:
        pending: The numbers of the messages that are with the gateway, or will be tried again.
        results: What became of each message, as the answer to a list tells it.
        attempts: How often something of it has come back from the gateway without being sent.
        ticket: The gateway's, for what is pending.
        waiting: Whether it waits here to be tried again, and is not with the gateway.
        since: When it came, on the monotonic clock.
        first_seen: When it came first, on the monotonic clock; before `since` where it came again.
    """

    delivery: Delivery
    envelope: Envelope
    origin: Origin
    pending: list[int] = field(init=False)
    results: list[Mapping[str, Any]] = field(init=False, repr=False)
    attempts: int = 0
    ticket: Ticket | None = None
    waiting: bool = False
    since: float = field(default_factory=time.monotonic)
    first_seen: float = field(default_factory=time.monotonic)
    _back_at: float | None = None

    def __post_init__(self) -> None:
        self.pending = list(range(len(self.envelope.items)))
        self.results = [{} for _ in self.envelope.items]

    def to_submit(self) -> Envelope:
        """Return the command for what is pending; the lifetime counts from when it first came.

        That is told anew each time: a device without a clock of its own may have got the right time since.
        """
        came = self.came()
        items = (self.envelope.items[index] for index in self.pending)
        return replace(
            self.envelope,
            items=tuple(item if item.date_time is not None else replace(item, date_time=came) for item in items),
        )

    def came(self) -> int:
        """Return when it came first, in Unix seconds of the clock as it goes now."""
        return int(time.time() - (time.monotonic() - self.first_seen))

    def note(self, answer: Answer) -> None:
        """Take the answer to what was pending."""
        for index, (code, data) in zip(self.pending, _outcomes(answer, len(self.pending)), strict=True):
            self.results[index] = {"response_code": code.value, "response_text": code.text, **data}

    def again(self) -> list[int]:
        """List the messages that were not sent, and may be."""
        return [index for index, verdict in enumerate(self._verdicts()) if verdict is Verdict.AGAIN]

    def verdict(self) -> Verdict:
        """Judge the whole, when nothing is to be tried again: it is rejected only where nothing of it was done."""
        return Verdict.NEVER if all(verdict is Verdict.NEVER for verdict in self._verdicts()) else Verdict.DONE

    def not_done(self) -> int:
        """Count the messages that did not go out, and will not."""
        waits = (State.QUEUED.value, State.SENDING.value)
        return sum(
            verdict is not Verdict.DONE and result.get("state") not in waits
            for verdict, result in zip(self._verdicts(), self.results, strict=True)
        )

    def _verdicts(self) -> list[Verdict]:
        command = self.envelope.command
        return [verdict_of(command, ResponseCode(one["response_code"]), one) for one in self.results]

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it went out, or was refused for good: others may have it as it is."""
        return len(self.pending) == len(self.results)

    def pause(self) -> float:
        """Return the seconds until it is tried again: what the gateway says, or twice as long each time.

        It ends when its sender's `expiration` has come, so that the sender is told in time.
        """
        attempts = self.delivery.attempt + self.attempts if self.is_whole else self.attempts
        pause = min(float(2 ** min(max(attempts, 0), 5)), _LONGEST_RETRY)
        if said := self._said():
            pause = min(said, _LONGEST_WAIT)
        ends = [item.expiration for index in self.pending if (item := self.envelope.items[index]).expiration]
        if ends and (left := min(ends) - time.time()) > 0:
            pause = min(pause, left)
        return max(1.0, pause)

    def back_in(self) -> float:
        """Return the seconds until others get it who can maybe send it, counted from when it could not be sent here.

        It comes back here too where there are no others: so longer each time, and twice as long every second time.
        """
        now = time.monotonic()
        if self._back_at is None:
            growing = float(2 ** (min(max(self.delivery.attempt, 0), 20) / 2))
            self._back_at = now + min(max(growing, min(self._said(), _LONGEST_RETRY)), _LONGEST_KEPT_BACK)
        return self._back_at - now

    def _said(self) -> float:
        """Return after how many seconds the gateway says that something of it may be sent; 0 where it does not say."""
        said = [float(self.results[index].get("retry_after") or 0) for index in self.pending]
        return min((seconds for seconds in said if seconds > 0), default=0.0)

    def latest(self) -> Answer:
        """Return the answer of the whole, as it stands."""
        first = self.results[self.pending[0]]
        code = ResponseCode(first["response_code"])
        if self.envelope.is_list:
            return self.answer(Answer(self.envelope.name, code, data=[self.results[index] for index in self.pending]))
        data = {key: value for key, value in first.items() if not key.startswith("response_")}
        return Answer(self.envelope.name, code, data=data)

    def answer(self, last: Answer) -> Answer:
        """Return the answer of the whole; `last` is the gateway's latest, to what was pending then."""
        if not self.envelope.is_list or len(self.pending) == len(self.results):
            return last
        codes = [ResponseCode(result["response_code"]) for result in self.results]
        overall = next((code for code in codes if code is not ResponseCode.SUCCESS), ResponseCode.SUCCESS)
        return Answer(self.envelope.name, overall, data=self.results)


def _outcomes(answer: Answer, count: int) -> list[tuple[ResponseCode, Mapping[str, Any]]]:
    """Return code and data of each message of an answer; one code for all where it does not tell them apart."""
    if isinstance(answer.data, Sequence) and len(answer.data) == count:
        entries = [entry for entry in answer.data if isinstance(entry, Mapping) and "response_code" in entry]
        if len(entries) == count:
            return [
                (
                    ResponseCode(entry["response_code"]),
                    {key: value for key, value in entry.items() if key not in ("response_code", "response_text")},
                )
                for entry in entries
            ]
    data = answer.data if isinstance(answer.data, Mapping) else {}
    return [(answer.code, data)] * count
