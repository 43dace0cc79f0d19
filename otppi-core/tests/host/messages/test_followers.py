"""No sender learns anything of another's message, and the same by two ways is sent once (issue 9 E21)."""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from otppi.api.errors import Rejected
from otppi.api.events import DeliveryOutcome, DeliveryReport, MessageChanged
from otppi.api.ingress import Callback, Origin, Sender
from otppi.api.message import State
from otppi.host.messages.refusal import NotAccepted
from otppi.host.records.record import Record
from otppi.testing.bench import RULES, DispatchBench
from otppi.testing.scripted import until
from otppi.wire.envelope import ResponseCode

STRANGER = Origin("test", Sender("stranger"))
BROKER = Origin("broker", Sender("ingress-broker"), kept_by_source=True)
NUMBER = "6281200000001"


def guess(bench: DispatchBench, text: str, origin: Origin = STRANGER, **options: Any) -> Record:
    record = bench.record(NUMBER, text, id="1", origin=origin, **options)
    return bench.dispatch.enqueue(record)


def kept(bench: DispatchBench, *records: Record) -> list[Record]:
    """Find what is known of records after a restart."""
    found = (bench.dispatch.records.get(one.message_id) for one in records)
    return [one for one in found if one is not None]


def refusal(call: Callable[[], object]) -> tuple[ResponseCode, str]:
    with pytest.raises(NotAccepted) as caught:
        call()
    return caught.value.code, caught.value.cause


def test_a_right_guess_looks_like_a_message_of_its_own(bench: DispatchBench) -> None:
    bench.add("m0")
    secret = bench.enqueue(NUMBER, "Kode 123456", id="1")
    assert bench.end(secret) == (State.SENT,)
    right, wrong = guess(bench, "Kode 123456"), guess(bench, "Kode 654321")
    assert {right.state, wrong.state} <= {State.QUEUED, State.SENDING, State.SENT}
    assert bench.end(right, wrong) == (State.SENT, State.SENT)
    shown = [(one.code, one.cause, one.egress, one.segments, one.text) for one in (right, wrong)]
    assert shown[0] == shown[1]
    assert len({secret.message_id, right.message_id, wrong.message_id}) == 3
    assert bench.texts == ["Kode 123456", "Kode 654321"]
    assert guess(bench, "Kode 123456") is right, "the own repetition is a duplicate, right or wrong"
    assert guess(bench, "Kode 654321") is wrong


def test_what_is_refused_is_compared_with_nobodys(make_bench: Callable[..., DispatchBench]) -> None:
    """A full queue told a wrong guess from the right one, at 8,400 a second."""
    bench = make_bench()
    modem = bench.add("m0", queue_size=1)
    modem.gate.clear()
    first = bench.enqueue("6281200000009")
    until(modem.sending.is_set)
    secret = bench.enqueue(NUMBER, "Kode 123456", id="1")
    told = {refusal(partial(guess, bench, text)) for text in ("Kode 123456", "Kode 654321")}
    assert told == {(ResponseCode.QUEUE_FULL, "the queue is full")}
    assert bench.enqueue(NUMBER, "Kode 123456", id="1") is secret, "who repeats an own one is told"
    modem.gate.set()
    bench.end(first, secret)


def test_where_no_modem_is_ready_guesses_are_told_the_same(bench: DispatchBench) -> None:
    bench.add("m0", send_from_api=False)
    record = bench.record(NUMBER, "Kode 123456", id="1", only="m0")
    bench.end(bench.dispatch.enqueue(record))
    told = {refusal(partial(guess, bench, text)) for text in ("Kode 123456", "Kode 654321")}
    assert {code for code, _ in told} == {ResponseCode.NO_MODEM}
    assert len(told) == 1


def test_guesses_with_one_id_and_receiver_are_counted_and_limited(bench: DispatchBench) -> None:
    bench.add("m0")
    secret = bench.enqueue(NUMBER, "Kode 999999", id="1")
    bench.end(secret)
    records = [guess(bench, f"Kode {number}") for number in range(20)]
    code, cause = refusal(lambda: guess(bench, "Kode 999999"))
    assert (code, "give each message its own id" in cause) == (ResponseCode.TOO_MANY, True)
    assert "9" not in cause
    assert guess(bench, "Kode 3") is records[3]
    other = bench.record("6281200000002", "Kode 1", id="1", origin=STRANGER)
    assert bench.dispatch.enqueue(other) is other, "another receiver"
    assert bench.enqueue(NUMBER, "Kode 1000", id="1").follows is None, "another sender"
    bench.end(*records, other)


