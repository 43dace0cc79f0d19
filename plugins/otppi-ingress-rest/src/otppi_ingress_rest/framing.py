"""Framing: bytes of a connection in, whole requests out (RFC 9112); no I/O, no clock.

cheroot parses the request line and decides about persistence; what it leaves open to attack or to a hang is settled
here: strict header fields, one unambiguous length, limits, and bodies that are complete before anybody works on them.
"""

import io
import re
from concurrent.futures import Future
from enum import Enum, auto
from typing import Any

import cheroot.server

from otppi.api.ingress import Sender
from otppi_ingress_rest.replies import Refused, Reply, malformed
from otppi_ingress_rest.target import check_host, to_origin_form

HEAD_LIMIT = 16_384
FIELDS_LIMIT = 100
CHUNK_LINE_LIMIT = 256

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")
_LENGTH = re.compile(rb"[0-9]{1,12}")
_SINGLE = frozenset(
    (b"Authorization", b"Content-Length", b"Content-Type", b"Expect", b"Host", b"Transfer-Encoding")
)  # fmt: skip

_ONCE = frozenset((b"Content-Length", b"Host", b"Transfer-Encoding"))
"""Of these not even the same value may stand twice: another server on the way may have read the request otherwise."""


class Stage(Enum):
    """How far the next request has come in."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()


class Site:
    """What cheroot's request asks of its server: one listening port."""

    protocol = "HTTP/1.1"
    can_add_keepalive_connection = True
    max_request_header_size = 0  # RequestReader keeps HEAD_LIMIT before cheroot sees anything
    timeout = 60

    def __init__(self, gateway: Any, bind_addr: tuple[str, int], *, secure: bool, body_limit: int) -> None:
        self.gateway = gateway
        self.bind_addr = bind_addr
        self.ssl_adapter = secure or None
        self.max_request_body_size = body_limit


class Peer:
    """What cheroot's request asks of its connection: the client, and bytes in memory instead of a socket."""

    ssl_env = None

    def __init__(self, address: str, port: int) -> None:
        self.remote_addr = address
        self.remote_port = port
        self.rfile = io.BytesIO()
        self.wfile = io.BytesIO()


class _HeadReader(cheroot.server.HeaderReader):
    """Reads header fields strictly (RFC 9112 5): no folding, no blanks in names, no second value where one is meant."""

    def __call__(self, rfile: Any, hdict: dict[bytes, bytes]) -> dict[bytes, bytes]:  # type: ignore[override]
        lines = rfile.read().split(b"\r\n")
        if len(lines) > FIELDS_LIMIT:
            raise Refused(malformed("head", f"has more than {FIELDS_LIMIT} header fields", 431))
        for line in lines:
            if not line:
                break
            field = _FIELD.fullmatch(line)
            if field is None:
                raise Refused(malformed("head", "a header field is not well-formed (RFC 9112 5)"))
            name, value = field[1].title(), field[2].rstrip(b" \t")
            earlier = hdict.get(name)
            if earlier is None or (name in _SINGLE and name not in _ONCE and earlier == value):
                hdict[name] = value
            elif name in _SINGLE:
                raise Refused(malformed(name.decode("ascii"), "is given twice"))
            else:
                hdict[name] = earlier + b", " + value
        _normalise(hdict)
        return hdict


def _normalise(fields: dict[bytes, bytes]) -> None:
    """Bring what cheroot compares letter by letter into the form that it expects."""
    if connection := fields.get(b"Connection"):
        options = {option.strip() for option in connection.lower().split(b",")}
        fields[b"Connection"] = b"close" if b"close" in options else b"Keep-Alive" if b"keep-alive" in options else b""
    if expect := fields.get(b"Expect"):
        if expect.lower() != b"100-continue":
            raise Refused(malformed("Expect", "only 100-continue can be met", 417))
        fields[b"Expect"] = b"100-continue"
    if (length := fields.get(b"Content-Length")) is not None and not _LENGTH.fullmatch(length):
        raise Refused(malformed("Content-Length", "must be a whole number of bytes"))


