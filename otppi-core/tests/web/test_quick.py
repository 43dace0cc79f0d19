"""Requests that are answered on the thread of all connections: which are, and that they keep nobody waiting."""

import gc
import http.client
import select
import socket
import threading
import weakref
from typing import Any

import pytest

from otppi.testing.waiting import PATIENCE, until
from otppi.web import driver
from otppi.web.postponed import Postponed
from otppi.web.request import Refusal, Request
from otppi.web.response import Response, plain

SERVER, WORKER = "a-server", "a-server-worker"


class State:
    """Something that can be seen to be gone."""


class Quick:
    """An application that says on which thread it answers; `/quick` is quick, and `/not-so` is not after all."""

    def __init__(self) -> None:
        self.answered: list[tuple[str, str, str]] = []
        self.gate: threading.Event | None = None
        self.states: list[weakref.ref[State]] = []
        self.fault: Exception | None = None
        self.stranger: Exception | None = None

    def body_limit(self, _request: Request) -> int:
        return 0

    def recognises(self, _request: Request) -> bool:
        if self.stranger is not None:
            raise self.stranger
        return True

    def is_quick(self, request: Request) -> bool:
        if self.fault is not None:
            raise self.fault
        return request.path in ("/quick", "/not-so", "/fault")

    def respond(self, request: Request) -> Response:
        thread = threading.current_thread().name
        self.answered.append((request.path, thread, request.query))
        if self.gate is not None:
            self.gate.wait(PATIENCE)
        request.state = State()
        self.states.append(weakref.ref(request.state))
        if request.path == "/fault":
            raise RuntimeError
        if request.path == "/not-so" and thread == SERVER:
            raise Postponed(lambda again: again())
        return Response(200, thread.encode(), (("X-Query", request.query or "none"),))

    def refuse(self, refusal: Refusal, path: str) -> Response:
        return plain(refusal)


def ask(client: socket.socket, path: str = "/quick") -> None:
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())


def answer(client: socket.socket) -> bytes:
    response = http.client.HTTPResponse(client)
    response.begin()
    return response.read()


def until_it_came(served: Any, *clients: socket.socket) -> None:
    """Wait until the server's sockets, which it does not look at now, have what clients sent that it knows."""
    ports = [client.getsockname() for client in clients]
    sockets = [one.sock for one in served.server._connections if one.sock.getpeername() in ports]
    assert len(sockets) == len(clients)
    until(lambda: len(select.select(sockets, (), (), 0)[0]) == len(clients), "what they sent is there")


def test_a_quick_request_is_answered_on_the_servers_thread_and_no_other_is(serve: Any) -> None:
    served = serve(Quick())
    assert served.ask("GET", "/quick")[2] == SERVER.encode()
    assert served.ask("GET", "/else")[2] == WORKER.encode()


def test_one_that_is_not_quick_after_all_goes_to_a_worker(serve: Any) -> None:
    application = Quick()
    assert serve(application).ask("GET", "/not-so")[2] == WORKER.encode()
    assert [one[:2] for one in application.answered] == [("/not-so", SERVER), ("/not-so", WORKER)]


def test_nothing_of_such_a_request_waits_for_the_garbage_collector(serve: Any) -> None:
    """The exception's traceback has the frames of the server's thread: a circle would keep its descriptors open."""
    application = Quick()
    served = serve(application)
    gc.disable()
    try:
        served.ask("GET", "/not-so")
        until(lambda: all(state() is None for state in application.states), "what was kept of both attempts is gone")
    finally:
        gc.enable()


def test_a_fault_is_answered_and_the_server_goes_on(serve: Any) -> None:
    served = serve(Quick())
    assert served.ask("GET", "/fault")[0] == 500
    assert served.ask("GET", "/quick")[0] == 200


FAULTS = (RuntimeError("s3cret"), OSError("s3cret"), BlockingIOError("s3cret"))


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_whoever_cannot_be_recognised_is_answered_as_a_stranger(
    serve: Any, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    application = Quick()
    served = serve(application)
    application.stranger = fault
    assert served.ask("GET", "/else")[2] == WORKER.encode()
    (told,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert type(fault).__name__ in told
    assert "s3cret" not in caplog.text
    until(lambda: served.server.connections == 0)


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_a_fault_of_asking_is_logged_and_the_request_answered_by_a_worker(
    serve: Any, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    """An application's OSError is not the socket's: neither has the client gone, nor is more of the request to come."""
    application = Quick()
    served = serve(application)
    application.fault = fault
    assert served.ask("GET", "/quick")[2] == WORKER.encode()
    (told,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert type(fault).__name__ in told
    assert "s3cret" not in caplog.text
    application.fault = None
    assert served.ask("GET", "/quick")[2] == SERVER.encode()
    until(lambda: served.server.connections == 0)


def test_many_in_one_packet_are_answered_in_their_order(serve: Any) -> None:
    """More than a turn takes, and more than calls may nest."""
    count = 1_500
    requests = "".join(f"GET /quick?{number} HTTP/1.1\r\nHost: a\r\n\r\n" for number in range(count))
    client = serve(Quick()).connect(requests + "GET /else HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    received = b""
    while data := client.recv(1 << 16):
        received += data
    lines = [line for line in received.decode().split("\r\n") if line.startswith("X-Query")]
    assert lines == [f"X-Query: {number}" for number in range(count)] + ["X-Query: none"]


def test_what_is_more_than_a_turn_answers_goes_to_the_workers(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "QUICK_AT_ONCE", 0)
    assert serve(Quick()).ask("GET", "/quick")[2] == WORKER.encode()


def test_who_sends_many_at_once_keeps_nobody_waiting(serve: Any) -> None:
    """Each turn answers one request of a connection: another client's comes before the rest of them."""
    application = Quick()
    served = serve(application)
    greedy, other = served.connect(), served.connect()
    ask(other)
    answer(other)  # from here on the server waits for its next request
    application.gate = threading.Event()
    application.answered.clear()
    greedy.sendall(b"GET /quick HTTP/1.1\r\nHost: a\r\n\r\n" * 200)
    until(lambda: application.answered)
    ask(other, "/quick?other")
    until_it_came(served, other)
    application.gate.set()
    assert answer(other) == SERVER.encode()
    queries = [query for _, _, query in application.answered]
    assert queries.index("other") < 10


def test_what_a_turn_answers_is_counted(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    application = Quick()
    served = serve(application)
    holding, *others = clients = [served.connect() for _ in range(3)]
    for client in clients:
        ask(client)
        answer(client)
    monkeypatch.setattr(driver, "QUICK_AT_ONCE", 1)
    application.gate = threading.Event()
    application.answered.clear()
    ask(holding)
    until(lambda: application.answered)  # it keeps the server's thread
    for client in others:
        ask(client)
    until_it_came(served, *others)
    application.gate.set()  # and one turn finds both
    assert sorted(map(answer, others)) == [SERVER.encode(), WORKER.encode()]
    assert answer(holding) == SERVER.encode()
