"""What of the traffic is a command for us."""

import pytest

from otppi_ingress_wsmessagebroker import traffic
from otppi_ingress_wsmessagebroker.traffic import Kind, Published, kind_of


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (b'{"command": "send-sms"}', Kind.COMMAND),
        (b'\xef\xbb\xbf{"command": "echo",}', Kind.COMMAND),
        (b'{"command": "send-message", "channel": "sms", "data": []}', Kind.COMMAND),
        (b'{"command": "unknown", "callback_topic": "t"}', Kind.COMMAND),
        (b'{"callback_topic": 5}', Kind.COMMAND),
        (b"eyJh.x-_.y.z.t", Kind.COMMAND),  # encrypted, RFC 7516 7.1; without an encrypted key below
        (b' "eyJh..y.z.t"\n', Kind.COMMAND),
        (b'{"protected": "eyJh", "ciphertext": "z"}', Kind.COMMAND),
        (b'{"command": "send-sms", "response_code": "0000", "callback_topic": "t"}', Kind.ANSWER),
        (b'{"command": "unknown"}', Kind.OTHER),
        (b'{"command": ["send-sms"]}', Kind.OTHER),
        (b'{"command": "send-sms"', Kind.OTHER),
        (b'[{"command": "send-sms"}]', Kind.OTHER),
        (b"a.b.c", Kind.OTHER),
        (b'"hello"', Kind.OTHER),
        (b"\xff", Kind.OTHER),
        (b"", Kind.OTHER),
        (b"[" * 100_000, Kind.OTHER),
    ],
)
def test_kinds(message: bytes, kind: Kind) -> None:
    assert kind_of(message, Published()) is kind


def test_what_was_published_lately_is_an_echo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "_REMEMBERED", 2)
    published = Published()
    for message in (b"one", b"two", b"one", b"three"):
        published.add(message)
    assert [kind_of(message, published) for message in (b"one", b"two", b"three")] == [
        Kind.ECHO,
        Kind.OTHER,
        Kind.ECHO,
    ]
