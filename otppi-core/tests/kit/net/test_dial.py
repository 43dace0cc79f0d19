"""One dialer: names, addresses, TLS, time-outs, and how it is ended. Servers are real sockets of this machine."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from otppi.kit.net.dial import Dialer, dial
from otppi.kit.net.endpoint import Endpoint
from otppi.kit.net.link import LinkLost
from otppi.kit.net.tls import verifying_context
from otppi.kit.net.wake import Alarm, Wake
from otppi.testing.brokers.certificates import Authority, Pair
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE

Listen = Callable[..., int]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Return a function that serves whoever comes with `greet`, after a handshake where there is a certificate."""
    with ExitStack() as stack:

        def start(greet: bytes = b"hello", pair: Pair | None = None) -> int:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            context = None
            if pair is not None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(pair.certificate, pair.key)

            def serve() -> None:
                while True:
                    try:
                        peer, _ = listener.accept()
                    except OSError:
                        return
                    with peer, suppress(OSError):
                        peer.settimeout(PATIENCE)
                        one = context.wrap_socket(peer, server_side=True) if context is not None else peer
                        with one:
                            one.sendall(greet)
                            one.recv(1)

            thread = threading.Thread(target=serve)
            thread.start()
            stack.callback(thread.join)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            return int(listener.getsockname()[1])

        yield start


