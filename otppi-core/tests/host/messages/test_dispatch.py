"""What becomes of each outcome, which modem goes on, and who is told."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from otppi.api.errors import ModemUnfit, NotSent, Rejected, Unconfirmed
from otppi.api.message import State
from otppi.host.messages.refusal import NotAccepted
from otppi.host.messages.routing import choose
from otppi.testing.bench import DispatchBench
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE
from otppi.wire.envelope import ResponseCode

MakeBench = Callable[..., DispatchBench]
ANI, BUDI = "6281200000001", "6281200000002"


def refusal(bench: DispatchBench, **options: object) -> NotAccepted:
    with pytest.raises(NotAccepted) as caught:
        bench.enqueue(**options)  # type: ignore[arg-type]
    return caught.value


# -- taking in ---------------------------------------------------------------------------------------------------------


def test_a_message_is_sent_and_its_text_forgotten(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    record = bench.enqueue(text="hello")
    assert bench.end(record) == (State.SENT,)
    assert bench.texts == ["hello"]
    assert record.text is None
    assert (record.egress, record.segments, record.code) == ("m0", 1, ResponseCode.SUCCESS)
    assert len(modem.attempts) == 1
    assert "hello" not in repr(modem.attempts) + repr(record)


def test_no_modem_is_1101(bench: DispatchBench) -> None:
    assert refusal(bench).code is ResponseCode.NO_MODEM


def test_a_modem_that_is_not_for_the_api_is_asked_only_by_name(bench: DispatchBench) -> None:
    bench.add("m0", send_from_api=False)
    assert refusal(bench).code is ResponseCode.NO_MODEM
    assert bench.end(bench.enqueue(only="m0")) == (State.SENT,)


def test_a_full_queue_is_1205_and_each_lane_has_its_own_bound(bench: DispatchBench) -> None:
    modem = bench.add("m0", queue_size=2)
    modem.gate.clear()
    first = bench.enqueue("628120000000")
    until(modem.sending.is_set)
    waiting = [bench.enqueue(f"62812000001{number}") for number in range(2)]
    full = refusal(bench)
    assert (full.code, full.cause) == (ResponseCode.QUEUE_FULL, "the queue is full")
    assert full.retry_after is not None
    assert full.retry_after >= 1
    waiting += [bench.enqueue(f"62812000002{number}", bulk=True) for number in range(2)]
    assert refusal(bench, bulk=True).code is ResponseCode.QUEUE_FULL
    modem.gate.set()
    assert set(bench.end(first, *waiting)) == {State.SENT}


def test_what_cannot_be_sent_in_time_by_the_measure_so_far_is_1205(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    bench.worker("m0").seconds_per_message = 3.0
    modem.gate.clear()
    records = [bench.enqueue(f"62812000000{number}") for number in range(3)]
    until(modem.sending.is_set)
    late = refusal(bench, lifetime=8.0)
    assert (late.code, late.cause) == (ResponseCode.QUEUE_FULL, "it could not be sent before it expires")
    assert late.retry_after == 9
    in_time = bench.enqueue("6281200000009", lifetime=11.0)
    modem.gate.set()
    assert set(bench.end(*records, in_time)) == {State.SENT}


def test_nothing_is_taken_after_the_end(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.add("m0")
    bench.close()
    assert refusal(bench).code is ResponseCode.NO_MODEM


# -- expiry ------------------------------------------------------------------------------------------------------------


def test_what_waits_too_long_expires_in_the_queue(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    modem.gate.clear()
    first = bench.enqueue(ANI)
    until(modem.sending.is_set)
    late = bench.enqueue(BUDI, lifetime=0.01)
    assert bench.end(late) == (State.EXPIRED,)
    assert late.code is ResponseCode.QUEUE_FULL
    modem.gate.set()
    assert bench.end(first) == (State.SENT,)
    assert bench.texts == ["a text"]


def test_what_is_too_late_is_not_sent_when_its_turn_comes(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    modem.gate.clear()
    first = bench.enqueue(ANI)
    until(modem.sending.is_set)
    late = bench.enqueue(BUDI, text="late")
    late.deadline = time.monotonic() - 1
    modem.gate.set()
    assert bench.end(first, late) == (State.SENT, State.EXPIRED)
    assert "late" not in bench.texts


def test_the_modem_is_told_the_rest_of_the_life(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    bench.end(bench.enqueue(lifetime=100.0))
    assert 95 < modem.attempts[0].validity <= 100


# -- duplicates --------------------------------------------------------------------------------------------------------


def test_a_duplicate_is_the_earlier_record_while_queued_and_after(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    modem.gate.clear()
    first = bench.enqueue(id="1")
    assert bench.enqueue(id="1") is first
    modem.gate.set()
    bench.end(first)
    assert bench.enqueue(id="1") is first
    others = [
        bench.enqueue(id="2"),
        bench.enqueue(BUDI, id="1"),
        bench.enqueue(text="another", id="1"),
        bench.enqueue(),
        bench.enqueue(),
    ]
    assert first not in others
    bench.end(*others)
    assert len(bench.texts) == 6


def test_a_duplicate_is_known_within_the_window_only(make_bench: MakeBench) -> None:
    bench = make_bench(duplicate_window=60)
    bench.add("m0")
    first = bench.enqueue(id="1")
    bench.end(first)
    first.taken -= 59
    assert bench.enqueue(id="1") is first
    first.taken -= 2
    second = bench.enqueue(id="1")
    assert second is not first
    assert bench.end(second) == (State.SENT,)


@pytest.mark.parametrize(
    ("error", "again"),
    [(Rejected("no such number"), True), (Unconfirmed("no answer"), False)],
    ids=["failed", "unconfirmed"],
)
def test_a_failed_message_may_come_again_and_an_unconfirmed_may_not(
    bench: DispatchBench, error: Exception, again: bool
) -> None:
    modem = bench.add("m0")
    modem.script.append(error)
    first = bench.enqueue(id="1")
    bench.end(first)
    second = bench.enqueue(id="1")
    assert (second is not first) is again
    bench.end(second)
    assert len(bench.texts) == again


# -- outcomes ----------------------------------------------------------------------------------------------------------


def test_rejected_ends_it(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    modem.script.append(Rejected("unassigned number", code="+CMS ERROR: 1"))
    record = bench.enqueue()
    assert bench.end(record) == (State.FAILED,)
    assert (record.code, record.cause) == (ResponseCode.FAILED, "unassigned number (+CMS ERROR: 1)")
    assert len(modem.attempts) == 1


def test_unconfirmed_ends_it_and_it_is_not_sent_again(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    modem.script.append(Unconfirmed("no answer"))
    record = bench.enqueue()
    assert bench.end(record) == (State.UNCONFIRMED,)
    assert record.code is ResponseCode.UNCONFIRMED
    assert bench.end(bench.enqueue(BUDI)) == (State.SENT,)
    assert len(modem.attempts) == 2


def test_unconfirmed_is_sent_once_more_where_that_is_wanted(make_bench: MakeBench) -> None:
    bench = make_bench(resend_unconfirmed=True)
    modem = bench.add("m0")
    modem.script.extend([Unconfirmed("no answer"), None, Unconfirmed("no answer"), Unconfirmed("no answer")])
    first, second = bench.enqueue(ANI), bench.enqueue(BUDI)
    assert bench.end(first, second) == (State.SENT, State.UNCONFIRMED)
    assert [message.again for message in modem.attempts] == [False, True, False, True]


@pytest.mark.parametrize("error", [Rejected("no"), ModemUnfit("no credit"), NotSent("no")], ids=str)
def test_what_was_unconfirmed_once_does_not_end_as_failed(make_bench: MakeBench, error: Exception) -> None:
    bench = make_bench(resend_unconfirmed=True, attempts=1)
    bench.add("m0").script.extend([Unconfirmed("no answer"), error])
    assert bench.end(bench.enqueue()) == (State.UNCONFIRMED,)


def test_not_sent_is_tried_again_so_often_and_then_fails(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    modem.script.extend([NotSent("no prompt"), NotSent("no prompt"), None])
    assert bench.end(bench.enqueue()) == (State.SENT,)
    modem.script.extend([NotSent("no prompt", code="x")] * 3)
    record = bench.enqueue()
    assert bench.end(record) == (State.FAILED,)
    assert record.cause == "no prompt (x)"
    assert len(modem.attempts) == 6


def test_not_sent_goes_to_another_modem_that_is_ready(bench: DispatchBench) -> None:
    first, second = bench.add("m0", default=True), bench.add("m1")
    first.script.append(NotSent("no prompt"))
    record = bench.enqueue()
    assert bench.end(record) == (State.SENT,)
    assert record.egress == "m1"
    assert (len(first.attempts), len(second.attempts)) == (1, 1)


def test_what_is_a_matter_of_waiting_stays_and_a_wake_up_does_not_shorten_the_wait(bench: DispatchBench) -> None:
    modem, other = bench.add("m0", default=True), bench.add("m1")
    modem.script.append(NotSent("network out of order", retry_after=0.3))
    record = bench.enqueue()
    until(lambda: modem.attempts)
    begun = time.monotonic()
    modem.wake()
    assert bench.end(record) == (State.SENT,)
    assert time.monotonic() - begun > 0.2
    assert (len(modem.attempts), len(other.attempts)) == (2, 0)


def test_a_modem_whose_network_stays_out_of_order_is_left_for_another(bench: DispatchBench) -> None:
    modem, other = bench.add("m0", default=True), bench.add("m1")
    modem.script.extend([NotSent("network out of order", retry_after=0.01)] * 3)
    record = bench.enqueue()
    assert bench.end(record) == (State.SENT,)
    assert (record.egress, len(modem.attempts), len(other.attempts)) == ("m1", 3, 1)


def test_an_unfit_modem_is_left_for_others_until_none_is_left(bench: DispatchBench) -> None:
    modems = [bench.add(f"m{number}") for number in range(3)]
    for modem in modems[:2]:
        modem.script.append(ModemUnfit("no credit"))
    record = bench.enqueue()
    assert bench.end(record) == (State.SENT,)
    assert record.egress == "m2"
    assert bench.end(bench.enqueue(BUDI)) == (State.SENT,)
    assert [len(modem.attempts) for modem in modems] == [1, 1, 2]
    modems[2].script.append(ModemUnfit("no credit"))
    for modem in modems[:2]:
        modem.script.append(ModemUnfit("no credit"))
    record = bench.enqueue()
    assert bench.end(record) == (State.FAILED,)
    assert record.cause == "no credit"
    assert [len(modem.attempts) for modem in modems] == [2, 2, 3]


def test_a_message_whose_modem_is_unfit_waits_for_one_that_starts(bench: DispatchBench) -> None:
    bench.add("m0").script.append(ModemUnfit("no credit"))
    later = bench.add("m1", start=False)
    record = bench.enqueue()
    until(lambda: record.egress == "m1")
    bench.start("m1")
    assert bench.end(record) == (State.SENT,)
    assert len(later.attempts) == 1


def test_a_driver_that_fails_leaves_no_message_behind_and_goes_on(
    bench: DispatchBench, caplog: pytest.LogCaptureFixture
) -> None:
    modem = bench.add("m0")
    modem.script.append(ZeroDivisionError("a bug"))
    record = bench.enqueue(text="the text of the message")
    assert bench.end(record) == (State.UNCONFIRMED,)
    assert record.cause == "the modem's driver failed (ZeroDivisionError)"
    until(lambda: bench.threads["m0"].supervision.failures == 1)
    assert bench.threads["m0"].supervision.last_error == "ZeroDivisionError"  # its sentence might quote a message
    assert bench.end(bench.enqueue(BUDI)) == (State.SENT,)
    assert "the text of the message" not in caplog.text


def test_what_others_want_done_every_minute_is_done(bench: DispatchBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otppi.host.messages.dispatch._SAVE", 0.0)
    done = threading.Event()
    bench.dispatch.each_minute.append(done.set)
    assert done.wait(PATIENCE)


def test_where_one_modem_alone_may_send_nothing_is_ranked(
    bench: DispatchBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most gateways have one modem, and each message would pay for the comparison."""
    ranked = 0

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal ranked
        ranked += 1
        return choose(*arguments, **options)

    monkeypatch.setattr("otppi.host.messages.placement.choose", counted)
    bench.add("m0", prefixes=("62899",))
    assert bench.end(bench.enqueue("6281200000001")) == (State.SENT,)
    assert ranked == 0
    bench.add("m1", prefixes=("62812",))
    second = bench.enqueue("6281200000002")
    assert bench.end(second) == (State.SENT,)
    assert second.egress == "m1"
    assert ranked
