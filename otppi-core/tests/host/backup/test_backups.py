"""Backups of a data folder: what is in them, what a restore would change, and what it does."""

import base64
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.architecture.documents import ROOT

from otppi.api.errors import Busy, InvalidSettings, NotDone
from otppi.api.operations import Actor, Role
from otppi.host.administrators.claim import ACCESS_POINT, ClaimState
from otppi.host.backup import container, contents
from otppi.host.backup.container import Derivation
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder, plugins_off
from otppi.host.meter.file import UsageFile
from otppi.host.meter.meter import Plan
from otppi.host.parts import registry_of
from otppi.host.runtime.registry import COMMAND_LINE, Registry

PASSPHRASE = "empat kata acak sekali"
HASH = "$argon2id$v=19$m=19456,t=2,p=1$CLTDRjQs+Uq/IFBKPotNOA$hMVa+HGDayskOumZiYtQrS/0Okb9/BwvIC5xKfxP64o"
PIN = "73917391"
ADMINISTRATOR = {"username": "adi", "password_hash": HASH, "role": "administrator"}
DOCUMENT = {
    "modems": [{"name": "m0", "type": "simulated", "sim_card_pin": PIN, "daily_quota": 200, "default_modem": True}],
    "administrators": [ADMINISTRATOR],
    "sms": {"country_code": "62", "attempts": 5},
}
STRANGER = Actor("first administrator", "pages", Role.VIEWER, "192.0.2.7")


class Folder:
    """A data folder that is opened, and its operations."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = DataFolder(path, plugins=load_plugins(off=plugins_off(path)))
        self.registry: Registry = registry_of(self.data)

    def call(self, name: str, actor: Actor = COMMAND_LINE, **arguments: Any) -> Any:
        return self.registry.call(name, arguments, actor)

    def backup(self) -> str:
        return str(self.call("backup_create", new_passphrase=PASSPHRASE)["content"])

    def again(self) -> "Folder":
        """Open it anew, as the next start does."""
        self.data.close()
        self.__init__(self.path)  # type: ignore[misc]  # all of it anew
        self.data.start()
        return self

    def restored(self, content: str) -> "Folder":
        checked = self.call("restore_check", content=content, passphrase=PASSPHRASE)
        self.call("restore", check=checked["check"])
        return self.again()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive keys in no time: what that takes is the container's own test."""
    sealed = container.seal
    monkeypatch.setattr(container, "seal", lambda plain, passphrase: sealed(plain, passphrase, Derivation(1, 1, 8)))


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Folder]]:
    """Open data folders with settings, which are closed after the test."""
    opened: list[Folder] = []

    def one(name: str = "device", document: dict[str, Any] | None = None) -> Folder:
        folder = Folder(tmp_path / name)
        if document:
            folder.data.config.provision(document)
        folder.data.start()
        opened.append(folder)
        return folder

    yield one
    for folder in opened:
        folder.data.close()


def filled(folder: Folder) -> Folder:
    """Put something into all that a backup holds."""
    folder.call("block_add", receiver="081234567890")
    folder.call("keys_rotate")
    folder.call("first_step_say", step="api", state="skipped")
    for name, content in (
        ("ingress-mqtt/client-id", "otppi0123456789abcdef\n"),
        ("administration/certificate.pem", "a certificate\n"),
        ("administration/private_key.pem", "MC4CAQAwBQYDK2Vw\n"),
        ("usage/counters.json", '{"saved":1,"modems":{}}'),
        ("usage/receivers-2026-11", '["m0","aa"]\n'),
        ("inbox.json", '{"messages":["a text that came in"]}'),
        ("report/2026-11.jsonl", '{"s":"sent"}\n'),
    ):
        (folder.path / name).parent.mkdir(exist_ok=True)
        (folder.path / name).write_text(content)
    (folder.path / "usage/key").write_bytes(bytes(range(256))[-32:])
    table = {"1": {"host": "broker", "password": PIN}}
    store = folder.data.store
    store.write({"ingress-of-another-world": list(table.values())})
    return folder


def opened(content: str) -> contents.Contents:
    return contents.read(container.unsealed(base64.b64decode(content), PASSPHRASE))


