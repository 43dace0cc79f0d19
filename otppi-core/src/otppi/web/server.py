"""The server: one thread that owns every socket, so that an idle, slow or watching client costs memory, never a thread.

It collects requests and gets rid of what clients are slow to read. A connection is handed to a worker only with a whole
request, and comes back with the answer written, or in the output. TLS handshakes, which cost milliseconds of arithmetic
that clients choose, are made on two threads of their own.
"""

import resource
import select
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from otppi.kit.net.wake import Wake
from otppi.text import _
from otppi.web.acceptor import Acceptor
from otppi.web.application import Application
from otppi.web.connection import Phase
from otppi.web.connections import UNFINISHED, Connections
from otppi.web.driver import Driver
from otppi.web.listener import Listener
from otppi.web.returns import Returns
from otppi.web.timeouts import Timeouts

TICK = 0.5
STALLED_AFTER = 15.0
"""Seconds after which the server's thread is stuck: a turn takes milliseconds."""
SPARE_DESCRIPTORS = 128
"""File descriptors that are left to the rest of the process."""


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """How much a server takes on.

    Attributes:
        connections: How many may be open; above it one that keeps us waiting is closed. Never more than the process may
            have open.
        connections_per_client: How many of them may be of one IPv4 address, or of one /64 network of IPv6 addresses.
        threads: How many requests may wait (`HttpServer.waiting`) at the same time; more get 503.
    """

    connections: int = 1000
    connections_per_client: int = 500
    threads: int = 200


class HttpServer:
    """Serves an application: `run` is the body of a thread; the rest may be called by any.

    Args:
        name: Whose server it is, for the log and the names of threads.
        listeners: The open ports; they are the caller's to close after `run`.
        application: What answers the requests.
        limits, timeouts: How much it takes on, and how long it waits for clients.
    """

    def __init__(
        self,
        name: str,
        listeners: Sequence[Listener],
        application: Application,
        limits: ServerLimits | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        limits = limits or ServerLimits()
        self._timeouts = timeouts or Timeouts()
        most = _affordable(limits.connections)
        self._connections = Connections(most, min(most, limits.connections_per_client))
        self._epoll = select.epoll()
        self._wake = Wake()
        self._returns = Returns(self._connections, self._epoll, self._wake.set)
        self._driver = Driver(
            name, application, self._connections, self._epoll, self._timeouts, limits.threads, self._returns
        )
        self._acceptor = Acceptor(
            name, listeners, self._connections, self._epoll,
            body_limit=application.body_limit, patience=self._timeouts.head,
        )  # fmt: skip
        self._waits: set[threading.Event] = set()
        self._waits_lock = threading.Lock()
        self._waits_ended = False
        self._awake_since: float | None = None

    # Any thread

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    @property
    def threads(self) -> int:
        """How many workers there are now."""
        return self._driver.workers.threads

    @property
    def waiting_threads(self) -> int:
        """How many of them wait (`waiting`)."""
        return self._driver.workers.waiting_threads

    def waiting(self) -> AbstractContextManager[None]:
        """Wrap what an application waits for on a worker's thread: another one may take its place meanwhile."""
        return self._driver.workers.waiting()

    def wait(self, event: threading.Event, seconds: float) -> None:
        """Wait on a worker's thread for an event; the server sets it itself when it is being stopped."""
        with self._waits_lock:
            if self._waits_ended:
                return
            self._waits.add(event)
        try:
            with self.waiting():
                event.wait(seconds)
        finally:
            with self._waits_lock:
                self._waits.discard(event)

    def stalled(self) -> str:
        """Return what has stopped going on though there is work for it; empty where nothing has."""
        since, now = self._awake_since, time.monotonic()
        if since is not None and now - since > STALLED_AFTER:
            return _("it has not looked at its connections for {now:.0f} s", now=now - since)
        return self._driver.stalled()

    def abandon(self) -> None:
        """Close the ports of a server that does not end, so that another one can open them."""
        self._acceptor.close()

    def stop(self) -> None:
        """End `run`: nothing new is taken, running requests are answered, streams end, then all is closed."""
        self._returns.stopping = True
        self._wake.set()

    # The server's thread

    def run(self) -> None:
        """Serve until `stop`."""
        self._epoll.register(self._wake.descriptor, select.EPOLLIN)
        self._acceptor.open()
        self._driver.start()
        try:
            while not self._returns.stopping:
                self._turn()
            self._wind_up()
        finally:
            self._close()

    def _wind_up(self) -> None:
        """Wait for the running requests and for clients to take their answers."""
        self._acceptor.close()
        with self._connections.lock:
            unfinished = [one for one in self._connections if one.phase in UNFINISHED]
        for connection in unfinished:
            self._connections.remove(connection)
        self._driver.end_streams()
        patience = self._driver.now + self._timeouts.stop
        patient = True
        while any(one.phase is not Phase.LINGER for one in self._connections):
            self._turn()
            if patient and self._driver.now >= patience:
                patient = False
                self._end_waits()
            elif self._driver.now >= patience + self._timeouts.stop:
                break

    def _end_waits(self) -> None:
        """Let nobody wait any longer."""
        with self._waits_lock:
            self._waits_ended = True
            for event in self._waits:
                event.set()

    def _close(self) -> None:
        self._end_waits()
        self._driver.stop(self._timeouts.stop)
        self._returns.close()
        for connection in self._connections:
            self._connections.remove(connection)
        self._acceptor.close()
        self._epoll.close()

    def _turn(self) -> None:
        """Wait for something to happen, see to it, and to what has been waiting for too long."""
        driver, acceptor, returns = self._driver, self._acceptor, self._returns
        returns.asleep = True
        self._awake_since = None
        idle = not len(self._connections) and not acceptor.paused and not returns.stopping
        events = self._epoll.poll(0 if returns.has_any else None if idle else TICK)
        returns.asleep = False
        swept = int(driver.now / TICK)
        driver.begin_turn()
        self._awake_since = driver.now
        acceptor.begin_turn(driver.now)
        ports = []
        for descriptor, _mask in events:
            if connection := self._connections.get(descriptor):
                driver.attend(connection)
            elif descriptor == self._wake.descriptor:
                self._wake.clear()
            elif acceptor.is_listener(descriptor):
                ports.append(descriptor)
        # Who has sent something was heard before room is made for others.
        if not returns.stopping:
            for descriptor in ports:
                acceptor.accept(descriptor)
        returns.go_on()
        if int(driver.now / TICK) != swept:
            driver.sweep()
            if not returns.stopping:
                acceptor.resume()


def _affordable(wanted: int) -> int:
    """Lower the number of connections to what the process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(8, min(wanted, soft - SPARE_DESCRIPTORS))
