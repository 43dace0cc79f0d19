"""The doctor where no gateway runs, one thing after the other out of order."""

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from otppi.cli.checks import device, gateway
from otppi.cli.checks.device import check_hardware
from otppi.cli.checks.finding import Severity

Cli = Callable[..., Any]


def found(otppi: Cli, check: str) -> dict[str, str]:
    """Return what the doctor finds by the name of a check, the worst first."""
    result = otppi("doctor", "--json")
    order = {"problem": 0, "warning": 1, "ok": 2}
    findings = sorted(result.json["checks"], key=lambda one: order[one["level"]])
    assert result.code == (1 if findings[0]["level"] == "problem" else 0)
    return next(one for one in findings if one["check"] == check)


def test_a_folder_in_order(otppi: Cli, data: Path) -> None:
    for check in ("plugins", "data folder", "free space", "clock", "store", "settings"):
        assert found(otppi, check)["level"] == "ok"
    stopped = found(otppi, "gateway")
    assert (stopped["level"], stopped["text"]) == ("problem", "it is not running")
    assert found(otppi, "modems")["level"] == "warning"
    assert found(otppi, "API users")["level"] == "warning"


def test_what_was_looked_at_is_said_in_the_reader_s_language(otppi: Cli, data: Path) -> None:
    shown = otppi("doctor", "--language", "id").out
    checks = {line.split(":")[0].split(maxsplit=1)[1] for line in shown.splitlines()}
    assert {"plugin", "folder data", "jam", "penyimpanan", "pengaturan", "gateway", "modem"} <= checks
    assert not {"clock", "store", "settings", "plugins", "modems"} & checks


def test_modems_that_are_all_switched_off(otppi: Cli, data: Path) -> None:
    modems = [{"name": "my m0", "type": "simulated", "active": False}]
    otppi("settings", "import", "-", stdin=json.dumps({"modems": modems}))
    finding = found(otppi, "modems")
    assert (finding["level"], finding["text"]) == ("problem", "none is active: nothing is sent")
    assert finding["advice"] == "otppi settings set modems.'my m0'.active true"


def test_no_folder(otppi: Cli, tmp_path: Path) -> None:
    result = otppi("doctor", "--data", tmp_path / "nothing")
    assert result.code == 1
    assert f"problem  data folder: there is no {tmp_path / 'nothing'}" in result.out
    assert not (tmp_path / "nothing").exists()


def test_a_folder_that_others_may_read(otppi: Cli, data: Path) -> None:
    data.chmod(0o755)
    finding = found(otppi, "data folder")
    assert (finding["level"], finding["advice"]) == ("problem", f"chmod 700 {data}")


def test_a_file_that_others_may_read(otppi: Cli, data: Path) -> None:
    otppi("settings", "set", "sms.attempts", "2")
    (data / "settings.json").chmod(0o644)
    assert found(otppi, "data folder")["text"] == "settings.json may be read by others"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_file_of_somebody_else(otppi: Cli, data: Path) -> None:
    otppi("settings", "set", "sms.attempts", "2")
    os.chown(data / "settings.json", 65534, 65534)
    assert found(otppi, "data folder")["level"] == "problem"


def test_a_folder_of_somebody_else(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    (finding,) = device.check_folder(data)
    assert finding.level is Severity.PROBLEM
    assert "sudo" in finding.advice


@pytest.mark.parametrize(("megabytes", "level"), [(5, "problem"), (50, "warning"), (500, "ok")])
def test_free_space(data: Path, monkeypatch: pytest.MonkeyPatch, megabytes: int, level: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=megabytes * 1024 * 1024))
    *_, space = device.check_folder(data)
    assert (space.check, space.level.value) == ("free space", level)


def test_a_clock_that_was_not_set(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 3600.0)
    finding = device.check_clock(data)
    assert finding.level is Severity.PROBLEM
    assert finding.text.startswith("it is 1970-01-01 by the clock")


@pytest.mark.parametrize(("kind", "level"), [("tmpfs", Severity.OK), ("ext4", Severity.WARNING)])
def test_the_boot_folder(data: Path, monkeypatch: pytest.MonkeyPatch, kind: str, level: Severity) -> None:
    monkeypatch.setattr(device, "_file_system", lambda path: kind)
    assert device.check_boot_folder(data).level is level


def test_the_file_system_of_a_path() -> None:
    assert device._file_system(Path("/proc/self")) == "proc"


def test_a_damaged_store(otppi: Cli, data: Path) -> None:
    (data / "settings.json").write_text("{")
    finding = found(otppi, "store")
    assert finding["level"] == "problem"
    assert "--discard-damaged" in finding["advice"]
    (data / "settings.json.bak").write_text('{"sms":{}}')
    finding = found(otppi, "store")
    assert (finding["level"], finding["text"]) == (
        "warning",
        "settings.json is damaged, or was edited: its copy is used",
    )
    assert f"otppi settings import {data}/settings.json;" in finding["advice"]


def test_settings_that_cannot_be_used(otppi: Cli, data: Path) -> None:
    (data / "settings.json").write_text('{"sms":{"1":{"attempts":1000}}}')  # of the version before: no check sum
    finding = found(otppi, "settings")
    assert finding["level"] == "problem"
    assert finding["text"].startswith("sms.attempts: must be at most 20")


