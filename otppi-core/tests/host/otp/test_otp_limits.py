"""The limits against SMS pumping: sliding hours, prefixes, the guard, and memory that random numbers do not fill."""

import logging
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.host.messages.refusal import NotAccepted
from otppi.host.otp.limits import HOUR, MOST, RequestLimits, Window
from otppi.host.otp.settings import OTP
from otppi.testing.values import values_of
from otppi.wire.envelope import ResponseCode

NUMBER = "6281200000001"
OFF: dict[str, Any] = dict.fromkeys(("per_receiver_per_hour", "per_prefix_per_hour", "per_hour", "guard_requests"), 0)


def limits(**values: Any) -> RequestLimits:
    return RequestLimits(values_of(OTP, **{**OFF, **values}))


def request(rules: RequestLimits, receiver: str, now: float) -> None:
    rules.check(receiver, now)
    rules.count(receiver, now, now)


def refusal(rules: RequestLimits, receiver: str, now: float) -> NotAccepted:
    with pytest.raises(NotAccepted) as caught:
        rules.check(receiver, now)
    assert caught.value.code is ResponseCode.TOO_MANY
    assert caught.value.retry_after
    return caught.value


# -- windows -----------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 1200)), max_size=40), st.integers(1, 4))
def test_a_window_counts_as_a_plain_list_does(steps: list[tuple[str, int]], limit: int) -> None:
    window, plain, now = Window(), list[tuple[str, float]](), 10_000.0
    for key, pause in steps:
        now += pause
        window.add(key, now, now)
        plain.append((key, now))
        for one in "abcd":
            inside = [moment for name, moment in plain if name == one and moment > now - HOUR]
            assert window.count(one, now) == len(inside)
            wait = window.wait(one, now, limit)
            assert (wait > 0) == (len(inside) >= limit)
            if wait:
                assert len([moment for moment in inside if moment > now + wait - HOUR]) < limit
                assert len([moment for moment in inside if moment > now + wait - 1 - HOUR]) >= limit


def test_a_window_forgets_what_is_taken_back() -> None:
    window = Window()
    for moment in (1.0, 2.0, 3.0):
        window.add("a", moment, moment)
    window.drop("a", 2.0)
    window.drop("a", 2.0)
    window.drop("b", 1.0)
    assert window.count("a", 3.0) == 2
    window.add("a", 3602.5, 3602.5)
    assert window.count("a", 3602.5) == 2


def test_random_keys_do_not_fill_memory() -> None:
    window = Window(100)
    for number in range(10_000):
        window.add(str(number), float(number) / 100, float(number) / 100)
    assert len(window) == 100
    assert len(window._moments) == 100
    window.add("late", 1e6, 1e6)
    assert len(window) == len(window._moments) == 1


def test_random_numbers_do_not_fill_memory() -> None:
    rules, dice = limits(), random.Random(7)
    for number in range(MOST + 5_000):
        request(rules, f"62{dice.randrange(10**10):010}", 1.0 + number / 100)
    for window in (rules._receivers, rules._prefixes, rules._all):
        assert len(window) == MOST
        assert len(window._moments) <= MOST


# -- limits ------------------------------------------------------------------------------------------------------------


def test_a_receiver_gets_so_many_an_hour_and_one_more_when_the_first_is_over() -> None:
    rules = limits(per_receiver_per_hour=2)
    request(rules, NUMBER, 100.0)
    request(rules, NUMBER, 1100.0)
    refused = refusal(rules, NUMBER, 1200.5)
    assert refused.retry_after == 2500
    assert "2 one-time passwords an hour" in refused.cause
    request(rules, "6281200000002", 1200.5)
    request(rules, NUMBER, 3700.0)
    refusal(rules, NUMBER, 3701.0)


def test_what_was_not_sent_is_not_counted() -> None:
    rules = limits(per_receiver_per_hour=1, per_prefix_per_hour=1, per_hour=1)
    request(rules, NUMBER, 100.0)
    refusal(rules, NUMBER, 101.0)
    rules.take_back(NUMBER, 100.0)
    request(rules, NUMBER, 102.0)


