"""The firewall by its real units: what is opened, tried, kept and loaded at boot, and what the gateway may not do."""

import json
import re
from collections.abc import Iterator

import pytest

from otppi.testing.waiting import until
from tests.image.twin.phone import AP_ADDRESS, Phone
from tests.image.twin.twin import Twin

KEPT = "etc/otppi/firewall/kept.nft"
SIDES = ("lan", "access_point")


def _ports(twin: Twin, name: str) -> set[str]:
    """Return what is in a set of the table, as `tcp/8888`."""
    told = json.loads(twin.run("nft", "--json", "list", "set", "inet", "otppi", name))
    elements = next(one["set"] for one in told["nftables"] if "set" in one).get("elem", [])
    plain = [one["elem"]["val"] if "elem" in one else one for one in elements]
    return {"{}/{}".format(*one["concat"]) for one in plain}


def _open(twin: Twin) -> set[str]:
    """Return what is open to the LAN now."""
    return (_ports(twin, "open_lan") | _ports(twin, "trial_lan")) - _ports(twin, "closed_lan")


SERVED = {"tcp/8888", "tcp/8899", "tcp/10443"}


@pytest.fixture
def device(twin: Twin) -> Iterator[Twin]:
    """A device whose services are followed, and nothing else is open."""
    until(lambda: (twin.path / KEPT).exists(), "the gateway's ports are not kept")
    yield twin
    twin.run("systemctl", "start", "otppi.service")
    twin.as_gateway("otppi", "--data", "/var/lib/otppi", "network", "revert")  # where one goes on
    for row in json.loads(twin.otppi("firewall", "list", "--json"))["ports"]:
        twin.otppi("firewall", "close", str(row["port"]), "--protocol", row["protocol"], "--keep")
    assert _open(twin) == SERVED


def _answers(phone: Phone, port: int) -> bool:
    """Return whether a port answers: nobody listens, so that it refuses; what the firewall drops is waited for."""
    told = phone.run("timeout", "3", "bash", "-c", f"exec 3<>/dev/tcp/{AP_ADDRESS}/{port}")
    assert "unreachable" not in told, told
    return "refused" in told


def test_services_are_followed(device: Twin) -> None:
    assert _open(device) == SERVED
    try:
        device.otppi("settings", "set", "ingress-rest.http_port", "9000")
        until(lambda: _open(device) == {"tcp/8888", "tcp/9000", "tcp/10443"}, lambda: _open(device))
        device.otppi("settings", "set", "administration.port", "8889")
        until(lambda: _open(device) == {"tcp/8889", "tcp/9000", "tcp/10443"}, lambda: _open(device))
        assert "redirect to :8889" in device.run("nft", "list", "chain", "inet", "otppi", "portal")
    finally:
        device.otppi("settings", "set", "administration.port", "8888")
        device.otppi("settings", "set", "ingress-rest.http_port", "8899")
    until(lambda: _open(device) == SERVED, lambda: _open(device))


def test_a_port_is_tried_and_kept_over_a_power_cut(device: Twin) -> None:
    with Phone(device) as phone:
        phone.run("ip", "address", "add", "192.168.0.77/24", "dev", "radio")
        assert not _answers(phone, 5000)
        device.otppi("firewall", "open", "5000", "--open-to", "access_point", "--note", "telemetry")
        assert _answers(phone, 5000)
        assert "tcp/5000" in _ports(device, "trial_access_point")
        assert "5000" not in (device.path / KEPT).read_text()
        device.otppi("network", "confirm")
        assert _answers(phone, 5000)
    assert _ports(device, "trial_access_point") == set()
    device.cut_power()
    assert device.boot() == "running"
    assert _ports(device, "open_access_point") == {*SERVED, "tcp/5000"}
    assert _ports(device, "open_lan") == SERVED
    assert "telemetry" in device.otppi("firewall", "list")


def test_power_is_cut_on_trial(device: Twin) -> None:
    device.otppi("firewall", "close", "8899")
    assert _open(device) == SERVED - {"tcp/8899"}
    device.cut_power()
    assert device.boot() == "running"
    assert _open(device) == SERVED


