"""Frames: whole, octet by octet, with heart-beats between them, too long, or none at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.kit.net.link import LinkLost
from otppi_ingress_stomp.frames import Frames

CONNECTED = b"CONNECTED\nversion:1.2\nserver:RabbitMQ/3.10.8\nheart-beat:0,0\n\n\x00\n"
MESSAGE = b"MESSAGE\r\nack:1\r\nname:a\\cb\\n\r\ncontent-length:5\r\n\r\n{\n\n\x00}\x00"
PLAIN = b"MESSAGE\nack:2\n\n{}\x00"


def taken(pieces: list[bytes]) -> list[tuple[str, dict[str, str], bytes]]:
    frames = Frames()
    return [(frame.cmd, frame.headers, frame.body) for piece in pieces for frame in frames.feed(piece)]


def test_frames_whole_octet_by_octet_and_with_heart_beats_between() -> None:
    stream = b"\n\r\n" + CONNECTED + b"\n\n" + MESSAGE + PLAIN + b"\n" + PLAIN
    whole = taken([stream])
    assert [frame[0] for frame in whole] == ["CONNECTED", "MESSAGE", "MESSAGE", "MESSAGE"]
    assert whole[1][1]["name"] == "a:b\n"
    assert [frame[2] for frame in whole] == [b"", b"{\n\n\x00}", b"{}", b"{}"]
    assert taken([bytes([octet]) for octet in stream]) == whole


@given(st.lists(st.sampled_from([CONNECTED, MESSAGE, PLAIN, b"\n", b"\r\n"]), max_size=20), st.integers(1, 50))
def test_frames_in_any_pieces(parts: list[bytes], size: int) -> None:
    stream = b"".join(parts)
    assert taken([stream[at : at + size] for at in range(0, len(stream), size)]) == taken([stream])
    assert len(taken([stream])) == sum(part.strip() != b"" for part in parts)


@pytest.mark.parametrize("length", [b"content-length:9000000\n", b""])
def test_a_body_that_is_too_long_is_read_past(length: bytes) -> None:
    stream = b"MESSAGE\nack:1\n" + length + b"\n" + b"7" * 9_000_000 + b"\x00" + PLAIN
    frames = taken([stream[at : at + 65_536] for at in range(0, len(stream), 65_536)])
    assert [(frame[1]["ack"], frame[2]) for frame in frames] == [("1", b""), ("2", b"{}")]


def test_what_has_no_head_is_not_stomp() -> None:
    with pytest.raises(LinkLost, match="does not speak STOMP"):
        taken([b"HTTP/1.1 400" * 9999])
