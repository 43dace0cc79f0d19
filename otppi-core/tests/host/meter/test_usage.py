"""An account's counters are right and never beyond a quota, whatever messages and clock do."""

from calendar import timegm
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.host.meter.limits import Limits, Span
from otppi.host.meter.meter import Account, Plan
from otppi.host.meter.prices import DAY, MONTH, Promotion, Tariff

ANI, BUDI, CINTA = "6287100000001", "6281200000001", "6281300000001"
HOUR, NOON = 3600.0, float(timegm((2026, 11, 30, 12, 0, 0)))


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(time_zone: Callable[[str], None]) -> Clock:
    time_zone("UTC0")
    return Clock()


def account(clock: Callable[[], float], tariff: Tariff | None = None, **limits: Any) -> Account:
    return Account("m0", Plan(Limits(**limits), tariff or Tariff()), key=b"a key", clock=clock)


def today(one: Account) -> tuple[int, int, float]:
    described = one.describe()["today"]
    return described["messages"], described["segments"], described["spent"]


def this_month(one: Account) -> tuple[int, int, float]:
    described = one.describe()["this_month"]
    return described["messages"], described["segments"], described["spent"]


# -- reservations ------------------------------------------------------------------------------------------------------


def test_what_waits_counts_until_it_ends(clock: Clock) -> None:
    one = account(clock, daily_quota=3)
    one.reserve("a", ANI, 2)
    assert one.used_up(BUDI, 2) == "daily quota is used up"
    assert one.used_up(BUDI, 1) == ""
    one.charge("a", ANI, 0)
    assert one.used_up(BUDI, 3) == ""
    one.reserve("b", ANI, 2)
    one.charge("b", ANI, 2)
    one.charge("b", ANI, 0)
    assert one.used_up(BUDI, 2) == "daily quota is used up"
    assert (today(one), one.describe()["on_the_way"]) == ((1, 2, 0.0), 0)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "sent", "failed", "partly"]),
        st.integers(0, 5),
        st.integers(1, 4),
        st.floats(0, 20 * HOUR),
    ),
    max_size=60,
)


@given(STEPS, st.integers(1, 8), st.integers(1, 20), st.integers(1, 3))
def test_never_beyond_a_quota_and_the_sums_are_right(
    steps: list[tuple[str, int, int, float]], daily: int, monthly: int, receivers: int
) -> None:
    clock = Clock()
    tariff = Tariff(10, (("62871", 5),), (Promotion("", 3, DAY, 1),))
    one = account(clock, tariff, daily_quota=daily, monthly_quota=monthly, monthly_receivers=receivers)
    waiting: dict[str, tuple[str, int]] = {}
    segments: dict[str, int] = {}
    for number, (what, which, size, pause) in enumerate(steps):
        clock.now += pause
        if what == "take":
            receiver = (ANI, BUDI, CINTA, "6287100000002", "6287100000003", "6287100000004")[which]
            if not one.used_up(receiver, size):
                one.reserve(str(number), receiver, size)
                waiting[str(number)] = receiver, size
        elif waiting:
            key = list(waiting)[which % len(waiting)]
            receiver, size = waiting.pop(key)
            out = {"sent": size, "failed": 0, "partly": size - 1}[what]
            one.charge(key, receiver, out)
            day, month = one._names()
            for period in (day, month):
                segments[period] = segments.get(period, 0) + out
        shown = one.describe()
        assert shown["on_the_way"] == sum(size for _, size in waiting.values())
        assert shown["today"]["segments"] + shown["on_the_way"] <= daily
        assert shown["this_month"]["segments"] + shown["on_the_way"] <= monthly
        assert shown["receivers"] <= receivers
        for kept, tallies in ((one.days, segments), (one.months, segments)):
            assert all(tally.segments == tallies[name] for name, tally in kept.items())
            assert all(0 <= tally.spent <= 10 * tally.segments for tally in kept.values())


# -- receivers ---------------------------------------------------------------------------------------------------------


