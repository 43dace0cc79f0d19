"""What the consumer could not have sent: it is given back to the broker, or tried again from here."""

import logging
import time

import pytest

from otppi.kit.broker import remembered
from otppi.kit.broker.verdict import Verdict
from otppi.wire.envelope import ResponseCode

from .conftest import EXPIRED, FULL, NO_MODEM, SENT, Bench, message, told

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
