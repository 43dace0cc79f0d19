"""The spool: a crash or a restart loses no message, sends none twice, and nothing stays of one that has ended."""

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import NotSent
from otppi.api.events import MessageEnded
from otppi.api.ingress import Callback, Ingress, Origin, Sender
from otppi.api.message import OutgoingMessage, State
from otppi.api.modem import ModemState
from otppi.host.data_folder import DataFolder
from otppi.host.durable import spool as spool_module
from otppi.host.durable.spool import Spool, on_ram_disk, open_spool
from otppi.host.host import Host
from otppi.host.records.record import Record
from otppi.host.storage.sealed import SealedFile, spool_key
from otppi.testing.bench import DispatchBench
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE
from otppi.wire.envelope import Answer, ResponseCode

MakeBench = Callable[..., DispatchBench]
Revive = Callable[[DispatchBench], DispatchBench]
TEXT = "a secret text"
KEPT = Origin("broker", Sender("queue"), kept_by_source=True)
ASKED = Origin("ws", Sender("topic"), "192.0.2.1", callback=Callback("answers/é", b"\x00\xff", "SEND-sms"))


@pytest.fixture
def revive(tmp_path: Path, no_leaks: None) -> Iterator[Revive]:
    """Start a gateway on what another one has in its folders now: as after a kill, or after its end."""
    benches: list[DispatchBench] = []

    def one(bench: DispatchBench) -> DispatchBench:
        folder = tmp_path / f"revived-{len(benches)}"
        shutil.copytree(bench.folder, folder)
        benches.append(DispatchBench(folder))
        benches[-1].dispatch.restore()
        return benches[-1]

    yield one
    for bench in benches:
        bench.close()


def behind(bench: DispatchBench, count: int, **options: Any) -> tuple[Record, list[Record]]:
    """Have one message hang in the modem m0 after Ctrl-Z, and others wait behind it."""
    modem = bench.add("m0")
    modem.gate.clear()
    first = bench.enqueue("6281200000000", "the first", id="first")
    until(modem.sending.is_set)
    bench.journal.dispatched(first)
    waiting = []
    for number in range(count):
        record = bench.record(f"62812000000{number % 3}", f"{TEXT} {number}", id=str(number), **options)
        waiting.append(bench.dispatch.enqueue(record))
    return first, waiting


def found(bench: DispatchBench, record: Record) -> Record:
    again = bench.dispatch.records.get(record.message_id)
    assert again is not None
    return again


def spooled(bench: DispatchBench) -> bytes:
    return (bench.folder / "boot" / "spool").read_bytes().strip(b"\0")


def test_after_a_kill_what_waited_is_sent_in_its_order_and_what_hung_is_unconfirmed(
    make_bench: MakeBench, revive: Revive
) -> None:
    bench = make_bench()
    first, waiting = behind(bench, 6)
    second = revive(bench)
    assert found(second, first).state is State.UNCONFIRMED
    assert [found(second, record).state for record in waiting] == [State.QUEUED] * 6
    second.add("m0")
    again = [found(second, record) for record in waiting]
    assert second.end(*again) == (State.SENT,) * 6
    assert second.texts == [f"{TEXT} {number}" for number in range(6)]
    assert [sent.destination for sent in second.outbox] == [record.receiver for record in waiting]
    until(lambda: not spooled(second), "nothing is left of those that ended")
    assert all(record.text is None and record.slot is None for record in again)


def test_a_kill_between_two_messages_leaves_only_the_second_in_doubt(make_bench: MakeBench, revive: Revive) -> None:
    bench = make_bench()
    modem = bench.add("m0")
    in_the_air, answered = threading.Event(), threading.Event()

    def hang(message: OutgoingMessage) -> None:
        in_the_air.set()
        assert answered.wait(PATIENCE)
        message.progress.references.append(8)

    modem.script.extend([None, modem.after_dispatch(hang)])
    modem.gate.clear()
    first, second = (bench.enqueue(f"628120000000{number}", id=str(number), origin=ASKED) for number in range(2))
    modem.gate.set()
    until(in_the_air.is_set)
    assert first.state is State.SENDING, "its end is told while the network has the second"
    bench.dispatch._compact()  # the file that is written anew says as much
    after = revive(bench)
    assert [found(after, one).state for one in (first, second)] == [State.SENT, State.UNCONFIRMED]
    restored = found(after, first)
    assert restored.progress.references == first.progress.references, "its status report finds it"
    assert (restored.egress, restored.segments) == ("m0", 1)
    answered.set()
    bench.end(first, second)


