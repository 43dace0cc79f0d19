"""Passwords and tokens: no hash for what is known to be right, and guessing gets slower and slower."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from otppi.api.errors import AuthenticationFailed, Throttled
from otppi.api.ingress import Sender
from otppi.host import accounts as accounts_module
from otppi.host.accounts import Accounts, hash_password, is_password, new_token

PASSWORD_HASH = hash_password("right")
ADDRESS = "192.0.2.1"
WRONG = "wrong"


def user(name: str = "app", **values: Any) -> dict[str, Any]:
    return {
        "username": name,
        "password_hash": PASSWORD_HASH,
        "token_hashes": [],
        "active": True,
        "blocked": False,
        **values,
    }


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
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every hash that is computed to check a password."""
    computed: list[str] = []

    def counted(password_hash: str, password: str) -> bool:
        computed.append(password_hash)
        return is_password(password_hash, password)

    monkeypatch.setattr(accounts_module, "is_password", counted)
    return computed


def refused(accounts: Accounts, name: str = "app", password: str = WRONG, address: str = ADDRESS) -> Exception:
    with pytest.raises((AuthenticationFailed, Throttled)) as caught:
        accounts.authenticate(name, password, address)
    return caught.value


def test_a_right_password_costs_one_hash_in_all(hashes: list[str]) -> None:
    accounts = Accounts([user()])
    for number in range(50):
        assert accounts.authenticate("app", "right", f"192.0.2.{number}") == Sender("app")
    assert len(hashes) == 1


def test_many_threads_with_the_same_right_password_cost_one_hash(hashes: list[str]) -> None:
    accounts = Accounts([user()])
    start = threading.Barrier(16)
    senders: list[Sender] = []

    def ask() -> None:
        start.wait()
        senders.append(accounts.authenticate("app", "right", ADDRESS))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert senders == [Sender("app")] * 16
    assert len(hashes) == 1


def test_an_unknown_user_costs_the_same_hash(hashes: list[str]) -> None:
    accounts = Accounts(
        [user(), user("off", active=False), user("blocked", blocked=True), user("token", password_hash="")]
    )
    for name in ("nobody", "off", "blocked", "token", ""):
        assert isinstance(refused(accounts, name, "right"), AuthenticationFailed)
    assert len(hashes) == 5
    assert PASSWORD_HASH not in hashes
    assert "m=19456,t=2,p=1" in hashes[0]
    assert hashes[0].startswith("$argon2id$")


@pytest.mark.parametrize(
    "users",
    [[], [user(active=False)], [user(blocked=True)], [user(password_hash=hash_password("another"))]],
    ids=["removed", "not active", "blocked", "new password"],
)
def test_a_change_of_the_users_forgets_what_was_right(users: list[dict[str, Any]]) -> None:
    accounts = Accounts([user()])
    accounts.authenticate("app", "right", ADDRESS)
    accounts.replace(users)
    assert isinstance(refused(accounts, "app", "right"), AuthenticationFailed)


def test_a_change_while_the_hash_is_computed_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = Accounts([user()])

    def changed_meanwhile(password_hash: str, password: str) -> bool:
        accounts.replace([])
        return is_password(password_hash, password)

    with monkeypatch.context() as patch:
        patch.setattr(accounts_module, "is_password", changed_meanwhile)
        accounts.authenticate("app", "right", ADDRESS)
    refused(accounts, "app", "right")


def test_wrong_passwords_are_throttled_for_each_user_and_address(clock: Clock, hashes: list[str]) -> None:
    accounts = Accounts([user(), user("other")], clock=clock)
    for _ in range(5):
        assert isinstance(refused(accounts), AuthenticationFailed)
    computed = len(hashes)
    first = refused(accounts)
    assert isinstance(first, Throttled)
    assert first.retry_after == 1.0
    assert isinstance(refused(accounts, password="right"), Throttled)
    assert len(hashes) == computed
    assert isinstance(refused(accounts, name="other"), AuthenticationFailed)
    assert isinstance(refused(accounts, address="192.0.2.2"), AuthenticationFailed)
    waits = []
    for _ in range(12):
        clock.now += 300
        assert isinstance(refused(accounts), AuthenticationFailed)
        again = refused(accounts)
        assert isinstance(again, Throttled)
        waits.append(again.retry_after)
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]


