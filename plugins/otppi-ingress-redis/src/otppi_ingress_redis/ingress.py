"""The ingress: two connections on one thread, one that waits for commands and one that settles and answers."""

import logging
import secrets
import select
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from redis.exceptions import ResponseError

from otppi.api.ingress import IngressContext
from otppi.kit.broker.ingress import BrokerIngress
from otppi.kit.broker.outbox import Action, soonest
from otppi.kit.broker.own_name import recall, remember
from otppi.kit.net.dial import Dialer
from otppi.kit.net.failures import no_answer
from otppi.kit.net.link import LinkLost
from otppi.kit.threads import CANNOT_START, prompt
from otppi_ingress_redis.channel import ChannelSource
from otppi_ingress_redis.line import Line, checked, is_for_good, said
from otppi_ingress_redis.lists import ListSource
from otppi_ingress_redis.settings import CHANNEL, LIST, SECTION
from otppi_ingress_redis.source import AT_ONCE, Source
from otppi_ingress_redis.stream import StreamSource
from otppi_ingress_redis.text import _

logger = logging.getLogger(__name__)

KEY = SECTION.key
_PATIENCE = 9.0
"""Seconds in which what was taken may become final at a stop; the host waits for ten."""
_MOST_UNKEPT = 1_000
"""How many commands of a channel may be on their way; more wait in the connection, as far as Redis lets them."""
_LOOK = 0.5
"""Seconds after which it is seen that modems have become able to send."""


