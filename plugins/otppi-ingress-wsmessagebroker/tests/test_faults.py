"""Servers that refuse, vanish, stand still and come back; and stopping during all of that."""

import json
import re
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from otppi.kit import threads
from otppi.kit.threads import PromptThread
from otppi.testing.brokers.messenger import Messenger, MessengerProcess
from otppi.testing.waiting import PATIENCE
from otppi_ingress_wsmessagebroker import change, ingress

USERS = {"username": "password"}
AT_ONCE = 2.5
"""Seconds: a stop takes nearly one, to hear what was sent before and to publish what waits."""
SLOW = 60
"""Seconds for which it would wait for its server otherwise."""


def test_a_wrong_password_is_told_as_what_it_probably_is(
    run: Any, flawed: Any, tools: Any, caplog: pytest.LogCaptureFixture
) -> None:
    running = run(flawed.port, password="s3cret-wrong")
    tools.eventually(lambda: running.says("attempts") >= 2)
    assert "probably username or password is wrong" in running.says("last_problem")
    assert not running.says("connected")
    assert "s3cret" not in caplog.text + json.dumps(running.ingress.describe())


def test_a_wrong_password_is_refused_by_the_documented_server(run: Any, tools: Any) -> None:
    with Messenger(users=USERS, documented=True) as server:
        running = run(server.port, password="s3cret-wrong")
        tools.eventually(lambda: running.says("attempts") >= 2)
        assert running.says("last_problem") == "username or password is wrong (401)"
        other = run(server.port, username="", password="")
        tools.eventually(lambda: other.says("attempts") >= 1)
        assert other.says("last_problem") == "the server wants a username and a password (401)"


def test_without_credentials_the_real_server_lets_everybody_in(
    run: Any, flawed: Any, application: Any, tools: Any
) -> None:
    running = run(flawed.port, username="", password="").connected()
    application(flawed).send(tools.sms(1))
    tools.eventually(lambda: running.gateway.ids() == ["1"])
    assert running.gateway.taken[0][1].sender.name == "ingress-wsmessagebroker"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"username": "a:b"}, "username: must not hold a colon (RFC 7617)"),
        ({"inbox_topic": "sms"}, "inbox_topic: must not be the same as topic"),
        ({"host": ""}, "host: must not be empty"),
        ({"host": "in valid\r\nX: y"}, "host: must be a host name or an IP address alone, such as broker.example.com"),
        ({"ssl": True, "private_key_file": "/k"}, "certificate_file: must not be empty where private_key_file is set"),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_set(values: dict[str, Any], problem: str) -> None:
    from otppi_ingress_wsmessagebroker.settings import SECTION

    assert [str(one) for one in SECTION.validate({"enable": True, **values})[1]] == [
        f"ingress-wsmessagebroker.{problem}"
    ]
    assert SECTION.validate(values)[1] == [] or values.get("host")  # what is not switched on may be so


@pytest.mark.parametrize("topic", ["", "  "])
def test_an_empty_topic_is_refused(topic: str) -> None:
    from otppi_ingress_wsmessagebroker.settings import SECTION

    _, [problem] = SECTION.validate({"topic": topic})
    assert str(problem) == "ingress-wsmessagebroker.topic: must not be empty"


def test_a_server_that_is_killed_and_started_again(run: Any, application: Any, tools: Any, tmp_path: Path) -> None:
    with MessengerProcess(tmp_path / "messenger", "--user", "username:password") as server:
        running = run(server.port).connected()
        for number in range(2):
            sender = application(server)
            sender.send(tools.sms(number))
            tools.eventually(lambda number=number: running.gateway.ids()[-1:] == [str(number)])
            server.kill()
            tools.eventually(lambda: not running.says("connected"))
            assert re.match("the server closed|nobody listens", running.says("last_problem"))
            server.start()
            running.connected()


def test_a_server_that_stands_still_is_noticed_by_a_ping(
    run: Any, application: Any, tools: Any, tmp_path: Path
) -> None:
    with MessengerProcess(tmp_path / "messenger") as server:
        running = run(server.port, ping_interval=0.5, timeout=1).connected()
        server.pause()
        try:
            tools.eventually(lambda: running.says("last_problem") is not None)
            assert "answer" in running.says("last_problem")
        finally:
            server.resume()
        running.connected()
        application(server).send(tools.sms(1))
        tools.eventually(lambda: running.gateway.ids() == ["1"])


