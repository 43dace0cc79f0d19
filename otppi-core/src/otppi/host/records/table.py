"""The table of records: by their ids, and which of them are duplicates."""

import hashlib
import time
from collections import OrderedDict
from heapq import nlargest
from itertools import islice

from otppi.api.egress import Channel
from otppi.host.records.record import Record

_KEPT_FINAL = 20_000
"""Final records that stay in RAM to be asked for; about 25 MB at the most."""
_KEPT_REFUSED = 1_000


class Records:
    """The records by message id, and by digest within the duplicate window. Not thread-safe: the gateway locks."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._by_id: OrderedDict[str, Record] = OrderedDict()
        self._refused: OrderedDict[str, Record] = OrderedDict()
        self._by_digest: OrderedDict[bytes, Record] = OrderedDict()

    def digest(self, client_id: str | None, receiver: str, text: str) -> bytes:
        """Name a message by a keyed hash of its id, receiver and text; one without an id is like none that has one."""
        fields = (b"" if client_id is None else _field(client_id)) + _field(receiver) + _field(text)
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

    def waits(self, channel: Channel) -> bool:
        """Whether a message of a channel has not come to its end."""
        return any(not one.state.final and one.channel is channel for one in self._by_id.values())

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
        known = {record.message_id for record in latest}  # what one follows has to be known where it is
        return [record for record in latest if record.follows is None or record.follows.message_id in known]

    def recent(self, count: int) -> list[Record]:
        """List the records that came last, newest first, those that were not taken in among them."""
        newest = [one for table in (self._by_id, self._refused) for one in islice(reversed(table.values()), count)]
        return nlargest(count, newest, key=lambda record: record.taken)

    def open(self) -> list[Record]:
        """List the records that are not final."""
        return [record for record in self._by_id.values() if not record.state.final]


def _field(text: str) -> bytes:
    """Write a text so that its end is known."""
    octets = text.encode("utf-8", "surrogatepass")
    return len(octets).to_bytes(4, "big") + octets
