"""Parsing without sockets: the same requests however the bytes arrive; garbage gives a refusal, nothing else."""

import gc
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otppi.web.request import Refusal, Refused, Request
from otppi.web.request_parser import RequestParser, RequestStage
from otppi.web.target import to_origin_form

STREAM = (
    b"POST /api/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    b"\r\nPUT /api/b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;x=1\r\nfoo\r\n4\r\nbars\r\n0\r\nA: b\r\n\r\n"
    b"GET /api/c?d=e HTTP/1.1\nHost: a\n\n"
    b"POST /api/d HTTP/1.0\r\nContent-Length: 0\r\n\r\n"
)
EXPECTED = [("/api/a", b"hello"), ("/api/b", b"foobars"), ("/api/c", b""), ("/api/d", b"")]


def reader() -> RequestParser:
    return RequestParser(("127.0.0.1", 2), lambda _: 1000)


def requests(source: RequestParser) -> list[tuple[str, bytes]]:
    found = []
    while (request := source.next_request()) is not None:
        found.append((request.path, request.body))
    return found


@given(st.lists(st.integers(0, len(STREAM)), max_size=40).map(sorted))
@example(list(range(len(STREAM))))
@example([])
def test_the_same_requests_come_out_however_the_bytes_arrive(cuts: list[int]) -> None:
    source, found = reader(), []
    for start, end in zip([0, *cuts], [*cuts, len(STREAM)], strict=True):
        source.receive(STREAM[start:end])
        found += requests(source)
    assert found == EXPECTED
    assert source.stage is RequestStage.IDLE
    assert source.incomplete() is None


def refusal(pieces: list[bytes]) -> Refusal | None:
    source = reader()
    try:
        for piece in pieces:
            source.receive(piece)
            requests(source)
    except Refused as refused:
        return refused.refusal
    return None


WORDS = [
    b"GET ",
    b"POST /x HTTP/1.1\r\n",
    b"POST /x HTTP/1.1\r\nHost: a\r\n",
    b"Content-Length: ",
    b"Transfer-Encoding: chunked",
    b"\r\n",
    b"\r\n\r\n",
    b" ",
    b"//[",
]


@given(st.lists(st.one_of(st.sampled_from(WORDS), st.binary(max_size=30)), max_size=12))
@example([b"GET //[ HTTP/1.1\r\nHost: a\r\n\r\n"])
@example([b"GET /%zz HTTP/9999999999999999999.1\r\nHost: a\r\n\r\n"])
@example([b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_garbage_is_refused_and_nothing_else_happens(pieces: list[bytes]) -> None:
    found = refusal(pieces)
    assert found is None or (400 <= found.status < 600 and found.part and found.reason)


@given(st.binary(max_size=200))
def test_any_chunked_body_is_read_or_refused(body: bytes) -> None:
    found = refusal([b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body])
    assert found is None or found.status in (400, 413, 414, 431)


def parsed(head: str, **changes: bool) -> Request:
    source = RequestParser(("192.0.2.1", 4000), lambda _: 1000, **changes)
    source.receive(head.encode("latin-1"))
    request = source.next_request()
    assert request is not None
    return request


def test_what_a_request_holds() -> None:
    head = "GET /a%20b%2Fc/%C3%BC?x=%31&y HTTP/1.1\r\nHost: a\r\nACCEPT: 1\r\naccept:\t2 \r\nX: \xfc\r\n\r\n"
    request = parsed(head, secure=True)
    assert (request.method, request.path, request.query) == ("GET", "/a b%2Fc/\xfc", "x=%31&y")
    assert (request.target, request.version) == ("/a%20b%2Fc/%C3%BC?x=%31&y", "HTTP/1.1")
    assert request.fields == {"host": "a", "accept": "1, 2", "x": "\xfc"}
    assert (request.address, request.port, request.secure) == ("192.0.2.1", 4000, True)
    assert request.keep_alive


def test_the_host_of_an_absolute_form_goes_before_the_field() -> None:
    request = parsed("GET http://one.example/x?y HTTP/1.1\r\nHost: two.example\r\n\r\n")
    assert (request.path, request.query, request.field("host")) == ("/x", "y", "one.example")


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        ("1.1", "", True), ("1.1", "close", False), ("1.1", "Keep-Alive, CLOSE", False), ("1.1", "upgrade", True),
        ("1.0", "", False), ("1.0", "keep-alive", True), ("1.0", "keep-alive, close", False),
    ],
)  # fmt: skip
def test_whether_the_connection_goes_on(version: str, connection: str, kept: bool) -> None:
    field = f"Connection: {connection}\r\n" if connection else ""
    assert parsed(f"GET / HTTP/{version}\r\nHost: a\r\n{field}\r\n").keep_alive is kept