def test_all_that_matters_is_in_it_and_nothing_else(begin: Callable[..., Folder]) -> None:
    found = opened(filled(begin(document=DOCUMENT)).backup())
    assert set(found.files) == {
        "blocking-list", "encryption-keys.json", "first-steps", "last-backup", "audit/newer.jsonl", "usage/key",
        "usage/counters.json", "usage/receivers-2026-11", "ingress-mqtt/client-id", "administration/certificate.pem",
        "administration/private_key.pem",
    }  # fmt: skip
    assert found.settings["ingress-of-another-world"] == {"1": {"host": "broker", "password": PIN}}
    assert found.settings["modems"]["1"]["sim_card_pin"] == PIN
    assert found.settings["administrators"]["1"]["password_hash"] == HASH
    assert b"a text that came in" not in contents.written(found)


def test_another_device_is_as_the_first_one_was(begin: Callable[..., Folder]) -> None:
    first = filled(begin(document=DOCUMENT))
    content, keys = first.backup(), first.call("keys")
    code = begin("second", {"administrators": [ADMINISTRATOR | {"username": "rina"}]}).call("device_code")
    second = begin("third", {"administrators": [ADMINISTRATOR | {"username": "rina"}]}).restored(content)
    for key in ("modems", "administrators", "sms"):
        assert second.data.config.values_of(key) == first.data.config.values_of(key), key
    assert second.data.blocklist.entries().keys() == first.data.blocklist.entries().keys()
    assert second.call("keys") == keys
    for name in opened(content).files:
        if not name.startswith(("audit/", "last")):
            assert (second.path / name).read_bytes() == (first.path / name).read_bytes(), name
    assert second.data.store.read("ingress-of-another-world") == [{"host": "broker", "password": PIN}]
    assert second.data.claim.state is ClaimState.DONE
    assert second.call("device_code") != code
    told = [one["operation"] for one in second.call("audit", limit=50)]
    assert {"keys_rotate", "restore"} <= set(told), "of both"
    assert not (second.path / "inbox.json").exists()


def test_a_dry_run_tells_what_would_change_and_changes_nothing(begin: Callable[..., Folder]) -> None:
    content = filled(begin(document=DOCUMENT)).backup()
    other = begin("second", {
        "administrators": [ADMINISTRATOR | {"username": "rina"}],
        "modems": [{"name": "m0", "type": "simulated", "sim_card_pin": "0000"}, {"name": "m1", "type": "simulated"}],
    })  # fmt: skip
    before = other.data.store.tables()
    told = other.call("restore_check", content=content, passphrase=PASSPHRASE)
    assert other.data.store.tables() == before
    sections = {one["section"]: one for one in told["sections"]}
    modems = sections["modems"]
    assert (modems["before"], modems["after"]) == (2, 1)
    changes = {(one["name"], one.get("field", one["what"])): one for one in modems["changes"]}
    assert (changes["m0", "daily_quota"]["old"], changes["m0", "daily_quota"]["new"]) == (0, 200)
    assert changes["m0", "sim_card_pin"]["secret"] is True
    assert ("m1", "removed") in changes
    assert {one["name"] for one in sections["administrators"]["changes"]} == {"adi", "rina"}
    assert sections["sms"]["before"] is None
    counts = {one["file"]: (one["before"], one["after"]) for one in told["files"]}
    assert counts["blocking-list"] == (0, 1)
    assert counts["encryption-keys.json"] == (0, 1)
    assert counts["administration/certificate.pem"] == (None, None)
    assert [one for one in told["unknown"] if "ingress-of-another-world" in one]
    for secret in (PIN, HASH, "MC4CAQAwBQYDK2Vw"):
        assert secret not in json.dumps(told)


def test_files_elsewhere_that_settings_name_are_told(begin: Callable[..., Folder], tmp_path: Path) -> None:
    """They are in no backup: who makes one brings them along, and who restores it hears which are not there."""
    there, gone = tmp_path / "there.pem", tmp_path / "gone.pem"
    for one in (there, gone):
        one.write_text("a certificate")
    named = {"webhook": {"ca_file": str(there)}, "ingress-mqtt": {"ca_file": str(gone)}}
    first = filled(begin(document=DOCUMENT | named))
    made = first.call("backup_create", new_passphrase=PASSPHRASE)
    assert made["outside"] == [f"webhook.ca_file: {there}", f"ingress-mqtt.ca_file: {gone}"]
    gone.unlink()
    told = begin("second", DOCUMENT).call("restore_check", content=made["content"], passphrase=PASSPHRASE)
    assert [one for one in told["warnings"] if ".pem" in one] == [
        f"ingress-mqtt.ca_file: {gone} is no part of a backup, and is not on this device: put it there"
    ]


