"""Mobile internet by a modem: pppd dials by a unit of its own, and speaks PPP with another one, the operator's."""

import json
from typing import Final

import pytest

from otppi.simulator.profile import ModemProfile
from otppi.testing.waiting import until
from tests.image.machine.machine import SLOW, Machine

_APN: Final = "internet.example"
_PROFILE: Final = ModemProfile(imei="350000000000010", apn=_APN)
_OPERATORS, _OURS, _NAME_SERVER = "10.64.0.1", "10.64.0.2", "10.64.0.53"
_ELSEWHERE: Final = "203.0.113.1"
_MODEM: Final = {
    "name": "m1",
    "type": "at",
    "port": "/dev/ttyUSB0",
    "internet_access": True,
    "internet_port": "/dev/ttyUSB0",
    "apn": _APN,
}


@pytest.fixture
def operator(device: Machine) -> Machine:
    """An operator that gives whoever dials an address; its end of the line is a console of the machine's."""
    device.run("modprobe ppp_async; ip netns add operator; ip -n operator link set lo up")
    options = "/dev/hvc1 115200 local nocrtscts nodetach noauth silent noipdefault"
    options += f" {_OPERATORS}:{_OURS} ms-dns {_NAME_SERVER}"
    device.run(f"setsid ip netns exec operator pppd {options} >/run/operator.log 2>&1 </dev/null &")
    return device


def _status(device: Machine) -> dict[str, str]:
    (one,) = json.loads(device.otppi("internet", "status", "--json"))
    found: dict[str, str] = one
    return found


def test_connected_by_ppp(operator: Machine) -> None:
    device = operator
    with device.modem(_PROFILE) as modem:
        device.until("[ -e /dev/ttyUSB0 ]", "the port is there")
        device.otppi("settings", "import", "-", given=json.dumps({"modems": [_MODEM]}))
        until(lambda: modem.online, lambda: f"it is dialled: {_status(device)}", SLOW)
        device.until(f"ip -brief address show dev ppp0 | grep {_OURS}", "there is an address", SLOW)
        until(lambda: _status(device)["state"] == "connected", lambda: _status(device), SLOW)
        device.run(f"/run/tools/busybox ping -c 2 -W 30 {_OPERATORS}")
        # It is no child of the gateway's, which may not do what pppd does.
        assert device.run("systemctl list-units --plain --no-legend 'otppi-ppp@*' | grep -c running").strip() == "1"
        _fails_over(device)
        device.otppi("modem", "deactivate", "m1")
        device.until("! ip link show dev ppp0 2>/dev/null", "it is hung up", SLOW)
        device.until(f"! grep {_NAME_SERVER} /etc/resolv.conf", "its name server is asked no more")


def _fails_over(device: Machine) -> None:
    """All goes by Ethernet while that leads somewhere, then by the modem, and back."""
    # The emulator's DHCP server names no router, as its network leads nowhere.
    wired = "ip route replace default via 10.0.2.2 dev eth0 metric 100"
    device.run(wired)
    assert "dev ppp0" in device.run("ip route show default metric 10000")
    assert "dev eth0" in device.run(f"ip route get {_ELSEWHERE}")
    device.run("nmcli device disconnect eth0")
    device.until(f"ip route get {_ELSEWHERE} | grep 'dev ppp0'", "the modem takes over")
    device.until(f"grep {_NAME_SERVER} /etc/resolv.conf", "the operator's name server is asked")
    device.run("nmcli --wait 60 device connect eth0")
    device.run(wired)
    device.until(f"ip route get {_ELSEWHERE} | grep 'dev eth0'", "Ethernet has it back")
