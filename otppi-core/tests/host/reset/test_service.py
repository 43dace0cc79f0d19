"""A stick resets a gateway that runs: it is told, audited, carried out at the next start, and never twice."""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings, NotPermitted, NotSupported
from otppi.api.media import CODE_FILE, KEYS_FILE, MediaWatcher, MediaWatcherType, Medium
from otppi.api.operations import Actor, Role
from otppi.host import host as composition
from otppi.host.administrators.claim import ClaimState
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.host.parts import registry_of
from otppi.host.reset import service
from otppi.host.reset.signals import StickSignal
from otppi.host.reset.stick_judge import StickJudge
from otppi.host.runtime.registry import COMMAND_LINE, Registry
from otppi.host.runtime.supervisor import ThreadState
from otppi.kit.system_units import UnitError
from otppi.testing.scripted import until

PHONE = "6281234567890"
ADMINISTRATOR = {
    "username": "rina", "password": "kursi hijau di teras", "role": "administrator", "phone": PHONE, "language": "en",
}  # fmt: skip
DOCUMENT = {
    "administrators": [ADMINISTRATOR],
    "modems": [{"name": "m0", "type": "scripted"}],
    "alarms": {"sms": True},
    "sms": {"country_code": "62", "countries": ["ID"]},
}


class HandWatcher(MediaWatcher):
    """Finds what a test plugs in."""

    def __init__(self, plugged: "queue.SimpleQueue[Medium | None]") -> None:
        self._plugged = plugged

    def watch(self, found: Callable[[Medium], None], seconds: float) -> None:
        until_ = time.monotonic() + seconds
        while (left := until_ - time.monotonic()) > 0:
            try:
                medium = self._plugged.get(timeout=left)
            except queue.Empty:
                return
            if medium is None:
                return
            found(medium)

    def stop(self) -> None:
        self._plugged.put(None)


