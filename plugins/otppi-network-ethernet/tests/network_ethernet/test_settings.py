"""What Ethernet's settings take, by themselves and beside others; and what is said where none can be used."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.api.settings import Section
from otppi.api.trials import CannotWrite, WriterContext
from otppi.testing.network_manager import NetworkManagerProcess
from otppi.testing.section import SECTION_CHECKS
from otppi.testing.waiting import until
from otppi_network_ethernet.plugin import SECTION, otppi_network_writers

(WRITER,) = otppi_network_writers()
FIXED = SECTION.defaults() | {"dhcp": False, "ip_address": "192.168.1.50", "gateway": "192.168.1.1"}
POINT = {"network_access_point": {"ip_address": "192.168.0.11", "prefix": 24}}


@pytest.mark.parametrize("check", SECTION_CHECKS, ids=lambda check: check.__name__)
def test_section(check: Callable[[Section], None]) -> None:
    check(SECTION)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({}, set()),
        ({"dns1": "192.168.1.1", "dns2": "1.1.1.1"}, set()),
        ({"prefix": 16, "netmask": "255.255.0.0"}, set()),
        ({"prefix": 16}, {"netmask"}),
        ({"netmask": "255.0.255.0"}, {"netmask"}),
        ({"prefix": 31}, {"prefix"}),
        ({"ip_address": ""}, {"ip_address"}),
        ({"ip_address": "192.168.1.0"}, {"ip_address"}),
        ({"ip_address": "192.168.1.255"}, {"ip_address"}),
        ({"ip_address": "127.0.0.1"}, {"ip_address"}),
        ({"ip_address": "224.0.0.9"}, {"ip_address"}),
        ({"ip_address": "192.168.1"}, {"ip_address"}),
        ({"ip_address": "fe80::1"}, {"ip_address"}),
        ({"gateway": "192.168.2.1"}, {"gateway"}),
        ({"gateway": "192.168.1.50"}, {"gateway"}),
        ({"dns2": "1.1.1.1"}, {"dns1"}),
        ({"dns1": "dns.example"}, {"dns1"}),
        ({"dhcp": True}, {"ip_address", "gateway"}),
        ({"dhcp": True, "ip_address": "", "gateway": ""}, set()),
        ({"dhcp": True, "ip_address": "", "gateway": "", "prefix": 16, "netmask": "255.255.0.0"}, {"prefix"}),
    ],
)
def test_what_does_not_go_together(change: dict[str, Any], fields: set[str]) -> None:
    problems = SECTION.validate(FIXED | change)[1]
    assert {one.field.removeprefix("network_ethernet.") for one in problems} == fields


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({}, set()),
        ({"ip_address": "192.168.0.200", "gateway": ""}, {"ip_address"}),
        ({"ip_address": "192.168.1.50", "prefix": 16, "netmask": "255.255.0.0"}, {"ip_address"}),
        ({"dhcp": True, "ip_address": "", "gateway": ""}, set()),
    ],
)
def test_nets_must_not_overlap(change: dict[str, Any], fields: set[str]) -> None:
    values, problems = SECTION.validate(FIXED | change)
    assert problems == []
    assert {one.field for one in WRITER.check(values, POINT)} == fields
    assert list(WRITER.check(values, {})) == []


def test_address_is_told() -> None:
    assert WRITER.address(FIXED) == "192.168.1.50"
    assert WRITER.address(SECTION.defaults()) is None


def context(folder: Path) -> WriterContext:
    return WriterContext(folder / "boot", folder / "card")


def test_cable_is_out(network: NetworkManagerProcess, tmp_path: Path) -> None:
    network.unplug()
    writer = WRITER.create(context(tmp_path))
    with pytest.raises(CannotWrite, match="no cable"):
        writer.change(FIXED, 60)
    assert not writer.abandon()
    network.plug_in()
    writer.change(FIXED, 60).roll_back()


def test_no_such_device(network: NetworkManagerProcess, tmp_path: Path) -> None:
    network.ip("link", "set", "eth0", "name", "other")
    until(lambda: "eth0" not in network.nmcli("device"), network.log)
    with pytest.raises(CannotWrite, match="has no eth0"):
        WRITER.create(context(tmp_path)).change(FIXED, 60)


def test_no_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    with pytest.raises(CannotWrite, match="no system bus"):
        WRITER.create(context(tmp_path)).values()


def test_restart_of_network_manager_brings_back_what_was_before(network: NetworkManagerProcess, tmp_path: Path) -> None:
    """By itself: nobody has to wait for the end of the time."""
    writer = WRITER.create(context(tmp_path))
    writer.change(FIXED, 300).confirm()
    trial = writer.change(FIXED | {"ip_address": "192.168.1.77"}, 300)
    assert network.addresses == ["192.168.1.77/24"]
    network.restart()
    until(lambda: network.addresses == ["192.168.1.50/24"], network.log)
    until(lambda: not writer.abandon(), "the trial is over")
    trial.roll_back()
    assert network.addresses == ["192.168.1.50/24"]


def test_name_servers_and_all_else_of_a_profile(network: NetworkManagerProcess, tmp_path: Path) -> None:
    writer = WRITER.create(context(tmp_path))
    values = FIXED | {"dns1": "192.168.1.1", "dns2": "1.1.1.1"}
    writer.change(values, 300).confirm()
    assert dict(writer.values()) == values
    network.nmcli("connection", "modify", "otppi-ethernet", "ethernet.mtu", "1400")
    by_dhcp = SECTION.defaults() | {"dns1": "192.168.1.1"}
    writer.change(by_dhcp, 300).confirm()
    assert dict(writer.values()) == by_dhcp
    told = network.nmcli(
        "--get-values", "802-3-ethernet.mtu,ipv4.ignore-auto-dns", "connection", "show", "otppi-ethernet"
    )
    assert told.split() == ["1400", "yes"]
