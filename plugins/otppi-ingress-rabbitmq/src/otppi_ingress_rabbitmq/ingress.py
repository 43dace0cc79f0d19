"""The ingress itself: what the host sees of RabbitMQ."""

import logging
from collections.abc import Mapping
from typing import Any

from otppi.api.ingress import IngressContext
from otppi.kit.broker.ingress import BrokerIngress
from otppi.kit.net.dial import Dialer
from otppi_ingress_rabbitmq.intake import Phase
from otppi_ingress_rabbitmq.publisher import Tally
from otppi_ingress_rabbitmq.session import Session
from otppi_ingress_rabbitmq.settings import SECTION

_OUTCOMES = ("published", "unroutable", "refused", "unconfirmed", "dropped")


class RabbitMqIngress(BrokerIngress):
    """Takes commands from a queue, and answers on the queues that their senders name."""

    def __init__(self, context: IngressContext) -> None:
        # pika logs whole frames in places, and each failure several times; what matters is said here, without payloads.
        logging.getLogger("pika").setLevel(logging.CRITICAL)
        super().__init__(context, SECTION, requeue=True)
        self._tally = Tally()
        self._session: Session | None = None

    def details(self) -> Mapping[str, Any]:
        """Return how the consumer of the queue and the publisher are (any thread)."""
        session = self._session
        intake = session.intake if session is not None else None
        return {
            "queue": self.values["queue"],
            "consumer": (Phase.CLOSED if intake is None else intake.phase).value,
            "prefetch": 0 if intake is None else intake.prefetch,
            "unsettled": 0 if intake is None else intake.unsettled,
            "blocked": None if session is None else session.publisher.blocked,
            "callbacks": {kind: self._tally.counts[kind] for kind in _OUTCOMES},
        }

    def wake(self) -> None:
        """Have pika's loop look at what is due (any thread)."""
        session = self._session
        if session is not None:
            session.wake()

    def session(self, dialer: Dialer) -> None:
        """Work in pika's loop, which opens its connections itself, until they are lost or nothing is left to do."""
        endpoint, capacity = dialer.endpoint, self.gateway.capacity
        self._session = Session(self.values, endpoint, self.link, self.consumer, capacity, self._tally)
        try:
            self._session.run()
        finally:
            self._session = None