class Device:
    """A computer that is started again and again, with its data folder; each start has a gateway of its own."""

    def __init__(self, folder: Path, doubles: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.doubles = doubles
        self.uptime = 30.0
        self.signals: list[StickSignal] = []
        self.brought_back = 0
        self.fails = ""
        self.restarts = threading.Event()
        self.plugged: queue.SimpleQueue[Medium | None] = queue.SimpleQueue()
        doubles.plugins.media_watchers["test"] = MediaWatcherType("test", "Test", lambda: HandWatcher(self.plugged))
        monkeypatch.setattr(composition, "StickJudge", partial(StickJudge, uptime=lambda: self.uptime))
        monkeypatch.setattr(
            composition,
            "Surroundings",
            lambda audit, announce: service.Surroundings(audit, announce, self.signals.append, self._bring_back),
        )
        monkeypatch.setattr(service, "_AGAIN", 0.05)
        monkeypatch.setattr(service, "_FOR_NOTICES", 5.0)
        (folder / "boot").mkdir(mode=0o700)
        self.data: DataFolder
        self.host: Host
        self.registry: Registry

    def _bring_back(self) -> None:
        if self.fails:
            raise UnitError(self.fails)
        self.brought_back += 1

    def start(self) -> None:
        self.plugged = queue.SimpleQueue()
        self.restarts.clear()
        self.data = DataFolder(self.folder / "data", plugins=self.doubles.plugins)
        self.host = Host(self.data, self.folder / "boot")
        self.host.restarting.by(self.restarts.set)
        self.registry = registry_of(self.data, self.host)
        self.host.start()

    def again(self) -> None:
        self.stop()
        self.start()

    def stop(self) -> None:
        self.host.stop()

    def call(self, name: str, actor: Actor = COMMAND_LINE, /, **arguments: Any) -> Any:
        return self.registry.call(name, arguments, actor)

    def plug_in(self, files: Mapping[str, bytes], identity: str = "1234-ABCD", problem: str = "") -> None:
        self.plugged.put(Medium("sda1", identity, files, problem))

    def code(self) -> str:
        return self.data.claim.device_code.code

    def claimed(self) -> bool:
        return self.data.claim.state is not ClaimState.OPEN

    def audited(self) -> list[tuple[str, str, str]]:
        return [(one["actor"], one["operation"], one["outcome"]) for one in self.data.audit.newest(20)]

    def last_stick(self) -> str | None:
        return self.call("reset_status")["last_stick"]  # type: ignore[no-any-return]


@pytest.fixture
def device(tmp_path: Path, doubles: Any, monkeypatch: pytest.MonkeyPatch, no_leaks: None) -> Iterator[Device]:
    made = Device(tmp_path, doubles, monkeypatch)
    made.start()
    made.call("settings_import", document=DOCUMENT)
    made.data.claim.write_mark()
    until(lambda: bool(doubles.modems) and doubles.modems[-1].is_open)
    yield made
    made.stop()


def test_a_stick_with_the_code(device: Device) -> None:
    device.plug_in({CODE_FILE: device.code().encode()})
    assert device.restarts.wait(60)
    (sent,) = device.doubles.modems[-1].outbox  # before they are gone
    assert "being reset by a USB stick: administrator, dhcp, wlan, ethernet" in sent.text
    assert ("reset stick", "reset_groups", "done") in device.audited()
    assert device.signals == [StickSignal.READING]
    assert device.claimed(), "what is on the card goes at the next start"
    device.again()
    assert not device.claimed()
    until(lambda: device.brought_back == 1)
    until(lambda: device.signals[-1] is StickSignal.DONE)
    told = device.call("reset_status")
    assert told["last_by"] == "reset-stick/reset stick"
    assert told["last_groups"] == ["administrator", "dhcp", "wlan", "ethernet"]
    assert told["waits"] is None
    # It is in the port yet.
    device.plug_in({CODE_FILE: device.code().encode()})
    until(lambda: device.last_stick() == "seen")
    assert not device.restarts.is_set()
    assert device.signals[-1] is StickSignal.DONE, "the light says yet that it is done"


def test_a_stick_with_another_code(device: Device, caplog: pytest.LogCaptureFixture) -> None:
    device.plug_in({CODE_FILE: b"ACDE-FHJK-MNPQ-RTUW"})
    until(lambda: device.last_stick() == "wrong")
    until(lambda: ("reset stick", "reset_groups", "failed") in device.audited())
    assert device.signals == [StickSignal.REFUSED]
    assert not device.restarts.is_set()
    assert "RTUW" not in caplog.text
    device.plug_in({CODE_FILE: device.code().encode()})
    assert device.restarts.wait(60)


def test_wipe(device: Device) -> None:
    code = device.code()
    device.plug_in({KEYS_FILE: f"VERIFY={code}\nWIPE_SECRETS=true\n".encode()})
    assert device.restarts.wait(60)
    device.again()
    assert device.data.claim.state is ClaimState.OPEN
    assert device.code() == code
    until(lambda: device.brought_back == 1)
    until(lambda: device.audited() == [("reset stick", "reset_groups", "done")])
    assert device.call("settings_export", secrets=True)["administrators"] == []


def test_what_cannot_be_read_is_told(device: Device, caplog: pytest.LogCaptureFixture) -> None:
    device.plug_in({}, problem="it takes too long to read")
    until(lambda: device.last_stick() == "unreadable")
    assert "sda1 resets nothing: it takes too long to read" in caplog.text
    assert device.signals == []


def test_a_stick_with_photos_is_none_of_ours(device: Device) -> None:
    device.plug_in({})
    device.plug_in({CODE_FILE: b"x"})
    until(lambda: device.last_stick() == "wrong")
    assert [one for one in device.audited() if one[0] == "reset stick"] == [("reset stick", "reset_groups", "failed")]


def test_after_ten_minutes_nothing_is_looked_at(device: Device) -> None:
    device.uptime = 601.0
    device.again()
    device.plug_in({CODE_FILE: device.code().encode()})
    assert device.call("reset_status")["stick_open_for"] == 0
    device.stop()
    assert device.plugged.get_nowait() is not None
    device.start()


def test_a_unit_that_fails_is_tried_again(device: Device) -> None:
    device.fails = "otppi-reset-network.service failed"
    device.call("reset_groups", groups=["wlan"])
    device.again()
    until(lambda: any("a reset is not done yet" in one for one in device.host.warnings()))
    assert device.call("reset_status")["waits"] == {"groups": ["wlan"], "wipe_secrets": False}
    device.fails = ""
    until(lambda: device.brought_back == 1)
    until(lambda: device.call("reset_status")["waits"] is None)
    assert device.host.stick_resets.warnings() == []
    assert StickSignal.DONE not in device.signals, "a person asked, and no stick"


def test_a_watcher_that_there_cannot_be_is_no_failure(device: Device) -> None:
    def cannot() -> MediaWatcher:
        raise NotSupported("no udev runs here")

    device.doubles.plugins.media_watchers["test"] = MediaWatcherType("test", "Test", cannot)
    device.again()
    assert device.host.stick_resets.warnings() == []
    (thread,) = [one for one in device.host.services.threads() if one.name == "reset stick"]
    until(lambda: thread.supervision.state is ThreadState.RUNNING)


def test_by_hand(device: Device) -> None:
    told = device.call("reset_groups", groups=["sms", "blocking"], dry_run=True)
    assert told["begun"] is False
    assert "the blocking list" in told["resets"]
    assert not device.restarts.is_set()
    told = device.call("reset_groups", groups=["sms", "blocking"])
    assert (told["begun"], told["restarting"]) == (True, True)
    assert device.restarts.is_set()
    assert device.data.audit.newest(1)[0]["fields"] == ["sms", "blocking"]


@pytest.mark.parametrize("arguments", [{}, {"groups": ["nonsense"]}, {"groups": ["sms", "../x"]}])
def test_by_hand_what_there_is_not(device: Device, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettings):
        device.call("reset_groups", **arguments)


def test_by_hand_only_an_administrator_may(device: Device) -> None:
    with pytest.raises(NotPermitted):
        device.call("reset_groups", Actor("rina", "administration", Role.OPERATOR), groups=["sms"])


def test_every_part_says_what_it_resets(device: Device) -> None:
    parts = {one["part"]: one["resets"] for one in device.call("reset_parts")}
    assert all(parts.values())
    assert {"administrator", "dhcp", "wlan", "ethernet", "blocking", "keystore", "sms", "modem", "api_user"} <= set(
        parts
    )
