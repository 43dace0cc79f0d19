"""The ingress: one thread that owns the connection, takes messages by subscriptions, settles and answers them."""

import re
import select
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from otppi.api.ingress import Callback, IngressContext
from otppi.api.text import labelled
from otppi.kit.broker.ingress import BrokerIngress
from otppi.kit.broker.outbox import Action, Delivery
from otppi.kit.broker.verdict import Verdict
from otppi.kit.net.dial import Dialer
from otppi.kit.net.failures import WRONG_LOGIN, no_answer
from otppi.kit.net.link import LinkLost
from otppi_ingress_stomp.messages import delivery_of, destination, is_kept
from otppi_ingress_stomp.publisher import Publisher
from otppi_ingress_stomp.settings import SECTION
from otppi_ingress_stomp.subscriptions import Subscriptions
from otppi_ingress_stomp.text import _
from otppi_ingress_stomp.wire import Wire

KEY = SECTION.key
_LOGIN = re.compile("access refused|authentication|password|not authori[sz]ed", re.IGNORECASE)
"""How brokers say that they let nobody of this name in: STOMP has no codes (RabbitMQ; ActiveMQ, Artemis)."""
_PATIENCE = 9.0
"""Seconds in which what was taken may become final at a stop; the host waits for ten."""
_FAREWELL = 2.0
_LOOK = 0.5
"""Seconds after which it is seen that modems have become able to send, or unable."""


