"""A message inside the gateway: what is wanted, what became of it, and how it is worked on."""

import os
import time
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from otppi.api.egress import Channel
from otppi.api.ingress import Callback, Origin
from otppi.api.message import Progress, State
from otppi.host.meter.meter import Account
from otppi.wire.envelope import ResponseCode

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Words:
    """What the receiver is to read. It stands nowhere else, and is let go when the message has ended."""

    text: str = field(repr=False)
    subject: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Content:
    """What its sender wants, but for the words.

    Attributes:
        origin: Who sends it, and by which ingress.
        client_id: The sender's own number for it.
        receiver: The key of the receiver: digits, or an e-mail address.
        expires: When it is worth nothing any more, by the wall clock as it was when the message came in.
        ends_at: The same where the sender named a moment, by whatever the wall clock is later.
        receiver_shown: The receiver as logs, journal and report show it; masked or not, its form says the channel.
        destination: What an egress is told to send to; the receiver where it is empty.
        reference: What the sender wants to have back.
        bulk: Whether others go before it.
        flash: Whether it is shown at once and not kept (3GPP TS 23.038 class 0).
        only: The one egress that a person chose.
    """

    origin: Origin
    client_id: str | None
    receiver: str = field(repr=False)
    expires: float
    ends_at: float | None = None
    receiver_shown: str = ""
    destination: str = field(default="", repr=False)
    reference: str | None = None
    bulk: bool = False
    flash: bool = False
    only: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """What has become of a message so far.

    Attributes:
        state: Where it stands in its life.
        code: The response code that goes with it.
        cause: Why it did not go as it should, or why it still waits.
        egress: The internal name of the one that has it, or had it last.
        segments: The parts that went out.
        finished: When it ended (Unix time); None of one that has not, and where nobody knows.
        discharged: When the network says that it was delivered, or given up.
    """

    state: State = State.QUEUED
    code: ResponseCode = ResponseCode.SUCCESS
    cause: str | None = None
    egress: str | None = None
    segments: int = 0
    finished: float | None = None
    discharged: float | None = None


_FIRST: Final = Status()


