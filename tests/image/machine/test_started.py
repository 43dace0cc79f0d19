"""A device after its first boot: all that should run does, and answers."""

import re

from otppi.testing.waiting import until
from tests.image.machine.application import get
from tests.image.machine.conftest import PICTURES, Flashed
from tests.image.machine.machine import SLOW, Machine

_LISTENING = {
    ("tcp", 53),  # names, on the access point
    ("udp", 53),
    ("udp", 67),  # DHCP, on the access point
    ("udp", 5353),  # otppi.local
    ("tcp", 8888),
    ("tcp", 8899),
    ("tcp", 10443),
}
_OF_AVAHI = "avahi-daemon"
"""Asks from a port that is another each time, on which nothing is answered."""


def test_nothing_has_failed(device: Machine) -> None:
    failed = device.run("systemctl --failed --no-legend --plain")
    assert failed == ""
    assert device.until_started() == "running"
    assert "ordering cycle" not in device.journal()
    assert "Breaking" not in device.journal("--grep", "cycle|Breaking", "--quiet")


def test_pages_and_api_answer(device: Machine) -> None:
    assert get(device, 8899, "/api/health")[0] in (200, 401, 503)
    status, page = get(device, 8888, "/claim")
    assert status == 200
    assert 'name="code"' in page  # who is on the LAN has to have the device's code
    device.run("/run/tools/busybox wget -q -O - http://127.0.0.1:8888/claim | grep 'name=\"code\"'")


def test_console_shows_where_the_pages_are(device: Machine) -> None:
    """A person at the HDMI socket reads an address, and is told no secret: this card has a brochure."""
    shown = device.until("grep -a 8888 /dev/vcs1", "the console has a prompt", SLOW)
    PICTURES.mkdir(parents=True, exist_ok=True)
    device.qmp.command("screendump", filename=str(PICTURES / "machine-console.png"), format="png")
    assert "http://192.168.0.11:8888" in shown
    assert "(passphrase)" not in shown


def _listening(machine: Machine) -> set[tuple[str, int]]:
    lines = machine.run("ss --no-header --listening --tcp --udp --numeric --processes").splitlines()
    fields = [line.split() for line in lines if _OF_AVAHI not in line or ":5353 " in line]
    return {(one[0], int(one[4].rpartition(":")[2])) for one in fields}


def test_nothing_else_listens(device: Machine) -> None:
    until(lambda: _listening(device) == _LISTENING, lambda: f"others: {_listening(device) ^ _LISTENING}", SLOW)


def test_access_point_is_the_brochures(device: Machine, card: Flashed) -> None:
    """The card's identity is the device's, and is nowhere any more where a stranger's computer could read it."""
    info = device.until(
        "iw dev wlan0 info | grep 'type AP' >/dev/null && iw dev wlan0 info", "the access point is up", SLOW
    )
    assert re.search(rf"^\s*ssid {re.escape(card.identity.ssid)}$", info, re.MULTILINE)
    assert "192.168.0.11/24" in device.run("ip -brief address show dev wlan0")
    assert device.otppi("admin", "code").splitlines()[0] == card.identity.written_code
    assert device.code("ls /boot/firmware/otppi-device.json").code != 0
    assert card.identity.passphrase not in device.journal()


def test_card_is_used_to_its_end(device: Machine) -> None:
    """The machine's card has 4 GiB, the image a third of that."""
    size = int(device.run("df --output=size --block-size=1M / | tail -n 1"))
    assert size > 3_000


def test_modems_that_come_later_may_be_used(device: Machine) -> None:
    """The drivers are there before the gateway: its sandbox names them when it starts (systemd.resource-control(5))."""
    assert "ttyUSB" in device.run("cat /proc/devices")
    assert "char-ttyUSB" in device.run("systemctl show otppi.service --property DeviceAllow")
