"""The worker climbs the ladder: steps are taken on a closed modem, counted, logged and shown; no other is harmed."""

import logging
import threading
import time
from collections.abc import Callable, Mapping

import pytest

from otppi.api.errors import ModemBlocked, ModemLost, Trouble
from otppi.api.message import State
from otppi.api.modem import ModemState, RecoveryStep
from otppi.host.gateway.health import describe_modem
from otppi.host.host import Host
from otppi.host.messages import egress_thread
from otppi.host.modems import worker
from otppi.host.modems.ladder import Openings, RecoverySchedule, StepLimits
from otppi.host.modems.power_supply import PowerSupply
from otppi.host.modems.worker import modem_workers
from otppi.kit.net.back_off import Backoff
from otppi.testing.bench import DispatchBench
from otppi.testing.scripted import ScriptedModem, until
from otppi.testing.waiting import PATIENCE

REINITIALISE, RADIO, RESET, POWER = RecoveryStep
Steps = Mapping[RecoveryStep, Exception | None]
ALL: Steps = dict.fromkeys(RecoveryStep)
QUICK = StepLimits(pause=0.0, patience=0.0, spacing=60.0, longest=60.0, per_day=10)
FAST = RecoverySchedule(
    openings=dict.fromkeys((Trouble.SILENT, Trouble.FAULTY, Trouble.NO_NETWORK), Openings(1, 0.0)),
    radio=QUICK,
    reset=QUICK,
    power=QUICK,
)


class QuickBackoff(Backoff):
    """Waits hardly."""

    def delay(self) -> float:
        return super().delay() * 0.005


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "Backoff", QuickBackoff)


def fall_ill(bench: DispatchBench, trouble: Trouble, cure: RecoveryStep, steps: Steps = ALL) -> ScriptedModem:
    """Return a modem that was lost and cannot be opened until it is cured."""
    modem = bench.add("m0", schedule=FAST)
    modem.steps, modem.cure = steps, cure
    modem.sickness = ModemLost("it is ill", trouble)
    modem.lose(modem.sickness)
    return modem


@pytest.mark.parametrize(
    ("trouble", "cure", "steps"),
    [
        (Trouble.NO_NETWORK, RADIO, [RADIO]),
        (Trouble.NO_NETWORK, POWER, [RADIO, RESET, POWER]),
        (Trouble.SILENT, POWER, [RESET, POWER]),
        (Trouble.FAULTY, RESET, [RESET]),
    ],
)
def test_it_climbs_until_the_modem_is_cured_and_the_message_that_waited_goes_out(
    bench: DispatchBench,
    caplog: pytest.LogCaptureFixture,
    trouble: Trouble,
    cure: RecoveryStep,
    steps: list[RecoveryStep],
) -> None:
    modem = bench.add("m0", schedule=FAST)
    modem.gate.clear()
    modem.steps, modem.cure, modem.sickness = ALL, cure, ModemLost("it is ill", trouble)
    modem.lose(modem.sickness)
    until(lambda: modem.recovered)
    record = bench.enqueue()
    modem.gate.set()
    assert bench.end(record) == (State.SENT,)
    assert modem.recovered == steps
    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    for step in steps:
        assert f"modem m0 gets {step.value}, since it does not recover: it is ill; messages wait" in "\n".join(lines)
    shown = describe_modem(bench.worker("m0"))
    assert shown["next_step"] is None
    assert (shown["last_recovery"]["step"], shown["last_recovery"]["cause"]) == (steps[-1].value, "it is ill")
    counts = shown["recoveries"]
    assert counts.pop("re-initialise") == len(steps)
    assert counts == {step.value: int(step in steps) for step in (RADIO, RESET, POWER)}


