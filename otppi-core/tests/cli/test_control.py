"""The control socket itself: what a client may do wrong, and how it ends."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.api.operations import Actor
from otppi.host.control.client import ControlClient, NoAnswer
from otppi.host.control.server import ControlServer
from otppi.testing.waiting import PATIENCE
from otppi.wire.errors import FieldError


class Scripted:
    """Operations that end in every way."""

    def call(self, name: str, arguments: Any, actor: Actor, revision: int | None) -> Any:
        if name == "full":
            raise OSError(28, "No space left on device", "/card")
        if name == "wrong":
            raise InvalidSettings([FieldError("a", "is wrong"), FieldError("b", "is wrong too")])
        if name == "refused":
            raise OtpPiError("not now")
        if name == "broken":
            raise AssertionError
        assert str(actor) == "command-line/administrator"
        return [name, arguments]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ControlServer]:
    control = ControlServer(tmp_path / "socket", Scripted())  # type: ignore[arg-type]
    thread = threading.Thread(target=control.run)
    thread.start()
    yield control
    control.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    control.close()


@pytest.fixture
def client(server: ControlServer, tmp_path: Path) -> ControlClient:
    return ControlClient(tmp_path / "socket")


def test_results_and_errors_cross_it(client: ControlClient) -> None:
    assert client.call("echo", {"a": [1, "\u2764", "\ud83d"]}) == ["echo", {"a": [1, "\u2764", "\ud83d"]}]
    with pytest.raises(InvalidSettings) as wrong:
        client.call("wrong", {})
    assert [problem.field for problem in wrong.value.problems] == ["a", "b"]
    with pytest.raises(OtpPiError, match="not now"):
        client.call("refused", {})
    with pytest.raises(OtpPiError, match="/card: No space left on device"):
        client.call("full", {})


def test_a_mistake_is_logged_and_the_client_learns_of_it(
    client: ControlClient, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(NoAnswer):
        client.call("broken", {})
    assert "a request on the control socket failed" in caplog.text
    assert client.call("echo", {}) == ["echo", {}]


@pytest.mark.parametrize(
    "line", [b"", b"\n", b"{", b"[]\n", b"1\n", b'{"operation": "x"}\n', b"\xff\n", b"[" * 5000 + b"\n"]
)
def test_nonsense_harms_nobody(client: ControlClient, tmp_path: Path, line: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(tmp_path / "socket"))
        raw.sendall(line)
        raw.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: raw.recv(4096), b""))
    assert not answer or "error" in json.loads(answer)
    assert client.call("echo", {}) == ["echo", {}]


def test_a_client_that_leaves_is_no_error(
    client: ControlClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(tmp_path / "socket"))
    assert client.reachable()
    assert client.call("echo", {}) == ["echo", {}]
    assert "failed" not in caplog.text


def test_no_gateway(tmp_path: Path) -> None:
    client = ControlClient(tmp_path / "nothing")
    assert not client.reachable()
    with pytest.raises(NoAnswer):
        client.call("echo", {})


def test_a_gateway_that_takes_too_long(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "mute"))
        mute.listen()
        with pytest.raises(NoAnswer, match="it took too long"):
            ControlClient(tmp_path / "mute").call("echo", {}, timeout=0.05)


def test_it_may_be_stopped_before_it_runs(tmp_path: Path) -> None:
    control = ControlServer(tmp_path / "socket", Scripted())  # type: ignore[arg-type]
    control.stop()
    control.run()
    control.close()
    control.stop()
    assert not (tmp_path / "socket").exists()


def test_the_process_at_the_other_end(client: ControlClient) -> None:
    import os

    assert client.process() == os.getpid()
