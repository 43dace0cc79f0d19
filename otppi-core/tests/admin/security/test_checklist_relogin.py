"""Security checklist, row Re-login: the password within five minutes for what a borrowed screen must not do.

The page that asks for it, with the code where there is a second step, is in `../test_login.py`; a new token in
`test_checklist_session.py`; what the JSON API asks for again in `../api/test_every_operation.py`.
"""

import re
from typing import Any

import pytest

from otppi.admin.pages import answers
from otppi.admin.security.sessions import FRESH
from otppi.admin.visit import Visit
from otppi.api.operations import Role
from otppi.testing.page_routes import page_routes
from otppi.testing.site import NAMES, PASSWORD, Site, SiteBrowser

FRESH_ONLY = {path for path, access in page_routes() if access.fresh}
ACCOUNTS = {
    "/account/about", "/account/phone", "/account/recovery", "/account/totp",
    "/account/totp_off", "/administrators/add", "/administrators/edit", "/administrators/switch", "/users/add",
}  # fmt: skip


def left_alone(site: Site, role: Role = Role.ADMINISTRATOR) -> SiteBrowser:
    """Return a browser whose password was given more than five minutes ago."""
    browser = site.inside(role)
    site.parts.sessions.of(NAMES[role])[0].confirmed -= FRESH + 1
    return browser


def test_accounts_tokens_and_what_one_gets_back_in_by_ask_again() -> None:
    assert ACCOUNTS <= FRESH_ONLY


@pytest.mark.parametrize("path", sorted(FRESH_ONLY))
def test_a_screen_that_was_left_is_asked_first(shared_site: Site, path: str) -> None:
    browser = left_alone(shared_site)
    before = shared_site.call("settings_export", secrets=True)
    (methods,) = [access.methods for one, access in page_routes() if one == path]
    if "GET" in methods:
        answer = browser.get(path)
        assert (answer.status, answer.text) == (303, "")
        assert answer.location.startswith("/confirm?next=/")
    if "POST" in methods:
        answer = browser.post(path, {"name": "vera"})
        if answer.status == 403:  # what was typed comes after the password
            assert re.search('<form method="post" action="/confirm">', answer.text)
            assert f'name="kept" value="[&#34;{path}&#34;' in answer.text
        else:
            assert (answer.status, answer.location.startswith("/confirm?next=/")) == (303, True)
    assert shared_site.call("settings_export", secrets=True) == before


@pytest.mark.parametrize("path", ["api_users/add", "api_users/edit?_item=x", "administration"])
def test_so_it_is_where_settings_say_who_may_send_and_how_one_gets_here(shared_site: Site, path: str) -> None:
    assert left_alone(shared_site).get(f"/settings/{path}").location.startswith("/confirm?next=/settings/")


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("administrator_block", {"username": "vera"}),
        ("user_add", {"username": "x", "token": True}),
        ("settings_add", {"section": "api_users", "values": {"username": "x", "password": "made up words"}}),
        ("settings_put", {"path": "administrators.vera", "values": {"phone": "1"}}),
        ("settings_put", {"path": "administration", "values": {"host_names": ["evil.example"]}}),
        ("settings_import", {"document": {}}),
    ],
)
def test_no_handler_can_forget_to_ask_for_the_password_again(
    shared_site: Site, monkeypatch: pytest.MonkeyPatch, operation: str, arguments: dict[str, Any]
) -> None:
    left_alone(shared_site)
    session = shared_site.parts.sessions.of(NAMES[Role.ADMINISTRATOR])[0]
    now = Visit("en", "127.0.0.1", False, "", "", "/", session, Role.ADMINISTRATOR)
    monkeypatch.setattr(answers, "visit", lambda: now)
    revision = shared_site.call("settings_revision")
    with pytest.raises(answers.PageError) as refused:
        answers.perform(shared_site.parts, operation, **arguments)
    assert refused.value.code == 403
    assert shared_site.call("settings_revision") == revision
    answers.perform(shared_site.parts, "settings_put", path="sms", values={})  # a section that does not ask


def test_the_password_given_again_lets_it_through(site: Site) -> None:
    browser = left_alone(site)
    browser.get("/confirm?next=/administrators")
    assert browser.post("/confirm", {"password": PASSWORD, "next": "/administrators"}).status == 303
    browser.get("/administrators")
    assert browser.post("/administrators/switch", {"name": "vera", "verb": "block"}).status == 303
    assert site.parts.administrators.find("vera") is None


def test_what_anybody_may_do_at_the_screen_goes_on(shared_site: Site) -> None:
    browser = left_alone(shared_site, Role.OPERATOR)
    for path in ("/", "/messages", "/modems", "/account", "/monitor"):
        assert browser.get(path).status == 200
