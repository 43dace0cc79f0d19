"""Limits at work: who is refused and told why, what waits, what goes by others, and what is counted in the end."""

import shutil
import threading
import time
from calendar import timegm
from collections.abc import Callable
from pathlib import Path

import pytest

from otppi.api.errors import ModemLost, NotSent, Rejected, Unconfirmed
from otppi.api.message import OutgoingMessage, State
from otppi.host.messages.refusal import NotAccepted
from otppi.host.meter import limits as limits_module
from otppi.host.meter.limits import Limits, Span
from otppi.host.meter.prices import Tariff
from otppi.host.records.record import Record
from otppi.testing.bench import DispatchBench
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE
from otppi.wire.envelope import ResponseCode

MakeBench = Callable[..., DispatchBench]
NIGHT = (Span(22 * 60, 6 * 60),)
LONG = "x" * 200
"""Two segments."""


def refusal(
    bench: DispatchBench, receiver: str = "6281299999999", text: str = "a text", **options: object
) -> NotAccepted:
    with pytest.raises(NotAccepted) as caught:
        bench.enqueue(receiver, text, **options)
    return caught.value


def take(bench: DispatchBench, count: int, **options: object) -> list[Record]:
    return [bench.enqueue(f"62812000000{number:02}", **options) for number in range(count)]  # type: ignore[arg-type]


def used(bench: DispatchBench, name: str = "m0") -> tuple[int, int]:
    """Return today's messages and segments."""
    today = bench.worker(name).account.describe()["today"]
    return today["messages"], today["segments"]


def two_parts(message: OutgoingMessage) -> None:
    message.progress.segments = 2
    message.progress.references = [1, 2]


def at(bench: DispatchBench, hour: int, minute: int = 0) -> None:
    """Put the gateway's clock to a time of day."""
    now = float(timegm((2026, 11, 22, hour, minute, 0)))
    bench.now = lambda: now


# -- quotas ------------------------------------------------------------------------------------------------------------


def test_messages_on_their_way_cannot_overshoot_a_quota(bench: DispatchBench) -> None:
    modem = bench.add("m0", limits=Limits(daily_quota=5))
    modem.gate.clear()
    records = take(bench, 3)
    records.append(bench.enqueue("6281200000009", LONG))
    refused = refusal(bench)
    assert (refused.code, refused.retry_after) == (ResponseCode.NO_MODEM, None)
    assert refused.cause == "no modem may send this now (m0: daily quota is used up)"
    modem.script.extend([None, Rejected("no such number"), None, modem.after_dispatch(two_parts)])
    modem.gate.set()
    assert bench.end(*records) == (State.SENT, State.FAILED, State.SENT, State.SENT)
    assert used(bench) == (3, 4)
    assert bench.end(*take(bench, 1)) == (State.SENT,)
    assert refusal(bench).code is ResponseCode.NO_MODEM


def test_a_message_that_needs_more_than_is_left_is_refused_and_a_shorter_one_is_not(bench: DispatchBench) -> None:
    bench.add("m0", limits=Limits(monthly_quota=1))
    assert refusal(bench, text=LONG).cause == "no modem may send this now (m0: monthly quota is used up)"
    assert bench.end(*take(bench, 1)) == (State.SENT,)


def test_what_one_quota_refuses_goes_by_another_modem_until_all_are_used_up(bench: DispatchBench) -> None:
    bench.add("m0", limits=Limits(daily_quota=1), default=True)
    bench.add("m1", limits=Limits(monthly_receivers=1))
    bench.add("m2", limits=Limits(monthly_quota=1))
    bench.add("m3", limits=Limits(monthly_quota=1))
    records = []
    for number in range(4):
        records.append(bench.enqueue(f"62812000000{number:02}"))
        bench.end(records[-1])
    assert [record.egress for record in records] == ["m0", "m1", "m2", "m3"]
    assert refusal(bench).cause == (
        "no modem may send this now (m0: daily quota is used up, m1: monthly number of receivers is used up, "
        "m2: monthly quota is used up, and 1 more)"
    )
    assert bench.end(bench.enqueue("6281200000001")) == (State.SENT,)


def test_without_fail_over_a_quota_is_no_reason_to_go_by_others(make_bench: MakeBench) -> None:
    bench = make_bench(fail_over=False)
    bench.add("m0", limits=Limits(daily_quota=1), prefixes=("62812",))
    bench.add("m1", default=True)
    bench.end(*take(bench, 1))
    assert "m0: daily quota" in refusal(bench).cause


