"""The rack: ptys, links, unplugging, many modems in one thread, and nothing left behind."""

import os
import select
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.scripted import until
from otppi.wire.address import Address
from otppi.wire.segment import segment
from otppi.wire.tpdu import SmsSubmit, pdu_line

PDU, LENGTH = pdu_line(SmsSubmit(Address.parse("+6281200000001"), segment("Kode 1234")[0]))
DEADLINE = 30.0


@contextmanager
def opened(path: Path) -> Iterator[int]:
    port = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(port)
        yield port
    finally:
        os.close(port)


def read_until(port: int, end: bytes) -> bytes:
    data = b""
    while not data.endswith(end):
        assert select.select([port], [], [], DEADLINE)[0], f"only {data!r} came"
        data += os.read(port, 4096)
    return data


def ask(port: int, command: bytes, end: bytes = b"OK\r\n") -> bytes:
    os.write(port, command + b"\r")
    return read_until(port, end)


def send(port: int) -> bytes:
    ask(port, b"AT+CMGS=%d" % LENGTH, b"> ")
    os.write(port, PDU.encode() + b"\x1a")
    return read_until(port, b"\r\n\r\nOK\r\n")


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_data_call(rack: ModemRack) -> None:
    with opened(rack.paths[0]) as port:
        assert ask(port, b"ATD*99#", b"CONNECT\r\n")
        os.write(port, b"~\x7d#AT\r")
        until(lambda: rack.modems[0].data_octets == 6, "the data is counted")
        rack.modems[0].set_coverage(False)
        assert read_until(port, b"NO CARRIER\r\n") == b"\r\nNO CARRIER\r\n"
        assert ask(port, b"AT") == b"\r\nOK\r\n"


def test_a_message_arrives(rack: ModemRack) -> None:
    began = time.monotonic()
    with opened(rack.paths[1]) as port:
        assert send(port) == b"\r\n+CMGS: 0\r\n\r\nOK\r\n"
    (message,) = rack.network.wait_for(1)
    assert (message.modem, message.text) == ("modem1", "Kode 1234")
    assert began <= message.monotonic <= time.monotonic()
    assert {modem.profile.imei for modem in rack.modems} == {"350000000000000", "350000000000001"}


def test_opened_again_and_again(rack: ModemRack) -> None:
    for _ in range(20):
        with opened(rack.paths[0]) as port:
            assert ask(port, b"AT") == b"\r\nOK\r\n"


def test_two_have_it_open(rack: ModemRack) -> None:
    with opened(rack.paths[0]) as port:
        with opened(rack.paths[0]):
            pass
        assert ask(port, b"AT") == b"\r\nOK\r\n"


def test_unplug_and_replug(rack: ModemRack) -> None:
    modem = rack.modems[0]
    with opened(modem.path) as port:
        modem.unplug()
        assert not modem.path.exists()
        assert not modem.plugged
        with pytest.raises(OSError, match="Input/output error"):
            os.write(port, b"AT\r")
    modem.replug()
    modem.replug()
    with opened(modem.path) as port:
        assert ask(port, b"AT", b"OK\r\n").endswith(b"\r\nOK\r\n")


def test_back_after_some_time(rack: ModemRack) -> None:
    modem = rack.modems[0]
    modem.unplug(replug_after=0.05)
    modem.wait_for(plugged=True)
    with opened(modem.path) as port:
        ask(port, b"AT")


def test_waiting_for_the_port_has_an_end(rack: ModemRack) -> None:
    with pytest.raises(TimeoutError, match="modem0"):
        rack.modems[0].wait_for(plugged=False, timeout=0.01)


@pytest.mark.parametrize(("fault", "parts"), [("unplug-after-submit-sent", 1), ("unplug-after-submit-unsent", 0)])
def test_unplugged_in_the_middle(rack: ModemRack, fault: str, parts: int) -> None:
    modem = rack.modems[0]
    modem.inject(fault, at=2)
    assert modem.faults == (fault,)
    with opened(modem.path) as port:
        send(port)
        ask(port, b"AT+CMGS=%d" % LENGTH, b"> ")
        os.write(port, PDU.encode() + b"\x1a")
        modem.wait_for(plugged=False)
        assert not modem.path.is_symlink()
    assert rack.network.part_count == 1 + parts


