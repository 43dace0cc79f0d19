"""Bytes of a connection in, whole requests out (RFC 9112); no I/O, no clock.

Strict where servers have been attacked: well-formed header fields, one unambiguous length, limits, and bodies that are
complete before anybody works on them.
"""

import re
from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from otppi.web.arrival import UNKNOWN, ConnectionArrival
from otppi.web.body import Chunked, KnownLength, too_large
from otppi.web.request import Refusal, Refused, Request
from otppi.web.target import check_host, decode_path, to_origin_form

HEAD_LIMIT = 16_384
FIELDS_LIMIT = 100
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_REMEMBERED_LENGTH, _REMEMBERED_FIELDS = 1_024, 20
"""The most characters and fields of a head that a connection remembers: some 5 KB of memory."""
_BARE_LINE_FEED = re.compile(r"\r?\n")
_REQUEST_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Z-]+) ([!-~]+) HTTP/([0-9]\.[0-9])")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)")
_LENGTH = re.compile(r"[0-9]{1,12}")
_SINGLE = {
    "authorization": "Authorization", "content-length": "Content-Length", "content-type": "Content-Type",
    "expect": "Expect", "host": "Host", "transfer-encoding": "Transfer-Encoding",
}  # fmt: skip
"""Fields that mean one value, and how people write them."""
_ONCE = frozenset(("content-length", "host", "transfer-encoding"))
"""Of these not even the same value may stand twice: another server on the way may have read the request otherwise."""


