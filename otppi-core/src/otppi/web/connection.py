"""One client's connection: its socket, how far it is, and what is still to be written."""

import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from enum import IntEnum, auto
from typing import TYPE_CHECKING, cast

from otppi.web.faults import log_fault
from otppi.web.request import Request
from otppi.web.request_parser import RequestParser, RequestStage
from otppi.web.response import BODILESS, Response, has_body, head
from otppi.web.stream import Stream

if TYPE_CHECKING:
    from ssl import SSLContext

    from otppi.web.tls_socket import TlsSocket

logger = logging.getLogger(__name__)

RECEIVE_SIZE = 65_536
PART_SIZE = 65_536
"""Octets of a body in parts that are made at once."""
_TLS_HANDSHAKE = 0x16
"""First octet of a TLS record that holds a ClientHello (RFC 8446 5.1)."""
_LAST_CHUNK = b"0\r\n\r\n"


class Phase(IntEnum):
    """What a connection is doing. In `WORK` it belongs to a worker or handshake thread, else to the server's."""

    HELLO = auto()
    HANDSHAKE = auto()
    READ = auto()
    WORK = auto()
    WRITE = auto()
    STREAM = auto()
    LINGER = auto()


class Connection:
    """A client's connection. Nothing blocks: `BlockingIOError` rises where the socket is not ready.

    Args:
        sock: Its socket, which does not block.
        client: Whose it is, among the clients whose connections are counted.
        parser: What reads its requests.
        tls: Gives the context for TLS, where the port speaks it.
        plain: Whether the port speaks HTTP without TLS, too.
    """

    def __init__(
        self,
        sock: socket.socket,
        client: str,
        parser: RequestParser,
        tls: "Callable[[], SSLContext] | None" = None,
        *,
        plain: bool = False,
    ) -> None:
        self.sock = sock
        self.client = client
        self.descriptor = sock.fileno()
        self.parser = parser
        self.phase = Phase.HELLO if tls else Phase.READ
        self.stage = RequestStage.IDLE
        self.since = 0.0
        """When this phase, or this stage of reading, began (monotonic seconds)."""
        self.deadline = 0.0
        self.turn = 0
        """The server's turn in which it was accepted."""
        self.served = False
        self.ends = False
        """Whether the connection is closed after what is being written."""
        self.half_closed = False
        self.stream: Stream | None = None
        self.plain = plain
        self._tls = tls
        self._secured: TlsSocket | None = None
        self._output = memoryview(b"")
        self._parts: Iterator[bytes] | None = None
        self._chunked = False

    # Reading

    def speaks_tls(self) -> bool:
        """Look at the first octet without taking it.

        Raises:
            ConnectionError: The client has gone.
        """
        first = self.sock.recv(1, socket.MSG_PEEK)
        if not first:
            raise ConnectionResetError
        return first[0] == _TLS_HANDSHAKE

    def shake_hands(self) -> None:
        """Begin the TLS handshake, or go on with it."""
        if self._secured is None and self._tls is not None:
            self._begin_tls(self._tls())
        if self._secured is not None:
            self._secured.do_handshake()

    def _begin_tls(self, context: "SSLContext") -> None:
        from otppi.web.tls_socket import TlsSocket  # a gateway that speaks no TLS does without

        context.sslsocket_class = TlsSocket
        wrapped = context.wrap_socket(self.sock, server_side=True, do_handshake_on_connect=False)
        self.sock = self._secured = cast("TlsSocket", wrapped)
        self.parser.secure = True

    def receive(self) -> bool:
        """Read what is there; False when the client has closed its half."""
        data = self.sock.recv(RECEIVE_SIZE)
        self.parser.receive(data)
        return bool(data)

    def decrypted(self) -> bool:
        """Whether TLS holds bytes that the selector does not see."""
        return self._secured is not None and self._secured.pending() > 0

    @property
    def at_rest(self) -> bool:
        """Whether nothing is to be done but to wait for the client's next request."""
        busy = self._output or self.ends or self.half_closed or self._parts is not None or self.stream is not None
        return not busy and self.parser.stage is RequestStage.IDLE and not self.decrypted()

    # Answering

    def put(self, response: Response, request: Request | None, *, ends: bool) -> None:
        """Put an answer into the output, as far as it is made."""
        self.ends = True  # also where memory is so short that the rest of this fails
        body, carries = response.body, has_body(response.status, request.method if request else "")
        if isinstance(body, bytes):
            length: int | None = len(body) if carries or response.length is None else response.length
            if response.status in BODILESS:
                length = None
            written = head(response, request, length=length, chunked=False, ends=ends)
            self._output = memoryview(written + body if carries else written)
            self.ends = ends
            return
        self._put_parts(response, request, carries=carries, ends=ends)

    def _put_parts(self, response: Response, request: Request | None, *, carries: bool, ends: bool) -> None:
        modern = request is not None and request.version == "HTTP/1.1"
        self._chunked = modern and carries and response.length is None
        # Where neither length nor chunks tell it, the end of the connection is the end of the body (RFC 9112 6.3).
        ends = ends or isinstance(response.body, Stream) or (carries and response.length is None and not modern)
        written = head(response, request, length=response.length, chunked=self._chunked, ends=ends)
        self._output = memoryview(written)
        self.ends = ends
        if isinstance(response.body, Stream):
            self.stream = response.body
            if not carries:
                self.stream.close()
        elif not isinstance(response.body, bytes):
            self._parts = iter(response.body)
            if not carries:
                self._drop_parts()

    @property
    def unfinished(self) -> bool:
        """Whether a body in parts has more of them, now that the output is empty."""
        return self._parts is not None

    def make_part(self) -> None:
        """Have the application make the next part (worker thread).

        Where it fails, the connection ends without the last chunk: the client sees that the body is not whole.
        """
        parts, made = self._parts, bytearray()
        if parts is None:
            return
        try:
            while len(made) < PART_SIZE:
                if (part := next(parts, None)) is None:
                    made += _LAST_CHUNK if self._chunked else b""
                    self._drop_parts()
                    break
                made += self._framed(part)
        except Exception:  # noqa: BLE001 - an application's, of any kind: logged without its words
            log_fault(logger, "The rest of an answer could not be made")
            self.cut_off()
        self._output = memoryview(bytes(made))

    def cut_off(self) -> None:
        """End the connection in the middle of an answer in parts."""
        self.ends = True
        self._drop_parts()

    def take_from_stream(self) -> bool:
        """Put what the stream has into the output, which is empty; False where that is the end of it."""
        stream = self.stream
        if stream is None:
            return False
        data, ended = stream.pop()
        self._output = memoryview(self._framed(data) + (_LAST_CHUNK if ended and self._chunked else b""))
        if ended:
            self.stream = None
            stream.end()
        return not ended

    def _framed(self, data: bytes) -> bytes:
        if not self._chunked or not data:
            return bytes(data)
        return b"%x\r\n%b\r\n" % (len(data), data)

    def _drop_parts(self) -> None:
        parts, self._parts = self._parts, None
        close: Callable[[], None] | None = getattr(parts, "close", None)
        if close is not None:
            try:
                close()
            except Exception:  # noqa: BLE001 - an application's, of any kind: logged without its words
                log_fault(logger, "What was to be done at the end of an answer failed")

    def send_interim(self) -> None:
        """Tell a client that waits for it to go on with its body.

        Raises:
            ConnectionError: Not even that much could be sent.
        """
        interim = self.parser.interim()
        if interim and self.sock.send(interim) < len(interim):
            raise ConnectionAbortedError

    def flush(self) -> None:
        """Write the output, as far as the client takes it."""
        while self._output:
            self._output = self._output[self.sock.send(self._output) :]

    # The end

    def shut_down(self) -> None:
        """Say that nothing more will come.

        What the client still sends has to be read then, lest a reset make it lose the answer (RFC 9112 9.6).
        """
        if self._secured is not None:
            with contextlib.suppress(OSError, ValueError):
                self._secured.unwrap()  # sends close_notify; the client's is not waited for
        self.sock.shutdown(socket.SHUT_WR)

    def discard(self) -> bool:
        """Read and drop; False when the client has closed its half too."""
        return bool(self.sock.recv(RECEIVE_SIZE))

    def let_go(self) -> None:
        """Tell the application that a body in parts, or a stream, ends here."""
        self._drop_parts()
        stream, self.stream = self.stream, None
        if stream is not None:
            stream.end()
