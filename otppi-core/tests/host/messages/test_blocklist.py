"""The blocking list: durable when it says so, in few and bounded writes, and nobody is unblocked by damage unseen."""

import errno
import os
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from otppi.host.messages import blocklist as blocklist_module
from otppi.host.messages.blocklist import Blocklist, Imported, ListFull
from otppi.host.messages.blocklist_file import Entry
from otppi.host.numbering.numbers import Numbers
from otppi.host.storage.store import Store
from otppi.testing.waiting import PATIENCE, until

ONE, TWO, THREE = "6281200000001", "6281200000002", "6281200000003"
Open = Callable[..., Blocklist]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "settings.json")) as one:
        yield one


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "blocking-list"


@pytest.fixture
def opened(store: Store, path: Path) -> Open:
    """Open the list, as each start of the gateway does; no clock runs in it."""

    def make(key: Callable[[str], str] = str) -> Blocklist:
        return Blocklist(path, store, key, clock=lambda: 0.0)

    return make


def test_it_is_kept_with_who_and_when(opened: Open, path: Path) -> None:
    blocklist = opened()
    assert blocklist.block(ONE, "ingress-rest/app")
    assert not blocklist.block(ONE)
    assert blocklist.block(TWO)
    assert blocklist.unblock(TWO)
    assert not blocklist.unblock(TWO)
    again = opened()
    assert ONE in again
    assert list(again.entries()) == [ONE]
    assert again.entries()[ONE].by == "ingress-rest/app"
    assert round(again.entries()[ONE].since) == round(blocklist.entries()[ONE].since)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_list_of_the_version_before_is_moved_once(opened: Open, store: Store, path: Path) -> None:
    store.write({"blocking_list": [{"msisdn": ONE, "since": 5.0}], "sms": [{}]})
    assert ONE in opened()
    assert not path.exists(), "a command that only reads writes nothing"
    blocklist = opened()
    blocklist.repair()
    assert (store.read("blocking_list"), store.read("sms")) == (None, [{}])
    assert blocklist.unblock(ONE)
    assert opened().entries() == {}
    store.write({"blocking_list": [{"msisdn": TWO, "since": 5.0}]})  # a power cut between the two writes of the move
    assert opened().entries() == {}


def test_an_earlier_form_of_a_number_is_read_in_the_new_one(opened: Open) -> None:
    opened().block("62081200000017")
    blocklist = opened(Numbers("62").again)
    assert "6281200000017" in blocklist
    assert blocklist.unblock("6281200000017")
    assert opened(Numbers("62").again).entries() == {}


