"""Messages are taken, followed to their end, and settled: with a real broker and a gateway that stands in."""

import importlib.metadata
import json
import logging
from typing import Any

import pika
import pytest

from otppi.wire.envelope import ResponseCode

SMS = {"receiver": "08126666666", "message": "OTP Anda adalah 1234"}


def sms(number: Any, **more: Any) -> bytes:
    return json.dumps({"command": "send-sms", "data": {"id": number, **SMS}, **more}).encode()


def eventually(condition: Any, served: Any) -> None:
    from otppi.testing.scripted import until

    until(condition, str(served.ingress.describe()))


def test_it_registers_through_its_entry_point() -> None:
    [entry] = [one for one in importlib.metadata.entry_points(group="otppi") if one.name == "ingress-rabbitmq"]
    [kind] = entry.load().otppi_ingress_types()
    defaults = kind.section.defaults()
    assert (kind.section.key, defaults["port"], defaults["queue"]) == ("ingress-rabbitmq", 5672, "sms")
    assert not kind.enabled(defaults)
    titles = [setting.title for setting in kind.section.settings]
    for title in ("Enable", "SSL", "Host", "Port", "Username", "Password", "Queue", "Timeout", "Refresh connection"):
        assert title in titles
    _, problems = kind.section.validate({"queue": "ä" * 128, "queue_type": "stream", "heartbeat": 0})
    assert {problem.field.partition(".")[2] for problem in problems} == {"queue", "queue_type", "heartbeat"}


def test_a_message_is_acknowledged_after_its_end_and_not_before(client: Any, gateway: Any, serve: Any) -> None:
    queue, gateway.hold = client.declare(), True
    for number in range(3):
        client.publish(queue, sms(number))
    served = serve(queue).until(taken=3, unsettled=3)
    eventually(lambda: (client.ready(queue), client.consumers(queue)) == (0, 1), served)
    gateway.tickets[1].finish(ResponseCode.SUCCESS, state="sent")
    served.until(unsettled=2, done=1)
    gateway.tickets[0].begun = gateway.tickets[2].begun = True
    served.ingress.stop()
    assert served.thread.is_alive()
    gateway.finish()
    assert served.stop() < 5
    assert client.ready(queue) == 0
    assert [origin.kept_by_source for _, origin in gateway.taken] == [True] * 3


@pytest.mark.parametrize(
    ("code", "data", "where"),
    [
        (ResponseCode.SUCCESS, {"state": "sent"}, "done"),
        (ResponseCode.DUPLICATE, {"state": "sent"}, "done"),
        (ResponseCode.UNCONFIRMED, {"state": "unconfirmed"}, "done"),
        (ResponseCode.FAILED, {"state": "failed"}, "dead"),
        (ResponseCode.EXPIRED, {"state": "expired"}, "dead"),
        (ResponseCode.QUEUE_FULL, {"state": "expired"}, "dead"),
        (ResponseCode.BLOCKED, {"state": "blocked"}, "dead"),
        (ResponseCode.TOO_MANY, {}, "dead"),
        (ResponseCode.MALFORMED, {}, "dead"),
        (ResponseCode.NO_MODEM, {"state": "failed"}, "queue"),
        (ResponseCode.QUEUE_FULL, {"state": "failed", "retry_after": 1}, "queue"),
    ],
)
def test_each_end_has_its_place(
    client: Any, gateway: Any, serve: Any, code: ResponseCode, data: dict[str, Any], where: str
) -> None:
    dead = client.declare()
    queue = client.declare(x_dead_letter_exchange="", x_dead_letter_routing_key=dead)
    gateway.outcomes["1"] = (code, data)
    client.publish(queue, sms(1))
    served = serve(queue)
    served.until(taken=1)
    if where == "queue":
        served.until(taken=2)  # given back, and delivered again
        del gateway.outcomes["1"]
        served.until(done=1)
        assert (served["again"] >= 1, served["never"]) == (True, 0)
    else:
        served.until(unsettled=0, **{"done" if where == "done" else "never": 1})
    if where == "dead":
        _, properties, body = client.get(dead)
        assert body == sms(1)
        assert properties.headers["x-death"][0]["reason"] == "rejected"
    served.stop()
    eventually(lambda: (client.ready(queue), client.ready(dead)) == (0, 0), served)


def test_a_quorum_queue_counts_how_often_a_message_was_given_back(client: Any, gateway: Any, serve: Any) -> None:
    queue = client.declare()
    gateway.outcomes["1"] = (ResponseCode.NO_MODEM, {"state": "failed"})
    client.publish(queue, sms(1))
    served = serve(queue).until(taken=3)  # after pauses of 1 and 2 s: the second one comes from its count
    assert served["again"] >= 2
    assert [origin.redelivered for _, origin in gateway.taken] == [False, True, True]
    dates = {envelope.items[0].date_time for envelope, _ in gateway.taken}
    assert len(dates) == 1  # its lifetime begins when it came first


