"""A WSGI application on the server: CherryPy, really mounted, with streams, uploads and slow readers."""

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import cherrypy
import pytest

from otppi.testing.waiting import PATIENCE, until
from otppi.web.request import Request
from otppi.web.stream import Stream
from otppi.web.workers import RUNNING
from otppi.web.wsgi import STREAM, WsgiApplication, environment

PARTS, PART = 60, b"0123456789abcdef" * 1024
WATCHERS = 40
SECRET = "kode rahasia"
SMALL, LARGE = 2048, 300_000


class Pages:
    """The application's tree."""

    def __init__(self) -> None:
        self.streams: list[Stream] = []
        self.left = threading.Semaphore(0)
        self.made = 0
        self.closed = threading.Semaphore(0)
        self.ended = threading.Semaphore(0)

    @cherrypy.expose  # type: ignore[untyped-decorator]
    def index(self, name: str = "nobody") -> str:
        cherrypy.response.cookie["a"] = "1"
        cherrypy.response.cookie["b"] = "2"
        return f"hello {name} at {cherrypy.request.remote.ip}"

    @cherrypy.expose  # type: ignore[untyped-decorator]
    def upload(self, file: Any) -> str:
        with file.file as content:  # CherryPy keeps what is large on the card
            return str(len(content.read()))

    @cherrypy.expose  # type: ignore[untyped-decorator]
    def fault(self) -> str:
        raise ValueError(SECRET)

    @cherrypy.expose  # type: ignore[untyped-decorator]
    def elsewhere(self) -> str:
        raise cherrypy.HTTPRedirect("/index")

    @cherrypy.expose  # type: ignore[untyped-decorator]
    def events(self, fails: str = "") -> bytes:
        stream = cherrypy.request.wsgi_environ[STREAM](self.left.release)
        self.streams.append(stream)
        if fails:
            raise cherrypy.HTTPError(403, "no")
        cherrypy.response.headers["Content-Type"] = "text/event-stream"
        return b""

    @cherrypy.expose  # type: ignore[untyped-decorator]
    def download(self) -> Iterator[bytes]:
        cherrypy.response.headers["Content-Type"] = "application/octet-stream"
        cherrypy.request.hooks.attach("on_end_request", self.ended.release)
        return self._parts()

    def _parts(self) -> Iterator[bytes]:
        try:
            for _ in range(PARTS):
                self.made += 1
                assert cherrypy.request.path_info == "/download"  # on whichever thread
                yield PART
        finally:
            self.closed.release()


def carry() -> Callable[[], AbstractContextManager[None]]:
    """Take away what CherryPy keeps by threads, and give what brings it back."""
    request, response = cherrypy.serving.request, cherrypy.serving.response
    cherrypy.serving.clear()

    @contextmanager
    def entered() -> Iterator[None]:
        cherrypy.serving.load(request, response)
        try:
            yield
        finally:
            cherrypy.serving.clear()

    return entered


@pytest.fixture
def pages() -> Pages:
    return Pages()


@pytest.fixture
def mounted(pages: Pages, serve: Any) -> Any:
    """Serve the tree by CherryPy: its dispatcher, tools and hooks, but not its server, engine or bus."""
    settings = {"/": {"tools.trailing_slash.on": True}, "/download": {"response.stream": True}}
    application = cherrypy.Application(pages, "", settings)
    application.log.screen = cherrypy.log.screen = False
    return serve(WsgiApplication(application, lambda request: LARGE if request.path == "/upload" else SMALL, carry))


