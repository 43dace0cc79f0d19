"""What is asked in few words: which rows become of it."""

from typing import Any

import pytest

from otppi.api.operations import Actor, Call, Role
from otppi.api.trials import CannotWrite
from otppi_firewall_nftables import handing_over
from otppi_firewall_nftables.operations import OPERATIONS

from .conftest import SERVICES, Device, ports, row

pytestmark = pytest.mark.usefixtures("in_use")


class Calls(Call):
    """A gateway that has trials; each change is as the writer does it."""

    def __init__(self, device: Device) -> None:
        self.actor = Actor("adi", "command-line", Role.ADMINISTRATOR)
        self._device = device
        self._trial: Any = None

    def perform(self, name: str, /, **arguments: Any) -> Any:
        match name:
            case "network_change":
                assert arguments["section"] == "firewall"
                self._trial = self._device.writer.change(ports(*arguments["values"]["ports"]), 300.0)
                return {"token": "t0"}
            case "network_confirm":
                assert arguments == {"token": "t0"}
                self._trial.confirm()
                return {"kept": True}
        raise LookupError(name)


@pytest.fixture
def in_use(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    device.firewall.follow(SERVICES)
    monkeypatch.setattr(handing_over, "InUse", lambda: device.firewall)


@pytest.fixture
def call(device: Device) -> Calls:
    return Calls(device)


def carry_out(call: Calls, name: str, **arguments: Any) -> Any:
    operation = next(one for one in OPERATIONS if one.name == name)
    return operation.handler(call, **operation.check(arguments))


def test_open_and_close(device: Device, call: Calls) -> None:
    assert carry_out(call, "firewall_list") == {
        "services": [8888, 8899, 10443], "page": 8888, "ports": [], "trial_seconds": None
    }  # fmt: skip
    assert carry_out(call, "firewall_open", port=5000, protocol="udp", open_to="lan") == {"token": "t0"}
    told = carry_out(call, "firewall_list")
    assert told["ports"] == [row(5000, "udp", "lan")]
    assert 0 < told["trial_seconds"] <= 300
    assert device.net.open("lan", "udp/5000") == {"udp/5000"}
    assert carry_out(call, "firewall_open", port=5000, protocol="udp", note="x", keep=True) == {"kept": True}
    assert carry_out(call, "firewall_list")["ports"] == [row(5000, "udp", note="x")]
    assert carry_out(call, "firewall_list")["trial_seconds"] is None
    carry_out(call, "firewall_close", port=5000, protocol="udp", keep=True)
    assert carry_out(call, "firewall_list")["ports"] == []
    assert device.net.open("lan", "udp/5000") == set()


def test_the_port_of_a_service_is_closed_by_a_row(device: Device, call: Calls) -> None:
    carry_out(call, "firewall_close", port=8899, keep=True)
    assert carry_out(call, "firewall_list")["ports"] == [row(8899, open_to="nobody")]
    assert device.net.open("lan", "tcp/8888", "tcp/8899") == {"tcp/8888"}


def test_what_is_not_open_is_not_closed(call: Calls) -> None:
    with pytest.raises(CannotWrite, match="5000/udp is not open"):
        carry_out(call, "firewall_close", port=5000, protocol="udp")


def test_a_computer_whose_firewall_is_its_own(call: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTPPI_UNITS")
    for name in ("firewall_list", "firewall_open", "firewall_close"):
        with pytest.raises(CannotWrite, match="in its card image only"):
            carry_out(call, name, **({} if name == "firewall_list" else {"port": 5000}))
