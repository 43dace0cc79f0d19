"""The gate: one thread that owns every socket, so that an idle or slow client costs memory but never a thread.

It accepts, shakes hands (TLS), collects requests and gets rid of what clients are slow to read. A connection is handed
to a worker only with a whole request, and comes back with the answer written, or in the output.
"""

import contextlib
import errno
import logging
import os
import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from otppi_ingress_rest.connection import Connection, Phase
from otppi_ingress_rest.framing import BufferedRequest, Peer, Site, Stage
from otppi_ingress_rest.replies import Refused, Reply, busy, malformed
from otppi_ingress_rest.workers import Workers

logger = logging.getLogger(__name__)

ACCEPTS_AT_ONCE = 64
BACKLOG = 1024
TICK = 0.5
_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_INPUT = select.EPOLLIN | select.EPOLLONESHOT
_OUTPUT = select.EPOLLOUT | select.EPOLLONESHOT
_UNFINISHED = frozenset((Phase.HELLO, Phase.HANDSHAKE, Phase.READ, Phase.LINGER))


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long the gate waits for clients, in seconds."""

    handshake: float = 10.0
    head: float = 10.0
    body: float = 30.0
    body_progress: float = 5.0
    keep_alive: float = 60.0
    write: float = 30.0
    linger: float = 2.0
    stop: float = 5.0
    """How long running requests may go on waiting for modems when the gate is being stopped."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One port: its listening socket, what cheroot needs to know of it, and TLS where it is HTTPS."""

    sock: socket.socket
    site: Site
    tls: ssl.SSLContext | None = None


