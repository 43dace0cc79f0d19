"""What the consumer does with what a broker delivers: it is sent, answered and settled, or rejected."""

from typing import Any

import pytest

from otppi.api.ingress import Callback, Origin, Sender
from otppi.kit.broker.outbox import Action
from otppi.kit.broker.verdict import Verdict
from otppi.testing.scripted import until
from otppi.wire.envelope import Answer, ResponseCode

from .conftest import BLOCKED, EXPIRED, REJECTED, SENT, UNCONFIRMED, Bench, Outcome, message, told

# -- one message -------------------------------------------------------------------------------------------------------


def test_a_delivery_is_settled_when_its_message_is_final(bench: Bench) -> None:
    ticket = bench.take(tag=17)
    assert (bench.consumer.due(), bench.consumer.pause(), bench.consumer.in_flight) == ([], None, 1)
    assert ticket.origin == Origin("ingress-x", Sender("broker"), kept_by_source=True)
    ticket.end(SENT)
    assert bench.woken.is_set()
    action = bench.one()
    assert (action.verdict, action.callback) == (Verdict.DONE, None)
    assert action.delivery is not None
    assert action.delivery.tag == 17
    assert (bench.consumer.in_flight, bench.consumer.describe()["done"]) == (0, 1)


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [(SENT, "DONE"), (UNCONFIRMED, "DONE"), (EXPIRED, "NEVER"), (BLOCKED, "NEVER"), (REJECTED, "NEVER")],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_the_answer_goes_out_with_what_settles(bench: Bench, outcome: Outcome, verdict: str, at_once: bool) -> None:
    if at_once:
        bench.gateway.at_once = lambda _: outcome
    ticket = bench.take(message(callback_topic="answers", callback_delay=0))
    if not at_once:
        ticket.end(outcome)
    action = bench.one()
    assert action.verdict is Verdict[verdict]
    assert action.callback == Callback("answers", b"", "send-sms")
    assert told(action) == {
        "command": "send-sms", "response_code": outcome[0].value, "response_text": outcome[0].text, "data": outcome[1]
    }  # fmt: skip


def test_the_envelope_goes_before_the_protocol(bench: Bench) -> None:
    protocol = Callback("reply-queue", b"my id")
    first = bench.take(message(callback_topic="answers"), callback=protocol)
    second = bench.take(message(2), callback=protocol)
    assert first.origin.callback == Callback("answers", b"my id", "send-sms")
    assert second.origin.callback == Callback("reply-queue", b"my id", "send-sms")


def test_what_the_protocol_says_fills_what_the_envelope_leaves_out(bench: Bench) -> None:
    properties = {"message_id": "of the protocol", "date_time": 1_000, "expiration": 2_000, "priority": "bulk"}
    body = {"command": "send-sms", "data": {"receiver": "08126666666", "message": "text"}}
    (item,) = bench.take(body, **properties).envelope.items
    assert (item.id, item.date_time, item.expiration, item.priority) == ("of the protocol", 1_000, 2_000, "bulk")
    body["data"] |= {"id": 5, "date_time": 1_500, "expiration": 1_700, "priority": "otp"}  # type: ignore[operator]
    (item,) = bench.take(body, **properties).envelope.items
    assert (item.id, item.date_time, item.expiration, item.priority) == ("5", 1_500, 1_700, "otp")
    (item,) = bench.take(body, expiration=1_600).envelope.items
    assert item.expiration == 1_600, "the earlier of both"


@pytest.mark.parametrize("name", ["", "x" * 129, "two\nlines", "\ud800", "\x00"])
def test_an_id_of_the_protocol_that_no_envelope_might_have_is_none(bench: Bench, name: str) -> None:
    body = {"command": "send-sms", "data": {"receiver": "08126666666", "message": "text"}}
    (item,) = bench.take(body, message_id=name).envelope.items
    assert item.id is None


