"""Passwords and tokens: no hash for what is known, none on the caller's thread, and nobody locked out."""

import logging
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from otppi.api.errors import AuthenticationFailed, Busy, Throttled
from otppi.api.events import Event, LoginFailed, SignedIn
from otppi.api.ingress import Sender
from otppi.host.logins import password_checks
from otppi.host.runtime.events import EventBus
from otppi.host.settings.password_hash import hash_password, is_password
from otppi.host.users import api_users as accounts_module
from otppi.host.users.api_users import LONGEST_NAME, Accounts, new_token
from otppi.host.users.settings import API_USERS, UserValues
from otppi.testing.scripted import until
from otppi.testing.values import values_of
from otppi.testing.waiting import PATIENCE

PASSWORD_HASH = hash_password("right")
ADDRESS = "192.0.2.1"
RIGHT, WRONG = "right", "wrong"


def user(name: str = "app", **values: Any) -> UserValues:
    return values_of(API_USERS, **{"username": name, "password_hash": PASSWORD_HASH, **values})


@pytest.fixture
def opened() -> Iterator[Callable[..., Accounts]]:
    """Make accounts that are closed with the test."""
    made: list[Accounts] = []

    def make(users: list[UserValues]) -> Accounts:
        made.append(Accounts(users))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every hash that is computed to check a password."""
    computed: list[str] = []

    def counted(password_hash: str, password: str) -> bool:
        computed.append(password_hash)
        return is_password(password_hash, password)

    monkeypatch.setattr(accounts_module, "is_password", counted)
    return computed


def asked(accounts: Accounts, name: str = "app", password: str = RIGHT, address: str = ADDRESS) -> Sender:
    """Wait for what comes of it."""
    login = accounts.authenticate(name, password, address)
    return login.result(PATIENCE) if isinstance(login, Future) else login


def refused(accounts: Accounts, name: str = "app", password: str = WRONG, address: str = ADDRESS) -> Exception:
    with pytest.raises((AuthenticationFailed, Throttled, Busy)) as caught:
        asked(accounts, name, password, address)
    return caught.value


def test_a_right_password_costs_one_hash_in_all_and_is_then_answered_at_once(
    opened: Callable[..., Accounts], hashes: list[str]
) -> None:
    accounts = opened([user()])
    assert asked(accounts) == Sender("app")
    for number in range(50):
        assert accounts.authenticate("app", "right", f"192.0.2.{number}") == Sender("app")
    assert len(hashes) == 1


def test_many_threads_with_the_same_right_password_cost_one_hash(
    opened: Callable[..., Accounts], hashes: list[str]
) -> None:
    accounts = opened([user()])
    start = threading.Barrier(16)
    senders: list[Sender] = []

    def ask() -> None:
        start.wait()
        senders.append(asked(accounts))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert senders == [Sender("app")] * 16
    assert len(hashes) == 1


def test_an_unknown_user_costs_the_same_hash(opened: Callable[..., Accounts], hashes: list[str]) -> None:
    accounts = opened(
        [user(), user("off", active=False), user("blocked", blocked=True), user("token", password_hash="")]
    )
    for name in ("nobody", "off", "blocked", "token", ""):
        assert isinstance(refused(accounts, name, "right"), AuthenticationFailed)
    assert len(hashes) == 5
    assert PASSWORD_HASH not in hashes
    assert {one.rpartition("$")[0].rpartition("$")[0] for one in hashes} == {"$argon2id$v=19$m=19456,t=2,p=1"}
    assert [*map(len, hashes)] == [len(PASSWORD_HASH)] * 5


@pytest.mark.parametrize(
    "users",
    [[], [user(active=False)], [user(blocked=True)], [user(password_hash=hash_password("another"))]],
    ids=["removed", "not active", "blocked", "new password"],
)
def test_a_changed_user_is_forgotten_and_no_other(
    opened: Callable[..., Accounts], hashes: list[str], users: list[UserValues]
) -> None:
    """Issue 9, E22: a changed user made the gateway forget all."""
    accounts = opened([user(), user("other")])
    asked(accounts)
    asked(accounts, "other")
    accounts.replace([*users, user("other")])
    hashes.clear()
    assert accounts.authenticate("other", "right", ADDRESS) == Sender("other")
    assert hashes == []
    assert isinstance(refused(accounts, "app", "right"), AuthenticationFailed)
    accounts.replace([user(), user("other")])
    assert asked(accounts) == Sender("app"), "what was wrong then is right now"


def test_a_change_while_the_hash_is_computed_is_not_missed(
    opened: Callable[..., Accounts], monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = opened([user()])

    def changed_meanwhile(password_hash: str, password: str) -> bool:
        accounts.replace([])
        return is_password(password_hash, password)

    with monkeypatch.context() as patch:
        patch.setattr(accounts_module, "is_password", changed_meanwhile)
        asked(accounts)
    refused(accounts, "app", "right")


def test_a_program_with_an_old_password_costs_one_hash_and_is_one_guess(
    opened: Callable[..., Accounts], hashes: list[str]
) -> None:
    accounts = opened([user()])
    for _ in range(100):
        assert isinstance(refused(accounts, password="the old one"), AuthenticationFailed)
    assert len(hashes) == 1
    assert asked(accounts) == Sender("app")
    refused(accounts, password="the old one", address="192.0.2.2")
    assert len(hashes) == 3, "what one has tried tells nobody elsewhere anything"


def test_a_stranger_behind_the_same_address_does_not_lock_out_the_right_password(
    opened: Callable[..., Accounts],
) -> None:
    """Issue 9, E22: the right password was refused 86 times of 86."""
    accounts = opened([user()])
    for number in range(8):  # more than are free
        refused(accounts, password=f"guess {number}")
    ended = threading.Event()

    def guess() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            refused(accounts, password=f"another guess {number}")

    stranger = threading.Thread(target=guess)
    stranger.start()
    try:
        assert asked(accounts) == Sender("app")
    finally:
        ended.set()
        stranger.join(PATIENCE)
    assert accounts.authenticate("app", "right", ADDRESS) == Sender("app")


def test_short_memory_is_no_wrong_password(opened: Callable[..., Accounts], monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = opened([user()])

    def short(password_hash: str, password: str) -> bool:
        raise Busy("memory is short", 5.0)

    with monkeypatch.context() as patch:
        patch.setattr(accounts_module, "is_password", short)
        assert isinstance(refused(accounts, password="right"), Busy)
    assert asked(accounts) == Sender("app"), "and it is not remembered as one"


def test_argon2_without_memory_is_busy() -> None:
    """Issue 9, E22: memory short counts as a wrong password."""
    script = (
        "import resource; from otppi.host.settings.password_hash import hash_password, is_password; "
        "from otppi.api.errors import Busy\n"
        "size = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (size + 4 * 2**20, -1))\n"
        f"for check in (lambda: is_password({PASSWORD_HASH!r}, 'right'), lambda: hash_password('right')):\n"
        "    try: print(check())\n"
        "    except Busy as error: print(error.retry_after)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.stdout, done.stderr) == ("5.0\n5.0\n", "")
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY


def test_where_no_thread_can_be_started_it_is_busy_and_recovers(
    opened: Callable[..., Accounts], monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = opened([user()])

    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        for _ in range(2 * password_checks.PLACES):
            assert isinstance(refused(accounts, password="right"), Busy)
    assert asked(accounts) == Sender("app")


def test_tokens_are_never_throttled(opened: Callable[..., Accounts]) -> None:
    token, kept = new_token()
    other, _ = new_token()
    accounts = opened([user("app", token_hashes=[kept]), user("off", token_hashes=["0" * 64], active=False)])
    assert token not in kept
    for _ in range(50):
        with pytest.raises(AuthenticationFailed):
            accounts.authenticate_token(other, ADDRESS)
    assert accounts.authenticate_token(token, ADDRESS) == Sender("app")
    accounts.replace([user(token_hashes=[])])
    with pytest.raises(AuthenticationFailed):
        accounts.authenticate_token(token, ADDRESS)


@pytest.mark.parametrize("odd", ["\ud800", "a\0b", "", "x" * 100_000, "пароль", "app\0right", "app:right"])
def test_whatever_comes_in_as_a_password_is_only_wrong(opened: Callable[..., Accounts], odd: str) -> None:
    accounts = opened([user()])
    asked(accounts)
    assert isinstance(refused(accounts, "app", odd), AuthenticationFailed)
    assert isinstance(refused(accounts, odd, "right"), AuthenticationFailed)
    with pytest.raises(AuthenticationFailed):
        accounts.authenticate_token(odd, ADDRESS)


def test_user_and_password_do_not_run_into_each_other(opened: Callable[..., Accounts]) -> None:
    accounts = opened([user("a", password_hash=hash_password("b\0c")), user("a\0b", password_hash="")])
    assert asked(accounts, "a", "b\0c") == Sender("a")
    assert isinstance(refused(accounts, "a\0b", "c"), AuthenticationFailed)


def test_a_name_that_is_too_long_for_a_user_costs_no_hash(opened: Callable[..., Accounts], hashes: list[str]) -> None:
    accounts = opened([user("x" * LONGEST_NAME)])
    assert asked(accounts, "x" * LONGEST_NAME) == Sender("x" * LONGEST_NAME)
    assert isinstance(refused(accounts, "x" * (LONGEST_NAME + 1)), AuthenticationFailed)
    assert len(hashes) == 1
    _, problems = API_USERS.validate({"username": "x" * (LONGEST_NAME + 1), "password": "p"})
    assert [problem.field.rpartition(".")[2] for problem in problems] == ["username"]


@pytest.mark.parametrize(
    "broken", ["$argon2id$nonsense", "$argon2id$ä", "", "$argon2id$v=19$m=1,t=1,p=1$c2FsdHNhbHQ$aGFzaA"]
)
def test_a_hash_that_is_none_is_only_wrong(opened: Callable[..., Accounts], broken: str) -> None:
    assert isinstance(refused(opened([user(password_hash=broken)]), "app", "right"), AuthenticationFailed)


@pytest.mark.parametrize(
    ("password_hash", "good"),
    [(PASSWORD_HASH, True), (PASSWORD_HASH.replace("m=19456", "m=4194304"), False), ("$argon2id$nonsense", False)],
    ids=["19 MiB", "4 GiB", "none"],
)
def test_a_hash_that_would_take_all_the_memory_is_refused_by_name(password_hash: str, good: bool) -> None:
    _, problems = API_USERS.validate({"username": "app", "password_hash": password_hash})
    assert [problem.field.rpartition(".")[2] for problem in problems] == ([] if good else ["password_hash"])


def test_memory_is_bounded(opened: Callable[..., Accounts], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts_module, "_WRONG_ONES", 10)
    check: Callable[..., bool] = lambda _, password: password == "right"  # noqa: E731
    monkeypatch.setattr(accounts_module, "is_password", check)
    accounts = opened([user(str(number)) for number in range(50)])
    for number in range(50):
        asked(accounts, str(number), address=f"192.0.2.{number}")
        refused(accounts, str(number), address=f"192.0.2.{number}")
    assert len(accounts._wrong) == 10
    assert len(accounts._right) == 50
    accounts.replace([])
    assert len(accounts._right) == 0


def test_who_may_manage_keys_is_in_the_sender_and_tells_nobody_apart(opened: Callable[..., Accounts]) -> None:
    token, kept = new_token()
    accounts = opened([user(token_hashes=[kept]), user("manager", manage_keys=True)])
    assert not asked(accounts).manage_keys
    assert asked(accounts, "manager").manage_keys
    assert not accounts.authenticate_token(token, ADDRESS).manage_keys
    accounts.replace([user(token_hashes=[kept], manage_keys=True), user("manager")])
    assert accounts.authenticate_token(token, ADDRESS).manage_keys
    assert not asked(accounts, "manager").manage_keys
    assert Sender("app", manage_keys=True) == Sender("app"), "a message stays its sender's when a setting changes"


def test_who_only_reads_metrics_is_so_by_password_and_token(opened: Callable[..., Accounts]) -> None:
    token, kept = new_token()
    accounts = opened([user(token_hashes=[kept], metrics_only=True), user("shop")])
    assert accounts.authenticate_token(token, ADDRESS).metrics_only
    assert asked(accounts).metrics_only
    assert not asked(accounts, "shop").metrics_only


def test_a_failed_login_is_logged_and_counted_by_address_and_user(
    opened: Callable[..., Accounts], caplog: pytest.LogCaptureFixture
) -> None:
    """Issue 9, E22: failed logins leave no line and no counter."""
    accounts = opened([user()])
    assert accounts.log.describe()["last"] is None
    with caplog.at_level(logging.WARNING):
        refused(accounts, address="192.0.2.7")
        refused(accounts, address="192.0.2.7")
        refused(accounts, "my own password", "app", "2001:db8::7")
        until(lambda: len(caplog.records) == 3)
        with pytest.raises(AuthenticationFailed):
            accounts.authenticate_token("a token of somebody", ADDRESS)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0].startswith("login from 192.0.2.7 as user app failed: wrong user or password")
    assert lines[2].startswith("login from 2001:db8::7 as a name that is no user's failed")
    assert lines[3].startswith(f"login from {ADDRESS} by a token failed")
    assert not any(secret in caplog.text for secret in ("my own password", "a token of somebody", WRONG + "\n"))
    described = accounts.log.describe()
    assert described["failed"] == {"wrong": 3, "throttled": 0, "unchecked": 0, "token": 1}
    assert (described["last"]["address"], described["last"]["user"]) == (ADDRESS, None)
    assert accounts.log.counters()["logins_failed_total"]['reason="wrong"'] == 3


def test_a_flood_of_failed_logins_does_not_fill_the_log(
    opened: Callable[..., Accounts], caplog: pytest.LogCaptureFixture
) -> None:
    accounts = opened([user()])
    for _ in range(500):
        refused(accounts)
    assert len(caplog.records) <= 20
    assert accounts.log.describe()["failed"]["wrong"] == 500


def test_logins_are_told_without_names_that_are_no_users() -> None:
    events, told = EventBus(), list[Event]()
    events.subscribe(Event, told.append)
    accounts = Accounts([user()], events=events)
    try:
        for name, password in (("app", RIGHT), ("app", RIGHT), ("app", WRONG), ("my secret password", WRONG)):
            given = accounts.authenticate(name, password, "192.0.2.7")
            if isinstance(given, Future):
                with suppress(AuthenticationFailed):
                    given.result(PATIENCE)
        until(lambda: len(told) == 3, "the three that cost a hash are told")
        with pytest.raises(AuthenticationFailed):
            accounts.authenticate_token("otppi_nobodys", "192.0.2.7")
    finally:
        accounts.close()
    assert [replace(one, at=0.0) for one in told] == [
        SignedIn("app", "192.0.2.7", at=0.0),
        LoginFailed("app", "192.0.2.7", "wrong", at=0.0),
        LoginFailed(None, "192.0.2.7", "wrong", at=0.0),
        LoginFailed(None, "192.0.2.7", "token", at=0.0),
    ]
    assert "192.0.2" not in repr(told)
