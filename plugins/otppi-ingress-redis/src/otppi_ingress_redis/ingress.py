"""The ingress: two connections on one thread, one that waits for commands and one that settles and answers."""

import logging
import secrets
import select
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from redis.exceptions import ResponseError

from otppi.api.ingress import Callback, Ingress, IngressContext, ReceivedMessage, Sender
from otppi.kit.broker.consumer import Action, Consumer
from otppi.kit.broker.outbox import soonest
from otppi.kit.broker.settings import check_apart
from otppi.kit.bursts import Bursts
from otppi.kit.net.link import Link, LinkLost
from otppi.kit.net.tls import client_context
from otppi.kit.net.wake import Wake
from otppi.kit.threads import CANNOT_START, prompt
from otppi.wire.envelope import Answer
from otppi_ingress_redis.channel import ChannelSource
from otppi_ingress_redis.line import Line, checked, is_for_good, said
from otppi_ingress_redis.lists import ListSource
from otppi_ingress_redis.settings import CHANNEL, LIST
from otppi_ingress_redis.source import AT_ONCE, Source
from otppi_ingress_redis.stream import StreamSource

logger = logging.getLogger(__name__)

KEY = "ingress-redis"
_PATIENCE = 9.0
"""Seconds in which what was taken may become final at a stop; the host waits for ten."""
_MOST_UNKEPT = 1_000
"""How many commands of a channel may be on their way; more wait in the connection, as far as Redis lets them."""
_LOOK = 0.5
"""Seconds after which it is seen that modems have become able to send."""


