"""The end of a connection, and of a consumer: nothing is lost, and nothing is settled twice."""

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from otppi.kit.broker.verdict import Verdict
from otppi.testing.scripted import until
from otppi.wire.envelope import ResponseCode

from .conftest import NO_MODEM, REJECTED, SENT, UNCONFIRMED, Bench, Ticket, message, messages, told

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
