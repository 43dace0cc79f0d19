"""Owns the ptys of simulated modems: one thread serves a whole rack of them."""

import heapq
import math
import os
import select
import selectors
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from otppi.simulator.dialogue import Recorder
from otppi.simulator.network import SimulatedNetwork
from otppi.simulator.peer import ModemPeer
from otppi.simulator.plug import Plug
from otppi.simulator.profile import ModemProfile
from otppi.simulator.usb import UsbSocket, UsbTree
from otppi.wire.udh import Ports


class RackedModem:
    """One modem of a rack. Every method may be called from any thread.

    Attributes:
        due: when the rack will serve it next; the rack's own.
    """

    def __init__(self, peer: ModemPeer, path: Path, rack: "ModemRack", socket: UsbSocket | None = None) -> None:
        self._peer = peer
        self._rack = rack
        self.due: set[float] = set()
        self._plug = Plug(peer, path, self, socket)

    @property
    def path(self) -> Path:
        """What to open, as one opens /dev/ttyUSB0: a link that is there while the modem is plugged in.

        In a rack with `usb` it is another one when the modem comes back; of several ports it is the one with URCs.
        """
        return self._plug.path

    @property
    def ports(self) -> tuple[Path, ...]:
        """All its ports, in the order of their USB interfaces; none while it is unplugged, or shows a CD-ROM."""
        with self._rack.lock:
            return tuple(line.link for line in self._plug.lines)

    @property
    def device(self) -> Path:
        """Its folder in what plays /sys, of a rack with `usb`; it is there while the modem has power."""
        assert self._plug.device  # noqa: S101 - a test asks a rack without USB
        return self._plug.device

    @property
    def profile(self) -> ModemProfile:
        """Who the modem is."""
        return self._peer.profile

    @property
    def plugged(self) -> bool:
        """Whether the port is there."""
        return bool(self._plug.lines)

    @property
    def octets_received(self) -> int:
        """How many octets it has taken from its ports since the beginning."""
        return self._plug.heard

    @property
    def faults(self) -> tuple[str, ...]:
        """The names of the faults at work."""
        return self._peer.faults.names

    @property
    def pin_tries(self) -> int:
        """How many tries for the PIN the SIM card has left."""
        return self._peer.sim.pin_tries

    @property
    def data_octets(self) -> int:
        """How many bytes came in through data calls since the beginning."""
        return self._peer.data.octets

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
        self._act(
            lambda now: self._peer.inject(name, now, at=at, times=times, command=command, code=code, seconds=seconds)
        )

    def heal(self, name: str | None = None) -> None:
        """End the fault of that name, or all."""
        self._act(lambda _: self._peer.heal(name))

    def unplug(self, replug_after: float | None = None) -> None:
        """Take the modem off; the port is gone when this returns. It comes back by itself after that many seconds."""
        self._act(lambda now: self._peer.unplug(now, replug_after))

    def restart(self, boot_time: float = 0.0) -> None:
        """Let the modem start anew by itself while its port stays; see `ModemPeer.restart`."""
        self._act(lambda now: self._peer.restart(now, boot_time))

    def replug(self) -> None:
        """Plug the modem in again; the port is there when this returns."""
        self._act(lambda now: None if self._peer.plugged else self._peer.plug(now))

    def wait_for(self, *, plugged: bool, timeout: float = 120.0) -> None:
        """Wait until the port is there, or gone.

        Raises:
            TimeoutError: `timeout` seconds went by.
        """
        with self._rack.changed:
            if not self._rack.changed.wait_for(lambda: self.plugged is plugged, timeout):
                raise TimeoutError(f"{self.profile.name} did not become {plugged=} in {timeout} s")

    def deliver(self, originator: str, text: str, *, flash: bool = False) -> None:
        """Let an SMS come in; see `ModemPeer.deliver`."""
        self._act(lambda now: self._peer.deliver(originator, text, now, flash=flash))

    def deliver_parts(
        self,
        originator: str,
        text: str,
        *,
        reference: int = 0,
        wide: bool = False,
        order: Sequence[int] | None = None,
        missing: Collection[int] = (),
    ) -> None:
        """Let the parts of a long SMS come in out of order, twice, or not all; see `ModemPeer.deliver_parts`."""
        self._act(
            lambda now: self._peer.deliver_parts(
                originator, text, now, reference=reference, wide=wide, order=order, missing=missing
            )
        )

    def deliver_binary(self, originator: str, payload: bytes, *, ports: Ports | None = None) -> None:
        """Let an SMS of 8 bit data come in."""
        self._act(lambda now: self._peer.deliver_binary(originator, payload, now, ports=ports))

    def set_coverage(self, covered: bool) -> None:
        """Let the modem find or lose its network."""
        self._act(lambda now: self._peer.set_coverage(covered, now))

    def _act(self, action: Callable[[float], None]) -> None:
        with self._rack.lock:
            action(time.monotonic())
            self.serve()
        self._rack.wake()

    def switch_mode(self) -> None:
        """Turn a CD-ROM into a modem, as usb_modeswitch does."""
        self._act(lambda _: setattr(self._peer.session, "cd_rom", False))

    def serve(self) -> None:
        """Do what is due: for the rack's thread, and under its lock."""
        answer = self._peer.engaged
        data = self._peer.advance(time.monotonic())
        if self._plug.update():
            self._rack.tell_change()
        self._plug.write(data, answer=answer)
        self._rack.remember(self._peer.next_due, self)

    def read(self) -> None:
        """Hear what was written to the ports: for the rack's thread, and under its lock."""
        self._plug.read(time.monotonic())

    def exchange_sockets(self, other: "RackedModem") -> None:
        """Let two modems that are unplugged come back in each other's place: for the rack, and under its lock."""
        mine, its = self._plug.socket, other._plug.socket
        self._plug.move_to(None)
        other._plug.move_to(mine)
        self._plug.move_to(its)

    def watch(self, descriptor: int) -> None:
        """Have this modem served when something comes (for its plug)."""
        self._rack.watch(descriptor, self)

    def watch_writing(self, descriptor: int, writing: bool) -> None:
        """Have it served as soon as the descriptor takes more bytes (for its plug)."""
        self._rack.watch_writing(descriptor, self, writing)

    def forget(self, descriptor: int) -> None:
        """Stop watching (for its plug)."""
        self._rack.forget(descriptor)

    def close(self) -> None:
        """Take the modem off for good."""
        self._peer.unplug(time.monotonic())
        self.serve()
        self._plug.close()


