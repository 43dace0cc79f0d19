"""The consumer that all brokers share, against a gateway whose every answer the test gives, from any thread."""

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from otppi.api.ingress import Callback, Origin, Sender
from otppi.kit.broker import remembered
from otppi.kit.broker.consumer import Consumer
from otppi.kit.broker.outbox import Action, Delivery
from otppi.kit.broker.verdict import Verdict
from otppi.testing.scripted import until
from otppi.wire.envelope import Answer, Command, Envelope, Item, ResponseCode, parse

SENT = (ResponseCode.SUCCESS, {"state": "sent", "message_id": "m"})
NO_MODEM = (ResponseCode.NO_MODEM, {"state": "failed", "cause": "no modem"})
FULL = (ResponseCode.QUEUE_FULL, {"state": "failed", "retry_after": 7})
EXPIRED = (ResponseCode.EXPIRED, {"state": "expired"})
BLOCKED = (ResponseCode.BLOCKED, {"state": "blocked"})
UNCONFIRMED = (ResponseCode.UNCONFIRMED, {"state": "unconfirmed"})
REJECTED = (ResponseCode.FAILED, {"state": "failed", "cause": "+CMS ERROR: 38"})
Outcome = tuple[ResponseCode, Mapping[str, Any]]


@dataclass(eq=False)
class Ticket:
    envelope: Envelope
    origin: Origin
    callbacks: list[Callable[[Answer], None]] = field(default_factory=list)
    withdrawn: bool = False
    held: bool = False

    def answer(self, wait: float = 0.0) -> Answer:
        raise AssertionError("a consumer does not wait")

    def when_final(self, callback: Callable[[Answer], None]) -> None:
        self.callbacks.append(callback)

    def withdraw(self) -> None:
        """End what waits, on the thread that asks, as the gateway does."""
        self.withdrawn = True
        if self.envelope.command is not Command.REQUEST_USSD:
            self.end(*[NO_MODEM] * len(self.envelope.items))

    def is_held(self) -> bool:
        return self.held and bool(self.callbacks)

    def end(self, *outcomes: Outcome) -> None:
        callbacks, self.callbacks = self.callbacks, []
        for callback in callbacks:
            callback(answer_of(self.envelope, outcomes))


def answer_of(envelope: Envelope, outcomes: tuple[Outcome, ...]) -> Answer:
    if not envelope.is_list:
        return Answer(envelope.name, outcomes[0][0], data=outcomes[0][1])
    overall = next((code for code, _ in outcomes if code is not ResponseCode.SUCCESS), ResponseCode.SUCCESS)
    data = [{"response_code": code.value, "response_text": code.text, **data} for code, data in outcomes]
    return Answer(envelope.name, overall, data=data)


class Gateway:
    """Keeps the tickets for the test to end; `at_once` ends them when they are made."""

    def __init__(self) -> None:
        self.tickets: list[Ticket] = []
        self.at_once: Callable[[Item], Outcome] | None = None
        self.fault: Exception | None = None
        self.unreadable: Exception | None = None

    def read(self, body: bytes, ingress: str) -> Envelope:
        if self.unreadable is not None:
            raise self.unreadable
        return parse(body)

    def submit(self, envelope: Envelope, origin: Origin) -> Ticket:
        if self.fault is not None:
            raise self.fault
        ticket = Ticket(envelope, origin)
        self.tickets.append(ticket)
        if self.at_once is not None:
            answer = answer_of(envelope, tuple(map(self.at_once, envelope.items)))
            ticket.when_final = lambda callback: callback(answer)  # type: ignore[method-assign]
        return ticket


