"""The pace at which passwords may be guessed: by network, by user, by both, and without a lock-out."""

import pytest

from otppi.host.logins import login_throttle
from otppi.host.logins.login_throttle import PACES_OF_PERSONS, Failures, GuessPace, LoginThrottle

HOME = "192.0.2.1"


class Clock:
    """Time as the test wants it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> LoginThrottle:
    return LoginThrottle(clock)


def wait(throttle: LoginThrottle, clock: Clock, user: str = "app", network: str = HOME) -> float:
    return max(0.0, throttle.due(user, network) - clock.now)


def fail(throttle: LoginThrottle, times: int, user: str = "app", network: str = HOME) -> None:
    for _ in range(times):
        throttle.failed(user, network)


def test_five_are_free_then_each_costs_twice_the_wait_up_to_five_seconds(throttle: LoginThrottle, clock: Clock) -> None:
    fail(throttle, 4)
    waits = []
    for _ in range(6):
        fail(throttle, 1)
        waits.append(wait(throttle, clock))
    assert waits == [1, 2, 4, 5, 5, 5]
    assert wait(throttle, clock, user="other") == 1, "ten from one network"
    assert wait(throttle, clock, network="192.0.2.2") == 0
    clock.now += 5
    assert wait(throttle, clock) == 0


def test_nobody_ever_waits_longer_than_five_seconds(throttle: LoginThrottle, clock: Clock) -> None:
    for number in range(2_000):
        fail(throttle, 1, user=f"user {number % 3}")
        assert wait(throttle, clock, user="user 0") <= 5


def test_an_address_that_tries_many_names_is_slowed_down(throttle: LoginThrottle, clock: Clock) -> None:
    for number in range(13):
        fail(throttle, 1, user=f"name {number}")
    assert wait(throttle, clock, user="another") == 5


def test_many_addresses_that_guess_at_one_user_add_up_but_not_for_where_the_user_comes_from(
    throttle: LoginThrottle, clock: Clock
) -> None:
    throttle.succeeded("app", HOME)
    for number in range(200):
        fail(throttle, 1, network=f"198.51.100.{number}")
    assert wait(throttle, clock, network="203.0.113.1") == 1
    assert wait(throttle, clock, user="other", network="203.0.113.1") == 0
    assert wait(throttle, clock) == 0
    assert throttle.is_familiar("app", HOME)
    assert not throttle.is_familiar("other", HOME)


def test_a_right_password_ends_it_for_its_user_and_time_does_for_all(throttle: LoginThrottle, clock: Clock) -> None:
    fail(throttle, 9)
    throttle.succeeded("app", HOME)
    assert wait(throttle, clock) == 0
    fail(throttle, 9)
    clock.now += 601
    fail(throttle, 4)
    assert wait(throttle, clock) == 0


def test_what_is_kept_is_bounded(throttle: LoginThrottle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_throttle, "_WATCHED", 10)
    monkeypatch.setattr(login_throttle, "_FAMILIAR", 10)
    for number in range(50):
        fail(throttle, 1, user=str(number), network=str(number))
        throttle.succeeded(str(number), str(number))
    assert len(throttle._failures) <= 10
    assert len(throttle._familiar) == 10


def test_a_person_waits_up_to_five_minutes_for_one_name_at_one_address_and_a_few_seconds_for_others(
    clock: Clock,
) -> None:
    throttle = LoginThrottle(clock, PACES_OF_PERSONS)
    fail(throttle, 4)
    assert wait(throttle, clock) == 0
    waits = []
    for _ in range(11):
        fail(throttle, 1)
        waits.append(throttle.wait("app", HOME))
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert throttle.wait("other", HOME) == 5
    assert throttle.wait("app", "192.0.2.2") == 0
    clock.now += 299
    assert throttle.wait("app", HOME) == 1, "it ends: no lock"
    clock.now += 1
    assert throttle.wait("app", HOME) == 0
    fail(throttle, 1)
    assert throttle.wait("app", HOME) == 300, "and a pause of five minutes wins nothing"
    clock.now += 3_601
    assert throttle.wait("app", HOME) == 0
    fail(throttle, 4)
    assert throttle.wait("app", HOME) == 0


def test_failures_are_counted_by_key_and_can_be_cleared(clock: Clock) -> None:
    failures, pace = Failures(600.0, clock), GuessPace(2, 8.0)
    for _ in range(3):
        failures.add("a")
    assert (failures.wait("a", pace), failures.wait("b", pace)) == (2.0, 0.0)
    assert failures.due("a", pace) == clock.now + 2.0
    clock.now += 1.5
    assert failures.wait("a", pace) == 0.5
    failures.clear("a")
    failures.clear("a")
    assert failures.wait("a", pace) == 0.0