def test_what_could_not_be_kept_does_not_count(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    blocklist = opened()
    blocklist.block(ONE)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space left"):
            blocklist.block(TWO)
        with pytest.raises(OSError, match="no space left"):
            blocklist.unblock(ONE)
    assert list(blocklist.entries()) == [ONE]
    assert blocklist.block(TWO)
    assert list(opened().entries()) == [ONE, TWO]


def test_thousands_of_numbers_cost_what_they_are_long(opened: Open, path: Path) -> None:
    """Issue 9, row 24: 4,800 numbers wrote 702 MB, each of them the whole of settings.json."""
    blocklist = opened()
    blocklist.change([f"62812{number:08}" for number in range(4_800)], blocked=True, by="ingress-rest/app")
    assert path.stat().st_size < 500_000
    assert len(opened().entries()) == 4_800


def test_requests_at_the_same_time_share_their_writes(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    blocklist = opened()
    syncs, begun, go = [], threading.Event(), threading.Event()
    fsync = os.fsync

    def slow(descriptor: int) -> None:
        syncs.append(descriptor)
        begun.set()
        assert go.wait(PATIENCE)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", slow)
    with ThreadPoolExecutor(21) as pool:
        first = pool.submit(blocklist.block, ONE)
        assert begun.wait(PATIENCE)
        others = [pool.submit(blocklist.block, f"62813{number:08}") for number in range(20)]
        while len(blocklist._turns) < 20:
            assert not first.done()
        go.set()
        assert first.result(PATIENCE)
        assert all(other.result(PATIENCE) for other in others)
    assert len(syncs) <= 4
    assert len(opened().entries()) == 21


def test_a_loop_of_requests_is_slowed_down(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocking and unblocking one number for ever is two writes each second, whoever waits for them."""
    blocklist = Blocklist(path, store, str, clock=lambda: 0.0)
    waited: list[float] = []
    monkeypatch.setattr(blocklist._closing, "wait", waited.append)
    for _ in range(30):
        blocklist.block(ONE)
        blocklist.unblock(ONE)
        blocklist.unblock(ONE)  # changes nothing, and costs nothing
    assert waited == [0.0] * 50 + [0.5 * (number + 1) for number in range(10)]


def test_the_file_is_written_anew_where_it_is_outdated(opened: Open, path: Path) -> None:
    blocklist = opened()
    for _ in range(10):
        blocklist.change([f"62812{number:08}" for number in range(200)], blocked=True)
        blocklist.change([f"62812{number:08}" for number in range(200)], blocked=False)
    blocklist.block(ONE)
    assert path.stat().st_size < 70_000
    assert list(opened().entries()) == [ONE]


def test_there_is_an_end_to_it(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocklist_module, "MOST", 2)
    blocklist = opened()
    with pytest.raises(ListFull):
        blocklist.change([ONE, TWO, THREE], blocked=True)
    assert blocklist.entries() == {}
    assert blocklist.change([ONE, TWO, ONE], blocked=True) == [True, True, False]
    with pytest.raises(ListFull):
        blocklist.block(THREE)
    assert blocklist.unblock(ONE)
    assert blocklist.block(THREE)


def test_an_import_is_one_write_and_keeps_since_and_by(
    opened: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the power is cut meanwhile: the file is replaced, and says all of it or nothing."""
    blocklist = opened()
    blocklist.block(ONE, "ingress-rest/app")
    known = blocklist.entries()[ONE]
    many = {f"62813{number:08}": Entry(float(number), "command-line/x") for number in range(5000)}
    replaced, rename = list[str](), os.replace

    def noted(old: str, new: str) -> None:
        replaced.append(str(new))
        rename(old, new)

    monkeypatch.setattr(os, "replace", noted)
    wanted = {ONE: Entry(1.0, "another"), **many}
    assert blocklist.would_import(wanted) == Imported(5000, 1, 0)
    assert replaced == []
    assert blocklist.import_entries(wanted) == Imported(5000, 1, 0)
    assert replaced == [str(path)]
    assert blocklist.import_entries(wanted) == Imported(0, 5001, 0)
    assert replaced == [str(path)], "nothing was written for what was there"
    assert blocklist.entries()[ONE] == known, "who blocked it first, and when, stays"
    again = opened()
    assert {number: entry for number, entry in again.entries().items() if number != ONE} == many


def test_an_import_that_replaces_the_list_leaves_just_its_own(opened: Open) -> None:
    blocklist = opened()
    blocklist.change([ONE, TWO], blocked=True, by="ingress-rest/app")
    wanted = {TWO: Entry(5.0, ""), THREE: Entry(6.0, "x/y")}
    assert blocklist.would_import(wanted, alone=True) == Imported(1, 1, 1)
    assert blocklist.import_entries(wanted, alone=True) == Imported(1, 1, 1)
    assert blocklist.entries() == wanted == opened().entries()
    assert ONE not in blocklist
    assert blocklist.import_entries(wanted, alone=True) == Imported(0, 2, 0)


def test_an_import_that_cannot_be_kept_changes_nothing(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    blocklist = opened()
    blocklist.block(ONE)
    before = blocklist.entries()
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OSError, match="no space left"):
            blocklist.import_entries({TWO: Entry(1.0, "")}, alone=True)
    assert blocklist.entries() == before
    assert opened().entries().keys() == before.keys()


def test_an_import_has_room_for_as_many_as_there_may_be(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocklist_module, "MOST", 2)
    blocklist = opened()
    blocklist.change([ONE, TWO], blocked=True)
    three = {one: Entry(1.0, "") for one in (ONE, TWO, THREE)}
    for alone in (False, True):
        for ask in (blocklist.would_import, blocklist.import_entries):
            with pytest.raises(ListFull):
                ask(three, alone=alone)
    assert set(blocklist.entries()) == {ONE, TWO}
    two = {one: Entry(1.0, "") for one in (TWO, THREE)}
    with pytest.raises(ListFull):
        blocklist.import_entries(two)
    assert blocklist.import_entries(two, alone=True) == Imported(1, 1, 1)


def test_an_import_and_what_is_asked_for_meanwhile_share_a_write(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    blocklist = opened()
    begun, go = threading.Event(), threading.Event()
    fsync = os.fsync

    def slow(descriptor: int) -> None:
        begun.set()
        assert go.wait(PATIENCE)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", slow)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(blocklist.block, ONE)
        assert begun.wait(PATIENCE)
        taken = pool.submit(blocklist.import_entries, {THREE: Entry(1.0, "x")}, alone=True)
        until(lambda: len(blocklist._turns) == 1, "the import waits")
        other = pool.submit(blocklist.block, TWO)
        until(lambda: len(blocklist._turns) == 2, "so does who blocks one more")
        go.set()
        assert first.result(PATIENCE)
        assert taken.result(PATIENCE) == Imported(1, 0, 1)
        assert other.result(PATIENCE)
    assert set(blocklist.entries()) == {TWO, THREE} == set(opened().entries())


def test_every_cut_leaves_a_list_that_goes_on(opened: Open, path: Path) -> None:
    blocklist = opened()
    blocklist.block(ONE)
    before = path.stat().st_size
    blocklist.block(TWO)
    whole = path.read_bytes()
    for size in range(before, len(whole)):
        path.write_bytes(whole[:size])
        again = opened()
        assert list(again.entries()) == [ONE], "nobody was told that the other was kept"
        assert again.warnings() == []
        assert again.block(THREE)
        assert list(opened().entries()) == [ONE, THREE]


def test_every_flipped_bit_is_seen_and_told(opened: Open, path: Path) -> None:
    blocklist = opened()
    blocklist.change([ONE, TWO], blocked=True)
    whole = path.read_bytes()
    aside = path.with_name("blocking-list.damaged")
    for place in range(len(whole) - 1):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            path.write_bytes(damaged)
            again = opened()
            if again.entries().keys() != blocklist.entries().keys():
                assert set(again.entries()) < {ONE, TWO}, "none is blocked that was not"
                assert "damaged" in again.warnings()[0]
    again.repair()
    assert aside.read_bytes() == damaged
    assert "otppi block list" in opened().warnings()[0], "until somebody has looked at it"
    aside.unlink()
    assert opened().warnings() == []


def test_a_list_that_cannot_be_read_is_not_overwritten(opened: Open, path: Path) -> None:
    path.mkdir()
    blocklist = opened()
    assert "cannot be read" in blocklist.warnings()[0]
    with pytest.raises(OSError, match="cannot be read"):
        blocklist.block(ONE)
