"""Things that wait for their time: order, times, dropping, and many threads."""

import threading
import time

import pytest

from otppi.kit.schedule import Schedule
from otppi.testing.scripted import until


def test_what_has_no_delay_comes_in_the_order_in_which_it_was_put() -> None:
    schedule = Schedule[int]()
    for number in range(100):
        schedule.put(number)
    assert schedule.pause() == 0
    assert schedule.due() == list(range(100))
    assert (schedule.pause(), len(schedule), schedule.due()) == (None, 0, [])


def test_each_thing_has_its_time() -> None:
    schedule = Schedule[str]()
    schedule.put("never", 1000)
    schedule.put("soon", 0.03)
    schedule.put("now")
    assert schedule.due() == ["now"]
    pause = schedule.pause()
    assert pause is not None
    assert 0 < pause <= 0.03
    until(lambda: schedule.pause() == 0)
    assert schedule.due() == ["soon"]
    assert schedule.due() == []
    assert len(schedule) == 1
    assert schedule.due(all_of_them=True) == ["never"]


def test_things_that_cannot_be_compared_may_wait_for_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)
    schedule = Schedule[object]()
    things = [object(), object()]
    for thing in things:
        schedule.put(thing, 1)
    assert schedule.due(all_of_them=True) == things


def test_what_is_unwanted_is_dropped_and_the_order_stays() -> None:
    schedule = Schedule[int]()
    for number in range(20):
        schedule.put(number, 1000 - number)
    schedule.drop(lambda number: number % 3 == 0)
    assert schedule.due(all_of_them=True) == [number for number in reversed(range(20)) if number % 3]


def test_many_threads_put_and_nothing_is_lost_or_doubled() -> None:
    schedule, taken = Schedule[int](), list[int]()

    def put(part: int) -> None:
        for one in range(1000):
            schedule.put(part * 1000 + one)

    threads = [threading.Thread(target=put, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads) or len(schedule):
        taken += schedule.due()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(4000))
    assert all(
        [one for one in taken if one // 1000 == part] == sorted(range(part * 1000, part * 1000 + 1000))
        for part in range(4)
    )
