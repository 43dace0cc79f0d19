"""A form whose login has ended, or that is from before a restart: what was typed is not lost, and not carried out."""

import re
from html import unescape

import pytest

from otppi.api.operations import Role
from otppi.testing.site import PASSWORD, Site, SiteAnswer, SiteBrowser

RECEIVER = "081234567890"


def expired(site: Site, role: Role = Role.ADMINISTRATOR) -> SiteBrowser:
    """Return a browser that shows a page of a login that has ended."""
    browser = site.inside(role)
    found = site.parts.sessions.find(browser.cookies["otppi"], secure=False)
    assert found is not None
    site.parts.sessions.end(found)
    return browser


def hidden(answer: SiteAnswer) -> dict[str, str]:
    main = answer.text.partition("<main")[2]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', main)
    return {unescape(name): unescape(value) for name, value in found}


def log_in(browser: SiteBrowser, asked: SiteAnswer, name: str = "adi") -> SiteAnswer:
    return browser.post("/login", hidden(asked) | {"username": name, "password": PASSWORD})


def test_settings_are_shown_again_with_what_was_typed(site: Site) -> None:
    browser = expired(site)
    asked = browser.post("/settings/webhook", {"url": "http://192.0.2.7/hook", "secret": "s3cr3t-typed", "_seen": "x"})
    assert asked.status == 403
    assert "You are logged out" in asked.words
    assert "what you typed is still here" in asked.words
    assert "s3cr3t-typed" not in asked.text
    wrong = browser.post("/login", hidden(asked) | {"username": "adi", "password": "wrong"})
    assert wrong.status == 401
    answer = log_in(browser, wrong)
    assert (answer.status, "This page is too old" in answer.words) == (200, True)
    shown = browser.post("/settings/webhook", hidden(answer))
    assert shown.status == 200
    assert "What you typed is still here, but for passwords and keys; press Save once more." in shown.words
    assert 'value="http://192.0.2.7/hook"' in shown.text
    assert site.call("settings_show")["webhook"]["url"] == ""
    saved = browser.post("/settings/webhook", hidden(shown) | {"url": "http://192.0.2.7/hook", "_save": "1"})
    assert saved.status == 303, saved.words
    assert site.call("settings_show")["webhook"]["url"] == "http://192.0.2.7/hook"


def test_a_message_is_sent_when_its_sender_says_so_again(site: Site) -> None:
    browser = expired(site, Role.OPERATOR)
    asked = browser.post("/messages", {"receiver": RECEIVER, "message": 'a "text" <b>', "modem": ""})
    assert site.call("messages") == []
    answer = log_in(browser, asked, "oki")
    assert "What you typed is still here; send it once more." in answer.words
    assert f'receiver {RECEIVER} message a "text" <b>' in answer.words, "whoever logs in sees what is to be sent"
    assert site.call("messages") == []
    fields = hidden(answer)
    assert (fields["receiver"], fields["message"]) == (RECEIVER, 'a "text" <b>')
    sent = browser.post("/messages", fields)
    assert sent.status in (200, 303), sent.words
    assert len(site.call("messages")) == 1


def test_a_form_from_before_a_restart_is_sent_once_more(site: Site) -> None:
    """The session is there (made after it), and the token is another one's."""
    browser = site.inside(Role.OPERATOR)
    browser.token = "0" * 64
    asked = browser.post("/messages/blocked", {"receiver": RECEIVER})
    assert (asked.status, "What you typed is still here" in asked.words) == (403, True)
    assert site.call("blocked") == []
    browser.post("/messages/blocked", hidden(asked))
    assert len(site.call("blocked")) == 1


@pytest.mark.parametrize("path", ["/administrators/add", "/account/password", "/modems/sim/change"])
def test_secrets_do_not_go_along(site: Site, path: str) -> None:
    browser = expired(site)
    asked = browser.post(path, {"password": "t0p-s3cr3t", "new_password": "t0p-s3cr3t", "secret": "7316", "name": "x"})
    assert asked.status == 403
    assert "kept" not in hidden(asked)
    assert "t0p-s3cr3t" not in asked.text
    assert "7316" not in asked.text
    answer = log_in(browser, asked)
    assert (answer.status, answer.location) == (303, "/")


@pytest.mark.parametrize(
    "kept",
    ["", "x", "[]", '["//evil.example", [], false]', '["/login", [], false]', '["/messages", [1], false]', "[[["],
)
def test_what_no_form_of_ours_wrote_is_left_out(site: Site, kept: str) -> None:
    browser = site.browser()
    browser.get("/login")
    answer = browser.post("/login", {"username": "adi", "password": PASSWORD, "next": "/modems", "kept": kept})
    assert (answer.status, answer.location) == (303, "/modems")


def test_a_stranger_is_not_let_in_by_it(site: Site) -> None:
    """With the token of who is not logged in, which is right, nothing is done either."""
    browser = site.browser()
    browser.get("/login")
    asked = browser.post("/messages/blocked", {"receiver": RECEIVER})
    assert (asked.status, "You are logged out" in asked.words) == (403, True)
    assert site.call("blocked") == []
