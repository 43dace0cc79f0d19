"""What a crash leaves behind: nothing goes twice, nothing is forgotten silently, and no text is in the file."""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from otppi.api.errors import Unconfirmed
from otppi.api.message import State
from otppi.host.durable import journal as journal_module
from otppi.host.durable.journal import Journal
from otppi.host.records.record import Record, Status
from otppi.host.records.table import Records
from otppi.testing.bench import ORIGIN, DispatchBench
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE
from otppi.wire.envelope import ResponseCode
from otppi.wire.msisdn import mask

MakeBench = Callable[..., DispatchBench]
RECEIVER = "6281234567890"


@contextmanager
def opened(folder: Path) -> Iterator[Journal]:
    journal = Journal(folder)
    try:
        yield journal
    finally:
        journal.close()


def record(number: int = 0) -> Record:
    one = Record.of(ORIGIN, str(number), RECEIVER, "a text", 2_000_000_000.5, receiver_shown=mask(RECEIVER))
    one.message_id = f"{number:016x}"
    one.digest = bytes([number % 256]) * 16
    one.become(Status(egress="m0"))
    return one


def ended(one: Record, state: State = State.SENT, code: ResponseCode = ResponseCode.SUCCESS) -> Record:
    one.become(Status(state, code, None, "m0", 2, 1_900_000_000.25))
    return one


def states(folder: Path) -> list[tuple[str, State, ResponseCode]]:
    with opened(folder) as journal:
        return [(one.message_id[-1], one.state, one.code) for one in journal.replay()]


