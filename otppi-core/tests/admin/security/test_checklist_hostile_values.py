"""Security checklist: values that others choose, shown as markup by no page.

A modem names its operator and answers USSD codes; whoever sends an SMS chooses its sender, a browser its name; a user
of the API has one, a plugin is named by its author. `../test_attacks.py` has what addresses and forms say.
"""

import json
import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest

from otppi.api.events import InboundPart
from otppi.api.operations import Role
from otppi.host.runtime.registry import COMMAND_LINE
from otppi.testing.page_routes import page_routes
from otppi.testing.site import PASSWORD, Site, SiteAnswer
from otppi.testing.waiting import until

TAG = "<img src=x onerror=otppi>"
MARKUP = f"\"'>{TAG}{{{{ 7 * 7 }}}}</script></textarea>"
NAME = "'\"><img/src=x/onerror=otppi>{{7*7}}"
"""Without a blank, as names of users are."""
SHORT = "<i onx>&'\""
"""As long as the name of a sender (3GPP TS 23.040 9.1.2.5)."""
PAGES = [path for path, access in page_routes() if "GET" in access.methods and not access.background]


class Tags(HTMLParser):
    """Looks for elements and attributes that are none of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.strange: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if tag in ("img", "i", "iframe", "object", "base") or (tag == "meta" and "http-equiv" in names):
            self.strange.append(f"<{tag} {attrs}>")
        self.strange += [f"{tag} has {name}" for name in names if name.startswith("on") or name == "style"]
        if tag == "script" and dict(attrs).get("src") is None:
            self.strange.append("a script in the page")
        links = [value for name, value in attrs if name in ("href", "src", "action", "formaction") and value]
        self.strange += [value for value in links if not value.startswith(("/", "#", "https://127.0.0.1:"))]


def strange_in(text: str) -> list[str]:
    tags = Tags()
    tags.feed(text)
    return tags.strange


def test_strange_elements_are_found() -> None:
    for markup in (TAG, SHORT, "<script>1</script>", "<p style=x>", "<a href=javascript:1>", "<base href=/>"):
        assert strange_in(f"<p>{markup}</p>"), markup


_FILES = ("application/x-pem-file", "application/zip", "text/csv", "text/plain")


def is_file(answer: SiteAnswer) -> bool:
    """Whether a browser keeps an answer as a file, and looks for no markup in it."""
    kind, nosniff = answer.headers["content-type"].partition(";")[0], answer.headers["x-content-type-options"]
    as_file = answer.headers.get("content-disposition", "").startswith('attachment; filename="')
    return as_file and nosniff == "nosniff" and kind in _FILES


@pytest.fixture(scope="module")
def hostile_site(shared_site: Site) -> Site:
    """A site into which markup was put by whoever can have some of his words shown."""
    site = shared_site
    until(lambda: site.call("modems")[0]["state"] == "ready")
    for sender, text in ((SHORT, MARKUP), ("+62812666", f"{MARKUP}\0\u202e\ud83d")):
        assert site.host.inbox.received("m0", InboundPart(sender, text, 1_700_000_000.0))
    site.call("settings_add", section="api_users", values={"username": NAME, "password": PASSWORD})
    site.call("settings_add", section="modems", values={"name": "m1", "type": "simulated", "active": False})
    body = json.dumps({"username": "adi", "password": PASSWORD}).encode()
    program = site.browser()
    told = program.ask("POST", "/admin/api/session", body, {"Content-Type": "application/json", "User-Agent": MARKUP})
    assert told.status == 200
    return site


def addresses(site: Site) -> Iterator[str]:
    yield from PAGES
    yield from (f"/settings/{key}" for key in site.data.config.sections if key != "administrators")
    yield from ("/modems/show?modem=m0", "/settings/modems/edit?_item=m0")
    yield from (f"/settings/api_users/{verb}?_item={quote(NAME)}" for verb in ("edit", "remove"))


@pytest.mark.parametrize("language", ["en", "id"])
def test_no_page_takes_it_for_markup(hostile_site: Site, language: str) -> None:
    browser = hostile_site.inside(Role.ADMINISTRATOR)
    browser.headers["Accept-Language"] = language
    shown = ""
    for path in addresses(hostile_site):
        answer = browser.get(path)
        text = answer.text
        assert is_file(answer) or not strange_in(text), (path, strange_in(text))
        assert not re.search(r"&gt;49(?![0-9])", text), path
        shown += unescape(text)
    for one in (MARKUP, NAME, SHORT):
        assert one in shown, "it is shown as it is"


def test_what_a_modem_says_is_text(hostile_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever an operation tells, as if the modem, its network or a plugin had said it."""
    registry, whole = hostile_site.parts.registry, hostile_site.parts.registry.call

    def poisoned(name: str, arguments: Any, actor: Any, revision: int | None = None) -> Any:
        told = whole(name, arguments, actor, revision)
        return told if name.startswith("settings_") or actor is COMMAND_LINE else with_markup(told)

    monkeypatch.setattr(registry, "call", poisoned)
    browser = hostile_site.inside(Role.ADMINISTRATOR)
    shown = 0
    for path in addresses(hostile_site):
        answer = browser.get(path)
        assert is_file(answer) or not strange_in(answer.text), (path, strange_in(answer.text))
        shown += TAG.replace("<", "&lt;").replace(">", "&gt;") in answer.text
    assert shown >= 3


KEYS = {
    "state", "kind", "kinds", "status", "type", "level", "channel", "role", "modem_id", "name", "key", "language", "by",
    "way",
}  # fmt: skip
"""Words of ours, by which pages decide."""


def with_markup(told: Any, key: str = "") -> Any:
    """Put markup behind each text of an answer that is no word of ours."""
    if isinstance(told, dict):
        return {name: with_markup(value, name) for name, value in told.items()}
    if isinstance(told, list):
        return [with_markup(one, key) for one in told]
    return f"{told}{MARKUP}" if type(told) is str and told and key not in KEYS else told
