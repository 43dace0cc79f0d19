"""The metrics of the gateway: each is declared, with its labels, and counts what it says."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.api.egress import EgressState
from otppi.api.errors import Blocked, Rejected, Unconfirmed
from otppi.api.message import State
from otppi.api.metrics import METRICS, MetricKind
from otppi.api.services import Samples
from otppi.host.gateway import metrics
from otppi.host.gateway.health import Overview
from otppi.host.messages.counts import BUCKETS, cause_of
from otppi.host.meter.limits import Limits
from otppi.host.modems.power_supply import decode
from otppi.testing.bench import DispatchBench
from otppi.wire.envelope import ResponseCode

DECLARED = {one.name: one for one in METRICS}
ANI = "ani@example.com"
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\.)*)"')


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[DispatchBench]:
    with DispatchBench(tmp_path) as one:
        yield one


def counted(bench: DispatchBench, **more: float) -> Samples:
    balance = {"balance": 4500.5, "balance_limit": 10_000.0, "balance_read": 1_750_000_000, "balance_low": True}
    return Overview(bench.dispatch, [bench.dispatch], lambda _: balance | more, dict).counters()


def check_declared(samples: Samples) -> None:
    for raw, values in samples.items():
        name = raw if raw in DECLARED else f"otppi_{raw}"
        part = re.sub("_(bucket|sum|count)$", "", name)
        declared = DECLARED[part if part in DECLARED else name]
        for labels in values:
            assert tuple(key for key, _ in _LABEL.findall(labels) if key != "le") == declared.labels, name


def test_declarations_follow_the_naming_guide_of_prometheus() -> None:
    assert len(DECLARED) == len(METRICS)
    for one in METRICS:
        assert re.fullmatch(r"(otppi|process)_[a-z][a-z0-9_]*", one.name)
        assert one.name.endswith("_total") == (one.kind is MetricKind.COUNTER)
        assert not one.name.endswith(("_bucket", "_sum", "_count", "_info_total"))
        assert not set(one.labels) & {"le", "quantile", "instance", "job"}
        assert not set(one.labels) & {"receiver", "sender", "user", "address", "message_id", "imei", "imsi", "msisdn"}
        assert one.help
        assert not one.help.endswith(".")
        assert not re.search(r"_(ms|milliseconds|minutes|hours|kb|mb|percent)(_|$)", one.name)


def test_what_became_of_messages(bench: DispatchBench) -> None:
    modem = bench.add("m0", limits=Limits(daily_quota=10, monthly_receivers=5))
    account = bench.add_account('of"fice\\')
    modem.script.extend([None, Rejected("the network refused", code="+CMS ERROR: 38"), Unconfirmed("cut")])
    account.script.append(Rejected("550 no"))
    records = [bench.enqueue(f"628120000000{number}") for number in range(3)]
    bench.end(*records, bench.enqueue(ANI))
    bench.end(bench.enqueue("6281200000009", bulk=True))
    samples = counted(bench)
    check_declared(samples)
    assert samples["messages_taken_total"] == {'ingress="test"': 5}
    assert samples["messages_total"] == {
        'state="sent",ingress="test"': 2,
        'state="failed",ingress="test"': 2,
        'state="unconfirmed",ingress="test"': 1,
    }
    assert samples["message_failures_total"] == {
        'channel="sms",cause="cms_38"': 1,
        'channel="sms",cause="unconfirmed"': 1,
        'channel="mail",cause="failed"': 1,
    }
    assert samples["egress_messages_total"] == {
        'channel="sms",name="m0",state="sent"': 2,
        'channel="sms",name="m0",state="failed"': 1,
        'channel="sms",name="m0",state="unconfirmed"': 1,
        'channel="mail",name="of\\"fice\\\\",state="failed"': 1,
    }
    day = 'channel="sms",name="m0",period="day"'
    assert samples["egress_quota_segments"] == {day: 10}
    assert samples["egress_quota_left_segments"][day] == 7
    assert samples["egress_quota_left_receivers"] == {'channel="sms",name="m0"': 2}
    assert samples["modem_balance"] == {'modem="m0"': 4500.5}
    assert samples["modem_balance_limit"] == {'modem="m0"': 10_000}


def test_seconds_until_sent_are_a_histogram(bench: DispatchBench) -> None:
    bench.add("m0")
    bench.end(bench.enqueue(), bench.enqueue("6281200000002", bulk=True))
    old = bench.record("6281200000003")
    old.taken -= 42.0
    bench.dispatch.enqueue(old)
    bench.end(old)
    samples = counted(bench)
    otp = {
        float(labels.split('le="')[1].rstrip('"')): count
        for labels, count in samples["message_sent_seconds_bucket"].items()
        if 'priority="otp"' in labels
    }
    assert list(otp) == [*BUCKETS, float("inf")]
    assert list(otp.values()) == sorted(otp.values())
    assert (otp[30.0], otp[60.0], otp[float("inf")]) == (1, 2, 2)
    assert samples["message_sent_seconds_count"] == {
        'channel="sms",priority="otp"': 2,
        'channel="sms",priority="bulk"': 1,
    }
    assert 42.0 <= samples["message_sent_seconds_sum"]['channel="sms",priority="otp"'] < 60.0


def test_states_of_egresses(bench: DispatchBench) -> None:
    bench.add("m0")
    sick = bench.add("m1", start=False)
    sick.sickness = Blocked("a PIN is wanted")
    bench.start("m1")
    bench.until_state("m1", EgressState.BLOCKED)
    samples = counted(bench)
    assert samples["egress_ready"] == {'channel="sms",name="m0"': 1.0, 'channel="sms",name="m1"': 0.0}
    for name, state in (("m0", "ready"), ("m1", "blocked")):
        known = {labels: on for labels, on in samples["egress_state"].items() if f'name="{name}"' in labels}
        assert len(known) == len(EgressState)
        assert [labels for labels, on in known.items() if on] == [f'channel="sms",name="{name}",state="{state}"']


def test_a_flood_of_refused_ones_is_counted(bench: DispatchBench) -> None:
    bench.dispatch.counts.refused(bench.record(), State.BLOCKED, ResponseCode.BLOCKED)
    assert counted(bench)["message_failures_total"] == {'channel="sms",cause="blocked"': 1}


@pytest.mark.parametrize(
    ("state", "code", "cause", "word"),
    [
        (State.FAILED, ResponseCode.NO_MODEM, "no modem is connected", "no_modem"),
        (State.FAILED, ResponseCode.FAILED, "refused (+CME ERROR: 0030)", "failed"),
        (State.FAILED, ResponseCode.FAILED, "refused (+CMS ERROR: 038)", "cms_38"),
        (State.FAILED, ResponseCode.FAILED, "refused (+CMS ERROR: 8)", "cms_8"),
        (State.EXPIRED, ResponseCode.QUEUE_FULL, "it could not be sent", "expired"),
        (State.UNDELIVERED, ResponseCode.FAILED, "the network could not deliver it", "undelivered"),
        (State.LOST, ResponseCode.UNCONFIRMED, None, "lost"),
    ],
)
def test_causes_are_few_words(state: State, code: ResponseCode, cause: str | None, word: str) -> None:
    assert cause_of(state, code, cause) == word


def test_the_device_and_the_process() -> None:
    names = ("memory", "storage", "temperature", "undervoltage", "memory_pressure", "storage_errors")
    nothing: dict[str, Any] = {**dict.fromkeys((*names, "storage_life_used")), "usb_over_currents": {}}
    assert {name for name, values in metrics.of_device(nothing).items() if values} == set()
    assert {name for name, values in metrics.of_supply(None).items() if values} == set()
    told = metrics.of_device(
        {
            "memory": {"total": 8, "free": 4},
            "storage": {"total": 2, "free": 1},
            "temperature": 51.5,
            "undervoltage": True,
            "memory_pressure": 2.5,
            "storage_errors": 3,
            "storage_life_used": 20,
            "usb_over_currents": {"1-1.2": 4},
        }
    )
    supply = metrics.of_supply(decode(0x50001))
    process = metrics.of_process(1_750_000_000.5)
    for samples in (told, process, supply):
        check_declared(samples)
    assert told["device_temperature_celsius"] == {"": 51.5}
    assert told["device_undervoltage"] == {"": 1.0}
    assert told["device_memory_pressure_ratio"] == {"": 0.025}
    assert (told["device_storage_errors"], told["device_storage_life_used_ratio"]) == ({"": 3.0}, {"": 0.2})
    assert told["device_usb_over_currents_total"] == {'port="1-1.2"': 4.0}
    assert [name for name, value in supply["device_throttled"].items() if value] == ['reason="under_voltage"']
    seen = [name for name, value in supply["device_throttled_since_start"].items() if value]
    assert seen == ['reason="under_voltage"', 'reason="throttled"']
    assert told["device_memory_available_bytes"] == {"": 4}
    assert process["process_start_time_seconds"] == {"": 1_750_000_000.5}
    assert process["process_resident_memory_bytes"][""] > 5_000_000
    assert 3 <= process["process_open_fds"][""] <= process["process_max_fds"][""]
    assert process["process_cpu_seconds_total"][""] <= os.times().user + os.times().system + 1