def test_an_address_that_tries_many_names_costs_few_hashes_and_nobody_is_locked_out_for_long(
    clock: Clock, hashes: list[str]
) -> None:
    accounts = Accounts([user(), user("known")], clock=clock)
    accounts.authenticate("known", "right", ADDRESS)
    hashes.clear()
    refusals = [refused(accounts, name=f"guess {number}") for number in range(500)]
    assert len(hashes) == 10
    assert sum(isinstance(one, Throttled) for one in refusals) == 490
    assert accounts.authenticate("known", "right", ADDRESS) == Sender("known")
    assert isinstance(refused(accounts, password="right"), Throttled)
    assert accounts.authenticate("app", "right", "192.0.2.2") == Sender("app")
    for number in range(20):
        clock.now += 5
        assert isinstance(refused(accounts, name=f"more {number}"), AuthenticationFailed)
        assert isinstance(again := refused(accounts), Throttled)
        assert again.retry_after <= 5
    accounts.replace([user()])
    clock.now += 5
    assert accounts.authenticate("app", "right", ADDRESS) == Sender("app")


def test_who_is_throttled_may_go_on_with_what_is_known_to_be_right(clock: Clock) -> None:
    accounts = Accounts([user()], clock=clock)
    accounts.authenticate("app", "right", ADDRESS)
    for _ in range(6):
        refused(accounts)
    assert accounts.authenticate("app", "right", ADDRESS) == Sender("app")


def test_a_right_password_ends_the_throttling_and_so_does_time(clock: Clock) -> None:
    accounts = Accounts([user()], clock=clock)
    for _ in range(5):
        refused(accounts)
    clock.now += 1.5
    accounts.authenticate("app", "right", ADDRESS)
    for _ in range(5):
        assert isinstance(refused(accounts), AuthenticationFailed)
    assert isinstance(refused(accounts), Throttled)
    clock.now += 601
    for _ in range(5):
        assert isinstance(refused(accounts), AuthenticationFailed)


def test_patience_does_not_break_the_throttle(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts_module, "is_password", lambda *_: False)
    accounts = Accounts([user()], clock=clock)
    for _ in range(1200):
        clock.now += 300
        assert isinstance(refused(accounts), AuthenticationFailed)


def test_tokens(clock: Clock) -> None:
    token, kept = new_token()
    other, _ = new_token()
    accounts = Accounts(
        [user("app", token_hashes=[kept]), user("off", token_hashes=["0" * 64], active=False)], clock=clock
    )
    assert token not in kept
    assert accounts.authenticate_token(token, ADDRESS) == Sender("app")
    for _ in range(5):
        with pytest.raises(AuthenticationFailed):
            accounts.authenticate_token(other, ADDRESS)
    with pytest.raises(Throttled):
        accounts.authenticate_token(other, ADDRESS)
    assert accounts.authenticate_token(token, ADDRESS) == Sender("app")
    accounts.replace([user(token_hashes=[])])
    with pytest.raises(Throttled):
        accounts.authenticate_token(token, ADDRESS)
    with pytest.raises(AuthenticationFailed):
        accounts.authenticate_token(token, "192.0.2.9")


@pytest.mark.parametrize("odd", ["\ud800", "a\0b", "", "x" * 100_000, "пароль"])
def test_whatever_comes_in_as_a_password_is_only_wrong(odd: str) -> None:
    accounts = Accounts([user()])
    assert isinstance(refused(accounts, "app", odd), AuthenticationFailed)
    assert isinstance(refused(accounts, odd, "right"), AuthenticationFailed)
    with pytest.raises(AuthenticationFailed):
        accounts.authenticate_token(odd, ADDRESS)


def test_a_hash_that_is_none_is_only_wrong() -> None:
    assert isinstance(
        refused(Accounts([user(password_hash="$argon2id$nonsense")]), "app", "right"), AuthenticationFailed
    )


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts_module, "_REMEMBERED", 10)
    monkeypatch.setattr(accounts_module, "_WATCHED", 10)
    check: Callable[..., bool] = lambda _, password: password == "right"  # noqa: E731
    monkeypatch.setattr(accounts_module, "is_password", check)
    accounts = Accounts([user(str(number)) for number in range(50)])
    for number in range(50):
        accounts.authenticate(str(number), "right", address := f"192.0.2.{number}")
        refused(accounts, str(number), address=address)
    assert len(accounts._right) == 10
    assert len(accounts._throttle) == 10


def test_who_may_manage_keys_is_in_the_sender_and_tells_nobody_apart(hashes: list[str]) -> None:
    token, kept = new_token()
    accounts = Accounts([user(token_hashes=[kept]), user("manager", manage_keys=True)])
    assert not accounts.authenticate("app", "right", ADDRESS).manage_keys
    assert accounts.authenticate("manager", "right", ADDRESS).manage_keys
    assert not accounts.authenticate_token(token, ADDRESS).manage_keys
    accounts.replace([user(token_hashes=[kept], manage_keys=True), user("manager")])
    assert accounts.authenticate_token(token, ADDRESS).manage_keys
    assert not accounts.authenticate("manager", "right", ADDRESS).manage_keys
    assert Sender("app", manage_keys=True) == Sender("app"), "a message stays its sender's when a setting changes"
