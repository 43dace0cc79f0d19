"""Owns what one simulated modem shows to its computer: its lines, its USB device, and who holds them."""

from pathlib import Path
from typing import Protocol

from otppi.simulator.healthy import HealthyPeer
from otppi.simulator.holder import PortHolder
from otppi.simulator.line import PtyLine
from otppi.simulator.profile import PortKind
from otppi.simulator.usb import Switch, UsbSocket


class Watcher(Protocol):
    """What a plug asks of its rack."""

    def watch(self, descriptor: int) -> None:
        """Have the modem served when something comes."""

    def watch_writing(self, descriptor: int, writing: bool) -> None:
        """Have it served as soon as the descriptor takes more bytes."""

    def forget(self, descriptor: int) -> None:
        """Stop watching."""


class Plug:
    """The computer's side of a modem; the rack calls everything under its lock.

    Args:
        peer: the modem.
        link: where the one line of a modem without USB is.
        watcher: the rack.
        socket: where it is plugged in, in a rack with USB.

    Attributes:
        heard: how many octets were taken from its lines since the beginning.
    """

    def __init__(self, peer: HealthyPeer, link: Path, watcher: Watcher, socket: UsbSocket | None) -> None:
        self._peer = peer
        self._link = link
        self._watcher = watcher
        self.lines: list[PtyLine] = []
        self.heard = 0
        self._speaker: PtyLine | None = None
        self._up = False
        self._shows_cd_rom = False
        self._deauthorised = False
        self._power_cycle = 0
        self._holder: PortHolder | None = None
        self._device_switch: Switch | None = None
        self._hub_switch: Switch | None = None
        self._socket: UsbSocket | None = None
        self.move_to(socket)

    @property
    def path(self) -> Path:
        """The port that takes commands and tells URCs, or where it was last."""
        return self._link

    @property
    def device(self) -> Path | None:
        """Its folder in what plays /sys."""
        return self._socket.device if self._socket else None

    @property
    def socket(self) -> UsbSocket | None:
        """Where it is plugged in."""
        return self._socket

    def move_to(self, socket: UsbSocket | None) -> None:
        """Be plugged into another socket from the next time on."""
        self._hub_switch = self._listen(self._hub_switch, socket.switches[0] if socket else None)
        self._socket = socket

    def update(self) -> bool:
        """Let ports come and go as the modem does; tell whether any did."""
        session = self._peer.session
        gone = self._power_cycle != self._peer.power_cycle or (self._shows_cd_rom and not session.cd_rom)
        changed = (self._up and gone) or (self._peer.plugged and not self._up)
        if self._up and gone:
            self._take_down()
        if self._peer.plugged and not self._up:
            self._bring_up()
        if not session.held:
            self._let_go()
        return changed

    def write(self, data: bytes, *, answer: bool) -> None:
        """Write an answer to the line on which it was asked, all else where URCs go."""
        for line in self.lines:
            here = line is self._speaker if answer and self._speaker else line.kind is PortKind.AT_URC
            if line.full or (data and here):
                was_full = line.full
                line.write(data if here else b"")
                if line.full is not was_full:
                    self._watcher.watch_writing(line.master, line.full)

    def read(self, now: float) -> None:
        """Hear what was written to the lines and to the power switches."""
        for line in self.lines:
            data = line.read()
            self.heard += len(data)
            if data and line.kind is not PortKind.DIAG:
                self._speaker = line
                if self._peer.baud_rate is not None:
                    self._peer.line_speed = line.speed
                self._peer.receive(data, now)
        for switch in (self._hub_switch, self._device_switch):
            for name, value in switch.turned() if switch else ():
                self._turn(name, value, now)

    def close(self) -> None:
        """Take everything away."""
        if self._up:
            self._take_down()
        self._device_switch = self._listen(self._device_switch, None)
        self.move_to(None)

    def _turn(self, name: str, value: str, now: float) -> None:
        off = value == {"disable": "1", "authorized": "0"}[name]
        self._deauthorised = off and name == "authorized"
        if off:
            self._peer.unplug(now)
        elif not self._peer.plugged:
            self._peer.plug(now)

    def _bring_up(self) -> None:
        session, profile = self._peer.session, self._peer.profile
        self._up, self._power_cycle, self._shows_cd_rom = True, self._peer.power_cycle, session.cd_rom
        kinds = [] if session.cd_rom else list(profile.ports)
        if session.reversed_ports:
            kinds.reverse()
        links = [self._link][: len(kinds)]
        if self._socket:
            links = self._socket.attach(profile, len(kinds), other_numbers=session.other_numbers)
            self._device_switch = self._listen(self._device_switch, self._socket.switches[1])
        self.lines = [PtyLine(link, kind) for link, kind in zip(links, kinds, strict=False)]
        for line in self.lines:
            self._watcher.watch(line.master)
        self._link = next((line.link for line in self.lines if line.kind is PortKind.AT_URC), self._link)
        if session.held and self.lines:
            self._holder = PortHolder(self._link)
        if self._socket:
            self._socket.announce()

    def _take_down(self) -> None:
        self._let_go()
        for line in self.lines:
            self._watcher.forget(line.master)
            line.close()
        self._up, self.lines, self._speaker = False, [], None
        if self._socket:
            if not self._deauthorised:
                self._device_switch = self._listen(self._device_switch, None)
            self._socket.detach(keep_device=self._deauthorised)

    def _let_go(self) -> None:
        if self._holder:
            self._holder.close()
            self._holder = None

    def _listen(self, before: Switch | None, path: Path | None) -> Switch | None:
        """Listen to another switch, or to none."""
        if before:
            self._watcher.forget(before.descriptor)
            before.close()
        if path is None:
            return None
        switch = Switch(path)
        self._watcher.watch(switch.descriptor)
        return switch
