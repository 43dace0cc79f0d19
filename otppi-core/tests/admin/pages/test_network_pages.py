"""The pages of the network, with a real NetworkManager: a change is looked at, tried, confirmed at its link, or not."""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from otppi.admin.pages.network_pending import wifi_picture
from otppi.admin.security.sessions import FRESH
from otppi.api.operations import Role
from otppi.kit.threads import PromptThread
from otppi.testing.network_manager import NetworkManagerProcess
from otppi.testing.site import Site, SiteBrowser
from otppi.testing.waiting import PATIENCE, until

ETHERNET = "network_ethernet"
PAGE = f"/network/{ETHERNET}"
FIELDS = {
    "ip_address": "10.77.0.2",
    "prefix": "24",
    "netmask": "255.255.255.0",
    "gateway": "10.77.0.1",
    "dhcp:shown": "1",
}


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[NetworkManagerProcess]:
    with tempfile.TemporaryDirectory(prefix="otppi-nm-") as folder, NetworkManagerProcess(Path(folder)) as manager:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", manager.address)
        yield manager


@pytest.fixture
def trials(site: Site) -> Iterator[Site]:
    """The site, where trials end in time."""
    trials = site.host.trials
    trials.start()
    thread = PromptThread(trials.run, "trials")
    thread.start()
    yield site
    trials.stop()
    assert thread.end(PATIENCE)


def shorten(site: Site, seconds: float) -> None:
    types: Any = site.host.trials.types
    types[ETHERNET] = replace(types[ETHERNET], seconds=seconds)


def form_of(browser: SiteBrowser, **changed: str) -> dict[str, str]:
    """Return the fields of the form, as a browser sends them."""
    text = browser.get(PAGE).text
    fields = dict(re.findall(r'<input[^>]*? name="([a-z0-9_.:]+)"[^>]*? value="([^"]*)"', text))
    for own in ("dhcp", "form_token", "next"):
        fields.pop(own, None)
    return {name: unescape(value) for name, value in fields.items()} | changed


def reviewed(browser: SiteBrowser, **changed: str) -> str:
    answer = browser.post(PAGE, form_of(browser, **changed))
    assert answer.status == 200, answer.words
    return answer.text


def token_of(text: str) -> str:
    return str(re.findall(r'name="token" value="([^"]+)"', text)[0])


def link_of(text: str) -> str:
    return str(re.findall(r"(/confirm/[\w-]+)", text)[0])


def test_parts_are_listed_with_what_is_in_use(site: Site, network: NetworkManagerProcess) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    assert "/network" in browser.get("/system").text
    listed = browser.get("/network")
    assert "Ethernet" in listed.words
    assert "this device has no access point" in listed.words
    assert browser.get(f"/settings/{ETHERNET}").location == PAGE
    assert PAGE in browser.get("/settings").text


def test_change_is_shown_tried_and_confirmed_at_its_link(site: Site, network: NetworkManagerProcess) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    text = reviewed(browser, **FIELDS)
    assert "Use these settings?" in text
    assert "10.77.0.2" in text
    assert "within 90 seconds" in text
    assert f"http://10.77.0.2:{site.port}{link_of(text)}" in text
    assert network.addresses == [], "to be shown changes nothing"
    going = browser.post("/network/apply", {"token": token_of(text)})
    assert going.status == 200
    assert link_of(going.text) == link_of(text)
    until(lambda: network.addresses == ["10.77.0.2/24"], network.log)
    until(lambda: "in use, and kept when you confirm" in browser.get("/network/trial").words, "the page tells")
    assert browser.get(PAGE).location == "/network/trial"
    stranger = site.browser()
    opened = stranger.get(link_of(text))
    assert opened.status == 200
    assert "data-send" in opened.text, "a browser with scripts confirms at once"
    assert not (network.card / "otppi-ethernet.nmconnection").exists(), "what is looked at changes nothing"
    assert stranger.post("/confirm/" + "x" * 24).status == 410
    confirmed = stranger.post(link_of(text))
    assert confirmed.status == 200
    assert "Connected. The new settings are kept." in confirmed.words
    assert (network.card / "otppi-ethernet.nmconnection").exists()
    assert site.data.config.one(ETHERNET)["ip_address"] == "10.77.0.2"
    assert stranger.get(link_of(text)).status == 410
    newest = next(one for one in site.call("audit", limit=5) if one["operation"] == "network_change")
    assert newest["actor"] == "adi"
    assert "10.77.0.2" in browser.get(PAGE).text


def test_where_the_router_gives_the_address_the_link_has_the_port_of_this_page(
    site: Site, network: NetworkManagerProcess
) -> None:
    types: Any = site.host.trials.types
    types[ETHERNET] = replace(types[ETHERNET], address=lambda values: "127.0.0.1" if values["dhcp"] else None)
    text = reviewed(site.inside(Role.ADMINISTRATOR), **FIELDS)
    assert f"http://ADDRESS:{site.port}/confirm/{token_of(text)}" in text


def test_what_nobody_confirms_is_told_and_what_was_typed_stays(trials: Site, network: NetworkManagerProcess) -> None:
    shorten(trials, 2.0)
    browser = trials.inside(Role.ADMINISTRATOR)
    text = reviewed(browser, **FIELDS)
    browser.post("/network/apply", {"token": token_of(text)})
    until(lambda: network.addresses == ["10.77.0.2/24"], network.log)
    until(lambda: network.addresses == [], network.log)
    until(lambda: trials.call("network_status")["last"], "the trial is over")
    page = browser.get(PAGE)
    assert "Nobody opened the new address in time." in page.words
    assert 'value="10.77.0.2"' in page.text
    assert trials.browser().get(link_of(text)).status == 410
    assert "Nobody opened the new address in time." in browser.get("/network/trial").words