def test_what_is_moved_is_held_by_its_new_modem_only_and_not_beyond_its_quota(bench: DispatchBench) -> None:
    first = bench.add("m0", limits=Limits(daily_quota=9), default=True)
    second = bench.add("m1", limits=Limits(daily_quota=2))
    first.gate.clear()
    records = [bench.enqueue("6281200000001") for _ in range(4)]
    until(first.sending.is_set)
    first.script.extend([NotSent("no prompt")] * 3)
    second.gate.clear()
    first.gate.set()
    until(lambda: bench.worker("m1").account.describe()["on_the_way"] == 2)
    second.gate.set()
    states = bench.end(*records)
    assert set(states) == {State.SENT}
    assert [sent.modem for sent in bench.outbox].count("m1") == used(bench, "m1")[1] == 2
    assert used(bench, "m0") == (2, 2)
    assert [worker.account.describe()["on_the_way"] for worker in bench.dispatch.workers()] == [0, 0]


def test_unconfirmed_counts_as_sent(bench: DispatchBench) -> None:
    bench.add("m0", limits=Limits(daily_quota=1)).script.append(Unconfirmed("no answer"))
    assert bench.end(*take(bench, 1)) == (State.UNCONFIRMED,)
    assert used(bench) == (1, 1)
    assert refusal(bench).code is ResponseCode.NO_MODEM


def test_parts_that_went_out_of_a_message_that_failed_count(bench: DispatchBench) -> None:
    def half(message: OutgoingMessage) -> None:
        message.progress.segments = 2
        message.progress.references = [1]
        raise Rejected("no such number")

    bench.add("m0", limits=Limits(daily_quota=9)).script.append(half)
    assert bench.end(bench.enqueue(text=LONG)) == (State.FAILED,)
    assert used(bench) == (1, 1)


@pytest.mark.parametrize(("quota", "state", "segments"), [(2, State.SENT, 2), (1, State.UNCONFIRMED, 1)])
def test_a_resent_part_counts_and_is_not_resent_beyond_the_quota(
    make_bench: MakeBench, quota: int, state: State, segments: int
) -> None:
    bench = make_bench(resend_unconfirmed=True)
    bench.add("m0", limits=Limits(daily_quota=quota)).script.append(Unconfirmed("no answer"))
    assert bench.end(*take(bench, 1)) == (state,)
    assert used(bench) == (1, segments)


def test_everything_is_counted_also_without_any_limit(bench: DispatchBench) -> None:
    modem = bench.add("m0", tariff=Tariff(2.5))
    modem.script.extend([modem.after_dispatch(two_parts), Rejected("no")])
    bench.end(bench.enqueue(text=LONG), *take(bench, 3))
    shown = bench.worker("m0").account.describe()
    assert shown["today"] == {"messages": 3, "segments": 4, "spent": 10.0}


def test_a_quota_is_used_up_until_midnight(bench: DispatchBench, time_zone: Callable[[str], None]) -> None:
    time_zone("UTC0")
    at(bench, 23, 59)
    bench.add("m0", limits=Limits(daily_quota=1))
    bench.end(*take(bench, 1))
    assert refusal(bench).code is ResponseCode.NO_MODEM
    at(bench, 24, 0)
    assert bench.end(*take(bench, 1)) == (State.SENT,)


# -- restarts ----------------------------------------------------------------------------------------------------------


def test_a_restart_and_a_kill_lose_nothing_of_what_was_used(make_bench: MakeBench, tmp_path: Path) -> None:
    first = make_bench()
    first.add("m0", limits=Limits(daily_quota=10))
    first.end(*take(first, 3))
    first.dispatch._save()
    modem = first.modems["m0"]
    modem.script.extend([None, Rejected("no"), Unconfirmed("no answer")])
    first.end(*(first.enqueue(f"62813000000{number:02}") for number in range(3)))
    shutil.copytree(first.folder, tmp_path / "1")  # as a kill would leave it
    shutil.rmtree(tmp_path / "1" / "report", ignore_errors=True)  # there is none before its first line
    second = make_bench()
    second.dispatch.restore()
    second.add("m0", limits=Limits(daily_quota=10))
    assert used(second) == used(first) == (5, 5)


# -- rate --------------------------------------------------------------------------------------------------------------


def test_the_rate_paces_what_waits(bench: DispatchBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits_module, "_WINDOW", window := 1.5)
    modem = bench.add("m0", limits=Limits(rate_per_minute=2))
    sent: list[float] = []

    def note(message: OutgoingMessage) -> None:
        sent.append(time.monotonic())
        modem.succeed(message)

    modem.script.extend([note] * 4)
    assert set(bench.end(*take(bench, 4))) == {State.SENT}
    assert all(later - earlier >= window - 0.01 for earlier, later in zip(sent, sent[2:], strict=False))
    assert sent[1] - sent[0] < window - 0.01


