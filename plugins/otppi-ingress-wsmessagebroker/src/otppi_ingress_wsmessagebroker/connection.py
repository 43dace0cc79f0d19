"""A WebSocket connection to the server (RFC 6455), on the frames of websocket-client: one thread owns it."""

import base64
import math
import os
import struct
import time
from dataclasses import dataclass
from typing import Any, cast

import websocket

from otppi.kit.net.dial import Dialer
from otppi.kit.net.failures import no_answer
from otppi.kit.net.link import LinkLost
from otppi.kit.net.wake import Alarm
from otppi.wire.envelope import BODY_LIMIT
from otppi_ingress_wsmessagebroker import handshake
from otppi_ingress_wsmessagebroker.handshake import Site
from otppi_ingress_wsmessagebroker.stream import Stream
from otppi_ingress_wsmessagebroker.text import _

MESSAGE_LIMIT = 2 * BODY_LIMIT
"""A longer message is no command, not even one that was encrypted; it is read and thrown away."""
_ROOM = 262_144
_CONTROL_LIMIT = 125
_AT_ONCE = 100
_PING = struct.Struct("!Q")
_CLOSE_CODES = {
    1000: _("it closed the connection"),
    1001: _("it is going away"),
    1002: _("it found a fault in our protocol"),
    1003: _("it does not take such data"),
    1006: _("it closed the connection"),
    1007: _("it found a text of ours that is not UTF-8"),
    1008: _("it refuses this client by a rule of its own"),
    1009: _("it found a message of ours too long"),
    1011: _("it has a fault"),
    1012: _("it is being restarted"),
    1013: _("it is too busy"),
}


class Closed(LinkLost):
    """The server ended the connection in the way of the protocol, with a status code (RFC 6455 7.4)."""

    def __init__(self, code: int) -> None:
        super().__init__(_("{reason} (code {code})", reason=_CLOSE_CODES.get(code, _CLOSE_CODES[1000]), code=code))
        self.code = code


@dataclass(frozen=True, slots=True)
class Server:
    """How the server is reached.

    Attributes:
        site: Its address and the credentials.
        timeout: The longest wait for a connection, and for the answer to a ping, in seconds.
        ping_interval: Seconds between pings; 0 for none.
    """

    site: Site
    timeout: float
    ping_interval: float


