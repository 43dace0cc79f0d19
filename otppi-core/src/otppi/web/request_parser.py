"""Bytes of a connection in, whole requests out (RFC 9112); no I/O, no clock.

Strict where servers have been attacked: well-formed header fields, one unambiguous length, limits, and bodies that are
complete before anybody works on them.
"""

import re
from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from otppi.web.body import Chunked, KnownLength, too_large
from otppi.web.request import Refusal, Refused, Request
from otppi.web.target import check_host, decode_path, to_origin_form

HEAD_LIMIT = 16_384
FIELDS_LIMIT = 100
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_HEAD_END = re.compile(rb"\r?\n\r?\n")
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


class _Head(NamedTuple):
    """What a head says, and the host that its target names."""

    method: str
    target: str
    host: str
    path: str
    query: str
    version: str
    fields: dict[str, str]


class RequestParser:
    """Collects the bytes of one connection and gives its requests, one after the other, each when it is whole.

    Args:
        address: The client's, and its port.
        secure: Whether it speaks TLS.
        body_limit: How many octets the body of a request may have, by its head.
    """

    def __init__(self, address: tuple[str, int], body_limit: Callable[[Request], int], *, secure: bool = False) -> None:
        self.secure = secure
        self._address, self._port = address
        self._body_limit = body_limit
        self._buffer = bytearray()
        self._searched = 0
        self._last_hash = 0
        self._remembered: tuple[str, _Head] | None = None
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
            head = self._cut_head()
            if head is None:
                return None
            self._pending = self._parse(head)
        request, source = self._pending
        body = source.decode(self._buffer)
        if body is None:
            return None
        self._pending = None
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

    def _cut_head(self) -> str | None:
        buffer = self._buffer
        while buffer.startswith((b"\r", b"\n")):  # RFC 9112 2.2: empty lines before the request line are ignored
            del buffer[:1]
        if not buffer:
            return None
        if not buffer[:1].isalpha():
            raise Refused(400, "head", "this is not an HTTP request")
        end = _HEAD_END.search(buffer, self._searched)
        if (end.end() if end else len(buffer)) > HEAD_LIMIT:
            too_long = 431 if b"\n" in buffer[:HEAD_LIMIT] else 414
            raise Refused(too_long, "head", f"is longer than {HEAD_LIMIT} bytes")
        if end is None:
            self._searched = max(0, len(buffer) - 3)
            return None
        head = buffer[: end.start()].decode("latin-1")
        del buffer[: end.end()]
        self._searched = 0
        return head

    def _parse(self, text: str) -> tuple[Request, KnownLength | Chunked]:
        if (known := self._remembered) and known[0] == text:
            head = known[1]
        else:
            head = _read_head(text, secure=self.secure)
            # It may hold a password, so it is remembered only where it comes again.
            last, self._last_hash = self._last_hash, hash(text)
            if last == self._last_hash and len(text) <= _REMEMBERED_LENGTH and len(head.fields) <= _REMEMBERED_FIELDS:
                self._remembered = (text, head)
        request = Request(head.method, head.path, head.query, dict(head.fields), version=head.version)
        request.target, request.secure = head.target, self.secure
        request.address, request.port = self._address, self._port
        return request, self._resolve(request, head.host)

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
        size, limit = int(length), self._body_limit(request)
        if size > limit:
            raise too_large(limit)
        return KnownLength(size)


def _read_head(text: str, *, secure: bool) -> _Head:
    """Take the request line and the header fields apart."""
    lines = text.split("\r\n")
    if text.count("\n") != len(lines) - 1:
        lines = _BARE_LINE_FEED.split(text)
    line = _REQUEST_LINE.fullmatch(lines[0])
    if line is None:
        raise Refused(400, "head", "the request line is not well-formed (RFC 9112 3)")
    method, target, number = line.groups()
    if number not in ("1.1", "1.0"):
        raise Refused(505, "head", "the version must be HTTP/1.0 or HTTP/1.1")
    target, host = to_origin_form(method, target, secure=secure)
    path, _, query = target.partition("?")
    return _Head(method, target, host, decode_path(path), query, f"HTTP/{number}", _fields(lines))


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
