"""The host: changes of the settings while it runs, the embedded default, and what a broken plugin may not do."""

import errno
import json
import os
import stat
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import AuthenticationFailed, OtpPiError
from otppi.api.ingress import Origin, Sender
from otppi.api.message import State
from otppi.api.modem import ModemState
from otppi.host.data_folder import DataFolder, FolderInUse, boot_folder_of
from otppi.host.durable import spool
from otppi.host.host import Host
from otppi.host.records import table as lifecycle
from otppi.host.records.record import Record
from otppi.host.runtime import supervisor
from otppi.host.runtime.supervisor import Supervised, ThreadState
from otppi.testing.bench import ORIGIN
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE
from otppi.wire.envelope import Answer, ResponseCode, parse

RECEIVER = "081234567890"


def change(host: Host, document: object) -> list[str]:
    changed = host.data.config.update(document)
    host.apply(changed)
    return changed


def modem(name: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "type": "scripted", **values}


def send(host: Host, *, origin: Origin = ORIGIN, wait: float = 10.0, **data: Any) -> Answer:
    body: dict[str, Any] = {"receiver": RECEIVER, "message": "a text", "id": "1", **data}
    return command(host, "send-sms", body, origin=origin, wait=wait)


def command(host: Host, name: str, data: object, *, origin: Origin = ORIGIN, wait: float = 10.0) -> Answer:
    return host.gateway.submit(parse(json.dumps({"command": name, "data": data}).encode()), origin).answer(wait)


def data_of(answer: Answer) -> dict[str, Any]:
    assert isinstance(answer.data, dict)
    return answer.data


def states(answer: Answer) -> list[str]:
    assert isinstance(answer.data, list)
    return [one["state"] for one in answer.data]


def names(host: Host) -> list[str]:
    return [worker.name for worker in host.dispatch.workers()]


def until_ready(host: Host) -> None:
    until(lambda: all(worker.status.state is ModemState.READY for worker in host.dispatch.workers()))


