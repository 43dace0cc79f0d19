"""A clock that is wrong when a message comes in, and put right afterwards (raspberrypi/linux#1751)."""

import time
from typing import Any

import pytest

from otppi.api.message import State
from otppi.host.messages.clock import ClockWatch
from otppi.testing.bench import DispatchBench
from otppi.testing.scripted import until

DAYS = 14 * 86_400.0


class Clocks:
    """A wall clock that a test sets, and a monotonic one that goes on."""

    def __init__(self) -> None:
        self.wall, self.ticks = 1_900_000_000.0, 100.0

    def watch(self) -> ClockWatch:
        return ClockWatch(lambda: self.wall, lambda: self.ticks)

    def on(self, seconds: float, *, jump: float = 0.0) -> None:
        self.ticks += seconds
        self.wall += seconds + jump


@pytest.fixture
def slow_clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put the wall clock of the device 14 days back, until it is called."""
    right, behind = time.time, [DAYS]
    monkeypatch.setattr(time, "time", lambda: right() - behind[0])
    return lambda: behind.__setitem__(0, 0.0)


def test_who_named_a_moment_is_not_sent_after_it(bench: DispatchBench, slow_clock: Any) -> None:
    """14 days back, `expiration` in 8 s, the clock is set, the network comes after 14 s: it went out, 10 s too late."""
    modem = bench.add("m0")
    modem.gate.clear()
    busy = bench.enqueue("6281200000009")
    until(modem.sending.is_set)
    record = bench.record(lifetime=DAYS + 1.0)
    record.amend(ends_at=record.expires)
    bench.dispatch.enqueue(record)
    assert record.remaining() > 86_400
    slow_clock()
    until(lambda: record.remaining() <= 0)
    modem.gate.set()
    assert bench.end(busy, record) == (State.SENT, State.EXPIRED)
    assert "the clock of this device was wrong when it came in" in (record.cause or "")
    assert len(bench.outbox) == 1


def test_the_validity_period_is_by_both_clocks(bench: DispatchBench, slow_clock: Any) -> None:
    modem = bench.add("m0")
    modem.gate.clear()
    busy = bench.enqueue("6281200000009")
    until(modem.sending.is_set)
    record = bench.record(lifetime=DAYS + 300.0)
    record.amend(ends_at=record.expires)
    bench.dispatch.enqueue(record)
    slow_clock()
    modem.gate.set()
    bench.end(busy, record)
    assert modem.attempts[-1].validity <= 300


def test_a_lifetime_is_no_moment(bench: DispatchBench, slow_clock: Any) -> None:
    """What nobody named lives by the monotonic clock: a clock that is put right ends nothing."""
    modem = bench.add("m0")
    modem.gate.clear()
    busy, record = bench.enqueue("6281200000009"), bench.enqueue(lifetime=60)
    slow_clock()
    modem.gate.set()
    assert bench.end(busy, record) == (State.SENT, State.SENT)


def test_the_moment_is_known_after_a_restart(bench: DispatchBench) -> None:
    bench.add("m0", start=False)
    record = bench.record(lifetime=60)
    record.amend(ends_at=record.expires)
    bench.dispatch.enqueue(record)
    (again,) = bench.journal.replay([record.message_id])
    assert again.ends_at == record.ends_at


def test_a_jump_is_known_for_an_hour() -> None:
    clocks = Clocks()
    watch = clocks.watch()
    clocks.on(1, jump=1.0)
    watch.look()
    assert watch.warnings() == []
    clocks.on(1, jump=DAYS)
    watch.look()
    clocks.on(60)
    watch.look()
    assert watch.warnings() == ["the clock of this device may be wrong: it was put forward by 1209600 s, 60 s ago"]
    assert watch.suspicion().startswith("; that clock may be wrong: it was put forward")
    clocks.on(3600)
    watch.look()
    assert (watch.warnings(), watch.suspicion()) == ([], "")


def test_a_clock_that_differs_from_a_senders_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    clocks = Clocks()
    watch = clocks.watch()
    for _ in range(3):
        watch.compare(int(clocks.wall) - 600)
    assert watch.warnings() == [
        "the clock of this device may be wrong: it is 600 s ahead of a sender's date_time",
    ]
    assert len(caplog.records) == 1
    watch.compare(int(clocks.wall) + 5)
    assert watch.warnings() == []


def test_a_clock_that_is_older_than_this_program_is_wrong() -> None:
    clocks = Clocks()
    clocks.wall = 86_400.0
    assert "1970-01-02" in clocks.watch().suspicion()