def test_a_message_of_two_parts_is_one_for_the_rate(bench: DispatchBench) -> None:
    modem = bench.add("m0", limits=Limits(rate_per_minute=2))

    def parts(message: OutgoingMessage) -> None:
        for number in range(2):
            modem.hooks.before_dispatch()
            message.progress.references.append(number)

    modem.script.append(parts)
    assert set(bench.end(bench.enqueue(text=LONG), *take(bench, 1))) == {State.SENT}


def test_what_was_not_sent_does_not_count_for_the_rate(bench: DispatchBench) -> None:
    bench.add("m0", limits=Limits(rate_per_minute=1)).script.extend([NotSent("no prompt")] * 2)
    assert bench.end(*take(bench, 1)) == (State.SENT,)


def test_what_the_rate_would_let_expire_is_1205_with_its_time(bench: DispatchBench) -> None:
    bench.add("m0", limits=Limits(rate_per_minute=1))
    bench.end(*take(bench, 1))
    refused = refusal(bench, lifetime=30.0)
    assert refused.code is ResponseCode.QUEUE_FULL
    assert refused.cause == "it could not be sent before it expires (rate limit of m0: 1 a minute)"
    assert 50 < (refused.retry_after or 0) <= 60
    waiting = bench.enqueue("6281200000005", lifetime=65.0)
    assert refusal(bench, lifetime=65.0).code is ResponseCode.QUEUE_FULL
    assert waiting.state is State.QUEUED


def test_an_otp_does_not_wait_for_a_rate_where_another_modem_is_free_and_bulk_does(bench: DispatchBench) -> None:
    bench.add("m0", limits=Limits(rate_per_minute=1), default=True)
    bench.add("m1", prefixes=("7",))
    bench.end(*take(bench, 1))
    bulk, otp = bench.enqueue("6281300000001", bulk=True), bench.enqueue("6281300000002")
    assert bench.end(otp) == (State.SENT,)
    assert (otp.egress, bulk.egress, bulk.state) == ("m1", "m0", State.QUEUED)


def hold_before_sending(bench: DispatchBench, reached: threading.Event, go_on: threading.Event) -> None:
    """Stop the modem's thread where it has taken a message out of its queue, and its driver knows nothing of it."""

    def is_blocked(_: str) -> bool:
        reached.set()
        assert go_on.wait(PATIENCE)
        return False

    bench.dispatch.is_blocked = is_blocked


def hold_in_driver(bench: DispatchBench, reached: threading.Event, go_on: threading.Event) -> None:
    """Stop it where the driver has the message, and the network cannot have it yet."""
    modem = bench.modems["m0"]

    def send(message: OutgoingMessage) -> None:
        reached.set()
        assert go_on.wait(PATIENCE)
        modem.succeed(message)

    modem.script.append(send)


@pytest.mark.parametrize("hold", [hold_before_sending, hold_in_driver])
def test_a_message_in_hand_counts_for_the_rate(
    bench: DispatchBench, hold: Callable[[DispatchBench, threading.Event, threading.Event], None]
) -> None:
    bench.add("m0", limits=Limits(rate_per_minute=1), default=True)
    bench.add("m1", prefixes=("7",))
    reached, go_on = threading.Event(), threading.Event()
    hold(bench, reached, go_on)
    try:
        first = bench.enqueue("6281200000001")
        assert reached.wait(PATIENCE)
        second = bench.enqueue("6281200000002")
        assert 0 < bench.worker("m0").rate_wait(bulk=True) <= 60
    finally:
        go_on.set()
    assert bench.end(first, second) == (State.SENT, State.SENT)
    assert (first.egress, second.egress) == ("m0", "m1")


def test_a_message_that_was_not_sent_is_in_hand_no_more(bench: DispatchBench) -> None:
    modem = bench.add("m0", limits=Limits(rate_per_minute=1))
    modem.script.append(Rejected("no such number"))
    assert bench.end(*take(bench, 1)) == (State.FAILED,)
    until(lambda: bench.worker("m0").load() == 0, "nothing is in hand")
    assert bench.worker("m0").rate_wait(bulk=True) == 0


