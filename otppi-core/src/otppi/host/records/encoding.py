"""How a record is written down and read again: in the journal, in the spool, as a note in flight, and in the report.

All four are here so that what one of them has of a record means the same in all. Each is read in the forms that earlier
versions wrote: fields are only ever added at the end, and what is missing there has its default.

| | where | words and receiver | written |
|---|---|---|---|
| journal | RAM disk | no words, receiver as it is shown | each step, by hand: it is on the time between two messages |
| spool | RAM disk, encrypted | all of them | once, by hand: each request waits for it |
| note | card | none; receiver masked | where it waits for long |
| report | card | none; receiver as it is shown | once it has ended |
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from json.encoder import encode_basestring_ascii
from typing import Any

from otppi.api.ingress import Callback, Origin, Sender
from otppi.api.message import State
from otppi.host.numbering.receivers import masked, prefix_of
from otppi.host.records.record import Content, Record, Status, Words
from otppi.wire.envelope import ResponseCode

_TAKEN, _DISPATCHED, _ACCEPTED, _ENDED, _ASKED = "taken", "dispatched", "accepted", "ended", "asked"
_CODES = {code.value: code for code in ResponseCode}
_LONGEST_NAME = 25
"""Characters of an egress' name that a line of the report has room for: `mail/` and the longest of an account."""
_LONGEST_ID = 36
_LONGEST_SOURCE = 40

_YES_OR_NO = ("false", "true")
_NOTHING_MORE: list[Any] = [None, 0, None, None]

DAMAGED = (ValueError, TypeError, LookupError, RecursionError, OverflowError)
"""What reading raises of something that was cut short, or is of another version of this program."""


# -- the journal -------------------------------------------------------------------------------------------------------


def taken_line(record: Record) -> str:
    """Write that a message was taken in."""
    content = record.content
    origin = content.origin
    names = (content.client_id, content.receiver_shown, origin.ingress, origin.sender.name)
    return (
        f'["{_TAKEN}","{record.message_id}","{record.digest.hex()}",{record.created!r},{record.taken!r},'
        f"{content.expires!r},{','.join(map(_quoted, names))}{_more(record)}]\n"
    )


def _more(record: Record) -> str:
    """Add what few messages have: who is told later, whether its source keeps it, the end that was named, its first."""
    content, first = record.content, record.follows
    by_source, ends_at = content.origin.kept_by_source, content.ends_at
    if record.answer_to is None and not by_source and ends_at is None and first is None:
        return ""
    more = f",{json.dumps(_callback(record))},{int(by_source)},{json.dumps(ends_at)}"
    return more if first is None else f'{more},"{first.message_id}"'


def dispatched_line(record: Record) -> str:
    """Write that the network may have a message from now on."""
    by, progress = _quoted(record.status.egress), record.progress
    return f'["{_DISPATCHED}","{record.message_id}",{by},{progress.segments},{progress.references!r}]\n'


def accepted_line(record: Record) -> str:
    """Write that the network accepted all of a message; how it ended is written later."""
    return f'["{_ACCEPTED}","{record.message_id}",{record.progress.references!r}]\n'


def ended_line(record: Record) -> str:
    """Write the state that a message has come to."""
    status = record.status
    finished = "null" if status.finished is None else repr(status.finished)
    return (
        f'["{_ENDED}","{record.message_id}","{status.state}","{status.code}",{_quoted(status.egress)},'
        f"{status.segments},{_quoted(status.cause)},{finished},{record.progress.references!r}]\n"
    )


def asked_line(record: Record) -> str:
    """Write who is told of a message's later states, where that was learnt after it was taken."""
    return f'["{_ASKED}","{record.message_id}",{json.dumps(_callback(record))}]\n'


class JournalReader:
    """Puts records together again from the lines of a journal, in their order.

    Attributes:
        records: What the lines told of, by message id.
    """

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self._firsts: dict[str, str] = {}

    def read(self, line: bytes) -> None:
        """Take a line; one that is damaged changes nothing.

        Raises:
            DAMAGED: It cannot be read.
        """
        kind, message_id, *rest = json.loads(line)
        if kind == _TAKEN:
            self.records[message_id] = self._taken(message_id, rest)
        elif message_id in self.records:
            _apply(self.records[message_id], kind, rest)

    def _taken(self, message_id: str, rest: Sequence[Any]) -> Record:
        digest, created, taken, expires, client_id, shown, ingress, sender, *more = rest
        # A line without them is of an earlier version, or there was nothing to say.
        answer_to, by_source, ends_at, first = more + _NOTHING_MORE[len(more) :]
        origin = Origin(ingress, Sender(sender), kept_by_source=bool(by_source))
        ends_at = None if ends_at is None else float(ends_at)
        record = Record(Content(origin, client_id, shown, float(expires), ends_at, shown), None)
        record.message_id, record.created, record.digest = message_id, float(created), bytes.fromhex(digest)
        record.answer_to = _callback_of(answer_to)
        # The monotonic clock runs as long as the RAM disk lives: since it was switched on. The wall clock may have
        # been set since.
        if taken <= record.taken:
            record.taken, record.deadline = float(taken), float(taken) + (record.expires - record.created)
        self._firsts.pop(message_id, None)
        if first is not None:
            self._firsts[message_id] = str(first)
        return record

    def followers(self) -> Iterable[tuple[Record, Record | None]]:
        """Return the messages that are the same as another one, each with that; None where it is not known any more."""
        return [(self.records[one], self.records.get(first)) for one, first in self._firsts.items()]


