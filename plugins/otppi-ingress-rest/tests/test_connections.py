"""How many connections there may be, whose go, and that none goes whose request is being answered."""

import contextlib
import resource
import socket
import ssl
import threading
from typing import Any

import pytest

from otppi.testing.waiting import PATIENCE
from otppi.web import handshakes, server
from otppi.web.connection import Connection
from otppi.web.listener import KERNEL_BUFFER
from otppi.web.timeouts import Timeouts


def test_no_request_is_reset_at_the_limit(serve: Any, http: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A flood of connections with half a request: who is not answered was not taken in, and no event strays."""
    served = serve(max_connections=40, max_connections_per_client=40)
    served.gateway.hold = True
    waiting = [served.connect(http.post(http.SMS, path="/api/sms?wait=60")) for _ in range(20)]
    http.eventually(lambda: len(served.gateway.tickets) == 20)
    done = threading.Event()

    def flood() -> None:
        while not done.is_set():
            with contextlib.suppress(OSError), contextlib.ExitStack() as opened:
                for _ in range(60):
                    sock = opened.enter_context(socket.create_connection(("127.0.0.1", served.port), 5))
                    sock.sendall(b"POST /api/sms HTTP/1.1\r\n")

    floods = [threading.Thread(target=flood) for _ in range(2)]
    for thread in floods:
        thread.start()
    served.gateway.hold = False
    answered = 0
    for _ in range(80):
        with contextlib.suppress(OSError, AssertionError):  # closed unread, for another's sake
            assert served.ask(http.post(http.SMS))[0] == 200
            answered += 1
        assert served.ingress.describe()["connections"] <= 40
    done.set()
    for thread in floods:
        thread.join()
    served.gateway.release()
    assert [wire.answer()[0] for wire in waiting] == [200] * 20
    assert len(served.gateway.taken) == 20 + answered
    assert answered > 20
    assert "Error" not in caplog.text


def test_where_all_are_being_answered_the_next_one_waits(serve: Any, http: Any) -> None:
    served = serve(max_connections=8)
    served.gateway.hold = True
    waiting = [served.connect(http.post(http.SMS, path="/api/sms?wait=60")) for _ in range(8)]
    http.eventually(lambda: len(served.gateway.tickets) == 8)
    late = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(3)]
    for sock in late:
        sock.sendall(http.post(http.SMS))
    assert served.ingress.describe()["connections"] == 8
    served.gateway.hold = False
    served.gateway.release()
    assert [wire.answer()[0] for wire in waiting] == [200] * 8
    for sock in late:
        sock.settimeout(PATIENCE)
        assert sock.recv(100).startswith(b"HTTP/1.1 200")
        sock.close()


def test_one_client_cannot_have_all(serve: Any, http: Any) -> None:
    served = serve(max_connections=100, max_connections_per_client=8)
    wires = []
    for _ in range(30):  # one after the other: none that comes in a turn makes room for the next one of it
        wires.append(served.connect())
        assert wires[-1].send(http.post(http.SMS)).answer()[0] == 200
    assert served.ingress.describe()["connections"] <= 8
    assert wires[0].closed()
    assert wires[-1].send(http.post(http.SMS)).answer()[0] == 200


def test_the_kernel_keeps_little_of_a_client_that_never_reads(serve: Any, http: Any) -> None:
    """470 such clients held 1 GB of the kernel's memory: megabytes of answers each, as far as TCP's own limits go."""
    served = serve(Timeouts(write=20, stop=0.3))
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.connect(("127.0.0.1", served.port))
        accepted = _accepted_by(served)
        assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * KERNEL_BUFFER
        assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) <= 2 * KERNEL_BUFFER


def _accepted_by(served: Any) -> socket.socket:
    connections = served.ingress._server._connections
    while not len(connections):
        threading.Event().wait(0.01)
    (connection,) = connections
    assert isinstance(connection.sock, socket.socket)
    return connection.sock


def test_a_slow_handshake_holds_up_only_handshakes(serve: Any, http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The arithmetic of a big key, or of a group that the client chose, takes as long as hundreds of requests."""
    served = serve(https_enable=True)
    begun, end = threading.Semaphore(0), threading.Event()
    shake = Connection.shake_hands

    def slowly(connection: Connection) -> None:
        begun.release()
        assert end.wait(PATIENCE)
        shake(connection)

    monkeypatch.setattr(Connection, "shake_hands", slowly)
    answers: list[int] = []
    secure = [
        threading.Thread(target=lambda: answers.append(served.connect_tls(http.post(http.SMS)).answer()[0]))
        for _ in range(5)
    ]
    for thread in secure:
        thread.start()
    for _ in range(handshakes.HANDSHAKERS):
        assert begun.acquire(timeout=PATIENCE)
    for _ in range(20):
        assert served.ask(http.post(http.SMS))[0] == 200
    assert served.ingress.describe()["threads"] <= 4
    end.set()
    for thread in secure:
        thread.join(PATIENCE)
    assert answers == [200] * 5


def test_a_handshake_that_stops_halfway_ends(serve: Any) -> None:
    served = serve(Timeouts(handshake=0.3, stop=0.3), https_enable=True)
    hello = _client_hello()
    with socket.create_connection(("127.0.0.1", served.tls_port)) as sock:
        sock.settimeout(PATIENCE)
        sock.sendall(hello)
        while sock.recv(65_536):  # the server's flight, and then its patience is over
            pass
    assert served.ingress.describe()["connections"] == 0


def _client_hello() -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing).do_handshake()
    return outgoing.read()


def test_it_goes_on_when_descriptors_are_there_again(serve: Any, http: Any, caplog: pytest.LogCaptureFixture) -> None:
    served = serve()
    idle = served.connect()
    http.eventually(lambda: served.ingress.describe()["connections"] == 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as late:  # it has its descriptor before they are short
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            late.connect(("127.0.0.1", served.port))
            http.eventually(lambda: "No connection can be accepted for the moment" in caplog.text)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        late.settimeout(PATIENCE)
        late.sendall(http.post(http.SMS))
        assert late.recv(100).startswith(b"HTTP/1.1 200")
    assert idle.closed()  # its descriptor was wanted
    assert caplog.text.count("No connection can be accepted") == 1


def test_a_server_whose_thread_is_stuck_says_so(serve: Any, http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    served, end = serve(), threading.Event()
    receive = Connection.receive

    def stuck(connection: Connection) -> bool:
        end.wait(PATIENCE)
        return receive(connection)

    monkeypatch.setattr(Connection, "receive", stuck)
    monkeypatch.setattr(server, "STALLED_AFTER", 0.05)
    assert served.ingress.stalled() == ""
    wire = served.connect(http.post(http.SMS))
    http.eventually(lambda: "not looked at its connections" in served.ingress.stalled())
    end.set()
    assert wire.answer()[0] == 200
    http.eventually(lambda: served.ingress.stalled() == "")


def test_another_one_takes_the_port_of_a_server_that_does_not_end(
    serve: Any, http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, end = serve(), threading.Event()
    receive = Connection.receive

    def stuck(connection: Connection) -> bool:
        assert end.wait(PATIENCE)
        return receive(connection)

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "receive", stuck)
        served.connect(b"GET ")
        http.eventually(lambda: served.ingress._server._awake_since is not None)
    port = served.port
    served.ingress.stop()
    served.ingress.abandon()
    again = serve(http_port=port)
    assert again.ask(http.post(http.SMS))[0] == 200
    end.set()
    served.thread.join(PATIENCE)
    assert not served.thread.is_alive()