def test_a_prefix_and_all_together_have_limits(caplog: pytest.LogCaptureFixture) -> None:
    rules = limits(per_prefix_per_hour=2, per_hour=3, prefix_length=5)
    request(rules, "6281200000001", 1.0)
    request(rules, "6281299999992", 2.0)
    for _ in range(3):
        assert "start with 62812" in refusal(rules, "6281255555553", 3.0).cause
    request(rules, "6281300000001", 4.0)
    assert "all receivers" in refusal(rules, "6281400000001", 5.0).cause
    assert len(caplog.records) == 2, "one warning for each, however often it refuses"
    assert [cause.rpartition(" for ")[2] for cause in rules.warnings(5.0)] == [
        "numbers that start with 62812",
        "all receivers together",
    ]
    assert rules.warnings(4000.0) == []


def test_only_allowed_prefixes() -> None:
    rules = limits(allowed_prefixes=["62812", "65"])
    for number in ("6281200000001", "6591234567"):
        request(rules, number, 1.0)
    for number in ("6281300000001", "18005550100"):
        assert "not sent to numbers that start so" in refusal(rules, number, 1.0).cause
    rules.configure(values_of(OTP, **OFF, allowed_prefixes=[]))
    request(rules, "18005550100", 2.0)


def test_zero_switches_every_limit_off() -> None:
    rules = limits()
    for moment in range(3000):
        request(rules, NUMBER, float(moment) / 10)


# -- the guard ---------------------------------------------------------------------------------------------------------


def test_a_prefix_whose_codes_nobody_verifies_gets_no_more(caplog: pytest.LogCaptureFixture) -> None:
    rules = limits(guard_requests=10, guard_percent=20)
    for number in range(10):
        request(rules, f"62812600000{number:02}", 100.0 + number)
    request(rules, "6281260000099", 110.0)  # people may still be typing
    refused = refusal(rules, "6281260000099", 300.0)
    assert "too few of the one-time passwords to numbers that start with 628126 are verified" in refused.cause
    assert refused.retry_after == 3401  # ten are left until the second one is an hour old
    refusal(rules, "6281260000099", 301.0)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert rules.warnings(301.0) == [refused.cause]
    request(rules, "6281900000001", 301.0)  # another prefix
    request(rules, "6281260000098", 301.0 + 3401)


def test_a_prefix_whose_codes_are_verified_goes_on() -> None:
    rules = limits(guard_requests=10, guard_percent=20)
    for number in range(200):
        now = 100.0 + 10 * number
        receiver = f"62812600{number:05}"
        request(rules, receiver, now)
        if number % 4 == 0:
            rules.verified(receiver, now, now + 5)


def test_the_guard_lets_go_when_codes_are_verified_after_all() -> None:
    rules = limits(guard_requests=4, guard_percent=50)
    for number in range(4):
        request(rules, f"628126000000{number}", 100.0)
    refusal(rules, "6281260000009", 300.0)
    rules.verified("6281260000000", 100.0, 301.0)
    refusal(rules, "6281260000009", 301.0)
    assert rules.warnings(301.0)
    rules.verified("6281260000001", 100.0, 302.0)
    assert rules.warnings(302.0) == []
    request(rules, "6281260000009", 302.0)


def test_an_address_has_the_limits_of_its_receiver_and_of_all_only() -> None:
    """Nobody earns by the mail to a domain, and half of a country has its mailbox at the same one."""
    rules = limits(
        per_prefix_per_hour=1, allowed_prefixes=["62"], guard_requests=1, per_receiver_per_hour=2, per_hour=30
    )
    for number in range(28):
        request(rules, f"somebody{number}@example.com", 1.0)
    for _ in range(2):
        request(rules, "another@example.com", 200.0)  # long after the others could have been verified
    rules.verified("another@example.com", 200.0, 200.0)
    assert "this receiver" in refusal(rules, "another@example.com", 200.0).cause
    assert "all receivers" in refusal(rules, "more@example.com", 200.0).cause
    rules.take_back("another@example.com", 200.0)
    request(rules, "more@example.com", 200.0)