class Bench:
    """A consumer with its gateway; what it does is what the connection's thread would be told to do."""

    def __init__(self, *, requeue: bool = True) -> None:
        self.gateway = Gateway()
        self.woken = threading.Event()
        door: Any = self.gateway  # it has what a consumer asks for
        self.consumer = Consumer(door, "ingress-x", Sender("broker"), self.woken.set, requeue=requeue)

    def take(self, body: object = None, **options: Any) -> Ticket:
        self.deliver(message() if body is None else body, **options)
        return self.gateway.tickets[-1]

    def deliver(self, body: object, **options: Any) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.consumer.consume(Delivery(body=raw, **options))

    def one(self) -> Action:
        (action,) = self.consumer.due()
        return action

    def freeze(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let time stand still, in the middle of a second."""
        now, wall = time.monotonic(), int(time.time()) + 0.5
        monkeypatch.setattr(time, "monotonic", lambda: now)
        monkeypatch.setattr(time, "time", lambda: wall)

    def skip(self, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
        """Let time pass."""
        now, wall = time.monotonic, time.time
        monkeypatch.setattr(time, "monotonic", lambda: now() + seconds)
        monkeypatch.setattr(time, "time", lambda: wall() + seconds)


def message(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"command": "send-sms", "data": {"id": number, "receiver": "08126666666", "message": "the text"}, **more}


def messages(count: int, **more: Any) -> dict[str, Any]:
    return message() | {"data": [message(number)["data"] for number in range(count)]} | more


def told(action: Action) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(action.payload)
    return document


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def local() -> Bench:
    """One whose broker takes nothing back."""
    return Bench(requeue=False)


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


# -- what was not sent, and may be -------------------------------------------------------------------------------------


def test_what_may_be_sent_later_is_given_back_without_an_answer(bench: Bench) -> None:
    bench.take(message(callback_topic="answers"), attempt=6).end(NO_MODEM)
    assert 7 < (bench.consumer.pause() or 0) <= 8, "2 to the half of 6"
    bench.take(message(2), attempt=0).end(FULL)
    assert 6 < (bench.consumer.pause() or 0) <= 7, "what the gateway says"
    assert bench.consumer.in_flight == 2
    bench.consumer.stop()
    assert [(action.verdict, action.callback) for action in bench.consumer.due()] == [(Verdict.AGAIN, None)] * 2
    assert bench.consumer.describe()["again"] == 2


@pytest.mark.parametrize(("attempt", "pause"), [(0, 1), (1, 1.5), (4, 4), (9, 23), (1_000_000, 30), (-1, 1)])
def test_the_pause_before_it_is_given_back_grows_up_to_a_bound(bench: Bench, attempt: int, pause: float) -> None:
    bench.take(attempt=attempt).end(NO_MODEM)
    assert pause - 0.5 < (bench.consumer.pause() or 0) <= pause


@pytest.mark.parametrize(("said", "pause"), [(0.001, 1), (3, 3), (86_400, 30)])
def test_a_pause_that_the_gateway_says_has_bounds_too(bench: Bench, said: float, pause: float) -> None:
    bench.take().end((ResponseCode.QUEUE_FULL, {"state": "failed", "retry_after": said}))
    assert pause - 0.5 < (bench.consumer.pause() or 0) <= pause


def test_giving_back_again_and_again_does_not_fill_the_log(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.freeze(monkeypatch)
    caplog.set_level(logging.INFO)
    bench.gateway.at_once = lambda _: NO_MODEM
    for number in range(100):
        bench.take(message(number))
    bench.skip(monkeypatch, 1)
    assert len(bench.consumer.due()) == 100
    assert len(caplog.messages) == 20
    assert caplog.messages[0] == f"ingress-x: a message is given back: {ResponseCode.NO_MODEM.text}"


# -- parked: what waits for something else than its turn ---------------------------------------------------------------


@pytest.mark.parametrize("outcome", [NO_MODEM, FULL])
@pytest.mark.parametrize("kept", [True, False])
def test_what_waits_to_be_tried_again_is_not_what_is_worked_on(bench: Bench, outcome: Outcome, kept: bool) -> None:
    """RabbitMQ, one modem, 12 e-mails without an account, then one SMS: it was not sent in 120 s."""
    bench.gateway.at_once = lambda _: outcome
    for number in range(12):
        bench.take(message(number), kept=kept, tag=number)
    bench.gateway.at_once = None
    ticket = bench.take(message(12), tag=12)
    assert (bench.consumer.in_flight, bench.consumer.working) == (13, 1)
    assert bench.consumer.parking.tags() == (set(range(12)) if kept else set())
    assert bench.consumer.describe()["parked"] == 12
    ticket.end(SENT)
    assert bench.one().verdict is Verdict.DONE
    assert bench.consumer.working == 0


def test_only_hundreds_of_deliveries_and_some_megabytes_are_parked_beside_the_others(bench: Bench) -> None:
    bench.gateway.at_once = lambda _: NO_MODEM
    for number in range(600):
        bench.take(message(number))
    assert (bench.consumer.in_flight, bench.consumer.working) == (600, 600 - 512)
    bench.consumer.lost()
    assert (bench.consumer.in_flight, bench.consumer.working, len(bench.consumer.parking)) == (0, 0, 0)
    big = message()
    big["data"]["filler"] = "x" * 60_000
    for _ in range(300):
        bench.take(big)
    assert 130 < bench.consumer.parking.room < 140, "8 MB"


def test_what_waits_in_the_queue_of_a_modem_that_cannot_send_is_parked_and_given_to_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bulk in quiet hours that may wait for their end; the prefix of a modem that was lost a moment ago."""
    bench.freeze(monkeypatch)
    held = bench.take(message(1), attempt=4)
    assert (bench.consumer.due(), bench.consumer.working) == ([], 1)
    held.held = True
    bench.skip(monkeypatch, 1)
    assert (bench.consumer.due(), bench.consumer.working, held.withdrawn) == ([], 0, False)
    bench.skip(monkeypatch, 3.9)
    assert bench.consumer.due() == []
    bench.skip(monkeypatch, 0.5)
    assert bench.one().verdict is Verdict.AGAIN
    assert held.withdrawn
    assert bench.consumer.in_flight == 0


def test_a_modem_that_is_back_works_on_what_waited_for_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.freeze(monkeypatch)
    ticket = bench.take()
    ticket.held = True
    bench.consumer.due()
    assert bench.consumer.working == 0
    ticket.held = False
    bench.skip(monkeypatch, 0.6)
    assert (bench.consumer.due(), bench.consumer.working) == ([], 1)
    bench.skip(monkeypatch, 60)
    assert bench.consumer.due() == []
    assert not ticket.withdrawn


def test_what_no_other_can_have_waits_in_the_modem_s_queue(local: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = local.take()
    ticket.held = True
    for _ in range(10):
        local.skip(monkeypatch, 1_000)
        assert local.consumer.due() == []
    assert (ticket.withdrawn, local.consumer.working, len(local.gateway.tickets)) == (False, 0, 1)


def tries_within(bench: Bench, monkeypatch: pytest.MonkeyPatch, hours: float, **options: Any) -> tuple[int, int]:
    """Deliver a message again whenever it is given back; count how often it was given back, and tried."""
    bench.freeze(monkeypatch)
    backs, ends = 0, time.monotonic() + hours * 3_600
    bench.take(**options)
    while time.monotonic() < ends:
        bench.skip(monkeypatch, bench.consumer.pause() or 1.0)
        if bench.consumer.due():
            backs += 1
            bench.take(redelivered=True, **options)
    return backs, len(bench.gateway.tickets)


def test_what_can_only_go_in_hours_is_not_tried_each_second(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quorum queue delivers it 100 times, and 20 times only where RabbitMQ 4 set the limit."""
    bench.gateway.at_once = lambda _: (ResponseCode.QUEUE_FULL, {"state": "failed", "retry_after": 8 * 3_600})
    backs, tries = tries_within(bench, monkeypatch, 8)
    assert 30 < backs < 60
    assert tries < 160


def test_a_broker_that_does_not_count_gets_it_back_as_seldom(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.gateway.at_once = lambda _: NO_MODEM
    backs, _ = tries_within(bench, monkeypatch, 1, attempt=0)
    assert 10 < backs < 25


def test_it_is_tried_when_its_life_ends_so_that_its_sender_is_told(
    local: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.freeze(monkeypatch)
    body = message()
    body["data"]["expiration"] = int(time.time()) + 40
    local.take(body).end((ResponseCode.QUEUE_FULL, {"state": "failed", "retry_after": 8 * 3_600}))
    assert 39 < (local.consumer.pause() or 0) <= 40


def test_without_a_modem_what_is_parked_is_given_back_at_once(bench: Bench) -> None:
    bench.take(message(1), attempt=20).end(NO_MODEM)
    held = bench.take(message(2), attempt=20)
    held.held = True
    bench.consumer.rest(resting=True)
    assert [action.verdict for action in bench.consumer.due()] == [Verdict.AGAIN] * 2
    assert bench.consumer.in_flight == 0


# -- where the broker takes nothing back -------------------------------------------------------------------------------


def test_where_the_broker_takes_nothing_back_it_is_tried_again_from_here(
    local: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.freeze(monkeypatch)
    local.take(message(callback_topic="answers", callback_delay=0)).end(NO_MODEM)
    assert (local.consumer.due(), local.consumer.in_flight, len(local.gateway.tickets)) == ([], 1, 1)
    assert 1 < (local.consumer.pause() or 0) <= 2
    for attempt in range(2, 25):
        local.skip(monkeypatch, 31)
        assert local.consumer.due() == []
        assert len(local.gateway.tickets) == attempt
        local.gateway.tickets[-1].end(FULL)
    local.skip(monkeypatch, 31)
    local.consumer.due()
    local.gateway.tickets[-1].end(SENT)
    action = local.one()
    assert (action.verdict, told(action)["data"]["state"]) == (Verdict.DONE, "sent")
    assert [ticket.envelope for ticket in local.gateway.tickets] == [local.gateway.tickets[0].envelope] * 25


def test_its_lifetime_counts_from_when_it_first_came(local: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    local.freeze(monkeypatch)
    before = int(time.time())
    local.take().end(NO_MODEM)
    local.skip(monkeypatch, 700)
    local.consumer.due()
    (item,) = local.gateway.tickets[-1].envelope.items
    assert item.date_time == before
    local.gateway.tickets[-1].end(EXPIRED)
    assert local.one().verdict is Verdict.NEVER


def test_the_lifetime_of_what_was_given_back_or_lost_counts_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.freeze(monkeypatch)
    before = int(time.time())

    def date_time(redelivered: bool) -> int | None:
        return bench.take(redelivered=redelivered).envelope.items[0].date_time

    assert date_time(False) == before
    bench.gateway.tickets[-1].end(NO_MODEM)
    bench.skip(monkeypatch, 100)
    assert date_time(True) == before
    bench.consumer.lost()
    bench.skip(monkeypatch, 100)
    assert date_time(True) == before
    bench.gateway.tickets[-1].end(EXPIRED)
    bench.consumer.lost()  # before it could be rejected
    assert date_time(True) == before
    assert bench.take(redelivered=True, message_id="another").envelope.items[0].date_time == before + 200
    assert date_time(False) == before + 200, "another one with the same words"


@pytest.mark.parametrize("jump", [365 * 86_400, -365 * 86_400])
def test_a_clock_that_is_set_while_a_message_waits_neither_ends_its_life_nor_makes_it_longer(
    bench: Bench, local: Bench, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    """A device without a clock of its own gets the time from the network some time after it was switched on."""
    bench.freeze(monkeypatch)
    before = int(time.time())
    for one in (bench, local):
        one.take().end(NO_MODEM)
    bench.skip(monkeypatch, 60)
    monkeypatch.setattr(time, "time", lambda: before + 60.5 + jump)
    again = bench.take(redelivered=True)
    local.consumer.due()
    for ticket in (again, local.gateway.tickets[-1]):
        assert ticket.envelope.items[0].date_time == before + jump
    assert len(local.gateway.tickets) == 2


def test_what_has_been_settled_is_forgotten(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same words some hours later are another message, also where the broker calls them redelivered."""
    bench.freeze(monkeypatch)
    before = int(time.time())
    bench.take().end(SENT)
    bench.one()
    bench.skip(monkeypatch, 7_200)
    assert bench.take(redelivered=True).envelope.items[0].date_time == before + 7_200


def test_the_same_words_in_a_new_message_begin_a_life_of_their_own(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first was given back, and another gateway sent it: nobody says so here."""
    bench.freeze(monkeypatch)
    before = int(time.time())
    bench.take().end(NO_MODEM)
    bench.skip(monkeypatch, 7_200)
    bench.take().end(NO_MODEM)
    bench.skip(monkeypatch, 60)
    assert bench.take(redelivered=True).envelope.items[0].date_time == before + 7_200


def test_the_memory_of_what_came_when_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "_MOST", 100)
    for number in range(500):
        bench.take(message(number)).end(NO_MODEM)
    assert len(bench.consumer._remembered) == 100


# -- lists -------------------------------------------------------------------------------------------------------------


def ids(ticket: Ticket) -> list[str | None]:
    return [item.id for item in ticket.envelope.items]


@pytest.mark.parametrize("requeue", [True, False])
def test_of_a_list_only_what_was_not_sent_is_tried_again(requeue: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(requeue=requeue)
    ticket = bench.take(messages(5, callback_topic="answers", callback_delay=0))
    ticket.end(SENT, NO_MODEM, UNCONFIRMED, FULL, REJECTED)
    assert bench.consumer.due() == []
    bench.skip(monkeypatch, 8)
    assert bench.consumer.due() == []
    again = bench.gateway.tickets[-1]
    assert ids(again) == ["1", "3"]
    assert again.envelope.is_list
    assert {item.priority for item in again.envelope.items} == {"bulk"}
    again.end(SENT, NO_MODEM)
    bench.skip(monkeypatch, 8)
    bench.consumer.due()
    last = bench.gateway.tickets[-1]
    assert ids(last) == ["3"]
    assert last.envelope.items[0].priority == "bulk"
    last.end(SENT)
    action = bench.one()
    assert action.verdict is Verdict.DONE
    codes = [entry["response_code"] for entry in told(action)["data"]]
    assert codes == ["0000", "0000", "1207", "0000", "1102"]
    assert told(action)["response_code"] == "1207"
    assert len(bench.gateway.tickets) == 3


def test_a_list_of_which_nothing_was_sent_is_given_back_whole(bench: Bench) -> None:
    bench.take(messages(3)).end(NO_MODEM, FULL, NO_MODEM)
    bench.consumer.stop()
    assert bench.one().verdict is Verdict.AGAIN


def test_a_list_of_which_nothing_can_ever_be_sent_is_rejected(bench: Bench) -> None:
    bench.take(messages(2)).end(BLOCKED, EXPIRED)
    assert bench.one().verdict is Verdict.NEVER


def test_a_list_with_something_sent_is_done(bench: Bench) -> None:
    bench.take(messages(2)).end(BLOCKED, SENT)
    assert bench.one().verdict is Verdict.DONE


@pytest.mark.parametrize("requeue", [True, False])
def test_the_rest_of_a_list_is_not_held_beyond_the_time_in_which_duplicates_are_known(
    requeue: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(requeue=requeue)
    bench.take(messages(2, callback_topic="answers", callback_delay=0)).end(SENT, NO_MODEM)
    for _ in range(100):
        bench.skip(monkeypatch, 31)
        if actions := bench.consumer.due():
            break
        bench.gateway.tickets[-1].end(NO_MODEM)
    (action,) = actions
    assert len(bench.gateway.tickets) in (18, 19), "540 s"
    assert action.verdict is Verdict.DONE
    assert [entry["response_code"] for entry in told(action)["data"]] == ["0000", "1101"]
    assert "1 of 2 messages of a delivery were not sent, and will not be" in caplog.text
    assert bench.consumer.in_flight == 0


def test_a_list_that_is_malformed_as_a_whole_is_answered_as_such(bench: Bench) -> None:
    ticket = bench.take(messages(2, callback_topic="answers", callback_delay=0))
    answer = Answer("send-sms", ResponseCode.MALFORMED, data={"errors": [{"field": "data[0].receiver", "reason": "x"}]})
    for callback in ticket.callbacks:
        callback(answer)
    action = bench.one()
    assert (action.verdict, told(action)["data"]) == (Verdict.NEVER, answer.data)


def test_a_list_with_one_modem_in_the_answer_is_not_taken_for_outcomes(bench: Bench) -> None:
    ticket = bench.take({"command": "get-modem-list", "callback_topic": "answers", "callback_delay": 0})
    for callback in ticket.callbacks:
        callback(Answer("get-modem-list", ResponseCode.SUCCESS, data=["not even an object"]))
    assert told(bench.one())["data"] == ["not even an object"]


# -- a connection that is lost -----------------------------------------------------------------------------------------


def test_what_a_lost_connection_brought_is_withdrawn_and_left_to_the_broker(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    waiting, ended = bench.take(message(1)), bench.take(message(2))
    ended.end(SENT)
    bench.consumer.lost()
    assert (waiting.withdrawn, ended.withdrawn) == (True, False)
    assert (bench.consumer.due(), bench.consumer.in_flight, bench.consumer.pause()) == ([], 0, None)
    assert caplog.messages == ["ingress-x: 1 messages were on their way and will be delivered again"]
    waiting.end(SENT)  # a modem had it after all
    assert bench.consumer.due() == []
    bench.take(message(1), redelivered=True).end(SENT)
    action = bench.one()
    assert action.delivery is not None
    assert (action.delivery.session, bench.consumer.session) == (1, 1)


@pytest.mark.parametrize("requeue", [True, False])
def test_what_waits_to_be_tried_again_is_not_when_its_connection_is_lost(
    requeue: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(requeue=requeue)
    bench.take(messages(2)).end(SENT, NO_MODEM)
    held = bench.take(messages(2))
    bench.consumer.lost()
    assert held.withdrawn, "the ticket of the first has ended"
    bench.skip(monkeypatch, 1_000)
    assert (bench.consumer.due(), bench.consumer.in_flight, bench.consumer.pause()) == ([], 0, None)
    assert len(bench.gateway.tickets) == 2, "the broker delivers it again: tried from here too it would be sent twice"


def test_what_no_broker_keeps_goes_on_over_a_lost_connection(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bench.take(message(1, callback_topic="answers", callback_delay=0), kept=False)
    bench.take(message(2), kept=False).end(NO_MODEM)
    bench.consumer.lost()
    assert bench.consumer.in_flight == 2
    assert not first.withdrawn
    first.end(SENT)
    action = bench.one()
    assert (action.delivery, told(action)["data"]["state"]) == (None, "sent")
    bench.skip(monkeypatch, 31)
    bench.consumer.due()
    bench.gateway.tickets[-1].end(SENT)
    assert (bench.consumer.due(), bench.consumer.in_flight) == ([], 0)


def test_a_ticket_that_takes_nothing_back_may_end_after_its_connection(bench: Bench) -> None:
    ticket = bench.take({"command": "request-ussd", "data": {"modem_id": "m0", "ussd_code": "*1#"}})
    bench.consumer.lost()
    ticket.end((ResponseCode.SUCCESS, {"text": "x"}))
    assert (bench.consumer.due(), bench.consumer.in_flight) == ([], 0)


def test_an_end_that_comes_while_the_connection_is_lost_settles_nothing_of_the_next(bench: Bench) -> None:
    """Tags begin anew with each connection: an old one would acknowledge a message that was not sent."""
    stop, rounds = threading.Event(), 100
    to_end: list[Ticket] = []

    def modem() -> None:
        while not stop.is_set():
            while to_end:
                to_end.pop().end(random.choice([SENT, NO_MODEM, REJECTED]))

    thread = threading.Thread(target=modem)
    thread.start()
    try:
        for number in range(rounds):
            to_end.extend(bench.take(message(number * 3 + one), tag=one) for one in range(3))
            for action in bench.consumer.due():
                assert action.delivery is not None
                assert action.delivery.session == bench.consumer.session
            bench.consumer.lost()
            for action in bench.consumer.due():
                assert action.delivery is None or action.delivery.session == bench.consumer.session
        until(lambda: not to_end)
    finally:
        stop.set()
        thread.join()
    bench.consumer.due()
    assert bench.consumer.in_flight == 0


# -- the end -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("requeue", [True, False])
def test_a_stop_gives_back_what_is_to_be_tried_again(requeue: bool) -> None:
    bench = Bench(requeue=requeue)
    bench.take(message(1, callback_topic="answers")).end(NO_MODEM)
    bench.take(messages(2, callback_topic="answers")).end(SENT, NO_MODEM)
    bench.consumer.stop()
    assert [(action.verdict, action.callback) for action in bench.consumer.due()] == [(Verdict.AGAIN, None)] * 2
    late = bench.consumer.in_flight
    assert late == 0


def test_messages_that_end_with_the_gateway_are_given_back_at_once(bench: Bench) -> None:
    ticket = bench.take()
    bench.consumer.stop()
    assert (bench.consumer.due(), bench.consumer.in_flight) == ([], 1)
    ticket.end((ResponseCode.NO_MODEM, {"state": "failed", "cause": "the gateway is stopping"}))
    assert bench.consumer.pause() == 0
    assert bench.one().verdict is Verdict.AGAIN
    assert bench.consumer.in_flight == 0


def test_what_comes_while_it_stops_is_given_back_unread(bench: Bench) -> None:
    bench.consumer.stop()
    bench.deliver(b"{")
    bench.deliver(message())
    assert [action.verdict for action in bench.consumer.due()] == [Verdict.AGAIN] * 2
    assert bench.gateway.tickets == []


@pytest.mark.parametrize("requeue", [True, False])
def test_what_no_broker_keeps_is_told_when_it_cannot_be_tried_any_more(
    requeue: bool, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(requeue=requeue)
    bench.take(message(1, callback_topic="answers"), kept=False).end(NO_MODEM)
    assert bench.consumer.due() == [], "nobody takes it back: it is tried again from here"
    spooled = bench.take(message(2, callback_topic="answers"), kept=False)
    bench.consumer.stop()
    first = bench.one()
    assert (first.delivery, told(first)["response_code"]) == (None, "1101")
    assert "1 of 1 messages of a delivery were not sent, and will not be" in caplog.text
    caplog.clear()
    spooled.end((ResponseCode.SUCCESS, {"state": "queued"}))
    assert told(bench.one())["data"] == {"state": "queued"}
    assert caplog.messages == [], "it waits in the spool"
    assert bench.consumer.in_flight == 0


def test_a_flood_that_no_broker_keeps_is_bounded_in_memory(
    local: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("otppi.kit.broker.consumer._MOST_WAITING", 100)
    monkeypatch.setattr("otppi.kit.broker.consumer._MOST_WAITING_BYTES", 128 << 10)
    local.gateway.at_once = lambda _: NO_MODEM
    far = int(time.time()) + 10**9
    for number in range(300):
        body = message(number, callback_topic="answers", callback_delay=0)
        body["data"]["expiration"] = far
        local.take(body, kept=False)
    assert local.consumer.in_flight == 100
    refused = local.consumer.due()
    assert len(refused) == 200
    assert {told(action)["response_code"] for action in refused} == {"1101"}
    assert sum("were not sent" in line for line in caplog.messages) == 20
    local.gateway.at_once = lambda _: SENT
    local.skip(monkeypatch, 31)
    assert len(local.consumer.due()) == 100
    local.gateway.at_once = lambda _: NO_MODEM
    big = message(callback_topic="answers")
    big["data"]["filler"] = "x" * 15_500
    for _ in range(20):
        local.take(big, kept=False)
    assert local.consumer.in_flight == 8, "of an eighth of what may wait each"


def test_nothing_is_lost_between_in_flight_and_the_outbox(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who stops looks at both; there is no moment at which a delivery is in neither."""
    empty_handed = []

    def watch(put: Callable[..., None]) -> Callable[..., None]:
        def watched(*arguments: Any) -> None:
            empty_handed.append(bench.consumer.in_flight == 0)
            put(*arguments)
            empty_handed.append(bench.consumer.in_flight == 0)

        return watched

    bench.consumer.outbox.put = watch(bench.consumer.outbox.put)  # type: ignore[method-assign]
    bench.take(message(1)).end(SENT)
    bench.take(message(2)).end(NO_MODEM)
    bench.skip(monkeypatch, 1)
    bench.consumer.due()
    assert empty_handed == [False] * 4


def test_a_wake_that_fails_leaves_nothing_behind(bench: Bench) -> None:
    """Such as one of a connection that has just been closed."""

    def wake() -> None:
        raise OSError("closed")

    bench.consumer.outbox._wake = wake
    ticket = bench.take()
    with pytest.raises(OSError, match="closed"):
        ticket.end(SENT)
    assert bench.one().verdict is Verdict.DONE
    assert bench.consumer.in_flight == 0


def test_many_threads_end_what_one_takes(bench: Bench) -> None:
    """Every delivery is settled once, whatever the order."""
    count, queues = 200, [list[Ticket]() for _ in range(4)]
    done = threading.Event()

    def modem(tickets: list[Ticket], rng: random.Random) -> None:
        while not done.is_set() or tickets:
            if tickets:
                ticket = tickets.pop()
                ticket.end(*[rng.choice([SENT, REJECTED, UNCONFIRMED]) for _ in ticket.envelope.items])

    threads = [threading.Thread(target=modem, args=(one, random.Random(7))) for one in queues]
    for thread in threads:
        thread.start()
    settled = list[int]()
    try:
        for number in range(count):
            body = messages(3) if number % 5 == 0 else message(number, callback_topic="t", callback_delay=number % 3)
            queues[number % 4].append(bench.take(body, tag=number))
            settled += [action.delivery.tag for action in bench.consumer.due() if action.delivery]
    finally:
        done.set()
        for thread in threads:
            thread.join()
    until(lambda: len(bench.consumer.outbox) == bench.consumer.in_flight == count - len(settled))
    until(lambda: bench.consumer.pause() in (0, None))
    bench.consumer.stop()
    settled += [action.delivery.tag for action in bench.consumer.due() if action.delivery]
    assert sorted(settled) == list(range(count))
    counts = bench.consumer.describe()
    assert counts["taken"] == counts["done"] + counts["never"] == count
    assert (counts["in_flight"], bench.consumer.in_flight) == (0, 0)
