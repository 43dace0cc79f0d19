"""The gate: one thread that owns every socket, so that an idle or slow client costs memory but never a thread.

It collects requests and gets rid of what clients are slow to read. A connection is handed to a worker only with a whole
request, and comes back with the answer written, or in the output. TLS handshakes, which cost milliseconds of arithmetic
that clients choose, are made on two threads of their own.
"""

import contextlib
import logging
import os
import select
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from otppi_ingress_rest.connection import Connection, Phase
from otppi_ingress_rest.deadlines import Deadlines
from otppi_ingress_rest.framing import BufferedRequest, Stage
from otppi_ingress_rest.listener import Listener
from otppi_ingress_rest.lobby import Lobby
from otppi_ingress_rest.postponed import Postponed
from otppi_ingress_rest.reception import INPUT, Reception
from otppi_ingress_rest.replies import Refused, Reply, busy, malformed
from otppi_ingress_rest.table import UNFINISHED, Table
from otppi_ingress_rest.workers import Workers

logger = logging.getLogger(__name__)

HANDSHAKERS = 2
TICK = 0.5
STALLED_AFTER = 15.0
"""Seconds after which the gate's thread is stuck: a turn takes milliseconds."""
_OUTPUT = select.EPOLLOUT | select.EPOLLONESHOT


