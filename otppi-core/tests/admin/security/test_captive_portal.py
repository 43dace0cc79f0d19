"""The way to the pages of a new device for who has joined its access point, and that it is for nobody else."""

import json
import re

import pytest

from otppi.admin.security.captive_portal import CONTENT_TYPE, PATH
from otppi.host.administrators.page import ADMINISTRATION, PageValues
from otppi.testing.site import PASSWORD, Site, SiteAnswer, SiteBrowser
from otppi.web.arrival import UNKNOWN, ConnectionArrival

PROBES = {
    "connectivitycheck.gstatic.com": "/generate_204",
    "captive.apple.com": "/hotspot-detect.html",
    "www.msftncsi.com": "/ncsi.txt",
    "www.msftconnecttest.com": "/connecttest.txt",
    "detectportal.firefox.com": "/success.txt",
    "nmcheck.gnome.org": "/check_network_status.txt",
}


def configure(site: Site, access_point: str = "lo", *, https_only: bool = False) -> None:
    """Have the pages use these settings; the loopback stands for the access point, to which all of a test comes by."""
    kept: PageValues = site.data.config.one(ADMINISTRATION)
    values: PageValues = {**kept, "access_point": access_point, "https_only": https_only}
    site.gate.configure(values, encrypted=site.tls is not None)


@pytest.fixture
def portal(new_site: Site) -> Site:
    configure(new_site)
    return new_site


def ask(browser: SiteBrowser, host: str, path: str, method: str = "GET", **headers: str) -> SiteAnswer:
    return browser.ask(method, path, headers={"Host": host, **headers})


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("host", PROBES)
def test_what_a_phone_looks_for_the_internet_by_leads_to_the_pages(portal: Site, host: str, method: str) -> None:
    answer = ask(portal.browser(), host, PROBES[host], method)
    assert (answer.status, answer.text) == (302, "")
    assert answer.location == f"http://127.0.0.1:{portal.port}/"
    assert answer.headers["cache-control"] == "no-store"
    assert not answer.set_cookies


def test_it_ends_at_the_page_that_makes_the_first_administrator(portal: Site) -> None:
    browser = portal.browser()
    first = browser.get("/")
    assert (first.status, first.location) == (303, "/claim")


