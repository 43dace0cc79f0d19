"""Limits and prices as settings of a running gateway, what the administrator sees of them, and restarts."""

import time
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings
from otppi.api.message import OutgoingMessage, State
from otppi.api.modem import ModemState
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.host.messages.refusal import NotAccepted
from otppi.host.parts import registry_of
from otppi.host.records.record import Record
from otppi.host.runtime.registry import COMMAND_LINE
from otppi.testing.bench import ORIGIN
from otppi.testing.scripted import until


def change(host: Host, *modems: dict[str, Any], **sms: Any) -> None:
    named = [{"type": "scripted", "name": f"m{number}", **modem} for number, modem in enumerate(modems)]
    host.apply(host.data.config.update({"modems": named, "sms": sms}))
    until(lambda: all(worker.status.state is ModemState.READY for worker in host.dispatch.workers()))


def take(host: Host, receiver: str) -> Record:
    return host.dispatch.enqueue(Record.of(ORIGIN, None, receiver, "a text", time.time() + 60))


def send(host: Host, receiver: str = "6281200000001") -> str | None:
    record = take(host, receiver)
    assert host.dispatch.wait(record, 10)
    assert record.state is State.SENT
    return record.egress


def test_prices_and_routing_are_settings_and_national_prefixes_are_understood(host: Host) -> None:
    cards = {"prices": ["0871=50"], "price": 350}, {"price": 200, "promotions": ["0812:1/day=20"]}
    change(host, *cards, routing="cheapest")
    assert [send(host, "6287100000001"), send(host), send(host)] == ["m0", "m1", "m1"]
    m0, m1 = registry_of(host.data, host).call("usage", {}, COMMAND_LINE)
    assert (m0["modem_id"], m0["today"]["spent"], m0["price"]) == ("m0", 50, 350)
    assert (m1["this_month"]["spent"], m1["price"]) == (220, 200)
    change(host, {"price": 1}, {"price": 2, "default_modem": True}, routing="prefix")
    assert send(host) == "m1"


def test_a_modem_that_has_used_its_quota_up_is_shown_so(host: Host) -> None:
    change(host, {"daily_quota": 1}, {"monthly_receivers": 1})
    assert host.gateway.health()["status"] == "ok"
    assert {send(host), send(host)} == {"m0", "m1"}
    health = host.gateway.health()
    assert (health["status"], [one["unusable"] for one in health["modems"]]) == (
        "degraded",
        ["daily quota is used up", ""],
    )
    used = registry_of(host.data, host).call("modems", {}, COMMAND_LINE)[0]["usage"]
    assert (used["today"]["segments"], used["daily_quota"]) == (1, 1)
    change(host, {"daily_quota": 1})
    assert host.gateway.health()["status"] == "down"


def test_a_quota_that_is_set_while_messages_wait_counts_them(host: Host, doubles: Any) -> None:
    change(host, {})
    doubles.modems[-1].gate.clear()
    records = [take(host, f"628120000000{number}") for number in range(3)]
    until(doubles.modems[-1].sending.is_set)
    doubles.modems[-1].gate.set()
    change(host, {"daily_quota": 3})
    for record in records:
        assert host.dispatch.wait(record, 10)
    assert {record.state for record in records} == {State.SENT}
    with pytest.raises(NotAccepted, match="daily quota is used up"):
        take(host, "6281200000001")


def test_what_waits_beyond_a_quota_that_is_set_meanwhile_fails_and_says_so(host: Host, doubles: Any) -> None:
    change(host, {})
    (worker,), modem = host.dispatch.workers(), doubles.modems[-1]

    def send_when_stopped(message: OutgoingMessage) -> None:
        until(worker._stopping.is_set)
        modem.succeed(message)

    modem.script.append(send_when_stopped)
    records = [take(host, f"628120000000{number}") for number in range(4)]
    until(modem.sending.is_set)
    change(host, {"daily_quota": 3})
    for record in records:
        assert host.dispatch.wait(record, 10)
    assert [record.state for record in records] == [State.SENT] * 3 + [State.FAILED]
    assert records[3].cause == "no modem may send it since the settings changed"
    assert host.dispatch.workers()[0].account.describe()["today"]["segments"] == 3


