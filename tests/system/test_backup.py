"""A backup of a real gateway, by the command line: restored on a running one and where none runs, and undone."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.host.backup import contents
from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.waiting import PATIENCE, until
from tests.system.conftest import Gateway, modem

PASSPHRASE = "empat kata acak sekali"


def told(gateway: Gateway, *arguments: str, stdin: str = "") -> Any:
    done = gateway.cli(*arguments, "--json", stdin=stdin)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null")


def runs(gateway: Gateway) -> int:
    return gateway.log.read_text().count("the gateway runs (process")


def test_a_restore_of_a_running_gateway_loses_nothing_that_waits(start: Callable[..., Gateway], tmp_path: Path) -> None:
    file = tmp_path / "otppi.backup"
    with ModemRack(profile=ModemProfile(network_time=0.5)) as rack:
        gateway = start([modem(rack.paths[0])]).until_ready()
        assert gateway.cli("admin", "add", "rina", "--password-stdin", stdin="kursi hijau di teras").returncode == 0
        assert gateway.cli("settings", "set", "modems.m0.daily_quota", "500").returncode == 0
        made = told(gateway, "backup", "create", str(file), stdin=PASSPHRASE)
        assert file.stat().st_size == made["size"]
        assert file.stat().st_mode & 0o777 == 0o600
        again = gateway.cli("backup", "create", str(file), stdin=PASSPHRASE)
        assert again.returncode == 2, "it is not overwritten"
        assert told(gateway, "backup", "show", str(file), stdin=PASSPHRASE)["settings"]["modems"] == 1
        wrong = gateway.cli("backup", "show", str(file), stdin="another one entirely")
        assert "is not the one that this backup was made with" in wrong.stderr

        assert gateway.cli("settings", "set", "modems.m0.daily_quota", "600").returncode == 0
        assert gateway.cli("block", "add", "08125555001").returncode == 0
        dry = told(gateway, "restore", str(file), "--dry-run", stdin=PASSPHRASE)
        [changed] = [one for one in dry["sections"] if one["section"] == "modems"]
        [quota] = changed["changes"]
        assert (quota["field"], quota["old"], quota["new"]) == ("daily_quota", 600, 500)
        assert told(gateway, "settings", "show", "modems")["modems"][0]["daily_quota"] == 600

        ids = []
        with gateway.client() as client:
            for number in range(4):
                status, answer = client.send(number, f"08126666{number:04}", "a text", "?wait=0")
                assert status == 202, answer
                ids.append(answer["data"]["message_id"])
        rack.network.wait_for(1)
        done = gateway.cli("restore", str(file), stdin=PASSPHRASE)
        assert done.returncode == 0, done.stderr
        assert "the gateway restarts with it" in done.stdout
        rack.network.wait_for(4)
        until(lambda: runs(gateway) == 2, "it has begun anew")
        gateway.until_ready()
        assert sorted(one.destination for one in rack.network.messages) == [f"628126666{n:04}" for n in range(4)]
        assert told(gateway, "settings", "show", "modems")["modems"][0]["daily_quota"] == 500
        assert told(gateway, "block", "list") == []

        undone = gateway.cli("restore-undo")
        assert undone.returncode == 0, undone.stderr
        until(lambda: runs(gateway) == 3, "it has begun anew once more")
        gateway.until_ready()
        assert told(gateway, "settings", "show", "modems")["modems"][0]["daily_quota"] == 600
        assert len(told(gateway, "block", "list")) == 1
        assert gateway.cli("restore-undo").returncode == 1, "it works once"
        assert gateway.stop() == 0
    unknown = [one for one in contents.files_of(gateway.data) if not contents.is_listed(one)]
    assert unknown == [], "of each file that is kept it is known whether it is in a backup"


def test_a_restore_where_no_gateway_runs_is_used_at_once(start: Callable[..., Gateway], tmp_path: Path) -> None:
    """And one that is killed right after it was made ready is used by the next start."""
    file = tmp_path / "otppi.backup"
    first = start([{"name": "m0", "type": "simulated", "default_modem": True, "daily_quota": 500}])
    assert first.cli("admin", "add", "rina", "--password-stdin", stdin="kursi hijau di teras").returncode == 0
    told(first, "backup", "create", str(file), stdin=PASSPHRASE)
    first.kill()
    second = Gateway(tmp_path, [])
    try:
        done = second.cli("restore", str(file), stdin=PASSPHRASE)
        assert done.returncode == 0, done.stderr
        assert "it is restored" in done.stdout
        assert told(second, "settings", "show", "modems")["modems"][0]["daily_quota"] == 500
        assert [one["username"] for one in told(second, "admin", "list")] == ["rina"]
        assert not (second.data / "restore").exists()
        assert second.cli("restore-undo").returncode == 1, "there was no administrator to come back to"
    finally:
        second.close()


@pytest.mark.parametrize("mark", ["restore.new", "restore", "undo.new", "undo"])
def test_a_gateway_that_is_killed_in_the_middle_is_as_before_or_as_in_the_backup(
    start: Callable[..., Gateway], tmp_path: Path, mark: str
) -> None:
    """At the instant at which each folder of a restore appears; one that is missed is killed a little later."""
    file = tmp_path / "otppi.backup"
    gateway = start([{"name": "m0", "type": "simulated", "default_modem": True}])
    assert gateway.cli("admin", "add", "rina", "--password-stdin", stdin="kursi hijau di teras").returncode == 0
    assert gateway.cli("settings", "set", "otp.code_length", "7").returncode == 0
    assert gateway.cli("block", "add", "08125555001").returncode == 0
    told(gateway, "backup", "create", str(file), stdin=PASSPHRASE)
    assert gateway.cli("settings", "set", "otp.code_length", "8").returncode == 0
    assert gateway.cli("block", "add", "08125555002").returncode == 0

    asked = threading.Thread(target=gateway.cli, args=("restore", str(file)), kwargs={"stdin": PASSPHRASE})
    asked.start()
    pause, deadline = threading.Event(), time.monotonic() + PATIENCE
    while not (gateway.data / mark).exists() and asked.is_alive():  # closely: each is there for some milliseconds
        assert time.monotonic() < deadline
        pause.wait(0.0005)
    gateway.kill()
    asked.join()
    gateway.start().until_ready()
    length = told(gateway, "settings", "show", "otp")["otp"]["code_length"]
    blocked = len(told(gateway, "block", "list"))
    assert (length, blocked) in ((8, 2), (7, 1))
    assert [one["username"] for one in told(gateway, "admin", "list")] == ["rina"]
    assert not [one for one in ("restore.new", "restore", "undo.new") if (gateway.data / one).exists()]
    with gateway.client() as client:
        status, answer = client.send(1, "081266660001", "a text", "?wait=30")
        assert (status, answer["response_code"]) == (200, "0000")