def test_a_delivery_limit_ends_in_the_dead_letter_queue(client: Any, gateway: Any, serve: Any) -> None:
    dead = client.declare()
    queue = client.declare(x_dead_letter_exchange="", x_dead_letter_routing_key=dead, x_delivery_limit=1)
    gateway.outcomes["1"] = (ResponseCode.NO_MODEM, {"state": "failed"})
    client.publish(queue, sms(1))
    serve(queue)
    _, properties, _ = client.get(dead)
    assert properties.headers["x-death"][0]["reason"] == "delivery_limit"


# -- the queue ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["quorum", "classic"])
def test_a_queue_that_does_not_exist_is_declared(client: Any, serve: Any, kind: str) -> None:
    queue, dead = client.name(), client.name()
    served = serve(queue, queue_type=kind, dead_letter_queue=dead).until(consumer="consuming")
    more = {"x_delivery_limit": 100} if kind == "quorum" else {}
    client.declare(queue, kind, x_dead_letter_exchange="", x_dead_letter_routing_key=dead, **more)  # the same: no error
    client.declare(dead, kind)
    client.publish(queue, b"not JSON")
    assert client.get(dead)[2] == b"not JSON"
    assert served["never"] == 0
    assert served["malformed"] == 1


def test_a_dead_letter_queue_that_exists_is_used_as_it_is(client: Any, serve: Any) -> None:
    dead = client.declare(kind="classic", x_max_length=10)
    queue = client.name()
    serve(queue, dead_letter_queue=dead).until(consumer="consuming")
    client.publish(queue, b"[]")
    assert client.get(dead)[2] == b"[]"


@pytest.mark.parametrize("durable", [True, False])
def test_a_queue_that_exists_is_used_as_it_is(client: Any, gateway: Any, serve: Any, durable: bool) -> None:
    queue = client.name()
    client.channel.queue_declare(queue, durable=durable, arguments={"x-max-priority": 5, "x-message-ttl": 60_000})
    client.publish(queue, sms(1))
    serve(queue).until(done=1)


def test_a_queue_of_somebody_else_is_told(client: Any, serve: Any) -> None:
    queue = client.name()
    client.channel.queue_declare(queue, exclusive=True)
    served = serve(queue)
    eventually(lambda: served["last_problem"], served)
    assert served["last_problem"].startswith(f"queue {queue} cannot be used: RESOURCE_LOCKED")
    assert not served["connected"]


