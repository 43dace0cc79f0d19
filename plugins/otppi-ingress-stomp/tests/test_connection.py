"""The connection: TLS, passwords, brokers that are killed, paused, restarted, silent, or no brokers at all."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otppi.testing.brokers.rabbitmq import RabbitMq
from otppi.testing.stand_in import StandInGateway
from otppi.testing.waiting import PATIENCE
from otppi_ingress_stomp.settings import SECTION

GREETING = b"CONNECTED\nversion:%s\nserver:Test/1\nheart-beat:%s\n\n\x00"


def _wait_for(eventually: Any, rabbitmq: RabbitMq) -> None:
    def is_up() -> bool:
        with contextlib.suppress(OSError):
            return rabbitmq._ready()
        return False

    eventually(is_up)


@pytest.mark.parametrize("fault", ["kill", "pause"])
def test_nothing_is_lost_when_the_broker_fails(
    serve: Any, client: Any, rabbitmq: RabbitMq, gateway: StandInGateway, tools: Any, fault: str
) -> None:
    gateway.room, gateway.hold = 20, True
    served = serve()
    for number in range(200):
        client.send(tools.command(str(number)))
    tools.eventually(lambda: len(gateway.taken) == 20)
    client.close()
    try:
        if fault == "kill":
            rabbitmq.kill()
        else:
            rabbitmq.pause()
        tools.eventually(lambda: not served.says("connected"))
        assert all(ticket.withdrawn for ticket in gateway.tickets)
        if fault == "pause":
            assert "silent" in served.says("last_problem")
    finally:
        rabbitmq.resume() if fault == "pause" else rabbitmq.start()
    gateway.hold = False
    tools.eventually(lambda: len(set(gateway.texts())) == 200)
    tools.eventually(lambda: served.says("in_flight") == 0)
    again = {envelope.items[0].message for envelope, origin in gateway.taken[20:] if origin.redelivered}
    assert {text for text in gateway.texts() if gateway.texts().count(text) > 1} <= again
    served.stop()
    _wait_for(tools.eventually, rabbitmq)
    other = tools.Client(rabbitmq)
    assert other.channel.queue_declare(client.queue, passive=True).method.message_count == 0
    other.close()


def test_passwords_virtual_hosts_and_rights(
    serve: Any, client: Any, tools: Any, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "a-secret-of-the-test"
    wrong = serve(password=secret)
    problem = tools.eventually(lambda: wrong.says("last_problem"))
    assert problem.startswith("the server refuses the connection: username or password is wrong: ")
    assert "Access refused" in problem
    elsewhere = serve(virtual_host="elsewhere")
    assert "refuses the connection" in tools.eventually(lambda: elsewhere.says("last_problem"))
    nowhere = serve(destination="/amq/queue/not-there")
    assert "not_found" in tools.eventually(lambda: nowhere.says("last_problem"))
    assert secret not in caplog.text


@pytest.fixture
def listener() -> Iterator[Callable[..., socket.socket]]:
    """Return a function that listens, and answers the first bytes of who comes with some of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server, contextlib.ExitStack() as peers:
        server.settimeout(PATIENCE)

        def accept(answer: bytes) -> socket.socket:
            peer, _ = server.accept()
            peers.enter_context(peer)
            peer.settimeout(PATIENCE)
            peer.recv(4096)
            peer.sendall(answer)
            return peer

        accept.port = server.getsockname()[1]  # type: ignore[attr-defined]
        yield accept


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\nno\x00", "does not speak STOMP"),
        (GREETING % (b"1.0", b"0,0"), "1.1 or 1.2 is needed"),
        (b"ERROR\nmessage:Sorry\n\nthe first line\nmore\x00", "Sorry: the first line"),
    ],
)
def test_strange_greetings_are_told(serve: Any, listener: Any, tools: Any, answer: bytes, why: str) -> None:
    served = serve(listener.port, destination="/queue/x")
    listener(answer)
    assert why in tools.eventually(lambda: served.says("last_problem"))


def test_heart_beats_go_both_ways_and_silence_is_noticed(serve: Any, listener: Any, tools: Any) -> None:
    served = serve(listener.port, destination="/queue/x")
    peer = listener(GREETING % (b"1.2", b"1000,1000"))
    said = b""
    while b"\x00" not in said:
        said += peer.recv(4096)
    assert b"SUBSCRIBE" in said
    assert b"prefetch-count:100" in said
    assert b"activemq.prefetchSize:100" in said
    while not said.endswith(b"\x00\n\n"):
        said += peer.recv(4096)
        peer.sendall(b"\n")
    assert served.says("connected")
    assert "silent" in tools.eventually(lambda: served.says("last_problem"))


