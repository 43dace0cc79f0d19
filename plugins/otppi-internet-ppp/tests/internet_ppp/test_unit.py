"""The program of the unit: what it tells the gateway, and who ends it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otppi.testing.waiting import PATIENCE, until
from otppi_internet_ppp.unit import Surroundings, run

from .conftest import INSTANCE, UNIT_PROGRAM, Gateway

Program = Callable[[str, str], str]


def test_what_pppd_says_and_how_it_ends(gateway: Gateway, surroundings: Surroundings, tmp_path: Path) -> None:
    gateway.ask()
    assert run(INSTANCE, surroundings) == 0
    assert gateway.hear() == ["line it has \x1b begun", "exit 16"]
    assert not list(tmp_path.glob("own/*"))


def test_the_boot_folder_of_another_data_folder_is_passed_over(gateway: Gateway, surroundings: Surroundings) -> None:
    gateway.ask()
    (gateway.runtime / f"otppi-1-{'0' * 12}").mkdir()
    (gateway.runtime / "something").mkdir()
    assert run(INSTANCE, surroundings) == 0
    assert gateway.hear()[-1] == "exit 16"


# -- its end ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def lasting(program: Program) -> str:
    """A pppd that lasts until it is told to hang up."""
    return program(
        "pppd", "#!/bin/sh\ntrap 'echo hanging up; exit 5' TERM\necho begun $$\nwhile :; do sleep 0.1; done\n"
    )


@pytest.fixture
def started(
    gateway: Gateway, lasting: str, tmp_path: Path
) -> Iterator[tuple["subprocess.Popen[bytes]", socket.socket, int]]:
    """The program as a process, its connection, and the process of pppd."""
    gateway.ask()
    command = [sys.executable, "-I", "-c", UNIT_PROGRAM, str(gateway.runtime), lasting, INSTANCE]
    environment = os.environ | {"RUNTIME_DIRECTORY": str(tmp_path / "own")}
    with subprocess.Popen(command, env=environment) as process:
        channel, _address = gateway.listener.accept()
        with channel:
            channel.settimeout(PATIENCE)
            kind, begun, number = channel.recv(1000).split()
            assert (kind, begun) == (b"line", b"begun")
            yield process, channel, int(number)
        process.kill()


def ended(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


Started = tuple["subprocess.Popen[bytes]", socket.socket, int]


def test_a_gateway_that_is_gone_ends_pppd(started: Started) -> None:
    process, channel, pppd = started
    channel.close()
    assert process.wait(PATIENCE) == 0
    until(lambda: ended(pppd), "pppd has ended")


def test_to_be_stopped_ends_pppd_and_is_told(started: Started) -> None:
    process, channel, pppd = started
    process.send_signal(signal.SIGTERM)
    with channel.makefile() as said:
        assert said.read().splitlines() == ["line hanging up", "exit 5"]
    assert process.wait(PATIENCE) == 0
    assert ended(pppd)


def test_a_gateway_that_says_something_is_not_listened_to(started: Started) -> None:
    process, channel, pppd = started
    channel.sendall(b"plugin /x/evil.so\n" * 100)
    assert not ended(pppd)
    channel.close()
    assert process.wait(PATIENCE) == 0


def test_it_runs_as_its_unit_has_it() -> None:
    """`-I`: neither the folder that it is started in nor the environment changes what is imported."""
    command = [sys.executable, "-I", "-c", "import otppi_internet_ppp.unit as unit; print(unit.Surroundings.__slots__)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "runtime" in done.stdout
