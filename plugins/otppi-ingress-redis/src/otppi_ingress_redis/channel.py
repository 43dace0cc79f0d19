"""Commands from a channel (publish/subscribe), which keeps nothing."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from otppi.kit.broker.outbox import Delivery
from otppi_ingress_redis.line import Command, Line, checked
from otppi_ingress_redis.source import BLOCK, Question, Source


class ChannelSource(Source):
    """A channel. Every gateway that subscribes gets every command; what nobody hears is gone.

    Args:
        values: Section `ingress-redis`.
        timeout: The longest wait for the server to answer, in seconds.
    """

    kept = False

    def __init__(self, values: Mapping[str, Any], timeout: float) -> None:
        super().__init__(values)
        self._patience = timeout
        self._subscribed = False
        self._ping_at = 0.0

    def open(self, line: Line) -> None:  # noqa: ARG002 - the reading line subscribes
        """Subscribe anew."""
        self._subscribed = False

    def backlog(self, line: Line, room: int) -> Iterator[Delivery]:  # noqa: ARG002
        """Return nothing: nothing waits in a channel."""
        return iter(())

    def question(self, room: int) -> Question | None:  # noqa: ARG002 - it cannot be told to wait
        """Subscribe; then ask for signs of life, which a subscribed connection may (https://redis.io/commands/ping)."""
        if not self._subscribed:
            self._subscribed = True
            return Question(("SUBSCRIBE", self._key), self._patience)
        if time.monotonic() < self._ping_at:
            return None
        return Question(("PING",), self._patience)

    def reply_received(self, reply: Any) -> tuple[list[Delivery], bool]:
        """Read a message, or that the question was heard."""
        checked(reply, "SUBSCRIBE")
        if isinstance(reply, list) and reply[0] == b"message":
            return [Delivery(body=reply[2], kept=False)], False
        self._ping_at = time.monotonic() + BLOCK
        return [], True

    def publish(self, topic: str, payload: bytes) -> list[Command]:
        """Publish on a channel."""
        return [("PUBLISH", topic, payload)]
