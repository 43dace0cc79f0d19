"""Files that are there whole or not at all: the old content or the new one, and nothing half-written beside it."""

import contextlib
import errno
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.host.durable.in_flight import InFlight
from otppi.host.durable.report import Report
from otppi.host.encryption.keys import EnvelopeKeys
from otppi.host.messages.blocklist_file import BlocklistFile, Entry
from otppi.host.storage.store import Store
from otppi.kit.broker.own_name import recall, remember
from otppi.kit.files import append_whole, as_json, new_name, replace_whole

FULL = OSError(errno.ENOSPC, "No space left on device")


class Calls:
    """Watches the system calls of a write; one of them fails from the time on when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[str] = []
        self.failing = ""
        for name in ("write", "fsync", "replace"):
            monkeypatch.setattr(os, name, self._watched(name, getattr(os, name)))

    def _watched(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **options: Any) -> Any:
            folder = name == "fsync" and stat.S_ISDIR(os.fstat(arguments[0]).st_mode)
            self.seen.append("fsync folder" if folder else name)
            if self.seen[-1] == self.failing:
                raise FULL
            return call(*arguments, **options)

        return watched


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    return Calls(monkeypatch)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "card"
    folder.mkdir()
    return folder / "file.json"


def test_a_file_is_written_synced_renamed_and_its_folder_is_synced(path: Path, calls: Calls) -> None:
    replace_whole(path, b"old")
    replace_whole(path, b"new")
    assert calls.seen == ["write", "fsync", "replace", "fsync folder"] * 2
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("failing", ["write", "fsync", "replace"])
@pytest.mark.parametrize("content", [b"old", None])
def test_an_error_in_the_middle_leaves_the_old_file_and_nothing_beside_it(
    path: Path, calls: Calls, failing: str, content: bytes | None
) -> None:
    if content is not None:
        replace_whole(path, content)
    calls.failing = failing
    with pytest.raises(OSError, match="No space left"):
        replace_whole(path, b"new")
    assert [(one.name, one.read_bytes()) for one in path.parent.iterdir()] == (
        [("file.json", b"old")] if content else []
    )


def test_where_only_the_folder_cannot_be_synced_the_new_content_is_there_and_that_is_told(
    path: Path, calls: Calls
) -> None:
    replace_whole(path, b"old")
    calls.failing = "fsync folder"
    with pytest.raises(OSError, match="No space left"):
        replace_whole(path, b"new")
    assert [(one.name, one.read_bytes()) for one in path.parent.iterdir()] == [("file.json", b"new")]


def test_what_is_to_be_done_before_comes_when_the_card_has_the_content_and_its_error_leaves_the_old_one(
    path: Path, calls: Calls
) -> None:
    replace_whole(path, b"old")

    def before() -> None:
        assert calls.seen[-1] == "fsync"
        assert new_name(path).read_bytes() == b"new"
        raise FULL

    with pytest.raises(OSError, match="No space left"):
        replace_whole(path, b"new", before=before)
    assert [(one.name, one.read_bytes()) for one in path.parent.iterdir()] == [("file.json", b"old")]


def test_what_a_power_cut_left_is_in_nobodys_way_and_gives_the_new_file_neither_mode_nor_place(
    path: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"of somebody else")
    new_name(path).symlink_to(elsewhere)
    replace_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert not path.is_symlink()
    assert elsewhere.read_bytes() == b"of somebody else"


def test_two_files_that_differ_in_their_suffix_only_have_new_files_of_their_own(path: Path) -> None:
    assert new_name(path) != new_name(path.with_suffix(".key"))


def test_a_long_content_is_written_whole_where_the_card_takes_it_in_pieces(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:3]))
    replace_whole(path, b"0123456789")
    append_whole(path, b"abcdefgh")
    assert path.read_bytes() == b"0123456789abcdefgh"


def test_what_a_full_card_took_of_a_line_is_taken_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append_whole(path, b"one\n")
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) < 4:
            raise FULL
        return write(descriptor, data[:2])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            append_whole(path, b"two\n")
    assert path.read_bytes() == b"one\n"
    append_whole(path, b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"


def test_a_document_is_short_and_in_utf_8() -> None:
    assert as_json({"a": [1, "ÄÖ"]}) == '{"a":[1,"ÄÖ"]}'.encode()
    assert json.loads(as_json({"a": 1})) == {"a": 1}


# -- each that replaces a file -----------------------------------------------------------------------------------------


def settings(folder: Path) -> None:
    store = Store(folder / "settings.json")
    try:
        store.write({"users": [{"name": "made up"}]})
    finally:
        store.close()


def in_flight(folder: Path) -> None:
    InFlight(folder / "open", Report(folder / "report", 12)).begin([], ["before"])


def envelope_keys(folder: Path) -> None:
    EnvelopeKeys(folder / "encryption-keys.json", lambda: 30.0).rotate("a test")


def blocking_list(folder: Path) -> None:
    BlocklistFile(folder / "blocking-list").write({"628111": Entry(1.0, "a test")})


def own_name(folder: Path) -> None:
    remember(folder / "name", "made-up", "name")


@pytest.mark.parametrize("write", [settings, in_flight, envelope_keys, blocking_list, own_name])
def test_each_that_replaces_a_file_syncs_it_and_its_folder_and_leaves_nothing_half_written(
    path: Path, calls: Calls, write: Callable[[Path], None]
) -> None:
    write(path.parent)
    assert [call for call in calls.seen if call != "write"][:3] == ["fsync", "replace", "fsync folder"]
    before = {one.name: one.read_bytes() for one in path.parent.iterdir() if one.is_file()}
    calls.failing = "fsync"
    with contextlib.suppress(OSError):  # some say it in the log
        write(path.parent)
    assert calls.seen[-1] == "fsync"
    assert {one.name: one.read_bytes() for one in path.parent.iterdir() if one.is_file()} == before


def test_what_was_remembered_is_recalled(path: Path) -> None:
    remember(path, "made-up", "name")
    assert recall(path) == "made-up"
