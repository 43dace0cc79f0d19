"""HTTP on the wire: framing, limits, persistence, and clients that are slow, silent, rude or gone."""

import json
import select
import socket
import threading
from dataclasses import replace
from typing import Any

import pytest

from otppi.testing.waiting import PATIENCE
from otppi.web.timeouts import Timeouts

QUICK = Timeouts(
    handshake=0.6, head=0.6, body=1.5, body_progress=0.6, keep_alive=0.6, write=1.0, linger=0.3, stop=0.3
)  # fmt: skip


PATIENT = Timeouts(
    handshake=3600, head=3600, body=3600, body_progress=3600, keep_alive=3600, write=3600, stop=0.3
)  # fmt: skip


def first_field(answer: dict[str, Any]) -> str:
    return str(answer["data"]["errors"][0]["field"])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ("Content-Length: -1", "Content-Length"),
        ("Content-Length: x", "Content-Length"),
        ("Content-Length: ", "Content-Length"),
        ("Content-Length: +5", "Content-Length"),
        ("Content-Length: 1_0", "Content-Length"),
        ("Content-Length: 5, 5", "Content-Length"),
        ("Content-Length: 5\r\nContent-Length: 6", "Content-Length"),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", "Content-Length"),
        ("X-No-Length: 1", "Content-Length"),
        ("Content-Length: 5\r\nContent-Length: 5", "Content-Length"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip", "Transfer-Encoding"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding"),
        ("Transfer-Encoding: chunked, chunked", "Transfer-Encoding"),
        ("Transfer-Encoding: ", "Transfer-Encoding"),
        ("Transfer-Encoding: chunked,", "Transfer-Encoding"),
        ("Content-Length: 0\r\nHost: another", "Host"),
        ("Content-Length: 0\r\n folded: 1", "head"),
        ("Content-Length : 5", "head"),
        ("Content-Length: 5\r\nX: a\rb", "head"),
        ("Content-Length: 5\r\nX: a\x00b", "head"),
        (": 5", "head"),
        ("no colon", "head"),
    ],
)
def test_unclear_heads_are_refused(served: Any, http: Any, fields: str, field: str) -> None:
    wire = served.connect(http.get("/api/message", *fields.split("\r\n"), http.BASIC, method="POST") + b"12345")
    status, answer = wire.answer()
    assert (status, answer["response_code"], first_field(answer)) == (400, "1206", field)
    assert wire.closed()


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /api/health HTTP/1.1\r\n\r\n", 400),
        (b"GET /api/health HTTP/1.1\r\nHost:\r\n\r\n", 400),
        (b"GET /api/health HTTP/1.0\r\n\r\n", 200),
        (b"GET /api/health HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (b"GET /api/health HTTP/01.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /api/health\r\n\r\n", 400),
        (b"get /api/health HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET http://other/ HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        (b"GET http://other/api/health HTTP/1.1\r\nHost: a\r\n\r\n", 200),  # RFC 9112 3.2.2: "MUST accept"
        (b"GET HTTP://[::1]:80/api/health HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        (b"GET http://other/api/health HTTP/1.1\r\n\r\n", 400),
        (b"GET http://a@b/api/health HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET http:///api/health HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET ftp://other/api/health HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET https://other/api/health HTTP/1.1\r\nHost: a\r\n\r\n", 421),
        (b"OPTIONS http://other HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        (b"GET /api/health HTTP/1.1\r\nHost: 192.168.0.11:8899\r\n\r\n", 200),
        (b"GET /api/health HTTP/1.1\r\nHost: [fe80::1%25eth0]:8899\r\n\r\n", 200),
        (b"GET /api/health HTTP/1.1\r\nHost: otp_pi.local.\r\n\r\n", 200),
        (b"GET /api/health HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        (b"GET /api/health HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        (b"GET /api/health HTTP/1.1\r\nHost: a@b\r\n\r\n", 400),
        (b"GET /api/health HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
        (b"GET /api/health HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
        (b"GET /api/health HTTP/1.1\r\nHost: [1.2.3]\r\n\r\n", 400),
        (b"GET /api/health HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
        (b"GET /api/health HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        (b"GET /api/health HTTP/1.0\r\nHost: a b\r\n\r\n", 400),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"\r\n\r\nGET /api/health HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        (b"POST /api/sms HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST /api/sms HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (b"POST /api/sms HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: wonders\r\n\r\n1", 417),
        (b"GET /" + b"a" * 20_000, 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000, 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 200 + b"\r\n", 431),
    ],
)
def test_request_lines_and_limits(served: Any, request_bytes: bytes, status: int) -> None:
    got, _, body = served.connect(request_bytes).response()
    assert got == status
    assert json.loads(body)


@pytest.mark.parametrize(
    "garbage", [b"\x00" * 100, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\xff\xfe", b"{}"]
)
def test_garbage_is_refused_at_once(served: Any, garbage: bytes) -> None:
    wire = served.connect(garbage)
    assert wire.answer()[0] == 400
    assert wire.closed()


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(serve: Any, http: Any) -> None:
    served = serve(max_body_bytes=1024)
    assert served.ask(http.post(b"", length=1025))[0] == 413
    chunked = http.get("/api/message", "Transfer-Encoding: chunked", http.BASIC, method="POST")
    assert served.ask(chunked + b"800\r\n")[0] == 413
    assert served.ask(chunked + (b"100\r\n" + b" " * 256 + b"\r\n") * 5)[0] == 413
    assert served.ask(http.post(json.dumps(http.SMS).ljust(1024)))[0] == 200


def chunks(body: bytes, size: int) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x;ext=1\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\nTrailer: 1\r\n\r\n"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_chunked_bodies(served: Any, http: Any, size: int) -> None:
    head = http.get("/api/message", "Transfer-Encoding: chunked", http.BASIC, method="POST")
    whole = head + chunks(json.dumps(http.SMS).encode(), size)
    wire = served.connect(whole + whole)
    assert [wire.answer()[0], wire.answer()[0]] == [200, 200]
    for octet in whole:
        wire.send(bytes([octet]))
    assert wire.answer()[0] == 200


@pytest.mark.parametrize(
    "body", [b"x\r\n", b"-1\r\n", b"2\r\nabc\r\n", b"\r\n", b"1" * 300, b"0\r\n" + b"A: 1\r\n" * 4000]
)
def test_bad_chunks_are_refused(served: Any, http: Any, body: bytes) -> None:
    wire = served.connect(http.get("/api/message", "Transfer-Encoding: chunked", http.BASIC, method="POST") + body)
    status, answer = wire.answer()
    assert (status, first_field(answer)) == (431 if body[:1] == b"0" else 400, "body")


def test_expect_continue(served: Any, http: Any) -> None:
    head, _, body = http.post(http.SMS, "Expect: 100-Continue").partition(b"\r\n\r\n")
    wire = served.connect(head + b"\r\n\r\n")
    assert wire.response(bodiless=True)[0] == 100
    assert wire.send(body).answer()[0] == 200
    assert wire.send(head + b"\r\n\r\n" + body).answer()[0] == 200  # the body came along: nothing to wait for


def test_keep_alive_and_pipelining(served: Any, http: Any) -> None:
    wire = served.connect(http.post(http.SMS) * 20)
    assert [wire.answer()[1]["data"]["message_id"] for _ in range(20)] == [f"m{number}" for number in range(1, 21)]
    assert wire.send(http.post(http.SMS)).answer()[0] == 200
    assert wire.send(http.post(http.SMS, "Connection: keep-alive, Close")).answer()[0] == 200
    assert wire.closed()


def test_http_1_0_keeps_alive_only_when_asked(served: Any, http: Any) -> None:
    old = http.post(http.SMS).replace(b"HTTP/1.1", b"HTTP/1.0")
    assert served.connect(old).closed() is False
    wire = served.connect(old.replace(b"Host:", b"Connection: Keep-Alive\r\nHost:") * 2)
    first, second = wire.response(), wire.response()
    assert first[1]["connection"] == "Keep-Alive"
    assert second[0] == 200


def test_half_closed_client_gets_its_answers(served: Any, http: Any) -> None:
    wire = served.connect(http.post(http.SMS) * 3).half_close()
    assert [wire.answer()[0] for _ in range(3)] == [200] * 3
    assert wire.closed()


def test_half_of_a_head_then_nothing(served: Any) -> None:
    assert served.connect(b"POST /api/sms HT").half_close().answer()[0] == 408
    assert served.connect().half_close().closed()


@pytest.mark.parametrize("sent", [b"POST /api/sms HTTP/1.1\r\nHost: a\r\n", b""])
def test_a_head_that_does_not_come_ends(serve: Any, sent: bytes) -> None:
    wire = serve(QUICK).connect(sent)
    if sent:
        assert wire.answer()[0] == 408
    assert wire.closed()


def test_a_body_that_does_not_come_is_400_naming_the_length(serve: Any, http: Any) -> None:
    served = serve(replace(QUICK, body=3600))  # it is the next octet that is waited for in vain
    status, answer = served.ask(http.post(http.SMS, length=500))
    assert (status, first_field(answer)) == (400, "Content-Length")


def test_a_body_that_drips_ends_all_the_same(serve: Any, http: Any) -> None:
    wire = serve(replace(QUICK, body_progress=3600)).connect(http.post(b"", length=60_000))

    def answered() -> bool:
        wire.send(b" ")
        return bool(select.select([wire.sock], [], [], 0.05)[0])

    http.eventually(answered)
    assert wire.answer()[0] == 400
    assert wire.closed()


def test_an_idle_connection_ends(serve: Any, http: Any) -> None:
    wire = serve(QUICK).connect(http.post(http.SMS))
    assert wire.answer()[0] == 200
    assert wire.closed()


def test_idle_and_slow_clients_do_not_hold_up_a_good_one(serve: Any, http: Any) -> None:
    served = serve(PATIENT, https_enable=True)  # who waited for one of them would wait for longer than the test
    request = http.post(http.SMS, path="/api/message?wait=0")
    silent = [served.connect() for _ in range(150)]
    silent_tls = [socket.create_connection(("127.0.0.1", served.tls_port)) for _ in range(50)]
    dripping = [served.connect(request[:40]) for _ in range(50)]
    try:
        http.eventually(lambda: served.ingress.describe()["connections"] == 250)
        for position in range(40, 60):
            for wire in dripping:
                wire.send(request[position : position + 1])
            assert served.ask(request)[0] == 200
        secure = served.connect_tls(request)
        assert secure.answer()[0] == 200
        assert served.ingress.describe()["threads"] <= 4
        assert [wire.send(request[60:]).answer()[0] for wire in dripping] == [200] * 50
        assert [wire.send(request).answer()[0] for wire in silent] == [200] * 150
    finally:
        for sock in silent_tls:
            sock.close()


def test_with_too_many_connections_the_longest_waiting_one_goes(serve: Any, http: Any) -> None:
    served = serve(max_connections=10)
    wires = [served.connect() for _ in range(10)]
    http.eventually(lambda: served.ingress.describe()["connections"] == 10)
    assert served.ask(http.post(http.SMS))[0] == 200
    assert wires[0].closed()
    assert wires[9].send(http.post(http.SMS)).answer()[0] == 200


def test_a_client_that_never_reads_holds_nobody_up(serve: Any, http: Any) -> None:
    served = serve(QUICK)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    sock.connect(("127.0.0.1", served.port))
    sock.setblocking(False)
    requests = memoryview(http.get("/api/openapi.json") * 2000)
    with sock:
        while requests:
            try:
                requests = requests[sock.send(requests) :]
            except BlockingIOError:
                break
        assert served.ask(http.post(http.SMS))[0] == 200
        http.eventually(lambda: served.ingress.describe()["connections"] == 0)
    assert served.ask(http.post(http.SMS))[0] == 200


def test_a_client_that_resets_in_mid_request(served: Any, http: Any) -> None:
    served.gateway.hold = True
    wire = served.connect(http.post(http.SMS))
    http.eventually(lambda: len(served.gateway.tickets) == 1)
    wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    wire.close()
    served.gateway.release()
    http.eventually(lambda: served.ingress.describe()["connections"] == 0)
    served.gateway.hold = False
    assert served.ask(http.post(http.SMS))[0] == 200


def test_stop_answers_running_requests_and_closes_the_others(served: Any, http: Any) -> None:
    served.gateway.hold = True
    idle, half = served.connect(), served.connect(b"POST ")
    waiting = [served.connect(http.post(http.SMS)) for _ in range(8)]
    http.eventually(lambda: len(served.gateway.tickets) == 8)
    port = served.port
    served.ingress.stop()
    assert idle.closed()
    assert half.closed()
    assert [wire.answer()[0] for wire in waiting] == [
        202
    ] * 8  # nobody released them, and the stop did not wait for ever
    served.thread.join(PATIENCE)
    assert not served.thread.is_alive()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_what_becomes_final_while_it_stops_is_told(serve: Any, http: Any) -> None:
    served = serve(Timeouts(stop=20))
    served.gateway.hold = True
    wire = served.connect(http.post(http.SMS))
    http.eventually(lambda: len(served.gateway.tickets) == 1)
    served.ingress.stop()
    served.gateway.release()
    assert wire.answer()[1]["data"]["state"] == "sent"
    served.thread.join(PATIENCE)
    assert not served.thread.is_alive()


def test_the_api_answers_again_after_a_time_without_threads(
    serve: Any, http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that could not be started was counted: after four of them, over days, nobody was answered any more."""
    served = serve()
    served.gateway.hold = True
    wires = [served.connect(http.post(http.SMS))]
    http.eventually(lambda: len(served.gateway.tickets) == 1)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _cannot_start)
        wires += [served.connect(http.post(http.SMS)) for _ in range(8)]
        served.gateway.release()
        served.gateway.hold = False
        assert [wire.answer()[0] for wire in wires] == [200] * 9  # by the one thread that there is
    served.gateway.hold = True
    more = [served.connect(http.post(http.SMS)) for _ in range(12)]
    http.eventually(lambda: len(served.gateway.tickets) == 21)  # twelve wait at the same time
    served.gateway.release()
    assert [wire.answer()[0] for wire in more] == [200] * 12


def _cannot_start(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")