class Record:
    """One message: what is wanted (`content`, `words`), what became of it (`status`), and how it is worked on.

    Content and status are frozen values that are replaced as a whole, so any thread may look at them at any time.
    `become` has one caller for a record that the gateway knows: the dispatcher with its placement, whose lock guards
    that and all else here. `parts` are the segments that it needs, worked out once; `price` is what those cost that
    went out; `account` is that of the egress which has it; `accepted`: the network has all of it, which its egress'
    thread tells while it has the next one; `deferrals` counts how often its receiver could not have it; `answer_to` is
    who is told of its later states: ingress and callback. `follows` is the first of the same messages by two senders,
    of which only that one is sent; its `followers` end as it does. `slot` is its place in the spool, where it has one;
    `restored`: an earlier run of the gateway took it in, so nobody waits for its end any more.
    """

    __slots__ = (
        "accepted",
        "account",
        "again",
        "answer_to",
        "attempts",
        "channel",
        "content",
        "created",
        "deadline",
        "deferrals",
        "digest",
        "excluded",
        "followers",
        "follows",
        "message_id",
        "parts",
        "price",
        "progress",
        "restored",
        "slot",
        "status",
        "taken",
        "words",
    )

    def __init__(self, content: Content, words: Words | None) -> None:
        now = time.time()
        origin = content.origin
        self.message_id = os.urandom(8).hex()
        self.content = content
        self.words = words
        self.status = _FIRST
        self.channel = Channel.MAIL if "@" in content.receiver else Channel.SMS
        self.answer_to: tuple[str, Callback] | None = (
            None if origin.callback is None else (origin.ingress, origin.callback)
        )
        self.created = now
        # The wall clock of a device without network may jump: queue and duplicates live by the monotonic one.
        self.taken = time.monotonic()
        self.deadline = self.taken + (content.expires - now)
        self.digest = b""
        self.parts = 0
        self.price = 0.0
        self.account: Account | None = None
        self.attempts = 0
        self.accepted = False
        self.deferrals = 0
        self.again = False
        self.excluded = _NONE
        self.progress = Progress()
        self.follows: Record | None = None
        self.followers: tuple[Record, ...] = ()
        self.slot: int | None = None
        self.restored = False

    @classmethod
    def of(
        cls, origin: Origin, client_id: str | None, receiver: str, text: str | None, expires: float, **details: Any
    ) -> Self:
        """Make a record of single values; `subject` and the rest of `Content` may be among the details."""
        words = None if text is None else Words(text, details.pop("subject", ""))
        details.setdefault("receiver_shown", receiver)
        return cls(Content(origin, client_id, receiver, expires, **details), words)

    def become(self, status: Status) -> None:
        """Take another status: for the dispatcher, under its lock, and for whoever makes a record anew."""
        self.status = status

    def amend(self, **changes: Any) -> None:
        """Replace some of the content of a record that the dispatcher does not know yet."""
        self.content = replace(self.content, **changes)

    def forget_words(self) -> None:
        """Let go of text and subject."""
        self.words = None

    def remaining(self) -> float:
        """Return the seconds until it expires, by whichever clock is sooner.

        The monotonic one does not jump; but the wall clock may have been wrong when the message came in, and the moment
        that its sender named is nearer, once it is put right, than it seemed (raspberrypi/linux#1751).
        """
        left, ends_at = self.deadline - time.monotonic(), self.content.ends_at
        return left if ends_at is None else min(left, ends_at - time.time())

    # -- content, words and status, by single names -----------------------------------------------------------------

    @property
    def text(self) -> str | None:
        """The text; None when it has ended, and of one that is not to be sent itself."""
        return None if self.words is None else self.words.text

    @property
    def subject(self) -> str:
        """The subject of an e-mail; empty where there is none, and when it has ended."""
        return "" if self.words is None else self.words.subject

    @property
    def origin(self) -> Origin:
        """Who sends it."""
        return self.content.origin

    @property
    def client_id(self) -> str | None:
        """The sender's own number for it."""
        return self.content.client_id

    @property
    def receiver(self) -> str:
        """The key of the receiver."""
        return self.content.receiver

    @property
    def receiver_shown(self) -> str:
        """The receiver as logs show it."""
        return self.content.receiver_shown

    @property
    def destination(self) -> str:
        """What an egress is told to send to."""
        return self.content.destination or self.content.receiver

    @property
    def expires(self) -> float:
        """When it is worth nothing any more."""
        return self.content.expires

    @property
    def ends_at(self) -> float | None:
        """The moment that its sender named."""
        return self.content.ends_at

    @property
    def reference(self) -> str | None:
        """What the sender wants to have back."""
        return self.content.reference

    @property
    def bulk(self) -> bool:
        """Whether others go before it."""
        return self.content.bulk

    @property
    def flash(self) -> bool:
        """Whether it is shown at once."""
        return self.content.flash

    @property
    def only(self) -> str | None:
        """The one egress that a person chose."""
        return self.content.only

    @property
    def state(self) -> State:
        """Where it stands in its life."""
        return self.status.state

    @property
    def code(self) -> ResponseCode:
        """The response code that goes with it."""
        return self.status.code

    @property
    def cause(self) -> str | None:
        """Why it did not go as it should."""
        return self.status.cause

    @property
    def egress(self) -> str | None:
        """The internal name of the one that has it."""
        return self.status.egress

    @property
    def segments(self) -> int:
        """The parts that went out."""
        return self.status.segments

    @property
    def finished(self) -> float | None:
        """When it ended."""
        return self.status.finished

    @property
    def discharged(self) -> float | None:
        """When the network says that it was delivered, or given up."""
        return self.status.discharged

    def __repr__(self) -> str:
        return f"<Record {self.message_id} {self.state.value}>"