class _Frames(websocket.frame_buffer):  # type: ignore[misc,name-defined,unused-ignore]
    """Frames out of octets, as they come. The payload of one that is too long is counted, not kept."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream.recv, skip_utf8_validation=True)
        self.too_long = False
        self._skipped = 0

    def recv_strict(self, bufsize: int) -> Any:
        """Take `bufsize` octets; raises BlockingIOError, and goes on the next time, where they are not there yet."""
        if bufsize <= MESSAGE_LIMIT:
            return super().recv_strict(bufsize)
        self.too_long = True
        while self._skipped < bufsize:
            self._skipped += len(self.recv(min(65_536, bufsize - self._skipped)))
        self._skipped = 0
        return b""


class Connection:
    """An open connection.

    `receive` gives what has arrived and answers pings; `publish` and `ping` put frames into a buffer that `flush`
    writes as far as that is possible. Whatever is wrong with the connection is raised as LinkLost.
    """

    def __init__(self, stream: Stream, server: Server) -> None:
        self._stream = stream
        self._server = server
        self._frames = _Frames(stream)
        self._parts: list[bytes] = []
        self._size = 0
        self._in_message = False
        self._too_long = False
        self._out = bytearray()
        self._pong: bytes | None = None
        self._pings = 0
        self._pinged_at = self.opened_at = self._heard_at = time.monotonic()
        self._awaited = False
        self._ended: LinkLost | None = None
        self.answered = 0
        self.messages = 0

    @classmethod
    def open(cls, server: Server, topic: str, dialer: Dialer, alarm: Alarm) -> "Connection":
        """Connect, and do the handshake for a topic.

        Raises:
            LinkLost: It is refused, or not there in time; the sentence says what may be wrong.
        """
        deadline = time.monotonic() + server.timeout
        site = server.site
        stream = Stream(dialer.dial(), dialer.endpoint, alarm)
        try:
            _shake_hands(stream, site, topic, deadline)
        except BaseException:
            stream.close()
            raise
        return cls(stream, server)

    # -- in ---------------------------------------------------------------------------------------------------------

    def receive(self, most: int = _AT_ONCE) -> list[bytes | None]:
        """Return the messages that have arrived, text or binary, None for one too long; `most` of them: go on at once.

        Raises:
            Closed: The server ended the connection.
            LinkLost: It is gone, or breaks the protocol.
        """
        messages: list[bytes | None] = []
        try:
            if self._ended is not None:
                raise self._ended
            self._receive(messages, most)
        except LinkLost as error:
            if not messages:
                raise
            self._ended = error  # they came first; the next call tells
        self.messages += len(messages)
        return messages

    def _receive(self, messages: list[bytes | None], most: int) -> None:
        """Put what has arrived into `messages`."""
        while len(messages) < most:
            try:
                frame = self._frames.recv_frame()
            except BlockingIOError:
                break
            except websocket.WebSocketException as error:
                self._fail(1002)
                raise LinkLost(_("it breaks the WebSocket protocol")) from error
            self._heard_at = time.monotonic()
            if self._frame(frame.opcode, bool(frame.fin), cast("bytes", frame.data)):
                messages.append(self._message())
        self.flush()

    def _frame(self, opcode: int, final: bool, payload: bytes) -> bool:
        """Take a frame in, and say whether it ends a message."""
        if opcode >= websocket.ABNF.OPCODE_CLOSE:
            self._control(opcode, final, payload)
            return False
        if (opcode == websocket.ABNF.OPCODE_CONT) != self._in_message:  # RFC 6455 5.4
            self._fail(1002)
            raise LinkLost(_("it breaks the WebSocket protocol (parts of messages out of order)"))
        too_long, self._frames.too_long = self._frames.too_long, False
        self._size += len(payload)
        self._too_long |= too_long or self._size > MESSAGE_LIMIT
        if self._too_long:
            self._parts.clear()
        elif payload:
            self._parts.append(payload)
        self._in_message = not final
        return final

    def _message(self) -> bytes | None:
        message = None if self._too_long else b"".join(self._parts)
        self._parts, self._size, self._too_long = [], 0, False
        return message

    def _control(self, opcode: int, final: bool, payload: bytes) -> None:
        if self._frames.too_long or len(payload) > _CONTROL_LIMIT or not final:  # RFC 6455 5.5
            self._fail(1002)
            raise LinkLost(_("it breaks the WebSocket protocol (a control frame too long)"))
        if opcode == websocket.ABNF.OPCODE_PING:
            self._pong = payload  # of several only the last one is answered (RFC 6455 5.5.3)
        elif opcode == websocket.ABNF.OPCODE_PONG:
            if len(payload) == _PING.size:
                self.answered = max(self.answered, min(self._pings, _PING.unpack(payload)[0]))
        else:
            code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
            self._fail(code if len(payload) >= 2 else 1000)
            raise Closed(code)

    # -- out --------------------------------------------------------------------------------------------------------

    def publish(self, payload: bytes) -> None:
        """Put a text message into the buffer."""
        self._put(payload, websocket.ABNF.OPCODE_TEXT)

    def ping(self) -> int:
        """Put a ping into the buffer, and return its number: `answered` is as high once the server has read so far."""
        self._pings += 1
        self._pinged_at = time.monotonic()
        self._awaited = True
        self._put(_PING.pack(self._pings), websocket.ABNF.OPCODE_PING)
        return self._pings

    def end(self) -> None:
        """Say that this is the end; what still comes may be received until `Closed` is raised."""
        self._put(struct.pack("!H", 1000), websocket.ABNF.OPCODE_CLOSE)
        self.flush()

    def _put(self, payload: bytes, opcode: int) -> None:
        self._out += websocket.ABNF.create_frame(payload, opcode).format()

    def flush(self) -> None:
        """Write what can be written now."""
        while True:
            if not self._out and self._pong is not None:
                pong, self._pong = self._pong, None
                self._put(pong, websocket.ABNF.OPCODE_PONG)
            if not self._out:
                return
            written = self._stream.send(self._out)
            if not written:
                return
            del self._out[:written]

    @property
    def wants_write(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._out)

    @property
    def has_room(self) -> bool:
        """Whether the server reads what is written."""
        return len(self._out) < _ROOM

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._stream.fileno()

    def close(self) -> None:
        """Close it now, with a word to the server where that does not have to wait."""
        try:
            if not self._out:
                self.end()
        except LinkLost:
            pass  # it is gone, which is as well
        self._stream.close()

    def _fail(self, code: int) -> None:
        """Tell the server why the connection ends, where that does not have to wait."""
        self._out.clear()
        try:
            self._put(struct.pack("!H", code), websocket.ABNF.OPCODE_CLOSE)
            self.flush()
        except LinkLost:
            pass  # it has left already; the caller raises what is wrong

    # -- signs of life ----------------------------------------------------------------------------------------------

    def check(self) -> float:
        """Ask for a sign of life when it is time, and say when to call this again, by time.monotonic().

        Raises:
            LinkLost: There was none in time.
        """
        now, interval, timeout = time.monotonic(), self._server.ping_interval, self._server.timeout
        if self._awaited and self._heard_at >= self._pinged_at:
            self._awaited = False
        if self._awaited:
            if now >= self._pinged_at + timeout:
                raise LinkLost(no_answer(timeout))
            return self._pinged_at + timeout
        if not interval:
            return math.inf
        if now >= self._pinged_at + interval:
            self.ping()
            self.flush()
            return now + timeout
        return self._pinged_at + interval


def _shake_hands(stream: Stream, site: Site, topic: str, deadline: float) -> None:
    key = base64.b64encode(os.urandom(16)).decode()
    rest = memoryview(handshake.request(site, topic, key))
    while rest:
        written = stream.send(rest)
        rest = rest[written:]
        if not written:
            stream.wants_write = True
            stream.wait(deadline, _("reading the handshake"))
    stream.wants_write = False
    answer = bytearray()
    while handshake.HEAD_END not in answer:
        try:
            answer += stream.recv(handshake.HEAD_LIMIT)
        except BlockingIOError:
            stream.wait(deadline, _("to the handshake"))
        except LinkLost as error:
            raise _without_answer(bytes(answer), error) from error
        if len(answer) > handshake.HEAD_LIMIT and handshake.HEAD_END not in answer:
            raise handshake.not_http(bytes(answer))
    head, _end, begun = bytes(answer).partition(handshake.HEAD_END)
    handshake.check(head, site, key)
    stream.unread(begun)


def _without_answer(answer: bytes, error: LinkLost) -> LinkLost:
    if answer:
        return handshake.not_http(answer)
    return LinkLost(
        _("{error} during the handshake; it may want TLS, or speak something else than WebSocket", error=error)
    )
