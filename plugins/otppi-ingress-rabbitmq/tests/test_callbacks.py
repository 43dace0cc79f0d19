"""Answers are published where senders want them, confirmed before their message is settled, and never in the way."""

import json
import time
from typing import Any

import pytest

from otppi.api.ingress import Callback, ReceivedMessage
from otppi.testing.scripted import until
from otppi.wire.envelope import Answer, ResponseCode

SMS = {"receiver": "08126666666", "message": "OTP Anda adalah 1234"}


def command(name: str, data: Any, **more: Any) -> bytes:
    return json.dumps({"command": name, "data": data, **more}).encode()


def sms(number: Any, **more: Any) -> bytes:
    return command("send-sms", {"id": number, **SMS}, **more)


def test_an_answer_has_what_a_client_needs(client: Any, gateway: Any, serve: Any) -> None:
    queue, answers = client.declare(), client.declare()
    client.publish(queue, sms(1, callback_topic=answers), correlation_id="c-1")
    served = serve(queue)
    method, properties, body = client.get(answers)
    assert json.loads(body) == {
        "command": "send-sms",
        "response_code": "0000",
        "response_text": "Done",
        "data": {"id": "1", "state": "sent", "modem_id": "m0"},
    }
    assert (properties.content_type, properties.delivery_mode, properties.app_id) == ("application/json", 2, "otp-pi")
    assert properties.correlation_id == "c-1"
    assert abs(properties.timestamp - time.time()) < 60
    assert (method.exchange, method.routing_key) == ("", answers)
    served.until(unsettled=0, done=1)
    assert served["callbacks"]["published"] == 1


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (ResponseCode.FAILED, "failed"),
        (ResponseCode.UNCONFIRMED, "unconfirmed"),
        (ResponseCode.DUPLICATE, "sent"),
        (ResponseCode.BLOCKED, "blocked"),
        (ResponseCode.EXPIRED, "expired"),
    ],
)
def test_every_end_is_told(client: Any, gateway: Any, serve: Any, code: ResponseCode, state: str) -> None:
    queue, answers = client.declare(), client.declare()
    gateway.outcomes["1"] = (code, {"state": state, "cause": "a reason"})
    client.publish(queue, sms(1, callback_topic=answers))
    serve(queue).until(taken=1, unsettled=0)
    answer = client.answer(answers)
    assert (answer["response_code"], answer["data"]["state"], answer["data"]["cause"]) == (
        code.value,
        state,
        "a reason",
    )


def test_what_is_given_back_is_not_answered_before_its_end(client: Any, gateway: Any, serve: Any) -> None:
    queue, answers = client.declare(), client.declare()
    gateway.outcomes["1"] = (ResponseCode.NO_MODEM, {"state": "failed"})
    client.publish(queue, sms(1, callback_topic=answers))
    served = serve(queue).until(taken=2)
    del gateway.outcomes["1"]
    served.until(done=1, unsettled=0)
    assert client.answer(answers)["response_code"] == "0000"
    assert client.ready(answers) == 0


def test_a_reply_to_is_as_good_as_a_callback_topic_which_goes_before_it(client: Any, gateway: Any, serve: Any) -> None:
    queue, answers, others = client.declare(), client.declare(), client.declare()
    client.publish(queue, sms(1), reply_to=others, correlation_id="ä")
    client.publish(queue, sms(2, callback_topic=answers), reply_to=others, correlation_id="two")
    serve(queue).until(done=2, unsettled=0)
    _, properties, body = client.get(others)
    assert (json.loads(body)["data"]["id"], properties.correlation_id) == ("1", "ä")
    _, properties, body = client.get(answers)
    assert (json.loads(body)["data"]["id"], properties.correlation_id) == ("2", "two")
    assert client.ready(others) == 0


def test_a_direct_reply_finds_its_way(client: Any, gateway: Any, serve: Any) -> None:
    queue = client.declare()
    served = serve(queue).until(consumer="consuming")
    came: list[tuple[Any, bytes]] = []
    client.channel.basic_consume(
        "amq.rabbitmq.reply-to", lambda _channel, _method, properties, body: came.append((properties, body)), True
    )
    client.publish(queue, sms(1), reply_to="amq.rabbitmq.reply-to", correlation_id="c-1")
    until(lambda: client.wait(0.01) or came)
    [(properties, body)] = came
    assert (json.loads(body)["response_code"], properties.correlation_id) == ("0000", "c-1")
    served.until(done=1, unsettled=0)
    assert served["callbacks"]["unroutable"] == 0


def test_a_direct_reply_whose_client_has_gone_is_no_harm(
    client: Any, gateway: Any, serve: Any, new_client: Any
) -> None:
    queue, gateway.hold = client.declare(), True
    served = serve(queue)
    other = new_client()
    other.channel.basic_consume("amq.rabbitmq.reply-to", lambda *_: None, True)
    other.publish(queue, sms(1), reply_to="amq.rabbitmq.reply-to")
    served.until(taken=1)
    other.close()
    gateway.hold = False
    gateway.finish()
    client.publish(queue, sms(2), reply_to="amq.rabbitmq.reply-to.nonsense")
    served.until(done=2, unsettled=0)
    assert served["attempts"] == 0


