"""A TCP connection, with or without TLS, that one thread owns and never waits in: connected, read, written, closed."""

import errno
import os
import socket
import ssl
import time

from otppi.kit.net.link import LinkLost
from otppi_ingress_wsmessagebroker.alarm import Alarm
from otppi_ingress_wsmessagebroker.lookup import Address, Lookup

_READ = 65_536
_KEEP_ALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 5),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
)
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Gone(LinkLost):
    """The server closed the connection, without a word of its protocol."""

    def __init__(self) -> None:
        super().__init__("it closed the connection")


class Stream:
    """An open connection. What `recv` and `send` cannot do at once they leave; `wait` waits until they can."""

    def __init__(self, sock: socket.socket, alarm: Alarm) -> None:
        self._sock = sock
        self._alarm = alarm
        self._read = bytearray()
        self.wants_write = False

    @classmethod
    def connect(
        cls, host: str, port: int, context: ssl.SSLContext | None, lookup: Lookup, alarm: Alarm, deadline: float
    ) -> "Stream":
        """Connect to the first address that answers, and do the TLS handshake.

        Raises:
            LinkLost: It cannot be had by `deadline`, or the alarm's time is over.
        """
        addresses = lookup.addresses(host, port, deadline)
        problem = LinkLost("its name has no address")
        for number, address in enumerate(addresses):
            now = time.monotonic()
            share = now + (deadline - now) / (len(addresses) - number)
            try:
                stream = cls(_socket(address), alarm)
                try:
                    stream._connect(address, share)
                    if context is not None:
                        stream._secure(context, host, share)
                except BaseException:
                    stream.close()
                    raise
            except LinkLost as error:
                problem = error
            else:
                return stream
        raise problem

    def _connect(self, address: Address, deadline: float) -> None:
        status = self._sock.connect_ex(address[3])
        self.wants_write = True
        while status == errno.EINPROGRESS:
            self.wait(deadline, "it does not answer")
            status = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or _still_connecting(self._sock)
        self.wants_write = False
        if status:
            raise LinkLost(os.strerror(status))

    def _secure(self, context: ssl.SSLContext, host: str, deadline: float) -> None:
        try:
            secured = context.wrap_socket(self._sock, server_hostname=host, do_handshake_on_connect=False)
        except (OSError, ValueError) as error:  # gone already; or a name that TLS does not allow
            raise LinkLost(f"TLS cannot be begun ({error})") from error
        self._sock = secured
        while True:
            try:
                secured.do_handshake()
            except ssl.SSLWantReadError:
                self.wants_write = False
            except ssl.SSLWantWriteError:
                self.wants_write = True
            except OSError as error:  # ssl.SSLError is one
                raise LinkLost(_tls_problem(error)) from error
            else:
                self.wants_write = False
                return
            self.wait(deadline, "it does not answer to the TLS handshake")

    def wait(self, deadline: float, problem: str) -> None:
        """Wait until it can be read, or written where `wants_write`.

        Raises:
            LinkLost: Neither by `deadline` (with `problem` as its sentence), or the alarm's time is over.
        """
        if self._alarm.over:
            raise LinkLost("it is no longer wanted")
        if time.monotonic() >= deadline:
            raise LinkLost(problem)
        self._alarm.wait((self,), deadline)

    def fileno(self) -> int:
        """Give its descriptor."""
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
            raise _lost(error) from error
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
            raise _lost(error) from error

    def close(self) -> None:
        """Close it, whatever waits."""
        self._sock.close()


def _socket(address: Address) -> socket.socket:
    family, kind, protocol, _ = address
    try:
        sock = socket.socket(family, kind, protocol)
    except OSError as error:  # IPv6 is switched off, or no descriptor is left
        raise LinkLost(error.strerror or str(error)) from error
    sock.setblocking(False)
    for option in _KEEP_ALIVE:
        sock.setsockopt(*option)
    return sock


def _still_connecting(sock: socket.socket) -> int:
    """Give EINPROGRESS until the other end is known, then 0: the wait may have ended for another reason."""
    try:
        sock.getpeername()
    except OSError:
        return errno.EINPROGRESS
    return 0


def _lost(error: OSError) -> LinkLost:
    if error.errno in (errno.ECONNRESET, errno.EPIPE) or isinstance(error, ssl.SSLEOFError):
        return Gone()
    return LinkLost(_tls_problem(error))


def _tls_problem(error: OSError) -> str:
    """Say what is wrong with TLS; OpenSSL's own words hold nothing secret."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLEOFError) or error.errno == errno.ECONNRESET:
        return "it closed the connection during TLS; it may not speak TLS, and `ssl` is on"
    if isinstance(error, ssl.SSLError):
        if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
            return "it does not speak TLS, and `ssl` is on"
        return f"TLS failed: {(error.reason or str(error)).lower().replace('_', ' ')}"
    return error.strerror or str(error)
