"""A phone joins the access point by real radio drivers: as the brochure says, and not otherwise."""

import json
import re
from urllib.parse import urlencode

import pytest

from tests.image.machine.conftest import Flashed
from tests.image.machine.machine import SLOW, Machine
from tests.image.machine.station import ADDRESS, PAGES, UP, Station


@pytest.fixture(scope="module")
def once_joined(booted: Machine, card: Flashed) -> Station:
    """A phone that has joined for the first time, and the state of the machine then."""
    booted.go_back("started")
    station = Station(booted)
    station.switch_on()
    booted.until(UP, "the access point is up", SLOW)
    assert station.join(card.identity.ssid, card.identity.passphrase) == "CTRL-EVENT-CONNECTED"
    station.given = station.lease()
    booted.keep("joined")
    return station


@pytest.fixture
def joined(booted: Machine, once_joined: Station) -> Station:
    """A phone that has just joined, for one test."""
    booted.go_back("joined")
    return once_joined


def test_wrong_passphrase_is_refused(device: Machine, phone: Station, card: Flashed) -> None:
    device.until(UP, "the access point is up", SLOW)
    assert phone.join(card.identity.ssid, "not-the-brochures") == "reason=WRONG_KEY"
    assert phone.join(card.identity.ssid, card.identity.passphrase) == "CTRL-EVENT-CONNECTED"


def test_phone_is_led_to_the_pages(joined: Station) -> None:
    given = joined.given
    assert re.fullmatch(r"192\.168\.0\.1([0-4]\d|50)", given["ip"])
    assert given["dns"] == ADDRESS
    assert "router" not in given  # phones keep their mobile data
    assert bytes.fromhex(given["opt114"]).decode() == f"{PAGES}captive-portal/api"
    assert ADDRESS in joined.resolve("connectivitycheck.example", ADDRESS).split("Name:")[-1]
    answer = joined.get(f"http://{ADDRESS}/generate_204", host="connectivitycheck.example")
    assert (answer.status, answer.location) == (302, PAGES), answer.told
    answer = joined.get(f"{PAGES}captive-portal/api")
    assert json.loads(answer.content)["captive"] is True
    answer = joined.get(f"{PAGES}claim")
    assert answer.status == 200
    assert 'name="code"' not in answer.told  # who has joined has the brochure


def test_phone_gets_nowhere_else(booted: Machine, joined: Station) -> None:
    assert joined.connects(ADDRESS, 8888)
    assert not joined.connects(ADDRESS, 22)
    assert booted.run("sysctl --values net.ipv4.ip_forward net.ipv6.conf.all.forwarding").split() == ["0", "0"]
    # Also who sets a route by hand reaches nothing of the network on the other side.
    lan = booted.run("ip -4 -oneline address show dev eth0").split()[3].partition("/")[0]
    joined.run(f"ip route add default via {ADDRESS}")
    assert joined.reaches(ADDRESS)
    assert not joined.reaches("10.0.2.2")
    assert not joined.connects("10.0.2.2", 80)
    assert lan.startswith("10.0.2.")


def test_administrator_by_the_access_point(booted: Machine, joined: Station) -> None:
    """Who has joined needs no code: the passphrase is on the same brochure."""
    page = joined.get(f"{PAGES}claim")
    cookie = "; ".join(re.findall(r"^Set-Cookie: ([^;]+)", page.told, re.MULTILINE | re.IGNORECASE))
    token = re.findall(r'name="form_token" value="([^"]+)"', page.told)[0]
    form = {"form_token": token, "username": "sari", "password": "kursi hijau di teras", "phone": "", "email": ""}
    answer = joined.get(f"{PAGES}claim", post=urlencode(form), cookie=cookie)
    assert answer.status == 303, answer.told
    booted.until("[ -e /var/lib/otppi/claimed ]", "the device has its administrator")
    booted.until(
        "! grep address=/#/ /run/otppi-dhcp-conf/dhcp.conf", "names of elsewhere are no more answered with lies"
    )
    assert json.loads(joined.get(f"{PAGES}captive-portal/api").content) == {"captive": False}


def test_it_comes_back_by_itself(device: Machine, phone: Station, card: Flashed) -> None:
    device.until(UP, "the access point is up", SLOW)
    device.run("nmcli device disconnect wlan0")
    device.run(f"! ({UP})")
    device.run("systemctl start otppi-access-point.service", SLOW)  # as its timer does every minute
    device.until(UP, "the access point is up again", SLOW)
    assert phone.join(card.identity.ssid, card.identity.passphrase) == "CTRL-EVENT-CONNECTED"
    assert device.run("systemctl is-active otppi-access-point.timer").strip() == "active"
