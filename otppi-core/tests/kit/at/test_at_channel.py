"""The AT dialogue over a port: what comes in one read with a reply."""

import os
import threading
import time
import tty
from collections.abc import Iterator

import pytest

from otppi.kit.at.channel import AtChannel
from otppi.kit.at.port import Port
from otppi.kit.at.values import PortValues
from otppi.kit.net.wake import Wake
from otppi.testing.scripted import until
from otppi.wire.at import Noise, Urc

SETTINGS: PortValues = {"baud_rate": 115_200, "parity_bit": "none", "stop_bits": 1}


@pytest.fixture
def line() -> Iterator[tuple[int, Port]]:
    """The modem's end of a line, and the port at the other."""
    modem, device = os.openpty()
    tty.setraw(device)
    port = Port(os.ttyname(device), SETTINGS, Wake())
    yield modem, port
    port.close()
    os.close(device)
    os.close(modem)


def test_what_comes_in_one_read_with_a_reply_is_heard_before_anything_else_comes(line: tuple[int, Port]) -> None:
    """A busy device reads OK and the network's USSD answer at once; nothing may follow for half a minute."""
    modem, port = line
    heard: list[Urc | Noise] = []
    channel = AtChannel(port, heard.append)

    def answer() -> None:
        command = b""
        while not command.endswith(b"\r"):
            command += os.read(modem, 100)
        os.write(modem, b'\r\nOK\r\n\r\n+CUSD: 0,"Balance: 10000",15\r\n')

    peer = threading.Thread(target=answer)
    peer.start()
    channel.command('AT+CUSD=1,"*123#",15')
    peer.join()
    began = time.monotonic()
    channel.listen(100)
    assert time.monotonic() - began < 50
    assert [event.line for event in heard] == ['+CUSD: 0,"Balance: 10000",15']


def test_a_text_whose_quote_is_lost_is_told_when_the_line_is_silent(line: tuple[int, Port]) -> None:
    """gammu#179; also where no command is outstanding, and the reader looks in more often than the silence lasts."""
    modem, port = line
    heard: list[Urc | Noise] = []
    channel = AtChannel(port, heard.append)
    os.write(modem, b'\r\n+CUSD: 0,"Saldo\r\nOK\r\n')

    def told() -> bool:
        channel.listen(0.02)
        return bool(heard)

    until(told, "the text is told")
    assert [event.line for event in heard] == ['+CUSD: 0,"Saldo\nOK']


def test_a_command_that_ends_within_a_text_whose_quote_is_lost_is_answered(line: tuple[int, Port]) -> None:
    modem, port = line
    heard: list[Urc | Noise] = []
    channel = AtChannel(port, heard.append)
    os.write(modem, b'\r\n+CSQ: 9,0\r\n\r\n+CUSD: 0,"Saldo\r\n\r\nOK\r\n')
    assert channel.command("AT+CSQ", 60) == ("+CSQ: 9,0",)
    assert [event.line for event in heard] == ['+CUSD: 0,"Saldo']


def test_lines_that_are_dropped_are_told_once(line: tuple[int, Port], caplog: pytest.LogCaptureFixture) -> None:
    modem, port = line
    channel = AtChannel(port, lambda _: None)
    writer = threading.Thread(target=lambda: os.write(modem, (b"x" * 9000 + b"\r\n") * 3 + b"OK\r\n"))
    writer.start()
    assert channel.command("AT", 60) == ()
    writer.join()
    assert caplog.text.count("lines are dropped") == 1
