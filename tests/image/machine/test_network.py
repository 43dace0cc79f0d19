"""The access point is changed by real radio drivers: confirmed by a phone that joined the new one, or it is back."""

import json
import re

import pytest

from tests.image.machine.conftest import Flashed
from tests.image.machine.machine import SLOW, Machine
from tests.image.machine.station import Station

OLD, NEW = "192.168.0.11", "10.8.0.1"
SSID, PASSPHRASE = "Kantor lantai 2", "kursi hijau di teras"
CHANGE = {"ssid": SSID, "passphrase": PASSPHRASE, "ip_address": NEW}
OTPPI = "setpriv --reuid=otppi --regid=otppi --init-groups otppi --data /var/lib/otppi"


def up(address: str) -> str:
    return f"iw dev wlan0 info | grep 'type AP' && ip -brief address show dev wlan0 | grep {address}"


@pytest.fixture
def changed(device: Machine, phone: Station) -> str:
    """The token of a change that is on trial, in front of a phone that is switched on."""
    device.until(up(OLD), "the access point is up", SLOW)
    device.until(f"{OTPPI} network status", "the gateway answers", SLOW)
    told = device.run(f"{OTPPI} network change network_access_point '{json.dumps(CHANGE)}' --json", SLOW)
    device.until(up(NEW), "the new address is used", SLOW)
    return str(json.loads(told)["token"])


def test_phone_joins_the_new_one_and_confirms(device: Machine, phone: Station, changed: str) -> None:
    assert phone.join(SSID, PASSPHRASE) == "CTRL-EVENT-CONNECTED"
    given = phone.lease()
    assert re.fullmatch(r"10\.8\.0\.1([0-4]\d|50)", given["ip"]), "the range has moved along"
    assert given["dns"] == NEW
    assert bytes.fromhex(given["opt114"]).decode() == f"http://{NEW}:8888/captive-portal/api"
    link = f"http://{NEW}:8888/confirm/{changed}"
    page = phone.get(link)
    assert page.status == 200, page.told
    cookie = "; ".join(re.findall(r"^Set-Cookie: ([^;]+)", page.told, re.MULTILINE | re.IGNORECASE))
    token = re.findall(r'name="form_token" value="([^"]+)"', page.told)[0]
    answer = phone.get(link, post=f"form_token={token}", cookie=cookie)
    assert answer.status == 200, answer.told
    profile = "/etc/NetworkManager/system-connections/otppi-ap.nmconnection"
    assert f"address1={NEW}/24" in device.run(f"cat {profile}")
    answer = phone.get(f"http://{NEW}/generate_204", host="connectivitycheck.example")
    assert (answer.status, answer.location) == (302, f"http://{NEW}:8888/"), answer.told


def test_nobody_confirms(device: Machine, phone: Station, card: Flashed, changed: str) -> None:
    """What was before is back after three minutes, and a phone joins by the brochure again."""
    device.until(up(OLD), "the old address is back", SLOW)
    device.until(f"grep '# {OLD}/24' /run/otppi-dhcp-conf/dhcp.conf", "DHCP has followed", SLOW)
    assert phone.join(card.identity.ssid, card.identity.passphrase) == "CTRL-EVENT-CONNECTED"
    assert phone.lease()["dns"] == OLD


def test_network_manager_is_restarted(device: Machine, changed: str) -> None:
    device.run("systemctl restart NetworkManager.service", SLOW)
    device.until(up(OLD), "the old address is back", SLOW)
