"""What is known of deliveries that have come before: when they came first, and how often they were given back."""

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass

from otppi.kit.broker.outbox import Delivery

_MOST = 10_000


@dataclass(slots=True)
class _Seen:
    """One delivery: when it came first (monotonic), how often it was given back, whether its broker has it again."""

    first: float
    returns: int = 0
    left: bool = False


class Remembered:
    """Deliveries by a hash of what is in them. The connection's thread looks; any thread notes what is given back."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, _Seen] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def look_up(self, delivery: Delivery) -> tuple[float, int]:
        """Return when a message came first (monotonic), and how often it was given back, where its broker says less."""
        now = time.monotonic()
        if not delivery.kept:
            return now, delivery.attempt
        name = _digest(delivery)
        seen = self._seen.setdefault(name, _Seen(now))
        self._seen.move_to_end(name)
        if len(self._seen) > _MOST:
            self._seen.popitem(last=False)
        left, seen.left = seen.left, False
        if not (delivery.redelivered or left):
            # It is another message, though it may have the same words as one that another gateway has ended meanwhile:
            # its life is its own. A list of Redis does not say that it was given back, so the number stays.
            seen.first = now
        return (now if delivery.date_time is not None else seen.first), max(delivery.attempt, seen.returns)

    def leave(self, delivery: Delivery) -> None:
        """Note that a message is left to its broker, with a connection that ends.

        It is the same one that comes next, also where that is not told: MQTT's shared subscriptions deliver it as new.
        """
        if (seen := self._seen.get(_digest(delivery))) is not None:
            seen.left = True

    def gave_back(self, delivery: Delivery) -> None:
        """Note that a message was given back."""
        if (seen := self._seen.get(_digest(delivery))) is not None:
            seen.returns = max(seen.returns, delivery.attempt) + 1

    def forget(self, delivery: Delivery) -> None:
        """Forget a message that has come to its end."""
        self._seen.pop(_digest(delivery), None)


def _digest(delivery: Delivery) -> bytes:
    name = f"{delivery.message_id} {delivery.date_time} ".encode(errors="surrogatepass")
    return hashlib.blake2b(name + delivery.body, digest_size=16).digest()
