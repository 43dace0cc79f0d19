"""Replies: what goes back to the client, as a status, headers and the JSON envelope of every answer."""

import math
from collections.abc import Mapping
from typing import Any

from otppi.web.request import Refusal
from otppi.web.response import Response
from otppi.wire.envelope import Answer, ResponseCode

JSON = "application/json"
SAFETY_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)
_SAFETY = dict(SAFETY_HEADERS)
CHALLENGE = 'Basic realm="OTP-Pi", charset="UTF-8", Bearer realm="OTP-Pi"'

_RETRY_AFTER = 5
"""Seconds that a client is told to wait where the gateway does not say how long."""


def reply(status: int, body: bytes, headers: tuple[tuple[str, str], ...] = (), content_type: str = JSON) -> Response:
    """Make a response with the header fields of all of them; `headers` go before those of the same name."""
    if headers:
        headers = tuple({**_SAFETY, **dict(headers)}.items())
    return Response(status, body, headers or SAFETY_HEADERS, content_type)


def envelope(
    code: ResponseCode,
    status: int,
    data: Mapping[str, Any] | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> Response:
    """Reply to a request that did not become a command."""
    return reply(status, Answer("", code, data=data).to_json(), headers)


def malformed(field: str, reason: str, status: int = 400, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """Reply that names what is wrong with the request (code 1206)."""
    return envelope(ResponseCode.MALFORMED, status, {"errors": [{"field": field, "reason": reason}]}, headers)


def unsupported() -> Response:
    """Reply to a body that is compressed (RFC 9110 15.5.16), with what is taken (12.5.3)."""
    reason = "must not be set: the body has to be plain JSON in UTF-8"
    return malformed("Content-Encoding", reason, 415, (("Accept-Encoding", "identity"),))


def of_refusal(refusal: Refusal) -> Response:
    """Reply to a request that the server refuses: malformed, or a fault of ours, or no thread is free."""
    if refusal.status == 500:
        return internal_error(taken=True)
    if refusal.status == 503:
        return busy()
    reason = f"{refusal.reason}; see /api/docs" if refusal.status == 404 else refusal.reason
    return malformed(refusal.part, reason, refusal.status, refusal.headers)


def unauthorized() -> Response:
    """Reply to wrong, missing or blocked credentials (RFC 9110 11.6.1)."""
    return envelope(ResponseCode.UNAUTHORIZED, 401, headers=(("WWW-Authenticate", CHALLENGE),))


def forbidden(cause: str) -> Response:
    """Reply to a user who is known, and may not do that (RFC 9110 15.5.4)."""
    text = "This user may not do that"
    return reply(403, Answer("", ResponseCode.UNAUTHORIZED, text, {"cause": cause}).to_json())


def throttled(seconds: float) -> Response:
    """Reply to too many attempts; `seconds` until the next may be made."""
    wait = _whole_seconds(seconds)
    return envelope(ResponseCode.TOO_MANY, 429, {"retry_after": wait}, (("Retry-After", str(wait)),))


def busy(seconds: float = _RETRY_AFTER) -> Response:
    """Reply where threads, memory or time are short, or the gateway is being stopped: nothing was sent."""
    wait = _whole_seconds(seconds)
    return envelope(ResponseCode.QUEUE_FULL, 503, {"retry_after": wait}, (("Retry-After", str(wait)),))


def internal_error(*, taken: bool) -> Response:
    """Reply to a fault of ours. `taken`: the gateway has the command, so it may or may not be sent."""
    return envelope(
        ResponseCode.UNCONFIRMED if taken else ResponseCode.FAILED,
        500,
        {"cause": "internal error, see the log of the gateway"},
    )


def failed(cause: str) -> Response:
    """Reply to a request that the gateway cannot fulfil until a person has seen to it."""
    return envelope(ResponseCode.FAILED, 500, {"cause": cause})


def of_answer(answer: Answer, *, polled: bool = False) -> Response:
    """Reply with the gateway's answer; a poll that finds its message is a success whatever became of the message."""
    status = 200 if polled else answer.http_status
    if status == 200 and not polled and answer.code is ResponseCode.SUCCESS and _on_its_way(answer.data):
        status = 202  # of a list: some are still on their way
    headers: tuple[tuple[str, str], ...] = ()
    if status in (429, 503):
        seconds = answer.data.get("retry_after") if isinstance(answer.data, Mapping) else None
        wait = _whole_seconds(seconds) if isinstance(seconds, (int, float)) else _RETRY_AFTER
        headers = (("Retry-After", str(wait)),)
    return reply(status, answer.to_json(), headers)


def _on_its_way(data: object) -> bool:
    if isinstance(data, (dict, Mapping)):  # mostly a dict, which is told much sooner
        return data.get("state") in ("queued", "sending")
    return isinstance(data, (list, tuple)) and any(_on_its_way(item) for item in data)


def _whole_seconds(seconds: float) -> int:
    return max(1, math.ceil(seconds))
