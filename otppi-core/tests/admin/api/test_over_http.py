"""The API on a server: what waits keeps nobody else waiting, and fields and bodies are as HTTP wants them."""

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from otppi.api.operations import Call, Operation, Role
from otppi.host.runtime.registry import Registry
from otppi.testing.waiting import PATIENCE, until
from otppi.web.server import ServerLimits
from otppi.web.workers import RUNNING

TOKEN = "the-token-of-the-session"
WAITING = 3 * RUNNING


class Hanging:
    """Operations that end when a test says so."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.registry = Registry(
            [
                Operation(name="hang", title="Hang", help="Hang.", handler=self._hang, role=Role.OPERATOR, waits=True),
                Operation(name="look", title="Look", help="Look.", handler=lambda call: 1, reads_only=True),
            ],
            tell=lambda audited: None,
        )

    def _hang(self, call: Call) -> str:
        assert self.go_on.wait(PATIENCE)
        return "at last"


class Caller:
    """A program that asks over HTTP."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(
        self, method: str, path: str, body: bytes | None = None, role: str = "administrator", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        given = {"Cookie": f"otppi={role}", "X-CSRF-Token": TOKEN, "Content-Type": "application/json"}
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            client.request(method, f"/admin/api/{path}", body, given | named)
            answer = client.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            client.close()


@pytest.fixture
def hanging(no_leaks: None) -> Hanging:
    return Hanging()


@pytest.fixture
def served(hanging: Hanging, serve: Any) -> Iterator[tuple[Caller, Any]]:
    with serve(hanging.registry, ServerLimits(threads=WAITING + RUNNING)) as (port, server):
        yield Caller(port), server
        hanging.go_on.set()


def test_what_waits_keeps_nobody_waiting(hanging: Hanging, served: tuple[Caller, Any]) -> None:
    caller, server = served
    answers: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: answers.append(caller.ask("POST", "operations/hang", b"{}")[2]))
        for _ in range(WAITING)
    ]
    for thread in threads:
        thread.start()
    until(lambda: server.waiting_threads == WAITING, "all of them wait")
    assert caller.ask("GET", "operations/look")[0] == 200
    assert not answers
    hanging.go_on.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert [json.loads(one) for one in answers] == [{"result": "at last"}] * WAITING
    until(lambda: server.waiting_threads == 0, "none of them waits")


def test_where_all_threads_wait_more_is_refused_at_once(hanging: Hanging, served: tuple[Caller, Any]) -> None:
    caller, server = served
    threads = [
        threading.Thread(target=caller.ask, args=("POST", "operations/hang", b"{}")) for _ in range(WAITING + RUNNING)
    ]
    for thread in threads:
        thread.start()
    until(lambda: server.waiting_threads == WAITING + RUNNING, "all threads wait")
    assert caller.ask("GET", "operations/look")[0] == 503
    hanging.go_on.set()
    for thread in threads:
        thread.join(PATIENCE)
    until(lambda: caller.ask("GET", "operations/look")[0] == 200, "it answers again")


def test_fields_and_bodies(served: tuple[Caller, Any]) -> None:
    caller, _server = served
    status, fields, body = caller.ask("GET", "operations", Accept_Language="id")
    assert (status, fields["content-type"], fields["content-language"]) == (200, "application/json", "id")
    assert fields["content-length"] == str(len(body))
    status, fields, nothing = caller.ask("HEAD", "operations")
    assert (status, fields["content-length"], nothing) == (200, str(len(body)), b"")
    status, fields, body = caller.ask("DELETE", "operations/look")
    assert (status, fields["allow"], fields["content-type"]) == (405, "GET, HEAD, POST", "application/problem+json")
    assert json.loads(body)["status"] == 405


def test_who_is_asked_for_what(served: tuple[Caller, Any]) -> None:
    caller, _server = served
    assert caller.ask("GET", "operations", role="")[0] == 401
    assert caller.ask("GET", "operations/look", role="operator")[0] == 403
    status, _fields, body = caller.ask("POST", "operations/look", b"{}", X_CSRF_Token="another")
    assert (status, json.loads(body)["type"]) == (403, "/admin/api/problems/wrong-token")
    assert caller.ask("POST", "operations/look", b"{}", Content_Type="text/plain")[0] == 415
    assert caller.ask("POST", "operations/look", b" " * 270_000)[0] == 413