@pytest.mark.parametrize("path", PROBES.values())
def test_by_the_address_of_the_device_it_is_no_page(portal: Site, path: str) -> None:
    assert portal.browser().get(path).status == 404


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "192.168.0.11.evil.example", "evil.example@127.0.0.1", "a" * 200]
)
@pytest.mark.parametrize("path", ["/", "//evil.example/x", "/%0d%0aLocation:%20http://evil.example", "/a?to=//evil"])
def test_nothing_that_is_asked_says_where_it_leads(portal: Site, host: str, path: str) -> None:
    answer = ask(portal.browser(), host, path, **{"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"})
    if answer.status != 400:
        assert (answer.status, answer.location) == (302, f"http://127.0.0.1:{portal.port}/")
    assert "evil" not in str(answer.headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/claim", "/", "/admin/api/session", PATH])
def test_nothing_is_done_for_a_page_of_elsewhere_whose_name_leads_here(portal: Site, method: str, path: str) -> None:
    browser = portal.browser()
    browser.get("/claim")
    answer = ask(browser, "evil.example", path, method, **{"Content-Length": "0"})
    assert answer.status == 421
    assert "location" not in answer.headers


def test_such_a_page_gets_no_form_and_no_cookie(portal: Site) -> None:
    for path in ("/claim", "/login", "/admin/api/session", "/static/admin.css", PATH):
        answer = ask(portal.browser(), "evil.example", path)
        assert (answer.status, answer.text, answer.set_cookies) == (302, "", []), path


def test_who_comes_by_another_interface_is_refused_as_ever(new_site: Site) -> None:
    for interface in ("", "wlan9", "l"):
        configure(new_site, access_point=interface)
        answer = ask(new_site.browser(), "captive.apple.com", "/hotspot-detect.html")
        assert answer.status == 421, interface
        assert "location" not in answer.headers
        assert json.loads(new_site.browser().get(PATH).text) == {"captive": False}


def claim(site: Site) -> SiteBrowser:
    browser = site.browser()
    browser.get("/claim")
    fields = {
        "username": "rina",
        "password": PASSWORD,
        "phone": "",
        "email": "",
        "code": site.call("device_code")["code"],
    }
    assert browser.post("/claim", fields).status == 303
    return browser


def test_with_the_claim_it_is_over(portal: Site) -> None:
    claim(portal)
    for method in ("GET", "HEAD", "POST"):
        answer = ask(portal.browser(), "captive.apple.com", "/hotspot-detect.html", method, **{"Content-Length": "0"})
        assert answer.status == 421
        assert "location" not in answer.headers


# -- what RFC 8908 asks for --------------------------------------------------------------------------------------------


def test_a_phone_is_told_that_there_is_a_portal_until_the_claim(portal: Site) -> None:
    url = f"http://127.0.0.1:{portal.port}/"
    answer = portal.browser().get(PATH, Accept=CONTENT_TYPE)
    assert (answer.status, answer.headers["content-type"]) == (200, CONTENT_TYPE)
    assert json.loads(answer.text) == {"captive": True, "user-portal-url": url}
    assert answer.headers["cache-control"] == "no-store"
    assert portal.browser().ask("HEAD", PATH).status == 200
    claim(portal)
    answer = portal.browser().get(PATH)
    assert (answer.status, answer.headers["content-type"]) == (200, CONTENT_TYPE)
    assert json.loads(answer.text) == {"captive": False}


def test_there_is_nothing_to_be_sent_there(portal: Site) -> None:
    answer = portal.browser().ask("POST", PATH, b"", {"Content-Length": "0"})
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


# -- where HTTPS is wanted ---------------------------------------------------------------------------------------------


@pytest.fixture
def secure_portal(new_secure_site: Site) -> Site:
    configure(new_secure_site, https_only=True)
    return new_secure_site


def test_until_the_claim_the_portal_is_served_by_http_all_the_same(secure_portal: Site) -> None:
    """Phones show no portal whose certificate they doubt, and nobody else can vouch for a device without internet."""
    browser = secure_portal.browser()
    answer = ask(browser, "captive.apple.com", "/hotspot-detect.html")
    assert answer.location == f"http://127.0.0.1:{secure_portal.port}/"
    assert browser.get("/").location == "/claim"
    assert browser.get("/claim").status == 200
    assert json.loads(browser.get(PATH).text)["captive"] is True
    claim(secure_portal)
    for path in ("/", "/claim", "/guide"):
        assert browser.get(path).location == f"https://127.0.0.1:{secure_portal.port}{path}"
    assert json.loads(browser.get(PATH).text) == {"captive": False}, "phones follow nowhere from here"


def test_from_elsewhere_a_new_device_sends_to_https(secure_portal: Site) -> None:
    configure(secure_portal, https_only=True, access_point="wlan9")
    assert secure_portal.browser().get("/claim").status == 308


def test_by_https_it_leads_to_http_too(secure_portal: Site) -> None:
    answer = ask(secure_portal.secure_browser(), "captive.apple.com", "/")
    assert answer.location == f"http://127.0.0.1:{secure_portal.port}/"


# -- what the person reads ---------------------------------------------------------------------------------------------


def test_the_page_names_its_address_to_who_came_by_the_access_point(portal: Site) -> None:
    hint = "stay connected"
    assert hint not in portal.browser().get("/claim").words
    # The settings refuse the loopback; here it has to be in them, as the page looks there.
    portal.data.config.one(ADMINISTRATION)["access_point"] = "lo"
    words = portal.browser().get("/claim").words
    assert hint in words
    assert re.search(rf"http://127\.0\.0\.1:{portal.port}/", words)


@pytest.mark.parametrize(
    ("arrival", "url"),
    [
        (ConnectionArrival("wlan0", "192.168.0.11", 8888), "http://192.168.0.11:8888/"),
        (ConnectionArrival("wlan0", "fd01::11", 8888), "http://[fd01::11]:8888/"),
        (ConnectionArrival("wlan0", "fe80::1", 8888), ""),
        (UNKNOWN, ""),
    ],
)
def test_an_address_is_written_as_browsers_take_it(arrival: ConnectionArrival, url: str) -> None:
    assert arrival.url == url
