"""The handshake as bytes: what goes out, and what each answer is told as."""

import base64

import pytest

from otppi.kit.net.link import LinkLost
from otppi_ingress_wsmessagebroker.handshake import Site, accept, check, request, target

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
SITE = Site("domain.example", 8000, "/ws", "username", "password")
DOCUMENTED = b"""\
GET /ws?channel=sms HTTP/1.1
Host: domain.example:8000
Authorization: Basic dXNlcm5hbWU6cGFzc3dvcmQ=
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Sec-WebSocket-Version: 13

"""
ACCEPTED = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)


def test_the_request_is_that_of_the_document_and_the_topic() -> None:
    documented = DOCUMENTED.replace(b"\n", b"\r\n")
    assert request(SITE, "sms", KEY) == documented.replace(b"?channel=sms", b"?channel=sms&topic=sms")


@pytest.mark.parametrize(
    ("path", "topic", "written"),
    [
        ("", "sms", "/?channel=sms&topic=sms"),
        ("/", "sms", "/?channel=sms&topic=sms"),
        ("ws", "sms", "/ws?channel=sms&topic=sms"),
        (" /a/b/ ", "sms", "/a/b/?channel=sms&topic=sms"),
        ("//ws", "sms", "/ws?channel=sms&topic=sms"),
        ("/ws?tenant=1&a=b", "sms", "/ws?tenant=1&a=b&channel=sms&topic=sms"),
        ("/ws?", "sms", "/ws?channel=sms&topic=sms"),
        ("/kantor pusat/é#x", "sms", "/kantor%20pusat/%C3%A9%23x?channel=sms&topic=sms"),
        ("/a%20b", "sms", "/a%20b?channel=sms&topic=sms"),
        ("/ws", "a b&c=d/é%", "/ws?channel=a%20b%26c%3Dd%2F%C3%A9%25&topic=a%20b%26c%3Dd%2F%C3%A9%25"),
        ("/ws\r\nX: y", "a\r\nX: y", "/ws%0D%0AX:%20y?channel=a%0D%0AX%3A%20y&topic=a%0D%0AX%3A%20y"),
    ],
)
def test_paths_and_topics_are_encoded_once(path: str, topic: str, written: str) -> None:
    assert target(path, topic) == written
    assert request(Site("h", 1, path), topic, KEY).count(b"\r\n") == 7


@pytest.mark.parametrize(
    ("host", "port", "field"),
    [
        ("domain.example", 80, "Host: domain.example"),
        ("domain.example", 443, "Host: domain.example"),
        ("domain.example", 8890, "Host: domain.example:8890"),
        ("::1", 8890, "Host: [::1]:8890"),
        ("10.0.0.1", 80, "Host: 10.0.0.1"),
        ("bücher.example", 8890, "Host: xn--bcher-kva.example:8890"),
    ],
)
def test_the_host_has_its_port_unless_that_is_the_usual_one(host: str, port: int, field: str) -> None:
    assert f"\r\n{field}\r\n".encode() in request(Site(host, port), "sms", KEY)


def test_a_host_that_cannot_be_written_is_told() -> None:
    with pytest.raises(LinkLost, match="host is no name"):
        request(Site("é" * 100, 1), "sms", KEY)


def test_credentials_are_sent_where_there_are_any() -> None:
    assert b"Authorization" not in request(Site("h", 1), "sms", KEY)
    for username, password in (("u", ""), ("", "p"), ("ü", "ß:x")):
        token = base64.b64encode(f"{username}:{password}".encode())
        assert b"\r\nAuthorization: Basic " + token + b"\r\n" in request(
            Site("h", 1, "/", username, password), "t", KEY
        )


def test_the_password_is_not_in_what_is_shown_of_the_site() -> None:
    assert "s3cret" not in repr(Site("h", 1, "/", "u", "s3cret"))


def test_an_answer_that_accepts() -> None:
    assert accept(KEY) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 1.3
    check(ACCEPTED.encode(), SITE, KEY)
    check(ACCEPTED.replace("Upgrade\r\n", "keep-alive, UPGRADE\r\n").encode(), SITE, KEY)
    check(ACCEPTED.replace("websocket", "WebSocket").replace("HTTP/1.1", "HTTP/1.0").encode(), SITE, KEY)


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("HTTP/1.1 401 Unauthorized", "username or password is wrong"),
        ("HTTP/1.1 403 Forbidden", "does not let this user connect to this topic"),
        ("HTTP/1.1 404 Not Found", "nothing at this path"),
        ("HTTP/1.1 426 Upgrade Required", "another version"),
        ("HTTP/1.1 200 OK", "a web server, but none of WebSocket"),
        ("HTTP/1.1 500 Oh no", "it answers 500"),
        ("HTTP/1.1 503", "it answers 503"),
        (
            "HTTP/1.1 302 Found\r\nLocation: https://u:p@elsewhere.example:99/x?token=t",
            r"redirects to https://elsewhere\.example:99/x \(302\)",
        ),
        ("HTTP/1.1 301 Moved\r\nLocation: http://[", r"redirects \(301\)"),
        ("HTTP/1.1 301 Moved", r"redirects \(301\)"),
        ("HTTP/1.1 101 Switching Protocols", "no Upgrade"),
        (ACCEPTED.replace("s3p", "xxx"), "wrong Sec-WebSocket-Accept"),
        (ACCEPTED.replace("Sec-WebSocket-Accept", "X"), "wrong Sec-WebSocket-Accept"),
        (ACCEPTED + "\r\nSec-WebSocket-Extensions: permessage-deflate", "an extension"),
        ("220 mail.example ESMTP", "no WebSocket server"),
        ("\x15\x03\x01", "it wants TLS"),
        ("", "no WebSocket server"),
    ],
)
def test_other_answers_are_told_as_what_they_are(head: str, told: str) -> None:
    with pytest.raises(LinkLost, match=told) as raised:
        check(head.encode("latin-1"), SITE, KEY)
    assert "token=t" not in str(raised.value)
    said = str(raised.value).replace("username or password is wrong", "").replace("the password would", "")
    assert "password" not in said


def test_a_server_that_wants_credentials_where_none_are_set() -> None:
    with pytest.raises(LinkLost, match="wants a username and a password"):
        check(b"HTTP/1.1 401 Unauthorized", Site("h", 1), KEY)
