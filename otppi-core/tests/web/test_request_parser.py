"""Parsing without sockets: the same requests however the bytes arrive; garbage gives a refusal, nothing else."""

import gc
import re
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otppi.web.request import Refusal, Refused, Request
from otppi.web.request_parser import CONTINUE, RequestParser, RequestStage
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


END = re.compile(rb"\r?\n\r?\n")


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a"]), max_size=12).map(b"".join), st.integers(0, 20))
def test_the_first_empty_line_ends_the_head_however_lines_end(rest: bytes, cut: int) -> None:
    """Where it ends is where another server on the way sees the next request begin."""
    octets = b"GET / HTTP/1.1\r\nHost: " + rest
    match = END.search(octets)
    head = octets[: match.start()].replace(b"\r\n", b"\n") if match else b""
    assert lines_of([octets]) == head
    assert lines_of([octets[:cut], octets[cut:]]) == head


def lines_of(pieces: list[bytes]) -> bytes:
    """Return the lines of the first head as the parser cuts them, without looking into them."""
    cut: list[str] = []

    def fields(lines: list[str]) -> dict[str, str]:
        cut.extend(lines)
        return {"host": "a"}

    parser = reader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("otppi.web.request_parser._fields", fields)
        for piece in pieces:
            parser.receive(piece)
            parser.next_request()
    return "\n".join(cut).encode()


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


def parsed(head: str, *, secure: bool = False) -> Request:
    source = RequestParser(("192.0.2.1", 4000), lambda _: 1000, secure=secure)
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


def test_a_head_that_is_remembered_is_refused_where_less_may_come_now(read: list[str]) -> None:
    limits = [3, 3, 3, 2]
    source = RequestParser(("127.0.0.1", 2), lambda _: limits.pop(0))
    for _ in range(3):
        source.receive(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
        assert source.next_request() is not None
    source.receive(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
    with pytest.raises(Refused) as refused:
        source.next_request()
    assert refused.value.refusal.status == 413
    assert len(read) == 2


def test_who_waits_to_be_told_to_go_on_is_told_so_each_time_and_nobody_else() -> None:
    source, length = reader(), b"Content-Length: 3\r\n\r\n"
    waits, goes_on = (b"POST / HTTP/1.1\r\nHost: a\r\n" + more + length for more in (b"Expect: 100-continue\r\n", b""))
    for head, interim in [(waits, CONTINUE)] * 3 + [(goes_on, b"")] * 3:
        source.receive(head)
        assert source.next_request() is None
        assert source.interim() == interim
        source.receive(b"abc")
        assert source.next_request() is not None
    source.receive(waits + b"abc")  # it does not wait after all
    assert source.next_request() is not None
    source.receive(goes_on)
    assert source.next_request() is None
    assert source.interim() == b""


NEARLY_ALIKE = [
    b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nde",
    b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 03\r\n\r\nfgh",
    b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nijk\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nlmn",
    b"POST /a HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YTpi\r\nContent-Length: 3\r\n\r\nopq",
    b"POST /a HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YTpj\r\nContent-Length: 3\r\n\r\nrst",
    b"POST /a HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\n\r\nuvw",
    b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a\n\n",
    b"GET /a HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a\r\nX: 1\r\nX: 1\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET http://b/a HTTP/1.1\r\nHost: a\r\n\r\n",
]


def all_of(pieces: list[bytes], asked: list[str]) -> list[list[str]]:
    """Return all that is known of each request; `asked` gets those whose limit was asked for."""

    def limit(request: Request) -> int:
        asked.append(str(sorted(request.fields.items())))
        return 1_000

    source, found = RequestParser(("127.0.0.1", 2), limit), []
    for piece in pieces:
        source.receive(piece)
        while (request := source.next_request()) is not None:
            found.append([str(getattr(request, name)) for name in Request.__slots__])
            request.fields["host"] = "what a handler leaves there"
    return found


@given(st.lists(st.tuples(st.sampled_from(NEARLY_ALIKE), st.integers(1, 4)), max_size=8), st.integers(1, 300))
@example([(octets, 3) for octets in NEARLY_ALIKE], 300)
def test_what_a_connection_remembers_changes_nothing(runs: list[tuple[bytes, int]], size: int) -> None:
    each = [octets for octets, times in runs for _ in range(times)]
    stream, asked, asked_alone = b"".join(each), list[str](), list[str]()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert all_of(pieces, asked) == [all_of([octets], asked_alone)[0] for octets in each]
    assert asked == asked_alone


@pytest.mark.parametrize(
    ("octets", "path"),
    [
        (b"POST /api/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", "/api/a"),
        (b"GET /api/b HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", "/api/b"),
        (b"POST /api/c HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", "/api/c"),
        (b"POST /api/d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n", "/api/d"),
        (b"GET /api/e HTTP/3.0\r\n\r\n", ""),
        (STREAM + b"no request\r\n\r\n", ""),
    ],
)
def test_what_a_refused_request_asked_for_is_known_where_it_can_be_read(octets: bytes, path: str) -> None:
    source = reader()
    source.receive(octets)
    with pytest.raises(Refused):
        requests(source)
    assert source.path == path
