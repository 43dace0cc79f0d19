"""Which messages of the broker's session are held here: one that comes again is known, and not taken in twice.

An unacknowledged message belongs to the session, not to the connection: after a new connection the broker hands it over
again, under the same packet identifier and with DUP set (MQTT 5, 4.4), while the first one may still wait for a modem.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

_UNCERTAIN = 1000
"""Acknowledgements that may be lost with a connection: no more than messages were handed over at once."""


@dataclass(slots=True, eq=False)
class Held:
    """A message of QoS 1 or 2 that the broker keeps until it is acknowledged.

    Attributes:
        mid: Its packet identifier.
        qos: Its QoS.
        digest: Of topic and payload.
        topic: What it was published to.
        arrived: When it came first, by the monotonic clock.
        first_seen: When a gateway had it first, in Unix seconds.
        connection: The connection by which it came last; 0 when the broker no longer has it.
        leaving: Whether its end waits for a publication only, which goes on by the next connection.
        settled: Whether it has come to its end.
    """

    mid: int
    qos: int
    digest: bytes
    topic: str
    arrived: float
    first_seen: int
    connection: int
    leaving: bool = False
    settled: bool = False


class Ledger:
    """What is held, by packet identifier. The connection's thread owns it.

    Those that were acknowledged are known for a while: the acknowledgement may be lost with its connection.
    """

    def __init__(self) -> None:
        self._held: dict[int, Held] = {}
        self._acknowledged: OrderedDict[int, Held] = OrderedDict()
        self._awaited: set[Held] = set()
        self.connection = 1

    def __len__(self) -> int:
        return len(self._held)

    def connected(self, *, session_present: bool) -> int:
        """Begin a connection; return the number of messages that the broker has forgotten."""
        for held in [one for one in self._acknowledged.values() if one.connection != self.connection]:
            del self._acknowledged[held.mid]  # the broker has had another connection to hand it over again
        self.connection += 1
        self._awaited = set(self._held.values()) if session_present else set()
        if session_present:
            return 0
        self._acknowledged.clear()
        forgotten, self._held = self._held, {}
        for held in forgotten.values():
            held.connection = 0
        return sum(not held.settled for held in forgotten.values())

    def give_up(self) -> None:
        """Forget what is still being worked on: it counts as new when it comes again."""
        for held in [one for one in self._held.values() if not (one.leaving or one.settled)]:
            held.connection = 0
            self._forget(held)

    def again(self, mid: int, digest: bytes, *, duplicate: bool) -> Held | None:
        """Find the message that comes again: under its identifier, or, from a broker that gave it another, by its text.

        The second counts only for those that have not come again yet: the broker hands them over before any other.
        """
        held = self._acknowledged.get(mid)
        if held is not None and duplicate and held.digest == digest:
            held.connection = self.connection
            return held  # the acknowledgement was lost with its connection
        held = self._held.get(mid)
        if held is None or held.digest != digest or not (duplicate or held in self._awaited):
            held = next((one for one in self._awaited if one.digest == digest), None)
        if held is not None:
            self._forget(held)
            held.mid, held.connection = mid, self.connection
            self._held[mid] = held
        return held

    def hold(self, held: Held, *, duplicate: bool) -> None:
        """Note a message; an older one of the same identifier is one that the broker has forgotten."""
        if not duplicate:
            self._awaited.clear()  # it is new, so all that comes again has come
        if (older := self._held.get(held.mid)) is not None:
            older.connection = 0
            self._forget(older)
        self._held[held.mid] = held

    def may_acknowledge(self, held: Held) -> bool:
        """Note that a message has come to its end; whether the broker, on this connection, waits to be told."""
        held.settled = True
        return held.connection == self.connection

    def acknowledged(self, held: Held) -> None:
        """Forget a message that is acknowledged; of one of QoS 2 the identifier is kept until PUBREL."""
        if held.qos < 2:
            self._forget(held)
            self._acknowledged[held.mid] = held
            self._acknowledged.move_to_end(held.mid)
            if len(self._acknowledged) > _UNCERTAIN:
                self._acknowledged.popitem(last=False)

    def released(self, mid: int) -> None:
        """Forget a message of QoS 2 that the broker has forgotten too."""
        held = self._held.get(mid)
        if held is not None and held.settled:
            self._forget(held)

    def _forget(self, held: Held) -> None:
        self._awaited.discard(held)
        if self._held.get(held.mid) is held:
            del self._held[held.mid]


def digest(topic: bytes, payload: bytes | bytearray) -> bytes:
    """Name a message by a hash of topic and payload."""
    return hashlib.blake2b(len(topic).to_bytes(4, "big") + topic + bytes(payload), digest_size=16).digest()
