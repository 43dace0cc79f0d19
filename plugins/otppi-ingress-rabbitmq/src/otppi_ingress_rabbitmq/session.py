"""One connection's life: from connecting until it is lost, or nothing is left to do."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from pika.adapters.select_connection import IOLoop

from otppi.kit.broker.consumer import Consumer
from otppi.kit.broker.outbox import Action, Delivery
from otppi.kit.broker.verdict import Verdict
from otppi.kit.net.endpoint import Endpoint
from otppi.kit.net.link import Link, LinkLost
from otppi_ingress_rabbitmq.connection import Connection, close_all, parameters, reason
from otppi_ingress_rabbitmq.intake import Intake, Phase
from otppi_ingress_rabbitmq.publisher import Publisher, Tally
from otppi_ingress_rabbitmq.text import _

_TICK = 1.0
_CONNECTING = 3
"""After so many times the time-out an attempt to connect ends: each address of the host has the time-out to itself."""
_DRAIN = 60.0
"""Seconds after which a session that is to end does, whatever has not become final. What the server then delivers again
while a modem still has it is a duplicate; but a gateway of a fleet must not leave what it sends to others, so this is
longer than a gateway takes to stop."""
_ACKNOWLEDGES = 0.005
"""Seconds between acknowledgements: of many messages a second, those of this time go together. That spares the server
work; longer would leave more to be doubled by another gateway when this one is killed."""
_LAST_ANSWERS = 5.0
"""Seconds that answers may take when all else is done."""

_NOT_READY = frozenset({Phase.OPENING, Phase.CLOSED})
_ENDING = _NOT_READY | {Phase.IDLE}
"""Phases in which nothing comes any more."""


class Session:
    """Owns the loop and both connections. `wake` may be called by any thread, all else by the ingress's own.

    Args:
        values: The settings.
        endpoint: The server.
        link: Is told how the connection is.
        consumer: Takes the messages in, and says what is to be done.
        capacity: Says how many messages the modems can use.
        tally: Counts the publications.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        endpoint: Endpoint,
        link: Link,
        consumer: Consumer,
        capacity: Callable[[], int],
        tally: Tally,
    ) -> None:
        self._values = values
        self._endpoint = endpoint
        self._link = link
        self._consumer = consumer
        self._capacity = capacity
        self._ioloop = IOLoop()
        self._parameters = parameters(values, endpoint, f"messages of {values['queue']}", impatient=True)
        answers = parameters(values, endpoint, "answers")  # patient: a server that is short of memory stops reading it
        self.publisher = Publisher(answers, values, endpoint, self._ioloop, self._settle, tally)
        self.intake: Intake | None = None
        self._connection: Any = None
        self._started = time.monotonic()
        self._received = (0, self._started)
        self._ends: float | None = None
        self._quiet: float | None = None
        self._has_queue = False
        self._silent = False
        self._ended = False
        self._error: str | None = None
        self._awake = False
        self._timer: tuple[float, Any] | None = None
        self._acknowledged = 0.0
        self._acknowledges = False

    def run(self) -> None:
        """Connect, and work until told to stop.

        Raises:
            LinkLost: The server cannot be reached, refuses, or has gone.
        """
        try:
            self._connection = Connection(
                self._parameters,
                on_open_callback=self._opened,
                on_open_error_callback=self._closed,
                on_close_callback=self._closed,
                custom_ioloop=self._ioloop,
            )
            self._ioloop.call_later(_TICK, self._tick)
            if not self._ended:
                self._ioloop.start()
        finally:
            self._close()
        if self._error is not None:
            raise LinkLost(self._error)

    def wake(self) -> None:
        """Let the loop look at what is due; one call of many wakes it (any thread)."""
        if not self._awake:
            self._awake = True
            self._ioloop.add_callback_threadsafe(self._work)

    def _close(self) -> None:
        connections = [one for one in (self._connection, self.publisher.connection) if one is not None]
        self._ended = True
        if self._error is not None:  # what no modem has begun is taken back first: others may have it already
            self._consumer.lost()
        close_all(self._ioloop, connections, politely=not self._silent)
        self._consumer.lost()
        for action in self.publisher.take_back():
            self._consumer.outbox.put(action)
        self._ioloop.close()

    # -- the loop ---------------------------------------------------------------------------------------------------

    def _end(self, error: str | None) -> None:
        """End the session: what went wrong first is what is told."""
        if not self._ended:
            self._ended, self._error = True, error
            self._ioloop.stop()

    def _opened(self, connection: Any) -> None:
        self.intake = Intake(connection, self._values, self._consumer, self._wanted, self._changed, self._end)
        self.intake.open()

    def _closed(self, _connection: Any, error: BaseException) -> None:
        self._end(reason(error, self._endpoint, self._values))

    def _changed(self) -> None:
        """Tell people what the consumer does; only with a queue to take from the connection is of use."""
        phase = Phase.OPENING if self.intake is None else self.intake.phase
        if not self._has_queue and phase is Phase.IDLE:
            self._has_queue = True
            self._started = time.monotonic()
            self._link.connected(_("has queue {queue}", queue=self._values["queue"]))
            self.wake()
        if self._ends is not None:
            self.wake()
        self._say(phase)

    def _wanted(self) -> int:
        """Return how many messages should be at hand: none while no modem may send, so that other gateways get them."""
        if self._ends is not None:
            return 0
        capacity = self._capacity()
        return min(capacity, self._values["prefetch"] or capacity) if capacity else 0

    def _tick(self) -> None:
        if self._ended:
            return
        self._ioloop.call_later(_TICK, self._tick)
        if self.intake is not None:
            self.intake.adjust()
        elif time.monotonic() - self._started > _CONNECTING * self._values["timeout"]:
            self._end(self._endpoint.no_answer())
        self._watch()
        self.publisher.look()
        self._work()

    def _watch(self) -> None:
        """End the session when the server is silent for the time of two heartbeats.

        pika would notice later than the server, which gives what is at hand here to other gateways then.
        """
        now, received = time.monotonic(), self._connection.bytes_received
        if received != self._received[0]:
            self._received = (received, now)
        elif self.intake is not None and now - self._received[1] > self._values["heartbeat"] + 0.5:
            self._silent = True
            self._end(_("the server was silent for {heartbeat} s", heartbeat=self._values["heartbeat"]))

    def _say(self, phase: Phase) -> None:
        queue = " and ".join(filter(None, (self._values["queue"], self._values["bulk_queue"])))
        if self._ends is not None:
            self._link.say(_("takes nothing more from queue {queue}", queue=queue))
        elif phase is Phase.CONSUMING:
            self._link.say(_("takes messages from queue {queue}", queue=queue))
        elif phase is Phase.IDLE and not self._wanted():
            self._link.say(_("no modem may send: what is in queue {queue} is left to other gateways", queue=queue))
        elif phase is Phase.OPENING:
            self._link.say(_("looking for queue {queue}", queue=queue))

    def _work(self) -> None:
        """Do what is due, and come again when more is."""
        self._awake = False
        self._link.came()
        if self._ended:
            return
        ready = self.intake is not None and self.intake.phase not in _NOT_READY
        if self.intake is not None and ready:
            for action in self._consumer.due():
                self._carry_out(action)
            self._flush()
            self.intake.make_room()
        self._wind_down()
        if ready:
            self._come_again()

    def _come_again(self) -> None:
        """Set the clock to when the next thing is due, where the tick would be later."""
        pause = self._consumer.pause()
        if pause is None or pause >= _TICK or self._ended:
            return
        due = time.monotonic() + pause
        if self._timer is not None:
            if self._timer[0] <= due:
                return
            self._ioloop.remove_timeout(self._timer[1])
        self._timer = (due, self._ioloop.call_later(pause, self._on_timer))

    def _on_timer(self) -> None:
        self._timer = None
        self._work()

    def _carry_out(self, action: Action) -> None:
        if action.callback is not None:
            self.publisher.publish(action)
        elif action.delivery is not None and self.intake is not None:
            self.intake.settle(action.delivery, action.verdict)

    def _flush(self) -> None:
        """Acknowledge what is done: together with others where there was something a moment ago."""
        if self.intake is None or not self.intake.done:
            return
        pause = self._acknowledged + _ACKNOWLEDGES - time.monotonic()
        if pause <= 0 or self._ends is not None or 2 * self.intake.done >= self.intake.prefetch:
            self._acknowledge()
        elif not self._acknowledges:
            self._acknowledges = True
            self._ioloop.call_later(pause, self._on_pause)

    def _on_pause(self) -> None:
        self._acknowledges = False
        if not self._ended:
            self._acknowledge()

    def _acknowledge(self) -> None:
        if self.intake is not None:
            self._acknowledged = time.monotonic()
            self.intake.flush()

    def _settle(self, delivery: Delivery, verdict: Verdict) -> None:
        """Settle a delivery whose answer is safe."""
        if self.intake is not None:
            self.intake.settle(delivery, verdict)
            self._flush()

    # -- the end ----------------------------------------------------------------------------------------------------

    def _wind_down(self) -> None:
        """When it is to end: take nothing more, and end when all that was taken is settled and answered."""
        now = time.monotonic()
        refresh = self._values["refresh"]
        if self._ends is None and (self._link.stopping or (refresh and now - self._started > refresh)):
            self._ends = now + _DRAIN
            self._consumer.rest(resting=True)
            if self.intake is not None:
                self.intake.adjust()
        if self._ends is None:
            return
        self._acknowledge()
        if self.intake is None or now > self._ends:
            self._end(None)
        elif self.intake.phase in _ENDING and not self.intake.unsettled:
            self._quiet = self._quiet or now
            if not self.publisher.busy or now - self._quiet > _LAST_ANSWERS:
                self._end(None)
