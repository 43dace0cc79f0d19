"""What a connection does next: one step after the other, on the server's thread."""

import contextlib
import logging
import math
import select
import time
from collections.abc import Callable
from typing import ClassVar

from otppi.web.answering import Answering
from otppi.web.application import Application
from otppi.web.connection import Connection, Phase
from otppi.web.connections import Connections
from otppi.web.handshakes import Handshakes
from otppi.web.request import Refusal, Refused
from otppi.web.request_parser import RequestStage
from otppi.web.returns import Returns
from otppi.web.timeouts import Timeouts
from otppi.web.waits import INPUT, OUTPUT, WantsRead, WantsWrite

logger = logging.getLogger(__name__)

QUICK_AT_ONCE = 32
"""Quick requests that the server's thread answers in a turn; the workers answer the others, so that nobody waits long
for the thread that owns all connections."""
FORGET_AFTER = 2.0
"""Seconds without a request after which what a connection remembers of the last ones is let go."""
NEVER = math.inf
_NOT_TLS = Refusal(400, "scheme", "this port speaks HTTPS, and the request came in plain HTTP")


class Driver:
    """Has connections go on: `attend` on the server's thread when one is ready, `sweep` when time has passed.

    Args:
        name: Whose server it is: its threads are named by it.
        application: What answers the requests.
        connections: The open connections.
        epoll: Where they are watched.
        timeouts: How long clients are waited for.
        most_threads: How many workers there may be.
        returns: What gives connections back.
    """

    def __init__(
        self,
        name: str,
        application: Application,
        connections: Connections,
        epoll: select.epoll,
        timeouts: Timeouts,
        most_threads: int,
        returns: Returns,
    ) -> None:
        self._answering = Answering(name, application, returns, timeouts.keep_alive, most_threads, self._take_back)
        self._handshakes = Handshakes(name, connections, returns, self._begin)
        self.workers = self._answering.workers
        self._application = application
        self._connections = connections
        self._epoll = epoll
        self._timeouts = timeouts
        self._returns = returns
        self.now = time.monotonic()
        self._quick_left = 0

    def start(self) -> None:
        """Start the first worker."""
        self.workers.start()

    def stop(self, timeout: float) -> None:
        """End all threads; wait at most `timeout` seconds for those of each kind."""
        self.workers.stop(timeout)
        self._handshakes.workers.stop(timeout)

    def stalled(self) -> str:
        """Return which threads are stuck; empty where none are (any thread)."""
        return self.workers.stalled() or self._handshakes.workers.stalled()

    def begin_turn(self) -> None:
        """Take note of the time, and that quick requests may be answered again."""
        self.now = time.monotonic()
        self._quick_left = QUICK_AT_ONCE

    def sweep(self) -> None:
        """See to the threads, and to the connections whose deadline has passed, or that are idle."""
        self.workers.tend()
        self._handshakes.workers.tend()
        ours = [one for one in self._connections if one.phase is not Phase.WORK]
        for connection in ours:
            if connection.since <= self.now - FORGET_AFTER:
                connection.parser.forget_head()
        for connection in (one for one in ours if one.deadline <= self.now):
            refusal = connection.parser.incomplete() if connection.phase is Phase.READ else None
            if refusal is None:
                self._connections.remove(connection)
            else:
                self._refuse(connection, refusal)

    def end_streams(self) -> None:
        """End what would go on for ever, when the server is being stopped."""
        for connection in self._connections:
            if connection.phase is Phase.STREAM and connection.stream is not None:
                connection.stream.close()

    # What a connection does next (the server's thread)

    def attend(self, connection: Connection) -> None:
        """Go on with a connection whose socket is ready. One that a worker has is never closed here."""
        try:
            self._STEPS[connection.phase](self, connection)
        except WantsRead:
            self._arm(connection, INPUT)
        except WantsWrite:
            self._arm(connection, OUTPUT)
        except BlockingIOError:
            self._arm(connection, OUTPUT if connection.phase is Phase.WRITE else INPUT)
        except Refused as refused:
            self._refuse(connection, refused.refusal)
        except OSError:  # the client has gone, or does not speak TLS
            self._connections.remove(connection)
        except Exception:
            logger.exception("A connection from %s is closed because of a fault of ours", connection.client)
            if connection.phase is not Phase.WORK:
                self._connections.remove(connection)

    def _greet(self, connection: Connection) -> None:
        if connection.speaks_tls():
            self._enter(connection, Phase.HANDSHAKE, self._timeouts.handshake)
            self._handshakes.go_on(connection)
        elif connection.plain:
            self._begin(connection)
        else:
            self._refuse(connection, _NOT_TLS)

    def _shake_hands(self, connection: Connection) -> None:
        self._handshakes.go_on(connection)

    def _begin(self, connection: Connection) -> None:
        """Wait for the first request: the handshake is made, or there is none."""
        self._enter(connection, Phase.READ, self._timeouts.head)
        self.attend(connection)

    def _read(self, connection: Connection) -> None:
        connection.half_closed = not connection.receive()
        self._advance(connection)

    def _advance(self, connection: Connection) -> None:
        """Answer the next request, or hand it to a worker, if it is whole; wait for the rest of it if not."""
        while (request := connection.parser.next_request()) is None:
            if connection.half_closed:
                self._end_of_input(connection)
                return
            if not connection.decrypted():
                self._await_input(connection)
                return
            connection.half_closed = not connection.receive()
        quick = self._quick_left > 0 and self._answering.is_quick(request)
        connection.phase = Phase.WORK
        if quick:
            self._quick_left -= 1
            self._answering.answer((connection, request))
        else:
            self._answering.submit((connection, request))

    def _await_input(self, connection: Connection) -> None:
        connection.send_interim()
        limits, stage = self._timeouts, connection.parser.stage
        if stage is not connection.stage:
            connection.stage, connection.since = stage, self.now
        if stage is RequestStage.BODY:
            connection.deadline = min(connection.since + limits.body, self.now + limits.body_progress)
        else:
            keep = stage is RequestStage.IDLE and connection.served
            connection.deadline = connection.since + (limits.keep_alive if keep else limits.head)
        self._arm(connection, INPUT)

    def _end_of_input(self, connection: Connection) -> None:
        """Say what is missing, if anything is: the client has sent its last byte."""
        refusal = connection.parser.incomplete()
        if refusal is None:
            self._connections.remove(connection)
        else:
            self._refuse(connection, refusal)

    def _write(self, connection: Connection) -> None:
        connection.flush()
        self._written(connection)

    def _written(self, connection: Connection) -> None:
        """Go on with the answer, with the next request, or part: what there was of an answer is out."""
        if connection.unfinished:
            connection.phase = Phase.WORK
            self._answering.go_on(connection)
        elif connection.stream is not None:
            self._begin_stream(connection)
        elif connection.ends or self._returns.stopping:
            self._part(connection)
        else:
            connection.served = True
            connection.stage = RequestStage.IDLE
            self._enter(connection, Phase.READ, self._timeouts.keep_alive)
            self._advance(connection)

    def _begin_stream(self, connection: Connection) -> None:
        """Write what the application sends, when it sends it; the client is only looked at for whether it is there."""
        self._enter(connection, Phase.STREAM, NEVER)
        if connection.stream is not None:
            connection.stream.attach(lambda: self._returns.give(self._stream_news, connection))
            if self._returns.stopping:
                connection.stream.close()
        self._arm(connection, 0 if connection.half_closed else INPUT)

    def _stream_news(self, connection: Connection) -> None:
        if connection.phase is Phase.STREAM:  # else it has ended meanwhile
            self.attend(connection)

    def _stream(self, connection: Connection) -> None:
        """Write what a stream has; nothing is taken from it while the client does not take what was written before."""
        if connection.stream is not None and connection.stream.too_far_behind:
            self._connections.remove(connection)
            return
        try:
            connection.flush()
            if not connection.take_from_stream():
                self._enter(connection, Phase.WRITE, self._timeouts.write)
                self._write(connection)
                return
            connection.flush()
        except BlockingIOError:
            if connection.phase is Phase.WRITE:
                raise
            connection.deadline = min(connection.deadline, self.now + self._timeouts.write)
            mask = OUTPUT
        else:
            connection.deadline = NEVER
            mask = 0
        if not connection.half_closed:
            mask |= INPUT
            with contextlib.suppress(BlockingIOError):
                if not connection.discard():  # it asks for nothing more while it listens, so it has gone
                    self._connections.remove(connection)
                    return
        self._arm(connection, mask)

    def _part(self, connection: Connection) -> None:
        self._enter(connection, Phase.LINGER, self._timeouts.linger)
        connection.shut_down()
        if connection.half_closed:
            self._connections.remove(connection)
        else:
            self._linger(connection)

    def _linger(self, connection: Connection) -> None:
        if connection.discard():
            self._arm(connection, INPUT)
        else:
            self._connections.remove(connection)

    _STEPS: ClassVar[dict[Phase, Callable[["Driver", Connection], None]]] = {
        Phase.HELLO: _greet,
        Phase.HANDSHAKE: _shake_hands,
        Phase.READ: _read,
        Phase.WRITE: _write,
        Phase.STREAM: _stream,
        Phase.LINGER: _linger,
    }

    # What comes back, and what is refused

    def _take_back(self, connection: Connection) -> None:
        self._enter(connection, Phase.WRITE, self._timeouts.write)
        self.attend(connection)

    def _refuse(self, connection: Connection, refusal: Refusal) -> None:
        """Answer for ourselves, then part."""
        connection.put(self._application.refuse(refusal, connection.parser.path), None, ends=True)
        self._enter(connection, Phase.WRITE, self._timeouts.write)
        self.attend(connection)

    # Time

    def _enter(self, connection: Connection, phase: Phase, seconds: float) -> None:
        connection.phase = phase
        connection.since = self.now
        connection.deadline = self.now + seconds

    def _arm(self, connection: Connection, mask: int) -> None:
        self._epoll.modify(connection.descriptor, mask)
