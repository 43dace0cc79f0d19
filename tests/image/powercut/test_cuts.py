"""Cuts of a small card: nothing is wrong where a device keeps its word, and each way to break it is seen."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.image.powercut.cuts import Cut, Cuts
from tests.image.powercut.small_card import ADMINISTRATOR, SmallCard

MESSAGE = "0123456789abcdef"


@pytest.fixture
def card(tmp_path: Path) -> SmallCard:
    """A card that nobody has started."""
    return SmallCard(tmp_path)


@pytest.fixture
def used(card: SmallCard) -> SmallCard:
    """A card whose device has an administrator, a counter at 5, a blocked number, and a message in its report."""
    card.first_boot()
    for document, what, value in (
        ({"administrators": [ADMINISTRATOR]}, "administrator sari", True),
        ({"otp": {"per_hour": 5}}, "otp.per_hour", 5),
    ):
        card.recording.begin(what, value)
        card.set(document)
        card.write()
        card.recording.done(what, value)
    card.change(lambda data: data.blocklist.block("628130000001"))
    report = card.device.data / "report"
    report.mkdir()
    line = f'{{"t":1790000000,"m":"{MESSAGE}","i":"1","r":"62812*****01","s":"sent","by":"m1","n":1,"d":1.0}}\n'
    (report / "2026-09.jsonl").write_text(line)
    card.write()
    card.recording.done("blocked 628130000001", True)
    card.recording.tell("reported", MESSAGE)
    return card


def at_the_end(card: SmallCard, *, start: bool = False) -> Cut:
    card.write()
    with Cuts(card.recording, seed=1) as cuts:
        return cuts.made_at(card.writes, start=start)


def test_each_whole_state_is_right(card: SmallCard) -> None:
    ends = [0]
    card.first_boot()
    ends.append(card.writes)
    for number in (1, 2):
        card.recording.begin("otp.per_hour", number)
        card.set({"otp": {"per_hour": number}})
        card.write()
        ends.append(card.writes)
        card.recording.done("otp.per_hour", number)
    with Cuts(card.recording, seed=1) as cuts:
        assert [cuts.made_at(end).faults for end in ends] == [()] * 4


def test_a_gateway_starts_with_it(used: SmallCard) -> None:
    cut = at_the_end(used, start=True)
    assert (cut.faults, cut.started) == ((), True)


def test_a_torn_file_system_is_seen(used: SmallCard) -> None:
    """What is half of one file system and half of another does not mend itself, or lacks what was told."""
    with Cuts(used.recording, seed=1) as cuts:
        found = [cuts.made_at(place) for place in range(20, used.writes, used.writes // 12)]
    assert any(cut.faults for cut in found)


def _tear(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _of_data(change: Callable[[Path], object]) -> Callable[[SmallCard], object]:
    return lambda card: change(card.device.data)


def _forget_first_message(data: Path) -> None:
    (data / "report/2026-09.jsonl").write_text("")


def _torn_settings(data: Path) -> None:
    _tear(data / "settings.json")


def _torn_settings_and_copy(data: Path) -> None:
    _tear(data / "settings.json")
    _tear(data / "settings.json.bak")


def _no_settings(data: Path) -> None:
    for name in ("settings.json", "settings.json.bak", "settings.claimed"):
        (data / name).unlink()


BROKEN: dict[str, tuple[Callable[[SmallCard], Any], str]] = {
    "torn": (_of_data(_torn_settings), "its copy is used|was damaged"),
    "torn-twice": (_of_data(_torn_settings_and_copy), "does not start"),
    "gone": (_of_data(_no_settings), "administrator"),
    "old": (lambda card: card.set({"otp": {"per_hour": 4}}), "otp.per_hour is 4, not 5"),
    "no-administrator": (
        lambda card: card.change(lambda data: data.store.write({"administrators": []})),
        "administrators are lost",
    ),
    "not-blocked": (lambda card: card.change(lambda data: data.blocklist.unblock("628130000001")), "blocked"),
    "torn-list": (_of_data(lambda data: _tear(data / "blocking-list")), "blocked"),
    "report": (_of_data(_forget_first_message), "are not in it any more"),
    "device": (lambda card: card.device.kept.unlink(), "forgotten who it is"),
    "torn-device": (lambda card: _tear(card.device.kept), "device.json is damaged"),
    "profile": (lambda card: _tear(card.device.access_point), "access point"),
    "no-profile": (lambda card: card.device.access_point.unlink(), "access point"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_promise_is_seen(used: SmallCard, name: str) -> None:
    change, wanted = BROKEN[name]
    change(used)
    faults = at_the_end(used).faults
    assert any(re.search(wanted, one) for one in faults), faults


def test_message_of_which_nothing_is_told_is_seen(used: SmallCard) -> None:
    used.recording.tell("waits", "fedcba9876543210")
    assert "of 1 messages nothing is told" in " ".join(at_the_end(used).faults)


def test_what_was_only_asked_for_may_be_there_or_not(used: SmallCard) -> None:
    used.recording.begin("otp.per_hour", 6)
    used.write()
    asked = used.writes
    used.set({"otp": {"per_hour": 6}})
    used.write()
    with Cuts(used.recording, seed=1) as cuts:
        assert [cuts.made_at(place).faults for place in (asked, used.writes)] == [(), ()]


def test_recording_is_read_as_it_was_kept(used: SmallCard) -> None:
    used.recording.keep()
    read = type(used.recording).read(used.recording.folder)
    assert (read.told, read.logs) == (used.recording.told, used.recording.logs)
    assert json.loads((read.folder / "logs.json").read_text()) == ["all.log"]


def test_the_same_seed_makes_the_same_cuts(used: SmallCard) -> None:
    def places(seed: int) -> Iterator[int]:
        with Cuts(used.recording, seed=seed) as cuts:
            yield from cuts.places(5)

    assert list(places(3)) == list(places(3)) != list(places(4))
