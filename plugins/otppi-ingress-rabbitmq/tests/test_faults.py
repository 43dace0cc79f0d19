"""The broker dies, stands still, hangs up; the network breaks or stalls: nothing is lost, and it goes on by itself."""

import json
import random
import threading
import time
from functools import partial
from typing import Any

import pytest
from pika import spec

from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE
from otppi.wire.envelope import ResponseCode

SMS = {"receiver": "08126666666", "message": "OTP Anda adalah 1234"}


def sms(number: Any, **more: Any) -> bytes:
    return json.dumps({"command": "send-sms", "data": {"id": number, **SMS}, **more}).encode()


def sent(gateway: Any) -> set[str]:
    return {str(one) for one in gateway.ids}


def test_the_server_hangs_up_and_is_found_again(
    client: Any, gateway: Any, serve: Any, rabbitmq: Any, caplog: pytest.LogCaptureFixture
) -> None:
    queue, gateway.hold = client.declare(), True
    client.publish(queue, sms(1))
    served = serve(queue).until(taken=1)
    [name] = [
        line for line in rabbitmq.ctl("list_connections", "pid", "client_properties").splitlines() if queue in line
    ]
    assert "OTP-Pi " in name
    rabbitmq.ctl("close_connection", name.split()[0], "maintenance")
    until(lambda: served["attempts"] == 1 or served["taken"] == 2)
    served.until(taken=2, consumer="consuming")
    assert "the server closed it: CONNECTION_FORCED - maintenance" in caplog.text
    assert [origin.redelivered for _, origin in gateway.taken] == [False, True]
    gateway.tickets[1].finish(ResponseCode.SUCCESS, state="sent")
    served.until(done=1, unsettled=0)


def test_a_network_that_stalls_is_noticed_and_what_was_not_begun_is_taken_back(
    client: Any, gateway: Any, serve: Any, make_proxy: Any, caplog: pytest.LogCaptureFixture
) -> None:
    queue, proxy, gateway.hold = client.declare(), make_proxy(), True
    for number in range(3):
        client.publish(queue, sms(number))
    served = serve(queue, port=proxy.port, heartbeat=2, timeout=2).until(taken=3)
    gateway.tickets[0].begun = True
    proxy.stall()
    served.until(connected=False)
    assert "the server was silent for 2 s" in caplog.text
    until(lambda: gateway.tickets[1].answer().code is ResponseCode.NO_MODEM)
    assert gateway.tickets[0].answer().code is ResponseCode.SUCCESS
    until(lambda: client.ready(queue) == 3)  # the server has noticed it as well
    gateway.hold = False
    proxy.flow()
    proxy.cut()
    served.until(done=3, unsettled=0)
    assert [origin.redelivered for _, origin in gateway.taken[3:]] == [True] * 3


def test_what_is_acknowledged_in_one_go_is_what_has_ended(
    client: Any, gateway: Any, serve: Any, make_proxy: Any
) -> None:
    """Messages end in any order: after a cut those come again that had not ended, and no other."""
    queue, proxy, gateway.hold, gateway.at_hand = client.declare(), make_proxy(), True, 60
    for number in range(60):
        client.publish(queue, sms(number))
    served = serve(queue, port=proxy.port).until(taken=60)
    ended = [*range(10), *random.Random(4711).sample(range(10, 60), 25)]
    for number in random.Random(815).sample(ended, len(ended)):
        gateway.tickets[number].finish(ResponseCode.SUCCESS, state="sent")
    served.until(unsettled=25)
    session, heard = served.ingress._session, threading.Event()
    # What a channel is asked is answered after what it was told.
    ask = partial(session.intake._channel.queue_declare, queue, passive=True, callback=lambda _: heard.set())
    session._ioloop.add_callback_threadsafe(ask)
    assert heard.wait(PATIENCE)
    gateway.hold = False
    proxy.cut()
    until(lambda: len(gateway.taken) == 85)
    served.until(unsettled=0)
    assert set(gateway.ids[60:]) == {str(number) for number in range(60) if number not in ended}
    assert client.ready(queue) == 0


def test_only_the_connection_for_messages_ends_when_nobody_hears_it(client: Any, serve: Any) -> None:
    """The server does not read the one for answers while it is short of memory, which is no reason to hang up."""
    session = serve(client.declare(), timeout=3).until(consumer="consuming").ingress._session
    assert session._connection.params.tcp_options == {"TCP_USER_TIMEOUT": 3000}
    assert not session.publisher._parameters.tcp_options


