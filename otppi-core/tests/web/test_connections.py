"""How many connections there may be, and whose go."""

import select
import socket
from collections.abc import Callable, Iterator

import pytest

from otppi.kit.net.ip_network import network_of
from otppi.web.acceptor import Acceptor
from otppi.web.connection import Connection, Phase
from otppi.web.connections import Connections
from otppi.web.listener import Listener, open_port
from otppi.web.request_parser import RequestParser


class Made:
    """Connections that nobody serves."""

    def __init__(self) -> None:
        self._others: list[socket.socket] = []

    def connection(self, address: str = "127.0.0.1", since: float = 0.0) -> Connection:
        ours, other = socket.socketpair()
        self._others.append(other)
        connection = Connection(ours, network_of(address), RequestParser((address, 1), lambda _: 1024))
        connection.since = since
        return connection

    def close(self) -> None:
        for one in self._others:
            one.close()


@pytest.fixture
def made() -> Iterator[Made]:
    connections = Made()
    yield connections
    connections.close()


def test_who_has_most_loses_the_one_that_waits_longest(made: Made) -> None:
    connections = Connections(10, 10)
    crowd = [made.connection("2001:db8::1", since=number) for number in (5.0, 3.0, 4.0)]
    early = made.connection("192.0.2.7", since=1.0)
    busy = made.connection("2001:db8::2", since=0.0)
    busy.phase = Phase.WORK
    slow = made.connection("192.0.2.8", since=97.5)
    slow.phase = Phase.WRITE
    for one in (*crowd, early, busy, slow):
        connections.add(one)
    first_to_go = connections.may_go_first(100.0)[::-1]
    assert first_to_go == [crowd[1], crowd[2], crowd[0], early, slow]  # never the one that is being answered
    assert slow not in connections.may_go_first(99.0)  # it may still be reading
    assert connections.may_go_first(100.0, "192.0.2.7") == [early]
    for one in (*crowd, early, busy, slow):
        connections.remove(one)
        connections.remove(one)
    assert not connections.crowded("192.0.2.7")
    assert len(connections) == 0


def test_who_left_before_takes_nobody_along(made: Made) -> None:
    """Descriptors are given out anew: one that is closed twice must not take its successor out of the table."""
    connections = Connections(10, 10)
    old = made.connection()
    connections.add(old)
    connections.remove(old)
    young = made.connection()
    connections.add(young)
    assert young.descriptor == old.descriptor
    connections.remove(old)
    assert connections.get(young.descriptor) is young
    connections.remove(young)


class Door:
    """A port whose connections are accepted turn by turn."""

    def __init__(self, limit: int, of_client: int) -> None:
        self.listener = Listener(open_port("127.0.0.1", 0, "the.port"))
        self.connections = Connections(limit, of_client)
        self.epoll = select.epoll()
        self.acceptor = Acceptor(
            "a-server", [self.listener], self.connections, self.epoll, body_limit=lambda _: 1024, patience=10.0
        )
        self.acceptor.open()
        self.clients: list[socket.socket] = []
        self._now = 0.0

    def knock(self, count: int) -> list[int]:
        """Connect; give the clients' ports, by which the connections are known."""
        new = [socket.create_connection(("127.0.0.1", self.listener.port), 10) for _ in range(count)]
        self.clients += new
        return [one.getsockname()[1] for one in new]

    def turn(self) -> None:
        self._now += 1.0
        self.acceptor.begin_turn(self._now)
        self.acceptor.accept(self.listener.sock.fileno())

    def inside(self) -> list[int]:
        return sorted(one.sock.getpeername()[1] for one in self.connections)

    def close(self) -> None:
        for one in self.clients:
            one.close()
        for connection in self.connections:
            self.connections.remove(connection)
        self.acceptor.close()
        self.epoll.close()


@pytest.fixture
def door() -> Iterator[Callable[[int, int], Door]]:
    doors: list[Door] = []

    def make(limit: int, of_client: int) -> Door:
        doors.append(Door(limit, of_client))
        return doors[-1]

    yield make
    for one in doors:
        one.close()


def test_none_that_came_in_this_turn_goes_for_the_next(door: Callable[[int, int], Door]) -> None:
    """Its request may have come along, and nobody has looked yet: with a small limit of a client's it was reset."""
    entry = door(100, 3)
    early = entry.knock(1)
    entry.turn()
    late = entry.knock(5)
    entry.turn()
    assert entry.inside() == sorted(late[:3])  # the early one went; of the late ones there is no room for more
    last = entry.knock(1)
    entry.turn()
    assert entry.inside() == sorted([*late[1:3], *last])  # in the next turn the one that waits longest may go
    assert early[0] not in entry.inside()


def test_who_came_in_this_turn_stays_where_all_places_are_taken(door: Callable[[int, int], Door]) -> None:
    entry = door(3, 3)
    entry.knock(1)
    entry.turn()
    late = entry.knock(5)
    entry.turn()
    assert entry.inside() == sorted(late[:3])
    assert not entry.acceptor.paused
    entry.turn()
    assert entry.inside() == sorted([late[2], *late[3:]])  # who waited in the kernel's queue came in, in order
