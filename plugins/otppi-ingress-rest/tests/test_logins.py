"""Logins that have to be checked first: their requests wait without a thread, and nobody waits behind them."""

import base64
import json
import threading
from concurrent.futures import Future
from typing import Any

import pytest

from otppi.api.errors import AuthenticationFailed, Busy, Throttled
from otppi.api.ingress import Sender
from otppi.testing.waiting import PATIENCE
from otppi.web.request_queue import STRANGERS


def basic(password: str) -> str:
    return "Authorization: Basic " + base64.b64encode(f"user:{password}".encode()).decode()


@pytest.fixture
def slow(served: Any) -> Any:
    served.gateway.slow = "slow"
    return served


def test_900_requests_whose_password_is_being_checked_keep_nobody_waiting(serve: Any, http: Any) -> None:
    """Issue 9, E22: a client whose password is remembered waited 23 s."""
    slow = serve(max_connections_per_client=1000)
    slow.gateway.slow = "slow"
    wires = [slow.connect(http.post(http.SMS, auth=basic(f"slow {number}"))) for number in range(900)]
    http.eventually(lambda: len(slow.gateway.logins) == 900)
    assert slow.ask(http.post(http.SMS))[0] == 200
    assert slow.ingress.describe()["threads"] <= 5
    assert len(slow.gateway.taken) == 1, "none of the others"
    for login in slow.gateway.logins:
        login.set_exception(AuthenticationFailed("wrong"))
    assert {wire.response()[0] for wire in wires} == {401}


def test_a_request_is_taken_once_its_password_is_found_right_and_the_connection_lives_on(slow: Any, http: Any) -> None:
    wire = slow.connect(http.post(http.SMS, auth=basic("slow")) + http.post(http.SMS))
    http.eventually(lambda: len(slow.gateway.logins) == 1)
    assert slow.gateway.taken == []
    slow.gateway.logins[0].set_result(Sender("user"))
    assert [wire.answer()[0] for _ in range(2)] == [200, 200]
    assert [origin.sender.name for _, origin in slow.gateway.taken] == ["user", "user"]
    assert len({envelope.items for envelope, _ in slow.gateway.taken}) == 1, "with its whole body"


@pytest.mark.parametrize(
    ("error", "status", "code", "wait"),
    [
        (AuthenticationFailed("wrong"), 401, "1100", None),
        (Throttled(2.5), 429, "1208", "3"),
        (Busy("memory is short", 5.0), 503, "1205", "5"),
        (ZeroDivisionError(), 500, "1102", None),
    ],
)
def test_what_comes_of_it_is_answered(
    slow: Any, http: Any, error: Exception, status: int, code: str, wait: str | None
) -> None:
    wire = slow.connect(http.post(http.SMS, auth=basic("slow")))
    http.eventually(lambda: len(slow.gateway.logins) == 1)
    slow.gateway.logins[0].set_exception(error)
    got, fields, body = wire.response()
    assert (got, json.loads(body)["response_code"], fields.get("retry-after")) == (status, code, wait)
    assert slow.gateway.taken == []


def test_who_became_known_meanwhile_does_not_keep_the_places_of_strangers(served: Any, http: Any) -> None:
    served.gateway.remembers, served.gateway.hold = False, True
    wires = [served.connect(http.post(http.SMS)) for _ in range(20)]
    http.eventually(lambda: len(served.gateway.taken) == 20)
    assert served.connect(http.get("/api/health")).response()[0] == 200
    served.gateway.release()
    assert [wire.answer()[0] for wire in wires] == [200] * 20


def test_what_is_found_out_while_the_thread_lets_go_is_not_missed(served: Any, http: Any) -> None:
    class Hasty(Future[Sender]):
        """Is done before anybody can wait for it."""

        def add_done_callback(self, fn: Any) -> None:
            self.set_result(Sender("user"))
            super().add_done_callback(fn)

    served.gateway.remembers = False
    served.gateway.authenticate = lambda *_: Hasty()
    assert [served.ask(http.post(http.SMS))[0] for _ in range(20)] == [200] * 20


def test_short_memory_is_503_and_no_wrong_password(served: Any, http: Any) -> None:
    served.gateway.busy = True
    status, fields, body = served.connect(http.post(http.SMS)).response()
    assert (status, json.loads(body)["response_code"], fields["retry-after"]) == (503, "1205", "4")
    assert "www-authenticate" not in fields


def test_whoever_waits_when_the_ingress_ends_is_not_left_alone(slow: Any, http: Any) -> None:
    wire = slow.connect(http.post(http.SMS, auth=basic("slow")))
    http.eventually(lambda: len(slow.gateway.logins) == 1)
    slow.gateway.logins[0].add_done_callback(lambda _: None)
    slow.ingress.stop()
    slow.gateway.logins[0].set_exception(Busy("the gateway is being stopped", 5.0))
    assert wire.response()[0] == 503


def test_a_client_that_has_gone_while_it_waited_does_no_harm(slow: Any, http: Any) -> None:
    wire = slow.connect(http.post(http.SMS, auth=basic("slow")))
    http.eventually(lambda: len(slow.gateway.logins) == 1)
    wire.close()
    slow.gateway.logins[0].set_exception(AuthenticationFailed("wrong"))
    http.eventually(lambda: slow.ingress.describe()["connections"] == 0)
    assert slow.ask(http.post(http.SMS))[0] == 200


def test_a_known_sender_is_answered_while_strangers_keep_all_the_threads_they_may_have(served: Any, http: Any) -> None:
    """Issue 9, E22: remembered credentials never wait behind anything slow on the workers."""
    gate, began = threading.Event(), threading.Semaphore(0)

    def slow_health() -> dict[str, Any]:
        began.release()
        assert gate.wait(PATIENCE)
        return {"status": "ok"}

    served.gateway.health = slow_health
    wires = [served.connect(http.get("/api/health")) for _ in range(20)]
    for _ in range(STRANGERS):
        assert began.acquire(timeout=PATIENCE)
    try:
        assert [served.ask(http.post(http.SMS))[0] for _ in range(5)] == [200] * 5
        assert not began.acquire(blocking=False)
    finally:
        gate.set()
    assert {wire.response()[0] for wire in wires} == {200}