def test_ports(otppi: Cli, data: Path, modem_rack: Any) -> None:
    modems = [
        {"name": "there", "port": str(modem_rack.modems[0].path)},
        {"name": "away", "port": "/dev/nowhere"},
        {"name": "wanders", "port": "/dev/nowhere", "imei": "350000000000010"},
        {"name": "vendor", "type": "huawei", "port": "/dev/nowhere-else"},
        {"name": "idle", "port": "/dev/nowhere", "active": False},
    ]
    otppi("settings", "import", "-", stdin=json.dumps({"modems": modems}))
    assert found(otppi, "port of there")["level"] == "ok"
    assert found(otppi, "port of away")["text"] == "there is no /dev/nowhere"
    wanders = found(otppi, "port of wanders")
    assert (wanders["level"], wanders["text"]) == ("ok", "the modem is looked for by its IMEI, 350000000000010")
    assert found(otppi, "port of vendor")["text"] == "there is no /dev/nowhere-else"
    with pytest.raises(StopIteration):
        found(otppi, "port of idle")


def test_a_modem_without_a_port_that_the_version_before_took(otppi: Cli, data: Path) -> None:
    (data / "settings.json").write_text('{"modems":{"1":{"name":"unset"}}}')
    assert found(otppi, "port of unset")["text"] == "none is set"
    assert found(otppi, "settings")["text"].startswith("modems[0].port: must not be empty")


def test_a_port_that_the_gateway_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"state": "held", "held_by": ["peer (7)", "otppi (8)"], "detail": "held by peer (7), otppi (8)"}
    monkeypatch.setattr(gateway, "port_problem", lambda path: held)
    assert gateway._check_port("m0", "/dev/x", 8).level is Severity.OK
    other = gateway._check_port("m0", "/dev/x", 9)
    assert (other.level, other.text) == (Severity.PROBLEM, "held by peer (7), otppi (8)")


def test_a_modem_that_its_limits_keep_from_sending() -> None:
    modem = {"modem_id": "m0", "state": "ready", "unusable": "daily quota is used up"}
    finding = gateway._check_state(modem)
    assert (finding.level, finding.text) == (Severity.WARNING, "daily quota is used up")


def test_a_modem_that_its_sim_keeps_from_sending() -> None:
    modem = {"modem_id": "my m0", "state": "blocked", "unusable": "", "detail": "the SIM asks for its PIN"}
    finding = gateway._check_state(modem)
    assert (finding.level, finding.text) == (Severity.PROBLEM, "blocked: the SIM asks for its PIN")
    assert finding.advice.endswith("otppi sim status 'my m0'")


def test_a_way_in_that_does_not_answer() -> None:
    dead = {
        "name": "web",
        "state": "running",
        "last_error": None,
        "listening": True,
        "address": "127.0.0.1",
        "http_port": 1,
    }
    (finding,) = gateway._check_ingresses([dead])
    assert (finding.level, finding.text) == (Severity.PROBLEM, "no answer at http port 1 (nobody listens at port 1)")
    (failed,) = gateway._check_ingresses([{"name": "web", "state": "waiting", "last_error": "OtpPiError: port in use"}])
    assert failed.text == "waiting: OtpPiError: port in use"


def test_two_names_of_one_port(otppi: Cli, data: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/dev/nowhere")
    modems = [{"name": "m0", "port": "/dev/nowhere"}, {"name": "m1", "port": str(link)}]
    otppi("settings", "import", "-", stdin=json.dumps({"modems": modems}))
    findings = otppi("doctor", "--json").json["checks"]
    assert "it is the port of m0 too" in [one["text"] for one in findings if one["check"] == "port of m1"]


# -- what wears out or fails first -------------------------------------------------------------------------------------


def hardware(root: Path, files: Mapping[str, str]) -> list[tuple[str, str, bool]]:
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return [(one.check, one.level.value, bool(one.advice)) for one in check_hardware(root)]


def test_a_device_that_tells_nothing_of_its_hardware(tmp_path: Path) -> None:
    assert hardware(tmp_path, {}) == []


WELL = {
    "sys/fs/ext4/mmcblk0p2/errors_count": "0\n",
    "sys/class/thermal/thermal_zone0/temp": "52000\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "proc/meminfo": "MemTotal: 1000 kB\nMemAvailable: 400 kB\n",
    "sys/bus/usb/devices/1-1:1.0/1-1-port2/over_current_count": "0\n",
}


def test_hardware_that_is_well(tmp_path: Path) -> None:
    told = [("card", "ok", False), ("temperature", "ok", False), ("memory", "ok", False)]
    assert hardware(tmp_path, WELL) == told


@pytest.mark.parametrize(
    ("path", "content", "found"),
    [
        ("sys/fs/ext4/mmcblk0p2/errors_count", "3\n", ("card", "problem", True)),
        ("sys/block/mmcblk0/device/life_time", "0x09 0x01\n", ("card", "problem", True)),
        ("sys/class/thermal/thermal_zone0/temp", "81000\n", ("temperature", "warning", True)),
        ("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 40 kB\n", ("memory", "warning", True)),
        ("sys/bus/usb/devices/1-1:1.0/1-1-port2/over_current_count", "1\n", ("USB power", "problem", True)),
    ],
)
def test_hardware_that_is_not(tmp_path: Path, path: str, content: str, found: tuple[str, str, bool]) -> None:
    assert [one for one in hardware(tmp_path, WELL | {path: content}) if one[1] != "ok"] == [found]