class ModemRack:
    """Simulated modems on ptys, served by one thread of this process until `close`.

    Args:
        count: how many.
        profile: what they are like; each gets a name and numbers of its own, see `ModemProfile.numbered`.
        profiles: instead of both, each modem's own profile.
        directory: where the links to the ptys are; a temporary one by default.
        usb: the modems are USB devices: the folder then plays /dev, with ttyUSB numbers, and /sys; see `UsbTree`.
        network: where their messages arrive; one of its own by default.
        recorder: told of every sending dialogue.
        spin: for how many seconds before an answer is due the thread polls instead of sleeping, for measurements in a
            process of its own: a sleep ends some 0.1 ms late.

    Attributes:
        modems: the modems, in order.
        network: where their messages arrive.
        directory: where the links are.
        usb: the folders that play /dev and /sys, if `usb` was asked for.
        lock: guards the modems.
        changed: told, under the lock, when a port came or went.
        changes: how often that was.
    """

    def __init__(
        self,
        count: int = 1,
        *,
        profile: ModemProfile | None = None,
        profiles: Sequence[ModemProfile] | None = None,
        directory: Path | None = None,
        usb: bool = False,
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
        self.usb = UsbTree(self.directory) if usb else None
        self.changes = 0
        self._selector = selectors.DefaultSelector()
        self._wake_up = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._selector.register(self._wake_up, selectors.EVENT_READ)
        self._due: list[tuple[float, int, RackedModem]] = []
        self._spin = spin
        self._closing = False
        self.modems = tuple(
            RackedModem(
                ModemPeer(each, self.network, recorder),
                self.directory / each.name,
                self,
                UsbSocket(self.usb, number) if self.usb else None,
            )
            for number, each in enumerate(profiles or [base.numbered(number) for number in range(count)], start=1)
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

    def swap(self, first: RackedModem, second: RackedModem) -> None:
        """Unplug two modems, and plug each into the other's socket, where it also gets the other's ttyUSB numbers."""
        first.unplug()
        second.unplug()
        with self.lock:
            first.exchange_sockets(second)
        second.replug()
        first.replug()

    def tell_change(self) -> None:
        """Tell that a port came or went: for the modems, under the lock."""
        self.changes += 1
        self.changed.notify_all()

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
