"""Logins to the administration: passwords, paces, stamps, and codes of the second step, each taken once."""

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pyotp
import pytest

from otppi.api.errors import AuthenticationFailed, Busy, OtpPiError, Throttled
from otppi.api.operations import Role
from otppi.host.administrators import administrators as module
from otppi.host.administrators.administrators import LONGEST_NAME, Administrators
from otppi.host.administrators.second_factor import new_recovery_codes, new_secret
from otppi.host.administrators.settings import ADMINISTRATORS
from otppi.host.settings.password_hash import is_password
from otppi.testing.accounts import ACCOUNT_HASH, ACCOUNT_PASSWORD, AccountsBench, account
from otppi.testing.values import values_of
from otppi.testing.waiting import PATIENCE, until


def wrong(device: AccountsBench, name: str = "budi", address: str = "192.0.2.1", times: int = 1) -> None:
    for number in range(times):
        with pytest.raises(AuthenticationFailed):
            device.log_in(name, f"wrong {number}", address)


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every hash that is computed to check a password."""
    computed: list[str] = []

    def counted(password_hash: str, password: str) -> bool:
        computed.append(password_hash)
        return is_password(password_hash, password)

    monkeypatch.setattr(module, "is_password", counted)
    return computed


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the hash where many passwords are checked; which one is right stays as it is."""

    def compared(password_hash: str, password: str) -> bool:
        return password_hash == ACCOUNT_HASH and password == ACCOUNT_PASSWORD

    monkeypatch.setattr(module, "is_password", compared)


# -- passwords --------------------------------------------------------------------------------------------------------


def test_a_right_password_gives_the_administrator_and_is_not_remembered(
    device: AccountsBench, hashes: list[str]
) -> None:
    device.have(account("budi", role="administrator", phone="0812", email="b@example.com", language="id"))
    one = device.log_in("budi")
    assert (one.name, one.role, one.language, one.phone, one.email, one.second_factor) == (
        *("budi", Role.ADMINISTRATOR, "id", "0812", "b@example.com"),
        False,
    )
    assert "0812" not in repr(one)
    assert one.stamp not in repr(one)
    device.log_in("budi")
    assert len(hashes) == 2
    assert ACCOUNT_PASSWORD not in repr(vars(device.administrators))


def test_an_unknown_name_costs_the_same_hash_and_says_the_same(device: AccountsBench, hashes: list[str]) -> None:
    off, blocked = account("off", active=False), account("blocked", blocked=True)
    device.have(account("budi"), off, blocked)
    said = set()
    for number, (name, password) in enumerate(
        [("budi", "wrong"), ("nobody", ACCOUNT_PASSWORD), ("off", ACCOUNT_PASSWORD), ("blocked", ACCOUNT_PASSWORD)]
    ):
        with pytest.raises(AuthenticationFailed) as caught:
            device.log_in(name, password, f"192.0.2.{number}")
        said.add(str(caught.value))
    assert len(said) == 1
    assert len(hashes) == 4
    assert {one.rpartition("$")[0].rpartition("$")[0] for one in hashes} == {"$argon2id$v=19$m=19456,t=2,p=1"}
    assert {len(one) for one in hashes} == {len(ACCOUNT_HASH)}
    assert device.administrators.find("off") is device.administrators.find("blocked") is None


def test_a_name_that_is_too_long_is_refused_without_a_hash(device: AccountsBench, hashes: list[str]) -> None:
    device.have(account("budi"))
    with pytest.raises(AuthenticationFailed):
        device.log_in("x" * (LONGEST_NAME + 1))
    assert hashes == []


@pytest.mark.parametrize("odd", ["\ud800", "a\0b", "", "x" * 100_000, "budi:kuda"])
def test_whatever_comes_in_is_only_wrong(device: AccountsBench, quick: None, odd: str) -> None:
    device.have(account("budi"))
    for name, password in (("budi", odd), (odd, ACCOUNT_PASSWORD)):
        with pytest.raises(AuthenticationFailed):
            device.log_in(name, password)