def test_a_restored_record_is_what_it_was(make_bench: MakeBench, revive: Revive) -> None:
    bench = make_bench()
    _, (record,) = behind(bench, 1, bulk=True, flash=True, only="m0", origin=ASKED, receiver_shown="62812*****00")
    record.answer_to = ("ws", ASKED.callback)  # type: ignore[assignment]
    bench.journal.asked(record)
    again = found(revive(bench), record)
    same = ("message_id", "client_id", "digest", "created", "taken", "expires", "receiver", "receiver_shown", "text")
    for name in (*same, "bulk", "flash", "only", "answer_to"):
        assert getattr(again, name) == getattr(record, name), name
    assert (again.origin.ingress, again.origin.sender, again.origin.address) == ("ws", Sender("topic"), "192.0.2.1")
    assert again.restored
    assert again.deadline == pytest.approx(record.deadline, abs=0.01)


def test_it_survives_any_number_of_kills(make_bench: MakeBench, revive: Revive) -> None:
    bench = make_bench()
    _, waiting = behind(bench, 3)
    for _ in range(3):
        bench = revive(bench)
    bench.add("m0")
    assert bench.end(*(found(bench, record) for record in waiting)) == (State.SENT,) * 3
    assert len(bench.texts) == 3


def test_an_end_of_the_gateway_leaves_them_waiting_and_answers_who_waits(make_bench: MakeBench, revive: Revive) -> None:
    bench = make_bench()
    first, waiting = behind(bench, 2)
    told = threading.Event()
    seen: list[State] = []

    def ended() -> None:
        seen.append(waiting[0].state)
        told.set()

    assert bench.dispatch.on_end(waiting[0], ended)
    bench.close()
    assert first.state is State.SENT
    assert told.is_set()
    assert seen == [State.QUEUED]
    assert not bench.dispatch.on_end(waiting[1], told.set), "who asks later is answered at once"
    second = revive(bench)
    second.add("m0")
    assert second.end(*(found(second, record) for record in waiting)) == (State.SENT,) * 2


def test_what_its_source_keeps_is_not_in_the_spool(make_bench: MakeBench, revive: Revive) -> None:
    bench = make_bench()
    bench.add("m0", start=False)
    records = [bench.enqueue(id=str(number), origin=KEPT) for number in range(2)]
    assert not spooled(bench)
    again = found(revive(bench), records[0])
    assert (again.state, again.code) == (State.FAILED, ResponseCode.FAILED)
    assert again.cause == "the gateway stopped before it was sent; its source sends it again"
    bench.close()
    assert {record.state for record in records} == {State.FAILED}
    assert {record.code for record in records} == {ResponseCode.NO_MODEM}, "its consumer gives it back"


def test_a_duplicate_of_a_restored_message_is_known(make_bench: MakeBench, revive: Revive) -> None:
    bench = make_bench()
    _, waiting = behind(bench, 1)
    second = revive(bench)
    second.add("m0", start=False)
    again = second.enqueue(waiting[0].receiver, f"{TEXT} 0", id="0")
    assert again.message_id == waiting[0].message_id
    second.start("m0")
    assert second.end(again) == (State.SENT,)
    assert len(second.texts) == 1


def test_what_expired_meanwhile_or_has_no_modem_ends_honestly(make_bench: MakeBench, revive: Revive) -> None:
    bench = make_bench()
    bench.add("m0", start=False)
    expiring = bench.enqueue(id="1", lifetime=0.3)
    elsewhere = bench.enqueue(id="2", only="m0")
    until(lambda: time.monotonic() > expiring.deadline)
    # Housekeeping may have ended it by now; what the kill left is what counts.
    second = revive(bench)
    second.add("m1")
    assert second.end(found(second, expiring)) == (State.EXPIRED,)
    assert second.end(found(second, elsewhere)) == (State.FAILED,)
    assert found(second, elsewhere).code is ResponseCode.NO_MODEM
    assert found(second, elsewhere).cause == "no modem is connected that may send this"
    assert second.texts == []
    until(lambda: not spooled(second))


