"""Quotas, quiet hours and pace, as pure functions."""

import time
from calendar import timegm
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otppi.host.meter.limits import Limits, Pace, Span, Used, limits_of, quiet_left, used_up
from otppi.host.modems.settings import MODEMS
from otppi.host.modems.values import ModemValues

BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
HOUR = 3600.0
NIGHT = Limits(quiet_hours=(Span(22 * 60, 6 * 60),))


def utc(month: int, day: int, hour: int, minute: int = 0) -> float:
    return float(timegm((2026, month, day, hour, minute, 0)))


# -- quotas ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(), ""),
        (Limits(daily_quota=12, monthly_quota=32), ""),
        (Limits(daily_quota=11), "daily quota is used up"),
        (Limits(monthly_quota=31), "monthly quota is used up"),
        (Limits(monthly_receivers=5), "monthly number of receivers is used up"),
        (Limits(monthly_receivers=6), ""),
    ],
)
def test_a_quota_has_room_for_all_segments_or_none(limits: Limits, reason: str) -> None:
    assert used_up(limits, Used(10, 30, 5), 2, new_receiver=True) == reason


def test_a_known_receiver_is_no_new_one() -> None:
    assert used_up(Limits(monthly_receivers=5), Used(0, 0, 5), 1, new_receiver=False) == ""


# -- quiet hours -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "left"),
    [((21, 59), 0), ((22, 0), 8 * HOUR), ((0, 0), 6 * HOUR), ((5, 59), 60), ((6, 0), 0), ((12, 0), 0)],
)
def test_quiet_hours_reach_over_midnight(time_zone: Callable[[str], None], at: tuple[int, int], left: float) -> None:
    time_zone("UTC0")
    assert quiet_left(NIGHT, utc(7, 1, *at), bulk=True) == left
    assert quiet_left(NIGHT, utc(7, 1, *at), bulk=False) == 0


def test_quiet_hours_may_be_for_all() -> None:
    limits = Limits(quiet_hours=(Span(0, 12 * 60), Span(12 * 60, 0)), quiet_for_all=True)
    assert quiet_left(limits, time.time(), bulk=False) > 0


def test_quiet_hours_that_follow_each_other_are_one(time_zone: Callable[[str], None]) -> None:
    time_zone("UTC0")
    limits = Limits(quiet_hours=(Span(6 * 60, 7 * 60), Span(22 * 60, 6 * 60), Span(12 * 60, 13 * 60)))
    assert quiet_left(limits, utc(7, 1, 23), bulk=True) == 8 * HOUR


@pytest.mark.parametrize(
    ("at", "left"),
    [(utc(3, 28, 22), 6 * HOUR), (utc(10, 24, 21), 8 * HOUR), (utc(7, 1, 21), 7 * HOUR)],
    ids=["a night without 2 o'clock", "a night with 2 o'clock twice", "any other night"],
)
def test_the_night_of_daylight_saving_is_as_long_as_it_is(
    time_zone: Callable[[str], None], at: float, left: float
) -> None:
    time_zone(BERLIN)
    assert time.localtime(at).tm_hour == 23
    assert quiet_left(NIGHT, at, bulk=True) == left


SPANS = st.builds(Span, st.integers(0, 1439), st.integers(0, 1439)).filter(lambda span: span.start != span.end)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    spans=st.lists(SPANS, min_size=1, max_size=3).map(tuple),
    now=st.floats(utc(3, 27, 0), utc(3, 31, 0)) | st.floats(utc(10, 23, 0), utc(10, 27, 0)),
)
def test_quiet_hours_are_waited_for_until_they_are_over(
    time_zone: Callable[[str], None], spans: tuple[Span, ...], now: float
) -> None:
    time_zone(BERLIN)
    limits = Limits(quiet_hours=spans)
    local = time.localtime(now)
    quiet = any(span.has(local.tm_hour * 60 + local.tm_min) for span in spans)
    left = quiet_left(limits, now, bulk=True)
    assert (left > 0) is quiet
    whole_day = all(any(span.has(minute) for span in spans) for minute in range(1440))
    for _ in range(4):  # a clock that goes over the end to summer time or back has to be asked again
        if not left or whole_day:
            break
        now += left
        left = quiet_left(limits, now, bulk=True)
    assert not left or whole_day or left <= 2 * HOUR


