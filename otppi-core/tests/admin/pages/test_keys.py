"""The keys of encrypted envelopes on their page: shown without what is private, replaced, and dropped."""

import json
import re
from html import unescape

import pytest

from otppi.api.operations import Role
from otppi.testing.html import HtmlPage
from otppi.testing.site import Site


def test_a_key_is_replaced_and_the_old_one_is_dropped(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    page = browser.get("/keys")
    assert HtmlPage(page.text).faults() == []
    (first,) = [one["kid"] for one in site.call("keys")["thumbprints"]]
    found = re.search(r'<pre id="public"[^>]*>(.*?)</pre>', page.text, re.DOTALL)
    assert found
    (public,) = json.loads(unescape(found[1]))["keys"]
    assert (public["kid"], "d" in public) == (first, False)
    assert browser.post("/keys/remove", {"kid": first}).status == 422, "the one in use stays"
    answer = browser.post("/keys/rotate")
    assert (answer.status, answer.location) == (303, "/keys")
    page = browser.get("/keys")
    assert HtmlPage(page.text).faults() == []
    assert "There is a new key." in page.words
    assert "replaced" in page.words
    assert browser.post("/keys/remove", {"kid": first}).status == 303
    (second,) = [one["kid"] for one in site.call("keys")["thumbprints"]]
    assert second != first
    kept = json.loads(site.data.keys._path.read_bytes())
    assert kept["keys"][0]["d"] not in browser.get("/keys").text
    assert [one["operation"] for one in site.call("audit")][-2:] == ["keys_rotate", "keys_remove"]


def test_keys_that_are_damaged_are_told(site: Site) -> None:
    site.call("keys")
    site.data.keys._path.write_text("{}")
    site.data.keys._keys = None
    browser = site.inside(Role.ADMINISTRATOR)
    answer = browser.get("/keys")
    assert answer.status == 503
    assert "cannot be used" in answer.words
    assert browser.post("/keys/rotate").status == 503


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_keys_are_for_administrators(shared_site: Site, role: Role) -> None:
    browser = shared_site.inside(role)
    assert browser.get("/keys").status == 403
    assert browser.post("/keys/rotate").status == 403
    assert browser.post("/keys/remove", {"kid": "x"}).status == 403


@pytest.mark.parametrize(
    ("section", "link"), [("encryption", "/keys"), ("sms", "/routing"), ("ingress-rest", "/settings/api_users")]
)
def test_the_page_beside_a_form_is_linked(shared_site: Site, section: str, link: str) -> None:
    page = HtmlPage(shared_site.inside(Role.ADMINISTRATOR).get(f"/settings/{section}").text)
    assert link in [attributes.get("href") for tag, attributes in page.elements if tag == "a"]
