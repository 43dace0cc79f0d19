"""What dnsmasq is told: dnsmasq itself reads it."""

import ipaddress
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from otppi_network_dhcp.configuration import DEFAULTS, configuration, in_use
from otppi_network_dhcp.plugin import SECTION, otppi_network_writers
from otppi_network_dhcp.render import DhcpFiles, render

from .device import Device

OWN = ipaddress.IPv4Interface("192.168.0.11/24")
MANY = {
    "domain_name": "kantor.example",
    "domain_name_servers": ["192.168.0.1", "1.1.1.1"],
    "router_address": "192.168.0.1",
    "netmask": "255.255.255.0",
    "lease_time": 86400,
    "ranges": [{"first": "192.168.0.20", "last": "192.168.0.29"}, {"first": "192.168.0.40", "last": "192.168.0.49"}],
}


def accepted(text: str, folder: Path) -> bool:
    path = folder / "dhcp.conf"
    path.write_text(text)
    dnsmasq = shutil.which("dnsmasq", path="/usr/sbin:/usr/bin")
    assert dnsmasq is not None
    return subprocess.run([dnsmasq, "--test", f"--conf-file={path}"], capture_output=True).returncode == 0


@pytest.mark.parametrize("values", [DEFAULTS, MANY])
@pytest.mark.parametrize("portal", [True, False])
def test_dnsmasq_takes_it(tmp_path: Path, values: dict[str, Any], portal: bool) -> None:
    text = configuration(in_use(values, OWN), OWN, portal=portal)
    assert accepted(text, tmp_path)
    assert not accepted(text + "no-such-option\n", tmp_path)
    assert ("address=/#/192.168.0.11" in text) == portal


def test_it_says_all_of_the_values() -> None:
    text = configuration(in_use(MANY, OWN), OWN, portal=False)
    assert text.splitlines()[1:] == [
        "interface=wlan0",
        "except-interface=lo",
        "no-resolv",
        "no-hosts",
        "domain=kantor.example",
        "host-record=otppi,otppi.local,otppi.kantor.example,192.168.0.11",
        "dhcp-range=192.168.0.20,192.168.0.29,255.255.255.0,86400",
        "dhcp-range=192.168.0.40,192.168.0.49,255.255.255.0,86400",
        "dhcp-option=option:router,192.168.0.1",
        "dhcp-option=option:dns-server,192.168.0.1,1.1.1.1",
        "dhcp-option=114,http://192.168.0.11:8888/captive-portal/api",
        "dhcp-authoritative",
        "dhcp-ignore-names",
    ]


def test_defaults_are_the_sections() -> None:
    assert SECTION.defaults() == dict(DEFAULTS)


@pytest.mark.parametrize(
    ("own", "first", "last", "netmask", "router"),
    [
        ("192.168.0.11/24", "192.168.0.20", "192.168.0.29", "255.255.255.0", "192.168.0.1"),
        ("10.8.0.1/24", "10.8.0.20", "10.8.0.29", "255.255.255.0", ""),  # it would be the device itself
        ("10.8.4.2/22", "10.8.4.20", "10.8.4.29", "255.255.252.0", "10.8.4.1"),
    ],
)
def test_what_is_of_another_net_moves_along(own: str, first: str, last: str, netmask: str, router: str) -> None:
    used = in_use(MANY, ipaddress.IPv4Interface(own))
    assert used["ranges"][0] == {"first": first, "last": last}
    assert (used["netmask"], used["router_address"]) == (netmask, router)


def test_address_is_that_of_the_profile_in_ram_then_on_the_card(device: Device) -> None:
    def told() -> str:
        render(device.files)
        return device.files.configuration.read_text().splitlines()[0]

    assert told() == "# 192.168.0.11/24"
    device.give_access_point("10.8.0.1/24")
    assert told() == "# 10.8.0.1/24"
    device.give_access_point("10.9.0.1/16,10.9.0.2", "run")
    assert told() == "# 10.9.0.1/16"
    device.give_access_point("", "run")  # damaged
    assert told() == "# 10.8.0.1/24"