def test_an_answer_for_nobody_is_told_once_and_its_message_is_done(
    client: Any, gateway: Any, serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    queue, answers = client.declare(), client.declare()
    for number in range(5):
        client.publish(queue, sms(number, callback_topic="test-nobody"))
    client.publish(queue, sms(5, callback_topic="ä" * 200))  # 400 bytes are no name in AMQP
    client.publish(queue, sms(6, callback_topic=answers))
    served = serve(queue).until(done=7, unsettled=0)
    assert client.answer(answers)["data"]["id"] == "6"
    assert served["callbacks"]["unroutable"] == 6
    assert len([line for line in caplog.messages if "test-nobody" in line and "no such queue" in line]) == 1
    served.stop()
    assert client.ready(queue) == 0


def test_nothing_is_answered_to_where_commands_come_from(
    client: Any, gateway: Any, serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    queue = client.declare()
    client.publish(queue, sms(1, callback_topic=queue))
    served = serve(queue).until(done=1, unsettled=0)
    assert served["callbacks"]["refused"] == 1
    assert f"an answer for '{queue}' is lost: it is where commands come from" in caplog.text
    served.stop()
    assert (served["taken"], client.ready(queue)) == (1, 0)


def test_later_states_and_messages_that_come_in_are_published(client: Any, gateway: Any, serve: Any) -> None:
    queue, answers, inbox = client.declare(), client.declare(), client.declare()
    served = serve(queue, inbox_topic=inbox)
    answer = Answer("send-sms", ResponseCode.SUCCESS, data={"id": "1", "state": "delivered"})
    served.ingress.state_changed(Callback(answers, b"\xff\x00c", "send-sms"), answer)
    served.ingress.received(ReceivedMessage("m1", "m0", "+6281200000001", "Ya \U0001f44d \ud83d", 1.0, 2.0, 2, (2,)))
    _, properties, body = client.get(answers)
    assert json.loads(body)["data"]["state"] == "delivered"
    assert properties.correlation_id == b"\xff\x00c"
    assert json.loads(client.get(inbox)[2].decode("utf-8", "surrogatepass")) == {
        "message_id": "m1",
        "modem_id": "m0",
        "originator": "+6281200000001",
        "text": "Ya \U0001f44d \ud83d",
        "sent": 1.0,
        "arrived": 2.0,
        "segments": 2,
        "missing": [2],
        "binary": False,
        "damaged": False,
    }


def test_a_message_is_settled_after_its_answer_is_confirmed(
    client: Any, gateway: Any, serve: Any, make_proxy: Any
) -> None:
    """An answer that cannot be published holds its message back, but no longer than the time-out."""
    queue, answers = client.declare(), client.declare(kind="classic", x_max_length=0, x_overflow="reject-publish")
    client.publish(queue, sms(1, callback_topic=answers, callback_delay=0))
    served = serve(queue, timeout=2).until(taken=1, unsettled=1)  # RabbitMQ refuses the answer, and is asked again
    served.until(unsettled=0, done=1)
    until(lambda: served["callbacks"]["refused"] == 1)
    assert served["callbacks"]["published"] == 0
    served.stop()
    assert client.ready(queue) == 0


def test_a_callback_that_is_wanted_late_does_not_hold_its_message(client: Any, gateway: Any, serve: Any) -> None:
    queue, answers = client.declare(), client.declare()
    client.publish(queue, sms(1, callback_topic=answers, callback_delay=1500))
    serve(queue).until(done=1, unsettled=0)
    assert client.ready(answers) == 0
    assert client.answer(answers)["data"]["state"] == "sent"


def test_a_thousand_answers_in_order(client: Any, gateway: Any, serve: Any) -> None:
    queue, answers, gateway.at_hand = client.declare(), client.declare(), 128
    for number in range(1000):
        client.publish(queue, sms(number, callback_topic=answers, callback_delay=0))
    served = serve(queue).until(done=1000, unsettled=0)
    assert [client.answer(answers)["data"]["id"] for _ in range(1000)] == [str(number) for number in range(1000)]
    assert served["callbacks"]["published"] == 1000


def test_messages_are_taken_while_the_broker_takes_no_answers(
    client: Any, gateway: Any, serve: Any, rabbitmq: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """An alarm of RabbitMQ blocks connections that publish: the one that acknowledges must not be one of them."""
    queue, answers, gateway.at_hand = client.declare(), client.declare(), 4
    served = serve(queue, timeout=1).until(consumer="consuming")
    client.publish(queue, sms("first", callback_topic=answers))
    assert client.answer(answers)["data"]["id"] == "first"
    gateway.hold = True
    for number in range(6):
        client.publish(queue, sms(number, callback_topic=answers))
    rabbitmq.ctl("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        gateway.hold = False
        gateway.finish()
        until(lambda: served["blocked"])
        assert "the server is short of resources (low on memory): answers wait" in caplog.text
        served.until(done=7, unsettled=0)
    finally:
        rabbitmq.ctl("set_vm_memory_high_watermark", "absolute", "1GB")
    ids = {client.answer(answers)["data"]["id"] for _ in range(6)}
    assert ids == {str(number) for number in range(6)}
    until(lambda: served["blocked"] is None)


def test_answers_that_may_not_be_published_do_not_stop_messages(
    client: Any, gateway: Any, serve: Any, rabbitmq: Any, caplog: pytest.LogCaptureFixture
) -> None:
    rabbitmq.manage("PUT", "users/reader", password="a-password", tags="")
    queue, answers = client.declare(), client.declare()
    rabbitmq.manage("PUT", "permissions/%2F/reader", configure="", write="", read=".*")
    try:
        client.publish(queue, sms(1, callback_topic=answers))
        client.publish(queue, sms(2))
        served = serve(queue, username="reader", password="a-password", timeout=2).until(done=2, unsettled=0)
        assert "the server refuses to publish answers: ACCESS_REFUSED" in caplog.text
        assert "a-password" not in caplog.text
        until(lambda: served["callbacks"]["refused"] == 1)
        served.stop()
        assert client.ready(queue) == 0
    finally:
        rabbitmq.manage("DELETE", "users/reader")
