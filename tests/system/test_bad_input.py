"""Bad input of every kind: the right code, HTTP status and field; nothing sent, and the connection lives on."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otppi.simulator import ModemRack
from otppi.testing.waiting import PATIENCE
from tests.system.conftest import AUTHORIZATION, WENT_OUT, Client, Gateway, modem

Start = Callable[..., Gateway]
GOOD = {"id": 1, "receiver": "08126666666", "message": "text"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, ModemRack]]:
    with ModemRack() as rack:
        gateway = Gateway(tmp_path_factory.mktemp("gateway"), [modem(rack.paths[0])]).start().until_ready()
        try:
            yield gateway, rack
        finally:
            gateway.close()


def envelope(data: Any, command: str = "send-sms") -> bytes:
    return json.dumps({"command": command, "data": data}).encode()


MALFORMED = [
    (b"", "body"),
    (b"\xff\xfe\x00", "body"),
    (b"{", "body"),
    (b'{"command": "send-sms", "data": {"id": 1, "receiver": "0812', "body"),
    (b"[]", "body"),
    (b"[" * 20_000, "body"),
    (b"{}", "command"),
    (b'{"command": 5}', "command"),
    (envelope(GOOD, "send-telegram"), "command"),
    (b'{"command": "send-sms"}', "data"),
    (envelope("text"), "data"),
    (envelope([]), "data"),
    (envelope([GOOD] * 101), "data"),
    (envelope({"id": 1, "message": "text"}), "data.receiver"),
    (envelope({"id": 1, "receiver": "08126666666"}), "data.message"),
    (envelope(GOOD | {"message": ""}), "data.message"),
    (envelope(GOOD | {"message": True}), "data.message"),
    (envelope(GOOD | {"message": "\ud800"}), "data.message"),
    (envelope(GOOD | {"message": "x" * 2000}), "data.message"),
    (envelope(GOOD | {"receiver": 8126666666}), "data.receiver"),
    (envelope(GOOD | {"receiver": "12"}), "data.receiver"),
    (envelope(GOOD | {"receiver": "0812666666a"}), "data.receiver"),
    (envelope(GOOD | {"receiver": "0812" + "6" * 20}), "data.receiver"),
    (envelope(GOOD | {"receiver": "0812\r\nAT+CMGD=1,4"}), "data.receiver"),
    (envelope(GOOD | {"id": True}), "data.id"),
    (envelope(GOOD | {"id": 1.5}), "data.id"),
    (envelope(GOOD | {"id": ["1"]}), "data.id"),
    (envelope(GOOD | {"expiration": "soon"}), "data.expiration"),
    (envelope(GOOD | {"expiration": -1}), "data.expiration"),
    (envelope(GOOD | {"expiration": 10**13}), "data.expiration"),
    (envelope([GOOD, GOOD | {"receiver": "x"}]), "data[1].receiver"),
    (envelope({"receiver": "nobody"}, "block-msisdn"), "data.receiver"),
    (envelope({}, "unblock-msisdn"), "data.receiver"),
]


@pytest.mark.parametrize(("body", "field"), MALFORMED, ids=lambda value: value if isinstance(value, str) else "")
def test_malformed(running: tuple[Gateway, ModemRack], body: bytes, field: str) -> None:
    gateway, rack = running
    before = rack.network.message_count
    with gateway.client() as client:
        status, answer = client.request("POST", "/api/message", body)
        assert (status, answer["response_code"]) == (400, "1206")
        assert field in [error["field"] for error in answer["data"]["errors"]]
        assert all(error["reason"] for error in answer["data"]["errors"])
        assert client.request("GET", "/api/health")[0] == 200
    assert rack.network.message_count == before


def test_all_errors_are_told_at_once(running: tuple[Gateway, ModemRack]) -> None:
    with running[0].client() as client:
        data = [{"id": True, "receiver": "x"}, {"message": True, "expiration": "soon"}]
        _, answer = client.request("POST", "/api/message", envelope(data))
    fields = {error["field"] for error in answer["data"]["errors"]}
    assert fields >= {"data[0].id", "data[0].message", "data[1].receiver", "data[1].message", "data[1].expiration"}


@pytest.mark.parametrize(
    "authorization", ["", "Basic", "Basic !!!", "Basic bm9ib2R5Onh4", "Bearer otppi_wrong", "Digest x"]
)
def test_without_a_right_password_nothing_is_said(running: tuple[Gateway, ModemRack], authorization: str) -> None:
    with Client(running[0].port, authorization) as client:
        status, answer = client.request("POST", "/api/message", envelope(GOOD))
    assert (status, answer["response_code"]) in [(401, "1100"), (429, "1208")]


def test_expired_and_too_late(running: tuple[Gateway, ModemRack]) -> None:
    gateway, rack = running
    before = rack.network.message_count
    with gateway.client() as client:
        status, answer = client.send("e1", "08126666666", "text", expiration=int(time.time()) - 1)
        assert (status, answer["response_code"], answer["data"]["state"]) == (410, "1203", "expired")
        status, answer = client.send("e2", "08126666666", "text", date_time=int(time.time()) - 86_400)
        assert (status, answer["response_code"]) == (410, "1203")
    assert rack.network.message_count == before


def test_a_full_queue_is_told_with_retry_after(start: Start, modem_rack: ModemRack) -> None:
    modem_rack.modems[0].inject("silence")
    gateway = start([modem(modem_rack.paths[0])], sms={"queue_size": 3, "modem_grace": 600})
    with gateway.client() as client:
        answers = [client.send(number, f"0812{number:07}", "text", "?wait=0") for number in range(5)]
    assert [status for status, _ in answers] == [202, 202, 202, 503, 503]
    assert answers[-1][1]["response_code"] == "1205"


def test_a_message_that_waits_too_long_expires(start: Start, modem_rack: ModemRack) -> None:
    modem_rack.modems[0].inject("silence")
    gateway = start([modem(modem_rack.paths[0])], sms={"modem_grace": 600})
    with gateway.client() as client:
        status, answer = client.send(1, "08126666666", "text", expiration=int(time.time()) + 2)
        assert (status, answer["response_code"], answer["data"]["state"]) == (503, "1205", "expired")


def test_two_hundred_idle_and_slow_connections_do_not_block_a_good_one(start: Start, modem_rack: ModemRack) -> None:
    gateway = start([modem(modem_rack.paths[0])], rest={"https_enable": True, "https_port": 0}).until_ready()
    tls_port = json.loads(gateway.cli("status", "--json").stdout)["ingresses"][0]["https_port"]
    slow: list[socket.socket] = []

    def send(client: Client, numbers: range) -> float:
        began = time.monotonic()
        for number in numbers:
            assert client.send(number, f"0812{number:07}", "text")[1]["data"]["state"] in WENT_OUT
        return time.monotonic() - began

    with gateway.client() as client:
        undisturbed = send(client, range(20))
    try:
        for number in range(200):
            port = tls_port if number % 4 == 0 else gateway.port
            connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            slow.append(connection)
            if number % 4 == 1:
                connection.sendall(b"POST /api/message HTTP/1.1\r\nHost: x\r\nContent-Le")
            if number % 4 == 2:
                head = f"POST /api/message HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\n"
                connection.sendall(f"{head}Content-Length: 500\r\n\r\n{{".encode())
        with gateway.client() as client:
            assert send(client, range(20, 40)) < max(10, 5 * undisturbed), "held up by connections that wait 10 s each"
    finally:
        for connection in slow:
            connection.close()
