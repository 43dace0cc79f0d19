"""Security checklist, row CSRF: what changes something is a form of ours, for this browser, sent by POST.

More of origins is in `test_requests.py`; the JSON API's in `../test_api_access.py`; a page of elsewhere in a real
browser in `tests/browser/test_attacks.py`.
"""

from typing import Any
from urllib.parse import quote

import pytest

from otppi.api.operations import Role
from otppi.testing.page_routes import page_routes
from otppi.testing.site import NAMES, PASSWORD, Site, SiteBrowser

FORM = "application/x-www-form-urlencoded"
EXPORT = {"secrets": True}
FORMS = [path for path, access in page_routes() if "POST" in access.methods and not access.uploads]
PRIVATE_FORMS = [path for path, access in page_routes() if "POST" in access.methods and access.role is not None]
PAGES = [path for path, access in page_routes() if "GET" in access.methods and not access.background]


@pytest.mark.parametrize("token", ["", "0" * 64, "another browser's", "the one before the login"])
def test_a_form_without_its_token_changes_nothing(shared_site: Site, token: str) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR)
    stranger = shared_site.browser()
    stranger.get("/login")
    wrong = {
        "another browser's": shared_site.inside(Role.ADMINISTRATOR).token,
        "the one before the login": stranger.token,
    }
    before = shared_site.call("settings_export", **EXPORT)
    for path in PRIVATE_FORMS:
        browser.token = wrong.get(token, token)
        answer = browser.post(path, {"username": "adi", "name": "vera", "verb": "remove"})
        assert (answer.status, "too old" in answer.words) == (403, True), path
    assert shared_site.call("settings_export", **EXPORT) == before
    assert browser.get("/").status == 200, "the session goes on"


def test_forms_are_of_one_kind(shared_site: Site) -> None:
    """Those with files, of which there are few, are in `../test_uploads.py`."""
    browser = shared_site.inside(Role.ADMINISTRATOR)
    body = f"form_token={browser.token}".encode()
    for path in FORMS:
        for kind in ("multipart/form-data; boundary=x", "application/json", "text/plain", f"text/plain; a={FORM}", ""):
            headers = {"Content-Type": kind} if kind else {}
            assert browser.ask("POST", path, body, headers).status == 415, (path, kind)


def test_what_is_looked_at_changes_nothing(shared_site: Site) -> None:
    """Whatever its address says (ASVS 5.0, 3.5.3): a picture on a page of elsewhere can ask for any address."""
    browser = shared_site.inside(Role.ADMINISTRATOR)
    asked = (
        "name=vera&verb=remove&username=x&role=viewer&modem=m0&receiver=08121&code=1&_item=m0&session=1&id=1&next=/x"
    )
    before = shared_site.call("settings_export", **EXPORT), shared_site.call("blocked")
    written = _changes(shared_site)
    for path in PAGES:
        more = f"form_token={browser.token}&new_password={quote(PASSWORD)}&attempts=9&https_only=1&_pressed=1"
        for method, query in (("GET", asked), ("HEAD", f"{asked}&{more}")):
            address = f"{path}{'&' if '?' in path else '?'}{query}"
            assert browser.ask(method, address).status < 500, address
    assert (shared_site.call("settings_export", **EXPORT), shared_site.call("blocked")) == before
    assert _changes(shared_site) == written
    assert browser.get("/").status == 200


def _changes(site: Site) -> list[Any]:
    """Return what was done, by the audit, but for what only reads and is told nevertheless."""
    operations = site.registry.operations
    told = site.call("audit", limit=1000)
    return [one for one in told if one["operation"] not in operations or not operations[one["operation"]].reads_only]


@pytest.mark.parametrize("path", ["/login", "/claim", "/forgotten", "/language"])
def test_a_form_before_the_login_belongs_to_one_browser(shared_site: Site, path: str) -> None:
    """Else a page of elsewhere could log its reader in as somebody else (ASVS 5.0, 3.5.1)."""
    own, other = shared_site.browser(), shared_site.browser()
    own.get("/login")
    other.get("/login")
    own.token = other.token
    answer = own.post(path, {"username": NAMES[Role.VIEWER], "password": PASSWORD, "language": "en"})
    assert (answer.status, "too old" in answer.words) == (403, True)
    assert "otppi" not in own.cookies
    nobody = SiteBrowser(shared_site.port, token=other.token)
    assert nobody.post(path, {"username": NAMES[Role.VIEWER], "password": PASSWORD}).status == 403


@pytest.mark.parametrize("body", ["form_token={right}&form_token=x", "form_token=x&form_token={right}"])
def test_of_two_tokens_the_first_counts(shared_site: Site, body: str) -> None:
    browser = shared_site.inside(Role.VIEWER)
    given = f"{body.format(right=browser.token)}&language=en".encode()
    status = browser.ask("POST", "/language", given, {"Content-Type": FORM}).status
    assert status == (303 if body.startswith("form_token={right}") else 403)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:8899"}, 403),
        ({"Origin": "https://127.0.0.1:{port}"}, 403),
        ({"Origin": "http://localhost:{port}"}, 403),
        ({"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "HTTP://127.0.0.1:{port}"}, 303),
        ({"Referer": "http://evil.example/"}, 303),
        ({}, 303),
    ],
)
def test_a_form_comes_from_this_very_origin(shared_site: Site, headers: dict[str, str], status: int) -> None:
    browser = shared_site.inside(Role.VIEWER)
    body = f"form_token={browser.token}&language=en".encode()
    sent = {name: value.format(port=shared_site.port) for name, value in headers.items()}
    assert browser.ask("POST", "/language", body, {"Content-Type": FORM} | sent).status == status
