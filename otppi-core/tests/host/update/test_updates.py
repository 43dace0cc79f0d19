"""What the gateway does of an update: takes a bundle in, asks systemd for the rest, tells people and the audit."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings, NotDone, NotSupported
from otppi.host.runtime.registry import COMMAND_LINE, Audited, Registry
from otppi.host.update import updates as module
from otppi.host.update.operations import LONGEST_PIECE, OPERATIONS
from otppi.host.update.security import SecurityUpdates
from otppi.host.update.updates import Updates
from otppi.kit import system_units
from otppi.testing.system_units import SystemUnits

from .made_bundles import Device

UNIT = "otppi-update.service"


class Gateway:
    """The part of a gateway that updates, and what the audit was told."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.audited: list[Audited] = []
        self.now = 0.0
        self.updates = self.begin()

    def begin(self) -> Updates:
        device = self.device
        device.home.mkdir(exist_ok=True)
        self.updates = Updates(
            device.folder / "incoming", device.folder / "noted", self.audited.append, versions=device.versions,
            key=device.key_file, run=device.folder / "run", clock=lambda: self.now,
        )  # fmt: skip
        return self.updates

    def outcome(self, result: str, reason: str = "", version: str = "0.2.0") -> None:
        self.device.versions.note(version, result, reason)
        self.now = (self.device.home / "outcome").stat().st_mtime + 60


