"""The ingress: commands by one connection, answers by others, and what of the traffic is neither."""

import logging
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from otppi.api.ingress import IngressContext
from otppi.kit.broker.ingress import BrokerIngress
from otppi.kit.broker.outbox import Delivery
from otppi.kit.bursts import Bursts
from otppi.kit.net.back_off import Backoff
from otppi.kit.net.dial import Dialer
from otppi.kit.net.endpoint import Endpoint
from otppi.kit.threads import PromptThread
from otppi_ingress_wsmessagebroker.connection import Server
from otppi_ingress_wsmessagebroker.handshake import Site
from otppi_ingress_wsmessagebroker.publisher import Publisher
from otppi_ingress_wsmessagebroker.receiver import Receiver
from otppi_ingress_wsmessagebroker.settings import SECTION
from otppi_ingress_wsmessagebroker.text import _
from otppi_ingress_wsmessagebroker.traffic import Kind, Published, kind_of

logger = logging.getLogger(__name__)

KEY = SECTION.key
_PARTING = 0.4
_LAST_WORDS = 0.5
_LAST_ANSWERS = 8.0
"""Seconds at the end: to take what the server has sent already, to publish what waits, and to publish the answers to
commands that are still on their way; the host waits for ten."""
_LONGEST_PAUSE = 30.0
_PARTED = 60.0
"""Seconds in which the publisher has ended, whatever its server does."""


class WsMessageBrokerIngress(BrokerIngress):
    """Commands from WSMessageBroker. The thread of `run` owns the connection that they come by.

    Raises:
        OtpPiError: A setting cannot be used; the sentence names it.
    """

    def __init__(self, context: IngressContext) -> None:
        settings = context.settings
        delay = settings["reconnect_delay"]
        cap = max(delay, _LONGEST_PAUSE)
        super().__init__(context, SECTION, requeue=False, patience=_PARTING, first=delay, cap=cap)
        site = Site(
            settings["host"].strip(), settings["port"], settings["path"], settings["username"], settings["password"]
        )
        server = Server(site, settings["timeout"], settings["ping_interval"])
        self._topic = settings["topic"]
        self._published = Published()
        endpoint = Endpoint(site.host, site.port, server.timeout)
        self._publisher = Publisher(server, endpoint, self.link, self.consumer, self._published, delay)
        self._receiver = Receiver(
            server,
            self._topic,
            settings["refresh"],
            self.link,
            self.alarm,
            self._consume,
            self._publisher.server_is_there,
        )
        self._strange = Bursts(logger, KEY, most=1, period=60.0)
        self._counts = Counter[str]()
        self._answers: PromptThread | None = None

    def run(self) -> None:
        """Take commands until `stop`; then publish what answers there are."""
        self._answers = thread = PromptThread(self._publish, f"{KEY} answers")
        thread.start()
        try:
            super().run()
        finally:
            grace = 0.0
            if self.link.stopping:
                self.consumer.stop()
                grace = _LAST_WORDS if not self.consumer.in_flight else _LAST_ANSWERS
            self._publisher.alarm.stop(grace)
            self._answers = None
            thread.end(_PARTED)
            if self.link.stopping:
                self._publisher.tell_what_is_left()
            else:  # a fault: the host calls this again
                self._publisher.alarm.rearm()

    def session(self, dialer: Dialer) -> None:
        """Take commands over one connection, and those that it is made anew by."""
        self._publisher.dialer.endpoint = dialer.endpoint
        self._receiver.session(dialer)

    def take_nothing_new(self) -> None:
        """Go on with what was taken: what the server has sent already is taken first, and `run` ends the rest."""

    def stalled(self) -> str:
        """Say so where the thread of the answers has died, or never begun, or does nothing any more."""
        thread = self._answers
        if thread is not None and not thread.lives:
            return _("its thread that publishes answers has died")
        return super().stalled()

    def details(self) -> Mapping[str, Any]:
        """Return what came by the connection, and what became of the answers (any thread)."""
        return {
            "topic": self._topic,
            "callbacks_waiting": len(self.consumer.outbox) + len(self._publisher),
            "callbacks_dropped": self.consumer.outbox.dropped + self._publisher.given_up,
            "callbacks_published": self._publisher.delivered,
            **{kind.value: self._counts[kind] for kind in (Kind.ECHO, Kind.ANSWER, Kind.OTHER)},
        }

    def wake(self) -> None:
        """Have the thread that publishes answers look at what is due (any thread)."""
        self._publisher.alarm.set()

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
            self._publisher.alarm.wait_for((), time.monotonic() + backoff.delay())

    def _consume(self, message: bytes | None) -> None:
        """Take one message in."""
        if message is None:
            self._counts[Kind.OTHER] += 1
            self._strange.log(logging.WARNING, "messages too long", "%s: a message is ignored, it is too long", KEY)
            return
        kind = kind_of(message, self._published)
        if kind is Kind.OTHER:
            self._strange.log(
                logging.WARNING, "messages that are no commands", "%s: a message is ignored, it is no command", KEY
            )
        elif kind is Kind.COMMAND:
            self.consumer.consume(Delivery(body=message, kept=False))
        self._counts[kind] += 1