def test_on_the_same_device_counters_stay(begin: Callable[..., Folder]) -> None:
    folder = filled(begin(document=DOCUMENT))
    content = folder.backup()
    (folder.path / "usage/counters.json").write_text('{"saved":2,"modems":{}}')
    folder.call("settings_set", path="sms.attempts", value="3")
    folder.call("block_add", receiver="081234567891")
    told = folder.call("restore_check", content=content, passphrase=PASSPHRASE)
    assert not [one for one in told["files"] if one["file"].startswith("usage/")]
    revision = folder.data.config.revision
    folder.restored(content)
    assert '"saved":2' in (folder.path / "usage/counters.json").read_text()
    assert folder.data.config.values_of("sms")["attempts"] == 5  # type: ignore[call-overload]  # an object
    assert len(folder.data.blocklist.entries()) == 1
    assert folder.data.config.revision > revision, "a form of before is told that it is old"


def counted(folder: Folder, *sent: str) -> dict[str, int]:
    """Return how many segments each modem has sent, after so many more, as a start and an end of the gateway do it."""
    usage = UsageFile(folder.path / "usage", folder.path / "report")
    usage.follow(folder.data.config.renames("modems"))
    accounts = {str(one["name"]): usage.account(str(one["name"]), Plan()) for one in folder.data.config.many("modems")}
    for name in sent:
        accounts[name].count("6281234567890", 1)
    if snapshot := usage.snapshot():
        usage.write(snapshot)
    return {name: one.describe()["this_month"]["segments"] for name, one in accounts.items()}


def test_on_the_same_device_counters_follow_to_the_names_of_before(begin: Callable[..., Folder]) -> None:
    m1 = {"name": "m1", "type": "simulated"}
    folder = begin(document=DOCUMENT | {"modems": [*DOCUMENT["modems"], m1]})  # type: ignore[misc]  # a list
    assert counted(folder, "m0", "m0", "m1") == {"m0": 2, "m1": 1}
    content = folder.backup()
    folder.call("settings_set", path="modems.m0.name", value="front")
    folder.call("settings_set", path="modems.m1.name", value="m0")
    assert counted(folder, "front") == {"front": 3, "m0": 1}
    folder.restored(content)
    assert counted(folder, "m0") == {"m0": 4, "m1": 1}
    assert counted(folder.again()) == {"m0": 4, "m1": 1}
    folder.restored(content)
    assert counted(folder) == {"m0": 4, "m1": 1}, "once more"


def test_counters_follow_when_a_restore_is_undone(begin: Callable[..., Folder]) -> None:
    folder = begin(document=DOCUMENT)
    assert counted(folder, "m0", "m0") == {"m0": 2}
    content = folder.backup()
    folder.call("settings_set", path="modems.m0.name", value="front")
    assert counted(folder, "front") == {"front": 3}
    assert counted(folder.restored(content), "m0") == {"m0": 4}
    folder.call("restore_undo")
    assert counted(folder.again()) == {"front": 4}


def test_counters_follow_also_where_no_gateway_ran_meanwhile(begin: Callable[..., Folder]) -> None:
    m1 = {"name": "m1", "type": "simulated"}
    folder = begin(document=DOCUMENT | {"modems": [*DOCUMENT["modems"], m1]})  # type: ignore[misc]  # a list
    assert counted(folder, "m0", "m0", "m1") == {"m0": 2, "m1": 1}
    content = folder.backup()
    for was, name in (("m0", "x"), ("m1", "m0"), ("x", "m1")):
        folder.call("settings_set", path=f"modems.{was}.name", value=name)
    folder.restored(content)
    assert counted(folder) == {"m0": 2, "m1": 1}


def test_on_another_device_names_are_those_of_the_backup(begin: Callable[..., Folder]) -> None:
    first = begin(document=DOCUMENT)
    assert counted(first, "m0", "m0") == {"m0": 2}
    content = first.backup()
    other = begin("second", DOCUMENT)
    other.call("settings_set", path="modems.m0.name", value="front")
    assert counted(other, "front") == {"front": 1}
    assert counted(other.restored(content)) == {"m0": 2}


