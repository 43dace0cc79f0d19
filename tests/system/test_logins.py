"""Wrong passwords in floods, from many addresses and from one's own: who is known goes on as if nothing were."""

import base64
import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from otppi.simulator import ModemRack
from otppi.testing.waiting import PATIENCE, until
from tests.system.conftest import AUTHORIZATION, PASSWORD, USER, WENT_OUT, Gateway, modem

_NOT_LOOKED_AT = (429, 503)
"""Statuses of a password that has waited too long for its turn: at the pace of guesses, or for a busy machine."""


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def request(authorization: str, path: str = "/api/message?wait=0", body: bytes = b"{}") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def status_from(address: str, port: int, authorization: str) -> int:
    """Return the status of a request from an address of this host."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=(address, 0)) as wire:
        wire.sendall(request(authorization))
        return int(wire.recv(65536).split(b" ")[1])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with ModemRack() as rack:
        users = [{"username": name, "password": PASSWORD, "active": True} for name in (USER, "second", "third")]
        gateway = Gateway(
            tmp_path_factory.mktemp("gateway"), [modem(rack.paths[0])], api_users=users, rest={"metrics_enable": True}
        )
        try:
            yield gateway.start().until_ready()
        finally:
            gateway.close()


class Flood:
    """Wrong passwords, each from an address of its own, sent by one thread and all at once."""

    def __init__(self, port: int, count: int, user: Callable[[int], str] = lambda number: USER) -> None:
        self.wires: list[socket.socket] = []
        for number in range(count):
            address = f"127.7.{number // 250}.{number % 250 + 1}"
            self.wires.append(socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=(address, 0)))
        for number, wire in enumerate(self.wires):
            wire.sendall(request(basic(user(number), f"wrong {number}")))

    def answered(self) -> int:
        """Count those that have an answer by now."""
        return sum(self._has_come(wire) for wire in self.wires)

    def statuses(self) -> list[int]:
        """Wait for all the answers."""
        return [int(wire.recv(65536).split(b" ")[1]) for wire in self.wires]

    def close(self) -> None:
        for wire in self.wires:
            wire.close()

    @staticmethod
    def _has_come(wire: socket.socket) -> bool:
        with contextlib.suppress(BlockingIOError):
            return bool(wire.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        return False


@pytest.fixture
def flood(running: Gateway) -> Iterator[Callable[..., Flood]]:
    made: list[Flood] = []

    def make(count: int, **more: Any) -> Flood:
        made.append(Flood(running.port, count, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_who_is_known_does_not_wait_for_the_wrong_passwords_of_900_addresses(
    running: Gateway, flood: Callable[..., Flood]
) -> None:
    """Issue 9, E22: 23 s it was, and so was the SMS."""
    with running.client() as client:
        assert client.request("GET", "/api/health")[0] == 200
        attack = flood(900)
        for number in range(20):
            status, answer = client.send(f"known-{number}", "08126666666", f"message {number}")
            assert status == 200
            assert answer["data"]["state"] in WENT_OUT  # its status report may be there already
    statuses = attack.statuses()
    assert set(statuses) <= {401, 429, 503}
    assert statuses.count(401) < 900


def test_a_stranger_behind_the_same_address_delays_the_right_password_and_does_not_lock_it_out(
    running: Gateway, flood: Callable[..., Flood]
) -> None:
    """Issue 9, E22: the right password was refused 86 times of 86."""
    address, ended = "127.8.0.1", threading.Event()

    def guess(stranger: int) -> int:
        guesses = 0
        while not ended.is_set():
            answer = status_from(address, running.port, basic("second", f"guess {stranger} {guesses}"))
            assert answer in (401, *_NOT_LOOKED_AT)
            guesses += 1
        return guesses

    with ThreadPoolExecutor(4) as pool:
        strangers = [pool.submit(guess, number) for number in range(4)]
        try:
            tries = [429]
            while tries[-1] in _NOT_LOOKED_AT:  # it waits for its turn as the guesses do
                assert len(tries) < 20
                tries.append(status_from(address, running.port, basic("second", PASSWORD)))
            again = [status_from(address, running.port, basic("second", PASSWORD)) for _ in range(20)]
        finally:
            ended.set()
        assert all(one.result(PATIENCE) for one in strangers)
    assert tries[-1] == 400, "it is let in: what it says is no command"
    assert again == [400] * 20


def test_failed_logins_are_told_with_address_and_user_and_no_password(running: Gateway) -> None:
    """Issue 9, E22: failed logins leave no line and no counter."""
    assert status_from("127.9.0.1", running.port, basic("third", "a guess of theirs")) == 401
    assert status_from("127.9.0.2", running.port, basic("my secret password", "third")) == 401
    assert status_from("127.9.0.3", running.port, "Bearer a-token-of-nobody") == 401
    status = running.cli("status")
    assert "last from 127.9.0.3" in status.stdout
    assert json.loads(running.cli("status", "--json").stdout)["logins"]["failed"]["token"] == 1
    log = running.whole_log()
    for secret in ("a guess of theirs", "my secret password", "a-token-of-nobody"):
        assert secret not in log + status.stdout
    with running.client() as client:
        client._connection.request("GET", "/metrics", headers={"Authorization": AUTHORIZATION})
        metrics = client._connection.getresponse().read().decode()
    assert 'otppi_logins_failed_total{reason="token"} 1' in metrics
    assert "127.9.0" not in metrics


def test_a_failed_login_has_a_line_in_the_log(tmp_path: Any) -> None:
    with ModemRack() as rack:
        gateway = Gateway(tmp_path, [modem(rack.paths[0])])
        try:
            gateway.start()
            assert status_from("127.9.0.1", gateway.port, basic(USER, "wrong")) == 401
            line = f"login from 127.9.0.1 as user {USER} failed: wrong user or password"
            until(lambda: line in gateway.log.read_text(), gateway.log.read_text)  # a thread of its own writes the log
        finally:
            gateway.close()