def test_a_server_that_hangs_up_and_one_that_goes_away(
    run: Any, application: Any, tools: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with Messenger() as server:
        running = run(server.port).connected()
        server.hang_up()
        tools.eventually(lambda: ": the server closed the connection" in caplog.text)
        running.connected()
        application(server).send(tools.sms(1))
        tools.eventually(lambda: running.gateway.ids() == ["1"])
    tools.eventually(lambda: not running.says("connected"))


def test_the_pings_of_the_server_are_answered(run: Any, raw: Any, tools: Any) -> None:
    def script(connection: Any) -> None:
        connection.accept()
        connection.sock.sendall(tools.frame(b"123", 9))
        while connection.read_frame() != (10, b"123"):
            pass
        connection.sock.sendall(tools.frame(json.dumps(tools.sms(1)).encode()))
        connection.over.wait()

    running = run(raw(script).port, ping_interval=0)
    tools.eventually(lambda: running.gateway.ids() == ["1"])


def test_a_server_that_answers_no_pings_may_be_used_without(run: Any, raw: Any, tools: Any) -> None:
    def script(connection: Any) -> None:
        connection.accept()
        connection.over.wait()

    server = raw(script)
    running = run(server.port, ping_interval=0).connected()
    assert running.says("connected")
    with_pings = run(server.port, ping_interval=0.2, timeout=1)
    tools.eventually(lambda: with_pings.says("attempts") >= 1)
    assert with_pings.says("last_problem") == "the server did not answer within 1 s"
    assert running.says("connected")
    assert running.says("attempts") == 0


# -- making the connection anew --------------------------------------------------------------------------------------


def test_refreshing_loses_nothing_and_takes_nothing_twice(
    run: Any, messenger: Any, application: Any, tools: Any
) -> None:
    running = run(messenger.port, refresh=1).connected()
    [first] = messenger.clients
    sender = application(messenger)
    sent: list[str] = []
    deadline = time.monotonic() + 3.5
    while time.monotonic() < deadline:
        sender.send(tools.sms(len(sent)))
        sent.append(str(len(sent)))
        tools.eventually(lambda: len(running.gateway.ids()) > len(sent) - 20)
    tools.eventually(lambda: len(running.gateway.ids()) >= len(sent))
    assert running.gateway.ids() == sent
    assert running.says("attempts") == 0
    tools.eventually(lambda: all(client is not first for client in messenger.clients))
    messenger.wait_for_clients(2)


def test_a_refresh_takes_no_longer_than_the_server_does(
    run: Any, messenger: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tools: Any
) -> None:
    monkeypatch.setattr(change, "_PARTING", 3600.0)
    caplog.set_level("DEBUG")
    run(messenger.port, refresh=1, timeout=300).connected()
    tools.eventually(lambda: sum("was made anew" in line for line in caplog.messages) >= 2, lambda: caplog.messages)


def test_a_message_that_comes_by_both_connections_is_taken_once_however_long_the_new_one_is_not_let_in(
    run: Any, raw: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change, "_REMEMBERED", 0.01)
    message = tools.frame(json.dumps(tools.sms("both")).encode())
    let_in, ended = threading.Event(), threading.Event()

    def script(connection: Any) -> None:
        connection.accept()
        first, second = server.connections[0], server.connections[1:2]
        if connection is not first:
            _, payload = connection.read_frame()
            if connection in second:
                for one in (first, connection):
                    one.sock.sendall(message)
                let_in.wait()
            connection.sock.sendall(tools.frame(payload, 10))
            ended.wait()  # this one may have been left again by then: "after" comes by the next one, too
            connection.sock.sendall(tools.frame(json.dumps(tools.sms("after")).encode()))
        connection.answer_pings()
        ended.set()

    server = raw(script)
    running = run(server.port, refresh=1, timeout=300)
    tools.eventually(lambda: running.gateway.ids() == ["both"])
    threading.Event().wait(0.1)  # longer than it is remembered after the change
    let_in.set()
    tools.eventually(lambda: "after" in running.gateway.ids())
    assert [number for number in running.gateway.ids() if number != "after"] == ["both"]


def test_a_refresh_that_fails_keeps_the_old_connection(
    run: Any, raw: Any, tools: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    counted = threading.Semaphore(1)

    def script(connection: Any) -> None:
        if not counted.acquire(blocking=False):
            connection.read_head()
            connection.sock.sendall(b"HTTP/1.1 503 Busy\r\n\r\n")
            return
        connection.accept()
        threading.Thread(target=later, args=(connection,), name="later").start()
        connection.answer_pings()

    refused = threading.Event()

    def later(connection: Any) -> None:
        assert refused.wait(PATIENCE)
        connection.sock.sendall(tools.frame(json.dumps(tools.sms(1)).encode()))

    server = raw(script)
    running = run(server.port, refresh=1)
    tools.eventually(lambda: "the old one stays: it answers 503" in caplog.text)
    refused.set()
    tools.eventually(lambda: running.gateway.ids() == ["1"])
    assert running.says("connected")


# -- stopping --------------------------------------------------------------------------------------------------------


def test_stopping_takes_what_the_server_has_sent_already(run: Any, raw: Any, tools: Any) -> None:
    def script(connection: Any) -> None:
        connection.accept()
        while True:
            opcode, payload = connection.read_frame()
            if opcode == 9:
                connection.sock.sendall(tools.frame(payload, 10))
            if opcode == 8:
                connection.sock.sendall(tools.frame(json.dumps(tools.sms(1)).encode()) + tools.frame(payload, 8))
                return

    running = run(raw(script).port, timeout=SLOW).connected()
    assert running.stop() < AT_ONCE
    assert running.gateway.ids() == ["1"]


def test_stopping_while_connected(run: Any, messenger: Any) -> None:
    assert run(messenger.port, timeout=SLOW).connected().stop() < AT_ONCE


def test_stopping_before_it_has_begun(run: Any, messenger: Any) -> None:
    assert run(messenger.port, timeout=SLOW).stop() < AT_ONCE


def test_stopping_during_the_pause_between_attempts(run: Any, tools: Any) -> None:
    running = run(1, reconnect_delay=100)
    tools.eventually(lambda: running.says("attempts") == 1)
    assert running.stop() < AT_ONCE


def test_stopping_while_the_server_does_not_answer(run: Any, raw: Any, tools: Any) -> None:
    server = raw(lambda connection: connection.over.wait())
    running = run(server.port, timeout=SLOW)
    tools.eventually(lambda: server.connections)
    assert running.stop() < AT_ONCE


def test_stopping_while_the_server_answers_octet_by_octet(run: Any, raw: Any, tools: Any) -> None:
    def script(connection: Any) -> None:
        connection.read_head()
        while not connection.over.wait(0.05):
            connection.sock.sendall(b"H")

    server = raw(script)
    running = run(server.port, timeout=SLOW)
    tools.eventually(lambda: server.connections and server.connections[0].head.endswith(b"\r\n\r\n"))
    assert running.stop() < AT_ONCE


def test_an_answer_that_takes_too_long_ends_the_attempt(run: Any, raw: Any, tools: Any) -> None:
    def script(connection: Any) -> None:
        connection.read_head()
        while not connection.over.wait(0.05):
            connection.sock.sendall(b"H")

    running = run(raw(script).port, timeout=1)
    tools.eventually(lambda: running.says("attempts") >= 1)
    assert running.says("last_problem") == "the server did not answer within 1 s (to the handshake)"


def test_stopping_while_tcp_does_not_connect(run: Any, tools: Any) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as one, socket.socket() as two:
        for filler in (one, two):  # a queue that is full answers no SYN (listen(2))
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        running = run(full.getsockname()[1], timeout=SLOW)
        threading.Event().wait(0.1)
        assert running.stop() < AT_ONCE


def test_a_stop_reaches_a_thread_that_looked_in_the_middle_of_it(
    run: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`BrokerIngress.stop` wakes the thread, then says that the connection is not wanted any more."""
    waits, looked = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as one, socket.socket() as two:
        for filler in (one, two):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        running = run(full.getsockname()[1], timeout=SLOW)
        ingress = running.ingress
        dialer = tools.eventually(lambda: ingress._dialer)
        wanted, end = dialer._until, ingress.link.stop

        def until() -> float:
            given: float = wanted()
            (looked if ingress.alarm.stopping else waits).set()
            return given

        def stop() -> None:
            assert looked.wait(PATIENCE)
            end()

        monkeypatch.setattr(dialer, "_until", until)
        monkeypatch.setattr(ingress.link, "stop", stop)
        ingress.alarm.set()
        assert waits.wait(PATIENCE)
        assert running.stop() < AT_ONCE


def test_stopping_while_a_name_is_looked_up(run: Any, tools: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs, answered = threading.Event(), threading.Event()
    real = socket.getaddrinfo

    def lookup(host: str, *words: Any, **more: Any) -> Any:
        if host != "broker.example" or more.get("flags"):
            return real(host, *words, **more)
        hangs.set()
        answered.wait(PATIENCE)
        raise socket.gaierror(socket.EAI_AGAIN, "no name server answers")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    try:
        running = run(9, host="broker.example", timeout=1)
        assert hangs.wait(PATIENCE)
        tools.eventually(
            lambda: running.says("last_problem") == "the name of host broker.example was not resolved within 1 s"
        )
        assert [thread.name for thread in threading.enumerate()].count("name lookup") == 1
        assert running.stop() < AT_ONCE
    finally:
        answered.set()


def test_a_name_that_does_not_exist_is_told(run: Any, tools: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def lookup(host: str, *words: Any, **more: Any) -> Any:
        if host != "broker.example" or more.get("flags"):
            return real(host, *words, **more)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    running = run(9, host="broker.example")
    tools.eventually(lambda: running.says("attempts") >= 1)
    assert running.says("last_problem") == "host broker.example is not known (Name or service not known)"
    other = run(9, host="a" * 100 + ".example")
    tools.eventually(lambda: other.says("attempts") >= 1)
    assert re.search("is not known|is no name", other.says("last_problem"))


def test_answers_that_nobody_publishes_are_told(run: Any, tools: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where memory is short a thread may die before it begins; commands would go on, and nobody get an answer."""

    class Stillborn(PromptThread):
        def _bootstrap(self) -> None:
            del threading._limbo[self]  # type: ignore[attr-defined]  # else it is taken for one that was left over

    monkeypatch.setattr(threads, "BEGIN_WITHIN", 0.05)
    monkeypatch.setattr(ingress, "PromptThread", Stillborn)
    running = run(1)
    tools.eventually(lambda: running.ingress.stalled() == "its thread that publishes answers has died")
