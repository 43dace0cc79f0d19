"""Framing without sockets: the same requests however the bytes arrive; garbage gives a refusal, nothing else."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from otppi_ingress_rest.framing import Peer, RequestReader, Site, Stage
from otppi_ingress_rest.replies import Refused, Reply

STREAM = (
    b"POST /api/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    b"\r\nPUT /api/b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;x=1\r\nfoo\r\n4\r\nbars\r\n0\r\nA: b\r\n\r\n"
    b"GET /api/c?d=e HTTP/1.1\nHost: a\n\n"
    b"POST /api/d HTTP/1.0\r\nContent-Length: 0\r\n\r\n"
)
EXPECTED = [(b"/api/a", b"hello"), (b"/api/b", b"foobars"), (b"/api/c", b""), (b"/api/d", b"")]


def reader() -> RequestReader:
    return RequestReader(Site(None, ("127.0.0.1", 1), secure=False, body_limit=1000), Peer("127.0.0.1", 2))


def requests(source: RequestReader) -> list[tuple[bytes, bytes]]:
    found = []
    while (request := source.next_request()) is not None:
        found.append((request.path, request.conn.rfile.read()))
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
    assert source.stage is Stage.IDLE
    assert source.incomplete() is None


def refusal(pieces: list[bytes]) -> Reply | None:
    source = reader()
    try:
        for piece in pieces:
            source.receive(piece)
            requests(source)
    except Refused as refused:
        return refused.reply
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
def test_garbage_is_refused_as_json_and_nothing_else_happens(pieces: list[bytes]) -> None:
    reply = refusal(pieces)
    if reply is not None:
        assert 400 <= reply.status < 600
        assert json.loads(reply.body)["response_code"] == "1206"


@given(st.binary(max_size=200))
def test_any_chunked_body_is_read_or_refused(body: bytes) -> None:
    reply = refusal([b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body])
    assert reply is None or reply.status in (400, 413, 414, 431)