def test_distinct_receivers_are_counted_by_month_also_those_on_the_way(clock: Clock) -> None:
    one = account(clock, monthly_receivers=2)
    one.count(ANI, 1)
    one.count(ANI, 1)
    one.reserve("b", BUDI, 1)
    assert (one.used_up(ANI, 1), one.used_up(BUDI, 1)) == ("", "")
    assert one.used_up(CINTA, 1) == "monthly number of receivers is used up"
    assert one.unusable() == ""
    one.charge("b", BUDI, 0)
    assert one.used_up(CINTA, 1) == ""
    one.charge("c", CINTA, 1)
    assert one.used_up(BUDI, 1) == "monthly number of receivers is used up"
    assert one.describe()["receivers"] == 2
    clock.now += 24 * HOUR
    assert one.used_up(BUDI, 1) == ""
    assert one.describe()["receivers"] == 0


def test_a_receiver_that_gets_another_message_is_not_counted_twice(clock: Clock) -> None:
    one = account(clock, monthly_receivers=2)
    one.count(ANI, 1)
    one.reserve("a", ANI, 1)
    assert one.used_up(BUDI, 1) == ""
    one.reserve("b", BUDI, 1)
    assert one.used_up(CINTA, 1) == "monthly number of receivers is used up"


def test_receivers_are_kept_as_short_keyed_hashes(clock: Clock) -> None:
    tags = []
    for key in (b"a key", b"another"):
        one = Account("m0", Plan(Limits(monthly_receivers=9)), key=key, clock=clock)
        one.count(ANI, 1)
        (tag,) = one.months["2026-11"].receivers
        assert (len(tag), ANI in tag) == (8, False)
        tags.append(tag)
    assert tags[0] != tags[1]


def test_nobody_is_remembered_where_no_number_of_receivers_is_set(clock: Clock) -> None:
    one = account(clock, daily_quota=9)
    one.count(ANI, 1)
    assert not one.months["2026-11"].receivers
    assert one.describe()["receivers"] is None


# -- the clock ---------------------------------------------------------------------------------------------------------


def test_a_zone_that_is_set_holds_from_the_same_minute_on(clock: Clock, time_zone: Callable[[str], None]) -> None:
    one = account(clock)
    clock.now = NOON + 7 * HOUR
    one.count(ANI, 1)
    time_zone("WIB-7")
    assert today(one) == (0, 0, 0.0)
    one.count(ANI, 2)
    assert (today(one), this_month(one)) == ((1, 2, 0.0), (1, 2, 0.0))


def test_a_day_and_a_month_end_at_midnight_of_the_time_zone(clock: Clock, time_zone: Callable[[str], None]) -> None:
    time_zone("WIB-7")
    one = account(clock, daily_quota=2, monthly_quota=3)
    one.count(ANI, 2)
    clock.now = NOON + 5 * HOUR - 1
    assert one.used_up(ANI, 1) == "daily quota is used up"
    clock.now += 1
    assert one.used_up(ANI, 1) == ""
    assert (today(one), this_month(one)) == ((0, 0, 0.0), (0, 0, 0.0))
    one.count(ANI, 1)
    clock.now += 24 * HOUR
    one.count(ANI, 2)
    assert one.used_up(ANI, 1) == "daily quota is used up"
    clock.now += 24 * HOUR
    assert one.used_up(ANI, 1) == "monthly quota is used up"


@pytest.mark.parametrize("jump", [-24 * HOUR, -60 * 24 * HOUR, -NOON, 24 * HOUR, 40 * 365 * 24 * HOUR])
def test_a_clock_that_jumps_and_comes_back_goes_on_where_it_was(clock: Clock, jump: float) -> None:
    one = account(clock, daily_quota=3)
    one.count(ANI, 2)
    clock.now += jump
    one.count(ANI, 3)
    assert today(one)[1] == 3
    assert one.used_up(ANI, 1) == "daily quota is used up"
    clock.now -= jump
    assert today(one)[1] == 2
    assert one.used_up(ANI, 1) == ""
    assert one.used_up(ANI, 2) == "daily quota is used up"


