"""A reset on the card: whatever instant a kill comes at, the next start carries it out whole."""

import itertools
import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.host.administrators.claim import ClaimState
from otppi.host.administrators.page import ADMINISTRATION
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder
from otppi.host.messages.settings import SMS
from otppi.host.reset.carrying_out import Resets, together
from otppi.host.reset.groups import BY_CODE, LEFT_BY_WIPE, Groups, ResetPlan
from otppi.host.reset.journal import JOURNAL, ResetJournal
from otppi.host.storage.store import kept_in
from otppi.host.users.settings import API_USERS
from otppi.testing.kills import killed_at

ADMINISTRATOR = {"username": "rina", "password": "kursi hijau di teras", "role": "administrator"}
USER = {"username": "app", "password": "a long password of the app"}
DOCUMENT = {
    "administrators": [ADMINISTRATOR],
    "api_users": [USER],
    "sms": {"country_code": "65"},
    "administration": {"host_names": ["otp.example"], "access_point": ""},
    "webhook": {"url": "https://example.org/hook", "secret": "WEBHOOK-SECRET-1"},
}
IMAGE = {"administration": {"access_point": "wlan0"}, "sms": {"country_code": "60"}}
STICK = ("reset stick", "reset-stick")

Open = Callable[[], DataFolder]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens the data folder, after the one before was closed, as each start does."""
    folders: list[DataFolder] = []

    def again() -> DataFolder:
        while folders:
            folders.pop().close()
        folders.append(DataFolder(tmp_path / "data", plugins=load_plugins([])))
        return folders[-1]

    yield again
    while folders:
        folders.pop().close()


@pytest.fixture
def in_use(opened: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> DataFolder:
    """A device that has been used for a while."""
    run = tmp_path / "run"
    run.mkdir(mode=0o700)
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(run))
    data = opened()
    data.config.update(DOCUMENT)
    data.start()
    assert data.claim.device_code.code
    data.blocklist.block("6281234567890")
    for name in ("inbox.json", "report/2026-11.jsonl", "encryption-keys.json.damaged", "usage/key", "undo/plan.json"):
        (data.path / name).parent.mkdir(exist_ok=True)
        (data.path / name).write_text("{}")
    return opened()


def plan_of(data: DataFolder, *groups: str, wipe: bool = False) -> ResetPlan:
    return Groups(data.config.sections.values()).plan(groups, wipe=wipe)


def begin(data: DataFolder, plan: ResetPlan, content: str = "stick") -> None:
    data.resets.begin(plan, STICK, 1_700_000_000.0, content)


def test_administrators_are_gone_and_the_device_is_open(in_use: DataFolder, opened: Open) -> None:
    assert in_use.claim.state is ClaimState.DONE
    begin(in_use, plan_of(in_use, *BY_CODE))
    data = opened()
    assert data.claim.state is ClaimState.OPEN
    assert data.config.one(ADMINISTRATION)["host_names"] == []
    assert data.config.one(SMS)["country_code"] == "65", "of another part nothing is gone"
    assert [one["username"] for one in data.config.many(API_USERS)] == ["app"]
    assert data.resets.begun is not None
    assert data.resets.begun.steps_left == ("network",)


def test_a_section_has_what_the_image_brings(in_use: DataFolder, opened: Open, tmp_path: Path) -> None:
    (tmp_path / "image.json").write_text(json.dumps(IMAGE))
    begin(in_use, plan_of(in_use, "administrator"))
    data = opened()
    data.first_settings.adopt([tmp_path / "image.json", data.path / "first-settings.json"])
    assert data.config.one(ADMINISTRATION)["access_point"] == "wlan0"
    assert data.config.one(SMS)["country_code"] == "65", "this one was not reset"
    data.resets.end()
    data.config.update({"administration": {"access_point": "wlan1"}})
    data = opened()
    data.first_settings.adopt([tmp_path / "image.json"])
    assert data.config.one(ADMINISTRATION)["access_point"] == "wlan1", "the reset is over"


def test_secrets_of_a_section_are_gone_from_the_card(in_use: DataFolder, opened: Open) -> None:
    assert b"WEBHOOK-SECRET-1" in (in_use.path / "settings.json").read_bytes()
    begin(in_use, plan_of(in_use, "sms"))
    data = opened()
    kept = b"".join(one.read_bytes() for one in data.path.rglob("*") if one.is_file())
    assert b"WEBHOOK-SECRET-1" not in kept
    assert data.config.problems == []


def test_blocking_and_keystore(in_use: DataFolder, opened: Open) -> None:
    own = in_use.certificate
    (in_use.path / "administration").mkdir()
    own.context()
    assert in_use.keys.rotate("budi")
    assert list((in_use.path / "administration").iterdir())
    begin(in_use, plan_of(in_use, "blocking", "keystore"))
    data = opened()
    assert "6281234567890" not in data.blocklist
    assert not (data.path / "administration").exists()
    assert not (data.path / "encryption-keys.json").exists()


def test_wipe_leaves_the_code_only(in_use: DataFolder, opened: Open) -> None:
    code = in_use.claim.device_code.code
    ram = in_use.resets._in_ram
    ram.mkdir(exist_ok=True)
    (ram / "spool").write_text("a text")
    begin(in_use, plan_of(in_use, wipe=True))
    path = in_use.path
    in_use.close()
    Resets(path, ram).complete()
    assert {one.name for one in path.iterdir()} == LEFT_BY_WIPE - {"resets"}
    assert list(ram.iterdir()) == []
    in_use._lock = os.open(path, os.O_RDONLY)  # it closes it once more
    data = opened()
    assert data.store.is_new
    assert data.claim.state is ClaimState.OPEN
    assert data.claim.device_code.code == code
    data.resets.carry_out("network", lambda: None)
    data.resets.end()
    assert {one.name for one in path.iterdir() if one.name in (JOURNAL, "resets")} == {"resets"}


def test_no_link_is_followed(in_use: DataFolder, opened: Open, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x")
    (in_use.path / "link").symlink_to(outside)
    (in_use.path / "administration").mkdir(exist_ok=True)
    (in_use.path / "administration" / "other").symlink_to(outside / "kept")
    begin(in_use, plan_of(in_use, wipe=True))
    data = opened()
    assert (outside / "kept").read_text() == "x"
    assert not (data.path / "link").is_symlink()


# -- kills ------------------------------------------------------------------------------------------------------------


def _copied(folder: Path, to: Path) -> Path:
    import shutil

    shutil.copytree(folder, to, symlinks=True)
    return to


def _state(folder: Path) -> dict[str, Any]:
    """Return what is kept of a device, as far as a reset is about it."""
    return {
        "settings": {key: bool(kept_in(folder / "settings.json", key)) for key in DOCUMENT},
        "claimed": (folder / "claimed").exists(),
        "blocked": (folder / "blocking-list").exists(),
        "inbox": (folder / "inbox.json").exists(),
        "code": (folder / "device-code").exists(),
    }


@pytest.mark.parametrize("wipe", [False, True])
def test_a_kill_at_any_instant_is_made_good_by_the_next_start(
    in_use: DataFolder, tmp_path: Path, *, wipe: bool
) -> None:
    before = _state(in_use.path)
    plan = ResetPlan(("x",), ("administrators", "sms"), ("claimed", "blocking-list"), network=True, wipe=wipe)
    in_use.audit.flush()
    whole = _copied(in_use.path, tmp_path / "whole")
    journal = ResetJournal(whole)
    Resets(whole, tmp_path / "ram").begin(plan, STICK, 1.0, "stick")
    Resets(whole, tmp_path / "ram").complete()
    after = _state(whole)
    assert after != before
    assert journal.read() is not None
    outcomes = set()
    for number in itertools.count():
        folder = _copied(in_use.path, tmp_path / f"killed-{number}")

        def work(folder: Path = folder) -> None:
            resets = Resets(folder, tmp_path / "ram")
            resets.begin(plan, STICK, 1.0, "stick")
            resets.complete()

        killed = killed_at(number, folder, work)
        begun = ResetJournal(folder).read()
        Resets(folder, tmp_path / "ram").complete()
        found = _state(folder)
        assert found == (before if begun is None else after), number
        outcomes.add(begun is not None)
        if not killed:
            break
    assert number > 10
    assert outcomes == {False, True}


def test_kills_one_after_another_lose_nothing(in_use: DataFolder, tmp_path: Path) -> None:
    """As many starts as there are instants, each killed one change later than the one before."""
    plan = ResetPlan(("x",), ("administrators", "sms"), ("claimed", "blocking-list"))
    folder = _copied(in_use.path, tmp_path / "killed")
    Resets(folder, tmp_path / "ram").begin(plan, STICK, 1.0, "stick")
    for number in itertools.count():
        if not killed_at(number, folder, lambda: Resets(folder, tmp_path / "ram").complete()):
            break
    begun = ResetJournal(folder).read()
    assert begun is not None
    assert begun.steps_left == ()
    assert not _state(folder)["claimed"]
    assert not _state(folder)["settings"]["administrators"]


def test_the_end_may_be_killed(in_use: DataFolder, tmp_path: Path) -> None:
    plan = plan_of(in_use, "blocking")
    for number in itertools.count():
        folder = _copied(in_use.path, tmp_path / f"killed-{number}")
        resets = Resets(folder, tmp_path / "ram")
        resets.begin(plan, STICK, 1.0, "stick")
        resets.complete()
        killed = killed_at(number, folder, resets.end)
        journal = ResetJournal(folder)
        if (begun := journal.read()) is not None:
            assert begun.steps_left == ()
            journal.end(begun)
        assert journal.past().seen == ("stick",)
        if not killed:
            break
    assert number >= 2


# -- faults -----------------------------------------------------------------------------------------------------------


def test_a_card_that_takes_nothing_keeps_the_old_state_and_tells(
    in_use: DataFolder, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(in_use, plan_of(in_use, "administrator"))

    def refuse(*_args: object, **_named: object) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr("otppi.host.storage.store.replace_whole", refuse)
        data = opened()
        assert data.claim.state is ClaimState.DONE
        assert any("a reset waits" in one for one in data.warnings())
    assert opened().claim.state is ClaimState.OPEN


@pytest.mark.parametrize("content", [b"", b"{}", b"00000000 {}\n", b"\xff\xfe"])
def test_a_damaged_journal_is_put_aside(
    in_use: DataFolder, opened: Open, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (in_use.path / JOURNAL).write_bytes(content)
    with caplog.at_level(logging.ERROR):
        data = opened()
    assert "damaged" in caplog.text
    assert data.resets.begun is None
    assert data.claim.state is ClaimState.DONE
    assert (data.path / "reset.damaged").read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe"])
def test_what_is_remembered_may_be_damaged(
    in_use: DataFolder, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (in_use.path / "resets").write_bytes(content)
    assert in_use.resets.journal.past().seen == ()
    assert "cannot be read" in caplog.text


def test_a_reset_that_comes_while_another_one_waits_adds_to_it(in_use: DataFolder, opened: Open) -> None:
    begin(in_use, plan_of(in_use, "administrator"), "one stick")
    begin(in_use, plan_of(in_use, "sms"), "another one")
    data = opened()
    assert data.claim.state is ClaimState.OPEN
    assert data.config.one(SMS)["country_code"] == "62"
    data.resets.end()
    assert data.resets.journal.past().seen == ("one stick", "another one"), "neither is obeyed again"


def test_together() -> None:
    one = ResetPlan(("a",), ("s",), ("f",), network=True)
    assert together(one, ResetPlan(("a", "b"), ("t",), (), wipe=True)) == ResetPlan(
        ("a", "b"), ("s", "t"), ("f",), network=True, wipe=True
    )


def test_only_so_many_sticks_are_remembered(tmp_path: Path) -> None:
    journal = ResetJournal(tmp_path)
    for number in range(100):
        resets = Resets(tmp_path, tmp_path / "ram")
        resets.begin(ResetPlan(("blocking",)), STICK, 1.0, str(number))
        resets.end()
    assert journal.past().seen == tuple(map(str, range(36, 100)))
    assert journal.past().last == {"at": 1.0, "by": "reset stick", "from": "reset-stick", "groups": ["blocking"],
                                   "wipe": False}  # fmt: skip
