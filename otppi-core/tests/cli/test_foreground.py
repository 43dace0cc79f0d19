"""A restart that is asked for twice, or beside a signal; and a port that was not kept by ourselves."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.testing.waiting import PATIENCE

Start = Callable[..., Any]
QUIET = {"administration": {"enable": False}, "ingress-rest": {"http_enable": False, "https_enable": False}}
RUN = """
import os, signal, sys
from pathlib import Path
from otppi.cli import foreground
from otppi.cli.log_stream import LogStream
from otppi.host.host import Host
from otppi.host.log.ring import LogRing

started = Host.start

def start(host):
    started(host)
    for one in sys.argv[2].split():
        host.restarting.ask() if one == "restart" else os.kill(os.getpid(), signal.SIGTERM)

Host.start = start
data = Path(sys.argv[1])
code = foreground.run(data, data / "quiet.json", LogStream(2), LogRing(), safe_mode=False)
print("again" if code is None else "ended", flush=True)
if sys.argv[3:]:
    os.kill(os.getpid(), signal.SIGTERM)
    print("overlooked", flush=True)
"""


def ran(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "quiet.json").write_text(json.dumps(QUIET))
    folder.chmod(0o700)
    return subprocess.run(
        [sys.executable, "-c", RUN, str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=os.environ | {"RUNTIME_DIRECTORY": str(folder)},
    )


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("restart restart restart", "again"),
        ("restart signal", "ended"),
        ("signal restart", "ended"),
    ],
)
def test_it_begins_again_once_it_is_asked_to_unless_a_signal_comes_too(tmp_path: Path, asked: str, told: str) -> None:
    done = ran(tmp_path, asked)
    assert (done.stdout, done.returncode) == (f"{told}\n", 0), done.stderr


def test_a_signal_right_before_it_begins_again_ends_it(tmp_path: Path) -> None:
    done = ran(tmp_path, "restart", "signal")
    assert (done.stdout, done.returncode) == ("again\n", -signal.SIGTERM), done.stderr


@pytest.mark.parametrize("descriptor", ["9" * 30, "9" * 5000, "2"])
def test_a_variable_that_names_no_kept_port_harms_nothing(
    start: Start, monkeypatch: pytest.MonkeyPatch, descriptor: str
) -> None:
    monkeypatch.setenv("OTPPI_KEPT_PORT", descriptor)
    gateway = start(document=QUIET)
    gateway.wait_for("the gateway runs")
    assert gateway.end() == 0
    assert "Traceback" not in "".join(gateway.log)