@pytest.mark.parametrize("text", ["22:00", "22-06", "24:00-06:00", "22:60-06:00", "2:00-6:00", "06:00-06:00", ""])
def test_quiet_hours_that_cannot_be_read(text: str) -> None:
    assert [one.split(".")[1] for one in problems_of(quiet_hours=["22:00-06:00", text])] in (
        ["quiet_hours[1]"],
        ["quiet_hours"],  # begins and ends at one time
    )


def test_settings_are_read() -> None:
    values = {"rate_per_minute": 1, "daily_quota": 2, "monthly_quota": 3, "monthly_receivers": 4, "quiet_for": "all"}
    limits = Limits(1, 2, 3, 4, (Span(1320, 390),), quiet_for_all=True)
    for written in ("22:00-06:30", {"start": "22:00", "end": "06:30"}):
        (modem,), problems = MODEMS.validate_items([{"name": "m0", **values, "quiet_hours": [written]}])
        assert problems == []
        assert limits_of(cast("ModemValues", modem)) == limits
    assert problems_of(quiet_hours=["22:00-06:30", "12:00-13:00"]) == []


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ({"start": "22:00"}, "[0].end"),
        ({"start": "22", "end": "06:00"}, "[0].start"),
        ({"start": "06:00", "end": "06:00"}, ""),
    ],
)
def test_a_row_of_quiet_hours_that_cannot_be_used(row: dict[str, str], place: str) -> None:
    assert problems_of(quiet_hours=[row]) == [f"modems[0].quiet_hours{place}"]


def test_quiet_hours_for_all_messages_leave_a_minute_to_send_in() -> None:
    whole_day = ["00:00-12:00", "11:00-00:00"]
    assert problems_of(quiet_hours=whole_day) == []
    assert problems_of(quiet_hours=whole_day, quiet_for="all") == ["modems[0].quiet_hours"]
    assert problems_of(quiet_hours=["00:00-12:00", "12:01-00:00"], quiet_for="all") == []


def problems_of(**modem: Any) -> list[str]:
    return [problem.field for problem in MODEMS.validate_items([{"name": "m0", **modem}])[1]]


# -- pace --------------------------------------------------------------------------------------------------------------


def test_without_a_rate_nothing_waits() -> None:
    pace = Pace()
    pace.sent(0.0)
    assert pace.delay(0.0, ahead=1000) == 0


@given(st.integers(1, 5), st.lists(st.floats(0, 100), max_size=30))
def test_never_more_than_the_rate_in_a_minute_and_no_longer_than_needed(rate: int, pauses: list[float]) -> None:
    pace, now, sent = Pace(rate), 1000.0, list[float]()
    for pause in pauses:
        now += pause
        wait = pace.delay(now)
        in_window = [at for at in sent if at > now - 60 + 1e-6]
        assert (wait > 1e-6) is (len(in_window) >= rate)
        now += wait
        pace.sent(now)
        sent.append(now)
    assert all(later - earlier >= 60 - 1e-6 for earlier, later in zip(sent, sent[rate:], strict=False))


@given(st.integers(1, 5), st.lists(st.floats(0, 50), max_size=8), st.integers(0, 20))
def test_the_estimate_for_one_with_others_ahead_is_what_becomes_true(
    rate: int, pauses: list[float], ahead: int
) -> None:
    pace, now = Pace(rate), 0.0
    for pause in pauses:
        now += pause + pace.delay(now + pause)
        pace.sent(now)
    promised, start = pace.delay(now, ahead), now
    for _ in range(ahead):
        now += pace.delay(now)
        pace.sent(now)
    assert pace.delay(now) + now - start == pytest.approx(promised, abs=1e-6)


def test_another_rate_knows_what_was_sent() -> None:
    pace = Pace(2)
    pace.sent(0.0)
    pace.sent(10.0)
    assert pace.at(1).delay(20.0) == 50
    assert pace.at(2).delay(20.0) == 40
    assert pace.at(3).delay(20.0) == 0
