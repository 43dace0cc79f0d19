"""The open connections: how many there may be, how many of one client, and which may go where there is no room."""

import threading
from collections import Counter
from collections.abc import Iterator

from otppi.web.connection import Connection, Phase

UNFINISHED = frozenset((Phase.HELLO, Phase.HANDSHAKE, Phase.READ, Phase.LINGER))
"""Phases in which the server waits for the client, which has nothing to lose but its place."""
NOT_READING = 2.0
"""Seconds after which a client that does not take its answer is one that keeps us waiting."""


class Connections:
    """The connections by descriptor. Changed by the server's thread only; others may look one up, with the lock.

    Args:
        most: How many there may be.
        most_of_client: How many of them may be one client's.
    """

    def __init__(self, most: int, most_of_client: int) -> None:
        self.lock = threading.Lock()
        """Held while a connection leaves, and while one becomes the server's again without its help."""
        self._most = most
        self._most_of_client = most_of_client
        self._connections: dict[int, Connection] = {}
        self._of_client = Counter[str]()

    def __len__(self) -> int:
        return len(self._connections)

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._connections.values()))

    @property
    def full(self) -> bool:
        """Whether there is no room for one more."""
        return len(self._connections) >= self._most

    def crowded(self, client: str) -> bool:
        """Whether a client has as many as it may have."""
        return self._of_client[client] >= self._most_of_client

    def get(self, descriptor: int) -> Connection | None:
        """Find a connection."""
        return self._connections.get(descriptor)

    def add(self, connection: Connection) -> None:
        """Take one in."""
        self._connections[connection.descriptor] = connection
        self._of_client[connection.client] += 1

    def remove(self, connection: Connection) -> None:
        """Close one, which may have left already."""
        with self.lock:
            if self._connections.get(connection.descriptor) is connection:
                del self._connections[connection.descriptor]
                self._of_client[connection.client] -= 1
                if not self._of_client[connection.client]:
                    del self._of_client[connection.client]
            connection.sock.close()  # which takes it out of epoll too
        connection.let_go()

    def may_go(self, connection: Connection, now: float) -> bool:
        """Whether a connection may be closed for another's sake: none that is being answered."""
        if self._connections.get(connection.descriptor) is not connection:
            return False
        waits_to_write = connection.phase is Phase.WRITE and now - connection.since > NOT_READING
        return connection.phase in UNFINISHED or waits_to_write

    def may_go_first(self, now: float, client: str = "") -> list[Connection]:
        """List those that may be closed, the first to go last: of who has most, the one that has waited longest."""
        may_go = [one for one in self if client in ("", one.client) and self.may_go(one, now)]
        return sorted(may_go, key=lambda one: (-self._of_client[one.client], one.since))[::-1]
