"""What a protocol says of a message where its envelope does not, and the other way round."""

from collections.abc import Sequence
from dataclasses import replace

from otppi.api.ingress import Callback
from otppi.kit.broker.outbox import Delivery
from otppi.wire.envelope import Item
from otppi.wire.envelope_fields import WrongValueError, word

_read_id = word(128)


def completed(items: Sequence[Item], delivery: Delivery) -> tuple[Item, ...]:
    """Add what the protocol says where the envelope says nothing."""
    single = len(items) == 1
    return tuple(
        replace(
            item,
            id=_id_of(delivery) if item.id is None and single else item.id,
            date_time=item.date_time if item.date_time is not None else delivery.date_time,
            expiration=_earlier(item.expiration, delivery.expiration),
            # What is left of a list to be tried again does not go before others for being a single message.
            priority=item.priority or delivery.priority or (None if single else "bulk"),
        )
        for item in items
    )


def callback_of(delivery: Delivery, topic: str | None, command: str) -> Callback | None:
    """Return where the answer is wanted: what the envelope says goes before what the protocol says."""
    correlation = delivery.callback.correlation if delivery.callback is not None else b""
    if topic is None and delivery.callback is not None:
        topic = delivery.callback.topic  # empty where the protocol only says what the sender knows its request by
    return Callback(topic, correlation, command) if topic else None


def _id_of(delivery: Delivery) -> str | None:
    """Take the protocol's id as the sender's, where it is one that an envelope might have."""
    try:
        return None if delivery.message_id is None else _read_id(delivery.message_id)
    except WrongValueError:
        return None


def _earlier(one: int | None, other: int | None) -> int | None:
    return min((end for end in (one, other) if end is not None), default=None)