class RedisIngress(BrokerIngress):
    """Commands from Redis. A read that waits at the server cannot be ended from here; hence the second connection.

    All work is done on the thread of `run`; other threads fill the consumer's outbox, and wake it.
    """

    def __init__(self, context: IngressContext) -> None:
        values = context.settings
        name = _own_name(context.folder, values["consumer"])
        stream = values["kind"] not in (LIST, CHANNEL)
        claim_after = values["claim_after"]
        # Whoever holds entries of a stream has to see in time that the server is out of reach.
        self._timeout = min(values["timeout"], claim_after / 4) if stream else values["timeout"]
        self._source = _source(values, name, self._timeout)
        cap = min(30.0, claim_after / 8) if stream else 30.0
        super().__init__(context, SECTION, requeue=self._source.kept, patience=_PATIENCE, first=min(0.5, cap), cap=cap)
        self._doing: list[Action] = []
        self._asked_until: float | None = None
        self._ended = False
        self._last_resort: threading.Timer | None = None
        self._lines: tuple[Line, ...] = ()

    # -- any thread -------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Take nothing new; settle what becomes final in time, and leave the rest to the server."""
        first, connected = not self.alarm.stopping, self.link.is_connected
        super().stop()
        if first:
            self._hang_up_after(_PATIENCE if connected else 0.0)

    def details(self) -> Mapping[str, Any]:
        """Return what commands are taken from."""
        return {"kind": self.values["kind"], "key": self.values["key"], **self._source.describe()}

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

    # -- the connection's thread ------------------------------------------------------------------------------------

    def run(self) -> None:
        """Take commands until `stop`."""
        try:
            super().run()
        finally:
            if self.link.stopping and self._last_resort is not None:
                self._last_resort.cancel()
            self._give_up()

    def session(self, dialer: Dialer) -> None:
        """Connect, and work until the stop, the refresh, or a failure."""
        self._leave_to_others()
        self._asked_until = None
        dialer.endpoint = replace(dialer.endpoint, timeout=self._timeout)
        worker, reader = (Line(self.values, dialer) for _line in range(2))
        self._lines = (worker, reader)
        try:
            for line in self._lines:
                line.open()
            self._source.open(worker)
            self.link.connected()
            self._serve(reader, worker)
        except LinkLost:
            self._leave_to_others()
            raise
        finally:
            for line in self._lines:
                line.close()

    def _serve(self, reader: Line, worker: Line) -> None:
        number = _client_id(reader)
        refresh = self.values["refresh"]
        ends = time.monotonic() + refresh if refresh else float("inf")
        while True:
            self._do_what_is_due(worker)
            now = time.monotonic()
            self._leave_to_others()
            self._source.tend(worker, now)
            if self.link.stopping:
                if self._is_finished(now):
                    return
                self._end_question(worker, number)
            elif now >= ends:
                return
            else:
                self._fetch(reader, worker, number)
            self._wait(reader, min(ends, self.alarm.ends_at))

    def _end_question(self, worker: Line, number: int | None) -> None:
        """Let the server answer at once that there is nothing; where it may not be told so, it does within `BLOCK`."""
        if self._asked_until is not None and not self._ended and number is not None and self._source.kept:
            worker.exchange([("CLIENT", "UNBLOCK", number)])
            self._ended = True

    def _fetch(self, reader: Line, worker: Line, number: int | None) -> None:
        """Take what waits already, and ask for more where there is room for it."""
        room = self._room()
        if self._source.kept and room + self._held <= 0:  # no modem may send
            self._end_question(worker, number)
        if room > 0:
            for delivery in self._source.backlog(worker, room):
                self.consumer.consume(delivery)
            room = self._room()
        if self._asked_until is None and (question := self._source.question(room)) is not None:
            reader.send(*question.command)
            self._asked_until, self._ended = time.monotonic() + question.patience, False

    def _room(self) -> int:
        """Count the commands that may be taken now."""
        if not self._source.kept:
            return _MOST_UNKEPT - self.consumer.working
        capacity = self.gateway.capacity()
        self.link.say(_("connected") if capacity else _("takes nothing: no modem may send"))
        return capacity - self._held

    @property
    def _held(self) -> int:
        """How many commands were read and not settled, but for those parked for which there is room beside them."""
        return self._source.held - self.consumer.parking.room

    def _wait(self, reader: Line, until: float) -> None:
        """Wait until there is something to do, and read what came."""
        now = time.monotonic()
        listens = self._source.kept or self._room() > 0
        events = {reader.fileno(): select.POLLIN} if listens else {}
        ends = (until, self._asked_until if self._asked_until is not None else now + _LOOK)
        pause = soonest(self.consumer.pause(), _LOOK, *(end - now for end in ends)) or 0.0
        if (listens and reader.has_reply()) or self.alarm.wait(pause, events):
            self._read(reader, listens=listens)
        if self._asked_until is not None and time.monotonic() > self._asked_until:
            self._read(reader, listens=listens)  # it may have come while this thread had no turn
            if self._asked_until is not None and time.monotonic() > self._asked_until:
                raise LinkLost(no_answer(self._timeout))

    def _read(self, reader: Line, *, listens: bool) -> None:
        """Read all replies that are there."""
        while listens and reader.has_reply():
            deliveries, answered = self._source.reply_received(reader.reply())
            if answered:
                self._asked_until = None
            for delivery in deliveries:
                self.consumer.consume(delivery)
            listens = self._source.kept or self._room() > 0

    # -- what is due ------------------------------------------------------------------------------------------------

    def _do_what_is_due(self, worker: Line) -> None:
        """Publish and settle; what fails with the connection is done over the next one."""
        self.link.came()
        self.lines.flush()
        self._doing += self.consumer.due()
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
                self.refuse_own_topic()
            elif topic:
                made = self._source.publish(topic, action.payload)
                commands += made
                topics += [topic] * len(made)
        for topic, reply in zip(topics, worker.exchange(commands), strict=True):
            if not isinstance(reply, ResponseError):
                continue
            if not is_for_good(reply):
                checked(reply, _("publishing an answer"))
            message = "%s: an answer cannot be published on %s: %s"
            self.lines.log(logging.WARNING, "answers that cannot be published", message, KEY, topic, said(reply))

    def _leave_to_others(self) -> None:
        """Let go of what others may take over, before they do: what no modem has begun to send is not sent here."""
        if self._source.overdue(time.monotonic()):
            logger.warning("%s: without the server for too long; what it delivered is left to it", KEY)
            self._let_go()

    def _let_go(self) -> None:
        self.consumer.lost()
        self._source.forget()
        self._doing = [
            one for one in self._doing if one.delivery is None or one.delivery.session == self.consumer.session
        ]

    def _is_finished(self, now: float) -> bool:
        """Whether the stop may end: nothing is on its way, or it took too long."""
        idle = self.is_settled and not self._source.held and self._asked_until is None
        return idle or now >= self.alarm.ends_at

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
    """Return this gateway's name: the one that is set, or one that is made once."""
    if wanted:
        return wanted
    path = folder / "consumer"
    if name := recall(path).strip():
        return name
    name = f"otppi-{secrets.token_hex(4)}"
    remember(path, name, "name")
    return name


def _client_id(line: Line) -> int | None:
    """Ask for the number by which another connection can end this one's waiting; None where that is not permitted."""
    (reply,) = line.exchange([("CLIENT", "ID")])
    return reply if isinstance(reply, int) else None
