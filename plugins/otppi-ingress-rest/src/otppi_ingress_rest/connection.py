"""One client's connection: its socket, how far it is, and what is still to be written."""

import contextlib
import socket
import ssl
from enum import Enum, auto

from otppi_ingress_rest.framing import BufferedRequest, Peer, RequestReader, Site, Stage
from otppi_ingress_rest.postponed import Postponed
from otppi_ingress_rest.replies import Reply, internal_error, render

RECEIVE_SIZE = 65_536
_TLS_HANDSHAKE = 0x16
"""First octet of a TLS record that holds a ClientHello (RFC 8446 5.1)."""


class Phase(Enum):
    """What a connection is doing. In `WORK` it belongs to a worker or handshaker thread, else to the gate's."""

    HELLO = auto()
    HANDSHAKE = auto()
    READ = auto()
    WORK = auto()
    WRITE = auto()
    LINGER = auto()


class Connection:
    """A client's connection. Nothing blocks: `BlockingIOError` or `SSLWant…` rises where the socket is not ready."""

    def __init__(self, sock: socket.socket, peer: Peer, client: str, site: Site, tls: ssl.SSLContext | None) -> None:
        self.sock = sock
        self.client = client
        """Whose it is, among the clients whose connections are counted."""
        self.descriptor = sock.fileno()
        self.reader = RequestReader(site, peer)
        self.phase = Phase.HELLO if tls else Phase.READ
        self.stage = Stage.IDLE
        self.since = 0.0
        """When this phase, or this stage of reading, began (monotonic seconds)."""
        self.deadline = 0.0
        self.turn = 0
        """The gate's turn in which it was accepted."""
        self.served = False
        self.ends = False
        """Whether the connection is closed after what is being written."""
        self.half_closed = False
        self._peer = peer
        self._tls = tls
        self._output = memoryview(b"")

    @property
    def address(self) -> str:
        """The client's IP address."""
        return str(self._peer.remote_addr)

    def speaks_tls(self) -> bool:
        """Look at the first octet without taking it.

        Raises:
            ConnectionError: the client has gone.
        """
        first = self.sock.recv(1, socket.MSG_PEEK)
        if not first:
            raise ConnectionResetError
        return first[0] == _TLS_HANDSHAKE

    def begin_tls(self) -> None:
        """Wrap the socket; the handshake is still to be made."""
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_side=True, do_handshake_on_connect=False)

    def shake_hands(self) -> None:
        """Go on with the TLS handshake."""
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.do_handshake()

    def receive(self) -> bool:
        """Read what is there; False when the client has closed its half."""
        data = self.sock.recv(RECEIVE_SIZE)
        self.reader.receive(data)
        return bool(data)

    def decrypted(self) -> bool:
        """Whether TLS holds bytes that the selector does not see."""
        return isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0

    @property
    def at_rest(self) -> bool:
        """Whether nothing is to be done but to wait for the client's next request."""
        idle = self.reader.stage is Stage.IDLE and not self.decrypted()
        return idle and not (self._output or self.ends or self.half_closed)

    def respond(self, request: BufferedRequest) -> None:
        """Have the application answer the request (worker thread); the answer is in the output then.

        Raises:
            Postponed: Not yet; another try is to be made.
        """
        self.ends = True  # also where memory is so short that not even the fault can be told
        try:
            request.respond()
        except Postponed:
            raise
        except Exception:
            self.refuse(internal_error(taken=True))
            raise
        self.ends = request.close_connection
        self._output = memoryview(self._peer.wfile.getvalue())

    def refuse(self, reply: Reply) -> None:
        """Put a reply of ours into the output; the connection ends with it."""
        self._output = memoryview(render(reply))
        self.ends = True

    def send_interim(self) -> None:
        """Tell a client that waits for it to go on with its body.

        Raises:
            ConnectionError: not even that much could be sent.
        """
        interim = self.reader.interim()
        if interim and self.sock.send(interim) < len(interim):
            raise ConnectionAbortedError

    def flush(self) -> None:
        """Write the output, as far as the client takes it."""
        while self._output:
            self._output = self._output[self.sock.send(self._output) :]

    def shut_down(self) -> None:
        """Say that nothing more will come.

        What the client still sends has to be read then, lest a reset make it lose the answer (RFC 9112 9.6).
        """
        if isinstance(self.sock, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                self.sock.unwrap()  # sends close_notify; the client's is not waited for
        self.sock.shutdown(socket.SHUT_WR)

    def discard(self) -> bool:
        """Read and drop; False when the client has closed its half too."""
        return bool(self.sock.recv(RECEIVE_SIZE))