class Gate:
    """The thread's work (`run`), and what others may do to it (`stop`, counts)."""

    def __init__(
        self,
        listeners: Sequence[Listener],
        *,
        table: Table,
        is_known: Callable[[BufferedRequest], bool],
        most_threads: int,
        stop_waiting: Callable[[], None],
        deadlines: Deadlines | None = None,
    ) -> None:
        self.workers: Workers[tuple[Connection, BufferedRequest]] = Workers(
            self._answer, self._refuse_job, most_threads
        )
        self._lobby = Lobby(lambda job: is_known(job[1]), self.workers.submit)
        self._handshakers: Workers[Connection] = Workers(
            self._shake_hands, self._refuse_handshake, HANDSHAKERS, "ingress-rest-tls"
        )
        self._stop_waiting = stop_waiting
        self._table = table
        self._returned: deque[tuple[Callable[[Connection], None], Connection]] = deque()
        self._epoll = select.epoll()
        self._deadlines = deadlines or Deadlines()
        self._reception = Reception(listeners, table, self._epoll, self._deadlines.head)
        self._wake_up = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._wake_lock = threading.Lock()
        self._asleep = False
        self._stopping = False
        self._now = time.monotonic()
        self._awake_since: float | None = None

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._table)

    def stalled(self) -> str:
        """Say what has stopped going on though there is work for it; empty where nothing has (any thread)."""
        since, now = self._awake_since, time.monotonic()
        if since is not None and now - since > STALLED_AFTER:
            return f"it has not looked at its connections for {now - since:.0f} s"
        return self.workers.stalled() or self._handshakers.stalled()

    def abandon(self) -> None:
        """Close the ports of a gate that does not end, so that another one can open them (any thread)."""
        self._reception.close()

    def stop(self) -> None:
        """End `run` (any thread): nothing new is taken, running requests are answered, then all is closed."""
        self._stopping = True
        self._wake()

    def run(self) -> None:
        """Serve until `stop`."""
        self._epoll.register(self._wake_up, select.EPOLLIN)
        self._reception.open()
        self.workers.start()
        try:
            while not self._stopping:
                self._turn()
            self._wind_up()
        finally:
            self._close()

    def _wind_up(self) -> None:
        """Wait for the running requests and for clients to take their answers."""
        self._reception.close()
        with self._table.lock:
            unfinished = [one for one in self._table if one.phase in UNFINISHED]
        for connection in unfinished:
            self._table.remove(connection)
        patience = self._now + self._deadlines.stop
        patient = True
        while any(one.phase is not Phase.LINGER for one in self._table):
            self._turn()
            if patient and self._now >= patience:
                patient = False
                self._stop_waiting()
            elif self._now >= patience + self._deadlines.stop:
                break

    def _close(self) -> None:
        self._stop_waiting()
        self.workers.stop(self._deadlines.stop)
        self._handshakers.stop(self._deadlines.stop)
        for connection in self._table:
            self._table.remove(connection)
        self._reception.close()
        self._epoll.close()
        with self._wake_lock:
            os.close(self._wake_up)
            self._wake_up = -1

    def _turn(self) -> None:
        """Wait for something to happen, see to it, and to what has been waiting for too long."""
        self._asleep = True
        self._awake_since = None
        idle = not len(self._table) and not self._reception.paused and not self._stopping
        events = self._epoll.poll(0 if self._returned else None if idle else TICK)
        self._asleep = False
        swept = int(self._now / TICK)
        self._awake_since = self._now = time.monotonic()
        self._reception.begin_turn(self._now)
        # Who has sent something is heard before room is made for others.
        for descriptor, _ in sorted(events, key=self._is_door):
            if connection := self._table.get(descriptor):
                if not self._reception.is_new(connection):
                    self._attend(connection)
            elif descriptor == self._wake_up:
                os.eventfd_read(self._wake_up)
            elif not self._stopping:
                self._reception.accept(descriptor)
        while self._returned:
            next_step, connection = self._returned.popleft()
            next_step(connection)
        if int(self._now / TICK) != swept:
            self._sweep()

    def _is_door(self, event: tuple[int, int]) -> bool:
        return self._reception.is_door(event[0])

    # What a connection does next

    def _attend(self, connection: Connection) -> None:
        """Go on with a connection whose socket is ready. One that a worker has is never closed here."""
        try:
            self._STEPS[connection.phase](self, connection)
        except ssl.SSLWantReadError:
            self._arm(connection, INPUT)
        except ssl.SSLWantWriteError:
            self._arm(connection, _OUTPUT)
        except BlockingIOError:
            self._arm(connection, _OUTPUT if connection.phase is Phase.WRITE else INPUT)
        except Refused as refused:
            self._refuse(connection, refused.reply)
        except OSError:  # the client has gone, or does not speak TLS
            self._table.remove(connection)
        except Exception:
            logger.exception("A connection from %s is closed because of a fault of ours", connection.address)
            if connection.phase is not Phase.WORK:
                self._table.remove(connection)

    def _greet(self, connection: Connection) -> None:
        if not connection.speaks_tls():
            raise Refused(malformed("scheme", "this port speaks HTTPS, and the request came in plain HTTP"))
        connection.begin_tls()
        self._enter(connection, Phase.HANDSHAKE, self._deadlines.handshake)
        self._go_on_shaking(connection)

    def _go_on_shaking(self, connection: Connection) -> None:
        connection.phase = Phase.WORK
        self._handshakers.submit(connection)

    def _begin(self, connection: Connection) -> None:
        """Wait for the first request, the handshake is made."""
        self._enter(connection, Phase.READ, self._deadlines.head)
        self._attend(connection)

    def _read(self, connection: Connection) -> None:
        connection.half_closed = not connection.receive()
        self._advance(connection)

    def _advance(self, connection: Connection) -> None:
        """Hand the next request to a worker if it is whole; wait for the rest of it if not."""
        while (request := connection.reader.next_request()) is None:
            if connection.half_closed:
                self._end_of_input(connection)
                return
            if not connection.decrypted():
                self._await_input(connection)
                return
            connection.half_closed = not connection.receive()
        connection.phase = Phase.WORK
        self._lobby.submit((connection, request))

    def _await_input(self, connection: Connection) -> None:
        connection.send_interim()
        limits, stage = self._deadlines, connection.reader.stage
        if stage is not connection.stage:
            connection.stage, connection.since = stage, self._now
        if stage is Stage.BODY:
            connection.deadline = min(connection.since + limits.body, self._now + limits.body_progress)
        else:
            keep = stage is Stage.IDLE and connection.served
            connection.deadline = connection.since + (limits.keep_alive if keep else limits.head)
        self._arm(connection, INPUT)

    def _end_of_input(self, connection: Connection) -> None:
        """The client has sent its last byte: say what is missing, if anything is."""
        reply = connection.reader.incomplete()
        if reply is None:
            self._table.remove(connection)
        else:
            self._refuse(connection, reply)

    def _write(self, connection: Connection) -> None:
        connection.flush()
        self._written(connection)

    def _written(self, connection: Connection) -> None:
        """An answer is out: go on with the next request, or part."""
        if connection.ends or self._stopping:
            self._part(connection)
            return
        connection.served = True
        connection.stage = Stage.IDLE
        self._enter(connection, Phase.READ, self._deadlines.keep_alive)
        self._advance(connection)

    def _part(self, connection: Connection) -> None:
        self._enter(connection, Phase.LINGER, self._deadlines.linger)
        connection.shut_down()
        if connection.half_closed:
            self._table.remove(connection)
        else:
            self._linger(connection)

    def _linger(self, connection: Connection) -> None:
        if connection.discard():
            self._arm(connection, INPUT)
        else:
            self._table.remove(connection)

    _STEPS: ClassVar[dict[Phase, Callable[["Gate", Connection], None]]] = {
        Phase.HELLO: _greet,
        Phase.HANDSHAKE: _go_on_shaking,
        Phase.READ: _read,
        Phase.WRITE: _write,
        Phase.LINGER: _linger,
    }

    # Answers

    def _answer(self, job: tuple[Connection, BufferedRequest]) -> None:
        """Answer a request (worker thread), or have it come again when it can be."""
        connection, request = job
        later: Postponed | None = None
        try:
            connection.respond(request)
        except Postponed as postponed:
            later = postponed
        finally:
            self._lobby.leave(job)
            if later is None:
                self._give_back(connection)
        if later is not None:
            with _given_back(connection):
                later.call_when_ready(lambda: self.workers.submit(job))

    def _refuse_job(self, job: tuple[Connection, BufferedRequest]) -> None:
        """Answer a request that no thread is free for (any thread)."""
        connection, _ = job
        connection.refuse(busy())
        self._give_back(connection)
        self._lobby.leave(job)

    def _give_back(self, connection: Connection) -> None:
        """Write what the client takes at once, and return the connection to the gate's thread."""
        with _given_back(connection):
            with contextlib.suppress(OSError):  # not ready, or gone: the gate will see
                connection.flush()
            if not (connection.at_rest and self._await_next(connection)):
                self._return(self._take_back, connection)

    def _await_next(self, connection: Connection) -> bool:
        """Have the gate's thread look at a connection only when more comes (worker thread); False where it should now.

        To wake that thread for each answer costs 7 % of a request's CPU time.
        """
        connection.served, connection.stage = True, Stage.IDLE
        connection.since = time.monotonic()
        connection.deadline = connection.since + self._deadlines.keep_alive
        return self._await(connection, Phase.READ, INPUT)

    def _await(self, connection: Connection, phase: Phase, mask: int) -> bool:
        """Have the gate's thread go on when the socket is ready (any other thread); False where it is to be now."""
        with self._table.lock:
            if self._stopping or self._table.get(connection.descriptor) is not connection:
                return False
            connection.phase = phase
            self._arm(connection, mask)  # from here on it is the gate's
        return True

    def _return(self, next_step: Callable[[Connection], None], connection: Connection) -> None:
        """Have the gate's thread go on with a connection now (any other thread)."""
        self._returned.append((next_step, connection))
        if self._asleep:
            self._asleep = False
            self._wake()

    # Handshakes

    def _shake_hands(self, connection: Connection) -> None:
        """Go on with a TLS handshake (handshaker thread)."""
        with _given_back(connection):
            try:
                connection.shake_hands()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as wants:
                mask = INPUT if isinstance(wants, ssl.SSLWantReadError) else _OUTPUT
                if not self._await(connection, Phase.HANDSHAKE, mask):
                    self._return(self._table.remove, connection)
            except OSError:  # the client has gone, or does not speak TLS
                self._return(self._table.remove, connection)
            else:
                self._return(self._begin, connection)

    def _refuse_handshake(self, connection: Connection) -> None:
        """Close a connection whose handshake nobody had time for (any thread)."""
        with _given_back(connection):
            self._return(self._table.remove, connection)

    def _wake(self) -> None:
        with self._wake_lock:
            if self._wake_up >= 0:
                os.eventfd_write(self._wake_up, 1)

    def _take_back(self, connection: Connection) -> None:
        self._enter(connection, Phase.WRITE, self._deadlines.write)
        self._attend(connection)

    def _refuse(self, connection: Connection, reply: Reply) -> None:
        """Answer for ourselves, then part."""
        connection.refuse(reply)
        self._enter(connection, Phase.WRITE, self._deadlines.write)
        self._attend(connection)

    # Time

    def _enter(self, connection: Connection, phase: Phase, seconds: float) -> None:
        connection.phase = phase
        connection.since = self._now
        connection.deadline = self._now + seconds

    def _sweep(self) -> None:
        """See to the workers, and to the connections whose deadline has passed."""
        self.workers.tend()
        self._handshakers.tend()
        if not self._stopping:
            self._reception.resume()
        late = [one for one in self._table if one.deadline <= self._now and one.phase is not Phase.WORK]
        for connection in late:
            reply = connection.reader.incomplete() if connection.phase is Phase.READ else None
            if reply is None:
                self._table.remove(connection)
            else:
                self._refuse(connection, reply)

    def _arm(self, connection: Connection, mask: int) -> None:
        self._epoll.modify(connection.descriptor, mask)


@contextlib.contextmanager
def _given_back(connection: Connection) -> Iterator[None]:
    """Wrap what gives a connection back to the gate's thread: where it fails, memory is short, nobody would have it."""
    try:
        yield
    except Exception:
        connection.deadline, connection.phase = 0.0, Phase.LINGER  # for the sweep to close
        raise