def test_a_restore_is_undone_once(begin: Callable[..., Folder]) -> None:
    folder = filled(begin(document=DOCUMENT))
    content = folder.backup()
    folder.call("settings_set", path="sms.attempts", value="3")
    folder.call("block_add", receiver="081234567891")
    kept = folder.data.blocklist.entries()
    folder.restored(content)
    assert folder.call("backup_state")["undo"]
    folder.call("restore_undo")
    folder.again()
    assert folder.data.config.values_of("sms")["attempts"] == 3  # type: ignore[call-overload]  # an object
    assert folder.data.blocklist.entries().keys() == kept.keys()
    assert folder.call("backup_state")["undo"] is None
    with pytest.raises(NotDone, match="no restore"):
        folder.call("restore_undo")


def test_after_a_restore_nothing_is_changed_any_more(begin: Callable[..., Folder]) -> None:
    folder = filled(begin(document=DOCUMENT))
    checked = folder.call("restore_check", content=folder.backup(), passphrase=PASSPHRASE)
    folder.call("restore", check=checked["check"])
    with pytest.raises(Busy, match="being restored"):
        folder.call("settings_set", path="sms.attempts", value="3")


def test_an_opened_backup_is_forgotten_by_itself(begin: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where nobody opens another one, or asks for it: all secrets are in it, in clear."""
    folder = filled(begin(document=DOCUMENT))
    checked = folder.call("restore_check", content=folder.backup(), passphrase=PASSPHRASE)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 890.0)
    folder.data.tidy()
    assert [*folder.data.backups._opened] == [checked["check"]]
    monkeypatch.setattr(time, "monotonic", lambda: now + 960.0)
    folder.data.tidy()
    assert not folder.data.backups._opened
    with pytest.raises(InvalidSettings, match="is forgotten"):
        folder.call("restore", check=checked["check"])


def test_a_backup_without_an_administrator_is_refused(begin: Callable[..., Folder]) -> None:
    content = begin(document={"sms": {"attempts": 5}}).backup()
    other = begin("second", DOCUMENT)
    with pytest.raises(InvalidSettings, match="has no administrator"):
        other.call("restore_check", content=content, passphrase=PASSPHRASE)


def test_a_new_device_is_restored_by_who_may_claim_it(begin: Callable[..., Folder]) -> None:
    content = filled(begin(document=DOCUMENT)).backup()
    new = begin("new")
    given = {"content": content, "passphrase": PASSPHRASE}
    with pytest.raises(InvalidSettings, match="not the code"):
        new.call("claim_restore_check", STRANGER, **given, code="0000-0000")
    code = new.call("device_code")["code"]
    checked = new.call("claim_restore_check", STRANGER, **given, code=code)
    with pytest.raises(InvalidSettings, match="is forgotten"):
        new.call("restore", check=checked["check"])
    new.call("claim_restore", STRANGER, check=checked["check"])
    with pytest.raises(Busy, match="being restored"):
        new.call("administrator_add", username="eve", password="kursi hijau di teras", role="administrator")
    new.again()
    assert [one["username"] for one in new.call("administrators")] == ["adi"]
    assert new.data.claim.about is not None
    assert new.data.claim.about[1] == "192.0.2.7", "it is told from where it was claimed"
    assert new.call("backup_state")["undo"] is None, "nobody comes back to a device that anybody may claim"
    assert new.call("device_code")["code"] == code


def test_of_a_claim_and_a_restore_the_first_one_wins(begin: Callable[..., Folder]) -> None:
    content = filled(begin(document=DOCUMENT)).backup()
    new = begin("new")
    near = Actor("first administrator", ACCESS_POINT, Role.VIEWER, "192.0.2.8")
    checked = new.call("claim_restore_check", near, content=content, passphrase=PASSPHRASE)
    about = {"username": "eve", "password": "kursi hijau di teras"}
    new.call("administrator_claim", near, **about)
    with pytest.raises(Exception, match="was created already"):
        new.call("claim_restore", near, check=checked["check"])
    with pytest.raises(Exception, match="was created already"):
        new.call("claim_restore_check", near, content=content, passphrase=PASSPHRASE)
    assert [one["username"] for one in new.again().call("administrators")] == ["eve"]


def test_a_file_that_is_too_large_is_left_out_and_told(begin: Callable[..., Folder]) -> None:
    folder = begin(document=DOCUMENT)
    (folder.path / "service-x").mkdir()
    (folder.path / "service-x/cache").write_bytes(bytes(contents.LARGEST_FILE + 1))
    made = folder.call("backup_create", new_passphrase=PASSPHRASE)
    assert made["left_out"] == ["service-x/cache"]
    told = folder.call("restore_check", content=made["content"], passphrase=PASSPHRASE)
    assert [one for one in told["unknown"] if "service-x/cache" in one]


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "ingress-x/../../evil", "report/2026-11.jsonl", "claimed", "x"]
)
def test_a_backup_writes_no_other_file(begin: Callable[..., Folder], name: str) -> None:
    folder = begin(document=DOCUMENT)
    found = opened(folder.backup())
    bad = contents.Contents(1, "9999", "x", found.settings, {name: b"evil"})
    content = base64.b64encode(container.seal(contents.written(bad), PASSPHRASE)).decode()
    told = folder.call("restore_check", content=content, passphrase=PASSPHRASE)
    assert [one for one in told["unknown"] if name in one]
    assert [one for one in told["warnings"] if "9999" in one], "it is newer"
    folder.restored(content)
    assert not [one for one in folder.path.parent.rglob("*") if one.is_file() and one.read_bytes() == b"evil"]


@pytest.mark.parametrize(
    "plain",
    [
        b"", b"[]", b"{}", b"\xff", b'{"format":1}', b'{"format":2,"version":"9.0"}', b"[" * 100_000,
        b'{"format":1,"made":"x","version":"1","device":"d","settings":{"a":{"1":{}}},"files":{},"left_out":[]}',
        b'{"format":1,"made":1,"version":"1","device":"d","settings":{"a":{"1":2}},"files":{},"left_out":[]}',
        b'{"format":1,"made":1,"version":"1","device":"d","settings":{},"files":{},"left_out":[]}',
        b'{"format":1,"made":1,"version":"1","device":"d","settings":{"a":{}},"files":{"x":{"base64":"*"}},"left_out":[]}',
    ],
)  # fmt: skip
def test_a_content_that_makes_no_sense_is_refused(plain: bytes) -> None:
    with pytest.raises(InvalidSettings) as told:
        contents.read(plain)
    assert [one.field for one in told.value.problems] == ["content"]


def test_the_script_of_the_document_opens_a_backup_without_us(begin: Callable[..., Folder], tmp_path: Path) -> None:
    folder = filled(begin(document=DOCUMENT))
    (tmp_path / "b.otppi").write_bytes(base64.b64decode(folder.backup()))
    document = (ROOT / "docs/backup.md").read_text()
    [script] = [one.partition("```")[0] for one in document.split("```python\n")[1:]]
    assert script.count("\n") <= 30
    assert "otppi" not in script.partition("import")[2].partition("\n\n")[0]
    command = [sys.executable, "-c", script, str(tmp_path / "b.otppi"), str(tmp_path / "out")]
    done = subprocess.run(command, input=f"{PASSPHRASE}\n", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out/settings.json").read_text())["modems"]["1"]["sim_card_pin"] == PIN
    for name in ("usage/key", "blocking-list", "ingress-mqtt/client-id"):
        assert (tmp_path / "out" / name).read_bytes() == (folder.path / name).read_bytes()
    wrong = subprocess.run(command, input="another one\n", capture_output=True, text=True, check=False)
    assert wrong.returncode


def test_the_document_lists_what_is_in_a_backup_and_what_is_not() -> None:
    inside, _mark, outside = (ROOT / "docs/backup.md").read_text().partition("## What is not in it")
    for name in contents.KEPT:
        assert f"`{name}`" in inside, name
    for name in contents.LEFT:
        assert f"`{name.removeprefix('*/')}`" in outside, name


def test_it_is_known_of_every_file_whether_it_is_in_a_backup(begin: Callable[..., Folder]) -> None:
    folder = filled(begin(document=DOCUMENT))
    folder.restored(folder.backup())
    folder.call("backup_create", new_passphrase=PASSPHRASE)
    assert [one for one in contents.files_of(folder.path) if not contents.is_listed(one)] == []
    assert not contents.is_listed("something-new")
    assert not contents.is_listed("folder-new/file")


def test_it_is_known_of_all_that_the_map_says_is_kept() -> None:
    """Whoever keeps something new says so in the map, and here whether it is in a backup."""
    names = set(re.findall(r"`DATA/([\w./-]+)`", (ROOT / "docs/architecture.md").read_text()))
    assert {"settings.json", "alarms", "report/YYYY-MM.jsonl"} <= names
    folders = {one.partition("/")[0] for one in (*contents.KEPT, *contents.LEFT) if "/" in one}
    assert {one for one in names if not contents.is_listed(one) and one not in folders} == set()