class BufferedRequest(cheroot.server.HTTPRequest):
    """cheroot's request, read from memory; what it refuses becomes a `Refused` with a JSON envelope."""

    header_reader = _HeadReader()
    login: Sender | Future[Sender] | None = None
    """Who sends it, or the future of that: what a try to answer it has found out, for the next one."""

    def simple_response(self, status: object, msg: str = "") -> None:
        """Refuse the request (cheroot calls this instead of raising)."""
        text = msg or "cannot be served"
        raise Refused(malformed("body" if str(status).startswith("413") else "head", text, int(str(status)[:3])))

    def check(self) -> None:
        """Settle what cheroot leaves open: the host, and that the body has one unambiguous length (RFC 9112 6.3)."""
        fields = self.inheaders
        if self.request_protocol not in (b"HTTP/1.0", b"HTTP/1.1"):
            raise Refused(malformed("head", "the version must be HTTP/1.0 or HTTP/1.1"))
        modern = self.request_protocol == b"HTTP/1.1"
        if modern and not fields.get(b"Host"):
            raise Refused(malformed("Host", "is required (RFC 9112 3.2)"))
        if host := fields.get(b"Host"):
            check_host(host)
        if (coding := fields.get(b"Transfer-Encoding")) is not None:
            if coding.lower() != b"chunked":  # also "chunked, chunked" (RFC 9112 6.1); cheroot refuses others
                raise Refused(malformed("Transfer-Encoding", "must be chunked"))
            if not modern or b"Content-Length" in fields:
                raise Refused(malformed("Content-Length", "must not be combined with Transfer-Encoding"))
        elif self.method in (b"POST", b"PUT") and b"Content-Length" not in fields:
            raise Refused(malformed("Content-Length", "is required, or Transfer-Encoding: chunked"))

    def give_body(self, body: bytes) -> None:
        """Complete the request with its decoded body."""
        self.chunked_read = False
        self.inheaders[b"Content-Length"] = b"%d" % len(body)
        self.conn.rfile, self.conn.wfile = io.BytesIO(body), io.BytesIO()


class _KnownLength:
    def __init__(self, length: int) -> None:
        self._length = length

    def take(self, buffer: bytearray) -> bytes | None:
        if len(buffer) < self._length:
            return None
        body = bytes(buffer[: self._length])
        del buffer[: self._length]
        return body


