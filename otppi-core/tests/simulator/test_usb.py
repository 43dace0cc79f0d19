"""The rack's USB: several ports, ttyUSB numbers, sockets, CD-ROMs, power switches, and who holds a port."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from otppi.simulator import FAULTS, ModemPeer, ModemProfile, ModemRack, PortKind
from otppi.simulator.faults.usb import USB_FAULTS
from otppi.testing.rack.source import RackSource
from otppi.testing.scripted import until
from otppi.testing.terminal import Terminal
from otppi.testing.waiting import PATIENCE

KINDS = (PortKind.DIAG, PortKind.AT, PortKind.AT_URC)


@pytest.fixture
def rack() -> Iterator[ModemRack]:
    with ModemRack(2, profile=ModemProfile(echo=False, ports=KINDS), usb=True) as rack:
        yield rack


def names(paths: tuple[Path, ...]) -> list[str]:
    return [path.name for path in paths]


class Hand:
    """Talks to a port without waiting for a modem that says nothing."""

    def __init__(self, path: Path) -> None:
        self.port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.heard = b""

    def type(self, line: bytes) -> None:
        os.write(self.port, line)

    def has(self, text: bytes) -> bool:
        with suppress(BlockingIOError):
            self.heard += os.read(self.port, 4096)
        return text in self.heard


@pytest.fixture
def hand() -> Iterator[Callable[[Path], Hand]]:
    hands: list[Hand] = []

    def take(path: Path) -> Hand:
        hands.append(Hand(path))
        return hands[-1]

    yield take
    for one in hands:
        os.close(one.port)


def test_answers_go_where_it_was_asked_and_all_else_to_the_port_for_it(
    rack: ModemRack, hand: Callable[[Path], Hand]
) -> None:
    modem = rack.modems[0]
    assert modem.path == modem.ports[2]
    diag, at, urc = map(hand, modem.ports)
    diag.type(b"AT\r")
    at.type(b"AT+CNMI=2,1,0,0,0\r")
    until(lambda: at.has(b"OK"))
    modem.deliver("1234", "Halo")
    until(lambda: urc.has(b"+CMTI"))
    urc.type(b"AT\r")
    until(lambda: urc.has(b"OK"))
    assert not at.has(b"+CMTI")
    assert not diag.has(b"OK")


def test_ttyusb_numbers_are_the_lowest_that_are_free(rack: ModemRack) -> None:
    first, second = rack.modems
    assert names(first.ports + second.ports) == [f"ttyUSB{number}" for number in range(6)]
    first.unplug()
    assert first.ports == ()
    first.replug()
    assert names(first.ports) == ["ttyUSB0", "ttyUSB1", "ttyUSB2"]
    first.inject("other-numbers")
    first.unplug()
    first.replug()
    assert names(first.ports) == ["ttyUSB6", "ttyUSB7", "ttyUSB8"]


def test_modems_that_change_places(rack: ModemRack) -> None:
    first, second = rack.modems
    ports, devices = (first.ports, second.ports), (first.device, second.device)
    rack.swap(first, second)
    assert (second.ports, first.ports) == ports
    assert (second.device, first.device) == devices


def test_ports_in_reverse_order(rack: ModemRack) -> None:
    modem = rack.modems[0]
    modem.inject("ports-reversed")
    modem.unplug()
    modem.replug()
    assert modem.path == modem.ports[0]


def test_a_cd_rom_becomes_a_modem_when_its_mode_is_switched(rack: ModemRack) -> None:
    modem = rack.modems[0]
    modem.inject("cd-rom")
    assert modem.plugged  # until it comes back
    modem.unplug()
    modem.replug()
    assert not modem.plugged
    modem.switch_mode()
    assert len(modem.ports) == 3
    modem.unplug()
    modem.replug()
    assert not modem.plugged
    modem.heal("cd-rom")
    assert modem.plugged


def test_a_modem_that_is_reset_comes_back_as_a_cd_rom(rack: ModemRack, hand: Callable[[Path], Hand]) -> None:
    modem = rack.modems[0]
    modem.inject("cd-rom")
    hand(modem.path).type(b"AT+CFUN=1,1\r")
    modem.wait_for(plugged=False)
    until(lambda: list(modem.device.glob("*:*/bInterfaceClass")))
    assert not modem.plugged


def test_a_program_holds_the_port(rack: ModemRack) -> None:
    modem = rack.modems[0]
    modem.inject("port-held")
    modem.unplug()
    modem.replug()
    descriptor = os.open(modem.path, os.O_RDWR | os.O_NOCTTY)
    try:
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        modem.heal("port-held")
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(("switch", "off", "on"), [("authorized", "0", "1"), ("port/disable", "1", "0")])
def test_power_switches(rack: ModemRack, switch: str, off: str, on: str) -> None:
    modem = rack.modems[0]
    path = (modem.device / switch).resolve()
    for value, plugged in ((off, False), (on, True)):
        with path.open("w") as file:
            file.write(value)
        modem.wait_for(plugged=plugged)
        assert modem.device.exists() is (plugged or switch == "authorized")


def test_nothing_is_left_behind() -> None:
    files = len(list(Path("/proc/self/fd").iterdir()))
    with ModemRack(2, profile=ModemProfile(ports=KINDS), usb=True) as rack:
        rack.modems[0].inject("port-held")
        rack.swap(*rack.modems)
        (rack.modems[1].device / "authorized").write_text("0")
        rack.modems[1].wait_for(plugged=False)
    assert not rack.directory.exists()
    assert len(list(Path("/proc/self/fd").iterdir())) == files


def test_the_source_tells_of_changes(rack: ModemRack) -> None:
    source = RackSource(rack)
    assert len(source.ports()) == 6
    assert not source.wait(0)
    rack.modems[0].unplug(replug_after=0.01)
    assert source.wait(PATIENCE)
    until(lambda: len(source.ports()) == 6)
    source.stop()
    assert not source.wait(None), "it would wait for ever"


# -- faults -----------------------------------------------------------------------------------------------------------


def asks(answer: list[str]) -> Callable[[Terminal], None]:
    def check(terminal: Terminal) -> None:
        assert terminal.ask("AT+CGSN") == answer
        assert terminal.ask("AT+CGMM")[-1] == "OK"

    return check


def state(name: str) -> Callable[[Terminal], None]:
    def check(terminal: Terminal) -> None:
        terminal.peer.unplug(terminal.now)
        terminal.peer.plug(terminal.now)
        assert getattr(terminal.peer.session, name) is True

    return check


CHECKS = {
    "cd-rom": state("cd_rom"),
    "other-numbers": state("other_numbers"),
    "imei-missing": asks(["ERROR"]),
    "imei-cloned": asks(["350000000000006", "OK"]),
    "ports-reversed": state("reversed_ports"),
    "port-held": state("held"),
}


def test_each_fault_has_a_check() -> None:
    assert list(CHECKS) == list(USB_FAULTS)
    assert set(CHECKS) <= set(FAULTS)


@pytest.mark.parametrize("name", CHECKS)
def test_fault(name: str) -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False)))
    terminal.peer.inject(name, terminal.now)
    CHECKS[name](terminal)
