"""Messages to one receiver stay in order and none is lost or sent twice, whatever the modems do."""

import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable

import pytest

from otppi.api.egress import NO_HOOKS, SendHooks
from otppi.api.errors import ModemLost, ModemUnfit, NotSent, Rejected, Unconfirmed
from otppi.api.message import OutgoingMessage, State
from otppi.api.modem import ModemState
from otppi.host.messages.refusal import NotAccepted
from otppi.host.records.record import Record
from otppi.testing.bench import DispatchBench
from otppi.testing.scripted import ScriptedModem, Step, until
from otppi.testing.waiting import PATIENCE

MakeBench = Callable[..., DispatchBench]
ANI, BUDI = "6281200000001", "6281200000002"


def held(bench: DispatchBench, count: int, receiver: str = ANI) -> list[Record]:
    """Take messages in while the first one is being sent."""
    modem = bench.modems["m0"]
    modem.gate.clear()
    first = bench.enqueue(receiver, text="0")
    until(modem.sending.is_set)
    return [first, *(bench.enqueue(receiver, text=str(number)) for number in range(1, count))]


def test_messages_to_one_receiver_follow_each_other_to_the_same_modem(bench: DispatchBench) -> None:
    bench.add("m0", default=True)
    other = bench.add("m1", default=True)
    records = held(bench, 10)
    assert {record.egress for record in records} == {"m0"}
    elsewhere = bench.enqueue(BUDI)
    assert bench.end(elsewhere) == (State.SENT,)
    assert elsewhere.egress == "m1"
    bench.modems["m0"].gate.set()
    bench.end(*records)
    assert [text for text in bench.texts if text != "a text"] == [str(number) for number in range(10)]
    assert len(other.attempts) == 1


class Preparing(ScriptedModem):
    """Keeps what it was asked to prepare while the network had the message before."""

    def __init__(self) -> None:
        super().__init__()
        self.prepared: list[OutgoingMessage] = []

    def prepare(self, message: OutgoingMessage) -> None:
        self.prepared.append(message)

    def send(self, message: OutgoingMessage, hooks: SendHooks = NO_HOOKS) -> None:
        hooks.before_dispatch()
        hooks.meanwhile()
        super().send(message, hooks)


def test_what_was_prepared_is_sent_and_another_message_is_not_taken_for_it(bench: DispatchBench) -> None:
    modem = Preparing()
    modem.gate.clear()
    worker = bench.make(modem, default=True)
    bench.dispatch.replace_egresses([worker])
    bulk = [bench.enqueue(text=f"bulk {number}", bulk=True) for number in range(3)]
    bench.modems["m0"] = modem
    bench.start("m0")
    until(modem.sending.is_set)
    until(lambda: len(modem.prepared) == 1)
    otp = bench.enqueue(BUDI, text="otp")  # it goes before what was prepared
    modem.gate.set()
    bench.end(*bulk, otp)
    assert [message.text for message in modem.attempts] == ["bulk 0", "otp", "bulk 1", "bulk 2"]
    assert [message.text for message in modem.prepared] == ["bulk 1", "bulk 1", "bulk 2"]
    assert modem.attempts[2] is modem.prepared[1], "made once"
    assert modem.attempts[3] is modem.prepared[2]


def two_of_which_one_is_prepared(bench: DispatchBench, modem: Preparing) -> tuple[Record, Record]:
    """Have the first one being sent, until the gate opens, and the second one prepared."""
    modem.gate.clear()
    bench.dispatch.replace_egresses([bench.make(modem, default=True)])
    first, second = bench.enqueue(ANI, text="A"), bench.enqueue(BUDI, text="B")
    bench.modems["m0"] = modem
    bench.start("m0")
    until(modem.sending.is_set)
    assert [message.text for message in modem.prepared] == ["B"]
    return first, second