def test_the_same_by_two_ways_is_sent_once_and_each_is_told_its_end(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    modem.gate.clear()
    first = bench.enqueue(NUMBER, "text", id="1")
    second = guess(bench, "text", BROKER)
    third = guess(bench, "text", STRANGER)
    ended = threading.Event()
    assert bench.dispatch.on_end(second, ended.set)
    assert not ended.is_set()
    modem.gate.set()
    assert bench.end(first, second, third) == (State.SENT,) * 3
    assert ended.is_set()
    assert bench.texts == ["text"]


def test_a_report_comes_to_both(bench: DispatchBench) -> None:
    bench.add("m0")
    told: list[MessageChanged] = []
    bench.events.subscribe(MessageChanged, told.append)
    first = bench.enqueue(NUMBER, "text", id="1")
    origin = Origin("broker", Sender("ingress-broker"), callback=Callback("answers"), kept_by_source=True)
    record = bench.record(NUMBER, "text", id="1", origin=origin)
    record.answer_to = ("broker", Callback("answers"))
    second = bench.dispatch.enqueue(record)
    bench.end(first, second)
    (reference,) = first.progress.references
    report = DeliveryReport(NUMBER, reference, DeliveryOutcome.DELIVERED, 0)
    bench.dispatch.reported("m0", report)
    assert (first.state, second.state) == (State.DELIVERED, State.DELIVERED)
    assert [one.message_id for one in told] == [first.message_id, second.message_id]
    assert all(one.unanswered and one.state is State.DELIVERED for one in told)
    assert [one.answer_to for one in told] == [None, ("broker", Callback("answers"))]


def test_where_the_first_fails_the_second_is_told(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    modem.gate.clear()
    modem.script.append(Rejected("no"))
    first, second = bench.enqueue(NUMBER, "text", id="1"), guess(bench, "text", BROKER)
    modem.gate.set()
    assert bench.end(first, second) == (State.FAILED, State.FAILED)
    again = guess(bench, "text", BROKER)
    assert again is not second, "it may be tried again"
    assert bench.end(again) == (State.SENT,)


def test_one_that_another_follows_is_not_taken_back(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    modem.gate.clear()
    busy = bench.enqueue("6281200000009")
    until(modem.sending.is_set)
    record = bench.record(NUMBER, "text", id="1", origin=BROKER)
    first = bench.dispatch.enqueue(record)
    second = guess(bench, "text")
    bench.dispatch.withdraw(first)
    modem.gate.set()
    assert bench.end(busy, first, second) == (State.SENT,) * 3


def restarted(bench: DispatchBench) -> DispatchBench:
    bench.dispatch._compact()
    bench.close()
    again = DispatchBench(bench.folder)
    again.dispatch.restore()
    return again


def test_a_follower_is_known_after_a_restart_and_neither_reported_nor_counted(make_bench: Any) -> None:
    bench = make_bench()
    bench.add("m0")
    first, second = bench.enqueue(NUMBER, "text", id="1"), guess(bench, "text", BROKER)
    bench.end(first, second)
    with restarted(bench) as again:
        found = again.dispatch.records.get(second.message_id)
        assert found is not None
        assert (found.state, found.egress, found.segments) == (State.SENT, "m0", 1)
        assert found.follows is again.dispatch.records.get(first.message_id)
        again.add("m0")
        assert again.worker("m0").account.describe()["today"]["messages"] == 1
        (reference,) = first.progress.references
        again.dispatch.reported("m0", DeliveryReport(NUMBER, reference, DeliveryOutcome.DELIVERED, 0))
        assert found.state is State.DELIVERED
        again.dispatch.note_ended()
        again.report.flush()
    lines = "".join(path.read_text() for path in (bench.folder / "report").glob("*.jsonl"))
    assert (first.message_id in lines, second.message_id in lines) == (True, False)


def test_a_kill_takes_neither_of_two_that_wait(make_bench: Any) -> None:
    bench = make_bench()
    bench.add("m0", start=False)
    first, second = bench.enqueue(NUMBER, "text", id="1"), guess(bench, "text")
    with restarted(bench) as again:
        found = kept(again, first, second)
        assert len(found) == 2
        assert again.spool.holds(found[1])
        again.add("m0")
        assert again.end(*found) == (State.SENT, State.SENT)
        assert again.texts == ["text"]
        assert not again.spool.holds(found[1])


def test_where_the_first_expires_the_second_goes_itself(bench: DispatchBench) -> None:
    modem = bench.add("m0", start=False)
    first = bench.enqueue(NUMBER, "text", id="1", lifetime=0.5)
    second, third = guess(bench, "text"), guess(bench, "text", BROKER)
    told = threading.Event()
    assert bench.dispatch.on_end(second, told.set)
    assert bench.end(first) == (State.EXPIRED,)
    until(lambda: second.follows is None)
    assert third.follows is second
    assert guess(bench, "text", Origin("more", Sender("more"))).follows is second
    bench.start("m0")
    assert bench.end(second, third) == (State.SENT, State.SENT)
    assert told.is_set()
    assert [message.message_id for message in modem.attempts] == [second.message_id]
    assert first.state is State.EXPIRED


def test_where_no_modem_may_send_the_first_the_second_is_tried(make_bench: Any) -> None:
    bench = make_bench()
    bench.add("m0", start=False)
    first, second = bench.enqueue(NUMBER, "text", id="1"), guess(bench, "text")
    bench.dispatch.rules = replace(RULES, modem_grace=0.3)  # not sooner: both are taken within the grace only
    assert bench.end(first) == (State.FAILED,)
    assert bench.end(second) == (State.FAILED,)
    assert (second.code, second.follows) == (ResponseCode.NO_MODEM, None)
    assert "no modem is connected" in (second.cause or "")


def test_one_that_goes_itself_is_still_known_after_a_kill(make_bench: Any) -> None:
    bench = make_bench()
    bench.add("m0", start=False)
    first, second = bench.enqueue(NUMBER, "text", id="1", lifetime=0.5), guess(bench, "text")
    third = guess(bench, "text", BROKER)
    until(lambda: second.follows is None and third.follows is second)
    with restarted(bench) as again:
        found = kept(again, first, second, third)
        assert [one.state for one in found] == [State.EXPIRED, State.QUEUED, State.QUEUED]
        again.add("m0")
        assert again.end(found[1], found[2]) == (State.SENT, State.SENT)
        assert again.texts == ["text"]


def test_at_the_stop_who_waits_is_told_how_it_stands(make_bench: Any) -> None:
    bench = make_bench()
    bench.add("m0", start=False)
    first, second = bench.enqueue(NUMBER, "text", id="1"), guess(bench, "text", BROKER)
    told = threading.Event()
    assert bench.dispatch.on_end(second, told.set)
    bench.close()
    assert told.is_set()
    assert (first.state, second.state) == (State.QUEUED, State.QUEUED)