def test_faults_at_run_time(rack: ModemRack) -> None:
    modem = rack.modems[0]
    with opened(modem.path) as port:
        modem.inject("cms-error", code=500)
        ask(port, b"AT+CMGS=%d" % LENGTH, b"> ")
        os.write(port, PDU.encode() + b"\x1a")
        assert read_until(port, b"500\r\n") == b"\r\n+CMS ERROR: 500\r\n"
        modem.heal("cms-error")
        send(port)


def test_incoming(rack: ModemRack) -> None:
    with opened(rack.paths[0]) as port:
        ask(port, b"AT+CNMI=2,1,0,0,0")
        rack.modems[0].deliver("BANK", "Halo")
        assert read_until(port, b",1\r\n") == b'\r\n+CMTI: "SM",1\r\n'


def test_more_than_a_pty_holds(rack: ModemRack) -> None:
    modem = rack.modems[0]
    for _ in range(20):
        modem.deliver("1234", "ж" * 67)
    with opened(modem.path) as port:
        os.write(port, b"AT+CMGL=4\r" * 3)
        listed = b""
        while listed.count(b"\nOK\r") < 3:
            listed += read_until(port, b"\n")
    assert listed.count(b"+CMGL:") == 60
    assert len(listed) > 3 * 4096


def test_nobody_reads(rack: ModemRack) -> None:
    with opened(rack.paths[0]) as port:
        for _ in range(2_000):
            os.write(port, b"ATI\r")
    with opened(rack.paths[1]) as port:
        assert ask(port, b"AT") == b"\r\nOK\r\n"


def test_no_modem_waits_for_the_network_of_another_one() -> None:
    count = 16
    with ModemRack(count, profile=ModemProfile(echo=False, network_time=3600.0)) as rack, ExitStack() as ports:
        for path in rack.paths:
            port = ports.enter_context(opened(path))
            ask(port, b"AT+CMGS=%d" % LENGTH, b"> ")
            os.write(port, PDU.encode() + b"\x1a")
        assert rack.network.message_count == 0


def test_many_modems_send_at_once() -> None:
    count, each = 16, 2
    with ModemRack(count, profile=ModemProfile(echo=False)) as rack:

        def talk(path: Path) -> None:
            with opened(path) as port:
                for _ in range(each):
                    send(port)

        threads = [threading.Thread(target=talk, args=(path,)) for path in rack.paths]
        for thread in threads:
            thread.start()
        messages = rack.network.wait_for(count * each)
        for thread in threads:
            thread.join()
        assert {message.modem for message in messages} == {f"modem{number}" for number in range(count)}


def test_nothing_is_answered_before_it_is_due() -> None:
    with ModemRack(profile=ModemProfile(echo=False, command_time=0.05)) as rack, opened(rack.paths[0]) as port:
        begin = time.monotonic()
        ask(port, b"AT")
        assert time.monotonic() - begin >= 0.05


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    threads, files = threading.active_count(), open_files()
    for directory in (None, tmp_path / "modems"):
        rack = ModemRack(3, directory=directory)
        rack.modems[1].unplug()
        with opened(rack.paths[0]) as port:
            ask(port, b"AT", b"OK\r\n")
        rack.close()
        rack.close()
        assert not any(path.is_symlink() for path in rack.paths)
        assert rack.directory.exists() is (directory is not None)
    assert threading.active_count() == threads
    assert open_files() == files


def test_own_profiles() -> None:
    profiles = [ModemProfile(name="alpha"), ModemProfile(name="beta")]
    with ModemRack(profiles=profiles) as rack:
        assert [path.name for path in rack.paths] == ["alpha", "beta"]
