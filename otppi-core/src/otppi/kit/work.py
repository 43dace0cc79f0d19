"""One delivery on its way: what became of each of its messages, and what that means for the whole."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from otppi.api.ingress import Origin, Ticket
from otppi.api.message import State
from otppi.kit.outbox import Delivery
from otppi.kit.verdict import Verdict, verdict_of
from otppi.wire.envelope import Answer, Envelope, ResponseCode

LONGEST_RETRY = 30.0
"""The longest pause, in seconds, before what was not sent is tried again."""


@dataclass(slots=True, eq=False)
class Work:
    """A delivery that was read. One thread at a time changes it.

    Attributes:
        pending: The numbers of the messages that are with the gateway, or will be tried again.
        results: What became of each message, as the answer to a list tells it.
        attempts: How often something of it has come back from the gateway without being sent.
        ticket: The gateway's, for what is pending.
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
    since: float = field(default_factory=time.monotonic)
    first_seen: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.pending = list(range(len(self.envelope.items)))
        self.results = [{} for _ in self.envelope.items]

    def to_submit(self) -> Envelope:
        """Give the command for what is pending; the lifetime counts from when it first came.

        That is told anew each time: a device without a clock of its own may have got the right time since.
        """
        came = int(time.time() - (time.monotonic() - self.first_seen))
        items = (self.envelope.items[index] for index in self.pending)
        return replace(
            self.envelope,
            items=tuple(item if item.date_time is not None else replace(item, date_time=came) for item in items),
        )

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

    def pause(self, attempts: int) -> float:
        """Give the seconds until it is tried again: what the gateway says, or twice as long each time."""
        results = [self.results[index] for index in self.again()]
        said = [float(result["retry_after"]) for result in results if result.get("retry_after")]
        pause = min(said, default=float(2 ** min(max(attempts, 0), 5)))
        return max(1.0, min(pause, LONGEST_RETRY))

    def answer(self, last: Answer) -> Answer:
        """Give the answer of the whole; `last` is the gateway's latest, to what was pending then."""
        if not self.envelope.is_list or len(self.pending) == len(self.results):
            return last
        codes = [ResponseCode(result["response_code"]) for result in self.results]
        overall = next((code for code in codes if code is not ResponseCode.SUCCESS), ResponseCode.SUCCESS)
        return Answer(self.envelope.name, overall, data=self.results)


def _outcomes(answer: Answer, count: int) -> list[tuple[ResponseCode, Mapping[str, Any]]]:
    """Give code and data of each message of an answer; one code for all where it does not tell them apart."""
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