def test_the_wait_doubles_after_five_up_to_300_seconds_and_is_told(device: AccountsBench, quick: None) -> None:
    """admin.md section 5, row Login; ASVS 5.0 6.3.1."""
    device.have(account("budi"), account("rina"))
    waits = []
    wrong(device, times=5)
    for number in range(10):
        pace = device.administrators._checks._throttle.wait("budi", "192.0.2.1")
        waits.append(pace)
        if pace > 5:
            with pytest.raises(Throttled) as caught:
                device.log_in("budi", ACCOUNT_PASSWORD)
            assert caught.value.retry_after == pace
            assert "try again in" in str(caught.value)
        device.seconds += pace
        wrong(device, times=1)
        assert number < 10
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert device.log_in("rina", address="192.0.2.2").name == "rina"
    assert device.log_in("budi", address="192.0.2.2").name == "budi", "from elsewhere there is no wait"
    device.seconds += 290
    with pytest.raises(Throttled) as caught:
        device.log_in("budi")
    assert caught.value.retry_after == 10
    device.seconds += 10
    assert device.log_in("budi").name == "budi", "it never is a lock"


def test_an_address_that_tries_many_names_waits_a_few_seconds(device: AccountsBench, quick: None) -> None:
    device.have(account("budi"))
    for number in range(12):
        wrong(device, f"name {number}")
        device.seconds += 5
    assert device.administrators._checks._throttle.wait("another", "192.0.2.1") == 0
    wrong(device, "one more")
    assert device.administrators._checks._throttle.wait("another", "192.0.2.1") == 5
    assert device.administrators._checks._throttle.wait("another", "192.0.2.2") == 0


