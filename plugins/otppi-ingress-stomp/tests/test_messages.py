"""Headers as RabbitMQ 3.10 and ActiveMQ 5.17 write them, and as nobody should."""

from typing import Any

import pytest
from stomp.utils import Frame

from otppi.api.ingress import Callback
from otppi.kit.broker.outbox import Delivery
from otppi_ingress_stomp.messages import delivery_of, destination

NOW = 1_790_000_000.0


def read(**headers: str) -> Delivery:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return delivery_of(Frame("MESSAGE", named, b"{}"), kept=True, now=NOW)


def test_rabbitmq() -> None:
    delivery = read(
        ack="T_otppi-1@@session-abc@@1", message_id="T_otppi-1@@session-abc@@1", subscription="otppi-1",
        amqp_message_id="mine", timestamp="1789999990", expiration="60000", priority="5", redelivered="true",
        reply_to="/reply-queue/amq.gen-x", correlation_id="c 1", x_delivery_count="3",
    )  # fmt: skip
    assert delivery.tag == ("T_otppi-1@@session-abc@@1", "otppi-1")
    assert delivery.callback == Callback("/reply-queue/amq.gen-x", b"c 1")
    assert (delivery.message_id, delivery.date_time, delivery.expiration) == ("mine", 1_789_999_990, 1_790_000_051)
    assert (delivery.priority, delivery.redelivered, delivery.attempt) == ("otp", True, 3)


def test_activemq() -> None:
    delivery = read(
        ack="ID:host-1-2:3", message_id="ID:host-1-2:-1:1:1:1", timestamp="1789999990123", expires="1790000050000",
        priority="4",
    )  # fmt: skip
    assert delivery.message_id == "ID:host-1-2:-1:1:1:1"
    assert (delivery.date_time, delivery.expiration, delivery.priority) == (1_789_999_990, 1_790_000_050, None)
    assert not delivery.redelivered
    assert read(expires="0", priority="2").expiration is None
    assert read(priority="2").priority == "bulk"
    assert read(correlation_id="c 1").callback == Callback("", b"c 1"), "where only the envelope says where"


@pytest.mark.parametrize("value", ["", "-1", "x", "1e9", "9" * 50, "١٢"])
def test_what_makes_no_sense_counts_as_not_said(value: str) -> None:
    names: Any = ("timestamp", "expires", "expiration", "priority", "x_delivery_count")
    delivery = read(**dict.fromkeys(names, value), message_id="T_1@@2@@3", reply_to="a\x00b")
    empty = read(message_id="T_1@@2@@3")
    assert delivery == empty
    assert empty.callback is None


def test_names_without_a_slash_are_queues() -> None:
    assert [destination(name) for name in ("sms", "/topic/sms", "/queue/sms")] == [
        "/queue/sms",
        "/topic/sms",
        "/queue/sms",
    ]
