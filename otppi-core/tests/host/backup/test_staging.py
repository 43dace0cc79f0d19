"""A restore on the card: whatever instant a kill comes at, the next start has the old state or the new one, whole."""

import itertools
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from otppi.api.errors import Cancelled
from otppi.host.backup import staging
from otppi.host.backup.staging import Change, complete, settings_of, stage, undo_made, undo_of
from otppi.testing.kills import killed_at

OLD = {
    "settings.json": b"old settings",
    "settings.json.bak": b"old settings",
    "blocking-list": b"old list\n",
    "encryption-keys.json": b"old keys",
    "ingress-mqtt/client-id": b"old name\n",
    "report/2026-11.jsonl": b"a report\n",
}
NEW = {"settings.json": b"new settings", "encryption-keys.json": b"new keys", "ingress-redis/consumer": b"new name\n"}
LINES = b'{"t":1,"op":"before"}\n'
OWN_LINES = b'{"t":2,"op":"own"}\n'
CHANGE = Change(NEW, frozenset({"blocking-list"}), LINES)
AFTER = {name: raw for name, raw in OLD.items() if name not in ("blocking-list", "settings.json.bak")} | NEW


def to_nobody(name: str, number: int, count: int) -> None:
    assert 0 <= number < count, name


def make(folder: Path, files: Mapping[str, bytes] = OLD) -> Path:
    for name, raw in {**files, "audit/newer.jsonl": OWN_LINES}.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(raw)
    return folder


def state(folder: Path) -> dict[str, bytes]:
    """Return what is kept, but for the audit trail, which only grows, and the state for an undo."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] not in ("audit", "undo")
    }


def entries(folder: Path) -> list[str]:
    lines = b"".join((folder / "audit" / one).read_bytes() for one in ("older.jsonl", "newer.jsonl"))
    return [json.loads(one)["op"] for one in lines.splitlines()]


def begin_and_restore(folder: Path) -> None:
    stage(folder, CHANGE, to_nobody)
    complete(folder)


def test_a_restore_is_put_in_its_place_at_the_next_start(tmp_path: Path) -> None:
    folder = make(tmp_path)
    stage(folder, CHANGE, to_nobody)
    assert {name: raw for name, raw in state(folder).items() if not name.startswith("restore/")} == OLD
    assert settings_of(folder).read_bytes() == b"new settings"
    assert complete(folder) == ""
    assert state(folder) == AFTER
    assert entries(folder) == ["before", "own"]
    assert settings_of(folder) == folder / "settings.json"
    assert complete(folder) == ""
    assert state(folder) == AFTER


def test_it_is_undone_once(tmp_path: Path) -> None:
    folder = make(tmp_path)
    begin_and_restore(folder)
    assert undo_made(folder)
    change = undo_of(folder)
    assert change is not None
    stage(folder, change, to_nobody)
    complete(folder)
    assert state(folder) == {name: raw for name, raw in OLD.items() if name != "settings.json.bak"}
    assert entries(folder) == ["before", "own"], "what was done stays in the audit trail"
    assert undo_of(folder) is None
    assert undo_made(folder) is None


def test_the_state_before_an_administrator_is_not_come_back_to(tmp_path: Path) -> None:
    folder = make(tmp_path)
    begin_and_restore(folder)
    stage(folder, Change(NEW, undo=False), to_nobody)
    complete(folder)
    assert undo_of(folder) is None


def test_what_is_called_off_has_changed_nothing(tmp_path: Path) -> None:
    folder = make(tmp_path)

    def called_off(_name: str, number: int, _count: int) -> None:
        if number == 2:
            raise Cancelled("it was called off")

    with pytest.raises(Cancelled):
        stage(folder, CHANGE, called_off)
    assert state(folder) == OLD


def test_a_kill_at_any_instant_leaves_the_old_state_or_the_new_one(tmp_path: Path) -> None:
    seen = []
    for number in itertools.count():
        folder = make(tmp_path / str(number))
        killed = killed_at(number, folder, lambda folder=folder: begin_and_restore(folder))  # type: ignore[misc]
        complete(folder)
        found = state(folder)
        assert found in (OLD, AFTER), number
        seen.append(found == AFTER)
        if found == AFTER:
            assert entries(folder) == ["before", "own"], number
            change = undo_of(folder)
            assert change is not None
            assert change.files == {name: OLD[name] for name in change.files}, number
            assert set(change.files) == {"settings.json", "encryption-keys.json", "blocking-list"}
        if not killed:
            break
    assert number > 30
    assert seen == sorted(seen), "from one instant on it is the new one"
    assert not seen[0]
    assert seen[-1]


def test_kills_one_after_another_lose_nothing(tmp_path: Path) -> None:
    """As many starts as there are instants, each killed one change later than the one before."""
    folder = make(tmp_path)
    stage(folder, CHANGE, to_nobody)
    for number in itertools.count():
        if not killed_at(number, folder, lambda: complete(folder)):
            break
    assert state(folder) == AFTER
    assert entries(folder) == ["before", "own"]


def test_a_second_restore_before_the_first_was_used_takes_its_place(tmp_path: Path) -> None:
    for number in itertools.count():
        folder = make(tmp_path / str(number))
        stage(folder, Change({"settings.json": b"first"}), to_nobody)
        killed = killed_at(number, folder, lambda folder=folder: stage(folder, CHANGE, to_nobody))  # type: ignore[misc]
        complete(folder)
        first = {**OLD, "settings.json": b"first"}
        del first["settings.json.bak"]
        assert state(folder) in (OLD, first, AFTER), number
        if not killed:
            break
    assert state(folder) == AFTER


def test_where_the_card_takes_nothing_the_old_state_stays_and_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(tmp_path)
    stage(folder, CHANGE, to_nobody)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(staging, "_write", full)
        assert "No space left on device" in complete(folder)
    assert {name: raw for name, raw in state(folder).items() if not name.startswith("restore")} == OLD
    assert complete(folder) == ""
    assert state(folder) == AFTER
