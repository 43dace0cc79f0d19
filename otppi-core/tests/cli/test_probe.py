import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.cli import probing
from otppi.cli.checks import gateway
from otppi.kit.at import port
from otppi.simulator import ModemProfile, ModemRack
from otppi.simulator.vendors import HUAWEI_E3372

Cli = Callable[..., Any]


@pytest.fixture
def rack() -> Iterator[ModemRack]:
    profiles = [ModemProfile(name="one"), ModemProfile(name="two", pin="4711")]
    with ModemRack(profiles=profiles) as rack:
        yield rack


def test_what_is_at_each_port(otppi: Cli, rack: ModemRack, tmp_path: Path) -> None:
    one, two = (str(modem.path) for modem in rack.modems)
    (tmp_path / "link").symlink_to(one)
    result = otppi("modem", "probe", two, "/dev/nowhere", "--json", tmp_path / "link")
    assert result.code == 0
    locked, absent, found = result.json
    assert (locked["port"], locked["state"], locked["type"]) == (two, "blocked", "at")
    assert "PIN" in locked["detail"]
    assert (absent["state"], absent["detail"]) == ("absent", "there is no /dev/nowhere")
    assert (found["port"], found["state"], found["type"]) == (str(tmp_path / "link"), "found", "at")
    assert found["identity"]["imei"]
    assert rack.network.message_count == 0


def test_the_best_type_is_named(otppi: Cli) -> None:
    with ModemRack(profiles=[HUAWEI_E3372]) as rack:
        (found,) = otppi("modem", "probe", rack.modems[0].path, "--json").json
    assert (found["state"], found["type"]) == ("found", "huawei")


def test_a_table_for_people(otppi: Cli, rack: ModemRack) -> None:
    head, row = otppi("modem", "probe", rack.modems[0].path).out.splitlines()
    assert head.split() == ["PORT", "STATE", "TYPE", "MANUFACTURER", "MODEL", "IMEI", "OPERATOR", "DETAIL"]
    assert row.split()[1:3] == ["found", "at"]


HOLD = """
import os, sys, fcntl
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
fcntl.flock(fd, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_port_that_a_program_holds(otppi: Cli, rack: ModemRack) -> None:
    path = str(rack.modems[0].path)
    command = [sys.executable, "-c", HOLD, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdin
        assert holder.stdout.readline() == "held\n"
        program = Path(f"/proc/{holder.pid}/comm").read_text().strip()
        result = otppi("modem", "probe", path, "--json")
        holder.stdin.close()
    assert result.code == 1
    (one,) = result.json
    assert (one["state"], one["held_by"]) == ("held", [f"{program} ({holder.pid})"])
    assert one["detail"] == f"held by {program} ({holder.pid})"


def test_a_lock_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "port"
    path.touch()
    assert not port._locked(str(path))
    descriptor = os.open(path, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert port._locked(str(path))
    os.close(descriptor)


def test_no_port_at_all(otppi: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "comports", list)
    result = otppi("modem", "probe")
    assert (result.code, result.out) == (1, "")
    assert result.err == "otppi: this device has no serial port: is the modem plugged in and switched on?\n"


def test_the_ports_of_this_device(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [type("Port", (), {"device": f"/dev/ttyUSB{number}"}) for number in (1, 0)]
    monkeypatch.setattr(probing, "comports", lambda: ports)
    assert probing.serial_ports() == ["/dev/ttyUSB0", "/dev/ttyUSB1"]


@pytest.mark.parametrize(
    ("number", "detail", "advice"),
    [
        (errno.EACCES, "add it to the group dialout", "usermod -aG dialout USER"),
        (errno.EPERM, "the sandbox of the service refuses", "systemctl restart otppi"),
    ],
)
def test_a_port_that_is_refused(
    otppi: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, detail: str, advice: str
) -> None:
    (tmp_path / "ttyUSB0").touch()
    path = str(tmp_path / "ttyUSB0")
    for module in (probing, gateway):
        monkeypatch.setattr(module, "refusal_of", lambda one: number if one == path else 0)
    result = otppi("modem", "probe", path, "--json")
    assert (result.code, result.json[0]["state"]) == (1, "refused")
    assert detail in result.json[0]["detail"]
    finding = gateway._check_port("m0", path, None)
    assert detail in finding.text
    assert advice in finding.advice
