"""Answers that go on: pushed by any thread, bounded, and ended from either side."""

import socket
import ssl
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from otppi.testing.waiting import until
from otppi.web import own_certificate, tls
from otppi.web.request import Refusal, Refused, Request
from otppi.web.response import Response, plain
from otppi.web.router import Router
from otppi.web.stream import Stream
from otppi.web.timeouts import Timeouts


class Events:
    """An application with one stream for whoever asks."""

    def __init__(self, limit: int = 65_536) -> None:
        self.streams: list[Stream] = []
        self.ended: list[int] = []
        self._limit = limit
        self._router = Router()
        self._router.add("/events", {"GET": self._open})
        self._router.add("/secure", {"GET": lambda request: Response(200, str(request.secure).encode())})

    def _open(self, _request: Request) -> Response:
        number = len(self.streams)
        self.streams.append(Stream(self._limit, lambda: self.ended.append(number)))
        return Response(200, self.streams[-1], (("X-A", "1"),), "text/event-stream")

    def body_limit(self, _request: Request) -> int:
        return 0

    def recognises(self, _request: Request) -> bool:
        return True

    def is_quick(self, _request: Request) -> bool:
        return False

    def respond(self, request: Request) -> Response:
        return self._router.find(request)(request)

    def refuse(self, refusal: Refusal, path: str) -> Response:
        return plain(refusal)


def everything(client: socket.socket) -> bytes:
    received = b""
    while data := client.recv(1 << 16):
        received += data
    return received


GET = "GET /events HTTP/1.1\r\nHost: a\r\n\r\n"


def test_what_threads_send_comes_in_order_and_the_end_is_seen(serve: Any) -> None:
    events = Events()
    client = serve(events).connect(GET)
    until(lambda: events.streams)
    stream = events.streams[0]

    def send(name: bytes) -> None:
        for number in range(100):
            assert stream.send(b"%b%03d;" % (name, number))

    threads = [threading.Thread(target=send, args=(name,)) for name in (b"a", b"b", b"c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stream.close()
    stream.close()
    assert not stream.send(b"late")
    head, _, body = everything(client).partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert b"Connection: close" in head
    assert body.endswith(b"\r\n0\r\n\r\n")
    for name in (b"a", b"b", b"c"):
        places = [body.index(b"%b%03d;" % (name, number)) for number in range(100)]
        assert places == sorted(places)
    assert events.ended == [0]


def test_an_old_client_gets_it_without_chunks(serve: Any) -> None:
    events = Events()
    client = serve(events).connect("GET /events HTTP/1.0\r\n\r\n")
    until(lambda: events.streams)
    events.streams[0].send(b"one")
    events.streams[0].close()
    assert everything(client).endswith(b"\r\n\r\none")


def test_head_opens_no_stream(serve: Any) -> None:
    events = Events()
    client = serve(events).connect("HEAD /events HTTP/1.1\r\nHost: a\r\n\r\n")
    assert everything(client).endswith(b"\r\n\r\n")
    until(lambda: events.ended == [0])
    assert events.streams[0].closed


def test_who_does_not_read_is_let_go_and_the_others_go_on(serve: Any) -> None:
    """At once: it kept its connection until the time to write was over, and the monitor its place."""
    events = Events(limit=10_000)
    served = serve(events, timeouts=Timeouts(write=3_600, stop=1.0))
    lazy = served.connect(GET)
    until(lambda: len(events.streams) == 1)
    good = served.connect(GET)
    until(lambda: len(events.streams) == 2)
    data = b"x" * 5_000

    def fill() -> bool:
        return not events.streams[0].send(data)

    until(fill)
    until(lambda: events.ended == [0])
    assert events.streams[1].send(b"still here")
    events.streams[1].close()
    assert b"still here" in everything(good)
    lazy.close()


def test_who_takes_nothing_for_long_is_let_go(serve: Any) -> None:
    events = Events(limit=100_000_000)
    served = serve(events, timeouts=Timeouts(write=0.5, stop=1.0))
    served.connect(GET, receive_buffer=4096)
    until(lambda: events.streams)
    events.streams[0].send(b"x" * 10_000_000)
    until(lambda: events.ended == [0])
    until(lambda: served.server.connections == 0)


def test_a_stop_ends_streams(serve: Any) -> None:
    events = Events()
    served = serve(events)
    client = served.connect(GET)
    until(lambda: events.streams)
    events.streams[0].send(b"last")
    served.server.stop()
    received = everything(client)
    assert b"last" in received
    assert received.endswith(b"0\r\n\r\n")
    assert events.ended == [0]


def test_what_was_sent_before_the_head_went_out_is_not_lost() -> None:
    stream, told = Stream(), []
    assert stream.send(b"early")
    stream.attach(lambda: told.append(1))
    assert stream.send(b", late")
    assert told == [1]
    assert stream.pop() == (b"early, late", False)
    stream.send(b"!")
    assert told == [1, 1]


def test_one_port_may_speak_both(serve: Any, tmp_path: Path) -> None:
    own_certificate.make(tmp_path)
    served = serve(Events(), tls=partial(tls.own, tmp_path), plain=True)
    assert served.ask("GET", "/secure")[2] == b"False"
    context = ssl.create_default_context(cafile=str(tmp_path / own_certificate.CERTIFICATE))
    with context.wrap_socket(served.connect(), server_hostname="localhost") as secure:
        secure.sendall(b"GET /secure HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert everything(secure).endswith(b"True")


def test_streams_over_tls(serve: Any, tmp_path: Path) -> None:
    events = Events(limit=1_000_000)
    own_certificate.make(tmp_path)
    served = serve(events, tls=partial(tls.own, tmp_path))
    context = ssl.create_default_context(cafile=str(tmp_path / own_certificate.CERTIFICATE))
    with context.wrap_socket(served.connect(), server_hostname="localhost") as secure:
        secure.sendall(GET.encode())
        until(lambda: events.streams)
        for number in range(50):
            events.streams[0].send(b"%d;" % number * 500)
        events.streams[0].close()
        assert everything(secure).endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [("GET", "/a", 0, ""), ("HEAD", "/a/", 0, ""), ("POST", "/a", 405, "GET, HEAD"), ("GET", "/b", 404, ""),
     ("GET", "/list/1", 0, ""), ("GET", "/list/", 404, ""), ("GET", "/list/1/2", 404, ""), ("GET", "/list", 404, "")],
)  # fmt: skip
def test_the_table_of_routes(method: str, path: str, status: int, allow: str) -> None:
    router = Router()
    router.add("/a", {"GET": lambda _: Response(200)})
    router.add_below("/list", {"GET": lambda _: Response(200)})
    request = Request(method, path, "", {})
    if not status:
        assert router.find(request)(request).status == 200
        return
    with pytest.raises(Refused) as refused:
        router.find(request)
    assert refused.value.refusal.status == status
    assert dict(refused.value.refusal.headers).get("Allow", "") == allow
