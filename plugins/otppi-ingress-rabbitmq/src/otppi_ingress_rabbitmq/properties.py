"""Reads a delivery's method frame and properties (AMQP 0-9-1, basic class) as what all brokers have in common."""

from typing import Any, Literal

from otppi.api.ingress import Callback
from otppi.kit.broker.outbox import Delivery
from otppi_ingress_rabbitmq.text import _

_PLAIN = frozenset({"", "identity", "utf-8", "utf8"})
_OLDEST = 1_000_000_000
"""A timestamp before this, in Unix seconds (2001), is taken for no timestamp at all."""
_MILLISECONDS = 100_000_000_000
"""Above this, which is the year 5138, a timestamp is in milliseconds: there are clients that write it so."""
_LONGEST_TTL = 10**12
"""Milliseconds; RabbitMQ itself takes less than 50 days (2^32)."""
_OTP_FROM, _BULK_TO = 5, 3


def delivery_of(method: Any, properties: Any, body: bytes, now: float) -> Delivery:
    """Make a delivery of pika's frames; what a property says that makes no sense counts as not said.

    Args:
        method: `pika.spec.Basic.Deliver`.
        properties: `pika.spec.BasicProperties`.
        body: The payload.
        now: Unix seconds.
    """
    made = _timestamp(properties.timestamp)
    return Delivery(
        body=body,
        tag=method.delivery_tag,
        callback=_reply_to(properties),
        redelivered=bool(method.redelivered),
        attempt=_delivery_count(properties.headers),
        message_id=_text(properties.message_id) or None,
        date_time=made,
        expiration=_expiration(properties.expiration, min(made or now, now)),
        priority=_lane(properties.priority),
    )


def coding_problem(properties: Any) -> str | None:
    """Return what is wrong with a message whose body is coded in a way that is not understood, such as gzip."""
    coding = properties.content_encoding
    if coding is None or (isinstance(coding, str) and coding.strip().lower() in _PLAIN):
        return None
    return _("must not be set: the body has to be plain JSON in UTF-8")


def _reply_to(properties: Any) -> Callback | None:
    """Return where the answer is wanted, and its correlation id also where only the envelope says where."""
    topic, correlation = _text(properties.reply_to), properties.correlation_id or b""
    if isinstance(correlation, str):
        correlation = correlation.encode()
    return Callback(topic, correlation) if topic or correlation else None


def _timestamp(value: object) -> int | None:
    if not isinstance(value, int):
        return None
    seconds = value // 1000 if value > _MILLISECONDS else value
    return seconds if _OLDEST <= seconds <= _MILLISECONDS else None


def _expiration(value: object, start: float) -> int | None:
    """Return the end of a time to live, which is digits in a text (per-message TTL of RabbitMQ)."""
    text = _text(value)
    if not text.isascii() or not text.isdigit() or len(text) > len(str(_LONGEST_TTL)):
        return None
    # Rounded up: a second is all the precision that there is, and the broker itself drops what expires in its queue.
    return int(start + int(text) / 1000) + 1


def _delivery_count(headers: object) -> int:
    """Return what a quorum queue counts: how many times it was given back."""
    count = headers.get("x-delivery-count") if isinstance(headers, dict) else None
    return min(max(count, 0), 1000) if isinstance(count, int) else 0


def _lane(priority: object) -> Literal["otp", "bulk"] | None:
    if not isinstance(priority, int):
        return None
    return "otp" if priority >= _OTP_FROM else "bulk" if priority <= _BULK_TO else None


def _text(value: object) -> str:
    """Return a short string, which pika leaves as bytes where it is not UTF-8; that is as good as none."""
    return value if isinstance(value, str) else ""
