"""What the ingresses of all message brokers are: a connection that one thread keeps, a consumer that others fill."""

import logging
import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, cast

from otppi.api.errors import OtpPiError
from otppi.api.ingress import Callback, Ingress, IngressContext, ReceivedMessage, Sender
from otppi.api.settings import Section
from otppi.kit.broker.consumer import Consumer
from otppi.kit.broker.settings import BrokerValues
from otppi.kit.bursts import Bursts
from otppi.kit.net.dial import Dialer
from otppi.kit.net.endpoint import Endpoint
from otppi.kit.net.link import Link, LinkLost
from otppi.kit.net.wake import Alarm
from otppi.text import words
from otppi.wire.envelope import Answer

logger = logging.getLogger(__name__)

PATIENCE = 9.0
"""Seconds in which what was taken may become final at a stop; the host waits for ten."""


class BrokerIngress(Ingress):
    """Commands from a message broker; a plugin adds its protocol, `session`, which the thread of `run` calls.

    Args:
        context: Settings as `broker_settings` declares them, and the gateway.
        section: Their section; its key is the name of the ingress.
        requeue: Whether the broker takes back what may be sent later, for others.
        patience: Seconds in which what was taken may become final at a stop.
        first, cap: The shortest and the longest pause before another attempt to connect, in seconds.

    Attributes:
        key: The name of the ingress.
        values: Its settings.
        gateway: The gateway.
        link: The state of the connection.
        alarm: Wakes the connection's thread, and says until when it has to end.
        consumer: Follows what was taken to its end.
        lines: Lines of the log that a flood of the same must not fill.
    """

    def __init__(
        self,
        context: IngressContext,
        section: Section,
        *,
        requeue: bool,
        patience: float = PATIENCE,
        first: float = 0.5,
        cap: float = 30.0,
    ) -> None:
        self.key = section.key
        self.values = context.settings
        self._common = cast("BrokerValues", context.settings)  # what a plugin adds has another type in each
        self.gateway = context.gateway
        self._patience = patience
        self.alarm = Alarm()
        self.link = Link(self.key, f"{self._common['host'].strip()}:{self._common['port']}", first=first, cap=cap)
        self.consumer = Consumer(
            self.gateway, self.key, Sender(self.key), self.link.calling(self.wake), requeue=requeue
        )
        self.lines = Bursts(logger, self.key, most=5)
        self._dialer: Dialer | None = None

    # -- what a plugin adds -----------------------------------------------------------------------------------------

    @abstractmethod
    def session(self, dialer: Dialer) -> None:
        """Connect, and work until `link.stopping`, or until the connection is to be made anew (its thread).

        Args:
            dialer: Opens connections to the server of the settings, and gives up as soon as the ingress is stopped.

        Raises:
            LinkLost: The server cannot be reached, refuses, or has gone.
        """

    def details(self) -> Mapping[str, Any]:
        """Return what else there is to know of it, for the status page (any thread)."""
        return {}

    def wake(self) -> None:
        """Have the connection's thread look at what is due (any thread)."""
        self.alarm.set()

    def take_nothing_new(self) -> None:
        """Do what a stop means for what was taken (any thread; perhaps twice)."""
        self.consumer.stop()

    # -- any thread -------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Take nothing new; settle what becomes final in time, and leave the rest to the broker."""
        self.alarm.stop(self._patience)
        self.link.stop()
        self.take_nothing_new()
        self.alarm.set()  # once more: a thread that looked before the link was stopped sleeps again
        self.wake()  # where that is another thread's

    def stalled(self) -> str:
        """Say so where the connection's thread does nothing any more."""
        return self.link.stalled()

    def describe(self) -> Mapping[str, Any]:
        """Return how the connection is, and how many messages came."""
        return {**self.link.describe(), **self.consumer.describe(), **self.details()}

    def received(self, message: ReceivedMessage) -> None:
        """Publish a message that came in to a modem, where the settings say to which topic."""
        if topic := self._common["inbox_topic"]:
            self.consumer.publish(Callback(topic), message.to_json())

    def state_changed(self, callback: Callback, answer: Answer) -> None:
        """Publish a later state."""
        self.consumer.publish(callback, answer.to_json())

    # -- the connection's thread ------------------------------------------------------------------------------------

    def run(self) -> None:
        """Take commands until `stop`; connect again whenever the connection is lost."""
        self.link.keep(self._connect)

    @property
    def is_settled(self) -> bool:
        """Whether all that was taken is settled, and no answer waits here."""
        return not (self.consumer.in_flight or len(self.consumer.outbox))

    def refuse_own_topic(self) -> None:
        """Tell that an answer is wanted where commands come from: it would come back as a command."""
        message = "%s: an answer is not published: its callback_topic is where commands come from"
        self.lines.log(logging.WARNING, "answers for where commands come from", message, self.key)

    def _connect(self) -> None:
        try:
            endpoint = Endpoint.of(self._common)  # anew each time: its files may have been replaced
        except OtpPiError as error:
            raise LinkLost(words(error)) from error
        if self._dialer is None:
            self._dialer = Dialer(endpoint, self.alarm, lambda: -math.inf if self.link.stopping else math.inf)
        self._dialer.endpoint = endpoint
        self.session(self._dialer)