def test_messages_of_a_list_do_not_share_the_id_of_the_protocol_and_stay_bulk(bench: Bench) -> None:
    body = {"command": "send-sms", "data": [{"receiver": "08126666666", "message": "text"}] * 2}
    items = bench.take(body, message_id="one").envelope.items
    assert [(item.id, item.priority) for item in items] == [(None, "bulk")] * 2


# -- callbacks ---------------------------------------------------------------------------------------------------------


def test_a_short_delay_holds_the_acknowledgement_and_a_long_one_does_not(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.take(message(callback_topic="short", callback_delay=1_000)).end(SENT)
    assert (bench.consumer.due(), bench.consumer.in_flight) == ([], 1)
    bench.take(message(2, callback_topic="long", callback_delay=600_000)).end(SENT)
    action = bench.one()
    assert (action.callback, action.delivery is not None) == (None, True), "it is acknowledged long before it is told"
    bench.skip(monkeypatch, 1.1)
    action = bench.one()
    assert (action.callback and action.callback.topic, action.delivery is not None) == ("short", True)
    assert bench.consumer.in_flight == 0
    assert 590 < (bench.consumer.pause() or 0) < 600
    bench.skip(monkeypatch, 600)
    action = bench.one()
    assert (action.callback and action.callback.topic, action.delivery) == ("long", None)


def test_a_stop_tells_at_once_what_was_to_be_told_later(bench: Bench) -> None:
    bench.take(message(callback_topic="long", callback_delay=600_000)).end(SENT)
    bench.one()
    bench.woken.clear()
    bench.consumer.stop()
    assert bench.woken.is_set()
    assert bench.consumer.pause() == 0
    assert told(bench.one())["data"]["state"] == "sent"


def test_later_states_are_published_and_bounded(bench: Bench) -> None:
    bench.consumer.publish(Callback("answers"), b"{}")
    assert bench.one() == Action(callback=Callback("answers"), payload=b"{}")
    for _ in range(10_100):
        bench.consumer.publish(Callback("answers"), b"{}")
    assert (bench.consumer.describe()["callbacks_waiting"], bench.consumer.describe()["callbacks_dropped"]) == (
        10_000,
        100,
    )


def test_a_flood_of_long_answers_to_be_told_late_is_bounded_in_memory(bench: Bench) -> None:
    bench.gateway.at_once = lambda _: (ResponseCode.SUCCESS, {"echo": "x" * 500_000})
    for number in range(100):
        bench.take({"command": "echo", "data": number, "callback_topic": "late", "callback_delay": 600_000})
    actions = [action for action in bench.consumer.due() if action.callback]
    waiting = 100 - len(actions) - bench.consumer.outbox.dropped
    assert waiting * 500_000 <= 16 << 20
    assert bench.consumer.in_flight == 0


def test_an_answer_that_cannot_be_written_goes_out_without_its_data(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.take(message(callback_topic="answers")).end((ResponseCode.SUCCESS, {"state": "sent", "text": b"the text"}))
    until(lambda: bench.consumer.pause() == 0)
    assert told(bench.one()) == {"command": "send-sms", "response_code": "0000", "response_text": "Done"}
    assert "cannot be written" in caplog.text
    assert "the text" not in caplog.text


# -- other commands ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"command": "echo", "data": [1, 2]}, (ResponseCode.SUCCESS, {"echo": [1, 2]})),
        ({"command": "echo"}, (ResponseCode.SUCCESS, {"echo": None})),
        ({"command": "get-modem-list"}, (ResponseCode.SUCCESS, [{"modem_id": "m0"}])),
        ({"command": "verify-otp", "data": {"reference": "r", "otp": 1}}, (ResponseCode.WRONG_OTP, {"id": None})),
        ({"command": "request-ussd", "data": {"modem_id": "m0", "ussd_code": "*1#"}}, REJECTED),
        ({"command": "block-msisdn", "data": {"receiver": "0812"}}, (ResponseCode.SUCCESS, {"blocked": True})),
    ],
)
def test_other_commands_are_answered_and_done(bench: Bench, body: dict[str, Any], outcome: Outcome) -> None:
    name = body["command"]
    ticket = bench.take(body | {"callback_topic": "answers", "callback_delay": 0})
    for callback in ticket.callbacks:
        callback(Answer(name, outcome[0], data=outcome[1]))
    action = bench.one()
    assert action.verdict is Verdict.DONE
    assert told(action)["response_code"] == outcome[0].value
    assert told(action)["data"] == outcome[1]


