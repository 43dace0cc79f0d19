"""What leads out: answers on callback topics, by connections of their own, one for each topic.

The original opens a second connection on that topic, sends, and closes. Here it stays open for some seconds, since the
next state of the message is often told on the same topic soon. The protocol has no acknowledgement; a ping that is
answered shows that the server has read what was sent before.
"""

import logging
import math
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from otppi.kit.broker.consumer import Consumer
from otppi.kit.bursts import Bursts
from otppi.kit.net.back_off import Backoff
from otppi.kit.net.dial import Dialer
from otppi.kit.net.endpoint import Endpoint
from otppi.kit.net.link import Link, LinkLost
from otppi.kit.net.wake import Alarm
from otppi_ingress_wsmessagebroker.connection import Connection, Server
from otppi_ingress_wsmessagebroker.traffic import Published

logger = logging.getLogger(__name__)

_MOST_CONNECTIONS = 4
_IDLE = 5.0
_BACKLOG = 10_000
_BACKLOG_BYTES = 8 << 20
_LONGEST_KEPT = 3600.0
_MOST_WRITES = 3
"""An answer that was written so often, and never shown to have arrived, is given up."""
_STOPPING_STEP = 0.05


@dataclass(slots=True)
class _Letter:
    """An answer on its way."""

    payload: bytes = field(repr=False)
    since: float = field(default_factory=time.monotonic)
    writes: int = 0


@dataclass(slots=True)
class _Topic:
    """A topic that something is to be published on, or was lately."""

    name: str
    backoff: Backoff
    waiting: deque[_Letter] = field(default_factory=deque)
    written: deque[tuple[int, _Letter]] = field(default_factory=deque)
    connection: Connection | None = None
    used_at: float = 0.0
    not_before: float = 0.0
    check_at: float = 0.0

    @property
    def busy(self) -> bool:
        """Whether something is not known to have arrived."""
        return bool(self.waiting or self.written) or (self.connection is not None and self.connection.wants_write)