def read_head(client: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        octet = client.recv(1)
        assert octet, head
        head += octet
    return head


def read_chunk(client: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\r\n"):
        octet = client.recv(1)
        assert octet, line
        line += octet
    size, data = int(line, 16), b""
    while len(data) < size + 2:
        more = client.recv(size + 2 - len(data))
        assert more, (size, len(data))
        data += more
    return data[:-2]


def test_pages(mounted: Any) -> None:
    status, fields, body = mounted.ask("GET", "/?name=b%C3%BC")
    assert (status, body.decode()) == (200, "hello b\xfc at 127.0.0.1")
    assert fields["content-length"] == str(len(body))
    assert fields["content-type"].startswith("text/html")
    assert fields["server"] == "OTP-Pi"
    client = mounted.connect("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert read_head(client).count(b"Set-Cookie: ") == 2
    assert mounted.ask("GET", "/nothing")[0] == 404
    assert mounted.ask("GET", "/elsewhere")[0] == 303
    assert mounted.ask("POST", "/", b"name=x", {"Content-Type": "application/x-www-form-urlencoded"})[2] == (
        b"hello x at 127.0.0.1"
    )
    status, fields, body = mounted.ask("HEAD", "/")
    assert (status, fields["content-length"], body) == (200, str(len("hello nobody at 127.0.0.1")), b"")


def test_a_page_that_fails_is_the_applications_to_tell(mounted: Any) -> None:
    assert mounted.ask("GET", "/fault")[0] == 500
    assert mounted.ask("GET", "/")[0] == 200


def multipart(size: int) -> tuple[bytes, dict[str, str]]:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    return head + b"." * size + b"\r\n--x--\r\n", {"Content-Type": "multipart/form-data; boundary=x"}


def test_an_upload_may_be_larger_than_the_rest(mounted: Any) -> None:
    body, headers = multipart(200_000)
    assert mounted.ask("POST", "/upload", body, headers)[2] == b"200000"
    assert mounted.ask("POST", "/", body, headers)[0] == 413
    client = mounted.connect(
        f"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: {LARGE + 1}\r\nExpect: 100-continue\r\n\r\n"
    )
    assert read_head(client).startswith(b"HTTP/1.1 413 ")  # and no octet of it was asked for


def test_watchers_hold_no_thread(mounted: Any, pages: Pages) -> None:
    watchers = [mounted.connect("GET /events HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(WATCHERS)]
    for watcher in watchers:
        head = read_head(watcher)
        assert head.startswith(b"HTTP/1.1 200 ")
        assert b"Content-Type: text/event-stream" in head
        assert b"Content-Length" not in head
    until(lambda: len(pages.streams) == WATCHERS)
    assert mounted.server.threads <= RUNNING
    assert mounted.ask("GET", "/")[0] == 200
    for number in range(3):
        event = b"data: %d\n\n" % number
        assert all(stream.send(event) for stream in pages.streams)
        assert [read_chunk(watcher) for watcher in watchers] == [event] * WATCHERS
    for watcher in watchers[::2]:
        watcher.close()
    for _ in range(WATCHERS // 2):
        assert pages.left.acquire(timeout=PATIENCE)
    until(lambda: mounted.server.connections == WATCHERS // 2)
    assert sorted(stream.closed for stream in pages.streams) == [False] * (WATCHERS // 2) + [True] * (WATCHERS // 2)
    for stream in pages.streams:
        stream.close()
    for watcher in watchers[1::2]:
        assert read_chunk(watcher) == b""
        assert watcher.recv(1) == b""
    assert mounted.server.threads <= RUNNING


def test_a_stream_is_opened_in_vain_where_the_answer_is_another(mounted: Any, pages: Pages) -> None:
    status, fields, body = mounted.ask("GET", "/events?fails=1")
    assert (status, int(fields["content-length"])) == (403, len(body))
    assert pages.streams[0].closed
    assert pages.left.acquire(timeout=PATIENCE)


def test_slow_readers_of_long_answers_hold_no_thread(mounted: Any, pages: Pages) -> None:
    request = "GET /download HTTP/1.1\r\nHost: a\r\n\r\n"
    readers = [mounted.connect(request, receive_buffer=65_536) for _ in range(3 * RUNNING)]
    heads = [read_head(reader) for reader in readers]
    assert all(b"Transfer-Encoding: chunked" in head for head in heads)
    assert mounted.ask("GET", "/")[0] == 200
    assert mounted.server.threads <= 2 * RUNNING
    assert pages.made < 3 * RUNNING * PARTS  # the rest is made when it is wanted
    gone = readers.pop()
    gone.close()
    assert pages.closed.acquire(timeout=PATIENCE)
    for reader in readers:
        body = b""
        while chunk := read_chunk(reader):
            body += chunk
        assert body == PART * PARTS
    for _ in readers:
        assert pages.closed.acquire(timeout=PATIENCE)
    for _ in (*readers, gone):
        assert pages.ended.acquire(timeout=PATIENCE)


def test_an_old_client_gets_a_long_answer_up_to_the_end_of_the_connection(mounted: Any) -> None:
    client = mounted.connect("GET /download HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert b"Connection: close" in read_head(client)
    body = b""
    while data := client.recv(1 << 16):
        body += data
    assert body == PART * PARTS


def test_a_fault_is_logged_without_its_words(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    def failing(_environ: dict[str, Any], _start: Callable[..., Any]) -> Iterable[bytes]:
        raise ValueError(SECRET)

    served = serve(WsgiApplication(failing, lambda _: SMALL))
    assert served.ask("GET", "/")[0] == 500
    assert "ValueError" in caplog.text
    assert SECRET not in caplog.text


def test_a_body_that_breaks_off_is_seen_to_be_incomplete(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    def failing(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterator[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        for _ in range(9):
            yield PART
        raise ValueError(SECRET)

    served = serve(WsgiApplication(failing, lambda _: SMALL))
    client = served.connect("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    received = b""
    while data := client.recv(1 << 16):
        received += data
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert not received.endswith(b"0\r\n\r\n")
    assert SECRET not in caplog.text
    assert any(record.levelno == logging.ERROR for record in caplog.records)


def test_start_response_write_and_its_errors(serve: Any) -> None:
    def writing(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        write = start("500 Oh", [])
        write = start("200 OK", [("X-A", "1"), ("Date", "never"), ("Connection", "x")], (None, None, None))
        write(b"a")
        environ["wsgi.errors"].write("told\n")
        return [b"b", environ["wsgi.input"].read()]

    served = serve(WsgiApplication(writing, lambda _: SMALL))
    status, fields, body = served.ask("POST", "/", b"c")
    assert (status, fields["x-a"], body) == (200, "1", b"abc")
    assert fields["date"] != "never"
    assert served.ask("POST", "/", b"d")[2] == b"abd"
    silent = serve(WsgiApplication(lambda _environ, _start: [b""], lambda _: SMALL))
    assert silent.ask("GET", "/")[0] == 500


def test_no_line_end_of_an_application_gets_into_the_head(serve: Any) -> None:
    def splitting(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [("X-A", "1\r\nSet-Cookie: x=y")])
        return [b"a"]

    status, fields, _ = serve(WsgiApplication(splitting, lambda _: SMALL)).ask("GET", "/")
    assert (status, "set-cookie" in fields) == (500, False)


@pytest.mark.parametrize(
    ("host", "name", "port"),
    [("a.example", "a.example", "80"), ("a.example:81", "a.example", "81"), ("[::1]", "[::1]", "80"),
     ("[::1]:82", "[::1]", "82"), ("", "localhost", "80")],
)  # fmt: skip
def test_the_environment(host: str, name: str, port: str) -> None:
    fields = {"host": host, "x-a": "1", "x_a": "2", "proxy": "http://evil/", "transfer-encoding": "chunked"}
    request = Request("POST", "/\xfc", "a=%31", fields)
    request.body = b"abc"
    made = environment(request)
    assert (made["SERVER_NAME"], made["SERVER_PORT"]) == (name, port)
    assert made["PATH_INFO"].encode("latin-1") == "/\xfc".encode()
    assert (made["QUERY_STRING"], made["CONTENT_LENGTH"], made["HTTP_X_A"]) == ("a=%31", "3", "1")
    assert made.keys() & {"HTTP_PROXY", "HTTP_TRANSFER_ENCODING", "HTTPS"} == set()