def test_what_comes_next_is_shown(bench: DispatchBench) -> None:
    slow = RecoverySchedule(openings={Trouble.SILENT: Openings(1, 3600.0)})
    modem = bench.add("m0", schedule=slow)
    modem.sickness = ModemLost("it is ill", Trouble.SILENT)
    assert describe_modem(bench.worker("m0"))["next_step"] is None
    modem.lose(modem.sickness)
    until(lambda: describe_modem(bench.worker("m0"))["next_step"])
    shown = describe_modem(bench.worker("m0"))
    assert shown["next_step"]["step"] == "reset"
    assert 3590 < shown["next_step"]["at"] - shown["since"] < 3610
    modem.sickness = None
    bench.until_state("m0", ModemState.READY)
    assert describe_modem(bench.worker("m0"))["next_step"] is None


@pytest.mark.parametrize("error", [ModemLost("it is gone"), ModemBlocked("it asks for its PIN")])
def test_a_modem_that_is_absent_or_needs_a_person_is_only_opened_again(bench: DispatchBench, error: ModemLost) -> None:
    modem = bench.add("m0", schedule=FAST)
    modem.steps, modem.sickness = ALL, error
    modem.lose(error)
    until(lambda: modem.opened > 20)
    assert modem.recovered == []
    assert set(bench.worker("m0").recoverer.counts.values()) == {0}
    modem.sickness = None
    bench.until_state("m0", ModemState.READY)


def test_a_step_that_it_lacks_is_left_out_and_that_is_told_once(
    bench: DispatchBench, caplog: pytest.LogCaptureFixture
) -> None:
    modem = fall_ill(bench, Trouble.NO_NETWORK, RESET, {RESET: None})
    until(lambda: modem.recovered == [RADIO, RESET])
    bench.until_state("m0", ModemState.READY)
    assert caplog.text.count("modem m0 has no step radio: it is left out") == 1
    assert bench.worker("m0").recoverer.counts[RADIO] == 0


def test_a_step_that_fails_is_followed_by_the_next_one(bench: DispatchBench, caplog: pytest.LogCaptureFixture) -> None:
    modem = fall_ill(
        bench, Trouble.SILENT, POWER, {RESET: ModemLost("it does not listen", Trouble.SILENT), POWER: None}
    )
    until(lambda: modem.recovered == [RESET, POWER])
    bench.until_state("m0", ModemState.READY)
    assert "modem m0: reset could not be carried out: it does not listen" in caplog.text
    assert bench.worker("m0").recoverer.counts == {REINITIALISE: 1, RADIO: 0, RESET: 1, POWER: 1}


def test_a_modem_in_recovery_holds_up_no_other(bench: DispatchBench) -> None:
    bench.add("m1")
    modem = bench.add("m0", schedule=FAST)
    modem.gate.clear()
    modem.steps, modem.cure, modem.sickness = ALL, RESET, ModemLost("it is ill", Trouble.SILENT)
    modem.lose(modem.sickness)
    until(lambda: modem.recovered == [RESET])
    records = [bench.enqueue(f"62812000000{number}", text=str(number)) for number in range(6)]
    assert set(bench.end(*records)) == {State.SENT}
    assert {record.egress for record in records} == {"m1"}
    modem.gate.set()
    bench.until_state("m0", ModemState.READY)


def test_a_modem_that_is_stopped_in_recovery_takes_no_further_step(bench: DispatchBench) -> None:
    modem = bench.add("m0", schedule=FAST)
    modem.gate.clear()
    modem.sickness = ModemLost("it is ill", Trouble.SILENT)
    modem.lose(modem.sickness)
    until(lambda: modem.recovered == [RESET])
    bench.threads["m0"].stop()
    modem.gate.set()
    assert bench.threads["m0"].join(PATIENCE)
    assert modem.recovered == [RESET]


