"""A queue of RabbitMQ: acknowledged after the end only, given back, dead-lettered, answered, bounded by the modems."""

import contextlib
import json
import logging
from typing import Any

import pytest
from pika.exceptions import NackError

from otppi.api.ingress import Callback
from otppi.testing.stand_in import StandInGateway
from otppi.wire.envelope import Answer, ResponseCode
from otppi_ingress_stomp.wire import Wire


def test_the_prefetch_follows_the_modems(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otppi_ingress_stomp.subscriptions._FOR_LONG", 0.1)
    gateway.hold, gateway.room = True, 2
    served = serve()
    for number in range(30):
        client.send(tools.command(str(number)))
    tools.eventually(lambda: len(gateway.taken) == 2)
    gateway.room = 10
    tools.eventually(lambda: len(gateway.taken) == 10)
    assert served.says("prefetch") == 10
    gateway.room = 3
    tools.eventually(lambda: "slower" in served.says("detail"))
    gateway.release()
    tools.eventually(lambda: served.says("prefetch") == 3)
    tools.eventually(lambda: len(gateway.taken) == 13)
    gateway.hold = False
    gateway.release()
    tools.eventually(lambda: served.says("done") == 30)
    assert sorted(map(int, gateway.texts())) == list(range(30))


def test_without_modems_messages_are_left_to_others(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any
) -> None:
    gateway.hold, gateway.room = True, 2
    served = serve()
    for number in range(4):
        client.send(tools.command(str(number)))
    tools.eventually(lambda: len(gateway.taken) == 2)
    gateway.room = 0
    tools.eventually(lambda: "no modem" in served.says("detail"))
    gateway.release()
    tools.eventually(lambda: client.consumers() == 0 and client.waiting() == 2)
    assert served.connected().says("done") == 2
    assert len(gateway.taken) == 2
    gateway.room, gateway.hold = 2, False
    tools.eventually(lambda: served.says("done") == 4)


def test_where_a_nack_gives_nothing_back_it_is_tried_again_from_here(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    greeted = Wire.greeted

    def as_another(wire: Wire, frame: Any) -> None:
        frame.headers["server"] = "ActiveMQ/5.17.2"
        greeted(wire, frame)

    monkeypatch.setattr(Wire, "greeted", as_another)
    answers = iter([(ResponseCode.QUEUE_FULL, {"state": "failed"}), (ResponseCode.SUCCESS, {"state": "sent"})])
    gateway.judge = lambda item: next(answers)
    client.send(tools.command("one"))
    served = serve()
    tools.eventually(lambda: served.says("done") == 1)
    assert [origin.redelivered for _, origin in gateway.taken] == [False, True]
    served.stop()
    assert client.waiting() == 0


def test_stomp_1_1(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otppi_ingress_stomp.wire._VERSIONS", "1.1")
    answers = client.declare()
    served = serve()
    client.send(b"{")
    client.send(tools.command("one"), reply_to=answers, correlation_id="a:b\\c\nd")
    assert client.get(answers)[0].correlation_id == "a:b\\c\nd"
    tools.eventually(lambda: (served.says("done"), served.says("malformed")) == (1, 1))
    served.stop()
    assert client.waiting() == 0


def test_two_gateways_share_a_queue(serve: Any, client: Any, gateway: StandInGateway, tools: Any) -> None:
    other = StandInGateway()
    gateway.room = other.room = 5
    serve()
    serve(other=other)
    tools.eventually(lambda: client.consumers() == 2)
    for number in range(500):
        client.send(tools.command(str(number)))
    tools.eventually(lambda: len(gateway.taken) + len(other.taken) >= 500)
    assert sorted(map(int, gateway.texts() + other.texts())) == list(range(500))
    assert gateway.taken
    assert other.taken


@pytest.mark.parametrize("to", ["nack", "dead_letter"])
def test_bad_commands_become_dead_letters_and_are_logged_without_their_text(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any, to: str, caplog: pytest.LogCaptureFixture
) -> None:
    letters = f"{client.queue}-dead"
    client.declare(letters)
    source = client.declare(
        f"{client.queue}-source", **{"x-dead-letter-exchange": "", "x-dead-letter-routing-key": letters}
    )
    bodies = [
        *(
            b"",
            b"{",
            b"\xff\xfe\x00\x00",
            b"[]",
            b'{"command": "fly"}',
            b'{"command": "send-sms", "data": {}}',
            b"\n\n",
        ),
        b'{"secret words": 1, "callback_topic": "%s-answers"}' % client.queue.encode(),
    ]
    more = {"dead_letter": letters} if to == "dead_letter" else {}
    with caplog.at_level(logging.DEBUG):
        served = serve(destination=f"/amq/queue/{source}", **more)
        client.queue, before = source, client.queue
        for body in bodies:
            client.send(body)
        client.send(tools.command("good"))
        tools.eventually(lambda: gateway.texts() == ["good"])
        tools.eventually(lambda: client.waiting(letters) == len(bodies))
    assert served.says("malformed") == len(bodies)
    assert [client.get(letters)[1] for _ in bodies] == bodies
    assert json.loads(client.get(f"{before}-answers")[1])["response_code"] == "1206"
    assert "malformed" in caplog.text
    assert "secret words" not in caplog.text


def test_answers_and_later_states_are_published(serve: Any, client: Any, gateway: StandInGateway, tools: Any) -> None:
    served = serve()
    answers = client.declare(f"{client.queue}-answers")
    client.send(tools.command("one", callback_topic=answers))
    client.send(b'{"command": "echo", "data": {"a": 1}, "callback_topic": "/queue/%s"}' % answers.encode())
    assert json.loads(client.get(answers)[1])["data"]["state"] == "sent"
    properties, body = client.get(answers)
    assert json.loads(body)["command"] == "echo"
    assert (properties.content_type, properties.delivery_mode) == ("application/json", 2)
    callback = gateway.taken[0][1].callback
    assert callback == Callback(answers, b"", "send-sms")
    served.ingress.state_changed(callback, Answer("send-sms", ResponseCode.SUCCESS, data={"state": "delivered"}))
    assert json.loads(client.get(answers)[1])["data"]["state"] == "delivered"


def test_reply_to_and_correlation_id_of_amqp(serve: Any, client: Any, gateway: StandInGateway, tools: Any) -> None:
    serve()
    answers = client.declare()
    properties = {"reply_to": answers, "correlation_id": "c:1", "message_id": "m 1", "timestamp": 1_500_000_000}
    client.send(tools.command("one").replace(b'"id": "one", ', b""), priority=1, expiration="600000", **properties)
    answered, body = client.get(answers)
    assert answered.correlation_id == "c:1"
    item = gateway.taken[0][0].items[0]
    assert (item.id, item.date_time, item.priority) == ("m 1", 1_500_000_000, "bulk")
    assert item.expiration == 1_500_000_601
    assert json.loads(body)["data"]["id"] == "m 1"


def test_a_destination_that_is_refused_holds_nothing_up(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """RabbitMQ hangs up on who sends to an exchange that is not there; the others' answers arrive all the same."""
    served = serve()
    answers = client.declare(f"{client.queue}-answers")
    for number in range(5):
        client.send(tools.command(f"bad {number}", callback_topic="/exchange/nowhere/x"))
        client.send(tools.command(f"good {number}", callback_topic=answers))
    client.send(tools.command("own", callback_topic=f"/queue/{client.queue}"))
    tools.eventually(lambda: client.waiting() == 0 and served.says("in_flight") == 0 and not served.says("attempts"))
    got = {json.loads(client.get(answers)[1])["data"]["id"] for _ in range(5)}
    assert got == {f"good {number}" for number in range(5)}
    assert "refuses answers on /exchange/nowhere/x" in caplog.text
    assert "where commands come from" in caplog.text
    served.stop()
    assert client.waiting() == 0


def test_a_topic_is_heard_and_not_acknowledged(serve: Any, client: Any, gateway: StandInGateway, tools: Any) -> None:
    name = client.queue
    serve(destination=f"/topic/{name}").connected()

    def heard() -> bool:
        client.channel.basic_publish("amq.topic", name, tools.command("one"))
        return bool(gateway.taken)

    tools.eventually(heard)
    assert not gateway.taken[0][1].kept_by_source


def test_a_quorum_queue_is_declared_by_headers(serve: Any, client: Any, gateway: StandInGateway, tools: Any) -> None:
    queue = f"{client.queue}-quorum"
    serve(destination=queue, subscribe_headers=["x-queue-type: quorum"])
    tools.eventually(lambda: gateway.taken or _sent(client, queue, tools))
    client.declare(queue, **{"x-queue-type": "quorum"})  # an error where it is of another type


def _sent(client: Any, queue: str, tools: Any) -> bool:
    """Publish; a queue that is not there yet drops it, and a quorum queue without its leader yet refuses it."""
    with contextlib.suppress(NackError):
        client.channel.basic_publish("", queue, tools.command("one"))
    return False


def test_an_answer_is_published_as_soon_as_its_message_ends(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not when the thread would look anyway, which is later than anybody waits here."""
    monkeypatch.setattr("otppi_ingress_stomp.ingress._LOOK", 600.0)
    gateway.hold = True
    serve(heartbeat=600).connected()
    answers = f"{client.queue}-answers"
    client.declare(answers)
    client.send(tools.command("one", callback_topic=answers, callback_delay=0))
    tools.eventually(lambda: gateway.taken)
    gateway.release()
    client.get(answers)


def test_a_queue_of_other_arguments_is_told_and_can_be_taken_from(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any
) -> None:
    """RabbitMQ answers 406 to who declares a quorum queue as STOMP does, with `precondition_failed` and no more."""
    queue = client.declare(f"{client.queue}-quorum", **{"x-queue-type": "quorum"})
    refused = serve(destination=queue)
    assert "/amq/queue/NAME" in tools.eventually(lambda: refused.says("last_problem"))
    refused.stop()
    served = serve(destination=f"/amq/queue/{queue}").connected()
    client.channel.basic_publish("", queue, tools.command("text"))
    tools.eventually(lambda: served.says("done") == 1)
    served.stop()
    client.channel.queue_delete(queue)