def test_a_change_while_the_hash_is_computed_is_not_missed(
    device: AccountsBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.have(account("budi"), account("rina"))

    def blocked_meanwhile(password_hash: str, password: str) -> bool:
        device.have(account("budi", blocked=True), account("rina"))
        return is_password(password_hash, password)

    monkeypatch.setattr(module, "is_password", blocked_meanwhile)
    with pytest.raises(AuthenticationFailed):
        device.log_in("budi")


def test_short_memory_is_no_wrong_password(device: AccountsBench, monkeypatch: pytest.MonkeyPatch) -> None:
    device.have(account("budi"))

    def short(password_hash: str, password: str) -> bool:
        raise Busy("memory is short", 5.0)

    with monkeypatch.context() as patch:
        patch.setattr(module, "is_password", short)
        for _ in range(8):
            with pytest.raises(Busy):
                device.log_in("budi")
    assert device.log_in("budi").name == "budi"


# -- what is told -----------------------------------------------------------------------------------------------------


def test_logins_are_audited_and_logged_without_what_was_typed(
    device: AccountsBench, caplog: pytest.LogCaptureFixture
) -> None:
    device.have(account("budi"))
    device.log_in("budi", address="192.0.2.7")
    wrong(device, "budi", "192.0.2.7")
    with pytest.raises(AuthenticationFailed):
        device.log_in("my own password", "budi", "192.0.2.7")
    until(lambda: len(device.audit) == 3)
    told = [(one.operation, one.actor.name, one.actor.address, one.outcome, one.detail) for one in device.audit]
    assert told == [
        ("login", "budi", "192.0.2.7", "done", "password"),
        ("login", "budi", "192.0.2.7", "refused", "password"),
        ("login", "", "192.0.2.7", "refused", "password"),
    ]
    assert {str(one.actor.origin) for one in device.audit} == {"administration"}
    until(lambda: len(caplog.records) == 2)
    assert "login from 192.0.2.7 as administrator budi failed" in caplog.text
    assert "as a name that is no administrator's failed" in caplog.text
    assert "my own password" not in caplog.text + repr(device.audit)
    assert device.administrators.log.describe()["failed"]["wrong"] == 2
    assert "administrator_logins_failed_total" in device.administrators.log.counters()


def test_a_flood_of_failed_logins_drives_nothing_out_of_the_audit(
    device: AccountsBench, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    device.have(account("budi"))
    for number in range(100):
        wrong(device, "nobody", f"192.0.2.{number}")
        device.seconds += 0.01
    until(lambda: device.administrators.log.describe()["failed"]["wrong"] == 100)
    assert len(device.audit) == 20
    assert len(caplog.records) <= 20
    device.seconds += 60
    device.log_in("budi", address="198.51.100.1")
    wrong(device, "budi", "198.51.100.1")
    until(lambda: len(device.audit) == 22)
    assert [one.outcome for one in device.audit[20:]] == ["done", "refused"]


# -- stamps -----------------------------------------------------------------------------------------------------------


def test_a_stamp_changes_with_what_a_session_depends_on_and_with_nothing_else(device: AccountsBench) -> None:
    """ASVS 5.0 7.4.2, 7.4.3, 8.3.2."""
    first = account("budi")
    device.have(first, account("rina"))

    def stamps(budi: dict[str, object]) -> tuple[str, str]:
        device.have(budi, account("rina"))
        one, other = device.administrators.find("budi"), device.administrators.find("rina")
        return one.stamp if one else "", other.stamp if other else ""

    budi, rina = stamps(first)
    for same in ({"phone": "0812"}, {"email": "b@example.com"}, {"language": "en"}, {"recovery_hashes": ["0" * 64]}):
        assert stamps({**first, **same}) == (budi, rina)
    seen = {budi}
    for other in (
        {"password_hash": ACCOUNT_HASH[:-4] + "AAAA"},
        {"role": "viewer"},
        {"totp_secret": new_secret()},
        {"totp_secret": ""},
        {"blocked": True},
        {"totp_secret": ""},
        {"active": False},
        {"totp_secret": ""},
    ):
        stamp, others = stamps({**first, **other})
        assert bool(stamp) is ("blocked" not in other and "active" not in other)
        assert stamp not in seen
        assert others == rina
        seen |= {stamp} - {""}
    device.have(account("rina"))
    assert stamps(first)[0] not in seen, "who was removed and is added again is another one"


# -- the second step --------------------------------------------------------------------------------------------------


def with_second_factor(device: AccountsBench, **values: object) -> tuple[pyotp.TOTP, list[str]]:
    secret = new_secret()
    codes, hashes = new_recovery_codes()
    device.have(account("budi", totp_secret=secret, recovery_hashes=hashes, **values))
    return pyotp.TOTP(secret), codes


def test_a_code_is_taken_once_and_so_is_none_before_it(device: AccountsBench) -> None:
    totp, _ = with_second_factor(device)
    assert device.log_in("budi").second_factor
    code = totp.at(device.now)
    assert device.administrators.check_code("budi", code)
    assert not device.administrators.check_code("budi", code)
    assert not device.administrators.check_code("budi", totp.at(device.now - 30))
    assert device.administrators.check_code("budi", totp.at(device.now + 30))
    assert not device.administrators.check_code("budi", totp.at(device.now))
    device.now += 60
    assert device.administrators.check_code("budi", totp.at(device.now))


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_before_and_after_is_taken(device: AccountsBench, steps: int, taken: bool) -> None:
    totp, _ = with_second_factor(device)
    assert device.administrators.check_code("budi", totp.at(device.now + 30 * steps)) is taken


def test_a_used_code_is_known_after_a_restart(make_device: Callable[[], AccountsBench]) -> None:
    device = make_device()
    totp, _ = with_second_factor(device)
    code = totp.at(device.now)
    assert device.administrators.check_code("budi", code)
    again = make_device()
    assert not again.administrators.check_code("budi", code)
    assert again.administrators.check_code("budi", totp.at(again.now + 30))


def test_a_recovery_code_is_taken_once_however_it_is_typed(device: AccountsBench) -> None:
    _, codes = with_second_factor(device, role="administrator")
    assert device.administrators.check_code("budi", f"  {codes[3].upper().replace('-', ' ')}")
    assert not device.administrators.check_code("budi", codes[3])
    assert len(device.kept("budi")["recovery_hashes"]) == 9
    assert device.administrators.check_code("budi", codes[4])
    assert len(device.kept("budi")["recovery_hashes"]) == 8
    assert [(one.operation, one.outcome, one.actor.name) for one in device.audit] == [
        ("account_recovery_used", "done", "budi"),
        ("login", "done", "budi"),
        ("login", "refused", "budi"),
        ("account_recovery_used", "done", "budi"),
        ("login", "done", "budi"),
    ]
    assert codes[3] not in repr(device.audit)


def test_of_two_who_use_a_recovery_code_at_once_one_gets_in(device: AccountsBench) -> None:
    _, codes = with_second_factor(device)
    start = threading.Barrier(4)

    def enter(_: int) -> bool:
        start.wait()
        return device.administrators.check_code("budi", codes[0])

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(enter, range(4))) == [False, False, False, True]
    assert len(device.kept("budi")["recovery_hashes"]) == 9


def test_of_many_who_use_a_code_at_once_one_gets_in(device: AccountsBench) -> None:
    totp, _ = with_second_factor(device)
    code, start = totp.at(device.now), threading.Barrier(4)

    def enter(_: int) -> bool:
        start.wait()
        return device.administrators.check_code("budi", code)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(enter, range(4))) == [False, False, False, True]