class RedisIngress(Ingress):
    """Commands from Redis. A read that waits at the server cannot be ended from here; hence the second connection.

    All work is done on the thread of `run`; other threads fill the consumer's outbox, and wake it.

    Raises:
        InvalidSettings: The settings do not go together.
    """

    def __init__(self, context: IngressContext) -> None:
        self._values = context.settings
        check_apart(KEY, self._values, "key", "dead_letter", "inbox_topic")
        self._gateway = context.gateway
        name = _own_name(context.folder, self._values["consumer"])
        stream = self._values["kind"] not in (LIST, CHANNEL)
        claim_after = self._values["claim_after"]
        # Whoever holds entries of a stream has to see in time that the server is out of reach.
        self._timeout = min(self._values["timeout"], claim_after / 4) if stream else self._values["timeout"]
        self._source = _source(self._values, name, self._timeout)
        self._wake = Wake()
        cap = min(30.0, claim_after / 8) if stream else 30.0
        server = f"{self._values['host']}:{self._values['port']}"
        self._link = Link(KEY, server, first=min(0.5, cap), cap=cap)
        wake = self._link.calling(self._wake.set)
        self._consumer = Consumer(self._gateway, KEY, Sender(KEY), wake, requeue=self._source.kept)
        self._bursts = Bursts(logger, KEY, most=5)
        self._doing: list[Action] = []
        self._asked_until: float | None = None
        self._ended = False
        self._stop_by = float("inf")
        self._last_resort: threading.Timer | None = None
        self._lines: tuple[Line, ...] = ()

    # -- any thread -------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Take nothing new; settle what becomes final in time, and leave the rest to the server."""
        first = self._stop_by == float("inf")
        if first:
            self._stop_by = time.monotonic() + _PATIENCE
        connected = self._link.describe()["connected"]
        self._link.stop()
        self._consumer.stop()
        self._wake.set()
        if first:
            self._hang_up_after(_PATIENCE if connected else 0.0)

    def stalled(self) -> str:
        """Say so where the connection's thread does nothing any more."""
        return self._link.stalled()

    def describe(self) -> Mapping[str, Any]:
        """Say how the connection is, and how many messages came."""
        return {
            **self._link.describe(),
            **self._consumer.describe(),
            "kind": self._values["kind"],
            "key": self._values["key"],
            **self._source.describe(),
        }

    def _hang_up_after(self, seconds: float) -> None:
        last_resort = prompt(threading.Timer(seconds, self._hang_up))
        try:
            last_resort.start()
        except CANNOT_START:  # each read ends after `timeout` all the same
            logger.warning("%s: no thread can be started; the stop waits for as long as the server takes", KEY)
        else:
            self._last_resort = last_resort

    def _hang_up(self) -> None:
        """End what waits for a server that does not answer."""
        for line in self._lines:
            line.hang_up()

    def received(self, message: ReceivedMessage) -> None:
        """Forward a message that came in to a modem."""
        if topic := self._values["inbox_topic"]:
            self._consumer.publish(Callback(topic), message.to_json())

    def state_changed(self, callback: Callback, answer: Answer) -> None:
        """Publish a later state."""
        self._consumer.publish(callback, answer.to_json())

    # -- the connection's thread ------------------------------------------------------------------------------------

    def run(self) -> None:
        """Take commands until `stop`.

        Raises:
            OtpPiError: A file of the TLS settings cannot be used.
        """
        context = client_context(self._values)
        try:
            self._link.keep(lambda: self._session(context))
        finally:
            if self._link.stopping and self._last_resort is not None:
                self._last_resort.cancel()
            self._give_up()

    def _session(self, context: Any) -> None:
        """Connect, and work until the stop, the refresh, or a failure."""
        self._leave_to_others()
        self._asked_until = None
        worker, reader = (Line(self._values, context, self._timeout) for _ in range(2))
        self._lines = (worker, reader)
        try:
            for line in self._lines:
                line.open()
            self._source.open(worker)
            self._link.connected()
            self._serve(reader, worker)
        except LinkLost:
            self._leave_to_others()
            raise
        finally:
            for line in self._lines:
                line.close()

    def _serve(self, reader: Line, worker: Line) -> None:
        number = _client_id(reader)
        refresh = self._values["refresh"]
        ends = time.monotonic() + refresh if refresh else float("inf")
        while True:
            self._do_what_is_due(worker)
            now = time.monotonic()
            self._leave_to_others()
            self._source.tend(worker, now)
            if self._link.stopping:
                if self._is_finished(now):
                    return
                self._end_question(worker, number)
            elif now >= ends:
                return
            else:
                self._take(reader, worker, number)
            self._wait(reader, min(ends, self._stop_by))

    def _end_question(self, worker: Line, number: int | None) -> None:
        """Let the server answer at once that there is nothing; where it may not be told so, it does within `BLOCK`."""
        if self._asked_until is not None and not self._ended and number is not None and self._source.kept:
            worker.exchange([("CLIENT", "UNBLOCK", number)])
            self._ended = True

    def _take(self, reader: Line, worker: Line, number: int | None) -> None:
        """Take what waits already, and ask for more where there is room for it."""
        room = self._room()
        if self._source.kept and room + self._held <= 0:  # no modem may send
            self._end_question(worker, number)
        if room > 0:
            for delivery in self._source.waiting(worker, room):
                self._consumer.take(delivery)
            room = self._room()
        if self._asked_until is None and (question := self._source.question(room)) is not None:
            reader.send(*question.command)
            self._asked_until, self._ended = time.monotonic() + question.patience, False

    def _room(self) -> int:
        """Count the commands that may be taken now."""
        if not self._source.kept:
            return _MOST_UNKEPT - self._consumer.working
        capacity = self._gateway.capacity()
        self._link.say("connected" if capacity else "takes nothing: no modem may send")
        return capacity - self._held

    @property
    def _held(self) -> int:
        """How many commands were read and not settled, but for those parked for which there is room beside them."""
        return self._source.held - self._consumer.parking.room

    def _wait(self, reader: Line, until: float) -> None:
        """Wait until there is something to do, and read what came."""
        now = time.monotonic()
        listens = self._source.kept or self._room() > 0
        poll = select.poll()
        poll.register(self._wake.descriptor, select.POLLIN)
        if listens:
            poll.register(reader.fileno(), select.POLLIN)
        ends = (until, self._asked_until if self._asked_until is not None else now + _LOOK)
        pause = soonest(self._consumer.pause(), _LOOK, *(end - now for end in ends)) or 0.0
        ready = [] if listens and reader.has_reply() else [one for one, _ in poll.poll(max(0.0, pause) * 1000)]
        if self._wake.descriptor in ready:
            self._wake.clear()
        if not ready or reader.fileno() in ready:
            self._read(reader, listens=listens)

    def _read(self, reader: Line, *, listens: bool) -> None:
        """Read all replies that are there; a question that nobody answers is the end of the connection."""
        while listens and reader.has_reply():
            deliveries, answered = self._source.answered(reader.reply())
            if answered:
                self._asked_until = None
            for delivery in deliveries:
                self._consumer.take(delivery)
            listens = self._source.kept or self._room() > 0
        if self._asked_until is not None and time.monotonic() > self._asked_until:
            raise LinkLost("the server did not answer in time")

    # -- what is due ------------------------------------------------------------------------------------------------

    def _do_what_is_due(self, worker: Line) -> None:
        """Publish and settle; what fails with the connection is done over the next one."""
        self._link.came()
        self._bursts.flush()
        self._doing += self._consumer.due()
        while self._doing:
            batch = self._doing[:AT_ONCE]
            self._publish(worker, batch)
            # What was published is not published again if settling fails.
            self._doing[: len(batch)] = [replace(action, callback=None) for action in batch]
            settling = [action for action in batch if action.delivery is not None]
            if settling:
                self._source.settle(worker, settling)
            del self._doing[: len(batch)]

    def _publish(self, worker: Line, batch: list[Action]) -> None:
        """Publish the answers; one that can never be published is told and left out."""
        topics, commands = [], []
        for action in batch:
            topic = action.callback.topic if action.callback is not None else ""
            if topic in self._source.own_keys:
                message = "%s: an answer is not published: its callback_topic is where commands come from"
                self._bursts.log(logging.WARNING, "answers for where commands come from", message, KEY)
            elif topic:
                made = self._source.publish(topic, action.payload)
                commands += made
                topics += [topic] * len(made)
        for topic, reply in zip(topics, worker.exchange(commands), strict=True):
            if not isinstance(reply, ResponseError):
                continue
            if not is_for_good(reply):
                checked(reply, "publishing an answer")
            message = "%s: an answer cannot be published on %s: %s"
            self._bursts.log(logging.WARNING, "answers that cannot be published", message, KEY, topic, said(reply))

    def _leave_to_others(self) -> None:
        """Let go of what others may take over, before they do: what no modem has begun to send is not sent here."""
        if self._source.overdue(time.monotonic()):
            logger.warning("%s: without the server for too long; what it delivered is left to it", KEY)
            self._let_go()

    def _let_go(self) -> None:
        self._consumer.lost()
        self._source.forget()
        self._doing = [
            one for one in self._doing if one.delivery is None or one.delivery.session == self._consumer.session
        ]

    def _is_finished(self, now: float) -> bool:
        """Whether the stop may end: nothing is on its way, or it took too long."""
        idle = not self._consumer.in_flight and not len(self._consumer.outbox) and not self._source.held
        return now >= self._stop_by or (idle and self._asked_until is None)

    def _give_up(self) -> None:
        """Leave what is not final to the server."""
        if left := self._source.held:
            logger.warning("%s: %d messages are not final; they stay in Redis and will be taken again", KEY, left)
        self._let_go()


def _source(values: Mapping[str, Any], name: str, timeout: float) -> Source:
    if values["kind"] == LIST:
        return ListSource(values, name, timeout)
    if values["kind"] == CHANNEL:
        return ChannelSource(values, timeout)
    return StreamSource(values, name, timeout)


def _own_name(folder: Path, wanted: str) -> str:
    """Give this gateway's name: the one that is set, or one that is made once."""
    if wanted:
        return wanted
    path = folder / "consumer"
    with suppress(FileNotFoundError):
        if name := path.read_text().strip():
            return name
    name = f"otppi-{secrets.token_hex(4)}"
    try:
        path.write_text(name + "\n")
    except OSError as error:  # the card takes nothing
        logger.error("%s cannot be written, the next start has another name: %s", path, error.strerror)  # noqa: TRY400
    return name


def _client_id(line: Line) -> int | None:
    """Ask for the number by which another connection can end this one's waiting; None where that is not permitted."""
    (reply,) = line.exchange([("CLIENT", "ID")])
    return reply if isinstance(reply, int) else None
