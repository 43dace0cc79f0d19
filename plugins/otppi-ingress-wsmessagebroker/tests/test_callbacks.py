"""Answers on callback topics: every command, later states, what came in; no storm, and none lost meanwhile."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from otppi.api.ingress import Callback, ReceivedMessage
from otppi.testing.brokers.messenger import Messenger, MessengerProcess
from otppi.testing.waiting import PATIENCE
from otppi.wire.envelope import Answer, ResponseCode

USERS = {"username": "password"}


def test_a_message_is_answered_and_later_states_are_told(
    run: Any, messenger: Any, application: Any, tools: Any
) -> None:
    running = run(messenger.port).connected()
    listener, sender = application(messenger, "jawaban otp/1"), application(messenger)
    sender.send(tools.sms(1, callback_topic="jawaban otp/1", callback_delay=10))
    answer = listener.answer()
    assert (answer["command"], answer["response_code"], answer["data"]["state"]) == ("send-sms", "0000", "sent")
    callback = running.gateway.taken[0][1].callback
    assert callback == Callback("jawaban otp/1", b"", "send-sms")
    later = Answer("send-sms", ResponseCode.SUCCESS, data={"id": "1", "state": "delivered"})
    running.ingress.state_changed(callback, later)
    assert listener.answer()["data"]["state"] == "delivered"
    tools.eventually(lambda: running.says("callbacks_published") == 2)
    assert "/ws?channel=jawaban%20otp%2F1&topic=jawaban%20otp%2F1" in [client.target for client in messenger.clients]


def test_what_is_malformed_is_answered_where_that_is_wanted(
    run: Any, messenger: Any, application: Any, tools: Any
) -> None:
    run(messenger.port).connected()
    listener, sender = application(messenger, "answers"), application(messenger)
    sender.send({"command": "send-sms", "callback_topic": "answers", "data": {"id": 1}})
    answer = listener.answer()
    assert (answer["command"], answer["response_code"]) == ("send-sms", "1206")
    assert {error["field"] for error in answer["data"]["errors"]} == {"data.receiver", "data.message"}
    sender.send({"callback_topic": "answers"})
    assert listener.answer()["data"]["errors"] == [
        {"field": "command", "reason": "is missing"},
        {"field": "data", "reason": "is missing"},
    ]


def test_the_callback_delay_is_kept(run: Any, messenger: Any, application: Any, tools: Any) -> None:
    running = run(messenger.port).connected()
    listener, sender = application(messenger, "answers"), application(messenger)
    sender.send(tools.sms(1, callback_topic="answers", callback_delay=600_000))
    sender.send({"command": "echo", "callback_topic": "answers", "data": "soon"})
    assert listener.answer()["command"] == "echo"
    tools.eventually(lambda: running.says("callbacks_waiting") == 1)
    running.stop()
    assert listener.answer()["command"] == "send-sms"  # better early than never


def test_answers_on_our_own_channel_are_no_commands(
    run: Any, messenger: Any, application: Any, tools: Any, caplog: pytest.LogCaptureFixture
) -> None:
    running = run(messenger.port).connected()
    sender = application(messenger)
    sender.send({"command": "echo", "callback_topic": "sms", "data": "x"})
    assert sender.answer()["command"] == "echo"
    tools.eventually(lambda: running.says("echoes") == 1)
    sender.send(tools.sms(2))
    tools.eventually(lambda: running.gateway.ids() == ["", "2"])
    assert running.gateway.taken[0][0].items[0].id is None
    assert (running.says("taken"), running.says("malformed"), running.says("ignored")) == (2, 0, 0)
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_two_gateways_on_the_real_server_make_no_storm(
    run: Any, flawed: Any, application: Any, tools: Any, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = run(flawed.port).connected(), run(flawed.port, tools.Gateway(), topic="other").connected()
    sender = application(flawed)
    for number in range(10):
        sender.send(tools.sms(number, callback_topic="answers" if number % 2 else "sms"))
    sender.send({"command": "send-sms", "callback_topic": "other", "data": {}})
    for running in (one, two):
        tools.eventually(lambda running=running: running.says("callbacks_published") == 11)
        tools.eventually(lambda running=running: running.says("echoes") + running.says("answers") == 22)
    assert len(flawed.wait_for_messages(33)) == 33
    assert sender.answer()
    for running in (one, two):
        # Equal answers of both cannot be told apart, and need not be.
        assert (running.says("taken"), running.says("malformed"), running.says("ignored")) == (11, 1, 0)
        assert running.says("callbacks_waiting") == 0
    assert len(flawed.relayed) == 33
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert (
        warnings
        == [
            "ingress-wsmessagebroker: a message is rejected, it is malformed "
            "(data.receiver: is missing; data.message: is missing)"
        ]
        * 2
    )


def received(number: int = 1) -> ReceivedMessage:
    return ReceivedMessage(f"i{number}", "m0", "+6281200000001", "Isi pulsa é", 1.0, 2.0, missing=(2,))


def test_messages_that_came_in_are_forwarded(run: Any, flawed: Any, application: Any, tools: Any) -> None:
    running = run(flawed.port, inbox_topic="inbox").connected()
    silent = run(flawed.port, tools.Gateway()).connected()
    listener = application(flawed, "inbox")
    running.ingress.received(received())
    silent.ingress.received(received(2))
    assert json.loads(listener.connection.recv(timeout=PATIENCE)) == {
        "message_id": "i1",
        "modem_id": "m0",
        "originator": "+6281200000001",
        "text": "Isi pulsa é",
        "sent": 1.0,
        "arrived": 2.0,
        "segments": 1,
        "missing": [2],
        "binary": False,
        "damaged": False,
    }
    tools.eventually(lambda: running.says("echoes") == 1)
    tools.eventually(lambda: silent.says("ignored") == 1)
    assert silent.says("malformed") == 0


def published(server: MessengerProcess) -> list[dict[str, Any]]:
    """Return the data of the answers that a server has passed on, over all of its lives."""
    shown = [json.loads(line).get("message", "{}") for line in server.log.read_text().splitlines()]
    return [answer["data"] for answer in map(json.loads, shown) if "response_code" in answer]


def test_answers_wait_for_a_server_that_is_away(run: Any, application: Any, tools: Any, tmp_path: Path) -> None:
    with MessengerProcess(tmp_path / "messenger", "--show") as server:
        running = run(server.port).connected()
        running.gateway.hold = True
        application(server).send(tools.sms(1, callback_topic="answers"))
        tools.eventually(lambda: running.gateway.ids() == ["1"])
        server.kill()
        tools.eventually(lambda: not running.says("connected"))
        running.gateway.release()
        callback = running.gateway.taken[0][1].callback
        running.ingress.state_changed(callback, Answer("send-sms", ResponseCode.SUCCESS, data={"state": "delivered"}))
        tools.eventually(lambda: running.says("callbacks_waiting") == 2)
        server.start()
        tools.eventually(lambda: running.says("callbacks_published") == 2)
        tools.eventually(lambda: [one["state"] for one in published(server)] == ["sent", "delivered"])


def test_answers_that_a_server_has_not_read_are_published_again(run: Any, tools: Any, tmp_path: Path) -> None:
    with MessengerProcess(tmp_path / "messenger", "--show") as server:
        running = run(server.port, timeout=2, ping_interval=1).connected()
        running.ingress.state_changed(Callback("answers"), Answer("echo", ResponseCode.SUCCESS, data={"n": 0}))
        tools.eventually(lambda: running.says("callbacks_published") == 1)
        # The server's library answers a ping before the server has looked at the message in front of it.
        tools.eventually(lambda: [one["n"] for one in published(server)] == [0])
        server.pause()
        for number in (1, 2):
            running.ingress.state_changed(Callback("answers"), Answer("echo", ResponseCode.SUCCESS, data={"n": number}))
        tools.eventually(lambda: not running.says("connected"))
        assert running.says("callbacks_waiting") == 2
        server.kill()
        server.start()
        tools.eventually(lambda: running.says("callbacks_published") == 3)
        tools.eventually(lambda: [one["n"] for one in published(server)] == [0, 1, 2])
        assert running.says("callbacks_dropped") == 0


def test_many_topics_share_few_connections(run: Any, application: Any, tools: Any) -> None:
    with Messenger(documented=True) as server:
        running = run(server.port).connected()
        most = 0
        for number in range(40):
            running.ingress.state_changed(
                Callback(f"topic-{number}"), Answer("echo", ResponseCode.SUCCESS, data={"n": number})
            )
            most = max(most, len(server.clients))
        messages = server.wait_for_messages(40)
        assert sorted(json.loads(message)["data"]["n"] for message in messages) == list(range(40))
        assert max(most, len(server.clients)) <= 12  # the server notices a little later who has left
        tools.eventually(lambda: running.says("callbacks_published") == 40)
        assert running.says("callbacks_waiting") == 0


def test_connections_that_are_idle_are_closed(
    run: Any, messenger: Any, application: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from otppi_ingress_wsmessagebroker import publisher

    monkeypatch.setattr(publisher, "_IDLE", 0.2)
    running = run(messenger.port).connected()
    running.ingress.state_changed(Callback("answers"), Answer("echo", ResponseCode.SUCCESS))
    messenger.wait_for_messages(1)
    messenger.wait_for_clients(0, "answers")
    running.ingress.state_changed(Callback("answers"), Answer("echo", ResponseCode.SUCCESS, data={}))
    messenger.wait_for_messages(2)


def test_a_topic_that_is_refused_holds_up_no_other(run: Any, raw: Any, tools: Any, caplog: Any) -> None:
    published: list[bytes] = []

    def script(connection: Any) -> None:
        if b"channel=bad" in connection.read_head():
            connection.sock.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            return
        connection.accept()
        while True:
            opcode, payload = connection.read_frame()
            if opcode == 9:
                connection.sock.sendall(tools.frame(payload, 10))
            elif opcode == 1:
                published.append(payload)

    caplog.set_level("INFO")
    running = run(raw(script).port, timeout=60).connected()
    for topic in ("bad", "good"):
        running.ingress.state_changed(Callback(topic), Answer("echo", ResponseCode.SUCCESS, data={"secret": topic}))
    tools.eventually(lambda: len(published) == 1 and running.says("callbacks_published") == 1)
    tools.eventually(lambda: "1 answers cannot be published now" in caplog.text)
    assert running.says("callbacks_waiting") == 1
    assert "secret" not in caplog.text
    assert running.stop() < 2.5
    assert "1 answers are not published" in caplog.text


def test_a_server_that_never_reads_gets_an_answer_three_times_at_most(run: Any, raw: Any, tools: Any) -> None:
    written: list[bytes] = []

    def script(connection: Any) -> None:
        connection.accept()
        if b"channel=sms" in connection.head:
            connection.answer_pings()
        while True:  # it reads, and answers no ping
            opcode, payload = connection.read_frame()
            if opcode == 1:
                written.append(payload)

    running = run(raw(script).port, timeout=1).connected()
    running.ingress.state_changed(Callback("answers"), Answer("echo", ResponseCode.SUCCESS))
    tools.eventually(lambda: running.says("callbacks_dropped") == 1)
    assert len(written) == 3
    assert running.says("callbacks_waiting") == 0


def test_without_pings_what_is_written_counts_as_published(run: Any, raw: Any, tools: Any) -> None:
    written: list[bytes] = []

    def script(connection: Any) -> None:
        connection.accept()
        while True:
            opcode, payload = connection.read_frame()
            assert opcode != 9
            if opcode == 1:
                written.append(payload)

    running = run(raw(script).port, ping_interval=0).connected()
    running.ingress.state_changed(Callback("answers"), Answer("echo", ResponseCode.SUCCESS))
    tools.eventually(lambda: running.says("callbacks_published") == 1)
    tools.eventually(lambda: len(written) == 1)


def test_a_server_that_does_not_read_holds_up_no_commands_and_no_stop(run: Any, raw: Any, tools: Any) -> None:
    go = threading.Event()

    def script(connection: Any) -> None:
        connection.accept()
        if b"channel=sms" in connection.head:
            threading.Thread(target=command, args=(connection,), name="command").start()
            connection.answer_pings()
        connection.over.wait()

    def command(connection: Any) -> None:
        assert go.wait(PATIENCE)
        connection.sock.sendall(tools.frame(json.dumps(tools.sms(1)).encode()))

    server = raw(script)
    running = run(server.port, timeout=60).connected()
    for number in range(1500):
        data = {"n": number, "padding": "x" * 5000}
        running.ingress.state_changed(Callback("answers"), Answer("echo", ResponseCode.SUCCESS, data=data))
    tools.eventually(lambda: len(server.connections) == 2)
    go.set()
    tools.eventually(lambda: running.gateway.ids() == ["1"])
    assert running.says("callbacks_waiting") == 1500
    assert running.stop() < 2.5


def test_a_fault_of_ours_does_not_end_the_answers(
    run: Any, messenger: Any, tools: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from otppi_ingress_wsmessagebroker.publisher import Publisher

    real, faults = Publisher._collect, [RuntimeError("a fault")]

    def collect(self: Publisher) -> None:
        if faults and len(self._consumer.outbox):
            raise faults.pop()
        real(self)

    monkeypatch.setattr(Publisher, "_collect", collect)
    running = run(messenger.port).connected()
    running.ingress.state_changed(Callback("answers"), Answer("echo", ResponseCode.SUCCESS))
    messenger.wait_for_messages(1)
    assert "publishing answers failed" in caplog.text
    caplog.clear()  # the trace of the fault keeps the publisher


def test_answers_are_bounded_by_number_and_by_length(
    run: Any, messenger: Any, tools: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from otppi_ingress_wsmessagebroker import publisher

    monkeypatch.setattr(publisher, "_BACKLOG", 3)
    monkeypatch.setattr(publisher, "_BACKLOG_BYTES", 10_000)
    running = run(1)  # where nobody listens
    long = Answer("echo", ResponseCode.SUCCESS, data="x" * 9_000)
    for answer in (long, long, *[Answer("echo", ResponseCode.SUCCESS)] * 5):
        running.ingress.state_changed(Callback("answers"), answer)
    tools.eventually(lambda: running.says("callbacks_dropped") == 4)
    tools.eventually(lambda: running.says("callbacks_waiting") == 3)
    assert "1 answers are given up, they could not be published" in caplog.text


def test_answers_that_are_an_hour_old_are_given_up(
    run: Any, raw: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from otppi_ingress_wsmessagebroker import publisher

    monkeypatch.setattr(publisher, "_LONGEST_KEPT", 0.2)

    def script(connection: Any) -> None:
        if b"channel=bad" in connection.read_head():
            connection.sock.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            return
        connection.accept()
        connection.answer_pings()

    running = run(raw(script).port).connected()
    running.ingress.state_changed(Callback("bad"), Answer("echo", ResponseCode.SUCCESS))
    tools.eventually(lambda: running.says("callbacks_dropped") == 1)
    assert running.says("callbacks_waiting") == 0


def test_a_topic_whose_pause_ends_just_before_the_thread_waits_is_tried_again(
    run: Any, raw: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine an answer waited until there was another one."""
    from otppi_ingress_wsmessagebroker.publisher import Publisher

    real, refused = Publisher._next, threading.Semaphore(1)

    def late(self: Publisher) -> float:
        tools.eventually(lambda: all(one.not_before <= time.monotonic() for one in self._topics.values()))
        return real(self)

    def script(connection: Any) -> None:
        if b"channel=later" in connection.read_head() and refused.acquire(blocking=False):
            connection.sock.sendall(b"HTTP/1.1 503 Busy\r\n\r\n")
            return
        connection.accept()
        while True:
            opcode, payload = connection.read_frame()
            if opcode == 9:
                connection.sock.sendall(tools.frame(payload, 10))

    monkeypatch.setattr(Publisher, "_next", late)
    running = run(raw(script).port).connected()
    running.ingress.state_changed(Callback("later"), Answer("echo", ResponseCode.SUCCESS))
    tools.eventually(lambda: running.says("callbacks_published") == 1, running.ingress.describe)


def test_after_a_fault_it_can_be_run_again(
    run: Any, messenger: Any, application: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from otppi_ingress_wsmessagebroker import receiver

    running = run(messenger.port).connected()
    faults = [RuntimeError("a fault")]
    real = receiver.Receiver._receive

    def receive(self: Any, connection: Any) -> int:
        if faults:
            raise faults.pop()
        return real(self, connection)

    raised: list[BaseException | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda hooked: raised.append(hooked.exc_value))
    monkeypatch.setattr(receiver.Receiver, "_receive", receive)
    listener, sender = application(messenger, "answers"), application(messenger)
    sender.send(tools.sms(1))
    running.thread.join(PATIENCE)
    assert [str(one) for one in raised] == ["a fault"]
    raised.clear()
    running.thread = threading.Thread(target=running.ingress.run, name="ingress-wsmessagebroker")
    running.thread.start()
    running.connected()
    sender.send(tools.sms(2, callback_topic="answers"))
    assert listener.answer()["data"]["id"] == "2"
