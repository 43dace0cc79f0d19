"""The life of the gateway's process."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.testing.waiting import PATIENCE, until

QUIET = {"ingress-rest": {"http_enable": False, "https_enable": False}}
Start = Callable[..., Any]


def failing(*arguments: str | Path, runtime: Path) -> subprocess.CompletedProcess[str]:
    runtime.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "otppi", "run", *map(str, arguments)]
    environment = os.environ | {"RUNTIME_DIRECTORY": str(runtime)}
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_it(start: Start, number: int) -> None:
    gateway = start(document=QUIET)
    gateway.wait_for("the gateway runs")
    assert gateway.end(number) == 0
    assert "the gateway is stopping" in "".join(gateway.log)
    assert "Traceback" not in "".join(gateway.log)


def test_a_device_without_a_modem_refuses_messages(start: Start, otppi: Any) -> None:
    gateway = start("--no-stand-in", document=QUIET)

    def refused(starts: int) -> None:
        until(lambda: "".join(gateway.log).count("the gateway runs") == starts, "it runs")
        sent = otppi("send", "081234567890", "a text", "--data", gateway.data)
        assert (sent.code, "no modem is connected" in sent.out + sent.err) == (4, True), sent
        assert "none is configured: nothing is sent" in otppi("doctor", "--data", gateway.data).out

    refused(1)
    assert otppi("restart", "--data", gateway.data).code == 0
    refused(2)


def test_the_log_is_one_line_a_record(start: Start) -> None:
    gateway = start("--log-level", "debug", document=QUIET)
    gateway.wait_for("modem simulated is ready")
    gateway.end()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\S+ [A-Z]+ +\S+: ", line) for line in gateway.log if line != "END")


def test_it_runs_without_standard_streams(tmp_path: Path) -> None:
    (tmp_path / "quiet.json").write_text(json.dumps(QUIET))
    (tmp_path / "run").mkdir()
    options = f"--data {tmp_path / 'data'} --provision {tmp_path / 'quiet.json'}"
    command = ["sh", "-c", f'exec "{sys.executable}" -m otppi run {options} <&- >&- 2>&-']
    with subprocess.Popen(command, env=os.environ | {"RUNTIME_DIRECTORY": str(tmp_path / "run")}) as gateway:
        until(lambda: gateway.poll() is not None or (tmp_path / "data" / "control").exists(), "it listens")
        assert gateway.poll() is None
        streams = {Path(f"/proc/{gateway.pid}/fd/{number}").readlink() for number in range(3)}
        gateway.terminate()
        assert gateway.wait(PATIENCE) == 0
    assert streams == {Path("/dev/null")}


def test_no_core_is_dumped(start: Start) -> None:
    gateway = start(document=QUIET)
    gateway.wait_for("the gateway runs")
    limits = Path(f"/proc/{gateway.process.pid}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits)


def test_a_signal_at_the_very_beginning_stops_it_too(start: Start) -> None:
    gateway = start("--log-level", "debug", document=QUIET)
    gateway.wait_for("no modem is configured")
    assert gateway.end() == 0


def test_a_second_ctrl_c_ends_it_at_once(start: Start, otppi: Any) -> None:
    slow = {"name": "m0", "type": "simulated", "network_time": 8, "default_modem": True}
    gateway = start(document=QUIET | {"modems": [slow]})
    gateway.wait_for("the gateway runs")
    gateway.wait_for("modem m0 is ready")
    assert (
        otppi("send", "081234567890", "slow", "--wait", "0.5", "--data", gateway.data, "--json").json["state"]
        == "sending"
    )
    gateway.process.send_signal(signal.SIGINT)
    gateway.wait_for("the gateway is stopping")
    assert gateway.end(signal.SIGINT) == -signal.SIGINT


def test_a_message_whose_gateway_is_killed_is_unconfirmed(start: Start, otppi: Any) -> None:
    slow = {"name": "m0", "type": "simulated", "network_time": 20, "default_modem": True}
    gateway = start(document=QUIET | {"modems": [slow]})
    gateway.wait_for("the gateway runs")
    gateway.wait_for("modem m0 is ready")
    command = [sys.executable, "-m", "otppi", "send", "081234567890", "slow", "--data", str(gateway.data)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as sending:
        deadline = time.monotonic() + PATIENCE
        while not _is_sending(gateway):
            assert time.monotonic() < deadline
            assert sending.poll() is None
            # The gateway answers others meanwhile; it takes the time that we would have to wait anyway.
            assert otppi("status", "--data", gateway.data).code == 0
        gateway.end(signal.SIGKILL)
        _, errors = sending.communicate(timeout=PATIENCE)
    assert sending.returncode == 5
    assert re.fullmatch(r"otppi: the gateway [^\n]+: the message may or may not have been sent\n", errors)


def _is_sending(gateway: Any) -> bool:
    (journal,) = gateway.data.parent.glob("run/*/journal")
    return b'"dispatched"' in journal.read_bytes()


def test_the_control_socket_is_for_its_user_alone(start: Start) -> None:
    gateway = start(document=QUIET)
    gateway.wait_for("the gateway runs")
    link = gateway.data / "control"
    assert link.is_symlink()
    assert link.stat().st_mode & 0o777 == 0o600
    assert link.readlink().parent.stat().st_mode & 0o777 == 0o700
    gateway.end()
    assert link.is_symlink(), "the same link serves the next start"
    assert not link.exists()


def test_safe_mode_loads_no_plugins(start: Start, otppi: Any) -> None:
    gateway = start("--safe-mode")
    gateway.wait_for("the gateway runs")
    status = otppi("status", "--json", "--data", gateway.data)
    assert (status.json["modems"], status.json["ingresses"]) == ([], [])
    assert otppi("status", "--data", gateway.data).out.startswith("gateway runs, no modem, version ")
    assert otppi("settings", "set", "sms.attempts", "2", "--data", gateway.data).code == 0
    assert otppi("send", "081234567890", "hello", "--data", gateway.data).code == 4
    plugins = otppi("plugins", "--json", "--data", gateway.data)
    assert {one["state"] for one in plugins.json} == {"safe mode"}


def test_it_runs_without_assertions_and_docstrings(start: Start, otppi: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    gateway = start(document={"ingress-rest": {"http_enable": True, "http_port": 0, "https_enable": False}})
    gateway.wait_for("the gateway runs")
    gateway.wait_for("listens on http port")
    gateway.wait_for("modem simulated is ready")
    assert otppi("send", "081234567890", "hello", "--data", gateway.data).code == 0
    plugins = [sys.executable, "-m", "otppi", "plugins", "--json"]
    loaded = json.loads(subprocess.run(plugins, capture_output=True, text=True, timeout=PATIENCE).stdout)
    assert not [one for one in loaded if one["error"]]
    assert gateway.end() == 0
    assert "Traceback" not in "".join(gateway.log)


def test_all_problems_of_a_provision_file_at_once(tmp_path: Path) -> None:
    document = {"sms": {"attempts": 0}, "modems": [{"name": "a", "baud_rate": "fast"}, {"name": "a", "x": 1}], "y": []}
    (tmp_path / "provision.json").write_text(json.dumps(document))
    data = tmp_path / "data"
    done = failing("--data", data, "--provision", tmp_path / "provision.json", runtime=tmp_path / "run")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) >= 4
    for field in ("sms.attempts", "modems[0].baud_rate", "modems[1].x", "y"):
        assert re.search(rf"^otppi: {re.escape(field)}: \S", done.stderr, re.M)
    assert not (data / "settings.json").exists()


@pytest.mark.parametrize("content", [None, b"{", b"\xff\xfe"])
def test_a_provision_file_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "provision.json").write_bytes(content)
    data = tmp_path / "data"
    done = failing("--data", data, "--provision", tmp_path / "provision.json", runtime=tmp_path / "run")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"otppi: {tmp_path / 'provision.json'} ")
    assert not data.exists()


def test_a_damaged_store_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/settings.json").write_bytes(b"")
    done = failing("--data", tmp_path / "data", runtime=tmp_path / "run")
    assert done.returncode == 1
    assert re.fullmatch(r"otppi: \S+: settings.json is damaged, .*\n", done.stderr)
    assert (tmp_path / "data/settings.json").read_bytes() == b""