def test_a_person_brings_the_old_settings_back(site: Site, network: NetworkManagerProcess) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    browser.post("/network/apply", {"token": token_of(reviewed(browser, **FIELDS))})
    until(lambda: site.call("network_status")["trial"], "it begins")
    assert browser.post("/network/revert").location == "/network"
    assert network.addresses == []
    assert "The old settings are in use." in browser.get("/network").words


def test_link_brings_the_old_settings_back(site: Site, network: NetworkManagerProcess) -> None:
    browser, stranger = site.inside(Role.ADMINISTRATOR), site.browser()
    text = reviewed(browser, **FIELDS)
    browser.post("/network/apply", {"token": token_of(text)})
    until(lambda: site.call("network_status")["trial"], "it begins")
    stranger.get(link_of(text))
    assert "The old settings are in use." in stranger.post(link_of(text), {"revert": "1"}).words
    assert network.addresses == []
    assert site.call("audit", limit=1)[0]["actor"] == "adi"


def test_a_person_keeps_them_on_the_page(site: Site, network: NetworkManagerProcess) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    browser.post("/network/apply", {"token": token_of(reviewed(browser, **FIELDS))})
    until(lambda: site.call("network_status")["trial"], "it begins")
    assert browser.post("/network/accept").location == "/network"
    assert network.addresses == ["10.77.0.2/24"]


def test_what_cannot_work_is_told_beside_its_field(site: Site, network: NetworkManagerProcess) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    answer = browser.post(PAGE, form_of(browser, **FIELDS | {"gateway": "10.78.0.1"}))
    assert answer.status == 422
    assert "must be in the net 10.77.0.0/24" in answer.words
    assert 'value="10.78.0.1"' in answer.text
    assert "Nothing of it is new." in browser.post(PAGE, form_of(browser, dhcp="1")).words


def test_cable_that_is_out_is_told(site: Site, network: NetworkManagerProcess) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    text = reviewed(browser, **FIELDS)
    network.unplug()
    browser.post("/network/apply", {"token": token_of(text)})
    until(lambda: "no cable is plugged in" in browser.get("/network/trial").words, "the page tells why")
    page = browser.get(PAGE)
    assert "no cable is plugged in" in page.words
    assert 'value="10.77.0.2"' in page.text


def test_without_network_manager_it_is_told(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    assert "there is no system bus" in browser.get(PAGE).words


def test_the_password_is_wanted_again(site: Site, network: NetworkManagerProcess) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    text = reviewed(browser, **FIELDS)
    site.parts.sessions.of("adi")[0].confirmed -= FRESH + 1
    assert browser.get(PAGE).location.startswith("/confirm?next=")
    assert browser.post("/network/apply", {"token": token_of(text)}).location.startswith("/confirm?next=")
    assert site.call("network_status")["trial"] is None


def test_a_change_of_somebody_else_is_not_begun(site: Site, network: NetworkManagerProcess) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    assert browser.post("/network/apply", {"token": "x" * 24}).status == 409
    assert site.call("network_status")["trial"] is None


@pytest.mark.parametrize("path", ["/network/sms", "/network/network_ethernet/x", "/network/nothing", "/confirm/a/b"])
def test_what_is_not_there(site: Site, path: str) -> None:
    assert site.inside(Role.ADMINISTRATOR).get(path).status == 404


def test_picture_of_the_new_wifi() -> None:
    assert wifi_picture({"passphrase": ""}, {"ssid": "OTP-Pi"}) == ""
    picture = wifi_picture({"passphrase": 'a;b:"\\,c d'}, {"ssid": "OTP-Pi"})
    assert picture.startswith("<svg")


def test_settings_that_are_kept_and_not_in_use_are_offered(site: Site, network: NetworkManagerProcess) -> None:
    """As after a backup of another device was put back."""
    restored = {"dhcp": False, "ip_address": "10.77.0.9", "gateway": "10.77.0.1"}
    site.data.config.update({ETHERNET: restored})
    browser = site.inside(Role.ADMINISTRATOR)
    listed = browser.get("/network")
    assert "Other settings are kept than are in use, as after a restore: Address by DHCP, IP Address, Gateway" in (
        listed.words
    )
    looked = browser.post("/network/kept", {"section": ETHERNET})
    assert "Use these settings?" in looked.words
    assert f"http://10.77.0.9:{site.port}{link_of(looked.text)}" in looked.text
    assert network.addresses == [], "to be shown changes nothing"
    browser.post("/network/apply", {"token": token_of(looked.text)})
    until(lambda: network.addresses == ["10.77.0.9/24"], network.log)
    # The address is there before the trial of it has begun, which its link belongs to.
    until(lambda: "in use, and kept when you confirm" in browser.get("/network/trial").words, "the page tells")
    stranger = site.browser()
    stranger.get(link_of(looked.text))
    assert stranger.post(link_of(looked.text)).status == 200
    assert "Other settings are kept" not in browser.get("/network").words
    assert browser.post("/network/kept", {"section": ETHERNET}).status == 409
    site.data.config.update({ETHERNET: restored | {"ip_address": "10.77.0.8"}})
    assert browser.post("/network/adopt", {"section": ETHERNET}).location == "/network"
    assert "What is in use is kept." in browser.get("/network").words
    assert site.data.config.one(ETHERNET)["ip_address"] == "10.77.0.9"
    assert network.addresses == ["10.77.0.9/24"]
