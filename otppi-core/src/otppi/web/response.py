"""A response as applications make it, and its head as it goes out (RFC 9112 4)."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus

from otppi.web.request import Refusal, Request
from otppi.web.stream import Stream

SERVER_NAME = "OTP-Pi"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
BODILESS = frozenset((204, 304))
"""Statuses whose answers have no body (RFC 9110 15.3.5, 15.4.5)."""


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response, not yet on the wire.

    Attributes:
        status: The HTTP status.
        body: All of it; or its parts, each made when the client has read those before; or a stream that goes on.
        headers: Header fields, but for those of the connection, Date, Server, Content-Type and Content-Length.
        content_type: Of the body; empty where there is none.
        length: Of a body in parts, where it is known.
    """

    status: int
    body: bytes | Iterable[bytes] | Stream = b""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "text/plain; charset=utf-8"
    length: int | None = None


def plain(refusal: Refusal) -> Response:
    """Say a refusal in a line of text: what an application that has no form of its own answers."""
    words = f"{refusal.part}: {refusal.reason}" if refusal.part else refusal.reason
    return Response(refusal.status, f"{words}\n".encode(), refusal.headers)


def has_body(status: int, method: str) -> bool:
    """Return whether the answer has a body (RFC 9112 6.3)."""
    return method != "HEAD" and status not in BODILESS


def head(response: Response, request: Request | None, *, length: int | None, chunked: bool, ends: bool) -> bytes:
    """Write the status line and the header fields.

    Args:
        response: What is answered.
        request: To what; None where the request could not be read.
        length: Of the body; None where it is not known, or there is none.
        chunked: Whether the body is sent in chunks (RFC 9112 7.1).
        ends: Whether the connection is closed after it.

    Raises:
        ValueError: A header field holds a line feed.
    """
    lines = [f"HTTP/1.1 {status_line(response.status)}", date_and_server(int(time.time()))]
    if response.content_type:
        lines.append(f"Content-Type: {response.content_type}")
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    elif length is not None:
        lines.append(f"Content-Length: {length}")
    if ends:
        lines.append("Connection: close")
    elif request is not None and request.version == "HTTP/1.0":
        lines.append("Connection: Keep-Alive")
    lines += [f"{name}: {value}" for name, value in response.headers]
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) or text.count("\r") != len(lines):  # one of them is in `date_and_server`
        raise ValueError("a header field holds a line end")
    return f"{text}\r\n\r\n".encode("latin-1")


@lru_cache(maxsize=64)
def status_line(status: int) -> str:
    """Write a status with its phrase, such as `404 Not Found`; the phrase may be missing (RFC 9112 4)."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} "


@lru_cache(maxsize=1)
def date_and_server(seconds: int) -> str:
    """Write two fields that are the same for a second's many answers (RFC 9110 5.6.7, whatever the locale is)."""
    now = time.gmtime(seconds)
    day, month = _DAYS[now.tm_wday], _MONTHS[now.tm_mon - 1]
    clock = time.strftime("%H:%M:%S", now)
    return f"Date: {day}, {now.tm_mday:02} {month} {now.tm_year} {clock} GMT\r\nServer: {SERVER_NAME}"