class RequestStage(Enum):
    """How far the next request has come in."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()


class _RequestLine(NamedTuple):
    """What a request line says, and the host that its target names."""

    method: str
    target: str
    host: str
    path: str
    query: str
    version: str


class RequestParser:
    """Collects the bytes of one connection and gives its requests, one after the other, each when it is whole.

    Args:
        address: The client's, and its port.
        secure: Whether it speaks TLS.
        body_limit: How many octets the body of a request may have, by its head.
        arrival: Where it came in, where the listener asks.

    Attributes:
        secure: Whether it speaks TLS.
        path: What the request asks for that is being read, or that was refused; empty as long as it is not known.
    """

    def __init__(
        self,
        address: tuple[str, int],
        body_limit: Callable[[Request], int],
        *,
        secure: bool = False,
        arrival: ConnectionArrival = UNKNOWN,
    ) -> None:
        self.secure = secure
        self.path = ""
        self._arrival = arrival
        self._address, self._port = address
        self._body_limit = body_limit
        self._buffer = bytearray()
        self._searched = 0
        self._last_hash = 0
        self._remembered: tuple[bytes, Request, int] | None = None
        self._pending: tuple[Request, KnownLength | Chunked] | None = None
        self._interim = b""

    @property
    def stage(self) -> RequestStage:
        """What the parser waits for."""
        if self._pending is not None:
            return RequestStage.BODY
        return RequestStage.HEAD if self._buffer else RequestStage.IDLE

    def receive(self, data: bytes) -> None:
        """Take bytes from the client."""
        self._buffer += data

    def next_request(self) -> Request | None:
        """Return the next request once all of it is here.

        Raises:
            Refused: It is not HTTP, or breaks a limit; the connection is of no further use.
        """
        if self._pending is None:
            self._pending = self._same_again() or self._next_head()
            if self._pending is None:
                return None
        request, source = self._pending
        body = source.decode(self._buffer)
        if body is None:
            return None
        self._pending = None
        self.path = ""
        request.body = body
        return request

    def interim(self) -> bytes:
        """Return, once, the `100 Continue` that a client waits for before it sends its body (RFC 9110 10.1.1)."""
        interim, self._interim = self._interim, b""
        return interim if self._pending is not None else b""

    def forget_head(self) -> None:
        """Let go of the head that came again and again: the client sends no more requests for now."""
        self._last_hash, self._remembered = 0, None

    def incomplete(self) -> Refusal | None:
        """Return what is missing, for a client that has sent its last byte or is too slow; None between requests."""
        if self.stage is RequestStage.IDLE:
            return None
        if self.stage is RequestStage.HEAD:
            return Refusal(408, "head", "did not arrive whole")
        return Refusal(400, "Content-Length", "announces more bytes than arrived")

    def _same_again(self) -> tuple[Request, KnownLength] | None:
        """Return the request that the head begins which came again and again, where it is the next one, too."""
        if self._remembered is None or not self._buffer.startswith(self._remembered[0]):
            return None
        octets, like, length = self._remembered
        del self._buffer[: len(octets)]
        self._searched = 0
        request = Request(like.method, like.path, like.query, dict(like.fields), version=like.version)
        request.target, request.keep_alive = like.target, like.keep_alive
        self._interim = b""
        self._from_here(request)
        announced = "content-length" in request.fields
        return request, self._announced(request, length) if announced else KnownLength(length)

    def _from_here(self, request: Request) -> Request:
        request.secure, request.address, request.port = self.secure, self._address, self._port
        self.path = request.path
        request.arrival = self._arrival
        return request

    def _next_head(self) -> tuple[Request, KnownLength | Chunked] | None:
        octets = self._cut_head()
        if octets is None:
            return None
        text = octets.decode("latin-1").removesuffix("\n").removesuffix("\r").removesuffix("\n").removesuffix("\r")
        lines = text.split("\r\n")
        if text.count("\n") != len(lines) - 1:
            lines = _BARE_LINE_FEED.split(text)
        head = _read_request_line(lines[0], secure=self.secure)
        request = self._from_here(Request(head.method, head.path, head.query, {}, version=head.version))
        request.target = head.target
        request.fields = _fields(lines)
        source = self._resolve(request, head.host)
        # It may hold a password, so it is remembered only where it comes again.
        last, self._last_hash = self._last_hash, hash(octets)
        small = len(text) <= _REMEMBERED_LENGTH and len(request.fields) <= _REMEMBERED_FIELDS
        if last == self._last_hash and small and isinstance(source, KnownLength) and not self._interim:
            like = Request(head.method, head.path, head.query, dict(request.fields), version=head.version)
            like.target, like.keep_alive = request.target, request.keep_alive
            self._remembered = (octets, like, source.length)
        return request, source

    def _cut_head(self) -> bytes | None:
        """Cut off the next head, with the empty line that ends it, once all of it is here."""
        buffer = self._buffer
        while buffer.startswith((b"\r", b"\n")):  # RFC 9112 2.2: empty lines before the request line are ignored
            del buffer[:1]
        if not buffer:
            return None
        if not buffer[:1].isalpha():
            raise Refused(400, "head", "this is not an HTTP request")
        end = _end_of_head(buffer, self._searched)
        if (end or len(buffer)) > HEAD_LIMIT:
            too_long = 431 if b"\n" in buffer[:HEAD_LIMIT] else 414
            raise Refused(too_long, "head", f"is longer than {HEAD_LIMIT} bytes")
        if not end:
            self._searched = max(0, len(buffer) - 3)
            return None
        octets = bytes(buffer[:end])
        del buffer[:end]
        self._searched = 0
        return octets

    def _resolve(self, request: Request, host: str) -> KnownLength | Chunked:
        """Settle what may be ambiguous: the host, the connection's end, and the body's length (RFC 9112 6.3)."""
        fields = request.fields
        modern = request.version == "HTTP/1.1"
        if named := fields.get("host", ""):
            check_host(named)
        elif modern:
            raise Refused(400, "Host", "is required (RFC 9112 3.2)")
        if host:
            fields["host"] = host
        if options := fields.get("connection"):
            wanted = {option.strip() for option in options.lower().split(",")}
            request.keep_alive = "close" not in wanted and (modern or "keep-alive" in wanted)
        expects = fields.get("expect")
        if expects and expects.lower() != "100-continue":
            raise Refused(417, "Expect", "only 100-continue can be met")
        source = self._body_of(request, fields, modern=modern)
        self._interim = CONTINUE if expects and modern else b""
        return source

    def _body_of(self, request: Request, fields: dict[str, str], *, modern: bool) -> KnownLength | Chunked:
        length, coding = fields.get("content-length"), fields.get("transfer-encoding")
        if length is not None and not _LENGTH.fullmatch(length):
            raise Refused(400, "Content-Length", "must be a whole number of bytes")
        if coding is not None:
            if modern and any(one.strip() not in ("", "chunked") for one in coding.lower().split(",")):
                raise Refused(501, "Transfer-Encoding", "must be chunked")
            if coding.lower() != "chunked":  # also "chunked, chunked" (RFC 9112 6.1)
                raise Refused(400, "Transfer-Encoding", "must be chunked")
            if not modern or length is not None:
                raise Refused(400, "Content-Length", "must not be combined with Transfer-Encoding")
            return Chunked(self._body_limit(request))
        if length is None:
            if request.method in ("POST", "PUT"):
                raise Refused(400, "Content-Length", "is required, or Transfer-Encoding: chunked")
            return KnownLength(0)
        return self._announced(request, int(length))

    def _announced(self, request: Request, length: int) -> KnownLength:
        """Return what takes a body of this length, if it is not too long."""
        if length > (limit := self._body_limit(request)):
            raise too_large(limit)
        return KnownLength(length)


def _end_of_head(buffer: bytearray, start: int) -> int:
    """Find the end of the first empty line from `start` on; 0 where there is none. A bare LF ends lines, too (2.2)."""
    end = buffer.find(b"\n\r\n", start)
    bare = buffer.find(b"\n\n", start, end + 1 if end >= 0 else len(buffer))
    if bare >= 0:
        return bare + 2
    return end + 3 if end >= 0 else 0


def _read_request_line(text: str, *, secure: bool) -> _RequestLine:
    """Take the first line of a head apart."""
    line = _REQUEST_LINE.fullmatch(text)
    if line is None:
        raise Refused(400, "head", "the request line is not well-formed (RFC 9112 3)")
    method, target, number = line.groups()
    if number not in ("1.1", "1.0"):
        raise Refused(505, "head", "the version must be HTTP/1.0 or HTTP/1.1")
    target, host = to_origin_form(method, target, secure=secure)
    path, _, query = target.partition("?")
    return _RequestLine(method, target, host, decode_path(path), query, f"HTTP/{number}")


def _fields(lines: list[str]) -> dict[str, str]:
    """Read header fields strictly (RFC 9112 5): no folding, no blanks in names, no second value where one is meant."""
    if len(lines) > FIELDS_LIMIT:
        raise Refused(431, "head", f"has more than {FIELDS_LIMIT} header fields")
    fields: dict[str, str] = {}
    for line in lines[1:]:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise Refused(400, "head", "a header field is not well-formed (RFC 9112 5)")
        name, value = field[1].lower(), field[2].rstrip(" \t")
        earlier = fields.get(name)
        if earlier is None or (name in _SINGLE and name not in _ONCE and earlier == value):
            fields[name] = value
        elif name in _SINGLE:
            raise Refused(400, _SINGLE[name], "is given twice")
        else:
            fields[name] = f"{earlier}, {value}"
    return fields
