"""What of the inbox is kept where: RAM, or the card."""

import dataclasses
import json
import stat
from typing import Any

import pytest

from .conftest import SECRET, Bench, part

# -- RAM and card ------------------------------------------------------------------------------------------------------


def test_in_ram_nothing_is_written(bench: Bench) -> None:
    bench.receive(part(SECRET))
    bench.age(0)
    assert list(bench.path.parent.iterdir()) == []
    assert SECRET not in repr(bench.inbox.messages())
    assert SECRET not in repr(bench.inbox._kept)
    assert bench.anew().messages() == []


def test_on_the_card_messages_survive(bench: Bench) -> None:
    bench.anew(retention="card")
    assert bench.receive(part(SECRET), part("half \ud83d", 1, 2)) == [False, False]
    bench.age(0)
    assert stat.S_IMODE(bench.path.stat().st_mode) == 0o600
    assert bench.receive(part(SECRET)) == [True], "it may be deleted from the SIM when the card has it"
    before = bench.inbox.messages()
    assert bench.inbox.mark(before[0].message_id, read=True)
    bench.age(0)
    bench.anew()
    assert bench.inbox.messages() == [dataclasses.replace(before[0], read=True)]
    assert bench.receive(part(SECRET)) == [True]
    assert bench.receive(part("\ude00 half", 2, 2)) == [False]
    assert bench.texts == [SECRET, "half 😀 half"]


def test_what_came_damaged_is_marked_until_it_comes_whole(bench: Bench) -> None:
    bench.anew(retention="card")
    bench.receive(part("one", 1, 2), part("tw", 2, 2, damaged=True), part("alone", damaged=True), part("ok"))
    bench.age(0)
    bench.anew()
    assert bench.texts == [
        "onetw[part 2 came damaged: its end may be missing]",
        "alone[it came damaged: its end may be missing]",
        "ok",
    ]
    assert [message.damaged for message in bench.inbox.messages()] == [True, True, False]
    bench.receive(part("two", 2, 2))
    assert bench.texts[0] == "onetwo"
    assert not bench.inbox.messages()[0].damaged


def test_octets_that_came_damaged_are_not_mixed_with_words(bench: Bench) -> None:
    bench.receive(part("01FF", binary=True, damaged=True))
    (message,) = bench.inbox.messages()
    assert (message.text, message.damaged, message.as_data()["damaged"]) == ("01FF", True, True)


def test_writes_are_gathered(bench: Bench) -> None:
    bench.anew(retention="card")
    bench.receive(part("one"))
    written = bench.path.stat().st_mtime_ns
    for number in range(50):
        bench.receive(part(f"{number}"))
    assert bench.path.stat().st_mtime_ns == written
    bench.inbox._next_save = 0.0
    bench.inbox.tick()
    assert len(json.loads(bench.path.read_text())["messages"]) == 51


def test_what_was_on_the_card_is_gone_when_it_is_no_longer_wanted(bench: Bench) -> None:
    bench.anew(retention="card")
    bench.receive(part(SECRET))
    bench.values["retention"] = "ram"
    bench.inbox.configure(bench.values)
    assert bench.inbox.received("m0", part(SECRET)) is True
    bench.inbox.tick()
    assert not bench.path.exists()
    bench.anew(retention="card")
    bench.receive(part(SECRET))
    bench.anew(retention="ram")
    assert not bench.path.exists()


def test_a_card_that_cannot_be_written_is_a_problem_and_holds_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench.anew(retention="card")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("otppi.kit.files._write_synced", full)
        assert bench.receive(part(SECRET)) == [False]
        bench.age(0)
        bench.age(0)
        assert bench.receive(part(SECRET)) == [False]
        (problem,) = bench.inbox.problems()
        assert "No space left on device" in problem
        assert len(caplog.records) == 1
    bench.age(0)
    assert bench.inbox.problems() == []
    assert bench.receive(part(SECRET)) == [True]


@pytest.mark.parametrize("damage", [b"", b"{", b'{"messages": [{}]}', b'{"messages": 7}', b"\xff"])
def test_a_damaged_file_is_put_aside(bench: Bench, damage: bytes) -> None:
    bench.path.write_bytes(damage)
    bench.anew(retention="card")
    assert bench.inbox.messages() == []
    assert bench.path.with_suffix(".damaged").read_bytes() == damage


@pytest.mark.parametrize(
    ("place", "damage"),
    [
        *(("arrived", wrong) for wrong in ("x", float("inf"))),
        *(("total", wrong) for wrong in (2.5, "3")),
        *(("id", []), ("originator", None)),
        *(("parts", wrong) for wrong in ([], [[1, "7", 1.0]], [[1, '"a"', None]], [["1", '"a"', 1.0]])),
    ],
)
def test_a_file_with_a_damaged_message_is_put_aside(bench: Bench, place: str, damage: Any) -> None:
    bench.anew(retention="card")
    bench.receive(part("one", 1, 2))
    kept = json.loads(bench.path.read_bytes())
    kept["messages"][0][place] = damage
    bench.path.write_text(json.dumps(kept))
    bench.anew()
    bench.receive(part("one", 1, 2))
    bench.age(700)
    assert len(bench.texts) == 1


def test_nothing_is_left_on_the_card_where_nothing_is_to_be_there(bench: Bench) -> None:
    bench.anew(retention="card")
    bench.receive(part(SECRET))
    for suffix in (".new", f"{bench.path.suffix}.new", ".damaged"):
        bench.path.with_suffix(suffix).write_text(SECRET)
    bench.inbox.configure(bench.values | {"retention": "ram"})
    bench.inbox.tick()
    assert list(bench.path.parent.iterdir()) == []
    bench.path.with_suffix(".new").write_text(SECRET)
    bench.anew(retention="ram")
    assert list(bench.path.parent.iterdir()) == []
