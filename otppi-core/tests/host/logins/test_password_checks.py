"""The queue of passwords to be hashed: one at a time, a fair turn for each network, bounded, and it ends."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from otppi.api.errors import AuthenticationFailed, Busy, Throttled
from otppi.api.ingress import Sender
from otppi.host.logins import password_checks
from otppi.host.logins.login_throttle import PACES_OF_PERSONS, LoginThrottle
from otppi.host.logins.password_checks import PLACES, PLACES_OF_NETWORK, PasswordChecks
from otppi.testing.waiting import PATIENCE, until

APP = Sender("app")


class Held:
    """A check that is being made until it is let go, so that others wait behind it."""

    def __init__(self, checks: PasswordChecks[Sender], key: bytes = b"held") -> None:
        self.began, self.gate = threading.Event(), threading.Event()
        self.future = checks.submit(key, "held", "held", self._work)
        assert self.began.wait(PATIENCE)

    def _work(self) -> Sender:
        self.began.set()
        assert self.gate.wait(PATIENCE)
        return APP


@pytest.fixture
def make() -> Iterator[Callable[..., PasswordChecks[Sender]]]:
    before = set(threading.enumerate())
    made: list[PasswordChecks[Sender]] = []

    def one(throttle: LoginThrottle | None = None, **changes: Any) -> PasswordChecks[Sender]:
        made.append(PasswordChecks(throttle or LoginThrottle(), **changes))
        return made[-1]

    yield one
    for checks in made:
        checks.close()
    assert set(threading.enumerate()) <= before


def wrong() -> Sender:
    raise AuthenticationFailed("wrong")


def test_the_same_password_that_waits_already_is_checked_once(make: Callable[..., PasswordChecks[Sender]]) -> None:
    checks, done = make(), []
    held = Held(checks)
    futures = [checks.submit(b"same", "app", "n", lambda: done.append(1) or APP) for _ in range(100)]  # type: ignore[func-returns-value]
    held.gate.set()
    assert {one.result(PATIENCE) for one in futures} == {APP}
    assert done == [1]


def test_no_network_has_more_than_its_places_and_all_together_have_theirs(
    make: Callable[..., PasswordChecks[Sender]],
) -> None:
    checks = make()
    held = Held(checks)
    futures: list[Future[Sender]] = []

    def submit(number: int, network: str) -> None:
        futures.append(checks.submit(b"%s %d" % (network.encode(), number), "app", network, lambda: APP))

    for number in range(PLACES_OF_NETWORK):
        submit(number, "greedy")
    with pytest.raises(Throttled):
        submit(PLACES_OF_NETWORK, "greedy")
    for number in range(PLACES - PLACES_OF_NETWORK):
        submit(0, f"network {number}")
    with pytest.raises(Busy):
        submit(0, "one more")
    held.gate.set()
    assert {one.result(PATIENCE) for one in futures} == {APP}
    submit(0, "one more")


def test_who_has_come_from_there_before_goes_first(make: Callable[..., PasswordChecks[Sender]]) -> None:
    checks, order = make(), []
    assert checks.submit(b"first", "app", "home", lambda: APP).result(PATIENCE) is APP
    held = Held(checks)

    def work(name: str) -> Callable[[], Sender]:
        return lambda: order.append(name) or APP  # type: ignore[func-returns-value]

    strangers = [checks.submit(b"%d" % number, "app", f"n{number}", work("stranger")) for number in range(50)]
    checks.submit(b"new password", "app", "home", work("familiar"))
    held.gate.set()
    for one in strangers:
        one.result(PATIENCE)
    assert order[0] == "familiar"
    assert len(order) == 51


def test_a_network_that_has_to_wait_keeps_no_other_waiting(make: Callable[..., PasswordChecks[Sender]]) -> None:
    checks = make()
    for number in range(20):
        with pytest.raises(AuthenticationFailed):
            checks.submit(b"%d" % number, f"user {number % 10}", "guesser", wrong).result(PATIENCE)
        if number >= 9:
            break
    slow = checks.submit(b"slow", "app", "guesser", lambda: APP)
    assert checks.submit(b"quick", "app", "another", lambda: APP).result(PATIENCE) is APP
    assert not slow.done()
    assert slow.result(PATIENCE) is APP


@pytest.mark.parametrize(("networks", "refusal"), [(1, Throttled), (PLACES, Busy)], ids=["one address", "many"])
def test_who_asks_again_keeps_the_place_that_a_flood_would_take(
    make: Callable[..., PasswordChecks[Sender]], networks: int, refusal: type[Exception]
) -> None:
    checks, order = make(), []

    def flood(name: str) -> list[Future[Sender]]:
        count = PLACES if networks > 1 else PLACES_OF_NETWORK
        return [
            checks.submit(b"%s %d" % (name.encode(), number), "app", f"n{number % networks}", work(name))
            for number in range(count)
        ]

    def work(name: str) -> Callable[[], Sender]:
        return lambda: order.append(name) or APP  # type: ignore[func-returns-value]

    held = Held(checks)
    first = flood("first")
    with pytest.raises(refusal):
        checks.submit(b"right", "app", "n0", work("right"))
    held.gate.set()
    assert {one.result(PATIENCE) for one in first} == {APP}
    held = Held(checks, b"again")
    second = flood("second")
    right = checks.submit(b"right", "app", "n0", work("right"))
    with pytest.raises(Throttled):
        second[-1].result(PATIENCE)
    held.gate.set()
    assert right.result(PATIENCE) == APP
    assert order[len(first)] == "right"


def test_what_has_waited_too_long_is_told_so(make: Callable[..., PasswordChecks[Sender]]) -> None:
    checks = make(patience=0.0)
    with pytest.raises(Busy):
        checks.submit(b"late", "app", "n", lambda: APP).result(PATIENCE)


def test_a_check_that_fails_otherwise_is_told_to_its_waiter_and_the_next_one_is_made(
    make: Callable[..., PasswordChecks[Sender]], caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Sender:
        raise ZeroDivisionError("the password was xyz")

    checks = make()
    with pytest.raises(ZeroDivisionError):
        checks.submit(b"1", "app", "n", broken).result(PATIENCE)
    assert "ZeroDivisionError" in caplog.text
    assert "xyz" not in caplog.text
    assert checks.submit(b"2", "app", "n", lambda: APP).result(PATIENCE) is APP


def test_the_thread_ends_when_nothing_comes_and_comes_back(
    make: Callable[..., PasswordChecks[Sender]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password_checks, "_IDLE", 0.01)
    checks = make()
    for number in range(20):
        assert checks.submit(b"%d" % number, "app", "n", lambda: APP).result(PATIENCE) is APP
        thread = checks._thread
        if thread is not None and number % 2:
            thread.join(PATIENCE)
            assert not thread.is_alive()


def test_closing_refuses_what_waits_and_what_comes(make: Callable[..., PasswordChecks[Sender]]) -> None:
    checks = make()
    held = Held(checks)
    waiting = checks.submit(b"waits", "app", "n", lambda: APP)
    closing = threading.Thread(target=checks.close)
    closing.start()
    with pytest.raises(Busy):
        waiting.result(PATIENCE)
    held.gate.set()
    closing.join(PATIENCE)
    assert held.future.result(PATIENCE) is APP
    with pytest.raises(Busy):
        checks.submit(b"late", "app", "n", lambda: APP)


def test_what_would_have_to_wait_longer_than_anybody_does_is_told_so_at_once(
    make: Callable[..., PasswordChecks[Sender]],
) -> None:
    throttle = LoginThrottle(paces=PACES_OF_PERSONS)
    for _ in range(10):
        throttle.failed("app", "home")
    checks = make(throttle=throttle, patience=5.0)
    with pytest.raises(Throttled) as caught:
        checks.submit(b"guess", "app", "home", lambda: APP)
    assert 27 < caught.value.retry_after <= 32
    assert checks.submit(b"right", "app", "elsewhere", lambda: APP).result(PATIENCE) is APP


def test_two_queues_that_share_a_turn_compute_one_hash_at_a_time(make: Callable[..., PasswordChecks[Sender]]) -> None:
    turn = threading.Lock()
    one, other = make(turn=turn), make(turn=turn)
    held = Held(one)
    began: list[bool] = []
    waiting = other.submit(b"waits", "app", "n", lambda: began.append(held.gate.is_set()) or APP)  # type: ignore[func-returns-value]
    assert not waiting.done()
    until(lambda: other._waiting == {}, "its turn has come, but for the other's")
    held.gate.set()
    assert waiting.result(PATIENCE) is APP
    assert held.future.result(PATIENCE) is APP
    assert began == [True]