def test_usage_outlives_a_restart(data: DataFolder, doubles: Any, tmp_path: Path) -> None:
    boot = tmp_path / "boot"
    first = Host(data, boot)
    first.start()
    change(first, {"daily_quota": 3, "price": 10})
    send(first)
    send(first)
    first.stop()
    second = Host(DataFolder(tmp_path / "data", plugins=doubles.plugins), boot)
    second.start()
    until(lambda: second.dispatch.workers()[0].status.state is ModemState.READY)
    try:
        send(second)
        (m0,) = registry_of(second.data, second).call("usage", {}, COMMAND_LINE)
        assert m0["today"] == {"messages": 3, "segments": 3, "spent": 30}
        with pytest.raises(NotAccepted, match="daily quota is used up"):
            take(second, "6281200000001")
    finally:
        second.stop()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("prices", ["0871"]),
        ("promotions", ["100/week=10"]),
        ("quiet_hours", ["22-06"]),
        ("quiet_for", "otps"),
        ("daily_quota", -1),
        ("monthly_receivers", 1.5),
        ("rate_per_minute", 100_000),
        ("price", -1),
    ],
)
def test_what_cannot_be_understood_is_not_taken(data: DataFolder, key: str, value: object) -> None:
    with pytest.raises(InvalidSettings, match=f"modems\\[0\\].{key}"):
        data.config.update({"modems": [{"name": "m0", "type": "scripted", key: value}]})


def segments(host: Host) -> dict[str, int]:
    used = registry_of(host.data, host).call("usage", {}, COMMAND_LINE)
    return {one["modem_id"]: one["today"]["segments"] for one in used}


def test_a_modem_that_is_renamed_while_the_gateway_runs_keeps_its_quota(host: Host, doubles: Any) -> None:
    change(host, {"daily_quota": 2})
    assert send(host) == "m0"
    doubles.modems[-1].gate.clear()
    record = take(host, "6281200000002")
    until(doubles.modems[-1].sending.is_set)
    doubles.modems[-1].gate.set()
    change(host, {"name": "front", "renamed_from": "m0", "daily_quota": 2})
    assert host.dispatch.wait(record, 10)
    assert record.state is State.SENT
    assert segments(host) == {"front": 2}
    assert host.gateway.health()["status"] == "down"  # its quota is used up
    registry_of(host.data, host).call("settings_set", {"path": "modems.front.name", "value": "back"}, COMMAND_LINE)
    assert segments(host) == {"back": 2}


def test_modems_that_exchange_their_names_exchange_their_accounts(host: Host) -> None:
    change(host, {}, {"recipient_prefixes": ["0899"]})
    assert [send(host), send(host, "62899000001")] == ["m0", "m1"]
    assert send(host) == "m0"
    change(
        host,
        {"name": "m1", "renamed_from": "m0"},
        {"name": "m0", "renamed_from": "m1", "recipient_prefixes": ["0899"]},
    )
    assert segments(host) == {"m1": 2, "m0": 1}


def test_a_modem_that_is_renamed_while_no_gateway_runs_keeps_its_usage(
    host: Host, data: DataFolder, tmp_path: Path
) -> None:
    change(host, {})
    assert send(host) == "m0"
    host.stop()
    registry_of(data).call("settings_set", {"path": "modems.m0.name", "value": "front"}, COMMAND_LINE)
    again = Host(data, tmp_path / "boot")
    again.start()
    try:
        assert segments(again) == {"front": 1}
    finally:
        again.stop()


def test_a_modem_renamed_before_a_crash_keeps_what_was_not_on_the_card(
    host: Host, data: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(host, {})
    assert send(host) == "m0"
    change(host, {"name": "front", "renamed_from": "m0"})
    assert send(host) == "front"
    monkeypatch.setattr("otppi.host.meter.file.UsageFile.write", lambda *_: None)  # the power goes before it does
    host.stop()
    monkeypatch.undo()
    again = Host(data, tmp_path / "boot")
    again.start()
    try:
        assert segments(again) == {"front": 2}
    finally:
        again.stop()
