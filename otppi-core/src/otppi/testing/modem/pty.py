"""Owns the ptys of simulated modems: one thread serves a whole rack of them."""

import contextlib
import heapq
import math
import os
import select
import selectors
import shutil
import tempfile
import threading
import time
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from otppi.testing.modem.log import Recorder
from otppi.testing.modem.network import SimulatedNetwork
from otppi.testing.modem.peer import ModemPeer
from otppi.testing.modem.profile import ModemProfile

_CHUNK = 4096
_MAX_BACKLOG = 256 * 1024


class _Wire:
    """An open pty: the master end that we serve, and one slave end, lest reads fail while nobody else has it open."""

    def __init__(self, link: Path) -> None:
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self._link = link
        self._backlog = bytearray()
        # The link appears in one step, so that whoever waits for it finds a port that works.
        fresh = link.with_name(f".{link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(link)

    @property
    def full(self) -> bool:
        """Whether bytes wait until the other end reads."""
        return bool(self._backlog)

    def read(self) -> bytes:
        try:
            return os.read(self.master, _CHUNK)
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> None:
        """Write what fits and keep the rest; what nobody reads for long is lost, as on a serial line."""
        self._backlog += data[: _MAX_BACKLOG - len(self._backlog)]
        with contextlib.suppress(BlockingIOError):
            del self._backlog[: os.write(self.master, self._backlog)]

    def close(self) -> None:
        self._link.unlink(missing_ok=True)
        os.close(self.master)
        os.close(self._slave)


class RackedModem:
    """One modem of a rack. Every method may be called from any thread.

    Attributes:
        path: what to open, as one opens /dev/ttyUSB0: a link that is there while the modem is plugged in.
        due: when the rack will serve it next; the rack's own.
    """

    def __init__(self, peer: ModemPeer, path: Path, rack: "ModemRack") -> None:
        self.path = path
        self._peer = peer
        self._rack = rack
        self._wire: _Wire | None = None
        self._power_cycle = 0
        self.due: set[float] = set()

    @property
    def profile(self) -> ModemProfile:
        """Who the modem is."""
        return self._peer.profile

    @property
    def plugged(self) -> bool:
        """Whether the port is there."""
        return self._wire is not None

    @property
    def faults(self) -> tuple[str, ...]:
        """The names of the faults at work."""
        return self._peer.faults.names

    def inject(
        self,
        name: str,
        *,
        at: int | None = None,
        times: int | None = None,
        command: str = "",
        code: int | None = None,
        seconds: float | None = None,
    ) -> None:
        """Put a fault to work; see `ModemPeer.inject`."""
        self._do(
            lambda now: self._peer.inject(name, now, at=at, times=times, command=command, code=code, seconds=seconds)
        )

    def heal(self, name: str | None = None) -> None:
        """End the fault of that name, or all."""
        self._do(lambda _: self._peer.heal(name))

    def unplug(self, replug_after: float | None = None) -> None:
        """Take the modem off; the port is gone when this returns. It comes back by itself after that many seconds."""
        self._do(lambda now: self._peer.unplug(now, replug_after))

    def replug(self) -> None:
        """Plug the modem in again; the port is there when this returns."""
        self._do(lambda now: None if self._peer.plugged else self._peer.plug(now))

    def wait_for(self, *, plugged: bool, timeout: float = 10.0) -> None:
        """Wait until the port is there, or gone.

        Raises:
            TimeoutError: `timeout` seconds went by.
        """
        with self._rack.changed:
            if not self._rack.changed.wait_for(lambda: self.plugged is plugged, timeout):
                raise TimeoutError(f"{self.profile.name} did not become {plugged=} in {timeout} s")

    def deliver(self, originator: str, text: str) -> None:
        """Let an SMS come in."""
        self._do(lambda now: self._peer.deliver(originator, text, now))

    def _do(self, action: Callable[[float], None]) -> None:
        with self._rack.lock:
            action(time.monotonic())
            self.serve()
        self._rack.wake()

    def serve(self) -> None:
        """Do what is due: for the rack's thread, and under its lock."""
        data = self._peer.advance(time.monotonic())
        if self._wire and self._power_cycle != self._peer.power_cycle:
            self._rack.forget(self._wire.master)
            self._wire.close()
            self._wire = None
            self._rack.changed.notify_all()
        if self._peer.plugged and not self._wire:
            self._wire = _Wire(self.path)
            self._power_cycle = self._peer.power_cycle
            self._rack.watch(self._wire.master, self)
            self._rack.changed.notify_all()
        if self._wire and (data or self._wire.full):
            was_full = self._wire.full
            self._wire.write(data)
            if self._wire.full is not was_full:
                self._rack.watch_writing(self._wire.master, self, self._wire.full)
        self._rack.remember(self._peer.next_due, self)

    def read(self) -> None:
        """Hear what was written to the port: for the rack's thread, and under its lock."""
        if self._wire and (data := self._wire.read()):
            self._peer.receive(data, time.monotonic())

    def close(self) -> None:
        """Take the modem off for good."""
        self._peer.unplug(time.monotonic())
        self.serve()


class ModemRack:
    """Simulated modems on ptys, served by one thread of this process until `close`.

    Args:
        count: how many.
        profile: what they are like; each gets a name and numbers of its own, see `ModemProfile.numbered`.
        profiles: instead of both, each modem's own profile.
        directory: where the links to the ptys are; a temporary one by default.
        network: where their messages arrive; one of its own by default.
        recorder: told of every sending dialogue.
        spin: for how many seconds before an answer is due the thread polls instead of sleeping, for measurements in a
            process of its own: a sleep ends some 0.1 ms late.

    Attributes:
        modems: the modems, in order.
        network: where their messages arrive.
        directory: where the links are.
        lock: guards the modems.
        changed: told, under the lock, when a port came or went.
    """

    def __init__(
        self,
        count: int = 1,
        *,
        profile: ModemProfile | None = None,
        profiles: Sequence[ModemProfile] | None = None,
        directory: Path | None = None,
        network: SimulatedNetwork | None = None,
        recorder: Recorder | None = None,
        spin: float = 0.0,
    ) -> None:
        base = profile or ModemProfile()
        self.network = network or SimulatedNetwork()
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self._own_directory = directory is None
        self.directory = directory or Path(tempfile.mkdtemp(prefix="otppi-modems-"))
        self.directory.mkdir(parents=True, exist_ok=True)
        self._selector = selectors.DefaultSelector()
        self._wake_up = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._selector.register(self._wake_up, selectors.EVENT_READ)
        self._due: list[tuple[float, int, RackedModem]] = []
        self._spin = spin
        self._closing = False
        self.modems = tuple(
            RackedModem(ModemPeer(each, self.network, recorder), self.directory / each.name, self)
            for each in profiles or [base.numbered(number) for number in range(count)]
        )
        with self.lock:
            for modem in self.modems:
                modem.serve()
        self._thread = threading.Thread(target=self._run, name="modem-rack", daemon=True)
        self._thread.start()

    @property
    def paths(self) -> tuple[Path, ...]:
        """What to open for each modem."""
        return tuple(modem.path for modem in self.modems)

    def close(self) -> None:
        """Unplug all modems, end the thread, close and remove everything. It may be called again."""
        if self._closing:
            return
        self._closing = True
        self.wake()
        self._thread.join()
        with self.lock:
            for modem in self.modems:
                modem.close()
        self._selector.close()
        os.close(self._wake_up)
        if self._own_directory:
            shutil.rmtree(self.directory)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def wake(self) -> None:
        """Let the thread look again at what is due."""
        os.eventfd_write(self._wake_up, 1)

    def watch(self, descriptor: int, modem: RackedModem) -> None:
        """Read from a modem's pty when something comes."""
        self._selector.register(descriptor, selectors.EVENT_READ, modem)

    def watch_writing(self, descriptor: int, modem: RackedModem, writing: bool) -> None:
        """Serve a modem as soon as its pty takes more bytes."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
        self._selector.modify(descriptor, events, modem)

    def forget(self, descriptor: int) -> None:
        """Stop watching a pty."""
        self._selector.unregister(descriptor)

    def remember(self, due: float, modem: RackedModem) -> None:
        """Serve a modem at that time."""
        if due < math.inf and due not in modem.due:
            modem.due.add(due)
            heapq.heappush(self._due, (due, id(modem), modem))

    def _run(self) -> None:
        while not self._closing:
            self._wait()
            with self.lock:
                for key, _ in self._selector.select(0):
                    if key.data is None:
                        os.eventfd_read(self._wake_up)
                    else:
                        key.data.read()
                        key.data.serve()
                while self._due and self._due[0][0] <= time.monotonic():
                    due, _, modem = heapq.heappop(self._due)
                    modem.due.remove(due)
                    modem.serve()

    def _wait(self) -> None:
        """Wait for a byte or for what is due next.

        epoll counts in milliseconds; select does not, and can wait for the epoll descriptor itself.
        """
        with self.lock:
            due = self._due[0][0] if self._due else None
        timeout = None if due is None else max(0.0, due - self._spin - time.monotonic())
        select.select([self._selector], [], [], timeout)
