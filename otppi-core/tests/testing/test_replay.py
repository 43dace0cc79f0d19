"""The modem that repeats a captured dialogue."""

import os
from pathlib import Path

import pytest

from otppi.api.modem import ModemType
from otppi.kit.at.modem import AT_SETTINGS, AtModem
from otppi.testing.replay import Replay, opened

CAPTURE = r"""
# made up
> AT+A
< 1
< OK
> AT+A
< 2
< OK
> AT+CMGS=*
<| \r\n>\x20
> ^Z
< +CMGS: 7
< OK
~ RING
"""


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "capture.txt"
    path.write_text(CAPTURE)
    return path


def ask(port: int, said: bytes, answer: bytes) -> None:
    os.write(port, said)
    heard = b""
    while len(heard) < len(answer):
        heard += os.read(port, 100)
    assert heard == answer


def test_it_answers_by_turns_and_refuses_what_it_does_not_know(capture: Path) -> None:
    with Replay(capture) as modem:
        port = os.open(modem.path, os.O_RDWR | os.O_NOCTTY)
        ask(port, b"\x1b\rAT+A\r", b"\r\n1\r\n\r\nOK\r\n")
        ask(port, b"AT+A\rAT+A\r", b"\r\n2\r\n\r\nOK\r\n" * 2)
        ask(port, b"AT+B\r", b"\r\nERROR\r\n")
        ask(port, b"AT+CMGS=18\r", b"\r\n> ")
        ask(port, b"0011\x1a", b"\r\n+CMGS: 7\r\n\r\nOK\r\n")
        modem.speak()
        ask(port, b"", b"\r\nRING\r\n")
        os.close(port)
    assert modem.asked == ["AT+A", "AT+A", "AT+A", "AT+B", "AT+CMGS=18"]
    assert modem.payloads == ["0011"]


def test_a_line_that_it_does_not_understand_is_told(tmp_path: Path) -> None:
    path = tmp_path / "capture.txt"
    path.write_text("AT\n")
    with pytest.raises(ValueError, match="line 1 "):
        Replay(path)


def test_a_wrong_setting_is_told(capture: Path, tmp_path: Path) -> None:
    modem_type = ModemType("at", "AT", "", AtModem, AT_SETTINGS)
    with Replay(capture) as modem, pytest.raises(ValueError, match="sim_card_pin"):  # noqa: SIM117
        with opened(modem_type, modem.path, tmp_path, sim_card_pin="x"):
            pass