def test_the_gateway_is_killed_on_trial(device: Twin) -> None:
    device.otppi("firewall", "close", "8899")
    assert _open(device) == SERVED - {"tcp/8899"}
    device.run("systemctl", "kill", "--signal=KILL", "otppi.service")  # and systemd starts it again
    until(lambda: _open(device) == SERVED, "the trial does not end")
    until(lambda: "a change that nobody had confirmed was left behind" in device.journal("--unit=otppi.service"))


def test_nobody_ends_the_trial(device: Twin) -> None:
    """The kernel does, after 90 seconds."""
    device.otppi("firewall", "open", "5000", "--protocol", "udp")
    device.otppi("network", "revert")
    device.otppi("firewall", "close", "8899")
    device.run("systemctl", "stop", "otppi.service")
    before = device.properties("otppi-firewall.service", "InvocationID")
    assert _open(device) == SERVED - {"tcp/8899"}
    until(lambda: _open(device) == SERVED, "the trial does not end", 200.0)
    assert device.properties("otppi-firewall.service", "InvocationID") == before


def test_the_port_of_the_pages_stays_open(device: Twin) -> None:
    code, told = device.as_gateway("otppi", "--data", "/var/lib/otppi", "firewall", "close", "8888")
    assert code != 0
    assert "these pages are served at this port" in told
    assert _open(device) == SERVED


def test_what_the_card_has_damaged(device: Twin) -> None:
    device.otppi("firewall", "open", "5000", "--keep")
    device.switch_off()
    kept = device.path / KEPT
    kept.write_text(kept.read_text().replace("tcp . 5000", "tcp . 5001"))
    assert device.boot() == "running"
    assert _open(device) == SERVED
    until(lambda: "what was kept of the firewall was damaged" in device.otppi("status"), device.otppi("status"))


def _unit(twin: Twin, method: str) -> tuple[int, str]:
    manager = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")
    return twin.as_gateway("busctl", "call", *manager, method, "ss", "otppi-firewall.service", "replace")


def test_the_gateway_may_start_the_unit_and_do_nothing_else_with_it(device: Twin) -> None:
    assert _unit(device, "StartUnit")[0] == 0
    for method in ("StopUnit", "RestartUnit", "ReloadUnit"):
        code, told = _unit(device, method)
        assert code != 0
        assert re.search("Access denied|not allowed|authentication required", told, re.IGNORECASE), told
    code, told = device.as_gateway("nft", "list", "ruleset")
    assert code != 0, told


def test_a_hostile_gateway(device: Twin) -> None:
    """A link in place of what is handed over: nothing of it is read, and what is kept stays in use."""
    script = (
        "cd /run/otppi/otppi-*/service-firewall && rm -f services.json && ln -s /etc/shadow services.json && "
        "busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StartUnit ss "
        "otppi-firewall.service replace"
    )
    code, told = device.as_gateway("sh", "-c", script)
    assert code == 0, told
    until(
        lambda: device.properties("otppi-firewall.service", "ActiveState")["ActiveState"] == "failed",
        "the unit does not fail",
    )
    assert "services.json cannot be read" in device.journal("--unit=otppi-firewall.service")
    assert _open(device) == SERVED
    assert device.as_gateway("sh", "-c", "rm /run/otppi/otppi-*/service-firewall/services.json")[0] == 0
    device.run("systemctl", "start", "otppi-firewall.service")


def test_the_unit_is_confined(device: Twin) -> None:
    told = device.run("systemd-analyze", "security", "--no-pager", "otppi-firewall.service")
    found = re.search(r"exposure level for otppi-firewall\.service: ([\d.]+)", told)
    assert found is not None
    assert float(found[1]) <= 2.5
    assert device.properties("otppi-firewall.service", "NoNewPrivileges", "CapabilityBoundingSet") == {
        "NoNewPrivileges": "yes",
        "CapabilityBoundingSet": "cap_dac_read_search cap_net_admin",
    }
