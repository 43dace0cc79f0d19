"""The ingress itself: what the host sees of RabbitMQ."""

import logging
from collections.abc import Mapping
from typing import Any

from otppi.api.ingress import Callback, Ingress, IngressContext, ReceivedMessage, Sender
from otppi.kit.broker.consumer import Consumer
from otppi.kit.broker.settings import check_apart
from otppi.kit.net.link import Link
from otppi.wire.envelope import Answer
from otppi_ingress_rabbitmq.publisher import Tally
from otppi_ingress_rabbitmq.session import Session
from otppi_ingress_rabbitmq.settings import SECTION


class RabbitMqIngress(Ingress):
    """Takes commands from a queue, and answers on the queues that their senders name.

    Raises:
        InvalidSettings: The settings do not go together.
    """

    def __init__(self, context: IngressContext) -> None:
        # pika logs whole frames in places, and each failure several times; what matters is said here, without payloads.
        logging.getLogger("pika").setLevel(logging.CRITICAL)
        self._values = context.settings
        check_apart(SECTION.key, self._values, "queue", "bulk_queue", "dead_letter_queue", "inbox_topic")
        check_apart(SECTION.key, self._values, "bulk_queue", "dead_letter_queue", "inbox_topic")
        self._capacity = context.gateway.capacity
        self._link = Link(SECTION.key, f"{self._values['host']}:{self._values['port']}")
        wake = self._link.calling(self._wake)
        self._consumer = Consumer(context.gateway, SECTION.key, Sender(SECTION.key), wake, requeue=True)
        self._tally = Tally()
        self._session: Session | None = None

    def run(self) -> None:
        """Take messages until `stop`; connects again whenever the connection is lost."""
        self._link.keep(self._connect_and_work)

    def stop(self) -> None:
        """Take nothing more; `run` ends when all that was taken is settled."""
        self._link.stop()
        self._consumer.stop()
        self._wake()

    def stalled(self) -> str:
        """Say so where the connection's thread does nothing any more."""
        return self._link.stalled()

    def describe(self) -> Mapping[str, Any]:
        """Say how the connection and the consumer are."""
        session = self._session
        intake = session.intake if session is not None else None
        return {
            **self._link.describe(),
            **self._consumer.describe(),
            "queue": self._values["queue"],
            "consumer": "closed" if intake is None else intake.phase.value,
            "prefetch": 0 if intake is None else intake.prefetch,
            "unsettled": 0 if intake is None else intake.unsettled,
            "blocked": None if session is None else session.publisher.blocked,
            "callbacks": {kind: self._tally.counts[kind] for kind in _OUTCOMES},
        }

    def received(self, message: ReceivedMessage) -> None:
        """Publish a message that came in to a modem, where the settings name a queue for it."""
        if topic := self._values["inbox_topic"]:
            payload = message.to_json()
            self._consumer.publish(Callback(topic), payload)

    def state_changed(self, callback: Callback, answer: Answer) -> None:
        """Publish a later state of a message."""
        self._consumer.publish(callback, answer.to_json())

    def _connect_and_work(self) -> None:
        session = Session(self._values, self._link, self._consumer, self._capacity, self._tally)
        self._session = session
        try:
            session.run()
        finally:
            self._session = None

    def _wake(self) -> None:
        session = self._session
        if session is not None:
            session.wake()


_OUTCOMES = ("published", "unroutable", "refused", "unconfirmed", "dropped")
