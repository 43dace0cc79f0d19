"""Accepts connections, and makes room for them, as far as any may go for another's sake."""

import contextlib
import errno
import logging
import select
import socket
from collections.abc import Callable, Sequence

from otppi.kit.bursts import Bursts
from otppi.kit.net.ip_network import network_of
from otppi.web.arrival import UNKNOWN, arrival_of
from otppi.web.connection import Connection
from otppi.web.connections import Connections
from otppi.web.listener import Listener
from otppi.web.request import Request
from otppi.web.request_parser import RequestParser
from otppi.web.waits import INPUT

logger = logging.getLogger(__name__)

ACCEPTS_AT_ONCE = 64
DESCRIPTORS_AT_ONCE = 8
_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Acceptor:
    """Used by the server's thread only, but for `close`.

    Args:
        name: Whose server it is, for the log.
        listeners: The open ports.
        connections: Where the connections are kept.
        epoll: Where they are watched.
        body_limit: How many octets the body of a request may have, by its head.
        patience: Seconds in which a client has to begin.
    """

    def __init__(
        self,
        name: str,
        listeners: Sequence[Listener],
        connections: Connections,
        epoll: select.epoll,
        *,
        body_limit: Callable[[Request], int],
        patience: float,
    ) -> None:
        self._listeners = {listener.sock.fileno(): listener for listener in listeners}
        self._connections = connections
        self._body_limit = body_limit
        self._epoll = epoll
        self._patience = patience
        self._turn = 0
        self._now = 0.0
        self._may_go: dict[str, list[Connection]] = {}
        """Who may go, by client, and of all under an empty name; made once a turn, for thousands may come in it."""
        self._lines = Bursts(logger, name, most=1, period=60.0)
        self.paused = False

    def open(self) -> None:
        """Begin."""
        for descriptor in self._listeners:
            self._epoll.register(descriptor, select.EPOLLIN)

    def close(self) -> None:
        """Close the ports (any thread)."""
        for descriptor, listener in self._listeners.items():
            if listener.sock.fileno() < 0:
                continue
            # Closing it would not do where another descriptor of it stays open, as when the gateway begins again.
            with contextlib.suppress(OSError, ValueError):  # it was never opened, or all has ended
                self._epoll.unregister(descriptor)
            listener.sock.close()

    def begin_turn(self, now: float) -> None:
        """Take note that the server has new events, none of which is of a connection that is accepted from now on."""
        self._turn += 1
        self._now = now
        self._may_go.clear()

    def is_listener(self, descriptor: int) -> bool:
        """Whether a descriptor is that of a port."""
        return descriptor in self._listeners

    def accept(self, descriptor: int) -> None:
        """Accept who waits at a port."""
        listener = self._listeners.get(descriptor)
        if listener is None:  # a connection's, which was closed in this turn
            return
        for count in range(ACCEPTS_AT_ONCE):
            if self.paused:
                return
            if self._connections.full and not self._to_make_room():
                if count == 0:  # else those that have just come may go in the next turn
                    self._pause("all the connections that there may be are being answered")
                return
            try:
                sock, address = listener.sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                # Else the client went away before it was accepted.
                if error.errno in _NO_DESCRIPTORS and not self._free_descriptors(str(error.strerror)):
                    return
                continue
            self._admit(sock, address, listener)

    def resume(self) -> None:
        """Accept again after a pause."""
        self._lines.flush()
        if self.paused:
            self.paused = False
            self._watch(select.EPOLLIN)

    def _admit(self, sock: socket.socket, address: tuple[str, int], listener: Listener) -> None:
        peer = address[0].removeprefix("::ffff:"), address[1]
        client = network_of(peer[0])
        if self._connections.crowded(client):
            if not self._to_make_room(client):
                sock.close()
                self._lines.log(logging.WARNING, "connections too many", "%s has too many connections", client)
                return
            self._make_room(client)
        if self._connections.full:
            self._make_room()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        arrival = arrival_of(sock) if listener.tells_arrival else UNKNOWN
        parser = RequestParser(peer, self._body_limit, arrival=arrival)
        connection = Connection(sock, client, parser, listener.tls, plain=listener.plain)
        connection.turn, connection.since, connection.deadline = self._turn, self._now, self._now + self._patience
        self._connections.add(connection)
        self._epoll.register(connection.descriptor, INPUT)

    def _to_make_room(self, client: str = "") -> list[Connection]:
        """List who may go, of one client or of all, the first to go last.

        None that was accepted in this turn is among them: nobody has looked yet whether its request has come.
        """
        may_go = self._may_go.get(client)
        if may_go is None:
            listed = self._connections.may_go_first(self._now, client)
            may_go = self._may_go[client] = [one for one in listed if one.turn != self._turn]
        while may_go and not self._connections.may_go(may_go[-1], self._now):
            may_go.pop()
        return may_go

    def _make_room(self, client: str = "") -> None:
        """Close the connection that has kept us waiting for the longest time, of the client that has most of them."""
        if may_go := self._to_make_room(client):
            self._connections.remove(may_go.pop())

    def _free_descriptors(self, reason: str) -> bool:
        """Let some who keep us waiting go, also for the rest of the process; pause where there are none."""
        if not self._to_make_room():
            self._pause(reason)
            return False
        self._lines.log(logging.WARNING, "such moments", "Waiting connections are closed for others: %s", reason)
        for _ in range(DESCRIPTORS_AT_ONCE):
            self._make_room()
        return True

    def _pause(self, reason: str) -> None:
        """Accept nothing until `resume`: who comes meanwhile waits in the kernel's queue."""
        self._lines.log(logging.WARNING, "such pauses", "No connection can be accepted for the moment: %s", reason)
        self.paused = True
        self._watch(0)

    def _watch(self, mask: int) -> None:
        for descriptor in self._listeners:
            self._epoll.modify(descriptor, mask)
