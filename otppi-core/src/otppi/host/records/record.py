"""A message's life inside the gateway: its record, the table of records, and which are duplicates."""

import hashlib
import os
import time
from collections import OrderedDict

from otppi.api.egress import Channel
from otppi.api.ingress import Origin
from otppi.api.message import Progress, State
from otppi.host.meter.meter import Account
from otppi.wire.envelope import ResponseCode

_KEPT_FINAL = 20_000
"""Final records that stay in RAM to be asked for; about 25 MB at the most."""
_KEPT_REFUSED = 1_000
_NONE: frozenset[str] = frozenset()


class Record:
    """One message. The gateway's lock guards every change; single attributes may be read by any thread.

    `text` is the only place where the text stands, and is None from the final state on. `receiver_shown` is the
    receiver as logs, journal and report show it; its form, masked or not, says by which `channel` it goes; `egress` is
    the one that has it, or had it last; `only` names the one that a person chose; `discharged` is when
    the network says that it was delivered, or given up; `parts` are the segments that it needs, where that was counted;
    `account` is that of the egress which has it; `deferrals` counts how often its receiver could not have it;
    `answer_to` is who is told of its later states: ingress and callback.
    `ends_at` is when it expires by the wall clock, where the sender named a moment; `reference` is given back to the
    sender. `follows` is the first of the same messages by two senders, of which only that one is sent; its `followers`
    end as it does. `slot` is its place in the spool, where it has one; `restored`: an earlier run of the gateway took
    it in, so nobody waits for its end any more.
    """

    __slots__ = (
        "account",
        "again",
        "answer_to",
        "attempts",
        "bulk",
        "cause",
        "channel",
        "client_id",
        "code",
        "created",
        "deadline",
        "deferrals",
        "destination",
        "digest",
        "discharged",
        "egress",
        "ends_at",
        "excluded",
        "expires",
        "finished",
        "flash",
        "followers",
        "follows",
        "message_id",
        "only",
        "origin",
        "parts",
        "progress",
        "receiver",
        "receiver_shown",
        "reference",
        "restored",
        "segments",
        "slot",
        "state",
        "subject",
        "taken",
        "text",
    )

    def __init__(self, origin: Origin, client_id: str | None, receiver: str, text: str | None, expires: float) -> None:
        now = time.time()
        self.message_id = os.urandom(8).hex()
        self.client_id = client_id
        self.origin = origin
        self.answer_to = None if origin.callback is None else (origin.ingress, origin.callback)
        self.receiver = receiver
        self.receiver_shown = receiver
        self.destination = receiver
        self.channel = Channel.MAIL if "@" in receiver else Channel.SMS
        self.text = text
        self.subject = ""
        self.created = now
        self.expires = expires
        self.ends_at: float | None = None
        # The wall clock of a device without network may jump: queue and duplicates live by the monotonic one.
        self.taken = time.monotonic()
        self.deadline = self.taken + (expires - now)
        self.digest = b""
        self.state = State.QUEUED
        self.code = ResponseCode.SUCCESS
        self.cause: str | None = None
        self.egress: str | None = None
        self.segments = 0
        self.parts = 0
        self.account: Account | None = None
        self.attempts = 0
        self.again = False
        self.bulk = False
        self.flash = False
        self.only: str | None = None
        self.excluded = _NONE
        self.progress = Progress()
        self.finished: float | None = None
        self.discharged: float | None = None
        self.reference: str | None = None
        self.follows: Record | None = None
        self.followers: tuple[Record, ...] = ()
        self.slot: int | None = None
        self.restored = False
        self.deferrals = 0

    def left(self) -> float:
        """Give the seconds until it expires, by whichever clock is sooner.

        The monotonic one does not jump; but the wall clock may have been wrong when the message came in, and the moment
        that its sender named is nearer, once it is put right, than it seemed (raspberrypi/linux#1751).
        """
        left = self.deadline - time.monotonic()
        return left if self.ends_at is None else min(left, self.ends_at - time.time())

    def __repr__(self) -> str:
        return f"<Record {self.message_id} {self.state.value}>"


class Records:
    """The records by message id, and by digest within the duplicate window. Not thread-safe: the gateway locks."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._by_id: OrderedDict[str, Record] = OrderedDict()
        self._refused: OrderedDict[str, Record] = OrderedDict()
        self._by_digest: OrderedDict[bytes, Record] = OrderedDict()

    def digest(self, client_id: str | None, receiver: str, text: str) -> bytes:
        """Name a message by a keyed hash of its id, receiver and text; one without an id is like none that has one."""
        parts = (receiver, text) if client_id is None else (client_id, receiver, text)
        fields = b"".join(
            len(raw).to_bytes(4, "big") + raw for raw in (part.encode("utf-8", "surrogatepass") for part in parts)
        )
        return hashlib.blake2b(fields, key=self._key, digest_size=16).digest()

    def earlier(self, digest: bytes, window: float) -> Record | None:
        """Find the message that this one would be a duplicate of: the same digest, and out or on its way out.

        One that is still on its way is known however long that takes: a broker may deliver it again meanwhile.
        """
        record = self._by_digest.get(digest)
        if record is None or not record.state.went_out:
            return None
        if record.state.final and time.monotonic() - record.taken > window:
            return None
        return record

    def add(self, record: Record) -> None:
        """Remember a record, and forget the oldest final ones beyond what is kept."""
        self._by_id[record.message_id] = record
        if record.digest:
            self._by_digest[record.digest] = record
            self._by_digest.move_to_end(record.digest)
        while len(self._by_id) > _KEPT_FINAL:
            oldest = next(iter(self._by_id.values()))
            if not oldest.state.final:
                self._by_id.move_to_end(oldest.message_id)  # one that waits long does not keep all the others
                break
            self._forget(oldest)

    def add_refused(self, record: Record) -> None:
        """Remember one that was not taken in, apart: however many come, duplicates of the others stay known."""
        self._refused[record.message_id] = record
        if len(self._refused) > _KEPT_REFUSED:
            self._refused.popitem(last=False)

    def _forget(self, record: Record) -> None:
        del self._by_id[record.message_id]
        if self._by_digest.get(record.digest) is record:
            del self._by_digest[record.digest]

    def get(self, message_id: str) -> Record | None:
        """Find a record by its message id."""
        return self._by_id.get(message_id) or self._refused.get(message_id)

    def latest(self) -> list[Record]:
        """List what a restart needs to know, oldest first: everything that is not final, and the newest of the rest."""
        records = list(self._by_id.values())
        older, newer = records[: -_KEPT_FINAL // 4], records[-_KEPT_FINAL // 4 :]
        latest = [record for record in older if not record.state.final] + newer
        return [record for record in latest if record.follows is None]

    def open(self) -> list[Record]:
        """List the records that are not final."""
        return [record for record in self._by_id.values() if not record.state.final]