@pytest.fixture
def silent() -> Iterator[int]:
    """Return the port of a server that lets everybody come, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def names(monkeypatch: pytest.MonkeyPatch, found: Any) -> list[str]:
    """Have the name broker.example looked up by the test: addresses, an error, or a function; give who looked."""
    real = socket.getaddrinfo
    threads: list[str] = []

    def lookup(host: str, port: int, *words: Any, **more: Any) -> Any:
        if host != "broker.example" or more.get("flags"):
            return real(host, port, *words, **more)
        threads.append(threading.current_thread().name)
        outcome = found() if callable(found) else found
        if isinstance(outcome, Exception):
            raise outcome
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in outcome]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return threads


def test_a_connection_is_opened(listen: Listen) -> None:
    with dial(Endpoint("127.0.0.1", listen())) as sock:
        assert not sock.getblocking()
        sock.settimeout(PATIENCE)
        assert sock.recv(5) == b"hello"
        options = {(socket.IPPROTO_TCP, socket.TCP_NODELAY), (socket.SOL_SOCKET, socket.SO_KEEPALIVE)}
        assert all(sock.getsockopt(*option) for option in options)


def test_a_name_is_looked_up_and_each_of_its_addresses_tried(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = names(monkeypatch, ["127.0.0.2", "127.0.0.1"])  # nobody listens at the first
    with dial(Endpoint("broker.example", listen(), 20)) as sock:
        assert sock.getpeername()[0] == "127.0.0.1"
    assert threads == ["name lookup"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_tls(listen: Listen, authority: Authority, host: str) -> None:
    context = verifying_context(str(authority.ca_file))
    with dial(Endpoint(host, listen(pair=authority.good()), 20, context)) as sock:
        assert isinstance(sock, ssl.SSLSocket)
        sock.settimeout(PATIENCE)
        assert sock.recv(5) == b"hello"


@pytest.mark.parametrize(
    ("which", "ours", "sentence"),
    [
        ("wrong_name", True, "the server's certificate is not valid for localhost: Hostname mismatch"),
        ("expired", True, "the server's certificate is not valid for localhost: certificate has expired"),
        ("good", False, "the server's certificate is not valid for localhost: unable to get local issuer certificate"),
    ],
)
def test_certificates_are_verified(listen: Listen, authority: Authority, which: str, ours: bool, sentence: str) -> None:
    context = verifying_context(str(authority.ca_file) if ours else "")
    with pytest.raises(LinkLost, match=sentence):
        dial(Endpoint("localhost", listen(pair=getattr(authority, which)()), 20, context))


def test_a_server_without_tls_is_told(listen: Listen) -> None:
    with pytest.raises(LinkLost, match="does not seem to speak TLS at this port, and ssl is on"):
        dial(Endpoint("127.0.0.1", listen(b"220 mail.example ESMTP\r\n"), 20, verifying_context()))


def test_a_server_that_hangs_up_during_the_handshake_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            peer, _ = listener.accept()
            peer.recv(1)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # with a reset
            peer.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(LinkLost, match="does not seem to speak TLS at this port"):
            dial(Endpoint("127.0.0.1", listener.getsockname()[1], 20, verifying_context()))
        thread.join()


def test_nobody_listens() -> None:
    with pytest.raises(LinkLost, match=r"^nobody listens at port 1$"):
        dial(Endpoint("127.0.0.1", 1))


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("a" * 100 + ".example", "is no name of a server"),
        ("in valid\r\nX: y", "is not known|is no name of a server"),
    ],
)
def test_what_is_no_name_is_told(host: str, sentence: str) -> None:
    with pytest.raises(LinkLost, match=sentence):
        dial(Endpoint(host, 1))


def test_a_name_that_does_not_exist_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    with pytest.raises(LinkLost, match=r"^host broker.example is not known \(Name or service not known\)$"):
        dial(Endpoint("broker.example", 1))


def test_a_server_that_says_nothing_is_given_up_in_time(silent: int) -> None:
    with pytest.raises(LinkLost, match=r"^the server did not answer within 0.2 s$"):
        dial(Endpoint("127.0.0.1", silent, 0.2, verifying_context()))


def test_a_silent_address_leaves_time_for_the_others(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    port = listen()
    with socket.socket() as full, socket.socket() as one, socket.socket() as other:
        full.bind(("127.0.0.2", port))
        full.listen(0)
        for filler in (one, other):  # a queue that is full answers no SYN (listen(2))
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.2", port))
        names(monkeypatch, ["127.0.0.2", "127.0.0.1"])
        with dial(Endpoint("broker.example", port, 2)) as sock:
            assert sock.getpeername()[0] == "127.0.0.1"


def test_a_search_that_hangs_is_not_waited_for_and_not_started_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def hang() -> Any:
        answered.wait(PATIENCE)
        return ["127.0.0.1"]

    threads = names(monkeypatch, hang)
    dialer = Dialer(Endpoint("broker.example", 1, 0.1))
    try:
        for _ in range(2):
            with pytest.raises(LinkLost, match=r"^the name of host broker.example was not resolved within 0.1 s$"):
                dialer.dial()
        assert threads == ["name lookup"]
    finally:
        answered.set()
    until(lambda: "name lookup" not in [thread.name for thread in threading.enumerate()])
    with pytest.raises(LinkLost, match="nobody listens at port 1"):  # the search's answer is taken
        dialer.dial()
    assert len(threads) <= 2


def test_a_search_that_could_not_be_started_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, listen: Listen) -> None:
    """Every later connection would have waited for the thread that is not there."""

    def cannot_start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    dialer = Dialer(Endpoint("localhost", listen(), 20))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", cannot_start)
        with pytest.raises(LinkLost, match="no thread can be started to look up host localhost"):
            dialer.dial()
    dialer.dial().close()


@pytest.mark.parametrize("where", ["name", "handshake"])
def test_it_is_ended_by_the_wake_up(silent: int, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    answered, waits = threading.Event(), threading.Event()
    names(monkeypatch, lambda: answered.wait(PATIENCE) and ["127.0.0.1"])
    alarm = Alarm()
    host = "broker.example" if where == "name" else "127.0.0.1"
    context = None if where == "name" else verifying_context()
    real = alarm.wait

    def wait(*arguments: Any) -> Any:
        waits.set()
        return real(*arguments)

    monkeypatch.setattr(alarm, "wait", wait)

    def stop() -> None:
        waits.wait(PATIENCE)
        alarm.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    began = time.monotonic()
    try:
        with pytest.raises(LinkLost, match="no longer wanted"):
            Dialer(Endpoint(host, silent, 60, context), alarm, lambda: alarm.ends_at).dial()
    finally:
        answered.set()
        stopper.join()
    assert time.monotonic() - began < 30
    until(lambda: "name lookup" not in [thread.name for thread in threading.enumerate()])


def test_being_woken_for_something_else_does_not_end_it(listen: Listen, authority: Authority) -> None:
    wake = Wake()
    wake.set()
    context = verifying_context(str(authority.ca_file))
    endpoint = Endpoint("127.0.0.1", listen(pair=authority.good()), 20, context)
    Dialer(endpoint, wake).dial().close()


def test_no_descriptor_is_left_when_it_fails(monkeypatch: pytest.MonkeyPatch, silent: int) -> None:
    made: list[socket.socket] = []

    class Noted(socket.socket):
        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more)
            made.append(self)

    monkeypatch.setattr(socket, "socket", Noted)
    for endpoint in (Endpoint("127.0.0.1", 1), Endpoint("127.0.0.1", silent, 0.05, verifying_context())):
        with pytest.raises(LinkLost):
            dial(endpoint)
    assert len(made) >= 2
    assert [sock.fileno() for sock in made] == [-1] * len(made)