def test_a_modem_that_waits_for_its_rate_still_stops_at_once(bench: DispatchBench) -> None:
    bench.add("m0", limits=Limits(rate_per_minute=1))
    records = take(bench, 2)
    bench.end(records[0])
    begun = time.monotonic()
    bench.close()
    assert time.monotonic() - begun < 30, "its rate would let it go after a minute"
    assert records[1].state is State.QUEUED  # for the next start


# -- quiet hours -------------------------------------------------------------------------------------------------------


def test_bulk_is_not_sent_in_quiet_hours_and_otps_are(bench: DispatchBench, time_zone: Callable[[str], None]) -> None:
    time_zone("UTC0")
    at(bench, 5, 30)
    modem = bench.add("m0", limits=Limits(quiet_hours=NIGHT))
    refused = refusal(bench, bulk=True)
    assert (refused.code, refused.retry_after) == (ResponseCode.QUEUE_FULL, 1800)
    assert refused.cause == "it could not be sent before it expires (quiet hours of m0)"
    bulk = bench.enqueue("6281300000001", "bulk", bulk=True, lifetime=3600.0)
    assert bench.end(*take(bench, 3)) == (State.SENT,) * 3
    assert (bulk.state, "bulk" in bench.texts) == (State.QUEUED, False)
    at(bench, 6)
    modem.wake()
    assert bench.end(bulk) == (State.SENT,)


def test_quiet_hours_for_all_hold_otps_back_too(bench: DispatchBench, time_zone: Callable[[str], None]) -> None:
    time_zone("UTC0")
    at(bench, 5, 59)
    modem = bench.add("m0", limits=Limits(quiet_hours=NIGHT, quiet_for_all=True))
    assert refusal(bench, lifetime=30.0).retry_after == 60
    otp = bench.enqueue()
    assert bench.dispatch.wait(otp, 0.05) is False
    at(bench, 6)
    modem.wake()
    assert bench.end(otp) == (State.SENT,)


def test_bulk_that_waits_when_quiet_hours_begin_goes_by_another_modem(
    bench: DispatchBench, time_zone: Callable[[str], None]
) -> None:
    time_zone("UTC0")
    at(bench, 21, 59)
    modem = bench.add("m0", limits=Limits(quiet_hours=NIGHT), default=True)
    bench.add("m1", prefixes=("7",))
    modem.gate.clear()
    records = take(bench, 4, bulk=True, lifetime=86_400.0)
    until(modem.sending.is_set)
    otp = bench.enqueue("6281400000001")
    assert {record.egress for record in (*records, otp)} == {"m0"}
    at(bench, 22)
    assert bench.end(*records[1:]) == (State.SENT,) * 3
    assert {record.egress for record in records[1:]} == {"m1"}
    modem.gate.set()
    assert bench.end(records[0], otp) == (State.SENT, State.SENT)
    assert otp.egress == "m0"


def test_an_otp_does_not_follow_another_message_into_quiet_hours(
    bench: DispatchBench, time_zone: Callable[[str], None]
) -> None:
    time_zone("UTC0")
    at(bench, 23)
    bench.add("m0", limits=Limits(quiet_hours=NIGHT, quiet_for_all=True))
    waiting = bench.enqueue("6281200000001", lifetime=86_400.0)
    bench.add("m1", prefixes=("7",))
    otp = bench.enqueue("6281200000001", "an OTP")
    assert bench.end(otp, waiting) == (State.SENT, State.SENT)
    assert {otp.egress, waiting.egress} == {"m1"}


def test_a_queue_that_is_handed_over_is_shared_out_within_the_quotas(bench: DispatchBench) -> None:
    bench.add("m0", start=False)
    records = [bench.enqueue("6281200000001", str(number)) for number in range(6)]
    bench.add("m1", limits=Limits(daily_quota=2))
    bench.add("m2", limits=Limits(daily_quota=4))
    assert set(bench.end(*records)) == {State.SENT}
    assert {name: used(bench, name)[1] for name in ("m0", "m1", "m2")} == {"m0": 0, "m1": 2, "m2": 4}


def test_a_queue_without_room_elsewhere_waits_for_its_modem(bench: DispatchBench) -> None:
    lost = bench.add("m0", default=True)
    lost.gate.clear()
    records = [bench.enqueue("6281200000001") for _ in range(4)]
    until(lost.sending.is_set)
    bench.add("m1", limits=Limits(daily_quota=2))
    lost.script.append(ModemLost("unplugged"))
    lost.openings.extend([ModemLost("unplugged")])
    lost.gate.set()
    assert set(bench.end(*records)) == {State.SENT}
    assert {name: used(bench, name)[1] for name in ("m0", "m1")} == {"m0": 2, "m1": 2}
