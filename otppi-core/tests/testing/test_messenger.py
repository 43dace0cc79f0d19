"""The WSMessageBroker server for tests: with the flaws of the real one, and as the document says."""

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosedOK, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from otppi.testing.brokers.messenger import Messenger, MessengerProcess
from otppi.testing.waiting import PATIENCE

USERS = {"user": "pass:word", "other": "word"}
Join = Callable[..., ClientConnection]


@pytest.fixture
def join() -> Iterator[Join]:
    with ExitStack() as stack:

        def one(port: int, query: str = "?channel=sms", credentials: str = "") -> ClientConnection:
            header = (
                {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"} if credentials else {}
            )
            url = f"ws://127.0.0.1:{port}/any/path{query}"
            return stack.enter_context(connect(url, additional_headers=header, close_timeout=1))

        yield one


def silent(connection: ClientConnection) -> bool:
    try:
        connection.recv(timeout=0.1)
    except TimeoutError:
        return True
    return False


def test_the_real_one_sends_everything_to_everybody(join: Join) -> None:
    with Messenger() as server:
        sender, same, other = (join(server.port, query) for query in ("?channel=a", "?channel=a", "?path=b"))
        sender.send("{}")
        assert [one.recv(timeout=PATIENCE) for one in (sender, same, other)] == ["{}"] * 3
        sender.send(b"binary")
        sender.send("next")
        assert other.recv(timeout=PATIENCE) == "next"  # only text is passed on


def test_the_documented_one_sends_to_the_others_of_the_channel(join: Join) -> None:
    with Messenger(documented=True) as server:
        queries = ("?channel=kode%20otp", "?topic=kode%2520otp", "?channel=b")
        sender, same, other = (join(server.port, query) for query in queries)
        sender.send("{}")
        assert same.recv(timeout=PATIENCE) == "{}"
        assert silent(sender)
        assert silent(other)
        server.wait_for_clients(2, "kode otp")
        assert server.wait_for_messages(1) == ["{}"]


def test_the_real_one_closes_on_a_wrong_password_and_lets_in_who_sends_none(join: Join) -> None:
    with Messenger(users=USERS) as server:
        # The password ends at its first colon, so that one which holds a colon is never right.
        for credentials in ("other:wrong", "nobody:word", "user:pass:word", ":"):
            with pytest.raises(ConnectionClosedOK):
                join(server.port, credentials=credentials).recv(timeout=PATIENCE)
        listeners = [
            join(server.port, credentials=credentials) for credentials in ("other:word", "other:word:more", "")
        ]
        join(server.port).send("from a stranger")
        assert [one.recv(timeout=PATIENCE) for one in listeners] == ["from a stranger"] * 3
        assert [client.username for client in server.clients][:2] == ["other", "other"]


def test_the_documented_one_refuses_in_the_handshake(join: Join) -> None:
    with Messenger(users=USERS, documented=True) as server:
        for credentials in ("other:wrong", "other:word:more", ""):
            with pytest.raises(InvalidStatus) as raised:
                join(server.port, credentials=credentials)
            assert raised.value.response.status_code == 401
        join(server.port, credentials="user:pass:word")
        server.wait_for_clients(1)


def test_hanging_up(join: Join) -> None:
    with Messenger() as server:
        client = join(server.port)
        server.hang_up()
        with pytest.raises(Exception, match="no close frame"):
            client.recv(timeout=PATIENCE)
        server.wait_for_clients(0)


def test_it_says_what_it_waited_for() -> None:
    with Messenger() as server, pytest.MonkeyPatch.context() as patched:
        patched.setattr("otppi.testing.brokers.messenger.PATIENCE", 0.01)
        with pytest.raises(AssertionError, match="0 clients of sms, not 1"):
            server.wait_for_clients(1, "sms")
        with pytest.raises(AssertionError, match="0 messages, not 1"):
            server.wait_for_messages(1)


def test_a_process_of_its_own(join: Join, tmp_path: Path) -> None:
    with MessengerProcess(tmp_path / "server", "--documented", "--user", "user:pass:word", "--show") as server:
        listener, sender = (join(server.port, credentials="user:pass:word") for _ in range(2))
        sender.send("{}")
        assert listener.recv(timeout=PATIENCE) == "{}"
        server.pause()
        sender.send("later")
        assert silent(listener)
        server.resume()
        assert listener.recv(timeout=PATIENCE) == "later"
        server.stop()
        assert [json.loads(line) for line in server.log.read_text().splitlines()] == [
            {"ready": True, "port": server.port},
            {"message": "{}"},
            {"message": "later"},
        ]


def test_ctrl_c_ends_it() -> None:
    command = [sys.executable, "-m", "otppi.testing.brokers.messenger", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["ready"]
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE) == 0
