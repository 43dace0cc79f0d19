"""Serves a WSGI application (PEP 3333), such as one of CherryPy; one addition has it answer with a `Stream`."""

import io
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from otppi.web.request import Refusal, Request
from otppi.web.response import Response, plain
from otppi.web.stream import BEHIND, Stream

logger = logging.getLogger(__name__)

STREAM = "otppi.web.stream"
"""Key of the environment: `open(on_end, limit)` gives the `Stream` that becomes the body of the answer, where that is a
200. What the application returns as its body is left out then, and so is its Content-Length."""
ARRIVAL = "otppi.web.arrival"
"""Key of the environment: where the client came in (`Request.arrival`)."""
PART_SIZE = 65_536
"""Octets of a body that are made at once; a longer one is made as the client takes it, on other threads too."""
_OF_THE_SERVER = frozenset(("connection", "date", "keep-alive", "server", "transfer-encoding"))
"""Header fields that an application does not decide about."""
_NOT_FOR_PROGRAMS = frozenset(("content-length", "content-type", "proxy", "transfer-encoding"))
"""Fields that are no `HTTP_…` of the environment: two have names of their own, `Proxy` would be a program's setting,
and the body is no longer in chunks."""

Environment = dict[str, Any]
WsgiCallable = Callable[[Environment, Callable[..., Any]], Iterable[bytes]]
Entered = Callable[[], AbstractContextManager[None]]
"""Has what is called within it find what it keeps by threads."""


class WsgiApplication:
    """A WSGI application as an `Application`. It needs no thread of its own, and its calls are made by the workers.

    Args:
        application: What is called.
        body_limit: How many octets the body of a request may have, by its head.
        carry: Takes away what the application keeps by threads for this call (CherryPy: `cherrypy.serving`), and gives
            what brings it back. A long answer is gone on with, and closed, on other threads, within that.
    """

    def __init__(
        self,
        application: WsgiCallable,
        body_limit: Callable[[Request], int],
        carry: Callable[[], Entered] | None = None,
    ) -> None:
        self._application = application
        self._body_limit = body_limit
        self._carry = carry or (lambda: nullcontext)

    def body_limit(self, request: Request) -> int:
        """Ask what it was made with."""
        return self._body_limit(request)

    def recognises(self, _request: Request) -> bool:
        """Say yes: an application knows its users itself."""
        return True

    def is_quick(self, _request: Request) -> bool:
        """Say no: an application may wait for anything."""
        return False

    def refuse(self, refusal: Refusal, _path: str) -> Response:
        """Say it in a line of text."""
        return plain(refusal)

    def respond(self, request: Request) -> Response:
        """Have the application answer."""
        call = _Call(request)
        result = self._application(call.environment, call.start_response)
        try:
            response, rest = call.response(result)
        except BaseException:
            _close(result)
            raise
        if rest is None:
            _close(result)
        else:
            rest.enter = self._carry()
        return response


class _Call:
    """One call of the application."""

    def __init__(self, request: Request) -> None:
        self.environment = environment(request)
        self.environment[STREAM] = self._open_stream
        self._written: list[bytes] = []
        self._status = 0
        self._headers: list[tuple[str, str]] = []
        self._stream: Stream | None = None

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        """Take status and header fields; again only where the application has failed before its body began."""
        if self._status and exc_info is None:
            raise AssertionError("start_response was called before")
        self._status, self._headers = int(status[:3]), list(headers)
        return self._written.append

    def response(self, result: Iterable[bytes]) -> "tuple[Response, _Rest | None]":
        """Make the response; return what is not made of its body yet, where there is more."""
        parts = iter(result)
        body = self._begin(parts)
        if not self._status:
            raise AssertionError("start_response was not called")
        headers, content_type, length = _split(self._headers)
        stream, self._stream = self._stream, None
        if stream is not None and self._status == 200:
            return Response(200, stream, headers, content_type), None
        if stream is not None:
            stream.end()
        if body is not None:
            return Response(self._status, body, headers, content_type, length), None
        rest = _Rest(self._written, parts, result)
        return Response(self._status, rest, headers, content_type, length), rest

    def _begin(self, parts: Iterator[bytes]) -> bytes | None:
        """Collect the body; None where it is long, and made further as the client takes it."""
        size = 0
        for part in parts:
            self._written.append(part)
            size += len(part)
            if size >= PART_SIZE:
                return None
        return b"".join(self._written)

    def _open_stream(self, on_end: Callable[[], None] | None = None, limit: int = BEHIND) -> Stream:
        if self._stream is None:
            self._stream = Stream(limit, on_end)
        return self._stream


class _Rest:
    """The body of a long answer: what is made of it, and what is not; closed once, at its end or before."""

    def __init__(self, made: list[bytes], parts: Iterator[bytes], result: Iterable[bytes]) -> None:
        self._made = iter(made)
        self._parts = parts
        self._result: Iterable[bytes] | None = result
        self.enter: Entered = nullcontext

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if (part := next(self._made, None)) is not None:
            return part
        with self.enter():
            return next(self._parts)

    def close(self) -> None:
        """Tell the application that it is over."""
        result, self._result = self._result, None
        with self.enter():
            _close(result)


def environment(request: Request) -> Environment:
    """Make the environment of a request (PEP 3333, RFC 3875 4.1)."""
    name, _, port = request.field("host").rpartition(":") if _has_port(request) else (request.field("host"), "", "")
    made: Environment = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path.encode("utf-8", "replace").decode("latin-1"),
        "QUERY_STRING": request.query,
        "REQUEST_URI": request.target,
        "CONTENT_TYPE": request.field("content-type"),
        "CONTENT_LENGTH": str(len(request.body)),
        "SERVER_NAME": name or "localhost",
        "SERVER_PORT": port or ("443" if request.secure else "80"),
        "SERVER_PROTOCOL": request.version,
        "REMOTE_ADDR": request.address,
        "REMOTE_PORT": str(request.port),
        ARRIVAL: request.arrival,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if request.secure else "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": _Errors(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if request.secure:
        made["HTTPS"] = "on"
    for name, value in request.fields.items():
        # One with an underscore would look like another with a hyphen, which a proxy may have removed.
        if name not in _NOT_FOR_PROGRAMS and "_" not in name:
            made[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return made


def _has_port(request: Request) -> bool:
    return ":" in request.field("host").rpartition("]")[2]


def _split(headers: list[tuple[str, str]]) -> tuple[tuple[tuple[str, str], ...], str, int | None]:
    """Take out what the server writes itself, the content type and the length."""
    kept: list[tuple[str, str]] = []
    named: Mapping[str, str] = {name.lower(): value for name, value in headers}
    for name, value in headers:
        if name.lower() not in _OF_THE_SERVER and name.lower() not in ("content-type", "content-length"):
            kept.append((name, value))
    length = named.get("content-length", "")
    return tuple(kept), named.get("content-type", ""), int(length) if length.isdecimal() else None


def _close(result: object) -> None:
    close = getattr(result, "close", None)
    if close is not None:
        close()


class _Errors(io.TextIOBase):
    """What an application writes of its faults."""

    def write(self, text: str) -> int:
        """Log it."""
        if text.strip():
            logger.error("%s", text.rstrip())
        return len(text)