def _apply(record: Record, kind: str, rest: Sequence[Any]) -> None:
    if kind == _ASKED:
        (answer_to,) = rest
        record.answer_to = _callback_of(answer_to)
    elif kind == _DISPATCHED:
        egress, segments, references = rest
        references = [int(one) for one in references]
        record.become(Status(State.SENDING, egress=egress, segments=int(segments)))
        record.progress.references = references
    elif kind == _ACCEPTED and record.state is State.SENDING:
        (references,) = rest
        references = [int(one) for one in references]
        record.become(replace(record.status, state=State.SENT))
        record.progress.references = references
    elif kind == _ENDED:
        state, code, egress, segments, cause, finished, references = rest
        finished = None if finished is None else float(finished)
        references = [int(one) for one in references]  # a status report may come after the restart
        record.become(Status(State(state), _CODES[code], cause, egress, int(segments), finished))
        record.progress.references = references


# -- the spool ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kept:
    """What the spool holds of one message: the words, the receiver, and how it is to be sent."""

    slot: int
    message_id: str
    receiver: str = field(repr=False)
    text: str = field(repr=False)
    bulk: bool
    flash: bool
    only: str | None
    address: str
    reference: str | None = None
    subject: str = field(default="", repr=False)
    destination: str = field(default="", repr=False)

    def give_back(self, record: Record) -> None:
        """Make a record whole again that the journal knows; its slot stays until it ends."""
        record.content = replace(
            record.content,
            origin=replace(record.origin, address=self.address),
            receiver=self.receiver,
            destination=self.destination,
            bulk=self.bulk,
            flash=self.flash,
            only=self.only,
            reference=self.reference,
        )
        record.words, record.slot = Words(self.text, self.subject), self.slot


def spooled(record: Record) -> bytes:
    """Write what the spool holds of a message."""
    content, words = record.content, record.words
    more = [content.only, content.origin.address, content.reference]
    subject = "" if words is None else words.subject
    if subject or content.destination:
        more += [subject, content.destination]
    return (
        f'["{record.message_id}",{_quoted(content.receiver)},{_quoted(None if words is None else words.text)},'
        f"{_YES_OR_NO[content.bulk]},{_YES_OR_NO[content.flash]},{','.join(map(_quoted, more))}]"
    ).encode()


def of_spooled(slot: int, payload: bytes) -> Kept:
    """Read it.

    Raises:
        DAMAGED: It cannot be read.
    """
    return Kept(slot, *json.loads(payload))


# -- notes in flight ---------------------------------------------------------------------------------------------------


def noted(record: Record) -> list[Any]:
    """Write the note of a message, its id first."""
    content = record.content
    return [
        record.message_id,
        content.client_id,
        masked(content.receiver_shown),  # what is masked already stays so
        content.origin.ingress,
        content.origin.sender.name,
        round(record.created, 1),
        round(content.expires - record.created),
        _callback(record),
    ]


def of_noted(message_id: str, fields: Sequence[Any], status: Status) -> Record:
    """Make the record of a message that the power took.

    Raises:
        DAMAGED: The note cannot be read.
    """
    client_id, receiver, ingress, sender, created, lifetime, answer_to = fields
    origin = Origin(ingress, Sender(sender))
    record = Record.of(origin, client_id, receiver, None, float(created) + float(lifetime))
    record.message_id, record.created = message_id, float(created)
    record.answer_to = _callback_of(answer_to)
    record.become(status)
    return record


# -- the report --------------------------------------------------------------------------------------------------------


def report_line(record: Record, state: State) -> str:
    """Write the report's line on a message that has ended, in this state; another may have come since."""
    content, status = record.content, record.status
    now = status.finished or time.time()
    line: dict[str, Any] = {"t": round(now), "m": record.message_id}
    if content.client_id:
        line["i"] = content.client_id[:_LONGEST_ID]
    line |= {"r": content.receiver_shown, "s": state.value}
    if status.egress:
        line |= {"by": status.egress[:_LONGEST_NAME], "n": status.segments}
    line |= {"from": _source(record), "d": round(now - record.created, 2)}
    if status.code is not ResponseCode.SUCCESS:
        line["c"] = status.code.value
    if record.price:
        line["p"] = round(record.price, 4)
    return _compact(line)


def changed_line(record: Record, was: State, state: State) -> str:
    """Write the report's line on a state that came after the end, with what the sums need to move it by.

    `o` is of the message: when it ended, its state before, prefix of its receiver, egress, segments, source, price.
    """
    status, now = record.status, time.time()
    egress = (status.egress or "")[:_LONGEST_NAME]
    about: list[Any] = [
        round(status.finished or now),
        was.value,
        prefix_of(record.receiver_shown),
        egress,
        status.segments,
    ]
    about += [_source(record), round(record.price, 4)]
    return _compact({"t": round(now), "m": record.message_id, "s": state.value, "o": about})


def _source(record: Record) -> str:
    """Return from which ingress and user a message is."""
    return f"{record.origin.ingress}/{record.origin.sender.name}"[:_LONGEST_SOURCE]


def _compact(line: Mapping[str, Any]) -> str:
    return json.dumps(line, separators=(",", ":"))


# -- what they have in common ------------------------------------------------------------------------------------------


def _quoted(text: str | None) -> str:
    return "null" if text is None else encode_basestring_ascii(text)


def _callback(record: Record) -> list[str] | None:
    """Write who is told of a message's later states."""
    if record.answer_to is None:
        return None
    ingress, callback = record.answer_to
    return [ingress, callback.topic, callback.correlation.hex(), callback.command]


def _callback_of(written: Any) -> tuple[str, Callback] | None:
    """Read what `_callback` wrote."""
    if written is None:
        return None
    ingress, topic, correlation, command = written
    return ingress, Callback(topic, bytes.fromhex(correlation), command)
