"""Commands about what is kept of a gateway that runs: its log, its diagnostics, its device, its certificate."""

import json
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from otppi.testing.brokers.certificates import Authority
from otppi.testing.waiting import PATIENCE
from otppi.web import certificate

Cli = Callable[..., Any]
PASSWORD = "locked"


@pytest.fixture(autouse=True)
def _on_its_folder(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTPPI_DATA", str(gateway.data))
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/nowhere")


# -- the log -----------------------------------------------------------------------------------------------------------


def test_the_log_is_filtered_and_the_newest_lines_are_shown(otppi: Cli) -> None:
    told = otppi("log", "--words", "modem good", "--limit", "3", "--json").json
    assert 0 < len(told) <= 3
    assert all("modem good" in one["text"] for one in told)
    shown = otppi("log", "--words", "modem good", "--limit", "1")
    assert (shown.code, shown.out.count("\n")) == (0, 1)
    assert told[-1]["text"] in shown.out
    nothing = otppi("log", "--words", "no line says so")
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "otppi: no line is like that\n")
    wrong = otppi("log", "--level", "loud")
    assert (wrong.code, "--level" in wrong.err) == (2, True)


@pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["lines", "json"])
def test_a_followed_log_shows_what_comes_until_it_is_stopped(otppi: Cli, arguments: list[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "otppi", "log", "--follow", "--words", "modem slow", "--limit", "1", *arguments],
        stdout=subprocess.PIPE,
        text=True,
    ) as following:
        assert following.stdout
        assert "modem slow" in following.stdout.readline(), "the newest that there is"
        assert otppi("service", "restart", "modem:slow").code == 0
        line = following.stdout.readline()
        assert "modem slow" in (json.loads(line)["text"] if arguments else line)
        following.send_signal(signal.SIGINT)
        following.stdout.read()
        assert following.wait(PATIENCE) == 130


# -- diagnostics and the device ----------------------------------------------------------------------------------------


def test_diagnostics_are_an_archive_for_its_owner_only(otppi: Cli, tmp_path: Path) -> None:
    file = tmp_path / "otppi.zip"
    told = otppi("diagnostics", file, "--json").json
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.stat().st_size == told["bytes"]
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert set(told["files"]) <= {Path(one).name for one in archive.namelist()} | set(archive.namelist())
        assert "made up" not in "".join(archive.read(one).decode() for one in archive.namelist()), "a password"
    again = otppi("diagnostics", file)
    assert (again.code, "cannot be written: File exists" in again.err) == (2, True)
    assert otppi("diagnostics", tmp_path / "nowhere" / "otppi.zip").code == 2


def test_the_device_is_told(otppi: Cli) -> None:
    told = otppi("server", "--json").json
    shown = otppi("server")
    assert shown.code == 0
    assert f"OTP-Pi: {told['version']}\n" in shown.out
    assert shown.out.count("\ninterface ") == len(told["interfaces"])
    assert len({line.split(": ")[0] for line in shown.out.splitlines()}) == len(shown.out.splitlines())


# -- the certificate ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    certificate: Path
    key: Path
    locked: Path


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """A certificate, its key, and that key under a password."""
    pem, key = certificate.make(datetime.now(UTC))
    made = Pair(tmp_path / "own.pem", tmp_path / "own.key", tmp_path / "locked.key")
    made.certificate.write_bytes(pem)
    made.key.write_bytes(key)
    protection = BestAvailableEncryption(PASSWORD.encode())
    private = load_pem_private_key(key, None)
    made.locked.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
    return made


def test_a_certificate_is_taken_and_taken_back(otppi: Cli, pair: Pair) -> None:
    before = otppi("certificate", "show", "--json").json
    assert f"SHA-256: {before['fingerprint']}\n" in otppi("certificate", "show").out
    taken = otppi("certificate", "take", pair.certificate, "--key", pair.key)
    assert taken.code == 0
    now = otppi("certificate", "show", "--json").json
    assert now["fingerprint"] != before["fingerprint"]
    assert now["fingerprint"] in taken.out
    assert otppi("certificate", "show", "--pem").out == pair.certificate.read_text()
    assert otppi("certificate", "back", "--json").json["fingerprint"] == before["fingerprint"]


def test_the_password_of_a_key_is_asked_for_where_it_has_one(otppi: Cli, pair: Pair) -> None:
    wrong = otppi("certificate", "take", pair.certificate, "--key", pair.locked, stdin="guessed\n")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err.startswith("otppi: password: is wrong")
    before = otppi("certificate", "show", "--json").json["fingerprint"]
    right = otppi("certificate", "take", pair.certificate, "--key", pair.locked, "--json", stdin=f"{PASSWORD}\n")
    assert right.json["fingerprint"] != before
    assert PASSWORD not in right.out + right.err + wrong.err
    assert otppi("certificate", "back").code == 0


def test_what_cannot_be_taken_is_told_by_its_name(otppi: Cli, pair: Pair, tmp_path: Path) -> None:
    missing = otppi("certificate", "take", tmp_path / "nowhere.pem")
    assert (missing.code, "nowhere.pem cannot be read" in missing.err) == (2, True)
    without = otppi("certificate", "take", pair.certificate)
    assert (without.code, without.err.startswith("otppi: private_key: is missing")) == (2, True)
    large = tmp_path / "large.pem"
    large.write_bytes(b"x" * 300_000)
    assert "is larger than" in otppi("certificate", "take", large).err


def test_a_certificate_for_another_device_is_taken_with_a_warning(otppi: Cli, tmp_path: Path) -> None:
    """It may be for a name by which a proxy or the own DNS calls the device."""
    elsewhere = Authority(tmp_path / "authority").wrong_name()
    taken = otppi("certificate", "take", elsewhere.certificate, "--key", elsewhere.key)
    assert taken.code == 0
    assert "warning: it is for none of the names and addresses of this device" in taken.out
    assert otppi("certificate", "back").code == 0
    assert "for none of the names" not in otppi("certificate", "show").out


# -- backups and jobs --------------------------------------------------------------------------------------------------


def test_a_backup_that_cannot_be_written_does_not_count_as_one(otppi: Cli, tmp_path: Path) -> None:
    assert otppi("backup", "state").out == "no backup was made yet\n"
    there = tmp_path / "there.backup"
    there.write_text("of yesterday")
    refused = otppi("backup", "create", there, stdin="empat kata acak sekali\n")
    assert (refused.code, "cannot be written: File exists" in refused.err) == (2, True)
    assert there.read_text() == "of yesterday"
    short = otppi("backup", "create", tmp_path / "new.backup", stdin="short\n")
    assert short.code == 2
    assert not (tmp_path / "new.backup").exists(), "nothing is left of what was not made"
    assert otppi("backup", "state").out == "no backup was made yet\n"


def test_a_backup_from_stdin_is_refused_for_the_passphrase_comes_from_there(otppi: Cli) -> None:
    refused = otppi("restore", "-", stdin="a backup, and a passphrase")
    assert (refused.code, "a backup cannot come from stdin" in refused.err) == (2, True)


def test_where_there_is_nothing_that_is_said(otppi: Cli) -> None:
    assert otppi("job", "list").err == "otppi: nothing goes on, and nothing has ended within the last hour\n"
    assert otppi("job", "list", "--json").json == []
    assert otppi("block", "list").err == "otppi: no number is blocked\n"
