"""Replies: what goes back to the client, as a status, headers and the JSON envelope of every answer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from otppi.wire.envelope import Answer, ResponseCode

JSON = "application/json"
SERVER_NAME = "OTP-Pi"
SAFETY_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)
CHALLENGE = 'Basic realm="OTP-Pi", charset="UTF-8", Bearer realm="OTP-Pi"'

_RETRY_AFTER = 5
"""Seconds that a client is told to wait where the gateway does not say how long."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP response, not yet on the wire."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = JSON


class Refused(Exception):  # noqa: N818 - it is the client's request that is wrong
    """A request that cannot be served; carries the reply that says why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def status_line(status: int) -> str:
    """Write a status with its phrase, such as `404 Not Found`."""
    return f"{status} {HTTPStatus(status).phrase}"


def envelope(
    code: ResponseCode,
    status: int,
    data: Mapping[str, Any] | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> Reply:
    """Reply for a request that did not become a command."""
    return Reply(status, Answer("", code, data=data).to_json(), headers)


def malformed(field: str, reason: str, status: int = 400, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """Reply that names what is wrong with the request (code 1206)."""
    return envelope(ResponseCode.MALFORMED, status, {"errors": [{"field": field, "reason": reason}]}, headers)


def unsupported() -> Reply:
    """Reply to a body that is compressed (RFC 9110 15.5.16), with what is taken (12.5.3)."""
    reason = "must not be set: the body has to be plain JSON in UTF-8"
    return malformed("Content-Encoding", reason, 415, (("Accept-Encoding", "identity"),))


def unauthorized() -> Reply:
    """Reply to wrong, missing or blocked credentials (RFC 9110 11.6.1)."""
    return envelope(ResponseCode.UNAUTHORIZED, 401, headers=(("WWW-Authenticate", CHALLENGE),))


def forbidden(cause: str) -> Reply:
    """Reply to a user who is known, and may not do that (RFC 9110 15.5.4)."""
    text = "This user may not do that"
    return Reply(403, Answer("", ResponseCode.UNAUTHORIZED, text, {"cause": cause}).to_json())


def throttled(seconds: float) -> Reply:
    """Reply to too many attempts; `seconds` until the next may be made."""
    wait = _whole_seconds(seconds)
    return envelope(ResponseCode.TOO_MANY, 429, {"retry_after": wait}, (("Retry-After", str(wait)),))


def busy(seconds: float = _RETRY_AFTER) -> Reply:
    """Reply where threads, memory or time are short, or the gateway is being stopped: nothing was sent."""
    wait = _whole_seconds(seconds)
    return envelope(ResponseCode.QUEUE_FULL, 503, {"retry_after": wait}, (("Retry-After", str(wait)),))


def internal_error(*, taken: bool) -> Reply:
    """Reply to a fault of ours. `taken`: the gateway has the command, so it may or may not be sent."""
    return envelope(
        ResponseCode.UNCONFIRMED if taken else ResponseCode.FAILED,
        500,
        {"cause": "internal error, see the log of the gateway"},
    )


def failed(cause: str) -> Reply:
    """Reply to a request that the gateway cannot fulfil until a person has seen to it."""
    return envelope(ResponseCode.FAILED, 500, {"cause": cause})


def of_answer(answer: Answer, *, polled: bool = False) -> Reply:
    """Reply with the gateway's answer; a poll that finds its message is a success whatever became of the message."""
    status = 200 if polled else answer.http_status
    if not polled and answer.code is ResponseCode.SUCCESS and _on_its_way(answer.data):
        status = 202  # of a list: some are still on their way
    headers: tuple[tuple[str, str], ...] = ()
    if status in (429, 503):
        seconds = answer.data.get("retry_after") if isinstance(answer.data, Mapping) else None
        wait = _whole_seconds(seconds) if isinstance(seconds, (int, float)) else _RETRY_AFTER
        headers = (("Retry-After", str(wait)),)
    return Reply(status, answer.to_json(), headers)


def render(reply: Reply) -> bytes:
    """Write a reply that ends its connection, for requests that never reach the application."""
    lines = [
        f"HTTP/1.1 {status_line(reply.status)}",
        f"Content-Type: {reply.content_type}",
        f"Content-Length: {len(reply.body)}",
        f"Date: {formatdate(usegmt=True)}",
        f"Server: {SERVER_NAME}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in (*SAFETY_HEADERS, *reply.headers)),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + reply.body


def _on_its_way(data: object) -> bool:
    if isinstance(data, Mapping):
        return data.get("state") in ("queued", "sending")
    return isinstance(data, (list, tuple)) and any(_on_its_way(item) for item in data)


def _whole_seconds(seconds: float) -> int:
    return max(1, math.ceil(seconds))
