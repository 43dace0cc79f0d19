"""The socket of a connection: opened without waiting too long, read and written through buffers, one thread's own.

paho reads a packet in three or more small pieces and writes each alone; through buffers that is one system call for
many packets, and what TLS has decrypted already is not forgotten by whoever waits for the socket.
"""

import contextlib
import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable

from otppi.kit.net.link import LinkLost

_CHUNK = 65_536
_FULL = 1 << 20
"""Octets that may wait to be written; more wait in paho's queue."""
_LINGER = 1.0


class Waker:
    """Ends another thread's wait. `ring` may be called by any thread at any time; open as a context manager."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends: tuple[socket.socket, socket.socket] | None = None
        self._rung = False

    def __enter__(self) -> "Waker":
        with self._lock:
            self._ends = socket.socketpair()
            self._rung = False
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            ends, self._ends = self._ends, None
        for end in ends or ():
            end.close()

    def ring(self) -> None:
        """End the wait, or the next one."""
        if self._rung:
            return
        with self._lock:
            if self._ends is not None and not self._rung:
                self._rung = True
                self._ends[0].send(b"\0")

    def hear(self) -> None:
        """Take the ringing in; what was asked for is looked at after this."""
        with self._lock:
            if self._ends is not None and self._rung:
                self._ends[1].recv(16)
                self._rung = False

    def fileno(self) -> int:
        """Give what can be waited for."""
        with self._lock:
            return -1 if self._ends is None else self._ends[1].fileno()


class Stream:
    """A connected socket, with or without TLS; what paho takes for a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._in = b""
        self._at = 0
        self._out = bytearray()
        self.lingers = False
        """Whether `close` lets the other side read everything first."""

    def recv(self, size: int) -> bytes:
        """Give up to `size` octets; none at the end of the stream.

        Raises:
            BlockingIOError: nothing is there yet.
        """
        if self._at >= len(self._in):
            try:
                self._in, self._at = self._sock.recv(_CHUNK), 0
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                raise BlockingIOError from error
        taken = self._in[self._at : self._at + size]
        self._at += len(taken)
        return taken

    def send(self, octets: bytes | bytearray) -> int:
        """Take octets to be written by `flush`."""
        if len(self._out) >= _FULL:
            raise BlockingIOError
        self._out += octets
        return len(octets)

    def flush(self) -> None:
        """Write what can be written now; raises OSError where the connection is gone."""
        while self._out:
            try:
                written = self._sock.send(memoryview(self._out)[:_CHUNK])
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            del self._out[:written]

    @property
    def unsent(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._out)

    def pending(self) -> int:
        """Count the octets that can be read although the socket has none."""
        more = self._sock.pending() if isinstance(self._sock, ssl.SSLSocket) and self._sock.fileno() >= 0 else 0
        return len(self._in) - self._at + more

    def fileno(self) -> int:
        """Give the descriptor; -1 after the end."""
        return self._sock.fileno()

    def setblocking(self, flag: bool) -> None:
        """Change nothing: it never blocks."""

    def close(self) -> None:
        """Write what is left, as far as it goes without waiting, and close."""
        if self._sock.fileno() < 0:
            return
        with contextlib.suppress(OSError):
            self.flush()
            if self.lingers:
                self._linger()
        self._sock.close()

    def _linger(self) -> None:
        """Wait, for a second at the most, until the other side has read everything and closes.

        A socket that is closed while something unread is in it resets the connection, and then the broker may lose the
        last acknowledgements, and take the orderly end for a broken one.
        """
        deadline = time.monotonic() + _LINGER
        while self._out and (left := deadline - time.monotonic()) > 0:
            _wait(self._sock, select.POLLOUT, left)
            self.flush()
        self._sock.shutdown(socket.SHUT_WR)
        while (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
                if not self._sock.recv(_CHUNK):
                    return
            _wait(self._sock, select.POLLIN, left)


class Dialer:
    """Opens connections to one server.

    Args:
        host, port: The server.
        context: Of TLS; None without.
        timeout: The longest wait until it is connected, in seconds.
        waker: Whose ringing lets it look at `stopping`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        timeout: float,
        waker: Waker,
        stopping: Callable[[], bool],
    ) -> None:
        self._host = host
        self._port = port
        self._context = context
        self._timeout = timeout
        self._waker = waker
        self._stopping = stopping

    def dial(self) -> Stream:
        """Connect.

        Raises:
            LinkLost: It cannot be reached, or is not whom its certificate should say; or this side is stopping.
        """
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise LinkLost(f"its name cannot be resolved: {_reason(error)}") from error
        deadline = time.monotonic() + self._timeout
        problem: LinkLost | None = None
        for left, (family, kind, protocol, _, address) in zip(range(len(found), 0, -1), found, strict=True):
            patience = max(0.0, deadline - time.monotonic()) / left  # one that is silent leaves time for the others
            try:
                return self._one(socket.socket(family, kind, protocol), address, time.monotonic() + patience)
            except OSError as error:
                problem = LinkLost(_reason(error))
        raise problem or LinkLost("its name has no address")

    def _one(self, sock: socket.socket, address: tuple[object, ...], deadline: float) -> Stream:
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                sock.connect(address)
            except BlockingIOError:
                self._until(sock, select.POLLOUT, deadline)
                if number := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    raise OSError(number, os.strerror(number)) from None
            if self._context is None:
                return Stream(sock)
            sock = secure = self._context.wrap_socket(sock, server_hostname=self._host, do_handshake_on_connect=False)
            self._shake_hands(secure, deadline)
            return Stream(secure)
        except BaseException:
            sock.close()
            raise

    def _shake_hands(self, sock: ssl.SSLSocket, deadline: float) -> None:
        while True:
            try:
                sock.do_handshake()
            except ssl.SSLWantReadError:
                self._until(sock, select.POLLIN, deadline)
            except ssl.SSLWantWriteError:
                self._until(sock, select.POLLOUT, deadline)
            except OSError as error:
                raise LinkLost(_tls_reason(error)) from error
            else:
                return

    def _until(self, sock: socket.socket, event: int, deadline: float) -> None:
        """Wait until the socket is ready."""
        while True:
            if self._stopping():
                raise LinkLost("the gateway is stopping")
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("it does not answer")
            if _wait(sock, event, left, self._waker):
                return


def _wait(sock: socket.socket, event: int, seconds: float, waker: Waker | None = None) -> bool:
    """Wait for a socket, or for the waker; whether it was the socket."""
    poll = select.poll()
    poll.register(sock, event)
    if waker is not None:
        poll.register(waker.fileno(), select.POLLIN)
    ready = {descriptor for descriptor, _ in poll.poll(max(0.0, seconds) * 1000)}
    if waker is not None and waker.fileno() in ready:
        waker.hear()
    return sock.fileno() in ready


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _tls_reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    return f"TLS fails: {getattr(error, 'reason', None) or error.strerror}; is it TLS that it speaks at this port?"