class Publisher:
    """Publishes what the consumer's outbox gives, on a thread of its own: `run` is its body.

    Args:
        server: Where it is.
        endpoint: The same, for connections; `dialer.endpoint` may be set to another, with other certificates.
        link: Told that this thread comes when it is called.
        consumer: Whose actions are done; what is to be tried again is tried again by this thread as well.
        published: Where it is noted what was published, so that its echo is known.
        reconnect_delay: The first pause, in seconds, before a topic is tried again.
    """

    def __init__(
        self,
        server: Server,
        endpoint: Endpoint,
        link: Link,
        consumer: Consumer,
        published: Published,
        reconnect_delay: float,
    ) -> None:
        self.alarm = Alarm()
        self._server = server
        self._link = link
        self._consumer = consumer
        self._published = published
        self._reconnect_delay = reconnect_delay
        self.dialer = Dialer(endpoint, self.alarm, lambda: self.alarm.ends_at)
        self._topics: OrderedDict[str, _Topic] = OrderedDict()
        self._server_is_there = self._has_come_back = False
        self._kept = self._kept_bytes = 0
        self._lines = Bursts(logger, "ingress-wsmessagebroker", most=1, period=60.0)
        self.delivered = 0
        self.given_up = 0

    # -- any thread -------------------------------------------------------------------------------------------------

    def server_is_there(self, there: bool) -> None:
        """Say whether the server can be reached; as long as it cannot, nothing is tried."""
        self._has_come_back |= there and not self._server_is_there
        self._server_is_there = there
        self.alarm.set()

    def __len__(self) -> int:
        """How many answers are not known to have arrived."""
        return self._kept

    # -- its thread -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Publish until the alarm stops it."""
        try:
            while not self._ended():
                self._link.came()
                self._lines.flush()
                self._collect()
                if self._has_come_back:
                    self._has_come_back = False
                    self._try_all()
                for topic in list(self._topics.values()):
                    self._attempt(topic)
                if self._server_is_there:
                    self._connect()
                self.alarm.wait_for(self._connections(), self._next())
        finally:
            for topic in self._topics.values():
                self._hang_up(topic)

    def tell_what_is_left(self) -> None:
        """Log what could not be published before the end."""
        if left := len(self):
            logger.warning("ingress-wsmessagebroker: %d answers are not published: the gateway has ended first", left)

    def _ended(self) -> bool:
        if not self.alarm.stopping:
            return False
        waits = self._consumer.in_flight or len(self._consumer.outbox) or any(one.busy for one in self._topics.values())
        return self.alarm.over or not (waits and self._server_is_there)

    def _collect(self) -> None:
        for action in self._consumer.due():
            if action.callback is None:
                continue
            if self._kept >= _BACKLOG or self._kept_bytes + len(action.payload) > _BACKLOG_BYTES:
                self._give_up(1)
                continue
            self._kept += 1
            self._kept_bytes += len(action.payload)
            name = action.callback.topic
            topic = self._topics.get(name)
            if topic is None:
                topic = self._topics[name] = _Topic(name, Backoff(self._reconnect_delay, 30.0))
            topic.waiting.append(_Letter(action.payload))

    def _connect(self) -> None:
        """Open the connections that are needed, the topic that waits longest first."""
        for topic in list(self._topics.values()):
            if not topic.waiting or topic.connection is not None or time.monotonic() < topic.not_before:
                continue
            if self.alarm.over or not self._has_place():
                return
            try:
                topic.connection = Connection.open(self._server, topic.name, self.dialer, self.alarm)
            except LinkLost as error:
                self._failed(topic, error)
            else:
                self._attempt(topic)

    def _could_have_place(self) -> bool:
        """Whether one more connection could be opened now, perhaps instead of one that is idle."""
        opened = [topic for topic in self._topics.values() if topic.connection is not None]
        return len(opened) < _MOST_CONNECTIONS or not all(topic.busy for topic in opened)

    def _has_place(self) -> bool:
        """Make place for one more connection where one is idle."""
        opened = [topic for topic in self._topics.values() if topic.connection is not None]
        if len(opened) < _MOST_CONNECTIONS:
            return True
        idle = min((one for one in opened if not one.busy), key=lambda one: one.used_at, default=None)
        if idle is None:
            return False
        self._forget(idle)
        return True

    def _attempt(self, topic: _Topic) -> None:
        """Do for a topic what can be done now."""
        connection = topic.connection
        if connection is None:
            self._drop_old(topic)
            return
        try:
            self._write(topic, connection)
            more = connection.receive()  # what others publish there is not for us
            self._confirm(topic, connection)
            topic.check_at = 0.0 if more else connection.check()
        except LinkLost as error:
            self._failed(topic, error)
            return
        if not topic.busy and time.monotonic() >= topic.used_at + _IDLE:
            self._forget(topic)

    def _write(self, topic: _Topic, connection: Connection) -> None:
        if not topic.waiting or not connection.has_room:
            return
        letters = []
        while topic.waiting and connection.has_room:
            letter = topic.waiting.popleft()
            letter.writes += 1
            self._published.add(letter.payload)
            connection.publish(letter.payload)
            letters.append(letter)
        number = connection.ping() if self._server.ping_interval else 0
        topic.written.extend((number, letter) for letter in letters)
        topic.used_at = time.monotonic()
        connection.flush()

    def _confirm(self, topic: _Topic, connection: Connection) -> None:
        """Note what has arrived: what came before a ping that is answered, or, without pings, what is written."""
        answered = connection.answered if self._server.ping_interval else (-1 if connection.wants_write else 0)
        while topic.written and topic.written[0][0] <= answered:
            self._done(topic.written.popleft()[1])
            self.delivered += 1
            topic.backoff.reset()

    def _failed(self, topic: _Topic, error: LinkLost) -> None:
        """Put back what may not have arrived, to be published again after a pause."""
        self._hang_up(topic)
        for _, letter in reversed(topic.written):
            if letter.writes < _MOST_WRITES:
                topic.waiting.appendleft(letter)
            else:
                self._done(letter)
                self._give_up(1)
        topic.written.clear()
        delay = topic.backoff.delay()
        topic.not_before = time.monotonic() + delay
        self._drop_old(topic)
        if topic.waiting and not self.alarm.over:
            message = "ingress-wsmessagebroker: %d answers cannot be published now, and will be in %.1f s or later: %s"
            kind = "callback topics that could not be reached"
            self._lines.log(logging.INFO, kind, message, len(topic.waiting), delay, str(error))

    def _drop_old(self, topic: _Topic) -> None:
        dropped = 0
        while topic.waiting and time.monotonic() - topic.waiting[0].since > _LONGEST_KEPT:
            self._done(topic.waiting.popleft())
            dropped += 1
        if dropped:
            self._give_up(dropped)
        if not topic.busy and topic.connection is None:
            self._topics.pop(topic.name, None)

    def _try_all(self) -> None:
        """Let no topic wait for its next attempt."""
        for topic in self._topics.values():
            topic.not_before = 0.0
            topic.backoff.reset()

    def _done(self, letter: _Letter) -> None:
        self._kept -= 1
        self._kept_bytes -= len(letter.payload)

    def _give_up(self, number: int) -> None:
        message = "ingress-wsmessagebroker: %d answers are given up, they could not be published"
        self._lines.log(logging.WARNING, "answers given up", message, number)
        self.given_up += number

    def _forget(self, topic: _Topic) -> None:
        self._hang_up(topic)
        del self._topics[topic.name]

    def _hang_up(self, topic: _Topic) -> None:
        connection, topic.connection = topic.connection, None
        if connection is not None:
            connection.close()

    def _connections(self) -> list[Connection]:
        return [topic.connection for topic in self._topics.values() if topic.connection is not None]

    def _next(self) -> float:
        """Return when something is to be done that no connection and no alarm tells of."""
        now = time.monotonic()
        pause = self._consumer.pause()
        times = [math.inf if pause is None else now + pause]
        for topic in self._topics.values():
            if topic.connection is not None:
                times.append(topic.check_at)
                if not topic.busy:
                    times.append(topic.used_at + _IDLE)
            elif self._server_is_there and (topic.not_before > now or self._could_have_place()):
                times.append(topic.not_before)  # at once where its pause has ended meanwhile
            # else it waits for one of the others to be idle
        if self.alarm.stopping:
            times.append(now + _STOPPING_STEP)
        return min(times)