def test_the_embedded_default_sends_where_no_modem_is_configured(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    assert names(host) == ["scripted"]
    answer = send(host)
    assert answer.code is ResponseCode.SUCCESS
    assert data_of(answer)["modem_id"] == "scripted"
    assert any("no modem is configured" in record.message for record in caplog.get_records("setup"))


def test_on_a_device_none_stands_in_where_no_modem_is_configured(
    data: DataFolder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A card without a modem told its clients that their messages were sent."""
    (tmp_path / "boot").mkdir(mode=0o700)
    host = Host(data, tmp_path / "boot", stand_in=False)
    host.start()
    try:
        answer = send(host)
        assert (names(host), answer.code) == ([], ResponseCode.NO_MODEM)
        assert "no modem is connected that may send this" in json.dumps(answer.data)
        assert "no modem is configured: no SMS can be sent" in caplog.text
        told = "no modem is taken into use yet: no SMS can be sent"
        assert told in host.warnings()
        change(host, {"modems": [modem("m0", default_modem=True)]})
        until_ready(host)
        assert data_of(send(host, id="2"))["modem_id"] == "m0"
        assert told not in host.warnings()
        change(host, {"modems": []})
        assert (names(host), send(host, id="3").code) == ([], ResponseCode.NO_MODEM)
    finally:
        host.stop()


def test_modems_are_added_altered_and_removed_while_it_runs(host: Host, doubles: Any) -> None:
    change(host, {"modems": [modem("m0"), modem("m1", recipient_prefixes=["0899"])]})
    assert names(host) == ["m0", "m1"]
    until_ready(host)
    assert data_of(send(host, id="1"))["modem_id"] == "m0"
    assert data_of(send(host, id="2", receiver="0899123456789"))["modem_id"] == "m1"
    first = host.dispatch.workers()[0]
    change(host, {"modems": [modem("m0"), modem("m1", recipient_prefixes=["0812"])]})
    assert host.dispatch.workers()[0] is first
    until_ready(host)
    assert data_of(send(host, id="3"))["modem_id"] == "m1"
    change(host, {"modems": [modem("m0")]})
    assert names(host) == ["m0"]
    assert data_of(send(host, id="4"))["modem_id"] == "m0"
    change(host, {"modems": [modem("m0", active=False)]})
    assert names(host) == []
    assert send(host, id="5").code is ResponseCode.NO_MODEM
    assert sum(one.is_open for one in doubles.modems) == 0


def test_what_waits_survives_a_change_of_its_modem(host: Host, doubles: Any) -> None:
    change(host, {"modems": [modem("m0")]})
    until_ready(host)
    doubles.modems[-1].gate.clear()
    tickets = []
    for number in range(5):
        record = host.dispatch.enqueue(record_for(number))
        tickets.append(record)
    until(doubles.modems[-1].sending.is_set)
    doubles.modems[-1].gate.set()
    change(host, {"modems": [modem("m0", apn="internet")]})
    for record in tickets:
        assert host.dispatch.wait(record, 10)
    assert {record.state for record in tickets} == {State.SENT}


def test_what_waits_for_the_embedded_default_survives_a_change_of_settings(host: Host, doubles: Any) -> None:
    """It was taken for what waits for a modem that was removed, and failed."""
    until_ready(host)
    doubles.modems[-1].gate.clear()
    records = [host.dispatch.enqueue(record_for(number)) for number in range(3)]
    until(doubles.modems[-1].sending.is_set)
    threading.Timer(0.3, doubles.modems[-1].gate.set).start()  # the change waits for the one that is being sent
    change(host, {"sms": {"queue_size": 50}})
    for record in records:
        assert host.dispatch.wait(record, PATIENCE)
    assert {record.state for record in records} == {State.SENT}
    assert names(host) == ["scripted"]


def record_for(number: int) -> Record:
    return Record.of(ORIGIN, None, f"628120000000{number}", "a text", time.time() + 60)


def test_the_rules_change_while_it_runs(host: Host) -> None:
    first = data_of(send(host))["message_id"]
    answer = send(host)
    assert (answer.code, data_of(answer)["message_id"]) == (ResponseCode.DUPLICATE, first)
    change(host, {"sms": {"duplicate_window": 0, "country_code": "81", "max_segments": 1}})
    until_ready(host)
    assert send(host, receiver="+81 90-1234-5678").code is ResponseCode.SUCCESS
    assert send(host, receiver="+81 90-1234-5678", message="x" * 161).code is ResponseCode.MALFORMED
    assert host.dispatch.rules.duplicate_window == 0
    (worker,) = host.dispatch.workers()
    assert worker.modem.attempts[-1].destination == "819012345678"  # type: ignore[attr-defined]


def test_users_change_while_it_runs(host: Host) -> None:
    change(host, {"api_users": [{"username": "app", "password": "secret"}]})
    checked = host.gateway.authenticate("app", "secret", "192.0.2.1")
    assert isinstance(checked, Future)
    assert checked.result(PATIENCE) == Sender("app")
    assert host.gateway.authenticate("app", "secret", "192.0.2.1") == Sender("app"), "it is known now"
    change(host, {"api_users": [{"username": "app", "blocked": True}]})
    refused = host.gateway.authenticate("app", "secret", "192.0.2.1")
    assert isinstance(refused, Future)
    with pytest.raises(AuthenticationFailed):
        refused.result(PATIENCE)


def test_an_ingress_is_started_anew_with_its_new_settings_or_stopped(host: Host, doubles: Any) -> None:
    until(lambda: doubles.ingresses and doubles.ingresses[0].running.is_set())
    first = doubles.ingresses[0]
    assert stat.S_IMODE(first.context.folder.stat().st_mode) == 0o700
    change(host, {"ingress-test": {"port": 1}})
    until(lambda: len(doubles.ingresses) == 2)
    until(doubles.ingresses[1].running.is_set)
    assert not first.running.is_set()
    assert [(one["state"], one["port"]) for one in host.ingresses.describe()] == [("running", 1)]
    change(host, {"ingress-test": {"enable": False}})
    assert host.ingresses.describe() == []
    assert not doubles.ingresses[1].running.is_set()


def test_a_plugin_that_cannot_make_its_things_stops_nobody_else(
    data: DataFolder, doubles: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    doubles.fail = {"modem", "ingress"}
    (tmp_path / "boot").mkdir(mode=0o700)
    host = Host(data, tmp_path / "boot")
    host.start()
    try:
        assert names(host) == []
        assert "modem scripted is left out" in caplog.text
        until(lambda: host.ingresses.describe()[0]["state"] == ThreadState.WAITING)
        (ingress,) = host.ingresses.describe()
        assert ingress["last_error"] == "ZeroDivisionError"  # its sentence might quote a message
        assert "port" not in ingress
        doubles.fail = set()
        until(lambda: doubles.ingresses and doubles.ingresses[0].running.is_set())
    finally:
        host.stop()


@pytest.mark.parametrize(("in_ram", "waits"), [(False, State.FAILED), (True, State.QUEUED)])
def test_stop_tells_the_senders_and_releases_everything(
    data: DataFolder, doubles: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_ram: bool, waits: State
) -> None:
    """What waits stays for the next start where there is a spool, whatever the tests' folder itself is on."""
    monkeypatch.setattr(spool, "on_ram_disk", lambda _: in_ram)
    (tmp_path / "boot").mkdir(mode=0o700)
    host = Host(data, tmp_path / "boot")
    host.start()
    until_ready(host)
    doubles.modems[0].gate.clear()
    first = host.dispatch.enqueue(record_for(0))
    until(doubles.modems[0].sending.is_set)
    second = host.dispatch.enqueue(record_for(1))
    told = threading.Event()
    assert host.dispatch.on_end(second, told.set)
    release = doubles.modems[0].wake
    doubles.modems[0].wake = lambda: (release(), doubles.modems[0].gate.set())  # the network answers while it stops
    host.stop()
    assert (first.state, second.state) == (State.SENT, waits)
    assert told.is_set()
    assert in_ram or second.code is ResponseCode.NO_MODEM
    assert send(host).code is ResponseCode.NO_MODEM
    DataFolder(tmp_path / "data", plugins=doubles.plugins).close()


def test_one_gateway_for_each_data_folder(data: DataFolder, doubles: Any) -> None:
    with pytest.raises(FolderInUse):
        DataFolder(data.path, plugins=doubles.plugins)


# -- the gateway -------------------------------------------------------------------------------------------------------


def test_a_list_answers_for_each_item_and_a_duplicate_within_it_is_one(host: Host) -> None:
    item = {"id": "1", "receiver": RECEIVER, "message": "a text"}
    answer = command(host, "send-sms", [item, item, {**item, "id": "2"}])
    assert isinstance(answer.data, list)
    assert [one["response_code"] for one in answer.data] == ["0000", "1201", "0000"]
    assert answer.code is ResponseCode.DUPLICATE
    assert answer.data[0]["message_id"] == answer.data[1]["message_id"] != answer.data[2]["message_id"]


def test_refusals_have_their_codes(host: Host) -> None:
    assert command(host, "block-msisdn", {"receiver": RECEIVER}).code is ResponseCode.SUCCESS
    assert send(host).code is ResponseCode.BLOCKED
    assert data_of(send(host))["state"] == "blocked"
    assert command(host, "unblock-msisdn", {"receiver": RECEIVER}).code is ResponseCode.SUCCESS
    assert send(host, expiration=1).code is ResponseCode.EXPIRED
    assert send(host, date_time=1).code is ResponseCode.EXPIRED
    assert send(host, receiver="someone@example.com").code is ResponseCode.NO_MODEM
    assert send(host, receiver="12").code is ResponseCode.MALFORMED
    assert send(host, message="x" * 5000).code is ResponseCode.MALFORMED


def test_a_blocking_list_that_cannot_be_written_is_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        answer = command(host, "block-msisdn", {"receiver": RECEIVER})
    assert answer.code is ResponseCode.FAILED
    assert data_of(answer)["cause"] == "the blocking list cannot be written; nothing was changed"
    assert send(host).code is ResponseCode.SUCCESS


def test_a_flood_of_refused_messages_makes_no_duplicate_unknown(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "_KEPT_FINAL", 20)
    monkeypatch.setattr(lifecycle, "_KEPT_REFUSED", 20)
    first = data_of(send(host))["message_id"]
    refused = [data_of(send(host, id=str(number), expiration=1))["message_id"] for number in range(100)]
    assert send(host).code is ResponseCode.DUPLICATE
    assert [one.message_id for one in host.dispatch.records.latest()] == [first]
    known = [host.gateway.message(message_id, ORIGIN.sender) is not None for message_id in (first, *refused)]
    assert known == [True] + 80 * [False] + 20 * [True]


def test_a_message_is_shown_to_its_sender_only(host: Host) -> None:
    message_id = data_of(send(host))["message_id"]
    shown = host.gateway.message(message_id, Sender("app"))
    assert shown is not None
    assert data_of(shown)["state"] == "sent"
    assert host.gateway.message(message_id, Sender("another")) is None
    assert host.gateway.message("0" * 16, Sender("app")) is None


def test_when_final_is_called_once_and_answers_wait_no_longer_than_asked(host: Host, doubles: Any) -> None:
    until_ready(host)
    doubles.modems[0].gate.clear()
    body = b'{"command":"send-sms","data":[{"receiver":"081234567890","message":"a"},{"receiver":"1","message":"a"}]}'
    assert host.gateway.submit(parse(body), ORIGIN).answer(5).code is ResponseCode.MALFORMED
    ticket = host.gateway.submit(parse(body.replace(b'"1"', b'"081234567891"')), ORIGIN)
    answers: list[Answer] = []
    ticket.when_final(answers.append)
    until(lambda: states(ticket.answer(0.01)) == ["sending", "queued"])  # a busy machine begins a little later
    assert answers == []
    doubles.modems[0].gate.set()
    until(lambda: answers)
    assert states(answers[0]) == ["sent", "sent"]
    ticket.when_final(answers.append)
    assert len(answers) == 2


def test_health_and_counters(host: Host, doubles: Any) -> None:
    until_ready(host)
    assert host.gateway.health()["status"] == "ok"
    send(host)
    counters = host.gateway.counters()
    assert counters["messages_total"] == {'state="sent",ingress="test"': 1}
    assert counters["modem_sent_total"] == {'modem="scripted"': 1}
    doubles.modems[0].openings.extend([OSError("gone")] * 9)
    doubles.modems[0].lose()
    until(lambda: host.gateway.health()["status"] == "down")


@pytest.fixture
def watched_closely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "WATCH_EVERY", 0.01)


def test_a_thread_of_somebody_else_is_looked_after(
    watched_closely: None, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as that of the control socket, without which nobody can ask what is wrong."""

    def cannot_start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    runs, ends = threading.Event(), threading.Event()

    def run() -> None:
        runs.set()
        ends.wait(PATIENCE)

    other = Supervised("control", run, ends.set)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", cannot_start)
        assert not other.start()
    host.services.look_after(other)
    assert runs.wait(PATIENCE)
    other.stop()
    assert other.join(PATIENCE)


# -- the boot folder ---------------------------------------------------------------------------------------------------


def test_the_boot_folder_is_private_and_belongs_to_one_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    folder = boot_folder_of(tmp_path / "a")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert boot_folder_of(tmp_path / "a") == folder
    assert boot_folder_of(tmp_path / "b") != folder
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert boot_folder_of(tmp_path / "link") == folder


@pytest.mark.parametrize("other", ["open to others", "a link"])
def test_a_boot_folder_of_somebody_else_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    folder = boot_folder_of(tmp_path / "a")
    folder.rmdir()
    if other == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        folder.mkdir()
        folder.chmod(0o750)
    with pytest.raises(OtpPiError, match="not ours alone"):
        boot_folder_of(tmp_path / "a")
