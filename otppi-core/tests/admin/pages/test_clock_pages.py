"""The page of the clock, and the time that browsers offer: on a real bus, where a device's clock is ours to set."""

import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from otppi.api.operations import Role
from otppi.host.clock.device_clock import ClockTrust
from otppi.host.clock.settings import CLOCK
from otppi.testing.clock import SystemClockDevice
from otppi.testing.site import Site
from otppi.testing.waiting import until

DAY = 86_400.0


@pytest.fixture
def device(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemClockDevice]:
    with SystemClockDevice(tmp_path_factory.mktemp("d")) as one:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", one.address)
        monkeypatch.setenv("OTPPI_UNITS", "1")
        yield one


@pytest.fixture
def site(device: SystemClockDevice, tmp_path: Path) -> Iterator[Site]:
    with closing(Site(tmp_path, claimed=True)) as one:
        until(lambda: one.host.clock.trust is ClockTrust.UNSET, "the clock was looked at")
        yield one


@pytest.fixture
def unclaimed(device: SystemClockDevice, tmp_path: Path) -> Iterator[Site]:
    with closing(Site(tmp_path, claimed=False)) as one:
        until(lambda: one.host.clock.trust is ClockTrust.UNSET, "the clock was looked at")
        yield one


def at(ahead: float) -> str:
    return f"@{time.time() + ahead:.3f}"


def test_the_first_page_says_that_it_is_not_set_and_leads_to_it(site: Site) -> None:
    page = site.inside(Role.VIEWER).get("/")
    assert "The clock is not set, or may be wrong." in page.words
    assert 'href="/clock"' in page.text
    assert "not set: nobody has told it" in page.words, "its tile"


def test_an_administrator_sets_it_forward_and_back(site: Site, device: SystemClockDevice) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    page = browser.get("/clock")
    assert "not set: nobody has told it" in page.words
    assert 'action="/clock/set"' in page.text
    for ahead in (40 * DAY, -40 * DAY):
        assert browser.post("/clock/set", {"time": at(ahead), "next": "/clock"}).location == "/clock"
        assert abs(device["difference"] - ahead) < 5
    page = browser.get("/clock")
    assert "The clock is set." in page.words
    assert "right: somebody who was logged in has set it" in page.words
    told = [one for one in site.call("audit") if one["operation"] == "clock_set"]
    assert [(one["actor"], one["outcome"]) for one in told] == [(told[0]["actor"], "done")] * 2
    assert "adi" in told[0]["actor"]


def test_what_is_no_time_is_told(site: Site, device: SystemClockDevice) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    browser.get("/clock")
    answer = browser.post("/clock/set", {"time": "soon"})
    assert answer.status == 422
    assert "must be a time" in answer.words
    assert device["difference"] == 0


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_others_do_not_set_it(site: Site, device: SystemClockDevice, role: Role) -> None:
    browser = site.inside(role)
    assert 'action="/clock/set"' not in browser.get("/clock").text
    assert browser.post("/clock/set", {"time": at(DAY)}).status == 403
    assert device["difference"] == 0


def test_an_operator_has_the_servers_asked(site: Site, device: SystemClockDevice) -> None:
    browser = site.inside(Role.OPERATOR)
    assert 'action="/clock/sync"' in browser.get("/clock").text
    assert browser.post("/clock/sync").location == "/clock"
    assert "are being asked" in browser.get("/clock").words
    assert device["asks"]


def test_the_settings_stand_on_the_page_and_are_done(site: Site, device: SystemClockDevice) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    page = browser.get("/clock")
    assert 'action="/settings/clock"' in page.text
    assert "Ask time servers" in page.words
    site.call("settings_put", path=CLOCK.key, values={"servers": ["192.0.2.1"]})
    until(lambda: device["servers"] == ["192.0.2.1"], "timesyncd was told")


def test_a_stranger_offers_the_time_at_the_login_once(site: Site, device: SystemClockDevice) -> None:
    browser = site.browser()
    page = browser.get("/login")
    assert re.search(
        r'<form method="post" action="/clock/offer" hidden data-time-of-phone="[0-9.]+" data-only-ahead>', page.text
    )
    assert browser.post("/clock/offer", {"time": at(40 * DAY), "next": "/login"}).location == "/login"
    assert abs(device["difference"] - 40 * DAY) < 5
    assert 'action="/clock/offer"' not in browser.get("/login").text
    refused = browser.post("/clock/offer", {"time": at(80 * DAY)})
    assert (refused.status, "log in to set it" in refused.words) == (422, True)
    assert abs(device["difference"] - 40 * DAY) < 5
    assert "doubtful" in site.inside(Role.ADMINISTRATOR).get("/clock").words
    told = [one for one in site.call("audit") if one["operation"] == "clock_offer"]
    assert len(told) == 2


@pytest.mark.parametrize("ahead", [-40 * DAY, -1.0, 11 * 365 * DAY])
def test_a_stranger_does_not_put_it_back(site: Site, device: SystemClockDevice, ahead: float) -> None:
    browser = site.browser()
    browser.get("/login")
    refused = browser.post("/clock/offer", {"time": at(ahead)})
    assert refused.status == 422
    assert device["difference"] == 0


def test_another_site_offers_nothing(site: Site, device: SystemClockDevice) -> None:
    browser = site.browser()
    browser.get("/login")
    browser.token = "0" * 64
    assert browser.post("/clock/offer", {"time": at(40 * DAY)}).status in (400, 403)
    assert device["difference"] == 0


def test_it_is_offered_before_the_device_is_claimed(unclaimed: Site, device: SystemClockDevice) -> None:
    browser = unclaimed.browser()
    assert 'action="/clock/offer"' in browser.get("/claim").text
    assert browser.post("/clock/offer", {"time": at(3 * DAY), "next": "/claim"}).location == "/claim"
    assert abs(device["difference"] - 3 * DAY) < 5


def test_where_the_system_keeps_it_nothing_is_offered(shared_site: Site) -> None:
    assert "/clock/offer" not in shared_site.browser().get("/login").text
    browser = shared_site.inside(Role.ADMINISTRATOR)
    page = browser.get("/clock")
    assert "the system of this device keeps it" in page.words
    assert 'action="/clock/set"' not in page.text
    assert browser.post("/clock/set", {"time": at(0)}).status == 503
    assert "timedatectl" in browser.get("/guide/time").text


def test_the_guide_offers_the_phone_s_time(site: Site, device: SystemClockDevice) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    page = browser.get("/guide/time")
    assert 'action="/clock/set"' in page.text
    assert "timedatectl" not in page.text
    assert browser.post("/clock/set", {"time": at(DAY), "next": "/guide/time"}).location == "/guide/time"
    assert abs(device["difference"] - DAY) < 5
