"""What is found out about a modem's line: speed, flow control, small buffers."""

import os
import pty
import termios
import threading
import tty
from collections.abc import Callable
from typing import Any

import pytest

from otppi.api.errors import ModemLost, NotSent, Trouble
from otppi.kit.at import line as at_line
from otppi.kit.at.channel import AtChannel
from otppi.kit.at.modem import AtModem
from otppi.kit.at.port import Port
from otppi.kit.at.start import Profile
from otppi.simulator import ModemProfile
from otppi.testing.scripted import until

from .conftest import trouble_of_opening

MakeDriver = Callable[..., Any]
LONG = "".join(chr(ord("a") + number % 26) for number in range(400))


@pytest.fixture
def make_patient(make_driver: MakeDriver, monkeypatch: pytest.MonkeyPatch) -> MakeDriver:
    """Make a driver whose every chunk the modem takes before the next, as from a UART, however busy the machine is.

    A pty cannot tell: what the kernel has not brought to its other end yet is unread at neither.
    """
    write, answers = Port._write, at_line._answers

    def make(**settings: Any) -> Any:
        driver = make_driver(prompt_timeout=20, result_timeout=20, **settings)

        def unhurried(port: Port, data: bytes, timeout: float) -> None:
            heard = driver.peer.octets_received + len(data)
            write(port, data, timeout)
            until(lambda: driver.peer.octets_received >= heard, "the modem has taken what was written")

        def answers_in_its_time(channel: AtChannel) -> bool:
            # Only a line that is written at once gets no answer by and by.
            in_chunks = channel._port._chunk_size > 0
            monkeypatch.setattr(at_line, "_LONG_TIMEOUT", 20.0 if in_chunks else 1.0)
            return answers(channel)

        monkeypatch.setattr(Port, "_write", unhurried)
        monkeypatch.setattr(at_line, "_answers", answers_in_its_time)
        return driver

    return make


# -- the line ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("smsc", ["", "+628110000000"])
def test_a_small_buffer_is_found_out_when_the_modem_is_opened(
    make_patient: MakeDriver, caplog: pytest.LogCaptureFixture, smsc: str
) -> None:
    driver = make_patient(sms_center=smsc)
    driver.peer.inject("small-buffer")
    driver.modem.open()
    assert "it gets 16 bytes each 0.0" in caplog.text
    driver.modem.send(driver.message(LONG))
    driver.reopen()
    driver.send("second")
    assert driver.texts == [LONG, "second"]
    assert caplog.text.count("loses bytes") == 1


def test_a_small_buffer_that_is_known_needs_no_finding_out(make_patient: MakeDriver) -> None:
    driver = make_patient(chunk_size=12, chunk_pause=0.03)
    driver.peer.inject("small-buffer")
    driver.modem.open()
    driver.send(LONG)
    modem = AtModem(driver.modem._context, Profile(chunk_size=12))
    driver.modem.close()
    modem.open()
    modem.send(driver.message("second"))
    modem.close()
    assert driver.texts == [LONG, "second"]


@pytest.mark.usefixtures("impatient")
def test_a_modem_that_only_dislikes_the_long_line_gets_all_at_once(
    driver: Any, caplog: pytest.LogCaptureFixture
) -> None:
    driver.peer.inject("first-at-ignored", times=100, command="+CMGF=0;+CMGF")
    driver.modem.open()
    driver.send(LONG)
    assert driver.texts == [LONG]
    assert "loses bytes" not in caplog.text


def test_what_is_lost_in_the_middle_of_a_pdu_makes_the_driver_write_less_at_once(make_patient: MakeDriver) -> None:
    driver = make_patient()
    driver.modem.open()
    driver.modem._prompt_pause = 0.001
    driver.peer.inject("cms-error", code=304, at=1)
    with pytest.raises(NotSent):
        driver.send()
    driver.peer.inject("small-buffer")
    driver.send("second")
    assert driver.texts == ["second"]


@pytest.mark.parametrize("size", [1, 7, 16])
def test_what_is_written_in_chunks_arrives_whole(make_driver: MakeDriver, size: int) -> None:
    driver = make_driver(chunk_size=size, chunk_pause=0.001)
    driver.modem.open()
    driver.send("x" * 200)
    assert driver.texts == ["x" * 200]


def test_a_modem_that_is_unplugged_between_two_chunks_is_gone(make_driver: MakeDriver) -> None:
    driver = make_driver(chunk_size=1, chunk_pause=0.2)
    port, _ = driver.modem._connect()
    timer = threading.Timer(0.1, driver.peer.unplug)
    timer.start()
    with pytest.raises(ModemLost, match="is gone"):
        port.write(b"x" * 100)
    timer.join()


@pytest.mark.parametrize(
    ("flow_control", "wires", "characters"),
    [("none", False, False), ("rts-cts", True, False), ("xon-xoff", False, True)],
)
def test_flow_control_is_set_on_the_port(
    make_driver: MakeDriver, flow_control: str, wires: bool, characters: bool
) -> None:
    driver = make_driver(flow_control=flow_control)
    driver.modem.open()
    driver.send()
    iflag, _, cflag, *_ = termios.tcgetattr(driver.modem._port._descriptor)
    assert bool(cflag & termios.CRTSCTS) is wires
    assert bool(iflag & (termios.IXON | termios.IXOFF)) is characters


def test_a_modem_that_says_xoff_is_waited_for(make_driver: MakeDriver) -> None:
    master, slave = pty.openpty()
    tty.setraw(slave, termios.TCSANOW)
    try:
        driver = make_driver(port=os.ttyname(slave), flow_control="xon-xoff")
        port, _ = driver.modem._connect()
        os.write(master, b"\x13")
        timer = threading.Timer(0.1, os.write, (master, b"\x11"))
        timer.start()
        port.write(b"AT\r")
        assert os.read(master, 100) == b"AT\r"
        timer.join()
        driver.modem.close()
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize("speed", [115_200, 9600, 57_600, 2400])
def test_the_speed_is_found_out_and_remembered(
    make_driver: MakeDriver, monkeypatch: pytest.MonkeyPatch, speed: int
) -> None:
    monkeypatch.setattr(at_line, "_ANSWER_TIME", 0.1)
    driver = make_driver(profile=ModemProfile(baud_rate=speed), baud_rate=0)
    driver.modem.open()
    driver.send("first")
    tried: list[int] = []
    monkeypatch.setattr(Port, "set_speed", remembering(Port.set_speed, tried))
    driver.reopen()
    driver.send("second")
    assert driver.texts == ["first", "second"]
    assert tried == [speed]


def remembering(set_speed: Callable[..., None], tried: list[int]) -> Callable[..., None]:
    def remember(port: Any, speed: int) -> None:
        tried.append(speed)
        set_speed(port, speed)

    return remember


def test_a_modem_that_finds_out_the_speed_itself_is_asked_until_it_has(make_driver: MakeDriver) -> None:
    driver = make_driver(baud_rate=0)
    driver.peer.inject("autobaud")
    driver.modem.open()
    driver.send()
    assert driver.texts == ["a text"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("settings", [{"baud_rate": 0}, {"baud_rate": 19_200}])
def test_a_modem_that_answers_at_no_speed_is_silent(
    make_driver: MakeDriver, monkeypatch: pytest.MonkeyPatch, settings: dict[str, int]
) -> None:
    monkeypatch.setattr(at_line, "_ANSWER_TIME", 0.02)
    driver = make_driver(profile=ModemProfile(baud_rate=300), **settings)
    assert trouble_of_opening(driver) is Trouble.SILENT