class StompIngress(BrokerIngress):
    """Commands from a broker that speaks STOMP. Other threads only fill the consumer's outbox, and wake its thread."""

    def __init__(self, context: IngressContext) -> None:
        values = context.settings
        self._source = destination(values["destination"])
        self._kept = is_kept(self._source)
        super().__init__(context, SECTION, requeue=self._kept, patience=_PATIENCE)
        self._publisher = Publisher(self.lines)
        self._subscriptions = Subscriptions(values, self._source, kept=self._kept)
        self._wire: Wire | None = None
        self._requeues = False
        self._able = True
        self._aside: list[Any] = []
        """Messages that came when no modem could send: for when one can, or for others, after the connection."""

    def details(self) -> Mapping[str, Any]:
        """Return what commands are taken from, and how many at a time (any thread)."""
        wire = self._wire
        return {
            "destination": self._source,
            "broker": wire.server if wire is not None else "",
            "prefetch": self._subscriptions.prefetch,
        }

    # -- the connection's thread ------------------------------------------------------------------------------------

    def session(self, dialer: Dialer) -> None:
        """Connect, and work until the stop, the refresh, a change of the prefetch, or a failure."""
        wire = self._wire = Wire(self.values, dialer)
        try:
            wire.open()
            self._greet(wire)
            self._serve(wire)
            self._farewell(wire)
        finally:
            self._aside = []
            wire.close()
            self._subscriptions.lost()
            # All that is not acknowledged is the server's again.
            self.consumer.lost()
            for action in self._publisher.lost():
                self.consumer.outbox.put(action)

    def _greet(self, wire: Wire) -> None:
        """Wait for the server to accept the connection."""
        deadline = time.monotonic() + self.values["timeout"]
        frames: list[Any] = []
        while not frames:
            if self.link.stopping:
                raise LinkLost(_("the gateway stops"))
            if time.monotonic() > deadline:
                raise LinkLost(no_answer(self.values["timeout"]))
            frames = self._exchange(wire, deadline - time.monotonic())
        first, *more = frames
        if first.cmd == "ERROR":
            raise LinkLost(
                _("the server refuses the connection: {error}", error=_error(first, self.values, is_first=True))
            )
        if first.cmd != "CONNECTED":
            raise LinkLost(_("what is at this port does not speak STOMP"))
        wire.greeted(first)
        # Only RabbitMQ's NACK gives a message back; others take it for one that nobody can handle (ActiveMQ does).
        self._requeues = wire.server.startswith("RabbitMQ")
        self.link.connected()
        for frame in more:
            self._frame(wire, frame)

    def _serve(self, wire: Wire) -> None:
        refresh = self.values["refresh"]
        ends = time.monotonic() + refresh if refresh else float("inf")
        while True:
            self._do_what_is_due(wire)
            now = time.monotonic()
            if self.link.stopping:
                if now >= self.alarm.ends_at or self._is_idle():
                    return
            elif now >= ends and not self._subscriptions.is_draining:
                self._subscriptions.drain(_("the connection is refreshed"))
            else:
                self._adjust(wire, self.gateway.capacity())
            if self._subscriptions.is_drained(now, idle=self._is_idle()):
                return
            self.link.say(self._subscriptions.detail)
            pause = self.consumer.pause()
            frames = self._exchange(wire, _LOOK if pause is None else min(pause, _LOOK))
            read_at = time.monotonic()
            for frame in frames:
                self._frame(wire, frame)
            # Judged by when it was read: what comes while the frames are worked on, however long, is not late.
            oldest = self._publisher.oldest()
            if oldest is not None and read_at - oldest > self.values["timeout"]:
                raise LinkLost(_("the server did not confirm an answer in time"))

    def _adjust(self, wire: Wire, capacity: int) -> None:
        """Take as much as the modems can send."""
        self._subscriptions.adjust(wire.protocol, capacity, self.consumer.parking.room)
        self._able = capacity > 0 or not self._kept
        if self._able and not self._subscriptions.is_draining:
            aside, self._aside = self._aside, []
            for frame in aside:
                self._consume(wire, frame)

    def _is_idle(self) -> bool:
        """Whether nothing is on its way; what is parked is the server's again when the connection ends."""
        return not (
            self.consumer.in_flight > len(self.consumer.parking) or len(self.consumer.outbox) or self._publisher.is_busy
        )

    def _exchange(self, wire: Wire, pause: float) -> list[Any]:
        """Send what waits, wait for something to come or a wake-up of this thread, and return the frames that came."""
        wire.flush()
        pause = 0.0 if wire.has_more else min(pause, wire.pause())
        self.alarm.wait(pause, {wire.fileno(): select.POLLIN | (select.POLLOUT if wire.wants_to_write else 0)})
        looks_at = time.monotonic()
        frames = wire.read()
        wire.check(looks_at)
        return frames

    def _consume(self, wire: Wire, frame: Any) -> None:
        """Take a message in, which takes long where the machine is slow; many may have come at once."""
        wire.keep_alive()
        self.consumer.consume(delivery_of(frame, kept=self._kept, now=time.time()))

    def _frame(self, wire: Wire, frame: Any) -> None:
        if frame.cmd == "MESSAGE":
            # What comes meanwhile is the server's again when the connection ends.
            if not self._able:
                self._aside.append(frame)
            elif not (self._subscriptions.is_draining or self.link.stopping):
                self._consume(wire, frame)
        elif frame.cmd == "RECEIPT":
            receipt = frame.headers.get("receipt-id", "")
            if (action := self._publisher.confirmed(receipt)) is not None and action.delivery is not None:
                self._settle(wire, action.delivery, action.verdict)
        elif frame.cmd == "ERROR":
            self._publisher.refused(frame.headers.get("receipt-id"))
            raise LinkLost(_("the server reports an error: {error}", error=_error(frame, self.values)))

    def _farewell(self, wire: Wire) -> None:
        """Say good-bye, and wait until the server has read all that was said before it (STOMP 1.2, DISCONNECT)."""
        wire.protocol.send_frame("DISCONNECT", {"receipt": "bye"})
        deadline = time.monotonic() + min(_FAREWELL, self.values["timeout"])
        try:
            while (left := deadline - time.monotonic()) > 0:
                for frame in self._exchange(wire, left):
                    if frame.cmd == "RECEIPT" and frame.headers.get("receipt-id") == "bye":
                        return
        except LinkLost:
            return

    # -- what is due ------------------------------------------------------------------------------------------------

    def _do_what_is_due(self, wire: Wire) -> None:
        self.link.came()
        self.lines.flush()
        for action in self.consumer.due():
            if action.verdict is Verdict.NEVER and action.delivery is not None and self.values["dead_letter"]:
                self._bury(action)
            elif (action.callback is None or not self._may_publish(action)) and action.delivery is not None:
                self._settle(wire, action.delivery, action.verdict)
        while (sending := self._publisher.next()) is not None:
            callback = sending.action.callback
            headers = {"content-type": "application/json", "persistent": "true", "receipt": sending.receipt}
            if callback is not None and callback.correlation:
                headers["correlation-id"] = callback.correlation.decode(errors="replace")
            wire.protocol.send(sending.destination, sending.action.payload, headers=headers)

    def _may_publish(self, action: Action) -> bool:
        topic = action.callback.topic if action.callback is not None else ""
        if destination(topic) == self._source:
            self.refuse_own_topic()
            return False
        return self._publisher.put(action)

    def _bury(self, action: Action) -> None:
        """Publish the answer, if one is wanted, and the command itself as a dead letter; then it is acknowledged."""
        if action.callback is not None:
            self._may_publish(Action(callback=action.callback, payload=action.payload))
        body = action.delivery.body if action.delivery is not None else b""
        letter = Callback(self.values["dead_letter"])
        if not self._publisher.put(Action(callback=letter, payload=body, delivery=action.delivery)):
            raise LinkLost(_("dead_letter {topic} is refused", topic=letter.topic))

    def _settle(self, wire: Wire, delivery: Delivery, verdict: Verdict) -> None:
        """Acknowledge, refuse, or give back."""
        tag, subscription = delivery.tag
        more: dict[str, Any] = {"id": tag}
        if wire.protocol.version == "1.1":
            more |= {"subscription": subscription}
        if verdict is Verdict.DONE:
            wire.protocol.ack(**more)
        elif verdict is Verdict.NEVER:
            wire.protocol.nack(**more, **({"requeue": "false"} if self._requeues else {}))
        elif self._requeues:
            wire.protocol.nack(**more, requeue="true")
        elif not self.link.stopping:
            # It cannot be given back alone; so it is tried again from here, or given back with the connection.
            self.consumer.consume(replace(delivery, redelivered=True, attempt=delivery.attempt + 1))


def _error(frame: Any, values: Mapping[str, Any], *, is_first: bool = False) -> str:
    """Return what an ERROR frame says. Its body may quote a message, so only that of the first answer is read."""
    head = frame.headers.get("message", "").strip()
    body = frame.body.decode(errors="replace").strip() if is_first else ""
    said = ": ".join(part for part in (head, body.partition("\n")[0].strip()) if part)
    if values["password"]:
        said = said.replace(values["password"], "***")
    said = "".join(character if character.isprintable() else " " for character in said)[:240]
    told = said or _("it does not say which")
    if is_first and _LOGIN.search(f"{head} {body}"):
        told = labelled(WRONG_LOGIN, told)
    if head == "precondition_failed":  # RabbitMQ's 406: STOMP declares a queue that it subscribes to
        told = _(
            "{told} (the queue exists with other arguments, as a quorum queue does: "
            "set destination to /amq/queue/NAME, which is used as it is)",
            told=told,
        )
    return told
