"""The ports of services follow the settings, by the real unit's program; packets tell."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from otppi.api.events import SettingsChanged
from otppi.api.services import ListeningPort, ServiceContext
from otppi.kit.system_units import IN_USE, UnitError
from otppi.testing.waiting import PATIENCE, until
from otppi_firewall_nftables import plugin
from otppi_firewall_nftables.request import Services
from otppi_firewall_nftables.service import FollowingService, services_of

from .conftest import Device, Folders, ports, row


class Events:
    """An event bus of one subscriber."""

    def __init__(self) -> None:
        self._subscriber: Any = None

    def subscribe(self, kind: type, subscriber: Any, /) -> Any:
        assert kind is SettingsChanged
        self._subscriber = subscriber

    def publish(self) -> None:
        self._subscriber(SettingsChanged(("x",)))


class Gateway:
    """One whose settings change."""

    def __init__(self, folder: Path, device: Folders) -> None:
        self.page, self.api = 8888, 8899
        self.api_address = ""
        self.rows: list[Mapping[str, Any]] = []
        self.events = Events()
        context = ServiceContext(self.events, self.settings, folder, device.services, self.listening)
        self.service = FollowingService(context, device.kept, device.told)

    def settings(self, key: str) -> dict[str, Any]:
        return {"firewall": {"ports": self.rows}}[key]

    def listening(self) -> list[ListeningPort]:
        api = ListeningPort("any-plugin", "http", self.api, self.api_address)
        return [ListeningPort("administration", "port", self.page), api]

    @contextmanager
    def running(self) -> Iterator[None]:
        self.service.start()
        thread = threading.Thread(target=self.service.run)
        thread.start()
        try:
            yield
        finally:
            self.service.stop()
            thread.join(PATIENCE)
            assert not thread.is_alive()


@pytest.fixture
def gateway(device: Device, tmp_path: Path) -> Gateway:
    return Gateway(tmp_path, device.folders)


def test_ports_follow_the_settings(device: Device, gateway: Gateway) -> None:
    asked = ("tcp/8888", "tcp/8899", "tcp/10443", "tcp/9000", "tcp/9443")

    def reach(*wanted: str) -> None:
        until(lambda: device.net.open("lan", *asked) == set(wanted), f"{wanted} are not what is open")

    with gateway.running():
        reach("tcp/8888", "tcp/8899")
        gateway.api = 9443
        gateway.events.publish()
        reach("tcp/8888", "tcp/9443")
        gateway.page = 9000
        gateway.events.publish()
        reach("tcp/9000", "tcp/9443")
        until(lambda: gateway.service.describe() == {"ports": [9000, 9443], "page": 9000}, "it is not told")
    device.boot()
    reach("tcp/9000", "tcp/9443")


def test_one_that_listens_for_this_device_only_opens_no_port(device: Device, gateway: Gateway) -> None:
    asked = ("tcp/8888", "tcp/8899")
    with gateway.running():
        until(lambda: device.net.open("lan", *asked) == set(asked), "they are not open")
        gateway.api_address = "127.0.0.1"
        gateway.events.publish()
        until(lambda: device.net.open("lan", *asked) == {"tcp/8888"}, "the API is still open")
        gateway.api_address = "192.168.1.2"
        gateway.events.publish()
        until(lambda: device.net.open("lan", *asked) == set(asked), "they are not open again")


def test_ports_that_were_reset_are_closed_and_those_of_a_backup_opened(device: Device, gateway: Gateway) -> None:
    device.writer.change(ports(row(5000), row(5001)), 300.0).confirm()
    device.boot()
    assert device.net.open("lan", "tcp/5000", "tcp/5001", "tcp/5002") == {"tcp/5000", "tcp/5001"}
    gateway.rows = [row(5001), row(5002)]
    with gateway.running():
        until(lambda: gateway.service.describe(), "it does not look")
        assert device.net.open("lan", "tcp/5000", "tcp/5001", "tcp/5002") == {"tcp/5001", "tcp/5002"}
    device.boot()
    assert device.net.open("lan", "tcp/5000", "tcp/5001", "tcp/5002") == {"tcp/5001", "tcp/5002"}


def test_nothing_is_done_where_nothing_has_changed(device: Device, gateway: Gateway) -> None:
    device.firewall.follow(services_of(gateway.listening()))
    device.boot()
    starts = device.starts
    with gateway.running():
        until(lambda: gateway.service.describe(), "it does not look")
    assert device.starts == starts


def test_it_is_loaded_where_nothing_was_at_boot(device: Device, gateway: Gateway) -> None:
    device.firewall.follow(services_of(gateway.listening()))
    device.net.run("device", "nft", "flush", "ruleset")
    for one in device.folders.told.iterdir():
        one.unlink()
    with gateway.running():
        until(lambda: device.net.open("lan", "tcp/22", "tcp/8888") == {"tcp/8888"}, "there is no table")


def test_a_unit_that_fails_is_told(device: Device, gateway: Gateway) -> None:
    """The gateway tells it, and has it tried again."""
    device.units.behave(refuse="org.freedesktop.systemd1.NoSuchUnit")
    gateway.service.start()
    with pytest.raises(UnitError, match=r"this device has no otppi-firewall\.service"):
        gateway.service.run()


def test_a_computer_whose_firewall_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pages offer no service that does nothing."""
    monkeypatch.setenv(IN_USE, "1")
    assert [one.key for one in plugin.otppi_services()] == ["firewall"]
    monkeypatch.delenv(IN_USE)
    assert list(plugin.otppi_services()) == []


def test_damage_is_told_until_the_ports_are_kept_anew(device: Device, gateway: Gateway) -> None:
    device.folders.kept.write_bytes(b"garbage")
    device.boot()
    with gateway.running():
        until(lambda: gateway.service.describe(), "it does not look")
        (told,) = gateway.service.problems()
        assert str(told).startswith("what was kept of the firewall was damaged")
        device.writer.change(ports(row(8080)), 300.0).confirm()
        assert gateway.service.problems() == []


def test_pages_that_are_not_served() -> None:
    assert services_of([ListeningPort("x", "port", 9), ListeningPort("y", "port", 9)]).ports == (9,)
    assert services_of([]).page is None
    assert services_of([ListeningPort("administration", "port", 8888, "::1")]) == Services((), None)
