"""Server-sent events: how they are written, and which of them somebody who comes back has missed."""

import json

import pytest

from otppi.admin.live.frames import SentChanges, frame


def test_an_event_is_lines_that_no_data_can_break() -> None:
    data = {"name": "a\nevent: evil\n\ndata: x\r\u2028"}
    lines = frame("change", data, "a-1", retry=5).decode("ascii").split("\n")
    assert lines[:3] == ["retry: 5", "id: a-1", "event: change"]
    assert json.loads(lines[3].removeprefix("data: ")) == data
    assert lines[4:] == ["", ""]


def test_who_comes_back_gets_what_was_missed() -> None:
    sent = SentChanges()
    first = sent.last_id
    assert sent.since(first) == b""
    one = sent.add({"n": 1})
    second = sent.last_id
    two = sent.add({"n": 2})
    assert sent.since(first) == one + two
    assert sent.since(second) == two
    assert sent.since(sent.last_id) == b""


def test_no_more_is_kept_than_is_sent_at_once() -> None:
    sent = SentChanges(kept=200)
    ids = [sent.last_id]
    for number in range(20):
        sent.add({"n": number})
        ids.append(sent.last_id)
    known = [one for one in ids if sent.since(one) is not None]
    assert known == ids[-len(known) :]
    assert 1 < len(known) < len(ids)
    assert len(sent.since(known[0]) or b"") <= 200


def test_a_change_that_is_larger_than_what_is_kept_leaves_none() -> None:
    sent = SentChanges(kept=20)
    before = sent.last_id
    sent.add({"n": "x" * 50})
    assert sent.since(before) is None
    assert sent.since(sent.last_id) == b""


@pytest.mark.parametrize("event_id", ["", "-", "1", "{run}-", "{run}-x", "{run}--1", "{run}-99", "{run}-²", "other-0",
                                      "{run}-0" + "0" * 5000, "\x00"])  # fmt: skip
def test_an_id_that_is_none_of_ours_is_not_known(event_id: str) -> None:
    sent = SentChanges()
    sent.add({})
    sent.add({})
    run = sent.last_id.partition("-")[0]
    assert sent.since(event_id.replace("{run}", run)) is None or event_id.startswith("{run}-0")
    assert SentChanges().since(sent.last_id) is None
