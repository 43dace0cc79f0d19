import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from otppi.cli import language, main
from otppi.testing.waiting import PATIENCE


@dataclass(frozen=True)
class Result:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Result]


class Gateway:
    """`otppi run` in a process of its own; its log is read line by line, so that a test can wait for one."""

    def __init__(
        self, data: Path, runtime: Path, *arguments: str, document: Mapping[str, object] | None = None
    ) -> None:
        runtime.mkdir(exist_ok=True)
        self.data = data
        self.log: list[str] = []
        self._changed = threading.Condition()
        if "--provision" not in arguments:
            provision = runtime / "provision.json"
            # Many gateways run at the same time, and there is one port 8888.
            provision.write_text(json.dumps({"administration": {"enable": False}} | dict(document or {})))
            arguments = (*arguments, "--provision", str(provision))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "otppi", "run", "--data", str(data), *arguments],
            stderr=subprocess.PIPE,
            env=os.environ | {"RUNTIME_DIRECTORY": str(runtime), "PYTHONDONTWRITEBYTECODE": "1"},
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            with self._changed:
                self.log.append(line)
                self._changed.notify_all()
        with self._changed:
            self.log.append("END")
            self._changed.notify_all()

    def wait_for(self, pattern: str, timeout: float = PATIENCE) -> str:
        """Wait for a line of the log."""

        def found() -> str | None:
            return next((line for line in self.log if re.search(pattern, line)), None)

        with self._changed:
            assert self._changed.wait_for(lambda: found() or "END" in self.log, timeout), (
                f"no {pattern!r} in {self.log}"
            )
            line = found()
        assert line, f"it ended without {pattern!r}: {self.log}"
        return line

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and give the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self._reader.join(PATIENCE)
            assert self.process.stderr
            self.process.stderr.close()


@pytest.fixture
def otppi(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """Run a command in this process, in English whatever the language of the one who tests."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setenv("LC_ALL", "C")

    def call(*arguments: str | Path, stdin: str | io.StringIO = "") -> Result:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin) if isinstance(stdin, str) else stdin)
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Result(code, *capsys.readouterr())

    yield call
    language.use("en")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that exists; its RAM-backed folder would be beside it."""
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("OTPPI_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir(mode=0o700)
    return tmp_path / "data"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    """Start a gateway on a folder; it is ended after the test."""
    started: list[Gateway] = []

    def begin(*arguments: str, document: Mapping[str, object] | None = None) -> Gateway:
        started.append(Gateway(tmp_path / "data", tmp_path / "run", *arguments, document=document))
        return started[-1]

    yield begin
    for one in started:
        one.end()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that runs for all tests of a module, with a modem for each way in which sending can end."""
    folder = tmp_path_factory.mktemp("gateway")
    quick = {"type": "simulated", "network_time": 0.0}
    one = Gateway(
        folder / "data",
        folder / "run",
        document={
            "sms": {"country_code": "62", "modem_grace": 0},
            "ingress-rest": {"http_enable": True, "http_port": 0, "https_enable": False},
            "api_users": [{"username": "app", "password": "made up"}],
            "modems": [
                quick | {"name": "good", "default_modem": True, "sim_card_pin": "1234"},
                quick | {"name": "mute", "faults": ["result-lost-sent"], "result_timeout": 0.5, "send_from_api": False},
                quick | {"name": "slow", "network_time": 3.0, "send_from_api": False},
                {"name": "gone", "type": "at", "port": "/dev/nowhere", "send_from_api": False},
                {"name": "off", "type": "at", "port": "/dev/nowhere-either", "active": False},
            ],
        },
    )
    try:
        for line in ("modem good is ready", "modem mute is ready", "modem slow is ready", "listens", "gateway runs"):
            one.wait_for(line)
        yield one
    finally:
        assert one.end() == 0
