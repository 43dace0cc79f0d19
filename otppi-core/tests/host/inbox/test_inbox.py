"""The inbox: parts put together, duplicates, bounds, and what a person does with it."""

import logging
import time
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings
from otppi.api.events import InboundPart
from otppi.host.host import Host
from otppi.host.parts import registry_of
from otppi.host.runtime.registry import COMMAND_LINE
from otppi.testing.scripted import until

from .conftest import SECRET, Bench, part

# -- putting together --------------------------------------------------------------------------------------------------


def test_a_message_is_shown_and_told(bench: Bench) -> None:
    before = time.time()
    assert bench.receive(part("one"), part("two", sent=0.0)) == [True, True]
    one, two = bench.inbox.messages()
    assert (one.text, one.modem, one.originator, one.sent, one.segments, one.missing, one.read) == (
        "one",
        "m0",
        "+6281200000001",
        1_700_000_000.0,
        1,
        (),
        False,
    )
    assert two.sent == two.arrived
    assert before <= two.arrived <= time.time()
    assert bench.told == [one, two]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 2, 1, 3, 1)])
def test_parts_come_in_any_order_and_twice(bench: Bench, order: tuple[int, ...]) -> None:
    assert all(bench.receive(*(part(f"<{number}>", number, 3) for number in order)))
    assert bench.texts == ["<1><2><3>"]
    assert [message.text for message in bench.told] == ["<1><2><3>"]
    assert all(bench.receive(part("<2>", 2, 3)))
    assert bench.texts == ["<1><2><3>"]


def test_reference_0_is_one_like_the_others(bench: Bench) -> None:
    """Reports: onomondo-uicc#174 (0 stood for "no reference"), jasmin#513 (parts were put together as they came)."""
    bench.receive(part("<2>", 2, 2, reference=0), part("<1>", 1, 2, reference=0))
    bench.receive(part("other <1>", 1, 2, reference=0), part("other <2>", 2, 2, reference=0))
    assert bench.texts == ["<1><2>", "other <1>other <2>"]


def test_parts_of_different_messages_are_told_apart(bench: Bench) -> None:
    pieces = [
        ("m0", part("a1", 1, 2)),
        ("m1", part("b1", 1, 2)),
        ("m0", part("c1", 1, 2, originator="BANK")),
        ("m0", part("d1", 1, 2, reference=263)),
        ("m0", part("e1", 1, 3)),
        ("m0", part("a2", 2, 2)),
        ("m1", part("b2", 2, 2)),
        ("m0", part("c2", 2, 2, originator="BANK")),
        ("m0", part("d2", 2, 2, reference=263)),
    ]
    for modem, piece in pieces:
        assert bench.inbox.received(modem, piece)
    assert bench.texts == ["a1a2", "b1b2", "c1c2", "d1d2"]


def test_a_reference_that_comes_again_is_of_another_message(bench: Bench) -> None:
    later = 1_700_000_000.0 + 60
    bench.receive(part("old 1", 1, 2))
    bench.receive(part("new 1", 1, 2, sent=later), part("new 2", 2, 2, sent=later))
    assert bench.texts == ["new 1new 2"]
    bench.receive(part("old 2", 2, 2))
    assert bench.texts == ["old 1old 2", "new 1new 2"]
    bench.receive(part("third 1", 1, 2, sent=later + 9000), part("third 2", 2, 2, sent=later + 9001))
    assert bench.texts[-1] == "third 1third 2"


def test_parts_that_are_far_apart_in_time_are_not_of_one_message(bench: Bench) -> None:
    bench.receive(part("old 1", 1, 2), part("new 2", 2, 2, sent=1_700_090_000.0))
    assert bench.texts == []
    assert bench.inbox.describe() == {"messages": 0, "unread": 0, "incomplete": 2}


def test_a_part_without_a_time_is_of_the_message_that_misses_it(bench: Bench) -> None:
    bench.receive(part("<1>", 1, 3), part("<2>", 2, 3, sent=0.0, offer="a"), part("<3>", 3, 3))
    (message,) = bench.inbox.messages()
    assert (message.text, message.sent) == ("<1><2><3>", 1_700_000_000.0)
    bench.receive(part("<1>", 1, 2, sent=0.0, offer="b"))
    bench.age(4000)
    bench.receive(part("<2>", 2, 2, sent=0.0, offer="c"))
    assert bench.inbox.describe()["incomplete"] == 1, "a part of an hour ago is of another message"