@pytest.mark.parametrize(("trouble", "longest"), [(Trouble.NO_NETWORK, 5.0), (Trouble.SILENT, 2.0)])
def test_a_modem_without_network_is_made_ready_less_often(
    bench: DispatchBench, monkeypatch: pytest.MonkeyPatch, trouble: Trouble, longest: float
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(worker, "Backoff", Backoff)
    monkeypatch.setattr(worker.ModemWorker, "_pause", lambda _, seconds: pauses.append(seconds))
    modem = bench.add("m0")
    modem.openings.extend([ModemLost("it is ill", trouble)] * 12)
    modem.lose()
    until(lambda: len(pauses) >= 10)
    assert 0.8 * longest <= max(pauses[6:10]) <= 1.2 * longest
    bench.until_state("m0", ModemState.READY)


def test_each_step_is_a_counter(host: Host) -> None:
    (one,) = modem_workers(host.dispatch.workers())
    one.recoverer.counts[RESET] += 1
    counters = host.gateway.counters()["modem_recoveries_total"]
    assert counters['modem="scripted",step="reset"'] == 1
    assert counters['modem="scripted",step="power"'] == 0


class WeakSupply(PowerSupply):
    """Is too weak."""

    def hint(self) -> str:
        return "this device has under-voltage now"


@pytest.mark.parametrize(
    ("trouble", "detail"),
    [(Trouble.ABSENT, "it is gone; this device has under-voltage now"), (Trouble.NO_NETWORK, "it is gone")],
)
def test_under_voltage_is_told_beside_what_it_may_have_done(
    make_bench: Callable[..., DispatchBench], trouble: Trouble, detail: str
) -> None:
    bench = make_bench()
    modem = bench.add("m0", power_supply=WeakSupply())
    modem.sickness = ModemLost("it is gone", trouble)
    modem.lose(modem.sickness)
    bench.until_state("m0", ModemState.RECOVERING)
    assert bench.worker("m0").status.detail == detail
    modem.sickness = None
    bench.until_state("m0", ModemState.READY)


def test_a_driver_that_fails_at_a_step_climbs_on_and_is_not_asked_for_it_again_and_again(
    bench: DispatchBench, caplog: pytest.LogCaptureFixture
) -> None:
    modem = fall_ill(bench, Trouble.SILENT, POWER, {RESET: ValueError("odd"), POWER: None})
    until(lambda: modem.recovered == [RESET, POWER])
    bench.until_state("m0", ModemState.READY)
    assert "modem m0: its driver failed at reset" in caplog.text
    assert bench.threads["m0"].supervision.failures == 0
    caplog.clear()


def test_what_wakes_a_modem_all_the_time_does_not_open_it_all_the_time(
    bench: DispatchBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(egress_thread, "_SOONEST", 0.1)
    monkeypatch.setattr(worker, "Backoff", Backoff)
    modem, one = bench.add("m0", schedule=FAST), bench.worker("m0")
    modem.sickness = ModemBlocked("another program has it")
    failed = modem.open

    def opened() -> None:
        one.retry_now()
        failed()

    monkeypatch.setattr(modem, "open", opened)
    before, began = modem.opened, time.monotonic()
    modem.lose(modem.sickness)
    until(lambda: modem.opened - before >= 5)
    assert time.monotonic() - began >= 0.3
    modem.sickness = None
    bench.until_state("m0", ModemState.READY)


@pytest.mark.parametrize("closed", [False, True])
def test_every_job_comes_to_an_end_also_where_the_thread_has(bench: DispatchBench, closed: bool) -> None:
    bench.add("m0")
    one = bench.worker("m0")
    assert one.call(lambda modem: modem.identity()).result(PATIENCE) is not None
    bench.threads["m0"].stop()
    assert bench.threads["m0"].join(PATIENCE)
    with pytest.raises(ModemLost, match="stopped"):
        one.call(lambda modem: modem.identity(), closed=closed).result(PATIENCE)


def test_a_job_that_comes_while_the_driver_fails_comes_to_an_end(bench: DispatchBench) -> None:
    modem = bench.add("m0")
    one = bench.worker("m0")
    failing, go_on = threading.Event(), threading.Event()

    def fail() -> None:
        failing.set()
        go_on.wait(PATIENCE)
        raise ValueError("odd")

    modem.close = fail  # type: ignore[method-assign]
    modem.lose()
    assert failing.wait(PATIENCE)
    job = one.call(lambda driver: driver.identity())
    go_on.set()
    with pytest.raises(ModemLost):
        job.result(PATIENCE)
    until(lambda: bench.threads["m0"].supervision.failures)
    bench.threads["m0"].stop()
    with pytest.raises(ModemLost):
        one.call(lambda driver: driver.identity()).result(PATIENCE)
