"""What the consumer parks: it waits for something else than its turn, and others can come past it."""

import time
from typing import Any

import pytest

from otppi.kit.broker.verdict import Verdict
from otppi.wire.envelope import ResponseCode

from .conftest import FULL, NO_MODEM, SENT, Bench, Outcome, message

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
