"""Reads a MESSAGE frame's headers, as RabbitMQ and ActiveMQ write them, as what all brokers have in common."""

from collections.abc import Mapping
from typing import Any, Literal

from otppi.api.ingress import Callback
from otppi.kit.broker.outbox import Delivery

_OLDEST = 1_000_000_000
"""A timestamp before this, in Unix seconds (2001), is taken for no timestamp at all."""
_MILLISECONDS = 100_000_000_000
"""Above this a time is in milliseconds, as ActiveMQ writes it; RabbitMQ hands on AMQP's seconds."""
_LONGEST_TTL = 10**12
_OTP_FROM, _BULK_TO = 5, 3
"""JMS has priorities 0 to 9, and 4 where nothing is said."""
_UNSETTLED = ("/topic/",)


def destination(name: str) -> str:
    """Return a destination: one that begins with / as it is, any other name as a queue's."""
    return name if name.startswith("/") else f"/queue/{name}"


def is_kept(name: str) -> bool:
    """Whether a destination keeps messages until they are acknowledged; a topic has copies for who listens now."""
    return not name.startswith(_UNSETTLED)


def delivery_of(frame: Any, *, kept: bool, now: float) -> Delivery:
    """Make a delivery of a frame; what a header says that makes no sense counts as not said. `now` in Unix seconds."""
    headers: Mapping[str, str] = frame.headers
    made = _time(headers.get("timestamp"))
    return Delivery(
        body=frame.body,
        tag=(headers.get("ack") or headers.get("message-id", ""), headers.get("subscription", "")),
        callback=_reply_to(headers),
        kept=kept,
        redelivered=headers.get("redelivered") == "true",
        attempt=min(_number(headers.get("x-delivery-count")) or 0, 1000),
        message_id=_message_id(headers),
        date_time=made,
        expiration=_expiration(headers, min(made or now, now)),
        priority=_lane(_number(headers.get("priority"))),
    )


def _reply_to(headers: Mapping[str, str]) -> Callback | None:
    """Return where the answer is wanted, and the correlation id also where only the envelope says where."""
    topic, correlation = headers.get("reply-to", ""), headers.get("correlation-id", "").encode()
    topic = topic if topic.isprintable() else ""
    return Callback(topic, correlation) if topic or correlation else None


def _message_id(headers: Mapping[str, str]) -> str | None:
    """Return the sender's own id, or ActiveMQ's, which stays the same; RabbitMQ's `message-id` counts deliveries."""
    if own := headers.get("amqp-message-id"):
        return own
    given = headers.get("message-id", "")
    return given if given.startswith("ID:") else None


def _expiration(headers: Mapping[str, str], start: float) -> int | None:
    """Return the end of the lifetime: ActiveMQ's `expires` is a time, RabbitMQ's `expiration` milliseconds."""
    if (end := _time(headers.get("expires"))) is not None:
        return end
    lifetime = _number(headers.get("expiration"))
    if lifetime is None or lifetime > _LONGEST_TTL:
        return None
    return int(start + lifetime / 1000) + 1


def _time(text: str | None) -> int | None:
    value = _number(text)
    if value is None:
        return None
    seconds = value // 1000 if value > _MILLISECONDS else value
    return seconds if _OLDEST <= seconds <= _MILLISECONDS else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 20 else None


def _lane(priority: int | None) -> Literal["otp", "bulk"] | None:
    if priority is None:
        return None
    return "otp" if priority >= _OTP_FROM else "bulk" if priority <= _BULK_TO else None