def test_wrong_codes_are_slowed_down_and_the_seconds_told(
    device: AccountsBench, caplog: pytest.LogCaptureFixture
) -> None:
    totp, codes = with_second_factor(device)
    for _ in range(4):
        assert not device.administrators.check_code("budi", "not one", "192.0.2.7")
    assert device.administrators.check_code("budi", totp.at(device.now)), "four are free, and a right one ends it"
    device.now += 30
    for _ in range(5):
        assert not device.administrators.check_code("budi", "not one", "192.0.2.7")
    for wait in (1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300):
        for right in (totp.at(device.now), codes[0]):
            with pytest.raises(Throttled) as caught:
                device.administrators.check_code("budi", right)
            assert caught.value.retry_after == wait
        device.seconds += wait
        assert not device.administrators.check_code("budi", "not one", "192.0.2.7")
    device.seconds += 300
    assert device.administrators.check_code("budi", codes[0])
    assert "login from 192.0.2.7 as administrator budi failed: wrong code of the second step" in caplog.text
    assert "not one" not in caplog.text


@pytest.mark.parametrize("username", ["nobody", "off", "plain"])
def test_who_has_no_second_factor_has_no_code(device: AccountsBench, username: str) -> None:
    secret = new_secret()
    device.have(account("plain"), account("off", totp_secret=secret, active=False))
    assert not device.administrators.check_code(username, pyotp.TOTP(secret).at(device.now))
    assert not device.administrators.check_code(username, "")


def test_a_recovery_code_that_cannot_be_taken_out_is_not_taken(device: AccountsBench) -> None:
    _, codes = with_second_factor(device)

    def fails(*_: object) -> bool:
        raise OtpPiError("the card is full")

    device.administrators.spend_by(fails)
    with pytest.raises(OtpPiError, match="the card is full"):
        device.administrators.check_code("budi", codes[0])


def test_no_flood_of_guesses_keeps_an_administrator_out(
    tmp_path: Path, no_leaks: None, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ASVS 5.0 6.1.1: many addresses guess at one name, all the time; the right password comes from a new one."""
    monkeypatch.setattr(module, "_PATIENCE", 1.0)
    values = values_of(ADMINISTRATORS, username="budi", password_hash=ACCOUNT_HASH, role="administrator")
    administrators = Administrators([values], tmp_path, tell=lambda _: None)
    ended = threading.Event()

    def guess(network: int) -> None:
        for number in itertools.count():
            if ended.is_set():
                return
            with suppress(OtpPiError):
                administrators.authenticate("budi", f"guess {number}", f"10.{network}.0.{number % 250}").result(
                    PATIENCE
                )

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    try:
        until(lambda: administrators.log.describe()["failed"]["wrong"] > 100, "the guesses are slowed down by now")
        found, waits = None, list[float]()
        while found is None and len(waits) < 4:
            try:
                found = administrators.authenticate("budi", ACCOUNT_PASSWORD, "192.0.2.1").result(PATIENCE)
            except (Throttled, Busy) as error:
                waits.append(error.retry_after)
                ended.wait(error.retry_after)  # as a person does who is told the seconds
        assert found is not None, waits
        assert waits == [5.0] * len(waits)
    finally:
        ended.set()
        for one in threads:
            one.join(PATIENCE)
        administrators.close()
