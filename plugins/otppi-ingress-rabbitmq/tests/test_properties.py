"""What a message's properties say, and what they say that makes no sense."""

import datetime
import json
import struct
import time
from typing import Any

import pika
import pytest
from pika import frame, spec

from otppi.api.ingress import Callback
from otppi.testing.scripted import until
from otppi_ingress_rabbitmq.properties import coding_problem, delivery_of

NOW = 1_790_000_000.0
SMS = {"id": 1, "receiver": "08126666666", "message": "OTP Anda adalah 1234"}


def sms(number: Any = 1) -> bytes:
    return json.dumps({"command": "send-sms", "data": {**SMS, "id": number}}).encode()


def read(redelivered: bool = False, **properties: Any) -> Any:
    method = spec.Basic.Deliver("tag", 7, redelivered, "", "sms")
    made = pika.BasicProperties()
    for name, value in properties.items():
        setattr(made, name, value)
    return delivery_of(method, made, b"{}", NOW)


def test_what_the_properties_say() -> None:
    delivery = read(
        redelivered=True,
        message_id="m-1",
        timestamp=1_789_999_000,
        expiration="60000",
        priority=9,
        reply_to="answers",
        correlation_id="c-1",
        headers={"x-delivery-count": 3},
    )
    assert (delivery.tag, delivery.redelivered, delivery.attempt, delivery.message_id) == (7, True, 3, "m-1")
    assert (delivery.date_time, delivery.expiration) == (1_789_999_000, 1_789_999_061)
    assert (delivery.priority, delivery.callback) == ("otp", Callback("answers", b"c-1"))


@pytest.mark.parametrize(
    ("priority", "lane"), [(0, "bulk"), (3, "bulk"), (4, None), (None, None), (5, "otp"), (255, "otp")]
)
def test_the_priority_chooses_the_lane(priority: int | None, lane: str | None) -> None:
    assert read(priority=priority).priority == lane


@pytest.mark.parametrize(
    ("timestamp", "date_time"),
    [
        (None, None),
        (0, None),
        (12345, None),
        (1_789_999_000_500, 1_789_999_000),  # milliseconds
        (2**64 - 1, None),
        ("soon", None),
    ],
)
def test_a_timestamp_is_seconds_or_milliseconds_or_nothing(timestamp: Any, date_time: int | None) -> None:
    assert read(timestamp=timestamp).date_time == date_time


@pytest.mark.parametrize("expiration", ["abc", "", "-1", "1e3", "١٢", "9" * 255, b"\xff", None, 60])
def test_a_lifetime_that_is_no_number_is_none(expiration: Any) -> None:
    assert read(expiration=expiration).expiration is None


def test_a_lifetime_counts_from_the_timestamp_which_cannot_put_it_off() -> None:
    assert read(expiration="60000").expiration == NOW + 61
    assert read(expiration="60000", timestamp=int(NOW) + 86_400).expiration == NOW + 61
    assert read(expiration="0", timestamp=int(NOW) - 10).expiration == NOW - 9


@pytest.mark.parametrize("headers", [None, {}, {"x-delivery-count": "3"}, {"x-delivery-count": -3}, [1]])
def test_a_count_that_is_none_is_zero(headers: Any) -> None:
    assert read(headers=headers).attempt == 0


def test_names_that_are_no_text_are_left_out() -> None:
    delivery = read(message_id=b"\xff", reply_to=b"\xfe", correlation_id=b"\xff\xfe")
    assert (delivery.message_id, delivery.callback) == (None, Callback("", b"\xff\xfe"))
    assert read(reply_to=b"\xfe").callback is None
    assert read(reply_to="answers", correlation_id=b"\xff\xfe").callback == Callback("answers", b"\xff\xfe")


@pytest.mark.parametrize("coding", [None, "", "identity", "UTF-8", "utf8"])
def test_plain_bodies_are_taken(coding: str | None) -> None:
    assert coding_problem(pika.BasicProperties(content_encoding=coding)) is None


@pytest.mark.parametrize("coding", ["gzip", "deflate", b"\xff", "utf-16"])
def test_others_are_not(coding: Any) -> None:
    assert coding_problem(pika.BasicProperties(content_encoding=coding)) is not None


# -- through the broker ---------------------------------------------------------------------------------------------


