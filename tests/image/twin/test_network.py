"""Changes of the network in the twin: confirmed at the new address, or gone, whoever dies meanwhile.

The twin has no radio: that the access point itself changes is tried in the machine.
"""

import json
import re
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from otppi.testing.waiting import until
from tests.image.twin.lan import Lan
from tests.image.twin.phone import Phone
from tests.image.twin.twin import Twin

PROFILE = "etc/NetworkManager/system-connections/otppi-ethernet.nmconnection"
LEASE = '#!/bin/sh\n[ "$1" = bound ] || exit 0\necho "ip=$ip lease=$lease domain=$domain"\n'
SHORT = 30
"""Seconds of a trial that nobody confirms: longer than what is looked at meanwhile takes on a busy machine."""
WRITER = """
from pathlib import Path
from otppi.api.trials import WriterContext
from otppi.host.data_folder import boot_folder_path
from otppi_network_{name}.plugin import otppi_network_writers
(one,) = otppi_network_writers()
boot_folder = boot_folder_path(Path("/var/lib/otppi")) / "trials/network_{name}"
writer = one.create(WriterContext(boot_folder, Path("/var/lib/otppi/test")))
writer.change(dict(writer.values()) | {values!r}, {seconds})
"""


@pytest.fixture
def lan(twin: Twin) -> Iterator[Lan]:
    with Lan(twin) as one:
        yield one


def fixed(last: int) -> dict[str, Any]:
    return {"dhcp": False, "ip_address": f"10.77.0.{last}"}


def change(twin: Twin, section: str, values: dict[str, Any]) -> str:
    """Begin a change, and return its token."""
    told = json.loads(twin.otppi("network", "change", section, "-", "--json", given=json.dumps(values)))
    return str(told["token"])


def addresses(twin: Twin, device: str = "eth0") -> list[str]:
    lines = twin.run("ip", "-4", "-oneline", "address", "show", "dev", device, check=False).splitlines()
    return [line.split()[3] for line in lines if " inet " in line]


def begun_by_a_gateway_that_dies(twin: Twin, name: str, values: dict[str, Any], seconds: int) -> None:
    """Begin a change as the gateway's user, with the gateway's rights, and end."""
    program = WRITER.format(name=name, values=values, seconds=seconds)
    code, told = twin.as_gateway("env", "RUNTIME_DIRECTORY=/run/otppi", "/opt/otppi/bin/python", "-I", "-c", program)
    assert code == 0, told


def kept(twin: Twin) -> str:
    """Return the profile on the card, without the time of its last use."""
    path = twin.path / PROFILE
    return re.sub(r"^timestamp=.*\n", "", path.read_text(), flags=re.MULTILINE) if path.exists() else ""


def in_configuration(twin: Twin, text: str) -> bool:
    return text in twin.run("cat", "/run/otppi-dhcp-conf/dhcp.conf")


def differing(twin: Twin) -> dict[str, list[str]]:
    """Return which settings are kept otherwise than they are in use."""
    shown = json.loads(twin.otppi("network", "show", "--json"))
    return {key: one["differs"] for key, one in shown.items() if one["differs"]}


def test_confirmed_at_the_new_address(twin: Twin, lan: Lan) -> None:
    token = change(twin, "network_ethernet", fixed(2))
    assert addresses(twin) == ["10.77.0.2/24"]
    assert kept(twin) == ""
    told = lan.confirm(f"http://10.77.0.2:8888/confirm/{token}")
    assert re.search("Pengaturan baru dipertahankan|The new settings are kept", told), told
    assert "address1=10.77.0.2/24" in kept(twin)
    shown = json.loads(twin.otppi("settings", "show", "network_ethernet", "--json"))["network_ethernet"]
    assert shown["ip_address"] == "10.77.0.2"
    assert differing(twin) == {}
    twin.run("systemctl", "restart", "NetworkManager.service")
    until(lambda: addresses(twin) == ["10.77.0.2/24"], "what was confirmed is used")


def test_changed_back_and_not_confirmed(twin: Twin, lan: Lan) -> None:
    before = kept(twin)
    change(twin, "network_ethernet", fixed(3))
    until(lambda: addresses(twin) == ["10.77.0.3/24"], "the new address is used")
    assert json.loads(twin.otppi("network", "status", "--json"))["trial"]["section"] == "network_ethernet"
    twin.otppi("network", "revert")
    until(lambda: addresses(twin) == ["10.77.0.2/24"], "the old address is back")
    assert kept(twin) == before


def test_nobody_confirms(twin: Twin, lan: Lan) -> None:
    """A minute and a half, as on every device."""
    before = kept(twin)
    change(twin, "network_ethernet", fixed(4))
    until(lambda: addresses(twin) == ["10.77.0.2/24"], "the old address is back")
    last = until(lambda: json.loads(twin.otppi("network", "status", "--json"))["last"], "the trial is over")
    assert last == {"section": "network_ethernet", "end": "expired"}
    assert kept(twin) == before


def test_network_manager_is_restarted(twin: Twin, lan: Lan) -> None:
    change(twin, "network_ethernet", fixed(5))
    assert addresses(twin) == ["10.77.0.5/24"]
    twin.run("systemctl", "restart", "NetworkManager.service")
    until(lambda: addresses(twin) == ["10.77.0.2/24"], "the old address is back")
    twin.otppi("network", "revert")
    assert addresses(twin) == ["10.77.0.2/24"]


