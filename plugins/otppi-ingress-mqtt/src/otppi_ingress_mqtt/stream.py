"""The socket of a connection: read and written through buffers, one thread's own.

paho reads a packet in three or more small pieces and writes each alone; through buffers that is one system call for
many packets, and what TLS has decrypted already is not forgotten by whoever waits for the socket.
"""

import contextlib
import select
import socket
import ssl
import time

_CHUNK = 65_536
_FULL = 1 << 20
"""Octets that may wait to be written; more wait in paho's queue."""


class Stream:
    """A connected socket, with or without TLS; what paho takes for a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._in = b""
        self._at = 0
        self._out = bytearray()
        self.lingers = 0.0
        """Seconds that `close` gives the other side to read everything first."""

    def recv(self, size: int) -> bytes:
        """Return up to `size` octets; none at the end of the stream.

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
        """Return the descriptor; -1 after the end."""
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
        """Wait, no longer than `lingers`, until the other side has read everything and closes.

        A socket that is closed while something unread is in it resets the connection, and then the broker may lose the
        last acknowledgements, and take the orderly end for a broken one.
        """
        deadline = time.monotonic() + self.lingers
        while self._out and (left := deadline - time.monotonic()) > 0:
            _wait(self._sock, select.POLLOUT, left)
            self.flush()
        self._sock.shutdown(socket.SHUT_WR)
        while (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
                if not self._sock.recv(_CHUNK):
                    return
            _wait(self._sock, select.POLLIN, left)


def _wait(sock: socket.socket, event: int, seconds: float) -> None:
    poll = select.poll()
    poll.register(sock, event)
    poll.poll(max(0.0, seconds) * 1000)