class Headers(pika.BasicProperties):  # type: ignore[misc]  # pika has no types
    """Properties with a table of headers that pika would not write."""

    def __init__(self, raw: bytes, **more: Any) -> None:
        super().__init__(headers={}, **more)
        self._raw = raw

    def encode(self) -> Any:
        pieces = list(super().encode())
        place = 1 + sum(1 for value in (self.content_type, self.content_encoding) if value is not None) * 2
        assert pieces[place] == struct.pack(">I", 0)
        pieces[place] = struct.pack(">I", len(self._raw)) + self._raw
        return pieces


POISONS = {
    "a timestamp in milliseconds": b"\x01tT" + struct.pack(">Q", 1_789_999_000_500),
    "a timestamp beyond all years": b"\x01tT" + struct.pack(">Q", 2**63 - 1),
    "nested deeply": b"\x01a" + b"".join(b"A" + struct.pack(">I", 5 * depth) for depth in range(2000, -1, -1)),
}


@pytest.mark.parametrize("name", POISONS)
def test_headers_that_pika_cannot_read_do_no_harm(client: Any, gateway: Any, serve: Any, name: str) -> None:
    queue = client.declare()
    properties = Headers(POISONS[name], content_type="application/json", message_id="m-1", priority=7)
    client.channel.basic_publish("", queue, sms(1), properties)
    client.publish(queue, sms(2))
    served = serve(queue).until(done=2)
    assert gateway.ids == ["1", "2"]
    assert gateway.taken[0][0].items[0].priority == "otp"
    assert (served["attempts"], served["last_problem"]) == (0, None)


@pytest.mark.parametrize("step", [1, 5, 100_000])
def test_a_frame_that_comes_in_pieces_is_read_once_it_is_whole(step: int) -> None:
    from otppi_ingress_rabbitmq.connection import Connection

    not_a_number = b"\x01fd" + struct.pack(">d", float("nan"))  # RabbitMQ itself refuses it
    properties = Headers(not_a_number, content_type="text/plain", content_encoding="utf-8", reply_to="r")
    data = frame.Header(3, 1234, properties).marshal() + frame.Heartbeat().marshal()
    connection = Connection.__new__(Connection)
    connection._frame_buffer = b""
    frames = []
    for start in range(0, len(data), step):
        connection._frame_buffer += data[start : start + step]
        while True:
            used, one = connection._read_frame()
            if one is None:
                break
            frames.append(one)
            connection._frame_buffer = connection._frame_buffer[used:]
    header, heartbeat = frames
    assert (header.channel_number, header.body_size) == (3, 1234)
    assert (header.properties.reply_to, header.properties.content_encoding) == ("r", "utf-8")
    assert header.properties.headers is None
    assert isinstance(heartbeat, frame.Heartbeat)


def test_what_is_no_frame_at_all_ends_the_connection() -> None:
    from otppi_ingress_rabbitmq.connection import Connection

    connection = Connection.__new__(Connection)
    connection._frame_buffer = frame.Heartbeat().marshal()[:-1] + b"\0"
    with pytest.raises(pika.exceptions.AMQPError):
        connection._read_frame()


def test_a_message_that_outlived_its_time_is_not_sent(client: Any, gateway: Any, serve: Any) -> None:
    queue = client.declare()
    made = int(time.time()) - 100
    client.publish(queue, sms(1), expiration="60000", timestamp=made)
    client.publish(queue, sms(2), expiration="3600000", timestamp=made)
    client.publish(queue, sms(3), timestamp=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC).timestamp().__int__())
    serve(queue).until(taken=3)
    items = [envelope.items[0] for envelope, _ in gateway.taken]
    assert [(item.date_time, item.expiration) for item in items[:2]] == [(made, made + 61), (made, made + 3601)]
    assert items[2].date_time == 1_577_836_800


def test_a_compressed_body_is_rejected_and_said_so(
    client: Any, gateway: Any, serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    dead, answers = client.declare(), client.declare()
    queue = client.declare(x_dead_letter_exchange="", x_dead_letter_routing_key=dead)
    client.publish(queue, b"\x1f\x8b\x08", content_encoding="gzip", reply_to=answers, correlation_id="c-9")
    serve(queue).until(malformed=1)
    _, properties, body = client.get(answers)
    assert json.loads(body)["data"]["errors"][0]["field"] == "content_encoding"
    assert (json.loads(body)["response_code"], properties.correlation_id) == ("1206", "c-9")
    assert client.get(dead)[2] == b"\x1f\x8b\x08"
    assert "malformed (content_encoding: must not be set" in caplog.text
    until(lambda: not gateway.taken)
