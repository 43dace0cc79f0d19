"""What a connection keeps while its client asks for nothing."""

import math
from typing import Any

import pytest

from otppi.testing.waiting import until
from otppi.web import driver
from otppi.web.request import Refusal, Request
from otppi.web.response import Response, plain


class Plain:
    """An application that answers the same to everybody, on a worker's thread or on that of all connections."""

    def __init__(self, *, quick: bool) -> None:
        self._quick = quick

    def body_limit(self, _request: Request) -> int:
        return 0

    def recognises(self, _request: Request) -> bool:
        return True

    def is_quick(self, _request: Request) -> bool:
        return self._quick

    def respond(self, _request: Request) -> Response:
        return Response(200, b"well")

    def refuse(self, refusal: Refusal, path: str) -> Response:
        return plain(refusal)


@pytest.mark.parametrize("quick", [True, False], ids=["server's thread", "worker"])
def test_the_head_with_the_password_is_forgotten_when_nothing_more_is_asked(
    serve: Any, monkeypatch: pytest.MonkeyPatch, quick: bool
) -> None:
    monkeypatch.setattr(driver, "FORGET_AFTER", math.inf)
    served = serve(Plain(quick=quick))
    client = served.connect()
    for _ in range(3):
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic dTpw\r\n\r\n")
        received = b""
        while not received.endswith(b"well"):
            received += client.recv(1 << 16)
    (connection,) = served.server._connections
    assert connection.parser._remembered[1].fields["authorization"] == "Basic dTpw"
    monkeypatch.setattr(driver, "FORGET_AFTER", 0.0)
    until(lambda: connection.parser._remembered is None, "what came again and again is forgotten")
    assert served.server.connections == 1, "it stays open"
