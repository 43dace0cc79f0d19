"""Status reports and late confirmations: which message they are about, and what becomes of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import Unconfirmed
from otppi.api.events import DeliveryOutcome, DeliveryReport, MessageChanged, MessageEnded
from otppi.api.message import OutgoingMessage, State
from otppi.host.durable.journal import Journal
from otppi.host.messages.answers import of_record
from otppi.host.messages.receipts import Receipts
from otppi.host.records.record import Record, Status
from otppi.testing.bench import ORIGIN, DispatchBench
from otppi.testing.scripted import until
from otppi.wire.envelope import ResponseCode
from otppi.wire.msisdn import mask

RECEIVER = "6281200000001"
DELIVERED, PENDING, FAILED = DeliveryOutcome


def report(
    reference: int, outcome: DeliveryOutcome = DELIVERED, destination: str = RECEIVER, status: int = 0
) -> DeliveryReport:
    return DeliveryReport(destination, reference, outcome, status, discharged=1_900_000_000.0)


def out(*references: int, segments: int | None = None, modem: str = "m0", receiver: str = RECEIVER) -> Record:
    """Make a record whose parts went out under these references."""
    record = Record.of(ORIGIN, None, receiver, None, 2_000_000_000.0)
    record.become(Status(egress=modem, segments=len(references) if segments is None else segments))
    record.progress.references = list(references)
    return record


@pytest.fixture
def receipts() -> Receipts:
    return Receipts(lambda _: True)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[DispatchBench]:
    with DispatchBench(tmp_path) as one:
        yield one


# -- which message is meant --------------------------------------------------------------------------------------------


def test_modem_reference_and_receiver_name_a_message(receipts: Receipts) -> None:
    records = [out(7), out(7, modem="m1"), out(7, receiver="6281200000002"), out(8)]
    for record in records:
        assert receipts.expect(record) == []
    assert receipts.match("m1", report(7)) == (records[1], DELIVERED)
    assert receipts.match("m0", report(7, destination="6281200000002")) == (records[2], DELIVERED)
    assert receipts.match("m0", report(7)) == (records[0], DELIVERED)
    assert receipts.match("m0", report(7)) is None
    assert receipts.match("m2", report(8)) is None


def test_the_newest_is_meant_where_a_reference_comes_again(receipts: Receipts) -> None:
    older, newer = out(3), out(3)
    receipts.expect(older)
    receipts.expect(newer)
    assert receipts.match("m0", report(3)) == (newer, DELIVERED)
    assert receipts.match("m0", report(3)) == (older, DELIVERED)


@pytest.mark.parametrize("destination", ["081200000001", "6281200000001", ""])
def test_a_number_may_come_in_another_form(receipts: Receipts, destination: str) -> None:
    record = out(1)
    receipts.expect(record)
    assert receipts.match("m0", report(1, destination=destination)) == (record, DELIVERED)


def test_a_number_that_is_masked_since_a_restart_is_known_again(receipts: Receipts) -> None:
    record = out(1, receiver=mask(RECEIVER))
    receipts.expect(record)
    assert receipts.match("m0", report(1, destination="6281200000092")) is None
    assert receipts.match("m0", report(1)) == (record, DELIVERED)


def test_service_numbers_are_told_apart(receipts: Receipts) -> None:
    records = [out(7, receiver="*888#"), out(7, receiver="88888")]
    for record in records:
        receipts.expect(record)
    assert receipts.match("m0", report(7, destination="*888#")) == (records[0], DELIVERED)
    assert receipts.match("m0", report(7, destination="6281200088888")) is None
    assert receipts.match("m0", report(7, destination="88888")) == (records[1], DELIVERED)


def test_all_parts_have_to_arrive_and_one_that_fails_is_enough(receipts: Receipts) -> None:
    whole, broken = out(1, 2, 3), out(4, 5)
    receipts.expect(whole)
    receipts.expect(broken)
    assert [receipts.match("m0", report(number)) for number in (3, 1, 1)] == [(whole, PENDING)] * 3
    assert receipts.match("m0", report(2, PENDING)) == (whole, PENDING)
    assert receipts.match("m0", report(2)) == (whole, DELIVERED)
    assert receipts.match("m0", report(4)) == (broken, PENDING)
    assert receipts.match("m0", report(5, FAILED)) == (broken, FAILED)


def test_a_report_that_comes_before_the_end_is_kept_for_its_message_alone(receipts: Receipts) -> None:
    assert receipts.match("m0", report(9)) is None
    assert receipts.expect(out(8)) == []
    assert receipts.expect(out(9, modem="m1")) == []
    assert receipts.expect(out(9, receiver="6281200000002")) == []
    assert receipts.expect(out(9)) == [report(9)]
    assert receipts.expect(out(9)) == []


def test_a_part_of_unknown_reference_is_found_by_its_receiver(receipts: Receipts) -> None:
    lost, other = out(segments=1), out(segments=1, receiver="6281200000002")
    receipts.expect(lost)
    receipts.expect(other)
    assert receipts.match("m0", report(77, destination="")) is None  # it may be either
    assert receipts.match("m0", report(77)) == (lost, DELIVERED)
    assert lost.progress.references == [77]


def test_nobody_guesses_which_of_two_lost_ones_is_meant(receipts: Receipts) -> None:
    receipts.expect(out(segments=1))
    receipts.expect(out(segments=1))
    assert receipts.match("m0", report(77)) is None


def test_a_modem_that_tells_no_reference_gets_its_reports_all_the_same(receipts: Receipts) -> None:
    record = out(-1)
    receipts.expect(record)
    assert receipts.match("m0", report(12)) == (record, DELIVERED)


def test_a_message_that_is_known_no_more_is_not_waited_for() -> None:
    known: set[str] = set()
    receipts = Receipts(known.__contains__)
    records = [out(reference) for reference in (1, 2, 3)]
    for record in records:
        known.add(record.message_id)
        receipts.expect(record)
    known -= {records[0].message_id, records[1].message_id}
    known.add((last := out(4)).message_id)
    receipts.expect(last)
    assert receipts.match("m0", report(1)) is None
    assert receipts.match("m0", report(2)) is None
    assert receipts.match("m0", report(3)) == (records[2], DELIVERED)
    assert len(receipts._awaited) == 1


# -- what becomes of it ------------------------------------------------------------------------------------------------


def test_sent_becomes_delivered_and_everybody_is_told(bench: DispatchBench) -> None:
    told: list[State] = []
    for kind in (MessageEnded, MessageChanged):
        bench.events.subscribe(kind, lambda event: told.append(event.state))
    bench.add("m0")
    record = bench.enqueue()
    assert bench.end(record) == (State.SENT,)
    (reference,) = record.progress.references
    bench.dispatch.reported("m0", report(reference))
    assert record.state is State.DELIVERED
    assert told == [State.SENT, State.DELIVERED]
    assert of_record(record).data["discharged"] == 1_900_000_000
    assert bench.dispatch.counts.ended["delivered", "test"] == 1


def test_what_the_network_gives_up_is_undelivered_and_says_why(bench: DispatchBench) -> None:
    bench.add("m0")
    record = bench.enqueue()
    bench.end(record)
    bench.dispatch.reported("m0", report(record.progress.references[0], FAILED, status=0x46))
    outcome = of_record(record)
    assert (outcome.data["state"], outcome.code) == ("undelivered", ResponseCode.FAILED)
    assert outcome.data["cause"] == (
        "the network could not deliver it: its validity period expired at the service centre (TP-Status 0x46)"
    )
    bench.dispatch.reported("m0", report(record.progress.references[0]))  # it got there all the same
    assert of_record(record).data.get("cause") is None
    assert of_record(record).code is ResponseCode.SUCCESS


def test_pending_changes_nothing(bench: DispatchBench) -> None:
    bench.add("m0")
    record = bench.enqueue()
    bench.end(record)
    bench.dispatch.reported("m0", report(record.progress.references[0], PENDING, status=0x30))
    assert record.state is State.SENT


def lost_result(message: OutgoingMessage) -> None:
    message.progress.segments = 1
    raise Unconfirmed("the network did not answer in time")


def test_a_report_resolves_unconfirmed(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    modem.script.append(modem.after_dispatch(lost_result))
    record = bench.enqueue()
    assert bench.end(record) == (State.UNCONFIRMED,)
    bench.dispatch.reported("m0", report(200))
    assert (record.state, record.code, record.cause) == (State.DELIVERED, ResponseCode.SUCCESS, None)


def test_a_late_confirmation_resolves_unconfirmed(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    modem.script.append(modem.after_dispatch(lost_result))
    record = bench.enqueue()
    assert bench.end(record) == (State.UNCONFIRMED,)
    bench.dispatch.accepted_late(record.message_id, 200)
    assert (record.state, record.code) == (State.SENT, ResponseCode.SUCCESS)
    bench.dispatch.accepted_late(record.message_id, 201)  # nothing is outstanding any more
    bench.dispatch.reported("m0", report(200))
    assert record.state is State.DELIVERED


def test_a_report_that_comes_before_its_message_is_known_to_be_sent(bench: DispatchBench) -> None:
    modem = bench.add("m0")

    def report_first(message: OutgoingMessage) -> None:
        modem.succeed(message)
        bench.dispatch.reported("m0", report(message.progress.references[0]))

    modem.script.append(report_first)
    record = bench.enqueue()
    bench.end(record)
    until(lambda: record.state is State.DELIVERED, "the report is found")


def test_a_stranger_s_report_changes_nothing(bench: DispatchBench) -> None:
    bench.add("m0")
    record = bench.enqueue()
    bench.end(record)
    bench.dispatch.reported("m1", report(record.progress.references[0]))
    assert record.state is State.SENT


def test_a_restart_does_not_lose_what_is_waited_for(tmp_path: Path) -> None:
    with DispatchBench(tmp_path) as bench:
        modem = bench.add("m0")
        modem.script.extend([modem.after_dispatch(lost_result), None])
        lost, sent = bench.enqueue(receiver_shown=mask(RECEIVER)), bench.enqueue("6281200000002")
        bench.end(lost, sent)
    with DispatchBench(tmp_path) as bench:
        bench.dispatch.restore()
        bench.dispatch.reported("m0", report(33))
        bench.dispatch.reported("m0", report(sent.progress.references[0], destination="6281200000002"))
        states = [bench.dispatch.records.get(one.message_id) for one in (lost, sent)]
        assert [one and one.state for one in states] == [State.DELIVERED, State.DELIVERED]


def test_a_kill_before_the_answer_is_resolved_by_a_report(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "boot")
    record = Record.of(ORIGIN, None, RECEIVER, "a text", 2_000_000_000.0)
    record.become(Status(State.SENDING, egress="m0"))
    record.progress.segments = 1
    journal.taken(record)
    journal.dispatched(record)
    journal.close()
    with DispatchBench(tmp_path) as bench:
        bench.dispatch.restore()
        bench.dispatch.reported("m0", report(33))
        found = bench.dispatch.records.get(record.message_id)
        assert found is not None
        assert found.state is State.DELIVERED


def test_the_report_has_the_later_state_once(bench: DispatchBench) -> None:
    bench.add("m0")
    quick, slow = bench.enqueue(), bench.enqueue("6281200000002")
    bench.end(quick, slow)
    bench.dispatch.reported("m0", report(quick.progress.references[0]))

    def written() -> list[dict[str, Any]]:
        bench.dispatch.note_ended()
        bench.report.flush()
        (file,) = (bench.folder / "report").glob("*.jsonl")
        return [json.loads(line) for line in file.read_text().splitlines()]

    until(lambda: len(written()) == 2)  # the modem's own thread may have the line in its hands just now
    bench.dispatch.reported("m0", report(slow.progress.references[0], destination="6281200000002"))
    lines = written()
    assert [(line["m"], line["s"]) for line in lines] == [
        (quick.message_id, "delivered"),
        (slow.message_id, "sent"),
        (slow.message_id, "delivered"),
    ]
    assert lines[-1].keys() == {"t", "m", "s", "o"}
    assert lines[-1]["o"] == [lines[1]["t"], "sent", "62812", "m0", 1, lines[1]["from"], 0.0]