def test_gateway_is_killed(twin: Twin, lan: Lan) -> None:
    change(twin, "network_ethernet", fixed(6))
    assert addresses(twin) == ["10.77.0.6/24"]
    twin.run("kill", f"-{signal.SIGKILL.value}", twin.properties("otppi.service", "MainPID")["MainPID"])
    until(lambda: addresses(twin) == ["10.77.0.2/24"], "the next gateway brings the old address back")
    until(lambda: "left behind" in twin.journal("--unit=otppi.service"), "it is told")


def test_nobody_is_there_any_more(twin: Twin, lan: Lan) -> None:
    begun_by_a_gateway_that_dies(twin, "ethernet", fixed(7), SHORT)
    assert addresses(twin) == ["10.77.0.7/24"]
    until(lambda: addresses(twin) == ["10.77.0.2/24"], "NetworkManager brings the old address back")


def test_power_fails_meanwhile(new_twin: Twin) -> None:
    assert new_twin.boot() == "running"
    with Lan(new_twin) as lan:
        token = change(new_twin, "network_ethernet", fixed(2))
        lan.confirm(f"http://10.77.0.2:8888/confirm/{token}")
        until(lambda: "10.77.0.2/24" in kept(new_twin), "it is kept")
        new_twin.run("sync")
        change(new_twin, "network_ethernet", fixed(8))
        begun_by_a_gateway_that_dies(new_twin, "dhcp", {"lease_time": 4711}, 300)
        assert addresses(new_twin) == ["10.77.0.8/24"]
        new_twin.cut_power()
    assert new_twin.boot() == "running"
    with Lan(new_twin):
        until(lambda: addresses(new_twin) == ["10.77.0.2/24"], "the old address is used")
        assert "4711" not in new_twin.run("cat", "/run/otppi-dhcp-conf/in-use.json")


@pytest.fixture
def lease(tmp_path: Path) -> str:
    script = tmp_path / "lease"
    script.write_text(LEASE)
    script.chmod(0o755)
    return str(script)


def test_dhcp_gives_what_was_confirmed(twin: Twin, lease: str) -> None:
    values = {
        "ranges": [{"first": "192.168.0.30", "last": "192.168.0.31"}],
        "lease_time": 600,
        "domain_name": "kantor.example",
    }
    with Phone(twin) as phone:
        change(twin, "network_dhcp", values)
        given = until(lambda: phone.join(lease), "there is an address")
        assert re.search(r"ip=192\.168\.0\.3[01] lease=600 domain=kantor\.example", given), given
        twin.otppi("network", "confirm")
        assert json.loads(twin.run("cat", "/etc/otppi/dhcp.json"))["lease_time"] == 600
        twin.run("systemctl", "restart", "otppi-dhcp.service")
        assert "lease=600" in phone.join(lease)
    assert differing(twin) == {}
    assert twin.code("systemctl", "is-active", "otppi-dhcp-end.timer") != 0


def test_dhcp_gives_what_it_gave_when_nobody_is_there(twin: Twin) -> None:
    before = twin.run("cat", "/run/otppi-dhcp-conf/in-use.json")
    begun_by_a_gateway_that_dies(twin, "dhcp", {"lease_time": 1234}, SHORT)
    assert '"lease_time":1234' in twin.run("cat", "/run/otppi-dhcp-conf/in-use.json")
    until(lambda: twin.run("cat", "/run/otppi-dhcp-conf/in-use.json") == before, "the timer ends it")
    assert twin.code("test", "-e", "/run/otppi-dhcp-conf/trial.json") != 0


def test_dhcp_follows_the_access_point(twin: Twin) -> None:
    """As NetworkManager tells its dispatcher; the twin has no radio."""
    dispatched = "/etc/NetworkManager/dispatcher.d/50-otppi-dhcp"
    for address, first in (("10.8.0.1/24", "dhcp-range=10.8.0."), ("192.168.0.11/24", "dhcp-range=192.168.0.")):
        twin.run("nmcli", "connection", "modify", "--temporary", "otppi-ap", "ipv4.addresses", address)
        twin.run("env", f"IP4_ADDRESS_0={address} 0.0.0.0", dispatched, "wlan0", "up")
        until(partial(in_configuration, twin, first), "the range has moved along")
        assert in_configuration(twin, f"dhcp-option=option:dns-server,{address.partition('/')[0]}\n")
        until(lambda: twin.code("systemctl", "is-active", "otppi-dhcp.service") == 0, "it runs again")
        assert differing(twin) == {}, "who moves the access point moves the ranges"


def test_overlapping_nets_are_refused(twin: Twin) -> None:
    values = json.dumps({"dhcp": False, "ip_address": "192.168.0.77"})
    code, told = twin.as_gateway("otppi", "--data", "/var/lib/otppi", "network", "change", "network_ethernet", values)
    assert code != 0
    assert "overlaps" in told
    assert "network_ethernet.ip_address" in told


def test_settings_that_are_kept_and_not_in_use(twin: Twin, lan: Lan) -> None:
    """As after a backup of another device was put back."""
    twin.otppi("settings", "import", "-", given=json.dumps({"network_ethernet": fixed(9)}))
    until(lambda: "network_ethernet" in json.loads(twin.otppi("network", "status", "--json"))["differs"], "it is told")
    assert differing(twin) == {"network_ethernet": ["ip_address"]}
    assert addresses(twin) == ["10.77.0.2/24"]
    twin.otppi("network", "apply", "network_ethernet")
    assert addresses(twin) == ["10.77.0.9/24"]
    twin.otppi("network", "revert")
    until(lambda: addresses(twin) == ["10.77.0.2/24"], "the old address is back")
    twin.otppi("network", "adopt", "network_ethernet")
    until(lambda: json.loads(twin.otppi("network", "status", "--json"))["differs"] == {}, "it is told no more")
