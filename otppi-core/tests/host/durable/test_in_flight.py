"""The in-flight notes: what the power takes is told afterwards, from metadata, and costs the card next to nothing."""

import json
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.api.events import MessageEnded
from otppi.api.ingress import Callback, Origin, Sender
from otppi.api.message import State
from otppi.host.durable import in_flight as in_flight_module
from otppi.host.durable.in_flight import InFlight
from otppi.host.durable.report import Report
from otppi.host.records.record import Record, Status
from otppi.testing.bench import ORIGIN, DispatchBench
from otppi.testing.scripted import until
from otppi.wire.envelope import ResponseCode

MakeBench = Callable[..., DispatchBench]
RECEIVER, TEXT = "6281234567890", "a secret text"
CALLBACK = Callback("answers/é", b"\x00\xff", "SEND-sms")


class Card:
    """A data folder with notes and report, which the power may be cut from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "open"
        self.start()
        self.now = time.monotonic()

    def start(self) -> None:
        self.report = Report(self.folder / "report", 12)
        self.notes = InFlight(self.path, self.report)

    def record(self, number: int, origin: Origin = ORIGIN) -> Record:
        record = Record.of(origin, f"id-{number}", RECEIVER, TEXT, time.time() + 600)
        self.notes.watch(record)
        return record

    def sweep(self, seconds: float = 6.0) -> None:
        """Let time go by."""
        self.now += seconds
        self.notes.sweep(self.now)

    def end(self, record: Record, state: State = State.SENT) -> None:
        record.become(Status(state, finished=time.time()))
        self.report.append(record)

    def lost(self) -> dict[str, Record]:
        """Cut the power, and give what is told at the next start."""
        self.start()
        left = self.notes.left_over()
        return {record.client_id or "": record for record in self.notes.lost_records(left.values())}


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return Card(tmp_path)


def test_what_ends_within_five_seconds_costs_nothing(card: Card) -> None:
    for number in range(100):
        record = card.record(number)
        card.notes.sweep(record.taken + 4.9)
        card.end(record)
    card.sweep()
    card.sweep()
    assert not card.path.exists()
    assert not list((card.folder / "report").glob("*")), "nor is the report written sooner than else"


def test_what_waits_for_longer_is_told_as_lost_after_a_power_cut(card: Card) -> None:
    origin = Origin("ws", Sender("topic"), callback=CALLBACK)
    first, second = card.record(1, origin), card.record(2)
    card.sweep()
    assert stat.S_IMODE(card.path.stat().st_mode) == 0o600
    lost = card.lost()
    assert list(lost) == ["id-1", "id-2"]
    for before, after in zip((first, second), lost.values(), strict=True):
        assert (after.state, after.code) == (State.LOST, ResponseCode.UNCONFIRMED)
        assert after.state.final
        assert after.cause == "the power failed before its end was written down; it may or may not have gone out"
        assert after.receiver == after.receiver_shown == "62812******90"
        for name in ("message_id", "client_id", "answer_to"):
            assert getattr(after, name) == getattr(before, name)
        assert (after.origin.ingress, after.origin.sender) == (before.origin.ingress, before.origin.sender)
        assert after.created == pytest.approx(before.created, abs=0.1)
        assert after.expires == pytest.approx(before.expires, abs=1)
        assert (after.finished, after.text, after.digest) == (None, None, b"")


def test_no_text_and_no_full_receiver_is_in_the_notes(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    documents: list[str] = []
    dumps = json.dumps

    def listened(document: object, **options: Any) -> str:
        documents.append(dumps(document, **options))
        return documents[-1]

    monkeypatch.setattr(json, "dumps", listened)
    record = card.record(1)
    assert record.receiver_shown == RECEIVER, "the administrator may want it plain in logs and report"
    card.sweep()
    assert any('"id-1"' in document for document in documents)
    assert not any(TEXT in document or RECEIVER in document for document in documents)
    assert TEXT.encode() not in card.path.read_bytes()


def test_what_its_source_keeps_is_not_noted(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.add("m0", start=False)
    kept = Origin("broker", Sender("queue"), kept_by_source=True)
    bench.enqueue(id="1", origin=kept)
    bench.dispatch._notes.sweep(time.monotonic() + 10)
    assert not (bench.folder / "open").exists()
    bench.enqueue(id="2")
    bench.dispatch._notes.sweep(time.monotonic() + 20)
    assert (bench.folder / "open").stat().st_size > 0


def test_what_ended_is_in_the_report_before_its_note_is_dropped(card: Card) -> None:
    records = [card.record(number) for number in range(3)]
    card.sweep()
    card.end(records[0])
    size = card.path.stat().st_size
    card.sweep()  # finds it
    card.sweep()  # writes the report
    assert card.path.stat().st_size == size, "the file is not written for one that ended"
    assert list(card.lost()) == ["id-1", "id-2"]


def test_the_file_is_emptied_when_nothing_is_open(card: Card) -> None:
    records = [card.record(number) for number in range(3)]
    card.sweep()
    for record in records:
        card.end(record)
    for _ in range(3):
        card.sweep()
    assert card.path.stat().st_size == 0
    assert card.lost() == {}


def test_an_end_that_is_not_in_the_report_yet_is_not_forgotten(card: Card) -> None:
    record = card.record(1)
    card.sweep()
    record.become(Status(State.SENT))  # its report is still on its way
    card.sweep()
    assert list(card.lost()) == ["id-1"]


def test_a_file_cut_at_every_byte_tells_what_was_written_before(card: Card, caplog: pytest.LogCaptureFixture) -> None:
    ends = []
    for number in range(3):
        card.record(number)
        card.sweep()
        ends.append(card.path.stat().st_size)
    whole = card.path.read_bytes()
    for size in range(len(whole) + 1):
        card.path.write_bytes(whole[:size])
        assert list(card.lost()) == [f"id-{number}" for number in range(3) if ends[number] <= size]
    assert "damaged" in caplog.text


def test_a_file_of_zeros_or_of_another_version_stops_nothing(card: Card, caplog: pytest.LogCaptureFixture) -> None:
    for content in (bytes(500), b"\xff" * 500, os.urandom(500)):
        card.path.write_bytes(content)
        assert card.lost() == {}
    card.record(1)
    card.path.write_bytes(b"")
    card.sweep()
    note = next(iter(card.notes.left_over().values()))
    strange = type(note)(note.message_id, ["too", "few"], note.stopped, note.since)
    assert card.notes.lost_records([strange]) == []
    assert "of another version" in caplog.text


def test_an_end_is_looked_for_in_the_report_behind_the_note_only(card: Card, time_zone: Callable[[str], None]) -> None:
    time_zone("UTC0")
    records = [card.record(number) for number in range(4)]
    (card.folder / "report").mkdir()
    (card.folder / "report" / "2001-01.jsonl").write_bytes(
        b'{"t":1,"m":"%b","s":"sent"}\n' % records[0].message_id.encode()
    )
    card.sweep()
    card.end(records[1])
    card.report.flush()
    (card.folder / "report" / "2999-01.jsonl").write_bytes(
        b'torn\n{"t":1}\n7\n{"t":1,"m":"%b","s":"sent"}' % records[2].message_id.encode()
    )
    assert list(card.lost()) == ["id-0", "id-3"]


def test_a_full_card_is_told_once_and_tried_again(
    card: Card, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    card.record(1)
    with monkeypatch.context() as patched:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        patched.setattr(in_flight_module, "append_whole", full)
        for _ in range(5):
            card.sweep()
        assert len(caplog.records) == 1
        assert card.notes.warnings() == ["the in-flight notes cannot be written: a power cut would not be told"]
    card.sweep(61)
    assert card.notes.warnings() == []
    assert list(card.lost()) == ["id-1"]


def test_a_report_that_cannot_be_written_keeps_the_notes(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    record = card.record(1)
    card.sweep()
    card.end(record)
    monkeypatch.setattr(card.report, "flush", lambda: False)
    for _ in range(4):
        card.sweep()
    assert card.notes.warnings()
    assert list(card.lost()) == ["id-1"]


def test_a_long_file_is_written_anew_with_what_is_open(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_flight_module, "_REWRITE_AT", 2000)
    staying = card.record(-1)
    card.sweep()
    for turn in range(20):
        records = [card.record(number) for number in range(turn * 20, turn * 20 + 20)]
        card.sweep()
        for record in records:
            card.end(record)
        card.sweep()
        card.sweep()
        assert card.path.stat().st_size < 6000
    assert list(card.lost()) == ["id--1"]
    assert staying.state is State.QUEUED


def test_what_waits_when_the_gateway_stops_was_not_sent_if_the_power_goes_then(make_bench: MakeBench) -> None:
    bench = make_bench()
    modem = bench.add("m0")
    modem.gate.clear()
    first = bench.enqueue("6281200000000", id="first")
    until(modem.sending.is_set)
    waiting = bench.enqueue(id="waiting")
    bench.close()
    card = Card(bench.folder)
    (record,) = card.lost().values()
    assert first.state is State.SENT
    assert (record.message_id, record.state, record.code) == (
        waiting.message_id,
        State.LOST,
        ResponseCode.FAILED,
    )
    assert record.cause == "the power was switched off before it was sent; its text was in RAM only"


def test_what_is_lost_is_told_everywhere_and_once(make_bench: MakeBench, tmp_path: Path) -> None:
    card = Card(tmp_path / "0")
    card.folder.mkdir(exist_ok=True)
    asked, silent = card.record(1, Origin("ws", Sender("topic"), callback=CALLBACK)), card.record(2)
    card.sweep()
    bench = make_bench()
    told: list[tuple[str, State]] = []
    later: list[str] = []

    def remember(event: MessageEnded) -> None:
        told.append((event.client_id or "", event.state))
        if event.unanswered:
            later.append(event.client_id or "")

    bench.events.subscribe(MessageEnded, remember)
    bench.dispatch.restore()
    assert told == [("id-1", State.LOST), ("id-2", State.LOST)]
    assert later == ["id-1", "id-2"]
    assert bench.dispatch.counts.ended["lost", "test"] == 1
    record = bench.dispatch.records.get(asked.message_id)
    assert record is not None
    assert (record.state, record.answer_to) == (State.LOST, ("ws", CALLBACK))
    (report,) = (bench.folder / "report").glob("*.jsonl")
    assert report.read_text().count('"s":"lost"') == 2
    assert (bench.folder / "open").stat().st_size == 0
    again = bench.dispatch.records.get(silent.message_id)
    assert again is not None
    # The same message may be sent now: whether it went out is not known, and what its text was neither.
    bench.add("m0")
    assert bench.end(bench.enqueue(RECEIVER, TEXT, id="id-2")) == (State.SENT,)


def test_a_crash_is_no_power_cut(make_bench: MakeBench, tmp_path: Path) -> None:
    first = make_bench()
    first.add("m0", start=False)
    record = first.enqueue(id="1")
    first.dispatch._notes.sweep(time.monotonic() + 6)
    noted = (first.folder / "open").read_bytes()
    second = DispatchBench(first.folder)  # the first one has died
    try:
        second.dispatch.restore()
        again = second.dispatch.records.get(record.message_id)
        assert again is not None
        assert again.state is State.QUEUED
        assert InFlight(second.folder / "open", second.report).left_over().keys() == {record.message_id}
        assert noted
        second.add("m0")
        assert second.end(again) == (State.SENT,)
    finally:
        second.close()
    assert (first.folder / "open").stat().st_size == 0


def test_what_a_note_costs(card: Card) -> None:
    for number in range(1000):
        card.record(number)
    card.sweep()
    assert card.path.stat().st_size / 1000 < 40
    card.path.unlink()
    card.record(7)
    card.sweep()
    assert card.path.stat().st_size < 110