def test_a_block_that_could_not_be_written_is_not_taken_for_done(bench: Bench) -> None:
    bench.take({"command": "block-msisdn", "data": {"receiver": "0812"}}).end((ResponseCode.FAILED, {"cause": "disk"}))
    assert bench.one().verdict is Verdict.NEVER


# -- what cannot be read -----------------------------------------------------------------------------------------------


def test_what_is_malformed_is_rejected_and_answered_where_that_can_be_read(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.deliver(b"\xff the text")
    bench.deliver(message(callback_topic="answers") | {"data": {"receiver": "the text"}}, callback=Callback("r", b"c"))
    assert bench.gateway.tickets == []
    assert bench.consumer.in_flight == 2
    first = bench.one()
    assert (first.verdict, first.callback) == (Verdict.NEVER, None)
    until(lambda: bench.consumer.pause() == 0)
    second = bench.one()
    assert (second.verdict, second.callback) == (Verdict.NEVER, Callback("answers", b"c", "send-sms"))
    assert told(second)["response_code"] == "1206"
    assert told(second)["data"]["errors"] == [{"field": "data.message", "reason": "is missing"}]
    assert caplog.messages == [
        "ingress-x: a message is rejected, it is malformed (body: is not valid UTF-8 at byte 0)",
        "ingress-x: a message is rejected, it is malformed (data.message: is missing)",
    ]
    assert bench.consumer.describe()["malformed"] == 2


def test_a_malformed_one_is_answered_after_the_delay_that_it_asks_for(bench: Bench) -> None:
    bench.deliver({"command": "send-sms", "callback_topic": "late", "callback_delay": 600_000})
    assert bench.one().callback is None
    assert bench.consumer.pause() is not None
    bench.consumer.stop()
    action = bench.one()
    assert (action.callback and action.callback.topic, action.delivery) == ("late", None)


def test_a_flood_of_malformed_messages_does_not_fill_the_log(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.freeze(monkeypatch)
    for _ in range(200):
        bench.deliver(b"{")
    assert len(caplog.messages) == 20
    assert bench.consumer.describe()["malformed"] == len(bench.consumer.due()) == 200
    assert bench.consumer.pause() == 10, "somebody has to say how many there were"
    bench.skip(monkeypatch, 10)
    assert bench.consumer.pause() == 0
    assert bench.consumer.due() == []
    assert caplog.messages[20:] == ["ingress-x: 180 more malformed messages rejected in 10 s"]
    assert bench.consumer.pause() is None


@pytest.mark.parametrize("where", ["unreadable", "fault"])
def test_a_fault_of_the_gateway_costs_one_message_and_not_the_way_in(
    bench: Bench, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    setattr(bench.gateway, where, ZeroDivisionError("the text"))
    bench.deliver(message(), callback=Callback("answers"))
    until(lambda: bench.consumer.pause() == 0)
    action = bench.one()
    assert action.verdict is Verdict.NEVER
    assert told(action)["response_code"] == "1102"
    assert "ZeroDivisionError at " in caplog.text
    assert "the text" not in caplog.text
    assert bench.consumer.in_flight == 0
    setattr(bench.gateway, where, None)
    bench.take(message(2)).end(SENT)
    assert bench.one().verdict is Verdict.DONE
