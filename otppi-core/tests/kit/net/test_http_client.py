"""The HTTP client, and servers that redirect, drip, talk on and on, hang up, or say nothing."""

import http.server
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator

import pytest

from otppi.kit.net.http_client import HttpClient
from otppi.kit.net.link import LinkLost
from otppi.testing.waiting import PATIENCE, until

Act = Callable[["Handler"], None]


class Handler(http.server.BaseHTTPRequestHandler):
    """Does what the test's script says; where that is at its end, it says `fine`."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.requests.append((self.command, self.path, body, self.client_address[1]))
        act = self.server.script.popleft() if self.server.script else say(200, b"fine")
        act(self)

    do_GET = do_POST  # noqa: N815 - the library's name

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: deque[Act] = deque()
        self.requests: list[tuple[str, str, bytes, int]] = []
        self.release = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/update?key=inurl"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is no error."""

    def end(self) -> None:
        self.release.set()
        self.shutdown()
        self._thread.join()
        self.server_close()


def say(status: int, body: bytes = b"", length: int | None = None, **headers: str) -> Act:
    def act(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
        if length is not None:
            handler.server.release.wait(PATIENCE)

    return act


def drip(head: bytes) -> Act:
    def act(handler: Handler) -> None:
        handler.wfile.write(head)
        while not handler.server.release.wait(0.02):
            handler.wfile.write(b"x")

    return act


def hang_up(handler: Handler) -> None:
    handler.close_connection = True


def be_silent(handler: Handler) -> None:
    handler.server.release.wait(PATIENCE)
    handler.close_connection = True


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.end()


@pytest.fixture
def client(server: Server) -> Iterator[HttpClient]:
    one = HttpClient(server.url, timeout=60.0, answer_limit=1000)
    yield one
    one.close()


def test_requests_over_one_connection(server: Server, client: HttpClient) -> None:
    answer = client.request("POST", b"a=1", {"X-A": "1"})
    assert (answer.status, answer.body, answer.whole) == (200, b"fine", True)
    assert answer.headers["content-length"] == "4"
    assert client.request("GET", target="/other").status == 200
    assert [one[:3] for one in server.requests] == [("POST", "/update?key=inurl", b"a=1"), ("GET", "/other", b"")]
    assert len({port for *_, port in server.requests}) == 1
    assert "fine" not in repr(answer)


def test_a_redirect_is_an_answer(server: Server, client: HttpClient) -> None:
    server.script.append(say(302, Location=server.url))
    answer = client.request("GET")
    assert (answer.status, answer.headers["location"]) == (302, server.url)
    assert len(server.requests) == 1


def test_no_proxy_is_asked(server: Server, client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    assert client.request("GET").status == 200


@pytest.mark.parametrize(("size", "whole"), [(999, True), (1000, True), (1001, False)])
def test_an_answer_is_read_up_to_the_limit(server: Server, client: HttpClient, size: int, whole: bool) -> None:
    server.script.append(say(200, b"x" * size))
    answer = client.request("GET")
    assert (len(answer.body), answer.whole) == (min(size, 1000), whole)
    assert client.request("GET").body == b"fine"


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nX-Drip: "])
def test_a_head_that_drips_ends(server: Server, head: bytes) -> None:
    server.script.append(drip(head))
    client = HttpClient(server.url, timeout=2.0)
    with pytest.raises(LinkLost, match=r"did not answer within 2 s"):
        client.request("GET")
    assert client.request("GET").status == 200
    client.close()


def test_a_body_that_does_not_come_leaves_the_status(server: Server) -> None:
    server.script.append(say(200, b"x", length=50))
    client = HttpClient(server.url, timeout=2.0)
    answer = client.request("GET")
    assert (answer.status, answer.whole) == (200, False)
    assert client.request("GET").whole
    client.close()


def test_a_connection_that_was_closed_meanwhile(server: Server, client: HttpClient) -> None:
    for repeatable in (True, False):
        client.close()
        assert client.request("GET").status == 200
        before = len(server.requests)
        server.script.append(hang_up)
        if repeatable:
            assert client.request("GET", repeatable=True).body == b"fine"
            assert len(server.requests) == before + 2
        else:
            with pytest.raises(LinkLost):
                client.request("GET")
            assert len(server.requests) == before + 1
    server.script.append(hang_up)
    with pytest.raises(LinkLost):  # over a new connection it is the server's answer
        client.request("GET", repeatable=True)


def test_what_is_no_http_is_told(server: Server, client: HttpClient) -> None:
    def greet(handler: Handler) -> None:
        handler.wfile.write(b"SSH-2.0-x\r\n\r\n")

    server.script.append(greet)
    with pytest.raises(LinkLost, match="BadStatusLine"):
        client.request("GET")


def test_it_can_be_ended_while_it_waits(server: Server, client: HttpClient) -> None:
    server.script.append(be_silent)
    raised: list[BaseException] = []

    def ask() -> None:
        try:
            client.request("GET", repeatable=True)
        except LinkLost as error:
            raised.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    until(lambda: server.requests)
    client.hang_up()
    thread.join(PATIENCE)
    assert len(raised) == 1
    with pytest.raises(LinkLost, match="no longer wanted"):
        client.request("GET")


def test_the_family_of_addresses_may_be_chosen(server: Server) -> None:
    url = server.url.replace("127.0.0.1", "localhost")
    four = HttpClient(url, timeout=60.0, family=socket.AF_INET)
    assert four.request("GET").status == 200
    four.close()
    six = HttpClient(server.url, timeout=60.0, family=socket.AF_INET6)
    with pytest.raises(LinkLost):
        six.request("GET")
    six.close()