def test_a_limit_may_depend_on_the_head() -> None:
    source = RequestParser(("192.0.2.1", 4000), lambda request: 10 if request.path == "/upload" else 2)
    source.receive(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
    assert (request := source.next_request()) is not None
    assert request.body == b"abc"
    source.receive(b"POST /other HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
    with pytest.raises(Refused) as refused:
        source.next_request()
    assert refused.value.refusal.status == 413
    assert source.interim() == b""


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the targets of the heads that were taken apart so far."""
    targets: list[str] = []

    def noted(method: str, target: str, *, secure: bool) -> tuple[str, str]:
        targets.append(target)
        return to_origin_form(method, target, secure=secure)

    monkeypatch.setattr("otppi.web.request_parser.to_origin_form", noted)
    return targets


def head_of(fields: int, length: int = 0) -> bytes:
    lines = ["GET / HTTP/1.1", "Host: a", *(f"X-{number}: {number}" for number in range(fields - 1))]
    lines[1] += "a" * (length - len("\r\n".join(lines)))
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def test_a_head_that_comes_again_on_the_connection_is_read_twice_and_no_more(read: list[str]) -> None:
    """A program that keeps its connection sends the same head again and again."""
    source = reader()
    came = [("1", "abc"), ("1", "def"), ("1", "ghi"), ("2", "jkl"), ("1", "mno"), ("1", "pqr")]
    found = []
    for one, body in came:
        source.receive(f"POST /a%20b?c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nX-One: {one}\r\n\r\n{body}".encode())
        request = source.next_request()
        assert request is not None
        found.append((request.field("x-one"), request.body.decode()))
        assert (request.path, request.query, request.address, request.port) == ("/a b", "c", "127.0.0.1", 2)
        request.fields["x-one"] = "what a handler leaves there"
    assert found == came
    assert len(read) == 3


@pytest.mark.parametrize(
    ("fields", "length", "times"), [(20, 0, 2), (21, 0, 5), (97, 0, 5), (1, 1_024, 2), (1, 1_025, 5)]
)
def test_a_long_head_is_not_remembered(read: list[str], fields: int, length: int, times: int) -> None:
    source = reader()
    for _ in range(5):
        source.receive(head_of(fields, length))
        assert source.next_request() is not None
    assert len(read) == times


@pytest.mark.parametrize(("fields", "times", "most"), [(20, 1, 1_000), (20, 5, 6_000), (97, 5, 1_000)])
def test_what_a_connection_remembers_is_little_and_nothing_of_a_single_request(
    fields: int, times: int, most: int
) -> None:
    sources = [reader() for _ in range(50)]
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for source in sources:
            for _ in range(times):
                source.receive(head_of(fields, 1_024))
                assert source.next_request() is not None
        assert (tracemalloc.get_traced_memory()[0] - before) / len(sources) < most
    finally:
        tracemalloc.stop()


def test_a_head_is_forgotten(read: list[str]) -> None:
    source = reader()
    for _ in range(3):
        source.receive(head_of(2))
        assert source.next_request() is not None
    source.forget_head()
    source.receive(head_of(2))
    assert source.next_request() is not None
    assert len(read) == 3
    assert source._remembered is None


def test_a_head_that_comes_again_is_refused_again() -> None:
    source = RequestParser(("127.0.0.1", 2), lambda _: 2)
    for _ in range(2):
        source.receive(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
        with pytest.raises(Refused) as refused:
            source.next_request()
        assert refused.value.refusal.status == 413