class _Chunked:
    """RFC 9112 7.1; extensions and trailer fields are read and dropped."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._body = bytearray()
        self._size: int | None = None
        self._trailer = 0

    def take(self, buffer: bytearray) -> bytes | None:
        while True:
            if self._size is not None:
                if len(buffer) < self._size + 2:
                    return None
                self._chunk(buffer, self._size)
            line = self._line(buffer)
            if line is None:
                return None
            if self._trailer:
                self._trailer += len(line) + 2
                if not line:
                    return bytes(self._body)
                if self._trailer > HEAD_LIMIT:
                    raise Refused(malformed("body", "has too long trailer fields", 431))
                continue
            self._begin(line)

    def _begin(self, line: bytes) -> None:
        match = _CHUNK_SIZE.fullmatch(line)
        if match is None:
            raise Refused(malformed("body", "is not well-formed chunked coding"))
        size = int(match[1], 16)
        if len(self._body) + size > self._limit:
            raise Refused(malformed("body", f"is larger than {self._limit} bytes", 413))
        self._size = size or None
        self._trailer = 0 if size else 1

    def _chunk(self, buffer: bytearray, size: int) -> None:
        if buffer[size : size + 2] != b"\r\n":
            raise Refused(malformed("body", "is not well-formed chunked coding"))
        self._body += buffer[:size]
        del buffer[: size + 2]
        self._size = None

    @staticmethod
    def _line(buffer: bytearray) -> bytes | None:
        end = buffer.find(b"\r\n", 0, CHUNK_LINE_LIMIT)
        if end < 0:
            if len(buffer) >= CHUNK_LINE_LIMIT:
                raise Refused(malformed("body", "is not well-formed chunked coding"))
            return None
        line = bytes(buffer[:end])
        del buffer[: end + 2]
        return line


class RequestReader:
    """Collects the bytes of one connection and gives its requests, one after the other, each when it is whole."""

    def __init__(self, site: Site, peer: Peer) -> None:
        self._site = site
        self._peer = peer
        self._buffer = bytearray()
        self._searched = 0
        self._pending: tuple[BufferedRequest, _KnownLength | _Chunked] | None = None

    @property
    def stage(self) -> Stage:
        """What the reader waits for."""
        if self._pending is not None:
            return Stage.BODY
        return Stage.HEAD if self._buffer else Stage.IDLE

    def receive(self, data: bytes) -> None:
        """Take bytes from the client."""
        self._buffer += data

    def next_request(self) -> BufferedRequest | None:
        """Give the next request once all of it is here.

        Raises:
            Refused: it is not HTTP, or breaks a limit; the connection is of no further use.
        """
        if self._pending is None:
            head = self._cut_head()
            if head is None:
                return None
            self._pending = self._parse(head)
        request, source = self._pending
        body = source.take(self._buffer)
        if body is None:
            return None
        self._pending = None
        request.give_body(body)
        return request

    def interim(self) -> bytes:
        """Give, once, the `100 Continue` that a client waits for before it sends its body (RFC 9110 10.1.1)."""
        if self._pending is None:
            return b""
        interim = self._peer.wfile.getvalue()
        self._peer.wfile = io.BytesIO()
        return interim

    def incomplete(self) -> Reply | None:
        """Say what is missing, for a client that has sent its last byte or is too slow; None between requests."""
        if self.stage is Stage.IDLE:
            return None
        if self.stage is Stage.HEAD:
            return malformed("head", "did not arrive whole", 408)
        return malformed("Content-Length", "announces more bytes than arrived")

    def _cut_head(self) -> bytes | None:
        buffer = self._buffer
        while buffer.startswith((b"\r", b"\n")):  # RFC 9112 2.2: empty lines before the request line are ignored
            del buffer[:1]
        if not buffer:
            return None
        if not buffer[:1].isalpha():
            raise Refused(malformed("head", "this is not an HTTP request"))
        end = _HEAD_END.search(buffer, self._searched)
        if (end.end() if end else len(buffer)) > HEAD_LIMIT:
            too_long = 431 if b"\n" in buffer[:HEAD_LIMIT] else 414
            raise Refused(malformed("head", f"is longer than {HEAD_LIMIT} bytes", too_long))
        if end is None:
            self._searched = max(0, len(buffer) - 3)
            return None
        head = bytes(buffer[: end.end()])
        del buffer[: end.end()]
        self._searched = 0
        return head if head.count(b"\n") == head.count(b"\r\n") else re.sub(rb"\r?\n", b"\r\n", head)

    def _parse(self, head: bytes) -> tuple[BufferedRequest, _KnownLength | _Chunked]:
        head, host = to_origin_form(head, secure=self._site.ssl_adapter is not None)
        self._peer.rfile, self._peer.wfile = io.BytesIO(head), io.BytesIO()
        request = BufferedRequest(self._site, self._peer)
        try:
            request.parse_request()
        except ValueError as error:  # urllib.parse, on a target such as //[
            raise Refused(malformed("head", "the request target is not well-formed")) from error
        if not request.ready:
            raise Refused(malformed("head", "cannot be read"))
        request.check()
        if host:
            request.inheaders[b"Host"] = host
        if request.chunked_read:
            return request, _Chunked(self._site.max_request_body_size)
        return request, _KnownLength(int(request.inheaders.get(b"Content-Length", 0)))
