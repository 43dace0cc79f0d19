"""A TCP proxy for tests, which cuts connections, or lets them hang, as networks do."""

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable
from typing import Self

from otppi.testing.waiting import PATIENCE

_CHUNK = 65_536


class TcpProxy:
    """Forwards a free port of the loopback to a server. Its methods may be called by any thread.

    An end of what one side sends is forwarded as such: the other side may read what has come, and answer, as by TCP.

    Args:
        port: The server's port.
        host: Its address.
    """

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.accepted = 0
        self._selector = selectors.DefaultSelector()
        self._near, self._far = socket.socketpair()
        self._others: dict[socket.socket, socket.socket] = {}
        self._ended: set[socket.socket] = set()
        self._orders: list[Callable[[], None]] = []
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._open = True
        self._hangs = False
        self._thread = threading.Thread(target=self._run, name="TCP proxy")

    def cut(self) -> None:
        """Reset all connections, and close new ones at once, until `mend`."""
        self._order(self._cut)

    def drop(self) -> None:
        """Reset all connections; new ones work."""
        self._order(self._drop)

    def hang(self) -> None:
        """Keep the connections open and forward nothing, until `mend`."""
        self._order(self._hang)

    def mend(self) -> None:
        """Work again; what was sent meanwhile by connections that hang is forwarded."""
        self._order(self._mend)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._order(self._end)
        self._thread.join()

    def _order(self, order: Callable[[], None]) -> None:
        done = threading.Event()

        def carry_out() -> None:
            order()
            done.set()

        with self._lock:
            self._orders.append(carry_out)
        self._near.send(b"\0")
        done.wait(PATIENCE)

    # -- the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._far, selectors.EVENT_READ)
        while not self._done.is_set():
            for key, _ in self._selector.select():
                sock = key.fileobj
                assert isinstance(sock, socket.socket)  # noqa: S101 - nothing else is registered
                if sock is self._far:
                    self._carry_out_orders()
                elif sock is self._listener:
                    self._accept()
                elif sock in self._others:
                    self._forward(sock)
        for sock in (self._listener, self._near, self._far):
            sock.close()
        self._selector.close()

    def _carry_out_orders(self) -> None:
        self._far.recv(_CHUNK)
        with self._lock:
            orders, self._orders = self._orders, []
        for order in orders:
            order()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            client, _ = self._listener.accept()
            self.accepted += 1
            if not self._open:
                client.close()
                return
            try:
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                client.close()
                return
            for one, other in ((client, server), (server, client)):
                one.settimeout(5)
                self._others[one] = other
                if not self._hangs:
                    self._selector.register(one, selectors.EVENT_READ)

    def _forward(self, sock: socket.socket) -> None:
        other = self._others[sock]
        try:
            if data := sock.recv(_CHUNK):
                other.sendall(data)
                return
            if other not in self._ended:
                other.shutdown(socket.SHUT_WR)
                self._ended.add(sock)
                self._selector.unregister(sock)
                return
        except OSError:
            pass  # one of them is gone
        self._close(sock)

    def _close(self, sock: socket.socket) -> None:
        other = self._others.pop(sock)
        self._others.pop(other, None)
        for one in (sock, other):
            self._ended.discard(one)
            with contextlib.suppress(KeyError):
                self._selector.unregister(one)
            one.close()

    def _drop(self) -> None:
        for sock in list(self._others):
            if sock in self._others:
                self._close(sock)

    def _cut(self) -> None:
        self._open = False
        self._drop()

    def _hang(self) -> None:
        self._hangs = True
        for sock in self._open_ends():
            self._selector.unregister(sock)

    def _mend(self) -> None:
        self._open = True
        if self._hangs:
            self._hangs = False
            for sock in self._open_ends():
                self._selector.register(sock, selectors.EVENT_READ)

    def _open_ends(self) -> list[socket.socket]:
        """Return the sockets by which something may still come."""
        return [sock for sock in self._others if sock not in self._ended]

    def _end(self) -> None:
        self._drop()
        self._done.set()
