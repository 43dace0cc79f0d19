"""A TCP connection, with or without TLS, that one thread owns and never waits in: read, written, closed."""

import errno
import socket
import ssl
import time

from otppi.kit.net.endpoint import Endpoint
from otppi.kit.net.failures import CLOSED
from otppi.kit.net.link import LinkLost
from otppi.kit.net.wake import Alarm
from otppi_ingress_wsmessagebroker.text import _

_READ = 65_536
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Gone(LinkLost):
    """The server closed the connection, without a word of its protocol."""

    def __init__(self) -> None:
        super().__init__(CLOSED)


class Stream:
    """An open connection. What `recv` and `send` cannot do at once they leave; `wait` waits until they can."""

    def __init__(self, sock: socket.socket, endpoint: Endpoint, alarm: Alarm) -> None:
        self._sock = sock
        self._endpoint = endpoint
        self._alarm = alarm
        self._read = bytearray()
        self.wants_write = False

    def wait(self, deadline: float, what: str) -> None:
        """Wait until it can be read, or written where `wants_write`.

        Raises:
            LinkLost: Neither by `deadline` (`what` says what was waited for), or the alarm's time is over.
        """
        if self._alarm.over:
            raise LinkLost(_("it is no longer wanted"))
        if time.monotonic() >= deadline:
            raise LinkLost(_("{problem} ({what})", problem=self._endpoint.no_answer(), what=what))
        self._alarm.wait_for((self,), deadline)

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._sock.fileno()

    def recv(self, size: int) -> bytes:
        """Take at most `size` bytes of what has arrived.

        Raises:
            BlockingIOError: There is nothing now.
            LinkLost: It is closed.
        """
        if not self._read:
            self._read += self._recv()
        data = bytes(self._read[:size])
        del self._read[:size]
        return data

    def unread(self, data: bytes) -> None:
        """Put back what was read too much."""
        self._read[:0] = data

    def _recv(self) -> bytes:
        try:
            data = self._sock.recv(_READ)
        except _WOULD_BLOCK as error:
            raise BlockingIOError from error
        except OSError as error:
            raise self._lost(error) from error
        if not data:
            raise Gone
        return data

    def send(self, data: bytes | bytearray | memoryview) -> int:
        """Write what can be written now, and say how many bytes that was.

        Raises:
            LinkLost: It is closed.
        """
        try:
            return self._sock.send(data)
        except _WOULD_BLOCK:
            return 0
        except OSError as error:
            raise self._lost(error) from error

    def close(self) -> None:
        """Close it, whatever waits."""
        self._sock.close()

    def _lost(self, error: OSError) -> LinkLost:
        if error.errno in (errno.ECONNRESET, errno.EPIPE) or isinstance(error, ssl.SSLEOFError):
            return Gone()
        return LinkLost(self._endpoint.why(error) or _("the connection broke"))