def test_names_lead_to_the_device_until_it_is_claimed(device: Device) -> None:
    assert "address=/#/192.168.0.11" in device.files.configuration.read_text()
    device.files.claimed.touch()
    render(device.files)
    assert "address=/#/" not in device.files.configuration.read_text()


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b"\xff"])
def test_damaged_values_are_the_brochures(device: Device, damaged: bytes) -> None:
    device.files.kept.write_bytes(damaged)
    render(device.files)
    assert json.loads(device.files.in_use.read_bytes()) == dict(DEFAULTS)


def test_render_is_light() -> None:
    """It runs at each start, on a slow computer that has just begun."""
    program = (
        "import sys, otppi_network_dhcp.render; "
        "print(*(one for one in ('otppi.api.settings', 'otppi.text', 'dbus', 'pluggy') if one in sys.modules))"
    )
    done = subprocess.run([shutil.which("python3") or "", "-c", "0"], capture_output=True)
    assert done.returncode == 0
    import sys

    told = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.split() == []


POINT = {"network_access_point": {"ip_address": "192.168.0.11", "prefix": 24}}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({}, None),
        (MANY, None),
        ({"netmask": "255.255.0.0"}, "netmask"),
        ({"ranges": [{"first": "192.168.1.2", "last": "192.168.1.9"}]}, "ranges[0].first"),
        ({"ranges": [{"first": "192.168.0.10", "last": "192.168.0.255"}]}, "ranges[0].last"),
        ({"ranges": [{"first": "192.168.0.10", "last": "192.168.0.20"}]}, "ranges[0].first"),
        ({"router_address": "10.0.0.1"}, "router_address"),
    ],
)
def test_what_does_not_go_with_the_access_point(change: dict[str, Any], field: str | None) -> None:
    values, problems = SECTION.validate(dict(DEFAULTS) | change)
    assert problems == []
    (writer_type,) = otppi_network_writers()
    assert next((one.field for one in writer_type.check(values, POINT)), None) == field
    assert list(writer_type.check(values, {})) == []


@pytest.mark.parametrize(
    "change",
    [
        {"lease_time": 119},
        {"ranges": []},
        {"ranges": [{"first": "192.168.0.20", "last": "192.168.0.10"}]},
        {
            "ranges": [
                {"first": "192.168.0.10", "last": "192.168.0.20"},
                {"first": "192.168.0.20", "last": "192.168.0.30"},
            ]
        },
        {"ranges": [{"first": "::1", "last": "::2"}]},
        {"domain_name": "otppi.local\naddress=/#/1.2.3.4"},
        {"domain_name": "-x"},
        {"domain_name_servers": ["dns.example"]},
        {"router_address": "300.1.1.1"},
        {"netmask": "255.0.255.0"},
    ],
)
def test_what_is_refused_by_itself(change: dict[str, Any]) -> None:
    assert SECTION.validate(dict(DEFAULTS) | change)[1] != []


def test_other_names_of_the_document() -> None:
    values, problems = SECTION.validate(
        {"subnetmask": "255.255.0.0", "maximum_lease_time": 600, "domain_name_servers_address": ["10.0.0.1"]}
    )
    assert problems == []
    assert (values["netmask"], values["lease_time"], values["domain_name_servers"]) == (
        "255.255.0.0",
        600,
        ["10.0.0.1"],
    )


def test_files_are_for_all_to_read(device: Device) -> None:
    files: DhcpFiles = device.files
    assert {one.stat().st_mode & 0o777 for one in (files.configuration, files.in_use)} == {0o644}


def test_what_is_expected_follows_the_access_point() -> None:
    """So nobody is told that other settings are kept only because the access point has another address."""
    (kind,) = otppi_network_writers()
    point = {"ip_address": "10.0.5.1", "prefix": 25}
    expected = kind.expected(SECTION.defaults(), {"network_access_point": point})
    assert expected == in_use(SECTION.defaults(), ipaddress.IPv4Interface("10.0.5.1/25"))
    assert expected != SECTION.defaults()
    assert kind.expected(SECTION.defaults(), {}) is None
