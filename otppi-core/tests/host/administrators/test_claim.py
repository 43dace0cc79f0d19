"""The claim of a new device: open once, with the code, one winner; closed for ever, whatever is damaged."""

import os
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings, Throttled
from otppi.api.operations import Actor, Role
from otppi.host.administrators.claim import AccountsDamaged, AlreadyClaimed, ClaimState
from otppi.testing.accounts import ACCOUNT_PASSWORD, AccountsBench, account

STRANGER = Actor("", "administration", Role.VIEWER, "192.0.2.20")


def claim(device: AccountsBench, actor: Actor = STRANGER, **changes: Any) -> Any:
    about = {"username": "budi", "password": ACCOUNT_PASSWORD, "phone": "081234567890", "email": "b@example.com"}
    code = device.data.claim.device_code.code
    return device.call("administrator_claim", actor, **{**about, "code": code, **changes})


def state(device: AccountsBench) -> ClaimState:
    return device.data.claim.state


def test_whoever_has_the_code_creates_the_first_administrator(device: AccountsBench) -> None:
    assert state(device) is ClaimState.OPEN
    assert device.data.claim.about is None
    assert claim(device, preferred_language="id") == {"username": "budi", "role": "administrator"}
    assert state(device) is ClaimState.DONE
    assert device.data.claim.about is not None
    assert device.data.claim.about[1] == "192.0.2.20"
    one = device.log_in("budi")
    assert (one.role, one.language, one.phone) == (Role.ADMINISTRATOR, "id", "081234567890")
    assert device.data.claim.warnings() == []
    assert [(one.operation, one.subject, one.outcome, one.actor.address) for one in device.audit[:1]] == [
        ("administrator_claim", "budi", "done", "192.0.2.20")
    ]
    assert ACCOUNT_PASSWORD not in repr(device.audit)
    assert device.data.claim.device_code.code not in repr(device.audit)


def test_the_mark_is_kept_and_ours_alone(make_device: Callable[[], AccountsBench]) -> None:
    device = make_device()
    claim(device)
    about = device.data.claim.about
    mark = device.data.path / "claimed"
    assert stat.S_IMODE(mark.stat().st_mode) == 0o600
    again = make_device()
    assert (state(again), again.data.claim.about) == (ClaimState.DONE, about)
    with pytest.raises(AlreadyClaimed):
        claim(again)


def test_the_card_image_goes_by_the_names_of_the_mark_and_of_the_code(device: AccountsBench) -> None:
    """Its units wait for `claimed` to forget the brochure's passphrase, and write `device-code` at the first boot."""
    folder = device.data.path
    code = folder / "device-code"
    code.write_text("ACDEFHJKMNPQRTUW\n", "ascii")
    code.chmod(0o600)
    assert not (folder / "claimed").exists()
    assert claim(device, code="acde fhjk mnpq rtuw") == {"username": "budi", "role": "administrator"}
    assert (folder / "claimed").is_file()
    assert code.read_text("ascii") == "ACDEFHJKMNPQRTUW\n"


def test_the_second_one_hears_when_and_from_where(device: AccountsBench) -> None:
    claim(device)
    with pytest.raises(AlreadyClaimed, match=r"at .* from 192\.0\.2\.20") as caught:
        claim(device, username="rina", code="wrong")
    assert device.data.claim.about == (caught.value.at, caught.value.address)
    assert [one["username"] for one in device.call("administrators")] == ["budi"]


def test_of_two_at_once_one_wins(device: AccountsBench) -> None:
    start = threading.Barrier(2)

    def race(name: str) -> str:
        start.wait()
        try:
            return str(claim(device, username=name)["username"])
        except AlreadyClaimed as error:
            return error.address

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(race, ["budi", "rina"]))
    (winner,) = [one["username"] for one in device.call("administrators")]
    assert sorted(ended) == sorted([winner, "192.0.2.20"])


