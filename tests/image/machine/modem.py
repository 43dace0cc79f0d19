"""A modem at the other end of a USB cable: the simulated one, on the socket that is the machine's serial device."""

import contextlib
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from otppi.simulator.network import SimulatedNetwork
from otppi.simulator.peer import ModemPeer
from otppi.simulator.profile import ModemProfile
from tests.image.machine.guest import connected

_READ = 65_536


class LineModem:
    """A modem whose line is a Unix socket that QEMU connects to; served by a thread of its own until `close`.

    Args:
        path: Of the socket, which it makes.
        profile: Who it is.
        operator: A socket that leads to the operator's end of the data connections, made by QEMU; None where there are
            none.
        network: Where its messages arrive; one of its own by default.

    Attributes:
        network: Where its messages arrive.
    """

    def __init__(
        self, path: Path, profile: ModemProfile, operator: Path | None = None, network: SimulatedNetwork | None = None
    ) -> None:
        self.network = network or SimulatedNetwork()
        self._peer = ModemPeer(profile, self.network)
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._wake_up = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._selector.register(self._wake_up, selectors.EVENT_READ, lambda: os.eventfd_read(self._wake_up))
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._line: socket.socket | None = None
        self._operator: socket.socket | None = None
        if operator:
            self._operator = connected(operator)
            self._selector.register(self._operator, selectors.EVENT_READ, self._hear_operator)
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="line-modem", daemon=True)
        self._thread.start()

    @property
    def online(self) -> bool:
        """Whether it carries data now."""
        with self._lock:
            return self._peer.data.online

    def unplug(self) -> None:
        """Take its power away; it has forgotten all when it is plugged in again."""
        self._act(self._peer.unplug)

    def plug(self) -> None:
        """Give it power again."""
        self._act(self._peer.plug)

    def close(self) -> None:
        """End the thread, and leave the socket to nobody."""
        self._closing = True
        os.eventfd_write(self._wake_up, 1)
        self._thread.join()
        for one in (self._line, self._operator, self._listener):
            if one:
                one.close()
        self._selector.close()
        os.close(self._wake_up)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _act(self, action: Callable[[float], None]) -> None:
        with self._lock:
            action(time.monotonic())
        os.eventfd_write(self._wake_up, 1)

    def _run(self) -> None:
        while not self._closing:
            with self._lock:
                due = self._peer.next_due
            for key, _ in self._selector.select(max(0.0, min(due - time.monotonic(), 60.0))):
                key.data()
            with self._lock:
                self._say(self._peer.advance(time.monotonic()))

    def _accept(self) -> None:
        line, _ = self._listener.accept()
        if self._line:
            self._lose(self._line)
        self._line = line
        self._selector.register(line, selectors.EVENT_READ, lambda: self._hear(line))

    def _hear(self, line: socket.socket) -> None:
        data = b""
        with contextlib.suppress(ConnectionError):  # the device was pulled out
            data = line.recv(_READ)
        if not data:
            self._lose(line)
            self._line = None
            return
        with self._lock:
            online = self._peer.data.online
            self._peer.receive(data, time.monotonic())
        if online and self._operator:
            self._operator.sendall(data)

    def _hear_operator(self) -> None:
        assert self._operator
        data = self._operator.recv(_READ)
        assert data, "the machine has ended"
        with self._lock:
            if self._peer.data.online:
                self._say(data)

    def _say(self, data: bytes) -> None:
        if data and self._line:
            with contextlib.suppress(ConnectionError):
                self._line.sendall(data)

    def _lose(self, line: socket.socket) -> None:
        self._selector.unregister(line)
        line.close()