class Gate:
    """The thread's work (`run`), and what others may do to it (`stop`, counts)."""

    def __init__(
        self,
        listeners: Sequence[Listener],
        *,
        most_connections: int,
        most_threads: int,
        stop_waiting: Callable[[], None],
        deadlines: Deadlines | None = None,
    ) -> None:
        self.workers: Workers[tuple[Connection, BufferedRequest]] = Workers(
            self._answer, self._refuse_job, most_threads
        )
        self._listeners = {listener.sock.fileno(): listener for listener in listeners}
        self._most_connections = most_connections
        self._stop_waiting = stop_waiting
        self._deadlines = deadlines or Deadlines()
        self._connections: dict[int, Connection] = {}
        self._returned: deque[Connection] = deque()
        self._epoll = select.epoll()
        self._wake_up = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._wake_lock = threading.Lock()
        self._table_lock = threading.Lock()
        """Held while a connection leaves the table, and while a worker's becomes the gate's again without its help."""
        self._asleep = False
        self._stopping = False
        self._paused = False
        self._now = time.monotonic()
        self._turns = 0

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def stop(self) -> None:
        """End `run` (any thread): nothing new is taken, running requests are answered, then all is closed."""
        self._stopping = True
        self._wake()

    def run(self) -> None:
        """Serve until `stop`."""
        self._epoll.register(self._wake_up, select.EPOLLIN)
        for descriptor in self._listeners:
            self._epoll.register(descriptor, select.EPOLLIN)
        self.workers.start()
        try:
            while not self._stopping:
                self._turn()
            self._wind_up()
        finally:
            self._close()

    def _wind_up(self) -> None:
        """Wait for the running requests and for clients to take their answers."""
        for listener in self._listeners.values():
            self._epoll.unregister(listener.sock)
            listener.sock.close()
        with self._table_lock:
            unfinished = [one for one in self._connections.values() if one.phase in _UNFINISHED]
        for connection in unfinished:
            self._drop(connection)
        patience = self._now + self._deadlines.stop
        patient = True
        while any(one.phase is not Phase.LINGER for one in self._connections.values()):
            self._turn()
            if patient and self._now >= patience:
                patient = False
                self._stop_waiting()
            elif self._now >= patience + self._deadlines.stop:
                break

    def _close(self) -> None:
        self._stop_waiting()
        self.workers.stop(self._deadlines.stop)
        with self._table_lock:
            for connection in self._connections.values():
                connection.sock.close()
            self._connections.clear()
        for listener in self._listeners.values():
            listener.sock.close()
        self._epoll.close()
        with self._wake_lock:
            os.close(self._wake_up)
            self._wake_up = -1

    def _turn(self) -> None:
        """Wait for something to happen, see to it, and to what has been waiting for too long."""
        self._asleep = True
        idle = not self._connections and not self._paused and not self._stopping
        events = self._epoll.poll(0 if self._returned else None if idle else TICK)
        self._asleep = False
        now = time.monotonic()
        swept, self._now = int(self._now / TICK), now
        self._turns += 1
        for descriptor, _ in events:
            if connection := self._connections.get(descriptor):
                # One that was accepted in this turn has the descriptor of one that was closed in it: the event is that
                # one's. Its own comes in the next turn, for it was not given out.
                if connection.turn != self._turns:
                    self._attend(connection)
            elif listener := self._listeners.get(descriptor):
                self._accept(listener)
            elif descriptor == self._wake_up:
                os.eventfd_read(self._wake_up)
        while self._returned:
            self._take_back(self._returned.popleft())
        if int(now / TICK) != swept:
            self._sweep()

    # Accepting

    def _accept(self, listener: Listener) -> None:
        for _ in range(ACCEPTS_AT_ONCE):
            if self._stopping or self._paused:
                return
            try:
                sock, address = listener.sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _NO_DESCRIPTORS:
                    self._pause(error)
                    return
                continue  # the client went away before it was accepted
            if len(self._connections) >= self._most_connections:
                self._make_room()
            self._admit(sock, address, listener)

    def _admit(self, sock: socket.socket, address: tuple[str, int], listener: Listener) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = Peer(address[0].removeprefix("::ffff:"), address[1])
        connection = Connection(sock, peer, listener.site, listener.tls)
        connection.turn = self._turns
        connection.since = self._now
        connection.deadline = self._now + self._deadlines.head
        self._connections[connection.descriptor] = connection
        self._epoll.register(connection.descriptor, _INPUT)

    def _make_room(self) -> None:
        """Close the connection that has kept us waiting for the longest time."""
        waiting = [one for one in self._connections.values() if one.phase in _UNFINISHED]
        if waiting:
            self._drop(min(waiting, key=lambda one: one.since))

    def _pause(self, error: OSError) -> None:
        """Accept nothing until the next sweep; where a client of ours keeps us waiting, its descriptor is freed."""
        logger.warning("No connection can be accepted for the moment: %s", error.strerror)
        self._make_room()
        self._paused = True
        for descriptor in self._listeners:
            self._epoll.modify(descriptor, 0)

    # What a connection does next

    def _attend(self, connection: Connection) -> None:
        """Go on with a connection whose socket is ready. One that a worker has is never closed here."""
        try:
            self._STEPS[connection.phase](self, connection)
        except ssl.SSLWantReadError:
            self._arm(connection, _INPUT)
        except ssl.SSLWantWriteError:
            self._arm(connection, _OUTPUT)
        except BlockingIOError:
            self._arm(connection, _OUTPUT if connection.phase is Phase.WRITE else _INPUT)
        except Refused as refused:
            self._refuse(connection, refused.reply)
        except OSError:  # the client has gone, or does not speak TLS
            self._drop(connection)
        except Exception:
            logger.exception("A connection from %s is closed because of a fault of ours", connection.address)
            if connection.phase is not Phase.WORK:
                self._drop(connection)

    def _greet(self, connection: Connection) -> None:
        if not connection.speaks_tls():
            raise Refused(malformed("scheme", "this port speaks HTTPS, and the request came in plain HTTP"))
        connection.begin_tls()
        self._enter(connection, Phase.HANDSHAKE, self._deadlines.handshake)
        self._shake_hands(connection)

    def _shake_hands(self, connection: Connection) -> None:
        connection.shake_hands()
        self._enter(connection, Phase.READ, self._deadlines.head)
        self._read(connection)

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
        self.workers.submit((connection, request))

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
        self._arm(connection, _INPUT)

    def _end_of_input(self, connection: Connection) -> None:
        """The client has sent its last byte: say what is missing, if anything is."""
        reply = connection.reader.incomplete()
        if reply is None:
            self._drop(connection)
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
            self._drop(connection)
        else:
            self._linger(connection)

    def _linger(self, connection: Connection) -> None:
        if connection.discard():
            self._arm(connection, _INPUT)
        else:
            self._drop(connection)

    _STEPS: ClassVar[dict[Phase, Callable[["Gate", Connection], None]]] = {
        Phase.HELLO: _greet,
        Phase.HANDSHAKE: _shake_hands,
        Phase.READ: _read,
        Phase.WRITE: _write,
        Phase.LINGER: _linger,
    }

    # Answers

    def _answer(self, job: tuple[Connection, BufferedRequest]) -> None:
        """Answer a request (worker thread)."""
        connection, request = job
        try:
            connection.respond(request)
        finally:
            self._give_back(connection)

    def _refuse_job(self, job: tuple[Connection, BufferedRequest]) -> None:
        """Answer a request that no thread is free for (any thread)."""
        connection, _ = job
        connection.refuse(busy())
        self._give_back(connection)

    def _give_back(self, connection: Connection) -> None:
        """Write what the client takes at once, and return the connection to the gate's thread."""
        try:
            with contextlib.suppress(OSError):  # not ready, or gone: the gate will see
                connection.flush()
            if connection.at_rest and self._await_next(connection):
                return
            self._returned.append(connection)
        except Exception:  # memory is short: without this nobody would have it, and the client wait for ever
            connection.deadline, connection.phase = 0.0, Phase.LINGER  # for the sweep to close
            raise
        if self._asleep:
            self._asleep = False
            self._wake()

    def _await_next(self, connection: Connection) -> bool:
        """Have the gate's thread look at a connection only when more comes (worker thread); False where it should now.

        To wake that thread for each answer costs 7 % of a request's CPU time.
        """
        now = time.monotonic()
        with self._table_lock:
            if self._stopping or self._connections.get(connection.descriptor) is not connection:
                return False
            connection.served, connection.stage = True, Stage.IDLE
            connection.since, connection.deadline = now, now + self._deadlines.keep_alive
            connection.phase = Phase.READ
            self._arm(connection, _INPUT)  # from here on it is the gate's
        return True

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
        if self._paused and not self._stopping:
            self._paused = False
            for descriptor in self._listeners:
                self._epoll.modify(descriptor, select.EPOLLIN)
        late = [one for one in self._connections.values() if one.deadline <= self._now and one.phase is not Phase.WORK]
        for connection in late:
            reply = connection.reader.incomplete() if connection.phase is Phase.READ else None
            if reply is None:
                self._drop(connection)
            else:
                self._refuse(connection, reply)

    def _arm(self, connection: Connection, mask: int) -> None:
        self._epoll.modify(connection.descriptor, mask)

    def _drop(self, connection: Connection) -> None:
        with self._table_lock:
            self._connections.pop(connection.descriptor, None)
            connection.sock.close()  # which takes it out of epoll too