def test_a_queue_that_is_deleted_is_declared_again(
    client: Any, gateway: Any, serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    queue, gateway.hold = client.declare(), True
    client.publish(queue, sms(1))
    served = serve(queue).until(taken=1, consumer="consuming")
    client.channel.queue_delete(queue)
    eventually(lambda: served["consumer"] != "consuming", served)
    served.until(consumer="consuming")
    gateway.hold = False
    client.publish(queue, sms(2))
    served.until(done=1, taken=2)
    assert f"the server ended the consumer of queue {queue}, which may have been deleted" in caplog.text
    assert served["attempts"] == 0  # over the same connection


# -- how many, and when ---------------------------------------------------------------------------------------------


def test_as_many_are_taken_as_the_modems_can_use(client: Any, gateway: Any, serve: Any) -> None:
    queue, gateway.hold, gateway.at_hand = client.declare(), True, 4
    for number in range(40):
        client.publish(queue, sms(number))
    served = serve(queue).until(taken=4, prefetch=4)
    gateway.at_hand = 7  # not worth a new consumer
    gateway.tickets[0].finish(ResponseCode.SUCCESS, state="sent")
    served.until(taken=5, prefetch=4)
    gateway.at_hand = 16
    served.until(prefetch=16)
    served.until(taken=4 + 1 + 16)  # those of the old consumer are still at hand
    gateway.hold = False
    gateway.finish()
    served.until(done=40, unsettled=0)
    assert sorted(gateway.ids, key=lambda one: int(one or "")) == [str(number) for number in range(40)]
    gateway.at_hand = 3
    served.until(prefetch=3)


def test_a_prefetch_of_the_settings_is_the_most(client: Any, gateway: Any, serve: Any) -> None:
    queue, gateway.hold, gateway.at_hand = client.declare(), True, 100
    for number in range(8):
        client.publish(queue, sms(number))
    served = serve(queue, prefetch=5).until(taken=5, prefetch=5)
    eventually(lambda: client.ready(queue) == 3, served)
    gateway.at_hand = 0
    served.until(consumer="idle")


def test_without_a_modem_everything_is_left_to_others(
    client: Any, gateway: Any, serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    queue, gateway.hold, gateway.at_hand = client.declare(), True, 10
    for number in range(10):
        client.publish(queue, sms(number))
    served = serve(queue).until(taken=10)
    gateway.tickets[0].begun = True
    gateway.at_hand = 0
    served.until(consumer="idle", unsettled=1)
    assert served["detail"] == f"no modem may send: what is in queue {queue} is left to other gateways"
    eventually(lambda: client.ready(queue) == 9, served)
    gateway.tickets[0].finish(ResponseCode.SUCCESS, state="sent")
    served.until(unsettled=0, done=1)
    gateway.hold, gateway.at_hand = False, 10
    served.until(done=10, consumer="consuming")
    assert served["detail"] == f"takes messages from queue {queue}"
    eventually(lambda: client.ready(queue) == 0, served)
    assert gateway.ids.count("0") == 1


def test_what_waits_to_be_given_back_does_not_hold_up_the_rest(client: Any, gateway: Any, serve: Any) -> None:
    queue, gateway.at_hand = client.declare(), 4
    for number in range(4):
        gateway.outcomes[str(number)] = (ResponseCode.QUEUE_FULL, {"state": "failed", "retry_after": 30})
        client.publish(queue, sms(number))
    served = serve(queue).until(taken=4, unsettled=4)
    client.publish(queue, sms("urgent"))
    served.until(done=1)
    assert "urgent" in gateway.ids
    assert served["unsettled"] <= 16


def test_bulk_in_a_queue_of_its_own_holds_up_nothing(client: Any, gateway: Any, serve: Any) -> None:
    """24 bulk before one of priority 9 took 62.6 s: a quorum queue knows no priority before RabbitMQ 4."""
    queue, bulk = client.declare(), client.declare()
    gateway.at_hand, gateway.hold = 2, True
    for number in range(24):
        client.publish(bulk, sms(number), priority=9)
    served = serve(queue, bulk_queue=bulk).until(taken=2, unsettled=2)
    client.publish(queue, sms("urgent"))
    served.until(taken=3)
    assert gateway.ids[-1] == "urgent"
    assert [envelope.items[0].priority for envelope, _ in gateway.taken] == ["bulk", "bulk", None]
    gateway.hold = False
    gateway.finish()
    served.until(done=25, unsettled=0)
    assert client.ready(bulk) == 0


def test_both_queues_are_declared_and_looked_for_when_one_is_deleted(client: Any, gateway: Any, serve: Any) -> None:
    queue, bulk = client.name(), client.name()
    served = serve(queue, bulk_queue=bulk).until(consumer="consuming")
    client.channel.queue_delete(bulk)
    served.until(consumer="looking for the queue")
    served.until(consumer="consuming")
    client.publish(bulk, sms(1))
    client.publish(queue, sms(2))
    served.until(done=2)
    assert sorted(str(one) for one in gateway.ids) == ["1", "2"]
    assert served["detail"] == f"takes messages from queue {queue} and {bulk}"


def test_who_declares_the_queue_as_tutorials_do_is_refused_and_the_log_says_why(
    client: Any, serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    queue = client.name()
    serve(queue).until(consumer="consuming")
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as refused:
        client.another_channel().queue_declare(queue)
    assert refused.value.reply_code == 406
    assert f"queue {queue} does not exist; it is declared as a durable quorum queue" in caplog.text
    assert "406 PRECONDITION_FAILED" in caplog.text
    client.another_channel().queue_declare(queue, passive=True)


def test_a_stop_gives_back_what_waits_for_another_attempt(client: Any, gateway: Any, serve: Any) -> None:
    queue = client.declare()
    gateway.outcomes["1"] = (ResponseCode.QUEUE_FULL, {"state": "failed", "retry_after": 30})
    client.publish(queue, sms(1))
    served = serve(queue).until(taken=1)
    assert served.stop() < 5
    eventually(lambda: client.ready(queue) == 1, served)


def test_the_connection_is_refreshed_without_anything_coming_twice(client: Any, gateway: Any, serve: Any) -> None:
    queue = client.declare()
    served = serve(queue, refresh=1).until(consumer="consuming")
    since = served["since"]
    for number in range(200):
        client.publish(queue, sms(number))
        client.wait(0.01)
    served.until(done=200)
    eventually(lambda: served["since"] > since and served["consumer"] == "consuming", served)
    # Some may be marked as redelivered: what the server sends while the consumer is cancelled goes back unread.
    assert sorted(gateway.ids, key=int) == [str(number) for number in range(200)]
    assert served["last_problem"] is None


def test_nothing_of_a_message_is_logged(
    client: Any, gateway: Any, serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    queue = client.declare()
    gateway.outcomes["2"] = (ResponseCode.NO_MODEM, {"state": "failed"})
    for number in range(3):
        client.publish(queue, sms(number, callback_topic="nowhere-at-all"))
    client.publish(queue, b'{"command": "send-sms", "data": {"message": "OTP Anda adalah 1234"}}')
    served = serve(queue).until(taken=5)
    served.stop()
    assert "given back" in caplog.text
    assert "malformed" in caplog.text
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("otppi", "pika.", "root"))]
    assert not [line for line in ours if "1234" in line or "08126666666" in line]
