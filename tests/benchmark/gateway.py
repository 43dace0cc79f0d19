"""The gateway under test: `otppi run` with a provisioning file, in a process of its own."""

import http.client
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.benchmark.client import HOST, PASSWORD, USER, Client, health_request
from tests.benchmark.processes import ROOT, BenchmarkError, Program, scratch, wait_until

from otppi.testing.ports import free_port

_LIFETIME = 604_800
_COMPILED = ROOT / "build" / "benchmark-pycache"
"""Where the gateway's compiled modules are kept between its starts: on a device they come with the installation."""


class Gateway:
    """A gateway that can be started, ended, killed and started again with the same data.

    Args:
        data: The data folder: what a device has on its card.
        ram: A folder on a RAM disk for `/run`, the log and the provisioning file.
        modems: Ports of its modems.
        modem: More settings of each modem.
        log_level: As the command line takes it.
        sections: More sections of the settings.
    """

    def __init__(
        self,
        data: Path,
        ram: Path,
        modems: Sequence[Path],
        modem: Mapping[str, Any] | None = None,
        log_level: str = "info",
        sections: Mapping[str, Any] | None = None,
    ) -> None:
        self.data, self.ram = data, ram
        self.port = free_port()
        pages: dict[str, Any] = {"port": free_port(), "bind_address": HOST} | dict(
            (sections or {}).get("administration", {})
        )
        self._page_port = pages["port"] if pages.get("enable", True) else None
        self._log_level = log_level
        self._program: Program | None = None
        self._provision = ram / "provision.json"
        document = _document(self.port, modems, modem or {}) | dict(sections or {}) | {"administration": pages}
        self._provision.write_text(json.dumps(document), encoding="utf-8")

    @property
    def pid(self) -> int:
        """The process id."""
        return self._running().pid

    @property
    def log(self) -> Path:
        """What it logged, on all starts."""
        return self.ram / "said"

    def start(self, *, wait: bool = True) -> float:
        """Start it, and wait until all of its modems are ready; give the time at which it was started."""
        environment = {**os.environ, "RUNTIME_DIRECTORY": str(self.ram), "PYTHONPYCACHEPREFIX": str(_COMPILED)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [
            *(sys.executable, "-m", "otppi", "run", "--data", str(self.data)),
            *("--provision", str(self._provision), "--log-level", self._log_level),
        ]
        self._program = Program(command, self.log, environment)
        if wait:
            self.wait_ready()
        return self._program.started

    def wait_ready(self, timeout: float = 30.0) -> None:
        """Wait until the port answers and all modems are ready."""
        wait_until(self._ready, "the start of the gateway", timeout)

    def _ready(self) -> bool:
        self.check()
        try:
            with Client(self.port) as client:
                return client.ask(health_request()).envelope.get("status") == "ok"
        except OSError:
            return False

    def wait_pages(self, timeout: float = 60.0) -> None:
        """Wait until the pages are there, where they are served: loading them takes a second of the processor."""
        if self._page_port is not None:
            wait_until(self._has_pages, "the administration", timeout)

    def _has_pages(self) -> bool:
        self.check()
        try:
            with closing(http.client.HTTPConnection(HOST, self._page_port, timeout=60)) as pages:
                pages.request("GET", "/login")
                return pages.getresponse().status < 500
        except OSError:
            return False

    def check(self) -> None:
        """Fail where it has ended of its own accord."""
        if self._running().ended:
            raise BenchmarkError(f"the gateway ended: {self._running().last_words()}")

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._running().kill()

    def stop(self) -> None:
        """End it in an orderly way, where it runs."""
        if self._program is not None:
            self._program.end()

    def client(self) -> Client:
        """Connect."""
        return Client(self.port)

    def _running(self) -> Program:
        if self._program is None:
            raise BenchmarkError("the gateway was not started")
        return self._program


@contextmanager
def gateway(
    modems: Sequence[Path], *, log_level: str = "info", sections: Mapping[str, Any] | None = None, **modem: Any
) -> Iterator[Gateway]:
    """Set a gateway up for the time of a block, with folders of its own; it is not started yet."""
    with scratch(in_ram=False) as disk, scratch() as ram:
        one = Gateway(disk / "data", ram, modems, modem, log_level, sections)
        try:
            yield one
        finally:
            one.stop()


@contextmanager
def running(
    modems: Sequence[Path], *, log_level: str = "info", sections: Mapping[str, Any] | None = None, **modem: Any
) -> Iterator[Gateway]:
    """Run a gateway for the time of a block; it is ready to send."""
    with gateway(modems, log_level=log_level, sections=sections, **modem) as one:
        one.start()
        one.wait_pages()
        yield one


def _document(port: int, modems: Sequence[Path], modem: Mapping[str, Any]) -> dict[str, Any]:
    common = {"type": "at", "baud_rate": 115_200, "default_modem": True} | dict(modem)
    return {
        "sms": {"queue_size": 100_000, "default_lifetime": _LIFETIME},
        "modems": [{"name": path.name, "port": str(path), **common} for path in modems],
        "ingress-rest": {"http_port": port, "https_enable": False, "bind_address": HOST},
        "api_users": [{"username": USER, "password": PASSWORD}],
    }
