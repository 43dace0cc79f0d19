"""The ingress: commands by one connection, answers by others, and what of the traffic is neither."""

import logging
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from otppi.api.errors import OtpPiError
from otppi.api.ingress import Callback, Ingress, IngressContext, ReceivedMessage, Sender
from otppi.kit.broker.consumer import Consumer, Delivery
from otppi.kit.bursts import Bursts
from otppi.kit.net.back_off import Backoff
from otppi.kit.net.link import Link
from otppi.kit.net.tls import client_context
from otppi.kit.threads import PromptThread
from otppi.wire.envelope import Answer
from otppi_ingress_wsmessagebroker.alarm import Alarm
from otppi_ingress_wsmessagebroker.connection import Server
from otppi_ingress_wsmessagebroker.handshake import Site
from otppi_ingress_wsmessagebroker.publisher import Publisher
from otppi_ingress_wsmessagebroker.receiver import Receiver
from otppi_ingress_wsmessagebroker.traffic import Kind, Published, kind_of

logger = logging.getLogger(__name__)

KEY = "ingress-wsmessagebroker"
_PARTING = 0.4
_LAST_WORDS = 0.5
_LAST_ANSWERS = 8.0
"""Seconds at the end: to take what the server has sent already, to publish what waits, and to publish the answers to
commands that are still on their way; the host waits for ten."""
_LONGEST_PAUSE = 30.0
_PARTED = 60.0
"""Seconds in which the publisher has ended, whatever its server does."""


class WsMessageBrokerIngress(Ingress):
    """Commands from WSMessageBroker. The thread of `run` owns the connection that they come by.

    Raises:
        OtpPiError: A setting cannot be used; the sentence names it.
    """

    def __init__(self, context: IngressContext) -> None:
        settings = context.settings
        if ":" in settings["username"]:
            raise OtpPiError(f"{KEY}.username must not hold a colon (RFC 7617)")
        site = Site(
            settings["host"].strip(), settings["port"], settings["path"], settings["username"], settings["password"]
        )
        server = Server(site, client_context(settings), settings["timeout"], settings["ping_interval"])
        delay = settings["reconnect_delay"]
        self._topic = settings["topic"]
        self._inbox_topic = settings["inbox_topic"]
        self._link = Link(KEY, f"{site.host}:{site.port}", first=delay, cap=max(delay, _LONGEST_PAUSE))
        self._alarm = Alarm()
        self._published = Published()
        wake = self._link.calling(self._wake)
        self._consumer = Consumer(context.gateway, KEY, Sender(KEY), wake, requeue=False)
        self._publisher = Publisher(server, self._link, self._consumer, self._published, delay)
        self._receiver = Receiver(
            server,
            self._topic,
            settings["refresh"],
            self._link,
            self._alarm,
            self._take,
            self._publisher.server_is_there,
        )
        self._lines = Bursts(logger, KEY, most=1, period=60.0)
        self._counts = Counter[str]()
        self._answers: PromptThread | None = None

    def run(self) -> None:
        """Take commands until `stop`; then publish what answers there are."""
        self._answers = thread = PromptThread(self._publish, f"{KEY} answers")
        thread.start()
        try:
            self._link.keep(self._receiver.session)
        finally:
            grace = 0.0
            if self._link.stopping:
                self._consumer.stop()
                grace = _LAST_ANSWERS if self._consumer.in_flight else _LAST_WORDS
            self._publisher.alarm.stop(grace)
            self._answers = None
            thread.end(_PARTED)
            if self._link.stopping:
                self._publisher.tell_what_is_left()
            else:  # a fault: the host calls this again
                self._publisher.alarm.rearm()

    def stop(self) -> None:
        """Take nothing new, answer what was taken, and end `run`."""
        self._link.stop()
        self._alarm.stop(_PARTING)

    def stalled(self) -> str:
        """Say so where the thread of the answers has died, or never begun, or does nothing any more."""
        thread = self._answers
        if thread is not None and not thread.lives:
            return "its thread that publishes answers has died"
        return self._link.stalled()

    def describe(self) -> Mapping[str, Any]:
        """Say how the connection is, and what came by it."""
        waiting = {"callbacks_waiting": len(self._consumer.outbox) + len(self._publisher)}
        dropped = {"callbacks_dropped": self._consumer.outbox.dropped + self._publisher.given_up}
        return {
            **self._link.describe(),
            "topic": self._topic,
            **self._consumer.describe(),
            **waiting,
            **dropped,
            "callbacks_published": self._publisher.delivered,
            **{kind.value: self._counts[kind] for kind in (Kind.ECHO, Kind.ANSWER, Kind.OTHER)},
        }

    def received(self, message: ReceivedMessage) -> None:
        """Forward a message that came in to a modem, where that is wanted."""
        if self._inbox_topic:
            self._consumer.publish(Callback(self._inbox_topic), message.to_json())

    def state_changed(self, callback: Callback, answer: Answer) -> None:
        """Publish a later state."""
        self._consumer.publish(callback, answer.to_json())

    def _wake(self) -> None:
        self._publisher.alarm.ring()

    def _publish(self) -> None:
        """Run the publisher, again where it fails (its own thread)."""
        backoff = Backoff(0.5, _LONGEST_PAUSE)
        while True:
            try:
                self._publisher.run()
            except Exception:  # answers must not end for ever for a fault with one of them
                logger.exception("%s: publishing answers failed; it goes on in a moment", KEY)
            else:
                return
            if self._publisher.alarm.over:
                return
            self._publisher.alarm.wait((), time.monotonic() + backoff.delay())

    def _take(self, message: bytes | None) -> None:
        """Take one message in."""
        if message is None:
            self._counts[Kind.OTHER] += 1
            self._lines.log(logging.WARNING, "messages too long", "%s: a message is ignored, it is too long", KEY)
            return
        kind = kind_of(message, self._published)
        self._counts[kind] += 1
        if kind is Kind.OTHER:
            self._lines.log(
                logging.WARNING, "messages that are no commands", "%s: a message is ignored, it is no command", KEY
            )
        elif kind is Kind.COMMAND:
            self._consumer.take(Delivery(body=message, kept=False))
