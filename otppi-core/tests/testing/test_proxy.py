"""The TCP proxy of tests: what it forwards, and an end of one side that leaves the other one open."""

import socket
from collections.abc import Iterator

import pytest

from otppi.testing.brokers.proxy import TcpProxy
from otppi.testing.waiting import PATIENCE


@pytest.fixture
def ends() -> Iterator[tuple[TcpProxy, socket.socket, socket.socket]]:
    """Return a proxy, and a client and a server that are connected by it."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        TcpProxy(listener.getsockname()[1]) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), PATIENCE) as client,
        listener.accept()[0] as server,
    ):
        server.settimeout(PATIENCE)
        yield proxy, client, server


def _all_of(sock: socket.socket) -> bytes:
    with sock.makefile("rb") as stream:
        return stream.read()


@pytest.mark.parametrize("hangs", [False, True])
def test_a_side_that_has_sent_all_still_gets_what_the_other_one_sends(
    ends: tuple[TcpProxy, socket.socket, socket.socket], hangs: bool
) -> None:
    proxy, client, server = ends
    client.sendall(b"question")
    client.shutdown(socket.SHUT_WR)
    assert _all_of(server) == b"question"
    if hangs:
        proxy.hang()
        server.sendall(b"a long ")
        proxy.mend()
    server.sendall(b"answer")
    server.shutdown(socket.SHUT_WR)
    assert _all_of(client) == (b"a long answer" if hangs else b"answer")


def test_connections_that_are_dropped_end_on_both_sides(
    ends: tuple[TcpProxy, socket.socket, socket.socket],
) -> None:
    proxy, client, server = ends
    client.shutdown(socket.SHUT_WR)
    assert _all_of(server) == b""
    proxy.drop()
    assert _all_of(client) == b""
