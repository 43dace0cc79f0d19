"""Which requests are answered on the server's thread: short commands of known senders who wait for nothing."""

import base64
import json
import socket
import threading
from typing import Any

import pytest

from otppi.api.ingress import Origin
from otppi.wire.envelope import Envelope

QUICK = "/api/message?wait=0"
SERVER, WORKER = "ingress-rest", "ingress-rest-worker"


@pytest.fixture
def threads(gateway: Any, monkeypatch: Any) -> list[str]:
    """Return the threads that the gateway gets commands on."""
    names: list[str] = []
    submit = gateway.submit

    def noted(envelope: Envelope, origin: Origin) -> Any:
        names.append(threading.current_thread().name)
        return submit(envelope, origin)

    monkeypatch.setattr(gateway, "submit", noted)
    return names


def test_a_message_of_a_known_sender_is_taken_on_the_servers_thread(served: Any, http: Any, threads: list[str]) -> None:
    with served.connect() as wire:
        for _ in range(3):
            assert wire.send(http.post(http.SMS, path=QUICK)).answer()[0] == 200
    token = "Authorization: Bearer a-token-of-letters"
    assert served.ask(http.post(http.SMS, path="/api/sms?wait=0", auth=token))[0] == 200
    assert threads == [SERVER] * 4


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("/api/message", {}),
        ("/api/message?wait=1", {}),
        ("/api/message?wait=0&x=1", {}),
        (QUICK, {"command": "block-msisdn", "data": {"receiver": "08126666666"}}),
        (QUICK, {"command": "request-otp", "data": {"reference": "1", "receiver": "08126666666", "message": "%s"}}),
        (QUICK, {"command": "request-ussd", "data": {"modem_id": "m0", "ussd_code": "*123#"}}),
        (QUICK, {"data": [{"receiver": "08126666666", "message": "a text"}]}),
        (QUICK, {"long": "x" * 2_048}),
        (QUICK, {"ciphertext": ""}),
    ],
)
def test_what_may_take_longer_goes_to_a_worker(
    served: Any, http: Any, threads: list[str], path: str, changes: dict[str, Any]
) -> None:
    assert served.ask(http.post({**http.SMS, **changes}, path=path))[0] == 200
    assert threads == [WORKER]


def test_while_the_gateway_would_have_to_wait_a_worker_does(served: Any, http: Any, threads: list[str]) -> None:
    served.gateway.quick = False
    assert served.ask(http.post(http.SMS, path=QUICK))[0] == 200
    served.gateway.quick = True
    assert served.ask(http.post(http.SMS, path=QUICK))[0] == 200
    assert threads == [WORKER, SERVER]
    assert len(served.gateway.taken) == 2, "each once"


def test_requests_of_strangers_go_to_a_worker_and_their_passwords_too(
    served: Any, http: Any, threads: list[str]
) -> None:
    served.gateway.remembers = False
    assert served.ask(http.post(http.SMS, path=QUICK))[0] == 200
    assert threads == [WORKER]
    wrong = "Authorization: Basic " + base64.b64encode(b"user:wrong").decode()
    assert served.ask(http.post(http.SMS, path=QUICK, auth=wrong))[0] == 401
    assert served.ask(http.post(http.SMS, path=QUICK, auth=""))[0] == 401


def test_refusals_are_the_same(served: Any, http: Any, threads: list[str]) -> None:
    assert served.ask(http.post('{"command": "fly"}', path=QUICK))[0] == 400
    assert served.ask(http.post(http.SMS, "Content-Encoding: gzip", path=QUICK))[0] == 415
    assert served.ask(http.post(http.SMS, "Origin: https://example.org", path=QUICK))[0] == 403
    status, _, body = served.connect(http.get(QUICK)).response()
    assert (status, json.loads(body)["response_code"]) == (405, "1206")
    assert threads == []


def test_a_fault_after_it_was_taken_is_unconfirmed(served: Any, http: Any) -> None:
    served.gateway.fault = ZeroDivisionError()
    status, answer = served.ask(http.post(http.SMS, path=QUICK))
    assert (status, answer["response_code"]) == (500, "1207")
    served.gateway.fault = None
    assert served.ask(http.post(http.SMS, path=QUICK))[0] == 200


def test_whoever_sends_byte_by_byte_keeps_nobody_waiting(served: Any, http: Any, threads: list[str]) -> None:
    request = http.post(http.SMS, path=QUICK)
    slow = served.connect()
    for number in range(len(request)):
        slow.send(request[number : number + 1])
        if number % 50 == 0:
            assert served.ask(http.post(http.SMS, path=QUICK))[0] == 200
    assert slow.answer()[0] == 200
    assert set(threads) == {SERVER}


def test_whoever_does_not_read_keeps_nobody_waiting(served: Any, http: Any) -> None:
    """What is more than the kernel takes of the answers waits for its client, and its further requests with it."""
    burst = http.post(http.SMS, path=QUICK) * 5_000
    for _ in range(5):
        served.connect().sock.send(burst, socket.MSG_DONTWAIT)  # as much as the kernel takes
    assert [served.ask(http.post(http.SMS, path=QUICK))[0] for _ in range(20)] == [200] * 20