def test_equal_texts_without_a_time_are_two_messages(bench: Bench) -> None:
    one, two = part("1", sent=0.0, offer="a"), part("1", sent=0.0, offer="b")
    assert bench.receive(one, two, one, two) == [True] * 4
    assert bench.texts == ["1", "1"]
    nameless = part("2", sent=0.0)
    assert bench.receive(nameless, nameless) == [True, True]
    assert bench.texts == ["1", "1", "2", "2"]


def test_a_message_without_a_time_is_offered_again_until_the_card_has_it(bench: Bench) -> None:
    bench.anew(retention="card")
    for one in (part("1", sent=0.0), part("2", sent=0.0, offer="a")):
        assert bench.receive(one) + bench.receive(one) == [False, False]
        bench.age(0)
        assert bench.inbox.received("m0", part("2", sent=0.0, offer="a")) or one.text == "1"
    assert bench.texts.count("2") == 1


def test_missing_parts_are_marked_after_a_while_and_may_still_come(bench: Bench) -> None:
    bench.receive(part("<1>", 1, 3), part("<3>", 3, 3))
    assert bench.texts == []
    bench.age(601)
    assert bench.texts == ["<1>[part 2 of 3 is missing]<3>"]
    assert bench.told[0].missing == (2,)
    bench.age(601)
    bench.receive(part("<2>", 2, 3))
    assert bench.texts == ["<1><2><3>"]
    assert [(message.message_id, message.missing) for message in bench.told] == [
        (bench.told[0].message_id, (2,)),
        (bench.told[0].message_id, ()),
    ]


def test_a_character_that_was_cut_in_two_is_made_whole(bench: Bench) -> None:
    high, low = "\ud83d", "\ude00"
    bench.receive(part(f"a{high}", 1, 2), part(f"{low}b", 2, 2))
    bench.receive(part(f"c{high}", 1, 2, reference=8))
    bench.age(601)
    assert bench.texts == ["a😀b", "c\ufffd[part 2 of 2 is missing]"]


def test_the_same_message_twice_is_one(bench: Bench) -> None:
    assert bench.receive(part("one"), part("one"), part("one", sent=1_700_000_001.0)) == [True, True, True]
    assert bench.texts == ["one", "one"]
    bench.inbox.delete([bench.inbox.messages()[0].message_id])
    bench.receive(part("one"))
    assert len(bench.texts) == 1


# -- bounds ------------------------------------------------------------------------------------------------------------


def test_a_full_inbox_forgets_the_oldest_that_was_read(bench: Bench) -> None:
    bench.anew(kept_messages=3)
    bench.receive(*(part(f"{number}") for number in range(3)))
    assert bench.inbox.problems() == [
        "inbox: full of unread messages; new ones stay on the SIM cards until some are read or deleted"
    ]
    assert bench.receive(part("3")) == [False]
    ids = [message.message_id for message in bench.inbox.messages()]
    bench.inbox.show(ids[1])
    assert bench.inbox.problems() == []
    assert bench.receive(part("3")) == [True]
    assert bench.texts == ["0", "2", "3"]
    assert bench.receive(part("4", 1, 2)) == [False]
    bench.inbox.delete(ids)
    assert bench.receive(part("4", 1, 2)) == [True]


def test_a_smaller_inbox_forgets_more(bench: Bench) -> None:
    bench.receive(*(part(f"{number}") for number in range(5)))
    for message in bench.inbox.messages():
        bench.inbox.show(message.message_id)
    bench.inbox.configure(bench.values | {"kept_messages": 2})
    assert bench.receive(part("5")) == [True]
    assert bench.texts == ["4", "5"]


def test_further_parts_of_a_message_find_room(bench: Bench) -> None:
    bench.anew(kept_messages=1)
    assert bench.receive(part("<1>", 1, 2), part("other"), part("<2>", 2, 2)) == [True, False, True]