def test_a_day_is_not_remembered_for_longer_than_its_month(clock: Clock) -> None:
    one = account(clock, daily_quota=5)
    day, month = 24 * HOUR, 31 * 24 * HOUR
    for at in (0, month, 2 * month, -day, 3 * month, -day):  # a clock that is set back and forward again
        clock.now = NOON + at
        one.count(ANI, 1)
    assert (today(one)[1], this_month(one)[1]) == (2, 3)


@given(st.lists(st.tuples(st.floats(0, 4e9), st.integers(1, 3)), max_size=30))
def test_no_jump_of_the_clock_makes_a_counter_negative_or_keeps_more_than_a_few(steps: list[tuple[float, int]]) -> None:
    clock = Clock()
    one = account(clock, daily_quota=5)
    for number, (now, size) in enumerate(steps):
        clock.now = now
        one.reserve(str(number), ANI, size)
        clock.now = now / 2
        one.charge(str(number), ANI, size)
        shown = one.describe()
        assert shown["on_the_way"] == 0
        assert 0 < shown["today"]["segments"] <= shown["this_month"]["segments"]
        assert len(one.days) <= 3
        assert len(one.months) <= 3


# -- prices ------------------------------------------------------------------------------------------------------------


def test_what_was_spent_is_counted_at_the_price_that_it_had(clock: Clock) -> None:
    one = account(clock, Tariff(350, (("62871", 50),), (Promotion("", 3, DAY, 10), Promotion("62871", 2, MONTH, 1))))
    for receiver, segments in ((ANI, 1), (BUDI, 2), (ANI, 1), (ANI, 1), (BUDI, 1)):
        one.count(receiver, segments)
    assert today(one) == (5, 6, 50 + 700 + 50 + 1 + 10)
    assert one.price() == 10
    clock.now += 24 * HOUR
    assert today(one) == (0, 0, 0)
    assert (one.price(), one.price(ANI)) == (350, 50)


def test_the_price_of_the_next_one_counts_those_on_the_way(clock: Clock) -> None:
    one = account(clock, Tariff(100, (), (Promotion("", 2, DAY, 10), Promotion("62871", 1, DAY, 5))))
    assert one.price(ANI) == 100
    one.reserve("a", ANI, 1)
    assert (one.price(ANI), one.price(BUDI)) == (5, 100)
    one.reserve("b", BUDI, 1)
    assert one.price(BUDI) == 10
    one.charge("a", ANI, 0)
    assert (one.price(ANI), one.price(BUDI)) == (100, 100)


def test_fractions_add_up(clock: Clock) -> None:
    one = account(clock, Tariff(0.1))
    for _ in range(30):
        one.count(ANI, 1)
    assert today(one) == (30, 30, 3.0)


# -- what the administrator sees ---------------------------------------------------------------------------------------


def test_the_description_says_used_limit_and_price(clock: Clock) -> None:
    one = account(clock, Tariff(50), daily_quota=2, rate_per_minute=10, quiet_hours=(Span(0, 720), Span(720, 0)))
    one.count(ANI, 1)
    assert one.describe() == {
        "unusable": "",
        "today": {"messages": 1, "segments": 1, "spent": 50},
        "this_month": {"messages": 1, "segments": 1, "spent": 50},
        "on_the_way": 0,
        "receivers": None,
        "rate_per_minute": 10,
        "daily_quota": 2,
        "monthly_quota": None,
        "monthly_receivers": None,
        "quiet": True,
        "price": 50,
    }
    one.count(ANI, 1)
    assert one.unusable() == "daily quota is used up"
    assert account(clock).describe()["on_the_way"] is None


def test_quiet_hours_for_all_make_it_unusable(clock: Clock) -> None:
    assert account(clock, quiet_hours=(Span(0, 780),)).unusable() == ""
    assert account(clock, quiet_hours=(Span(0, 780),), quiet_for_all=True).unusable() == "quiet hours"