def test_what_an_error_frame_quotes_is_not_logged(
    serve: Any, listener: Any, tools: Any, caplog: pytest.LogCaptureFixture
) -> None:
    served = serve(listener.port, destination="/queue/x")
    peer = listener(GREETING % (b"1.2", b"0,0"))
    peer.sendall(b"ERROR\nmessage:malformed frame\n\nThe message:\n-----\nsecret words\x00")
    assert "malformed frame" in tools.eventually(lambda: served.says("last_problem"))
    assert "secret words" not in caplog.text


def test_an_answer_that_is_never_confirmed_ends_the_connection(
    serve: Any, listener: Any, gateway: StandInGateway, tools: Any
) -> None:
    served = serve(listener.port, destination="/queue/x", timeout=1.0)
    peer = listener(GREETING % (b"1.2", b"0,0"))
    body = tools.command("one", callback_topic="answers")
    peer.sendall(b"MESSAGE\nack:1\nmessage-id:1\nsubscription:otppi-1\n\n" + body + b"\x00")
    assert "did not confirm" in tools.eventually(lambda: served.says("last_problem"))


class SlowMachine:
    """The clock of the ingress, which a test moves on while a command is read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.late = 0.0
        for module in ("wire", "ingress", "publisher"):
            monkeypatch.setattr(f"otppi_ingress_stomp.{module}.time", self)

    def monotonic(self) -> float:
        return time.monotonic() + self.late

    def time(self) -> float:
        return time.time() + self.late


def _message(number: int, body: bytes) -> bytes:
    return b"MESSAGE\nack:%d\nmessage-id:%d\nsubscription:otppi-1\n\n%b\x00" % (number, number, body)


def _hear(peer: socket.socket, enough: Callable[[bytes], bool]) -> bytes:
    said = b""
    while not enough(said):
        more = peer.recv(4096)
        assert more, f"the ingress has hung up after {said!r}"
        said += more
    return said


def _hear_two_acknowledgements(peer: socket.socket) -> None:
    _hear(peer, lambda said: said.count(b"ACK\n") == 2)


def test_own_slowness_is_not_the_servers_silence(
    serve: Any, listener: Any, gateway: StandInGateway, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the same messages come again over the next connection, take as long, and so on without end."""
    clock, read, heard_from = SlowMachine(monkeypatch), gateway.read, threading.Event()

    def slowly(body: bytes, ingress: str) -> Any:
        if b"first" in body:
            peer.sendall(b"\n")
        else:  # the server hears from this gateway before it takes the next one in hand
            _hear(peer, lambda said: said.endswith(b"\n"))
            heard_from.set()
        clock.late += 60.0
        return read(body, ingress)

    monkeypatch.setattr(gateway, "read", slowly)
    served = serve(listener.port, destination="/queue/x")
    peer = listener(GREETING % (b"1.2", b"1000,1000"))
    _hear(peer, lambda said: said.endswith(b"\x00"))
    peer.sendall(_message(1, tools.command("first")) + _message(2, tools.command("second")))
    assert heard_from.wait(PATIENCE)  # only then: the gateway's thread reads what the server gets
    _hear_two_acknowledgements(peer)
    assert gateway.texts() == ["first", "second"]
    assert served.says("connected")
    assert served.says("last_problem") is None


def test_a_confirmation_that_came_while_the_thread_worked_is_in_time(
    serve: Any, listener: Any, gateway: StandInGateway, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, read = SlowMachine(monkeypatch), gateway.read

    def slowly(body: bytes, ingress: str) -> Any:
        if b"second" in body:
            peer.sendall(b"RECEIPT\nreceipt-id:s1\n\n\x00")
            clock.late += 60.0
        return read(body, ingress)

    monkeypatch.setattr(gateway, "read", slowly)
    served = serve(listener.port, destination="/queue/x", timeout=10.0)
    peer = listener(GREETING % (b"1.2", b"0,0"))
    _hear(peer, lambda said: said.endswith(b"\x00"))
    peer.sendall(_message(1, tools.command("first", callback_topic="answers")))
    assert b"receipt:s1\n" in _hear(peer, lambda said: said.endswith(b"}\x00"))
    peer.sendall(_message(2, tools.command("second")))
    _hear_two_acknowledgements(peer)
    assert served.says("last_problem") is None


@pytest.mark.parametrize("greeted", [True, False])
def test_a_stop_is_quick_while_the_server_says_nothing(
    serve: Any, listener: Any, tools: Any, greeted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otppi_ingress_stomp.ingress._PATIENCE", 0.5)
    served = serve(listener.port, destination="/queue/x", timeout=60.0)
    listener(GREETING % (b"1.2", b"0,0") if greeted else b"\n")
    tools.eventually(lambda: served.says("connected") or not greeted)
    assert served.stop() < 4


@pytest.mark.parametrize("key", ["dead_letter", "inbox_topic"])
def test_what_is_published_may_not_go_to_where_commands_come_from(key: str) -> None:
    """A command that is rejected would come again for ever."""
    _, [problem] = SECTION.validate({"enable": True, "destination": "/queue/sms", key: "sms"})
    assert str(problem) == f"ingress-stomp.{key}: must not be the same as destination"
