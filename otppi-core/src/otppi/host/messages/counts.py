"""What became of messages, in numbers: by ingress, egress and cause, and how long it took until they were sent."""

import re
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping

from otppi.api.message import State
from otppi.host.records.names import shown_name
from otppi.host.records.record import Record
from otppi.wire.envelope import ResponseCode

BUCKETS = (0.5, 1.0, 2.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)
"""Upper ends in seconds: a network takes 2 to 10 s for a message; an OTP is worth little after half a minute."""
_NUMBER = re.compile(r"\+(CM[ES]) ERROR: ([0-9]{1,3})(?![0-9])")
"""A failure as the modem gave it (3GPP TS 27.005 3.2.5, 27.007 9.2): three digits at most, so there are not many."""
_ARRIVES = frozenset({State.SENT, State.DELIVERED})
_BY_STATE = frozenset({State.EXPIRED, State.BLOCKED, State.UNCONFIRMED, State.UNDELIVERED, State.LOST})


class Durations:
    """Counts durations by `BUCKETS`, and one further for what took longer."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.total = 0.0

    def note(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds


class MessageCounts:
    """The lock of the message path guards every change; any thread may look."""

    def __init__(self) -> None:
        self.taken = Counter[str]()
        self.ended = Counter[tuple[str, str]]()
        self.by_egress = Counter[tuple[str, str, str]]()
        """By channel, its name to people, and state."""
        self.failures = Counter[tuple[str, str]]()
        self.durations: dict[tuple[str, str], Durations] = {}

    def came_to(self, record: Record) -> None:
        """Count the state that a message has come to: its end, or a later one."""
        status, channel = record.status, record.channel
        self.ended[status.state.value, record.content.origin.ingress] += 1
        if status.egress is not None and record.follows is None:
            self.by_egress[channel.value, shown_name(channel, status.egress), status.state.value] += 1
        if status.state not in _ARRIVES:
            self.failures[channel.value, cause_of(status.state, status.code, status.cause)] += 1
        elif status.state is State.SENT and not record.restored:
            self._sent(record)

    def refused(self, record: Record, state: State, code: ResponseCode) -> None:
        """Count one that is not even kept: there were too many of them lately."""
        self.ended[state.value, record.content.origin.ingress] += 1
        self.failures[record.channel.value, cause_of(state, code, None)] += 1

    def _sent(self, record: Record) -> None:
        key = record.channel.value, "bulk" if record.content.bulk else "otp"
        durations = self.durations.get(key)
        if durations is None:
            durations = self.durations[key] = Durations()
        durations.note(time.monotonic() - record.taken)

    def samples(self) -> Mapping[str, Mapping[str, float]]:
        """Return them as metrics (any thread)."""
        return {
            "messages_taken_total": {f'ingress="{ingress}"': count for ingress, count in list(self.taken.items())},
            "messages_total": {
                f'state="{state}",ingress="{ingress}"': count for (state, ingress), count in list(self.ended.items())
            },
            "message_failures_total": {
                f'channel="{channel}",cause="{cause}"': count for (channel, cause), count in list(self.failures.items())
            },
            **self._histogram(),
        }

    def _histogram(self) -> Mapping[str, Mapping[str, float]]:
        buckets: dict[str, float] = {}
        sums: dict[str, float] = {}
        counts: dict[str, float] = {}
        for (channel, priority), durations in list(self.durations.items()):
            labels, sum_, so_far = f'channel="{channel}",priority="{priority}"', durations.total, 0
            for end, count in zip((*BUCKETS, "+Inf"), list(durations.counts), strict=True):
                so_far += count
                buckets[f'{labels},le="{end}"'] = so_far
            sums[labels], counts[labels] = sum_, so_far
        name = "message_sent_seconds"
        return {f"{name}_bucket": buckets, f"{name}_sum": sums, f"{name}_count": counts}


def cause_of(state: State, code: ResponseCode, cause: str | None) -> str:
    """Name why a message failed in one word, of which there are few: `cms_38`, `expired`, `no_modem`."""
    if cause and (number := _NUMBER.search(cause)):
        return f"{number[1].lower()}_{int(number[2])}"
    return state.value if state in _BY_STATE else code.name.lower()