@pytest.fixture
def gateway(device: Device, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    monkeypatch.setenv(system_units.IN_USE, "1")
    return Gateway(device)


@pytest.fixture
def units(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemUnits]:
    with SystemUnits(tmp_path_factory.mktemp("u")) as one:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", one.address)
        yield one


def nothing(_step: str, _share: float | None) -> None:
    """Tell nobody."""


def does(gateway: Gateway, statements: str) -> list[str]:
    """Return a program of a unit that knows the device's folder."""
    return [
        sys.executable,
        "-c",
        f"import sys, pathlib\nhome = pathlib.Path({str(gateway.device.home)!r})\n{statements}",
    ]


def test_a_bundle_comes_in_pieces(gateway: Gateway) -> None:
    assert gateway.updates.receive(0, b"abc") == 3
    assert gateway.updates.receive(3, b"de") == 5
    assert gateway.updates.bundle.read_bytes() == b"abcde"
    assert gateway.updates.bundle.stat().st_mode & 0o777 == 0o600
    for offset in (3, 6):
        with pytest.raises(InvalidSettings, match="must be 5"):
            gateway.updates.receive(offset, b"x")
    assert gateway.updates.receive(0, b"anew") == 4
    assert gateway.updates.bundle.read_bytes() == b"anew"


def test_one_that_is_too_large_or_has_no_room(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 4)
    with pytest.raises(InvalidSettings, match="larger"):
        gateway.updates.receive(0, b"abcde")
    assert not gateway.updates.bundle.exists()
    (gateway.device.folder / "incoming").rmdir()
    (gateway.device.folder / "incoming").write_text("no folder")
    with pytest.raises(NotDone, match="no room"):
        gateway.updates.receive(0, b"a")


def test_one_that_nobody_uses_is_forgotten(gateway: Gateway) -> None:
    gateway.updates.receive(0, b"abc")
    gateway.now = gateway.updates.bundle.stat().st_mtime + 3000
    gateway.updates.tidy()
    assert gateway.updates.bundle.exists()
    gateway.now += 1000
    gateway.updates.tidy()
    assert not gateway.updates.bundle.exists()
    gateway.updates.tidy()


def test_a_device_that_takes_none(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway.device.key_file.unlink()
    with pytest.raises(NotSupported, match="no key"):
        gateway.updates.receive(0, b"a")
    told = gateway.updates.describe()
    assert told["possible"] is False
    assert "no key" in told["why"]
    monkeypatch.delenv(system_units.IN_USE)
    for ask in (lambda: gateway.updates.receive(0, b"a"), lambda: gateway.updates.go_back(with_settings=False)):
        with pytest.raises(NotSupported, match="no card image"):
            ask()
    assert "no card image" in gateway.updates.describe()["why"]
    gateway.updates.look()


def test_it_is_tried_and_told_how_far_it_is(gateway: Gateway, units: SystemUnits) -> None:
    gateway.updates.receive(0, b"abc")
    run = gateway.device.folder / "run"
    run.mkdir()
    (run / "progress").write_text(json.dumps({"step": "unpack", "share": 0.5}))
    going = gateway.device.folder / "going"
    program = f"""
import time
until = time.monotonic() + 60
while not pathlib.Path({str(going)!r}).exists() and time.monotonic() < until: time.sleep(0.05)
(home / 'outcome').write_text('{{"version":"0.2.0","result":"on_trial","reason":""}}')
"""
    units.define(UNIT, does(gateway, program), oneshot=True)
    steps: list[tuple[str, float | None]] = []

    def tell(step: str, share: float | None) -> None:
        steps.append((step, share))
        if share == 0.5:
            going.touch()

    assert gateway.updates.install(tell) == {"version": "0.2.0", "restarting": True}
    assert (steps[0][0][:22], steps[-1]) == (
        "The bundle is checked:", ("The new version is unpacked beside the one that runs.", 0.5)
    )  # fmt: skip
    assert not gateway.updates.bundle.exists()


def test_one_that_is_refused_says_why(gateway: Gateway, units: SystemUnits) -> None:
    with pytest.raises(NotDone, match="There is no bundle"):
        gateway.updates.install(nothing)
    gateway.updates.receive(0, b"abc")
    told = '{"version":"","result":"refused","reason":"signature"}'
    units.define(UNIT, does(gateway, f"(home / 'outcome').write_text({told!r}); sys.exit(2)"), oneshot=True)
    with pytest.raises(NotDone, match="signature is not right"):
        gateway.updates.install(nothing)
    gateway.updates.receive(0, b"abc")
    units.define(UNIT, does(gateway, "sys.exit(3)"), oneshot=True)
    with pytest.raises(system_units.UnitFailed, match="exit status 3"):
        gateway.updates.install(nothing)
    assert not gateway.updates.bundle.exists()


def test_the_way_back(gateway: Gateway, units: SystemUnits) -> None:
    with pytest.raises(NotDone, match="none before it"):
        gateway.updates.go_back(with_settings=False)
    (gateway.device.home / "versions/0.2.0").mkdir(parents=True)
    (gateway.device.home / "current").write_text("0.2.0 -\n")
    mark = gateway.device.folder / "asked"
    program = does(gateway, f"pathlib.Path({str(mark)!r}).write_text(sys.argv[1])")
    units.define("otppi-version-back@.service", [*program, "%i"], oneshot=True)
    for with_settings, said in ((False, "keep"), (True, "settings")):
        assert gateway.updates.go_back(with_settings=with_settings) == {"version": "0.1.0", "restarting": True}
        assert mark.read_text() == said
    assert gateway.updates.describe()["before"] == "0.1.0"


@pytest.mark.parametrize(
    ("result", "reason", "outcome", "alarm"),
    [
        ("confirmed", "", "done", False),
        ("went_back", "", "done", False),
        ("rolled_back", "not_ready", "failed", True),
        ("refused", "self_test", "failed", True),
        ("refused", "signature", "failed", False),
        ("refused", "of another version", "failed", False),
    ],
)
def test_what_became_of_it_is_told_once(gateway: Gateway, result: str, reason: str, outcome: str, alarm: bool) -> None:
    gateway.updates.look()
    gateway.outcome("on_trial")
    gateway.updates.look()
    assert gateway.audited == []
    gateway.outcome(result, reason)
    for _again in range(2):
        gateway.updates.look()
        gateway.begin().look()  # also after the next start
    (told,) = gateway.audited
    assert (told.operation, told.subject, told.outcome, told.detail) == ("update_outcome", "0.2.0", outcome, reason)
    assert (gateway.updates.failed() is not None) is alarm
    assert len(gateway.updates.problems()) == alarm
    gateway.now += 100_000
    assert gateway.updates.failed() is None


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"[" * 5000, b'{"version":1}'])
def test_a_torn_outcome_is_none(gateway: Gateway, content: bytes) -> None:
    (gateway.device.home / "outcome").write_bytes(content)
    assert gateway.updates.describe()["outcome"] is None
    gateway.updates.look()
    assert gateway.audited == []


def test_the_operations(gateway: Gateway, tmp_path: Path) -> None:
    security = SecurityUpdates(_config(tmp_path), lambda: True)
    registry = Registry(OPERATIONS, [gateway.updates, security], gateway.audited.append)

    def ask(name: str, **arguments: Any) -> Any:
        return registry.call(name, arguments, COMMAND_LINE)

    assert ask("update_receive", offset=0, content="YWJj") == {"received": 3}
    for content in ("not base64!", "A" * (LONGEST_PIECE * 2), 7):
        with pytest.raises(InvalidSettings) as told:
            ask("update_receive", offset=3, content=content)
        assert told.value.problems[0].field == "content"
    assert gateway.audited == []  # not of each piece
    status = ask("update_status")
    assert (status["image"], status["possible"], status["security"]["on"]) == ("0.1.0", True, False)
    with pytest.raises(NotDone):
        ask("update_rollback", with_settings=True)
    assert gateway.audited[-1].operation == "update_rollback"


def _config(folder: Path) -> Any:
    from otppi.host.core import declarations, load_plugins
    from otppi.host.settings.config import Config
    from otppi.host.storage.store import NothingKept

    del folder
    return Config(NothingKept(), declarations(load_plugins()))