def test_messages_are_forgotten_after_some_hours(bench: Bench) -> None:
    bench.anew(kept_hours=2)
    bench.receive(part("one"))
    bench.age(7100)
    assert bench.texts == ["one"]
    bench.age(101)
    assert bench.texts == []


# -- in the gateway ----------------------------------------------------------------------------------------------------


def receive(doubles: Any, one: InboundPart) -> bool:
    held: bool = doubles.contexts["scripted"].events.received(one)
    return held


def test_a_person_lists_shows_marks_and_deletes(host: Host, doubles: Any) -> None:
    operations = registry_of(host.data, host)
    assert receive(doubles, part("one"))
    assert receive(doubles, part("two"))
    first, _ = operations.call("inbox_list", {}, COMMAND_LINE)
    assert (first["text"], first["modem_id"], first["read"]) == ("one", "scripted", False)
    assert operations.call("inbox_show", {"message_id": first["message_id"]}, COMMAND_LINE)["read"] is True
    assert [one["text"] for one in operations.call("inbox_list", {"unread": True}, COMMAND_LINE)] == ["two"]
    operations.call("inbox_mark", {"message_id": first["message_id"], "read": False}, COMMAND_LINE)
    assert len(operations.call("inbox_list", {"unread": True}, COMMAND_LINE)) == 2
    assert operations.call("inbox_delete", {"message_ids": [first["message_id"], "none"]}, COMMAND_LINE) == {
        "deleted": 1
    }
    assert operations.call("status", {}, COMMAND_LINE)["inbox"] == {"messages": 1, "unread": 1, "incomplete": 0}
    for name, more in (("inbox_show", {}), ("inbox_mark", {"read": True}), ("inbox_reply", {"message": "x"})):
        with pytest.raises(InvalidSettings, match="no message"):
            operations.call(name, {"message_id": first["message_id"], **more}, COMMAND_LINE)


def test_a_reply_goes_by_the_modem_that_the_message_came_to(host: Host, doubles: Any) -> None:
    operations = registry_of(host.data, host)
    receive(doubles, part("question"))
    receive(doubles, part("advertisement", originator="BANK"))
    first, second = operations.call("inbox_list", {}, COMMAND_LINE)
    answer = operations.call("inbox_reply", {"message_id": first["message_id"], "message": "answer"}, COMMAND_LINE)
    assert (answer["state"], answer["modem_id"]) == ("sent", "scripted")
    assert [(one.destination, one.text) for one in doubles.modems[0].outbox] == [("6281200000001", "answer")]
    with pytest.raises(InvalidSettings, match="nobody can reply"):
        operations.call("inbox_reply", {"message_id": second["message_id"], "message": "x"}, COMMAND_LINE)


def test_a_full_inbox_is_seen_in_the_status(host: Host, doubles: Any) -> None:
    operations = registry_of(host.data, host)
    operations.call("settings_set", {"path": "inbox.kept_messages", "value": "1"}, COMMAND_LINE)
    assert receive(doubles, part("one"))
    assert not receive(doubles, part("two"))
    assert any("full of unread" in problem for problem in operations.call("status", {}, COMMAND_LINE)["problems"])


def test_ways_in_are_told_and_may_fail(host: Host, doubles: Any, caplog: pytest.LogCaptureFixture) -> None:
    until(lambda: doubles.ingresses, "the ingress is made")
    (ingress,) = doubles.ingresses
    ingress.refuses = True
    receive(doubles, part(SECRET))
    until(lambda: "did not take message" in caplog.text)
    ingress.refuses = False
    receive(doubles, part("two"))
    until(lambda: ingress.came)
    assert [message.text for message in ingress.came] == ["two"]
    assert SECRET not in caplog.text


def test_no_text_is_written_where_it_is_to_stay_in_ram(
    host: Host, doubles: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receive(doubles, part(SECRET))
    receive(doubles, part(SECRET, 1, 2))
    until(lambda: host.inbox.messages())
    registry_of(host.data, host).call("inbox_list", {}, COMMAND_LINE)
    host.inbox.tick()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
    assert SECRET not in caplog.text
