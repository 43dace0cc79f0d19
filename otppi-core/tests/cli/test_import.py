"""`otppi import`: the configuration of another program, on a data folder where no gateway runs."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]

SERVICES = {"httpEnable": True, "httpPort": 8898, "smsPath": "/api/sms"}


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """A folder of the original's files."""
    folder = tmp_path / "original"
    files = {
        "api/services.json": SERVICES,
        "api/blocking.json": {"628111111111": True},
        "api/urses.json": {"bank": {"username": "bank", "password": "0" * 64}},
    }
    for name, values in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(values))
    return folder


def test_a_dry_run_tells_all_and_changes_nothing(otppi: Cli, data: Path, original: Path) -> None:
    result = otppi("import", original, "--dry-run")
    assert (result.code, result.err) == (0, "")
    assert "httpPort" in result.out
    assert "ingress-rest.http_port = 8898" in result.out
    assert "Nothing was changed: this was a dry run." in result.out
    assert "0" * 64 not in result.out
    assert otppi("settings", "show", "ingress-rest", "--json").json["ingress-rest"]["http_port"] == 8899
    assert otppi("block", "list", "--json").json == []


def test_it_is_taken_over_and_a_second_time_nothing_changes(otppi: Cli, data: Path, original: Path) -> None:
    result = otppi("import", original)
    assert (result.code, result.err) == (0, "")
    assert "changed: " in result.out
    assert "numbers blocked: 1" in result.out
    assert otppi("settings", "show", "ingress-rest", "--json").json["ingress-rest"]["http_port"] == 8898
    assert [one["receiver"] for one in otppi("block", "list", "--json").json] == ["628111111111"]
    assert [one["username"] for one in otppi("user", "list", "--json").json] == ["bank"]
    again = otppi("import", original)
    assert (again.code, again.out.splitlines()[-1]) == (0, "nothing changed")


def test_what_cannot_work_is_told_at_once_and_nothing_is_changed(otppi: Cli, data: Path, original: Path) -> None:
    (original / "api/services.json").write_text(json.dumps({"httpPort": 70000, "messagePath": "nothing"}))
    for arguments in ((), ("--dry-run",)):
        result = otppi("import", original, *arguments)
        assert result.code == 2
        assert "otppi: ingress-rest.http_port: " in result.err
        assert "otppi: ingress-rest.message_path: " in result.err
    assert otppi("block", "list", "--json").json == []
    left = otppi("import", original, "--leave-out", "--json")
    assert left.code == 0
    assert left.json["blocked"] == 1


def test_archives_and_files(otppi: Cli, data: Path, original: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "backup.zip", "w") as archive:
        archive.write(original / "api/services.json", "otp-pi/data/api/services.json")
    told = otppi("import", tmp_path / "backup.zip", "--dry-run", "--json").json
    assert {one["file"] for one in told["rows"]} == {"otp-pi/data/api/services.json"}
    (tmp_path / "smsd.conf").write_text("devices = GSM1\n[GSM1]\ndevice = /dev/ttyUSB0\n")
    assert otppi("import", tmp_path / "smsd.conf", "--from", "smstools").code == 0
    assert otppi("settings", "show", "modems", "--json").json["modems"][0]["port"] == "/dev/ttyUSB0"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("nowhere", None, "is no file and no folder"),
        ("notes.conf", "nothing of the kind", "hold no configuration that is known"),
        ("damaged.zip", "PK\x03\x04 and no more", "is a damaged archive"),
        ("empty.bin", "\0", "has no file that may be a configuration"),
    ],
)
def test_what_cannot_be_read_is_told(
    otppi: Cli, data: Path, tmp_path: Path, name: str, content: str | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    result = otppi("import", tmp_path / name, "--dry-run")
    assert result.code == 2
    assert reason in result.err


def test_a_revision_that_is_outdated_is_refused(otppi: Cli, data: Path, original: Path) -> None:
    revision = int(otppi("settings", "revision").out)
    assert otppi("settings", "set", "ingress-rest.http_port", "8900").code == 0
    result = otppi("import", original, "--revision", str(revision))
    assert result.code != 0
    assert otppi("settings", "show", "ingress-rest", "--json").json["ingress-rest"]["http_port"] == 8900
    assert otppi("block", "list", "--json").json == []
