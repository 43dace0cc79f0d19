"""The audit trail: it outlives restarts, torn lines and full cards, is bounded, and has no secret in it."""

import errno
import json
import logging
import stat
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings, NotPermitted
from otppi.api.operations import Actor, Role
from otppi.host.audit.trail import LARGEST, AuditTrail
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.host.parts import registry_of
from otppi.host.runtime.registry import COMMAND_LINE, Audited
from otppi.kit.files import append_whole

ADMINISTRATOR, VIEWER = Actor("ayu", "pages", Role.ADMINISTRATOR, "192.0.2.1"), Actor("budi", "pages", Role.VIEWER)
PIN, RECEIVER = "73917391", "081234567890"


def entry(number: float, subject: str = "m0", **more: Any) -> Audited:
    return Audited(number, ADMINISTRATOR, "modem_use", subject, "done", **more)


def times(trail: AuditTrail, limit: int = 1000) -> list[float]:
    return [one["at"] for one in trail.newest(limit)]


def on_card(folder: Path) -> list[float]:
    return times(AuditTrail(folder))


def test_an_entry_is_on_the_card_at_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    trail = AuditTrail(tmp_path / "audit")
    assert trail.newest(10) == []
    assert not (tmp_path / "audit").exists()
    trail.tell(entry(7.1234, detail="why", fields=("name", "port")))
    (one,) = AuditTrail(tmp_path / "audit").newest(10)
    assert one == {
        "at": 7.123,
        "actor": "ayu",
        "origin": "pages",
        "address": "192.0.2.1",
        "role": "administrator",
        "operation": "modem_use",
        "subject": "m0",
        "fields": ["name", "port"],
        "outcome": "done",
        "detail": "why",
        "missing_before": 0,
    }
    assert stat.S_IMODE((tmp_path / "audit").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "audit").iterdir()} == {0o600}


def test_the_newest_come_first_up_to_a_limit(tmp_path: Path) -> None:
    trail = AuditTrail(tmp_path)
    for number in range(5):
        trail.tell(entry(number))
    assert times(trail, 3) == [4, 3, 2]
    assert on_card(tmp_path) == [4, 3, 2, 1, 0]


def test_the_oldest_go_where_there_are_too_many(tmp_path: Path) -> None:
    trail = AuditTrail(tmp_path, lambda: True)
    written = 0
    while written * 100 < 3 * LARGEST:  # a line has more than that
        trail.tell(entry(written, subject="é" * 64))
        written += 1
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes.keys() == {"newer.jsonl", "older.jsonl"}
    assert max(sizes.values()) <= LARGEST
    found = times(trail, written)
    assert found == [float(number) for number in range(written - 1, written - 1 - len(found), -1)]
    assert 0 < len(found) < written


def test_many_at_once_share_writes_and_none_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes, allowed = [], iter([True] * 3)

    def append(path: Path, data: bytes) -> None:
        writes.append(data)
        append_whole(path, data)

    monkeypatch.setattr("otppi.host.audit.trail.append_whole", append)
    trail = AuditTrail(tmp_path, lambda: next(allowed, False))
    for number in range(100):
        trail.tell(entry(number))
    assert len(writes) == 3
    assert len(times(trail)) == 100  # those that wait included
    trail.flush()
    trail.flush()
    assert len(writes) == 4
    assert len(on_card(tmp_path)) == 100


def test_by_default_the_first_30_are_written_at_once(tmp_path: Path) -> None:
    trail = AuditTrail(tmp_path)
    for number in range(500):
        trail.tell(entry(number))
    assert 30 <= len(on_card(tmp_path)) < 500  # then one write each five seconds
    trail.flush()
    assert len(on_card(tmp_path)) == 500