@pytest.mark.parametrize("error", [RuntimeError("a fault"), ModemLost("unplugged")], ids=["fails", "is lost"])
def test_what_was_prepared_is_forgotten_when_the_modem_goes(bench: DispatchBench, error: Exception) -> None:
    """Its text is kept by nobody whose message it is no more; sent later, it has what is left of its life by then."""
    kept: list[OutgoingMessage | None] = []

    class Going(Preparing):
        def open(self) -> None:
            kept.append(bench.worker("m0")._prepared)
            super().open()

    def go(_message: OutgoingMessage) -> None:
        second.deadline -= 300.0
        raise error

    modem = Going()
    modem.script.append(go)
    first, second = two_of_which_one_is_prepared(bench, modem)
    modem.gate.set()
    bench.end(first, second)
    assert kept == [None, None]
    sent = next(message for message in modem.attempts if message.text == "B")
    assert sent is not modem.prepared[0]
    assert sent.validity <= 300.0


def test_what_was_prepared_before_a_job_is_made_anew(bench: DispatchBench) -> None:
    modem = Preparing()
    first, second = two_of_which_one_is_prepared(bench, modem)

    def job(_modem: object) -> None:
        second.deadline -= 300.0  # as long as it takes

    done = bench.worker("m0").call(job)
    modem.gate.set()
    bench.end(first, second)
    assert done.done()
    assert modem.attempts[1].text == "B"
    assert modem.attempts[1].validity <= 300.0


@pytest.mark.parametrize(
    "error",
    [NotSent("no prompt"), NotSent("busy", retry_after=0.01), ModemUnfit("no credit"), ModemLost("unplugged")],
    ids=["not sent", "wait", "unfit", "lost"],
)
@pytest.mark.parametrize("modems", [1, 3])
def test_order_survives_every_kind_of_retry(bench: DispatchBench, error: Exception, modems: int) -> None:
    for number in range(modems):
        bench.add(f"m{number}", default=number == 0)
    bench.modems["m0"].script.append(error)
    records = held(bench, 10)
    bench.modems["m0"].gate.set()
    states = bench.end(*records)
    sent = [str(number) for number, state in enumerate(states) if state is State.SENT]
    assert bench.texts == sent
    assert len(sent) >= 9
    assert states[0] is (State.FAILED if isinstance(error, ModemUnfit) and modems == 1 else State.SENT)


def test_receivers_are_spread_but_each_stays_in_order_when_a_modem_is_lost(bench: DispatchBench) -> None:
    first = bench.add("m0")
    records = held(bench, 1, "6281300000000")
    receivers = [f"628120000000{number}" for number in range(4)]
    records += [bench.enqueue(receiver, text=f"{receiver} {number}") for number in range(5) for receiver in receivers]
    bench.add("m1")
    bench.add("m2")
    first.script.append(ModemLost("unplugged"))
    first.openings.extend([ModemLost("unplugged")] * 50)
    first.gate.set()
    assert set(bench.end(*records)) == {State.SENT}
    by_receiver = defaultdict(list)
    for sent in bench.outbox:
        by_receiver[sent.destination].append(sent.text)
    for receiver in receivers:
        assert by_receiver[receiver] == [f"{receiver} {number}" for number in range(5)]
    assert {sent.modem for sent in bench.outbox} == {"m1", "m2"}


def test_a_message_for_one_modem_only_is_not_carried_along(bench: DispatchBench) -> None:
    bench.add("m0", default=True)
    bench.add("m1")
    modem = bench.modems["m0"]
    modem.script.append(NotSent("no prompt"))
    records = held(bench, 2)
    chosen = bench.enqueue(ANI, text="by m0", only="m0")
    modem.gate.set()
    assert set(bench.end(*records, chosen)) == {State.SENT}
    assert [record.egress for record in (*records, chosen)] == ["m1", "m1", "m0"]