# -- the code ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["", "AAAA-AAAA", "x" * 5_000])
def test_without_the_code_nothing_happens(device: AccountsBench, code: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        claim(device, code=code)
    assert [one.field for one in caught.value.problems] == ["code"]
    assert state(device) is ClaimState.OPEN
    assert not (device.data.path / "claimed").exists()


def test_on_the_device_itself_no_code_is_needed(device: AccountsBench) -> None:
    local = Actor("administrator", "command-line", Role.ADMINISTRATOR)
    claim(device, local, code="")
    assert device.data.claim.about is not None
    assert device.data.claim.about[1] == ""
    with pytest.raises(AlreadyClaimed) as caught:
        claim(device)
    assert "from" not in str(caught.value)


@pytest.mark.parametrize("origin", ["administration", "ingress-rest", "", "pages"])
def test_no_other_way_in_goes_without_it(device: AccountsBench, origin: str) -> None:
    with pytest.raises(InvalidSettings):
        claim(device, Actor("x", origin, Role.ADMINISTRATOR, "192.168.0.5"), code="")


def test_guesses_of_an_address_are_slowed_down_and_no_other_address_waits(device: AccountsBench) -> None:
    claim_ = device.data.claim
    clock = [1_000.0]
    claim_._failures._clock = lambda: clock[0]

    def guess(address: str = "192.0.2.20", code: str = "AAAA-AAAA") -> None:
        claim_.check_code(code, address)

    for _ in range(5):
        with pytest.raises(InvalidSettings):
            guess()
    for wait in (1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300):
        with pytest.raises(Throttled) as caught:
            guess(code=claim_.device_code.code)
        assert caught.value.retry_after == wait
        with pytest.raises(InvalidSettings):
            guess("192.0.2.21" if wait == 1 else f"198.51.100.{wait % 250}")
        clock[0] += wait
        with pytest.raises(InvalidSettings):
            guess()
    guess("203.0.113.1", claim_.device_code.code)
    clock[0] += 300
    guess(code=claim_.device_code.code)
    for _ in range(5):
        with pytest.raises(InvalidSettings):
            guess()


def test_one_network_of_ipv6_is_one_address(device: AccountsBench) -> None:
    for number in range(5):
        with pytest.raises(InvalidSettings):
            device.data.claim.check_code("wrong", f"2001:db8::{number}")
    with pytest.raises(Throttled):
        device.data.claim.check_code("wrong", "2001:db8::99")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password": "short"}, "password"),
        ({"password": "budi081234567890"}, "password"),
        ({"username": "a b"}, "username"),
        ({"phone": 5}, "phone"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_created(
    device: AccountsBench, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidSettings) as caught:
        claim(device, **changes)
    assert [one.field for one in caught.value.problems] == [field]
    assert state(device) is ClaimState.OPEN
    claim(device)


def test_a_card_that_takes_nothing_creates_nobody(device: AccountsBench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    code = device.data.claim.device_code.code
    with monkeypatch.context() as patch:
        patch.setattr(device.data.store, "write", full)
        with pytest.raises(OSError, match="No space"):
            claim(device, code=code)
    assert state(device) is ClaimState.OPEN
    claim(device)


# -- whatever way the first one comes ---------------------------------------------------------------------------------


def test_the_first_administrator_claims_the_device_however_he_comes(make_device: Callable[[], AccountsBench]) -> None:
    device = make_device()
    document = {"administrators": [{"username": "budi", "password": "long enough", "role": "administrator"}]}
    device.data.config.provision(document)
    assert state(device) is ClaimState.DONE
    device.data.start()
    assert (device.data.path / "claimed").exists()
    assert device.data.claim.about is not None


def test_settings_that_are_imported_claim_it_too(make_device: Callable[[], AccountsBench]) -> None:
    device = make_device()
    device.call("settings_import", document={"administrators": [account("budi")]})
    assert state(device) is ClaimState.DONE
    assert not (device.data.path / "claimed").exists()
    again = make_device()
    assert again.data.claim.about is not None


def test_a_mark_that_cannot_be_written_is_told_and_written_later(
    device: AccountsBench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    code = device.data.claim.device_code.code
    with monkeypatch.context() as patch:
        patch.setattr("otppi.host.administrators.claim.replace_whole", full)
        claim(device, code=code)
        device.data.tidy()
        assert state(device) is ClaimState.DONE
        (warning,) = device.data.claim.warnings()
        assert "cannot be kept: Read-only" in warning
    assert len(caplog.records) == 1
    device.data.tidy()
    assert device.data.claim.warnings() == []
    assert (device.data.path / "claimed").exists()


# -- it fails closed --------------------------------------------------------------------------------------------------


def damage(path: Path, how: str) -> None:
    content = b"" if path.is_dir() else path.read_bytes()
    if how == "folder":
        if path.is_file():
            path.unlink()
        path.mkdir(exist_ok=True)
    elif how == "torn":
        path.write_bytes(content[: len(content) // 2])
    elif how == "one bit":
        path.write_bytes(content[:12] + bytes([content[12] ^ 1]) + content[13:])
    else:
        path.write_bytes(how.encode())


DAMAGES = ["", "torn", "one bit", "folder", "00000000 [1,2]\n", "garbage", "00000000 [[[[", "\n"]


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_mark_never_opens_the_device(make_device: Callable[[], AccountsBench], how: str) -> None:
    device = make_device()
    claim(device)
    path = device.data.path
    device.close()
    damage(path / "claimed", how)
    again = make_device()
    assert state(again) is ClaimState.DONE, "the accounts are there: who has one logs in"
    with pytest.raises(AlreadyClaimed):
        claim(again)
    again.data.store.write({"administrators": []})
    again.close()
    damage(path / "claimed", how)
    last = make_device()
    assert state(last) is ClaimState.DAMAGED
    with pytest.raises(AccountsDamaged):
        claim(last)


def test_a_mark_without_accounts_is_damaged_and_the_device_itself_helps(
    make_device: Callable[[], AccountsBench],
) -> None:
    device = make_device()
    claim(device)
    device.data.store.write({"administrators": []})
    again = make_device()
    assert state(again) is ClaimState.DAMAGED
    with pytest.raises(AccountsDamaged, match="nothing was changed"):
        claim(again)
    assert "otppi admin add" in str(again.data.claim.warnings())
    again.call("administrator_add", username="rina", password=ACCOUNT_PASSWORD)
    assert state(again) is ClaimState.DONE
    assert again.data.claim.warnings() == []


@pytest.mark.parametrize(
    "kept",
    [
        [{"username": "budi", "active": "perhaps"}],
        [{"username": 5}],
        [account("budi", role="emperor")],
        [account("budi", active=False)],
        [account("budi", role="viewer")],
        [{}],
    ],
)
def test_accounts_of_which_none_may_administer_are_damaged(
    make_device: Callable[[], AccountsBench], kept: list[dict[str, Any]]
) -> None:
    device = make_device()
    device.data.store.write({"administrators": kept})
    again = make_device()
    assert state(again) is ClaimState.DAMAGED
    with pytest.raises(AccountsDamaged):
        claim(again)


def test_settings_that_are_lost_leave_the_device_closed(make_device: Callable[[], AccountsBench]) -> None:
    device = make_device()
    claim(device)
    path = device.data.path
    device.close()
    for file in path.iterdir():
        if file.is_file() and file.name != "claimed":
            file.unlink()
    assert state(make_device()) is ClaimState.DAMAGED


# -- the power goes while it is claimed -------------------------------------------------------------------------------


class PowerCut(BaseException):
    """What ends a process at one place, as the power does: nothing after it is done."""


CALLS = ("os.open", "os.write", "os.fsync", "pathlib.Path.replace")


def power_for(calls: int, patch: pytest.MonkeyPatch) -> list[str]:
    """Let so many calls that reach the card be done, and no further one; return those that were asked for."""
    asked: list[str] = []

    def cut(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            asked.append(name)
            if len(asked) > calls:
                raise PowerCut
            return real(*arguments, **named)

        return call

    for name in CALLS:
        module, _, function = name.rpartition(".")
        real = {"os": os, "pathlib.Path": Path}[module]
        patch.setattr(real, function, cut(name, getattr(real, function)))
    return asked


def test_a_power_cut_at_any_moment_of_the_claim_leaves_it_open_or_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_leaks: None
) -> None:
    monkeypatch.setattr("otppi.host.administrators.changes.password_problem", lambda *_: None)  # a process each time
    states: list[ClaimState] = []
    while True:
        folder = tmp_path / str(len(states))
        folder.mkdir()
        device = AccountsBench(folder)
        code = device.data.claim.device_code.code
        with monkeypatch.context() as patch:
            asked = power_for(len(states), patch)
            try:
                claim(device, code=code)
            except PowerCut:
                whole = False
            else:
                whole = True
        device.data.claim._config = FrozenAccounts()  # type: ignore[assignment]  # the end of a process writes nothing
        device.close()
        again = AccountsBench(folder)
        states.append(state(again))
        if states[-1] is ClaimState.OPEN:
            assert claim(again, code=code), "whoever has the code begins once more"
        else:
            with pytest.raises(AlreadyClaimed):
                claim(again, code=code)
            assert again.administrators.find("budi")
        again.close()
        if whole:
            break
    assert states == sorted(states, key=[ClaimState.OPEN, ClaimState.DONE].index), "once it is closed it stays so"
    assert states[0] is ClaimState.OPEN
    assert states[-1] is ClaimState.DONE
    assert len(states) > 8, asked


class FrozenAccounts:
    """Stands for the settings of a process that is no more."""

    def many(self, _section: object) -> list[object]:
        return []