def test_each_stage_is_told_honestly(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        records = [record(number) for number in range(4)]
        for one in records:
            journal.taken(one)
        for one in records[1:]:
            journal.dispatched(one)
        journal.ended(ended(records[2]))
        failed = ended(records[3], State.FAILED, ResponseCode.FAILED)
        failed.become(replace(failed.status, cause="no such number"))
        journal.ended(failed)
    with opened(tmp_path) as journal:
        queued, sending, sent, failed = journal.replay()
    assert (queued.state, queued.code, queued.finished) == (State.FAILED, ResponseCode.FAILED, None)
    assert (sending.state, sending.code, sending.finished) == (State.UNCONFIRMED, ResponseCode.UNCONFIRMED, None)
    assert sending.egress == "m0"
    assert (sent.state, sent.code, sent.finished, sent.segments) == (
        State.SENT,
        ResponseCode.SUCCESS,
        1_900_000_000.25,
        2,
    )
    assert (failed.state, failed.cause) == (State.FAILED, "no such number")
    for before, after in zip(records, (queued, sending, sent, failed), strict=True):
        for name in ("message_id", "client_id", "digest", "created", "expires", "origin", "receiver_shown"):
            assert getattr(before, name) == getattr(after, name)
        assert after.text is None
        assert after.taken <= before.taken


def test_what_was_accepted_is_sent_although_its_end_is_not_noted(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        first, second = record(1), record(2)
        for one in (first, second):
            journal.taken(one)
        first.progress.segments = 2
        journal.dispatched(first)
        first.progress.references = [7, 8]
        journal.dispatched(second, first)
    written = (tmp_path / "journal").read_bytes()
    with opened(tmp_path) as journal:
        sent, in_doubt = journal.replay()
    assert (sent.state, sent.code, sent.egress, sent.segments) == (State.SENT, ResponseCode.SUCCESS, "m0", 2)
    assert (sent.finished, sent.progress.references) == (None, [7, 8]), "when it ended was not told yet, nor whom"
    assert in_doubt.state is State.UNCONFIRMED
    (tmp_path / "journal").write_bytes(written[: written.rindex(b'["dispatched"')])
    assert [state for _, state, _ in states(tmp_path)] == [State.SENT, State.FAILED]


def test_what_ended_otherwise_is_not_made_sent(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        first, second = record(1), record(2)
        for one in (first, second):
            journal.taken(one)
        journal.dispatched(first)
        journal.ended(ended(first, State.DELIVERED))
        journal.dispatched(second, first)
    assert [state for _, state, _ in states(tmp_path)] == [State.DELIVERED, State.UNCONFIRMED]


def test_a_cut_at_every_byte_leaves_each_message_in_a_state_that_it_had(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        one, other = record(1), record(2)
        journal.taken(one)
        journal.dispatched(one)
        journal.taken(other)
        journal.ended(ended(one))
        journal.dispatched(other)
    whole = (tmp_path / "journal").read_bytes()
    lines = whole.splitlines(keepends=True)
    before = [
        [],
        [State.FAILED],
        [State.UNCONFIRMED],
        [State.UNCONFIRMED, State.FAILED],
        [State.SENT, State.FAILED],
        [State.SENT, State.UNCONFIRMED],
    ]
    for size in range(len(whole) + 1):
        (tmp_path / "journal").write_bytes(whole[:size])
        # A line counts when it is there as a whole, with or without its line feed.
        complete = sum(len(b"".join(lines[: number + 1])) - 1 <= size for number in range(len(lines)))
        assert [state for _, state, _ in states(tmp_path)] == before[complete]


def test_what_is_noted_after_a_cut_line_is_read(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.taken(record(1))
        journal.taken(record(2))
    path = tmp_path / "journal"
    path.write_bytes(path.read_bytes()[:-30])
    with opened(tmp_path) as journal:
        journal.taken(record(3))
        journal.dispatched(record(3))
    assert [(number, state) for number, state, _ in states(tmp_path)] == [("1", State.FAILED), ("3", State.UNCONFIRMED)]


@pytest.mark.parametrize(
    "line",
    [
        b"7",
        b"[]",
        b'["taken"]',
        b'["taken","1","zz"]',
        b'["ended","0000000000000001","gone","0000",null,1,null,1]',
        b'["ended","0000000000000001","sent","0000",null,1,null,[]]',
        b'["ended","0000000000000001","sent","0000",null,"?",null,1]',
        b'["taken","2","00","?",1,1,"2","62","rest","app"]',
        b'["taken","2","00",1,1,"?","2","62","rest","app"]',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_a_line_of_another_version_does_not_stop_the_gateway(tmp_path: Path, line: bytes) -> None:
    with opened(tmp_path) as journal:
        journal.taken(record(1))
    with (tmp_path / "journal").open("ab") as file:
        file.write(line + b"\n")
    assert states(tmp_path) == [("1", State.FAILED, ResponseCode.FAILED)]


def test_no_text_and_no_full_receiver_and_only_the_owner_may_read(make_bench: MakeBench, tmp_path: Path) -> None:
    bench = make_bench()
    modem = bench.add("m0")
    modem.script.extend([None, Unconfirmed("no answer")])
    text = "a secret text"
    bench.end(
        *(bench.enqueue(RECEIVER, text=text, id=str(number), receiver_shown=mask(RECEIVER)) for number in range(3))
    )
    bench.dispatch._compact()
    bench.dispatch.note_ended()
    bench.dispatch._save()
    files = [path for path in bench.folder.rglob("*") if path.is_file()]
    # The journal, its key and its reserve, spool and its key, report and its sums, usage and its key.
    assert len(files) == 9
    for path in files:
        content = path.read_bytes()
        assert text.encode() not in content
        assert RECEIVER.encode() not in content
        assert RECEIVER[-6:].encode() not in content
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_compaction_keeps_what_matters_and_the_file_small(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        records = [record(number) for number in range(5)]
        for one in records:
            for _ in range(50):
                journal.taken(one)
        records[1].become(Status(State.SENDING, egress="m0"))
        records[2].again = True
        ended(records[3])
        records[4].progress.references.append(17)  # waits for its second part
        size = (tmp_path / "journal").stat().st_size
        journal.compact(records)
        assert (tmp_path / "journal").stat().st_size < size / 20
        journal.dispatched(records[0])
    wanted = [State.UNCONFIRMED, State.UNCONFIRMED, State.UNCONFIRMED, State.SENT, State.UNCONFIRMED]
    assert [state for _, state, _ in states(tmp_path)] == wanted


def test_a_compaction_whose_file_cannot_be_put_in_place_notes_on_in_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with opened(tmp_path) as journal:
        one = record()
        journal.taken(one)
        descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counting is all
        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", refuse)
            with pytest.raises(OSError, match="No space"):
                journal.compact([one])
        assert len(os.listdir("/proc/self/fd")) == descriptors  # noqa: PTH208 - counting is all
        journal.ended(ended(one))
    assert states(tmp_path) == [("0", State.SENT, ResponseCode.SUCCESS)]


def test_compaction_and_appends_at_once(make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_COMPACT_AT", 2000)
    bench = make_bench()
    for number in range(4):
        bench.add(f"m{number}")
    stop = threading.Event()

    def compact() -> None:
        while not stop.wait(0.0002):  # the lock is not fair: who takes it again at once keeps all others out
            bench.dispatch._compact()

    compactor = threading.Thread(target=compact)
    compactor.start()
    try:
        records = [bench.enqueue(f"62812{number:08}", id=str(number)) for number in range(400)]
        bench.end(*records)
    finally:
        stop.set()
        compactor.join(PATIENCE)
    bench.modems["m0"].gate.clear()
    waiting = bench.enqueue("6281300000000", id="waiting", only="m0")
    until(bench.modems["m0"].sending.is_set)
    behind = bench.enqueue("6281300000001", id="behind", only="m0")
    bench.dispatch._compact()
    with opened(bench.folder / "boot") as journal:
        replayed = {one.message_id: one.state for one in journal.replay()}
    assert {replayed.pop(one.message_id) for one in records} == {State.SENT}
    assert replayed == {waiting.message_id: State.UNCONFIRMED, behind.message_id: State.FAILED}


def test_a_compaction_that_fails_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path) as journal:
        journal.taken(record(1))
        (tmp_path / "journal.new").mkdir()
        with pytest.raises(OSError, match=r"journal\.new"):
            journal.compact([])
        journal.dispatched(record(1))
    assert [state for _, state, _ in states(tmp_path)] == [State.UNCONFIRMED]


def test_a_full_disk_stops_no_message(bench: DispatchBench, caplog: pytest.LogCaptureFixture) -> None:
    bench.add("m0")
    with pytest.MonkeyPatch.context() as patch, Path("/dev/full").open("wb", buffering=0) as full:
        patch.setattr(bench.journal, "_descriptor", full.fileno())
        assert bench.end(bench.enqueue()) == (State.SENT,)
    assert "the journal cannot be written: " in caplog.text
    assert bench.end(bench.enqueue()) == (State.SENT,)


def test_a_line_of_which_only_a_part_was_written_spoils_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    with opened(tmp_path) as journal:
        journal.taken(record(1))
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:20]))
            journal.taken(record(2))
        journal.taken(record(3))
    assert [number for number, _, _ in states(tmp_path)] == ["1", "2", "3"], "it is in the reserve"


def test_what_is_noted_after_the_end_goes_nowhere(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.taken(record(1))
    journal.close()
    journal.close()
    with (tmp_path / "another file").open("wb") as other:  # it gets the same descriptor
        journal.dispatched(record(1))
        journal.compact([])
        other.flush()
    assert (tmp_path / "another file").read_bytes() == b""
    assert [state for _, state, _ in states(tmp_path)] == [State.FAILED]


def test_the_key_stays_and_a_damaged_one_is_replaced(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        key = journal.key
    assert len(key) == 32
    with opened(tmp_path) as journal:
        assert journal.key == key
    (tmp_path / "journal.key").write_bytes(key[:31])
    with opened(tmp_path) as journal:
        assert len(journal.key) == 32
        assert journal.key[:31] != key[:31]


def test_a_duplicate_is_known_after_a_restart_and_what_failed_may_come_again(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    first = make_bench()
    modem = first.add("m0")
    modem.script.extend([None, Unconfirmed("no answer")])
    sent, doubtful = first.enqueue(id="sent"), first.enqueue(id="doubtful")
    first.end(sent, doubtful)
    modem.gate.clear()
    first.enqueue(id="in the air", only="m0")
    until(modem.sending.is_set)
    waiting = first.enqueue(id="waiting", only="m0")
    first.journal.dispatched(modem_record(first))
    journal = (first.folder / "boot" / "journal").read_bytes()

    second = make_bench()
    (second.folder / "boot" / "journal").write_bytes(journal)
    second.dispatch.records = Records(first.journal.key)
    second.dispatch.restore()
    second.add("m0")
    assert second.enqueue(id="sent").state is State.SENT
    assert second.enqueue(id="sent").message_id == sent.message_id
    assert second.enqueue(id="doubtful").state is State.UNCONFIRMED
    assert second.enqueue(id="in the air").state is State.UNCONFIRMED
    again = second.enqueue(id="waiting")
    assert again.message_id != waiting.message_id
    assert second.end(again) == (State.SENT,)
    known = second.dispatch.records.get(waiting.message_id)
    assert known is not None
    assert (known.state, known.cause) == (State.FAILED, "the gateway stopped before it was sent")
    second.dispatch.close()
    (report,) = (second.folder / "report").glob("*.jsonl")
    assert (
        report.read_text().count("\n") == 5
    )  # what was not in the report yet, what the crash ended, what was sent now


def modem_record(bench: DispatchBench) -> Record:
    record = bench.worker("m0").sending
    assert record is not None
    return record


def test_a_second_restart_tells_the_crash_only_once(tmp_path: Path) -> None:
    with opened(tmp_path / "boot") as journal:
        journal.taken(record(1))
    for lines in (1, 1):
        bench = DispatchBench(tmp_path)
        bench.dispatch.restore()
        bench.close()
        (report,) = (tmp_path / "report").glob("*.jsonl")
        assert report.read_text().count("\n") == lines
