"""The same message by a second ingress: it is sent once, and neither sender learns anything of the other's.

A sender's own repetition is told as a duplicate. To a stranger that would say that a guess of the text was right, so a
stranger's message gets a life of its own that follows the first one's: an id of its own, no sign of a duplicate, and
an end no sooner than it would have had. It is kept as any other is, for a crash. And guesses are counted: many texts
with one id to one receiver are refused.
"""

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass

from otppi.api.message import State
from otppi.host.messages.refusal import NotAccepted
from otppi.host.records.record import Record
from otppi.text import _
from otppi.wire.envelope import ResponseCode

_TEXTS = 20
"""Texts that one sender may send with one id to one receiver within the duplicate window."""
_REMEMBERED = 5_000


@dataclass(frozen=True, slots=True)
class _Follower:
    record: Record
    first: Record
    due: float


class Followers:
    """The messages that follow others. The dispatcher's lock guards every call."""

    def __init__(self) -> None:
        self._waiting: list[_Follower] = []
        self._guesses: OrderedDict[bytes, tuple[float, tuple[bytes, ...]]] = OrderedDict()

    def follow(self, record: Record, first: Record, seconds: float) -> None:
        """Let a record end as the first one does, after as many seconds as it would have taken at the soonest.

        It keeps its text: it goes itself where the first one expires, or no egress may send that.
        """
        record.follows = first
        first.followers = (*first.followers, record)
        self.wait_for(record, first, seconds)

    def wait_for(self, record: Record, first: Record, seconds: float = 0.0) -> None:
        """Wait for the end of the first one, and so many seconds at least."""
        self._waiting.append(_Follower(record, first, time.monotonic() + seconds))

    def lead(self, record: Record, first: Record) -> tuple[Record, ...]:
        """Let a record follow no more, and the others that followed the first one follow it; return those."""
        others = tuple(one for one in first.followers if one is not record and not one.state.final)
        first.followers = tuple(one for one in first.followers if one.state.final)
        record.follows, record.followers, record.digest = None, (*record.followers, *others), first.digest
        self._waiting = [
            _Follower(one.record, record, one.due) if one.record in others else one for one in self._waiting
        ]
        for other in others:
            other.follows = record
        return others

    def due(self) -> list[tuple[Record, Record]]:
        """Take out those that are to end now, each with the one that it follows."""
        now, ends = time.monotonic(), []
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if now >= one.due and one.first.state.final:
                ends.append((one.record, one.first))
            else:
                self._waiting.append(one)
        return ends

    def check_guess(self, record: Record, window: float) -> None:
        """Count the texts of a sender with one id to one receiver.

        Raises:
            NotAccepted: There are too many of them (1208).
        """
        content = record.content
        if content.client_id is None or not record.digest:
            return
        fields = f"{content.origin.sender.name}\0{content.client_id}\0{content.receiver}"
        key = hashlib.blake2b(fields.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        now = time.monotonic()
        since, texts = self._guesses.get(key, (now, ()))
        if now - since > window:
            since, texts = now, ()
        if record.digest in texts:
            return
        if len(texts) >= _TEXTS:
            left = max(1, round(since + window - now))
            cause = _(
                "{texts} different texts with one id to one receiver are the most; give each message its own id",
                texts=_TEXTS,
            )
            raise NotAccepted(ResponseCode.TOO_MANY, cause, retry_after=left)
        self._guesses[key] = since, (*texts, record.digest)
        if len(self._guesses) > _REMEMBERED:
            self._guesses.popitem(last=False)


def own_of(first: Record, record: Record) -> Record | None:
    """Find the sender's own message among those that are the same; None where it sent none."""
    same = (one for one in (first, *first.followers) if one.origin.sender == record.origin.sender)
    return next(same, None)


def goes_itself(record: Record, first: Record) -> bool:
    """Whether a message is to be sent after all, since the one that it followed was not.

    Not where that was refused for good, or failed at each attempt: this one would be, too.
    """
    expired = first.state is State.EXPIRED
    without_egress = first.state is State.FAILED and first.code in (ResponseCode.NO_MODEM, ResponseCode.QUEUE_FULL)
    return (expired or without_egress) and record.text is not None and record.remaining() > 0
