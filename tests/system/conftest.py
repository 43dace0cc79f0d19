"""A gateway as a process of its own, as `otppi run` starts it, with modems on ptys at its other end."""

import base64
import contextlib
import http.client
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from otppi.testing.ports import free_port
from otppi.testing.waiting import PATIENCE, until

USER, PASSWORD = "app", "a password for tests"
WENT_OUT = frozenset(("sent", "delivered"))
"""What an answer says of a message that the network took: its report may be there by the time the answer is made."""
AUTHORIZATION = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


class Client:
    """One keep-alive connection of an application server."""

    def __init__(self, port: int, authorization: str = AUTHORIZATION) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._headers = {"Authorization": authorization, "Content-Type": "application/json"}

    def request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
        self._connection.request(method, path, body, self._headers)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read() or b"{}")

    def command(self, name: str, data: Any, query: str = "") -> tuple[int, dict[str, Any]]:
        return self.request("POST", "/api/message" + query, json.dumps({"command": name, "data": data}).encode())

    def send(
        self, number: int | str, receiver: str, text: str, query: str = "", **more: Any
    ) -> tuple[int, dict[str, Any]]:
        return self.command("send-sms", {"id": number, "receiver": receiver, "message": text, **more}, query)

    def message(self, message_id: str) -> dict[str, Any]:
        status, answer = self.request("GET", f"/api/messages/{message_id}")
        assert status == 200, answer
        data: dict[str, Any] = answer["data"]
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


class Gateway:
    """`otppi run` on a data folder; may be killed and started again."""

    def __init__(self, folder: Path, modems: list[dict[str, Any]], **sections: Any) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "log"
        self.port = free_port()
        # Not below pytest's folder: with a long user name the control socket's path would pass 107 bytes (unix(7)).
        # On a RAM disk, as everywhere: the spool is nowhere else.
        self.runtime = Path(tempfile.mkdtemp(prefix="otppi-run-", dir="/dev/shm"))
        self.provision = folder / "provision.json"
        self.provision.write_text(
            json.dumps(
                {
                    "modems": modems,
                    "administration": {"enable": False} | sections.pop("administration", {}),
                    "ingress-rest": {"http_enable": True, "http_port": self.port, "https_enable": False}
                    | sections.pop("rest", {}),
                    "api_users": [{"username": USER, "password": PASSWORD, "active": True}],
                    **sections,
                }
            )
        )
        self.process: subprocess.Popen[bytes] | None = None
        self._marks = itertools.count()

    def environment(self) -> dict[str, str]:
        return os.environ | {"RUNTIME_DIRECTORY": str(self.runtime)}

    def start(self) -> Self:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "otppi", "run", "--data", self.data),
                    *("--provision", self.provision, "--log-level", "debug"),
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=self.environment(),
            )
        until(self._answers, lambda: f"the gateway answers; its log ends {self.log.read_text()[-2000:]}")
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError), self.client() as client:
            return client.request("GET", "/api/health")[0] in (200, 503)
        return False

    def until_ready(self) -> Self:
        until(self._answers, lambda: f"the gateway answers; its log ends {self.log.read_text()[-2000:]}")
        with self.client() as client:
            until(lambda: client.request("GET", "/api/health")[1].get("status") == "ok", what="all modems are ready")
        return self

    def client(self) -> Client:
        return Client(self.port)

    def cli(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "otppi", *arguments, "--data", str(self.data)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=self.environment(),
        )

    def whole_log(self) -> str:
        """Return the log with all that was told so far: lines wait for others, so one is made that comes after them."""
        mark = f"no-modem-{next(self._marks)}"
        self.cli("modem", "test", mark)
        until(lambda: f"modem_test '{mark}'" in self.log.read_text(), what="the log is written")
        return self.log.read_text()

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def stop(self) -> int:
        return self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self.process = None
        return code

    def close(self) -> None:
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.runtime, ignore_errors=True)


def modem(path: Path, name: str = "m0", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "at", "port": str(path), "default_modem": True, "active": True, **more}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    """Start gateways that end with the test."""
    gateways: list[Gateway] = []

    def one(modems: list[dict[str, Any]], **sections: Any) -> Gateway:
        folder = tmp_path / f"gateway-{len(gateways)}"
        folder.mkdir()
        gateway = Gateway(folder, modems, **sections)
        gateways.append(gateway)
        return gateway.start()

    yield one
    for gateway in gateways:
        gateway.close()