def test_what_was_taken_in_finds_room_in_a_queue_that_is_smaller_now(make_bench: MakeBench, revive: Revive) -> None:
    bench = make_bench()
    _, waiting = behind(bench, 8)
    second = revive(bench)
    second.add("m0", queue_size=2)
    assert second.end(*(found(second, record) for record in waiting)) == (State.SENT,) * 8


def test_a_message_that_was_certainly_not_sent_waits_again_and_one_with_parts_out_does_not(
    make_bench: MakeBench, revive: Revive
) -> None:
    bench = make_bench(attempts=100)
    modem = bench.add("m0")
    modem.script.append(NotSent("busy", retry_after=60.0))
    refused = bench.enqueue(id="1")
    until(lambda: refused.attempts == 1 and refused.state is State.QUEUED)
    begun = bench.enqueue("6281200000009", id="2")
    begun.progress.references.append(17)
    bench.dispatch._compact()
    second = revive(bench)
    assert found(second, refused).state is State.QUEUED
    assert found(second, begun).state is State.UNCONFIRMED


def test_what_the_sender_was_never_told_of_is_not_sent(make_bench: MakeBench, revive: Revive) -> None:
    bench = make_bench()
    bench.spool.store(bench.record(text=TEXT))  # the kill came before the journal had it
    second = revive(bench)
    second.add("m0")
    assert second.end(second.enqueue(id="new")) == (State.SENT,)
    assert len(second.texts) == 1
    until(lambda: not spooled(second))


def test_the_end_of_a_restored_message_is_told_to_who_asked_for_it(make_bench: MakeBench, revive: Revive) -> None:
    bench = make_bench()
    later: list[tuple[str, State]] = []

    def remember(event: MessageEnded) -> None:
        if event.unanswered:
            later.append((event.client_id or "", event.state))

    first, (asked, silent) = behind(bench, 2, origin=ASKED)
    bench.events.subscribe(MessageEnded, remember)
    second = revive(bench)
    second.events.subscribe(MessageEnded, remember)
    second.add("m0")
    second.end(found(second, asked), found(second, silent))
    assert second.end(second.enqueue(id="new")) == (State.SENT,)
    assert later == [("0", State.SENT), ("1", State.SENT)], "an answer tells the end of the others"
    assert found(second, first).state is State.UNCONFIRMED


def test_who_asked_for_a_duplicates_states_is_remembered(make_bench: MakeBench, revive: Revive) -> None:
    bench = make_bench()
    _, (record,) = behind(bench, 1)
    duplicate = bench.record(record.receiver, f"{TEXT} 0", id="0", answer_to=("ws", ASKED.callback))
    assert bench.dispatch.enqueue(duplicate) is record
    assert found(revive(bench), record).answer_to == ("ws", ASKED.callback)


def test_a_full_spool_stops_no_message_and_is_told_once(
    make_bench: MakeBench, caplog: pytest.LogCaptureFixture
) -> None:
    bench = make_bench()
    small = SealedFile(bench.folder / "small", bytes(32), limit=256 * 1024)
    bench.dispatch._spool, whole = Spool(small), bench.dispatch._spool
    try:
        modem = bench.add("m0", queue_size=5000)
        modem.gate.clear()
        records = [bench.enqueue(f"62812{number:07}", TEXT * 20, id=str(number)) for number in range(600)]
        assert len(caplog.records) == 1
        assert "would lose" in caplog.text
        (warning,) = bench.dispatch.warnings()
        assert warning.startswith("the spool is full: 88 messages")
        modem.gate.set()
        assert set(bench.end(*records)) == {State.SENT}
        until(lambda: bench.dispatch.warnings() == [] and len(small) == 0)
    finally:
        bench.dispatch._spool = whole
        small.close()


def test_without_a_ram_disk_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "_IN_RAM", frozenset())
    spool = open_spool(tmp_path)
    (warning,) = spool.warnings()
    assert warning.endswith("is not on a RAM disk")
    assert list(tmp_path.iterdir()) == []
    assert spool.left_over() == {}
    spool.close()