def test_otps_go_before_bulk_and_bulk_does_not_starve(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    records = held(bench, 1, "6281300000000")
    records += [bench.enqueue(f"62812000001{number:02}", text="bulk", bulk=True) for number in range(3)]
    records += [bench.enqueue(f"62812000002{number:02}", text="otp") for number in range(50)]
    modem.gate.set()
    bench.end(*records)
    assert [index for index, text in enumerate(bench.texts[1:]) if text == "bulk"] == [20, 41, 52]


class Weather:
    """Decides by chance, but the same each time, what becomes of each attempt."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self.went_out = Counter[str]()
        self.doubtful = Counter[str]()
        self.order = defaultdict[str, list[int]](list)

    def step(self, modem: ScriptedModem) -> Step:
        def act(message: OutgoingMessage) -> None:
            with self._lock:
                chance = self._random.random()
            if chance < 0.05:
                raise ModemLost("unplugged")
            if chance < 0.10:
                raise NotSent("no prompt")
            if chance < 0.12:
                raise ModemUnfit("no credit")
            if chance < 0.14:
                raise Rejected("no such number")
            modem.hooks.before_dispatch()
            with self._lock:
                if chance < 0.16:
                    self.doubtful[message.text] += 1
                    raise Unconfirmed("no answer")
                self.went_out[message.text] += 1
                self.order[message.destination].append(int(message.text.partition("/")[2]))
            message.progress.segments = 1
            message.progress.references.append(0)

        return act


class FlakyModem(ScriptedModem):
    """A modem in some weather."""

    def __init__(self, name: str, weather: Weather) -> None:
        super().__init__(name)
        self._weather = weather

    def send(self, message: OutgoingMessage, hooks: SendHooks = NO_HOOKS) -> None:
        self.script.append(self._weather.step(self))
        super().send(message, hooks)


@pytest.mark.parametrize("seed", [1, 2])
def test_many_senders_and_flaky_modems(make_bench: MakeBench, seed: int) -> None:
    bench = make_bench(attempts=5)
    weather = Weather(seed)
    for number in range(6):
        modem = bench.modems[f"m{number}"] = FlakyModem(f"m{number}", weather)
        bench.dispatch.replace_egresses(
            [*bench.dispatch.workers(), bench.make(modem, prefixes=("62812",) if number < 3 else ())]
        )
        bench.start(modem.name)
    ends = Counter[str]()
    taken: list[Record] = []
    lock = threading.Lock()

    def submit(sender: int) -> None:
        for number in range(100):
            record = bench.record(f"62812{sender}{number % 10:06}", text=f"{sender}/{number}", id=f"{sender}/{number}")
            try:
                assert bench.dispatch.enqueue(record) is record
            except NotAccepted:
                continue
            with lock:
                taken.append(record)
            if not bench.dispatch.on_end(record, lambda text=f"{sender}/{number}": ends.update([text])):  # type: ignore[misc]
                ends.update([f"{sender}/{number}"])

    senders = [threading.Thread(target=submit, args=(number,)) for number in range(8)]
    for sender in senders:
        sender.start()
    for number in (5, 4):  # meanwhile two modems are taken away
        until(lambda: len(taken) > 100)
        bench.threads[f"m{number}"].stop()
        assert bench.threads[f"m{number}"].join(PATIENCE)
        bench.dispatch.replace_egresses([worker for worker in bench.dispatch.workers() if worker.name != f"m{number}"])
    for sender in senders:
        sender.join(PATIENCE)
    states = bench.end(*taken)
    until(lambda: sum(ends.values()) == len(taken))
    assert set(ends.values()) <= {1}
    assert len(taken) > 700
    assert all(count == 1 for count in weather.went_out.values())
    assert not weather.went_out.keys() & weather.doubtful.keys()
    assert set(weather.doubtful.values()) <= {1}
    assert all(numbers == sorted(numbers) for numbers in weather.order.values())
    assert Counter(states)[State.SENT] == len(weather.went_out)
    assert Counter(states)[State.UNCONFIRMED] == len(weather.doubtful)
    assert all(record.text is None for record in taken)
    assert all(not worker.queue for worker in bench.dispatch.workers())
    assert set(states) <= {State.SENT, State.UNCONFIRMED, State.FAILED}


def test_a_modem_that_comes_back_takes_its_turn_again(bench: DispatchBench) -> None:
    modem, other = bench.add("m0"), bench.add("m1")
    modem.lose()
    bench.until_state("m0", ModemState.RECOVERING)
    bench.until_state("m0", ModemState.READY)
    for number in range(4):
        bench.end(bench.enqueue(f"628120000000{number}"))
    assert (len(modem.attempts), len(other.attempts)) == (2, 2)
