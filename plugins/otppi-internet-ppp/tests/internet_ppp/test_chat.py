"""The script, run by the real chat(8) against the modem peer."""

import os
import re
import subprocess
import tty
from dataclasses import replace
from pathlib import Path

import pytest

from otppi.api.internet import Dialling, InternetDown
from otppi.simulator import ModemRack
from otppi.testing.replay import Replay
from otppi.testing.waiting import PATIENCE
from otppi_internet_ppp.chat import chat_script, quoted, refusal

from .conftest import DIALLING

ALL = "AT" + "".join(map(chr, range(0x20, 0x7F)))


def chat(port: str, script: str, folder: Path) -> tuple[int, str]:
    """Run chat on a port; give its exit status and what it says."""
    file = folder / "script"
    file.write_text(script)
    descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(descriptor)
        done = subprocess.run(
            ["/usr/sbin/chat", "-S", "-s", "-f", file],
            stdin=descriptor,
            stdout=descriptor,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
        )
    finally:
        os.close(descriptor)
    return done.returncode, done.stderr


def test_it_connects(rack: ModemRack, dialling: Dialling, tmp_path: Path) -> None:
    assert chat(dialling.port, chat_script(dialling, 5), tmp_path) == (0, "")


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("dial-no-carrier", "the network refused the data connection (NO CARRIER)"),
        ("dial-busy", "the network is busy"),
        ("dial-error", "the modem refused a command (ERROR)"),
        ("silence", "there was no answer in time"),
    ],
)
def test_it_says_why_not(rack: ModemRack, dialling: Dialling, fault: str, cause: str, tmp_path: Path) -> None:
    rack.modems[0].inject(fault)
    script = re.sub(r"TIMEOUT \d+", "TIMEOUT 1", chat_script(dialling, 1))
    code, said = chat(dialling.port, script, tmp_path)
    assert code != 0
    assert (refusal(said) or "").startswith(cause)


def test_a_wrong_apn_is_the_networks_refusal(rack: ModemRack, dialling: Dialling, tmp_path: Path) -> None:
    _, said = chat(dialling.port, chat_script(replace(dialling, apn="elsewhere"), 5), tmp_path)
    assert "APN" in (refusal(said) or "")


def test_every_character_arrives_as_it_is(tmp_path: Path) -> None:
    """Nothing that a command holds means anything to chat: no file is read, no variable, no control character sent."""
    capture = tmp_path / "capture.txt"
    capture.write_text("> ATD*99#\n< CONNECT\n> AT*\n< OK\n")
    init = (ALL, "AT@/etc/passwd", "ATBREAK", r"AT\c\q\d", "AT$HOME^M", "AT-EOT-OK")
    with Replay(capture) as modem:
        code, _ = chat(modem.path, chat_script(replace(DIALLING, init=init), 5), tmp_path)
    assert code == 0
    assert modem.asked == ["ATE0", 'AT+CGDCONT=1,"IP","internet"', *init, "ATD*99#"]


@pytest.mark.parametrize(
    ("number", "context"),
    [("*99#", 'AT+CGDCONT=1,"IP","internet"'), ("*99***2#", 'AT+CGDCONT=2,"IP","internet"'), ("#777", None)],
)
def test_the_apn_belongs_to_the_context_that_is_dialled(number: str, context: str | None) -> None:
    script = chat_script(replace(DIALLING, dial_number=number), 5)
    assert (context is None) is ("CGDCONT" not in script)
    if context:
        assert quoted(context) in script


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("apn", 'x",1;+CMGD=1,4'),
        ("apn", ""),
        ("apn", "a\nb"),
        ("dial_number", "0812;"),
        ("dial_number", "*99#\rAT+CFUN=0"),
        ("dial_command", "ATD0812;ATD"),
        ("dial_command", "ABORT"),
    ],
)
def test_what_could_be_another_command_is_refused(name: str, value: str) -> None:
    with pytest.raises(InternetDown, match=name):
        chat_script(replace(DIALLING, **{name: value}), 5)  # type: ignore[arg-type]


@pytest.mark.parametrize("line", ["BREAK", "", "AT\nATD0812;", "AT\x1a", "ATé"])
def test_an_init_command_is_one_at_command(line: str) -> None:
    with pytest.raises(InternetDown, match="init_dial"):
        chat_script(replace(DIALLING, init=(line,)), 5)


def test_what_is_no_refusal() -> None:
    assert refusal("Serial connection established.") is None
    assert refusal("Failed (SOMETHING)") is not None
