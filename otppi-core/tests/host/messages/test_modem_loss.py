"""What becomes of messages whose modem is lost, changed or removed, or stops between two parts."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from otppi.api.errors import ModemBlocked, ModemLost, ModemUnfit, NotSent, Unconfirmed
from otppi.api.message import OutgoingMessage, State
from otppi.api.modem import ModemState
from otppi.host.messages.refusal import NotAccepted
from otppi.host.records.record import Record
from otppi.testing.bench import RULES, DispatchBench
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE
from otppi.wire.envelope import ResponseCode

MakeBench = Callable[..., DispatchBench]
ANI, BUDI = "6281200000001", "6281200000002"


def refusal(bench: DispatchBench, **options: object) -> NotAccepted:
    with pytest.raises(NotAccepted) as caught:
        bench.enqueue(**options)  # type: ignore[arg-type]
    return caught.value


# -- several parts -----------------------------------------------------------------------------------------------------


def part_then(error: Exception) -> Callable[[OutgoingMessage], None]:
    def step(message: OutgoingMessage) -> None:
        message.progress.segments = 2
        if not message.progress.references:
            message.progress.references.append(1)
        raise error

    return step


def rest(message: OutgoingMessage) -> None:
    assert message.progress.references == [1]
    message.progress.references.append(2)


@pytest.mark.parametrize(
    "error", [NotSent("no prompt"), ModemLost("unplugged"), ModemUnfit("no credit"), NotSent("busy", retry_after=0.01)]
)
def test_a_message_of_several_parts_goes_on_with_the_same_modem(bench: DispatchBench, error: Exception) -> None:
    modem, other = bench.add("m0", default=True), bench.add("m1")
    modem.script.extend([part_then(error), rest])
    record = bench.enqueue()
    assert bench.end(record) == (State.SENT,)
    assert (record.egress, record.segments, record.progress.references) == ("m0", 2, [1, 2])
    assert not other.attempts


@pytest.mark.parametrize("error", [ModemUnfit("no credit"), NotSent("no prompt")])
def test_a_message_that_is_stuck_between_parts_ends(bench: DispatchBench, error: Exception) -> None:
    modem, other = bench.add("m0", default=True), bench.add("m1")
    modem.script.extend([part_then(error)] * 3)
    assert bench.end(bench.enqueue()) == (State.FAILED,)
    assert (len(modem.attempts), len(other.attempts)) == (3, 0)


def test_the_rest_of_a_message_does_not_go_by_another_modem(make_bench: MakeBench) -> None:
    bench = make_bench(modem_grace=0.05)
    modem, other = bench.add("m0", default=True), bench.add("m1")
    modem.openings.extend([ModemLost("unplugged")] * 50)
    modem.script.append(part_then(ModemLost("unplugged")))
    record = bench.enqueue()
    assert bench.end(record) == (State.FAILED,)
    assert record.code is ResponseCode.NO_MODEM
    assert not other.attempts


# -- a modem that is lost ----------------------------------------------------------------------------------------------


def test_what_waits_for_a_lost_modem_goes_by_others_at_once(bench: DispatchBench) -> None:
    modem, other = bench.add("m0", default=True), bench.add("m1")
    modem.gate.clear()
    modem.script.append(ModemLost("unplugged"))
    modem.openings.extend([ModemLost("unplugged")] * 3)
    records = [bench.enqueue(f"62812000000{number}", text=str(number)) for number in range(6)]
    until(modem.sending.is_set)
    modem.gate.set()
    assert set(bench.end(*records)) == {State.SENT}
    assert {record.egress for record in records} == {"m1"}
    assert len(other.attempts) == 6


def test_what_waits_for_a_lost_modem_goes_by_one_that_becomes_ready_later(bench: DispatchBench) -> None:
    modem, other = bench.add("m0"), bench.add("m1", start=False)
    modem.openings.extend([ModemLost("unplugged")] * 50)
    modem.lose()
    bench.until_state("m0", ModemState.RECOVERING)
    record = bench.enqueue(ANI)
    if record.egress == "m1":
        record = bench.enqueue(BUDI)
    assert record.egress == "m0"
    bench.start("m1")
    assert bench.end(record) == (State.SENT,)
    assert other.attempts


def test_a_message_waits_for_the_only_modem_to_come_back(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    modem.openings.extend([ModemLost("unplugged")] * 2)
    modem.script.append(ModemLost("unplugged"))
    assert bench.end(bench.enqueue()) == (State.SENT,)
    assert modem.opened == 4


def test_after_the_grace_it_fails_and_the_modem_is_absent(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    modem.openings.extend([ModemLost("unplugged")] * 50)
    modem.lose()
    bench.until_state("m0", ModemState.RECOVERING)
    record = bench.enqueue()
    bench.dispatch.rules = replace(RULES, modem_grace=0.1)  # not sooner: it is taken within the grace only
    assert bench.end(record) == (State.FAILED,)
    assert record.code is ResponseCode.NO_MODEM
    bench.until_state("m0", ModemState.ABSENT)
    assert refusal(bench).code is ResponseCode.NO_MODEM
    modem.openings.clear()
    bench.until_state("m0", ModemState.READY)
    assert bench.end(bench.enqueue()) == (State.SENT,)


def test_a_blocked_modem_is_not_waited_for(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    modem.openings.extend([ModemBlocked("SIM PIN")] * 50)
    modem.lose()
    bench.until_state("m0", ModemState.BLOCKED)
    assert bench.worker("m0").status.detail == "SIM PIN"
    assert refusal(bench).code is ResponseCode.NO_MODEM


def test_a_modem_is_closed_before_its_next_opening_is_waited_for(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    modem.openings.append(ModemLost("unplugged"))
    modem.lose()
    bench.until_state("m0", ModemState.RECOVERING)
    assert not modem.is_open
    bench.until_state("m0", ModemState.READY)


def test_a_driver_that_fails_while_idle_does_not_count_as_ready(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    modem.openings.append(OSError("a bug"))
    modem.lose(ZeroDivisionError("a bug"))
    bench.until_state("m0", ModemState.RECOVERING)
    bench.until_state("m0", ModemState.READY)
    assert bench.threads["m0"].supervision.failures == 2


# -- changes and the end -----------------------------------------------------------------------------------------------


def queue_behind(bench: DispatchBench, count: int) -> tuple[Record, list[Record]]:
    modem = bench.modems["m0"]
    modem.gate.clear()
    first = bench.enqueue("6281300000000")
    until(modem.sending.is_set)
    return first, [bench.enqueue(f"62812000000{number}", text=str(number)) for number in range(count)]


def test_what_waits_for_a_removed_modem_fails_where_there_is_no_other(bench: DispatchBench) -> None:
    bench.add("m0")
    first, waiting = queue_behind(bench, 3)
    bench.dispatch.replace_egresses([])
    assert set(bench.end(*waiting)) == {State.FAILED}
    assert {record.code for record in waiting} == {ResponseCode.NO_MODEM}
    bench.modems["m0"].gate.set()
    assert bench.end(first) == (State.SENT,)


def test_what_waits_for_a_removed_modem_goes_by_another_in_order(bench: DispatchBench) -> None:
    bench.add("m0")
    first, waiting = queue_behind(bench, 5)
    old = bench.worker("m0")
    other = bench.add("m1")
    bench.dispatch.replace_egresses([bench.worker("m1")])
    assert set(bench.end(*waiting)) == {State.SENT}
    assert [message.text for message in other.attempts] == ["0", "1", "2", "3", "4"]
    bench.modems["m0"].gate.set()
    assert bench.end(first) == (State.SENT,)
    assert not old.queue


def test_what_waits_survives_a_change_of_its_modems_settings(bench: DispatchBench) -> None:
    old = bench.add("m0")
    first, waiting = queue_behind(bench, 3)
    thread = bench.threads["m0"]
    thread.stop()
    bench.add("m0", start=False)
    old.gate.set()
    assert thread.join(PATIENCE)
    bench.start("m0")
    assert set(bench.end(first, *waiting)) == {State.SENT}
    assert bench.texts == ["a text", "0", "1", "2"]


@pytest.mark.parametrize("error", [NotSent("no prompt"), NotSent("busy", retry_after=0.01), ModemLost("unplugged")])
def test_what_a_removed_modem_could_not_send_ends(bench: DispatchBench, error: Exception) -> None:
    modem = bench.add("m0")
    modem.script.append(error)
    first, _ = queue_behind(bench, 0)
    bench.dispatch.replace_egresses([])
    modem.gate.set()
    assert bench.end(first) == (State.FAILED,)


def test_a_removed_modem_does_not_keep_what_is_to_be_sent_once_more(make_bench: MakeBench) -> None:
    bench = make_bench(resend_unconfirmed=True)
    modem = bench.add("m0")
    modem.script.append(Unconfirmed("no answer"))
    first, _ = queue_behind(bench, 0)
    bench.dispatch.replace_egresses([])
    modem.gate.set()
    assert bench.end(first) == (State.UNCONFIRMED,)


def test_the_end_tells_everybody_the_truth(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.add("m0")
    first, waiting = queue_behind(bench, 3)
    told = threading.Event()
    assert bench.dispatch.on_end(waiting[0], told.set)
    bench.dispatch.close()  # the modem's thread hangs in its send
    assert told.is_set()
    assert bench.end(first, *waiting) == (State.UNCONFIRMED, *[State.QUEUED] * 3)  # those wait for the next start
    assert not bench.dispatch.on_end(waiting[0], told.set), "nobody waits for what will not come"
    bench.close()
    assert first.state is State.UNCONFIRMED
    assert len(bench.texts) == 1


def test_the_end_tells_what_was_accepted_although_the_modem_hangs_in_the_next_one(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    hanging, released = threading.Event(), threading.Event()

    def hang(message: OutgoingMessage) -> None:
        hanging.set()
        assert released.wait(PATIENCE)

    modem.script.extend([None, hang])
    first, second = queue_behind(bench, 1)
    modem.gate.set()
    assert hanging.wait(PATIENCE)
    assert first.state is State.SENDING, "its end is told while the network has the next one"
    bench.dispatch.close()
    released.set()
    assert bench.end(first, *second) == (State.SENT, State.UNCONFIRMED)


def test_who_asks_is_told_once_and_may_go_away(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    modem.gate.clear()
    record = bench.enqueue()
    calls: list[str] = []
    told = threading.Event()
    assert bench.dispatch.on_end(record, lambda: calls.append("kept"))
    assert bench.dispatch.on_end(record, told.set)
    gone = threading.Event()
    assert bench.dispatch.on_end(record, gone.set)
    bench.dispatch.forget_callback(record, gone.set)
    assert not bench.dispatch.wait(record, 0.01)
    assert len(bench.dispatch._waiters[record.message_id]) == 2
    modem.gate.set()
    assert told.wait(PATIENCE)
    assert calls == ["kept"]
    assert not gone.is_set()
    assert not bench.dispatch.on_end(record, told.set)
    assert bench.dispatch.wait(record, 0)


def test_whoever_cannot_be_told_harms_neither_the_modem_nor_the_next_message(bench: DispatchBench) -> None:
    def fail() -> None:
        raise ZeroDivisionError("a bug of an ingress")

    modem = bench.add("m0")
    modem.gate.clear()
    first, second, told = bench.enqueue(), bench.enqueue(), threading.Event()
    assert bench.dispatch.on_end(first, fail)
    assert bench.dispatch.on_end(first, told.set)
    modem.gate.set()
    assert bench.end(first, second) == (State.SENT, State.SENT)
    assert told.wait(PATIENCE)
    assert modem.opened == 1
