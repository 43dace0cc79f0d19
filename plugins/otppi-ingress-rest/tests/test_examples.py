"""Every HTTP example of the seed document, byte for byte, over a raw socket."""

from typing import Any

import pytest

HEAD = """\
POST {path} HTTP/1.1
Host: sub.domain.tld
Connection: close
User-agent: KSPS
Content-type: application/json
Content-length: {length}
Authorization: Basic dXNlcjpwYXNzd29yZA==

"""
SEND_SMS = """{
	"command": "send-sms",
	"data": {
		"id": 123456,
		"receiver": "08126666666",
		"message": "OTP Anda adalah 1234"
	}
}"""
SEND_EMAIL = """{
	"command": "send-email",
	"data": {
		"id": 123456,
		"receiver": "someone@domain.tld",
		"message": "OTP Anda adalah 1234"
	}
}"""
BLOCK = """{
	"command": "block-msisdn",
	"data": {
		"receiver": "08126666666",
	}
}"""
UNBLOCK = """{
	"command": "unblock-msisdn",
	"data": {
		"receiver": "08126666666",
	}
}"""
EXAMPLES = {
    "send-sms": ("/api/sms", 129, SEND_SMS),
    "send-email": ("/api/sms", 138, SEND_EMAIL),
    "block-msisdn": ("/api/block", 70, BLOCK),
    "unblock-msisdn": ("/api/unblock", 81, UNBLOCK),
}
RIGHT = ["send-sms", "send-email", "unblock-msisdn"]


def example(name: str, *, body_ends: str = "\r\n", length: int | None = None) -> bytes:
    path, declared, body = EXAMPLES[name]
    body = body.replace("\n", body_ends)
    head = HEAD.format(path=path, length=declared if length is None else length)
    return head.replace("\n", "\r\n").encode() + body.encode()


@pytest.mark.parametrize("name", RIGHT)
def test_example_as_printed(served: Any, name: str) -> None:
    wire = served.connect(example(name))
    status, answer = wire.answer()
    assert (status, answer["command"], answer["response_code"]) == (200, name, "0000")
    assert wire.closed()
    [(envelope, origin)] = served.gateway.taken
    assert origin.sender.name == "user"
    assert origin.address == "127.0.0.1"
    assert envelope.items[0].receiver in ("08126666666", "someone@domain.tld")


@pytest.mark.parametrize("name", RIGHT)
def test_example_octet_by_octet(served: Any, name: str) -> None:
    wire = served.connect()
    for octet in example(name):
        wire.send(bytes([octet]))
    assert wire.answer()[0] == 200


def test_the_block_example_announces_too_little_and_gets_400_at_once(served: Any) -> None:
    wire = served.connect(example("block-msisdn"))
    status, answer = wire.answer()
    assert (status, answer["response_code"]) == (400, "1206")
    assert answer["data"]["errors"][0]["field"] == "body"
    assert wire.closed()
    assert served.gateway.taken == []


@pytest.mark.parametrize(("name", "length"), [("block-msisdn", 79), ("block-msisdn", 500)])
def test_the_block_example_with_another_length(served: Any, name: str, length: int) -> None:
    wire = served.connect(example(name, length=length)).half_close()
    status, answer = wire.answer()
    assert status == (200 if length == 79 else 400)
    if length == 500:
        assert answer["data"]["errors"][0]["field"] == "Content-Length"


@pytest.mark.parametrize("name", RIGHT)
def test_line_feeds_only_with_the_printed_length_is_refused_when_the_client_has_no_more(served: Any, name: str) -> None:
    wire = served.connect(example(name, body_ends="\n")).half_close()
    status, answer = wire.answer()
    assert (status, answer["response_code"]) == (400, "1206")
    assert answer["data"]["errors"][0]["field"] == "Content-Length"
    assert served.gateway.taken == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_line_feeds_only_with_their_own_length(served: Any, name: str) -> None:
    body = EXAMPLES[name][2].encode()
    assert served.ask(example(name, body_ends="\n", length=len(body)))[0] == 200


@pytest.mark.parametrize("name", RIGHT)
def test_a_head_with_line_feeds_only_is_understood_too(served: Any, name: str) -> None:
    head, _, body = example(name).partition(b"\r\n\r\n")
    assert served.ask(head.replace(b"\r\n", b"\n") + b"\n\n" + body)[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    "name",
    ["message", "sms", "email", "mail", "otp", "block", "unblock", "blocking", "unblocking", "modem", "ussd", "sms/"],
)
def test_every_path_takes_every_command(served: Any, name: str, method: str) -> None:
    request = example("send-sms").replace(b"POST /api/sms", f"{method} /api/{name}".encode())
    assert served.ask(request)[1]["response_code"] == "0000"


def test_configured_paths_are_served_beside_the_aliases(serve: Any) -> None:
    served = serve(message_path="/kirim", blocking_path="/blok", unblocking_path="/buka")
    for path in (b"/kirim", b"/blok", b"/buka", b"/api/block"):
        assert served.ask(example("send-sms").replace(b"/api/sms", path))[0] == 200