def test_what_is_a_ram_disk(tmp_path: Path) -> None:
    assert on_ram_disk(Path("/dev/shm"))  # noqa: S108 - only looked at
    assert not on_ram_disk(Path("/proc"))


def test_a_spool_that_cannot_be_opened_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(spool_module, "on_ram_disk", lambda _: True)
    (tmp_path / "spool").mkdir()
    spool = open_spool(tmp_path)
    assert "cannot be opened" in spool.warnings()[0]
    assert "there is no spool" in caplog.text
    record = Record.of(ASKED, None, "6281200000000", TEXT, time.time() + 60)
    spool.store(record)
    assert not spool.holds(record)
    spool.drop(record)
    spool.close()


def test_an_entry_of_another_version_is_erased(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = spool_key(tmp_path)
    file = SealedFile(tmp_path / "spool", key)
    for payload in (b"no JSON", b"[1, 2]", b'{"a": 1}', b"7"):
        file.put(payload)
    file.close()
    spool = Spool(SealedFile(tmp_path / "spool", key))
    assert spool.left_over() == {}
    assert caplog.text.count("of another version") == 4
    assert not (tmp_path / "spool").read_bytes().strip(b"\0")
    spool.close()


def test_nobody_can_read_it_and_no_text_is_logged(
    make_bench: MakeBench, revive: Revive, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bench = make_bench()
    _, waiting = behind(bench, 3)
    second = revive(bench)
    for one in (bench, second):
        for path in one.folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert TEXT.encode() not in content
                assert path.stat().st_mode & 0o077 == 0 or os.path.basename(path) == "report"  # noqa: PTH119
    second.add("m0")
    second.end(*(found(second, record) for record in waiting))
    assert TEXT not in caplog.text
    assert TEXT not in "".join(map(repr, (*waiting, *spool_entries(bench))))


def spool_entries(bench: DispatchBench) -> list[object]:
    folder = bench.folder / "boot"
    spool = Spool(SealedFile(folder / "spool", spool_key(folder)))
    try:
        return list(spool.left_over().values())
    finally:
        spool.close()


def test_the_end_after_a_restart_reaches_the_callback_topic(
    data: DataFolder, doubles: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "on_ram_disk", lambda _: True)
    origin = replace(ASKED, ingress="ingress-test")
    published: list[tuple[str, object]] = []

    def state_changed(_: object, callback: Callback, answer: Answer) -> None:
        assert callback == ASKED.callback
        assert isinstance(answer.data, dict)
        published.append((answer.command, answer.data["state"]))

    monkeypatch.setattr(Ingress, "state_changed", state_changed)
    host = Host(data, tmp_path / "boot")
    try:
        host.start()
        worker = host.dispatch.workers()[0]
        until(lambda: worker.status.state is ModemState.READY)
        doubles.modems[-1].gate.clear()
        for number in range(3):
            host.dispatch.enqueue(Record.of(origin, str(number), f"628120000000{number}", TEXT, time.time() + 60))
        until(doubles.modems[-1].sending.is_set)
        threading.Timer(0.1, doubles.modems[-1].gate.set).start()
    finally:
        host.stop()
    assert published == [], "the answer of the ingress itself tells these"
    data = DataFolder(tmp_path / "data", plugins=doubles.plugins)
    host = Host(data, tmp_path / "boot")
    try:
        host.start()
        until(lambda: len(published) == 2)
        assert published == [("SEND-sms", "sent")] * 2
    finally:
        host.stop()


def test_one_that_is_restored_is_not_sent_to_a_number_that_was_blocked_meanwhile(
    bench: DispatchBench, revive: Revive
) -> None:
    _, waiting = behind(bench, 2, reference="R-1")
    revived = revive(bench)
    revived.dispatch.is_blocked = lambda receiver: receiver == waiting[0].receiver
    revived.add("m0")
    blocked, sent = (found(revived, record) for record in waiting)
    assert revived.end(blocked, sent) == (State.BLOCKED, State.SENT)
    assert (blocked.code, sent.reference) == (ResponseCode.BLOCKED, "R-1")
    assert [one.destination for one in revived.outbox] == [waiting[1].receiver]