def test_a_card_that_takes_nothing_is_told_once_and_bounded_in_ram(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    trail = AuditTrail(tmp_path, lambda: True)

    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr("otppi.host.audit.trail.append_whole", full)
        for number in range(2000):
            trail.tell(entry(number))
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert [str(one) for one in trail.warnings()] == ["the audit trail cannot be written: Read-only file system"]
    kept = len(times(trail, 2000))
    assert 500 < kept < 2000
    trail.flush()
    assert list(trail.warnings()) == []
    trail.tell(entry(2000))
    newest = AuditTrail(tmp_path).newest(3000)
    assert (newest[0]["at"], newest[0]["missing_before"], len(newest)) == (2000, 2000 - kept, kept + 1)
    trail.tell(entry(2001))
    assert AuditTrail(tmp_path).newest(1)[0]["missing_before"] == 0


@pytest.mark.parametrize("damage", [b'{"t":1,"s":"do', b"\xff\x00", b"[]", b'{"t":1e999,"s":"done"}', b'{"t":1}'])
def test_damaged_lines_are_left_out_and_take_none_with_them(tmp_path: Path, damage: bytes) -> None:
    AuditTrail(tmp_path).tell(entry(1))
    with (tmp_path / "newer.jsonl").open("ab") as file:
        file.write(damage)
    AuditTrail(tmp_path).tell(entry(2))
    assert on_card(tmp_path) == [2, 1]


def test_what_an_actor_is_called_is_bounded(tmp_path: Path) -> None:
    trail = AuditTrail(tmp_path)
    actor = Actor("\ud800" * 10_000, "x" * 10_000, Role.VIEWER, "y" * 10_000)
    trail.tell(Audited(1, actor, "send", "", "done", fields=("z" * 10_000,) * 10_000))
    assert len(trail.newest(1)) == 1
    assert (tmp_path / "newer.jsonl").stat().st_size < 4000


# -- in the gateway ----------------------------------------------------------------------------------------------------


def test_what_was_done_is_read_again_after_a_restart(data: DataFolder, doubles: Any) -> None:
    registry = registry_of(data)
    registry.call("settings_set", {"path": "sms.attempts", "value": "5"}, ADMINISTRATOR)
    registry.call("settings_export", {}, COMMAND_LINE)
    registry.call("settings_show", {}, COMMAND_LINE)  # which only reads
    with pytest.raises(NotPermitted):
        registry.call("settings_set", {"path": "sms.attempts", "value": "6"}, VIEWER)
    with pytest.raises(InvalidSettings):
        registry.call("settings_set", {"path": "sms.attempts", "value": PIN}, ADMINISTRATOR)
    data.close()
    again = DataFolder(data.path, plugins=doubles.plugins)
    try:
        found = registry_of(again).call("audit", {}, COMMAND_LINE)
    finally:
        again.close()
    assert [(one["operation"], one["actor"], one["outcome"], one["detail"], one["fields"]) for one in found] == [
        ("settings_set", "ayu", "refused", "others", ["path", "value"]),
        ("settings_set", "budi", "refused", "role", ["path", "value"]),
        ("settings_export", "administrator", "done", "", []),
        ("settings_set", "ayu", "done", "", ["sms.attempts"]),
    ]
    assert PIN not in json.dumps(found)


def test_it_names_the_settings_that_a_document_changed(data: DataFolder) -> None:
    registry = registry_of(data)
    modems = [{"name": "m0", "type": "scripted", "sim_card_pin": PIN}, {"name": "m1", "type": "scripted"}]
    document: dict[str, Any] = {"modems": modems, "sms": {"attempts": 5}}
    registry.call("settings_import", {"document": document}, COMMAND_LINE)
    document["modems"] = [modems[0] | {"sim_card_pin": "1234", "speed": 2}, {"name": "m2", "type": "scripted"}]
    registry.call("settings_import", {"document": document}, COMMAND_LINE)
    document["modems"].reverse()
    registry.call("settings_import", {"document": document}, COMMAND_LINE)
    registry.call("settings_import", {"document": document}, COMMAND_LINE)
    assert [one["fields"] for one in registry.call("audit", {}, COMMAND_LINE)] == [
        ["document"],  # nothing changed
        ["modems"],
        ["modems.m0.sim_card_pin", "modems.m0.speed", "modems.m1", "modems.m2"],
        ["modems.m0", "modems.m1", "sms.attempts"],
    ]
    assert PIN.encode() not in (data.path / "audit/newer.jsonl").read_bytes()


def test_no_text_and_no_receiver_is_on_the_card(host: Host) -> None:
    registry = registry_of(host.data, host)
    registry.call("send", {"receiver": RECEIVER, "message": PIN}, COMMAND_LINE)
    registry.call("block_add", {"receiver": RECEIVER}, COMMAND_LINE)
    with pytest.raises(InvalidSettings):
        registry.call("block_add", {"receiver": RECEIVER, "more": PIN}, COMMAND_LINE)
    kept = (host.data.path / "audit/newer.jsonl").read_text()
    assert [json.loads(line)["op"] for line in kept.split("\n") if line] == ["send", "block_add", "block_add"]
    assert RECEIVER[1:] not in kept
    assert PIN not in kept


def test_an_operation_is_done_where_the_audit_cannot_be_kept(
    host: Host, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (host.data.path / "audit").write_bytes(b"in the way")
    registry = registry_of(host.data, host)
    for value in ("5", "6"):
        assert registry.call("settings_set", {"path": "sms.attempts", "value": value}, ADMINISTRATOR) == ["sms"]
    assert caplog.text.count("the audit trail cannot be written") == 1
    assert any("audit trail" in str(one) for one in host.warnings())
    (host.data.path / "audit").unlink()
    host.services.tidy()
    assert not any("audit trail" in str(one) for one in host.warnings())
    assert len(on_card(host.data.path / "audit")) == 2


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_only_an_administrator_reads_it(data: DataFolder, role: Role) -> None:
    with pytest.raises(NotPermitted):
        registry_of(data).call("audit", {}, Actor("ayu", "pages", role))


def test_words_typed_in_the_place_of_a_name_are_not_kept(tmp_path: Path) -> None:
    """`settings set VALUE PATH`: a secret given where a name belongs."""
    trail = AuditTrail(tmp_path / "audit")
    trail.tell(
        Audited(1.0, ADMINISTRATOR, "settings_set", "SECRET-1", "refused", "SECRET-2, path", fields=("path", "value"))
    )
    (found,) = trail.newest(5)
    assert (found["subject"], found["detail"]) == ("", "others, path")
    assert b"SECRET" not in (tmp_path / "audit/newer.jsonl").read_bytes()
