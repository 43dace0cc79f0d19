"""The two lanes of a modem's queue."""

import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from otppi.host.messages.queue import EgressQueue
from otppi.host.records.record import Record
from otppi.testing.bench import ORIGIN
from otppi.testing.waiting import PATIENCE


def record(bulk: bool = False) -> Record:
    return Record.of(ORIGIN, None, "6281200000001", "a text", time.time() + 60, bulk=bulk)


def drain(queue: EgressQueue) -> list[Record]:
    return list(iter(queue.pop, None))


@given(st.lists(st.booleans(), max_size=200))
def test_each_lane_is_first_in_first_out_and_nothing_is_lost(lanes: list[bool]) -> None:
    queue = EgressQueue(10)
    records = [record(bulk) for bulk in lanes]
    for one in records:
        queue.put(one)
    assert len(queue) == len(records)
    out = drain(queue)
    for bulk in (False, True):
        assert [one for one in out if one.bulk is bulk] == [one for one in records if one.bulk is bulk]


@given(st.lists(st.booleans(), max_size=60))
def test_bulk_that_may_not_go_stays_behind_otps(lanes: list[bool]) -> None:
    queue = EgressQueue(1000)
    records = [record(bulk) for bulk in lanes]
    for one in records:
        queue.put(one)
    assert [queue.pop(bulk=False) for bulk in lanes if not bulk] == [one for one in records if not one.bulk]
    assert queue.pop(bulk=False) is None
    assert drain(queue) == [one for one in records if one.bulk]


@given(st.lists(st.booleans(), max_size=200))
def test_no_more_than_twenty_otps_before_a_waiting_bulk_message(lanes: list[bool]) -> None:
    queue = EgressQueue(1000)
    for bulk in lanes:
        queue.put(record(bulk))
    otps = 0
    while (one := queue.pop()) is not None:
        otps = 0 if one.bulk else otps + 1
        bulk_waits = any(other.bulk for other in queue.waiting())
        assert otps <= 20 or not bulk_waits
        assert not one.bulk or otps == 0


def test_bulk_that_comes_after_many_otps_still_goes_behind_the_next_ones() -> None:
    queue = EgressQueue(1000)
    for _ in range(30):
        queue.put(record())
    drain(queue)
    bulk, otp = record(bulk=True), record()
    queue.put(bulk)
    queue.put(otp)
    assert drain(queue) == [otp, bulk]


def test_bounds_and_what_is_ahead() -> None:
    queue = EgressQueue(2)
    assert not queue.full(bulk=False)
    for _ in range(2):
        queue.put(record())
    assert queue.full(bulk=False)
    assert not queue.full(bulk=True)
    assert (queue.ahead_of(False), queue.ahead_of(True)) == (2, 2)
    queue.put(record(bulk=True))
    assert (queue.ahead_of(False), queue.ahead_of(True)) == (2, 3)


def test_put_back_goes_in_front_and_remove_tells_whether_it_was_there() -> None:
    queue = EgressQueue(1)
    first, second = record(), record()
    queue.put(second)
    queue.put_back(first)
    assert queue.waiting() == [first, second]
    assert queue.remove(second)
    assert not queue.remove(second)
    assert drain(queue) == [first]
    assert queue.pop() is None


def test_a_record_is_taken_or_removed_but_not_both() -> None:
    queue = EgressQueue(10_000)
    records = [record() for _ in range(5000)]
    for one in records:
        queue.put(one)
    taken: list[Record] = []
    taker = threading.Thread(target=lambda: taken.extend(drain(queue)))
    taker.start()
    removed = [one for one in reversed(records) if queue.remove(one)]
    taker.join(PATIENCE)
    assert len(taken) + len(removed) == 5000
    assert not set(taken) & set(removed)
