"""The messages that came last: newest first, those that were refused among them, never a text."""

import json
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings
from otppi.api.message import State
from otppi.api.operations import Actor, Role
from otppi.host.messages.operations import OPERATIONS
from otppi.host.messages.refusal import NotAccepted
from otppi.host.records.record import Record, Words
from otppi.host.runtime.registry import Registry
from otppi.testing.bench import DispatchBench
from otppi.wire.envelope import ResponseCode

VIEWER = Actor("siti", "test", Role.VIEWER)
SECRET = "kode rahasia"


def recent(bench: DispatchBench, limit: int | None = None) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = Registry(OPERATIONS, (bench.dispatch,)).call("messages", {"limit": limit}, VIEWER)
    return listed


def ids(bench: DispatchBench, limit: int | None = None) -> list[str]:
    return [one["message_id"] for one in recent(bench, limit)]


def test_the_newest_is_first_and_there_are_no_more_than_wanted(bench: DispatchBench) -> None:
    bench.add("m0")
    sent = [bench.enqueue(text=f"{SECRET} {number}") for number in range(60)]
    bench.end(*sent)
    assert ids(bench) == [one.message_id for one in reversed(sent[-50:])]
    assert ids(bench, 3) == [one.message_id for one in reversed(sent[-3:])]
    with pytest.raises(InvalidSettings):
        recent(bench, 201)


def test_what_was_refused_is_in_its_place(bench: DispatchBench) -> None:
    bench.add("m0")
    first = bench.enqueue()
    refused: Record = bench.record("6281200000002")
    bench.dispatch.refuse(refused, State.BLOCKED, NotAccepted(ResponseCode.BLOCKED, "on the blocking list"))
    last = bench.enqueue("6281200000003")
    bench.end(first, last)
    assert ids(bench) == [last.message_id, refused.message_id, first.message_id]
    assert recent(bench)[1]["cause"] == "on the blocking list"


def test_what_is_told_of_a_message(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    modem.gate.clear()
    record = bench.enqueue(text=SECRET, receiver_shown="62812******01")
    record.words = Words(SECRET, SECRET)
    (waiting,) = recent(bench)
    assert (waiting["receiver"], waiting["finished"], waiting["segments"]) == ("62812******01", None, 0)
    modem.gate.set()
    bench.end(record)
    (told,) = recent(bench)
    assert (told["state"], told["egress"], told["ingress"], told["sender"]) == ("sent", "m0", "test", "app")
    assert told["finished"] >= told["created"]
    for one in (waiting, told):
        assert SECRET not in json.dumps(one)
        assert "6281200000001" not in json.dumps(one)
