"""Security checklist, HTTPS: the setting that sends everybody there, and who may switch it on.

Whoever would be left out by it cannot switch it on: by whichever way that is not the device itself.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest

from otppi.api.operations import Role
from otppi.host.administrators.page import ADMINISTRATION, PageValues
from otppi.testing.html import HtmlPage
from otppi.testing.site import PASSWORD, Site, SiteAnswer, SiteBrowser

ON = {"https_only": True}
WAYS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "put": ("settings_put", {"path": "administration", "values": ON}),
    "set": ("settings_set", {"path": "administration.https_only", "value": "true"}),
    "import": ("settings_import", {"document": {"administration": ON}}),
}


@pytest.fixture
def each(secure_site: Site) -> Iterator[Site]:
    """A site that is as it was, when a test begins."""
    yield secure_site
    secure_site.call("settings_put", path="administration", values={"https_only": False})


def is_on(site: Site) -> bool:
    return bool(site.call("settings_show")["administration"]["https_only"])


def logged_in(browser: SiteBrowser) -> SiteBrowser:
    body = json.dumps({"username": "adi", "password": PASSWORD}).encode()
    told = browser.ask("POST", "/admin/api/session", body, {"Content-Type": "application/json"})
    browser.token = json.loads(told.text)["token"]
    return browser


def by_page(browser: SiteBrowser) -> SiteAnswer:
    page = browser.get("/settings/administration")
    fields = {name: values[0] for name, values in HtmlPage(page.text).forms[-1].sent("").items()}
    return browser.post("/settings/administration", fields | {"https_only": "1"})


def by_api(browser: SiteBrowser, way: str) -> SiteAnswer:
    name, arguments = WAYS[way]
    kind = {"Content-Type": "application/json", "X-CSRF-Token": browser.token}
    body = json.dumps({"arguments": arguments}).encode()
    return browser.ask("POST", f"/admin/api/operations/{name}", body, kind)


BOTH: Mapping[str, Callable[[SiteBrowser], SiteAnswer]] = {
    "page": by_page,
    **{f"JSON API, {way}": partial(by_api, way=way) for way in WAYS},
}


@pytest.mark.parametrize("way", BOTH)
def test_it_is_not_switched_on_from_http(each: Site, way: str) -> None:
    answer = BOTH[way](logged_in(each.browser()))
    assert answer.status == 422
    assert "can be switched on only from a page that was opened by HTTPS" in answer.words
    assert "administration.https_only" in answer.text or 'name="https_only"' in answer.text
    assert not is_on(each)


@pytest.mark.parametrize("way", BOTH)
def test_it_is_switched_on_from_https(each: Site, way: str) -> None:
    answer = BOTH[way](logged_in(each.secure_browser()))
    assert answer.status in (200, 303), answer.words
    assert is_on(each)


@pytest.mark.parametrize("way", WAYS)
def test_on_the_device_it_is_switched_on_and_off(each: Site, way: str) -> None:
    name, arguments = WAYS[way]
    each.call(name, **arguments)
    assert is_on(each)


def test_where_it_is_on_other_settings_are_changed_from_http(each: Site) -> None:
    """As where a device serves no HTTPS, since its certificate could not be made: nobody is sent there then."""
    each.call("settings_put", path="administration", values=ON)
    browser = logged_in(each.browser())
    kind = {"Content-Type": "application/json", "X-CSRF-Token": browser.token}
    body = json.dumps(
        {"arguments": {"path": "administration", "values": {"host_names": ["otp.example"], **ON}}}
    ).encode()
    assert browser.ask("POST", "/admin/api/operations/settings_put", body, kind).status == 200
    body = json.dumps({"arguments": {"path": "administration", "values": {"https_only": False}}}).encode()
    assert browser.ask("POST", "/admin/api/operations/settings_put", body, kind).status == 200


# -- where everybody is sent -------------------------------------------------------------------------------------------


@pytest.fixture
def only(secure_site: Site) -> Iterator[Site]:
    """A site whose gate sends everybody to HTTPS."""
    values: PageValues = {**secure_site.data.config.one(ADMINISTRATION), "https_only": True}
    secure_site.gate.configure(values, encrypted=True)
    yield secure_site
    secure_site.gate.configure({**values, "https_only": False}, encrypted=True)


@pytest.mark.parametrize("path", ["/login", "/settings/sms?x=1", "/nothing/at/all", "/login?next=//evil.example"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_page_by_http_leads_to_itself_by_https(only: Site, method: str, path: str) -> None:
    answer = only.browser().ask(method, path)
    assert (answer.status, answer.text) == (308, "")
    assert answer.location == f"https://127.0.0.1:{only.port}{path}"
    assert not answer.set_cookies


def test_what_is_sent_by_http_is_not_taken(only: Site) -> None:
    """It has been read by whoever reads along already: it does nothing, so that nobody goes on as if it had worked."""
    browser = only.browser()
    assert browser.post("/login", {"username": "adi", "password": PASSWORD}).status == 403
    body = json.dumps({"username": "adi", "password": PASSWORD}).encode()
    assert browser.ask("POST", "/admin/api/session", body, {"Content-Type": "application/json"}).status == 403
    assert not browser.cookies


def test_a_session_of_http_is_of_no_use_any_more(only: Site) -> None:
    browser = only.inside(Role.ADMINISTRATOR)
    for path in ("/", "/admin/api/session", "/admin/api/operations/status"):
        assert browser.get(path).status == 308
    browser.tls = only.tls
    assert browser.get("/").location == "/login?next=/"


def test_by_https_everything_goes_on(only: Site) -> None:
    browser = logged_in(only.secure_browser())
    assert browser.get("/").status == 200
    assert "Open it encrypted" not in browser.get("/").words


def test_nobody_is_sent_to_an_https_that_is_not_there(only: Site) -> None:
    values: PageValues = {**only.data.config.one(ADMINISTRATION), "https_only": True}
    only.gate.configure(values, encrypted=False)
    assert only.browser().get("/login").status == 200


def test_who_reads_by_http_is_told_and_shown_the_way(secure_site: Site) -> None:
    page = secure_site.inside(Role.VIEWER).get("/")
    assert "This page is not encrypted" in page.words
    assert f'href="https://127.0.0.1:{secure_site.port}/"' in page.text