def test_a_channel_that_the_server_closes_is_opened_again(
    client: Any, gateway: Any, serve: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otppi_ingress_rabbitmq.intake._STEADY", 0.0)
    queue, gateway.hold = client.declare(), True
    client.publish(queue, sms(1))
    served = serve(queue).until(taken=1)
    session = served.ingress._session
    session._ioloop.add_callback_threadsafe(
        lambda: session.intake._channel.basic_ack(4711)
    )  # there is no such delivery
    served.until(taken=2, consumer="consuming", attempts=0)
    gateway.hold = False
    gateway.finish()
    served.until(unsettled=0, done=1)
    assert "the server closed the channel: PRECONDITION_FAILED - unknown delivery tag 4711" in caplog.text
    assert "1 messages that were not done will be delivered again" in caplog.text


def test_a_queue_that_lost_its_consumer_is_looked_for(
    client: Any, gateway: Any, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was deleted and made anew, and nobody heard of it."""
    monkeypatch.setattr("otppi_ingress_rabbitmq.intake._CHECK", 0.0)
    queue = client.declare(kind="classic")
    served = serve(queue).until(consumer="consuming")
    session = served.ingress._session
    channel = session.intake._channel
    channel.callbacks.remove(str(channel.channel_number), spec.Basic.Cancel)  # it does not hear of it
    client.channel.queue_delete(queue)
    client.declare(queue, "classic")
    client.publish(queue, sms(1))
    served.until(done=1)


def test_heartbeats_go_on_under_load_and_while_modems_are_slow(client: Any, gateway: Any, serve: Any) -> None:
    queue, gateway.at_hand = client.declare(), 32
    # Two of its own length may pass without a turn for anybody on a machine that is busy with something else.
    served = serve(queue, heartbeat=4).until(consumer="consuming")
    gateway.hold = True
    client.publish(queue, sms("slow"))
    served.until(taken=1)
    gateway.hold = False
    ends = time.monotonic() + 13  # more than three heartbeats
    number = 0
    while time.monotonic() < ends:
        for _ in range(20):
            client.publish(queue, sms(number))
            number += 1

        def few_wait(sent: int = number) -> bool:
            return bool(served["done"] >= sent - 100)

        until(few_wait)  # so few wait that the rest is done soon
    served.until(done=number, unsettled=1)
    assert (served["attempts"], served["last_problem"]) == (0, None)
    gateway.finish()
    served.until(unsettled=0)
    assert [origin.redelivered for _, origin in gateway.taken].count(True) == 0


def test_a_server_that_stands_still(
    client: Any, gateway: Any, serve: Any, rabbitmq: Any, caplog: pytest.LogCaptureFixture
) -> None:
    queue = client.declare()
    served = serve(queue, heartbeat=2, timeout=2).until(consumer="consuming")
    rabbitmq.pause()
    try:
        served.until(connected=False)
        until(lambda: served["attempts"] >= 2)
        assert served["last_problem"] == "the server did not answer within 2 s"
        assert served.stop() < 6  # though nobody answers
        served = serve(queue, heartbeat=2, timeout=2)
    finally:
        rabbitmq.resume()
    served.until(consumer="consuming")
    client.publish(queue, sms(1))
    served.until(done=1)


@pytest.mark.parametrize(
    "say", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"AMQP\x00\x01\x00\x00", b"\x01\x00\x00" * 99]
)
def test_a_server_that_is_something_else(serve: Any, say: bytes) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with listener.accept()[0] as one:
                one.recv(100)
                one.sendall(say)

        thread = threading.Thread(target=answer)
        thread.start()
        served = serve("sms", port=listener.getsockname()[1], timeout=1)
        until(lambda: served["last_problem"])
        thread.join()
        served.stop()
    assert "password" not in served["last_problem"]
    assert not served["last_problem"].startswith("the server was silent")


def test_the_server_is_killed_and_comes_back(client: Any, gateway: Any, serve: Any, rabbitmq: Any) -> None:
    queue, classic, answers = client.declare(), client.declare(kind="classic"), client.declare(kind="classic")
    # RabbitMQ 3.10 itself does not get the quorum queue back that was declared last before a kill.
    client.declare("test-last-before-the-kill")
    client.channel.confirm_delivery()
    gateway.hold = True
    other = type(gateway)()
    served, second = serve(queue), serve(classic, gateway=other)
    for number in range(20):
        client.publish(queue, sms(number, callback_topic=answers))
        client.publish(classic, sms(number))
    served.until(taken=16)
    second.until(done=20)
    rabbitmq.kill()
    served.until(connected=False)
    gateway.hold = False
    rabbitmq.start()
    client.reconnect()
    until(lambda: sent(gateway) == {str(number) for number in range(20)})
    served.until(unsettled=0, consumer="consuming")
    until(lambda: client.ready(queue) == 0 and client.ready(classic) == 0)
    told = {client.answer(answers)["data"]["id"] for _ in range(20)}
    assert told == {str(number) for number in range(20)}
