"""A new user of the API: the token is shown once, and the line that goes with it sends a message."""

import http.client
import json
import re
import shlex
from concurrent.futures import Future
from urllib.parse import urlsplit

import pytest

from otppi.admin.security.sessions import FRESH
from otppi.api.operations import Role
from otppi.testing.html import HtmlForm, HtmlPage
from otppi.testing.ports import free_port
from otppi.testing.site import NAMES, Site, SiteAnswer, SiteBrowser
from otppi.testing.waiting import PATIENCE, until


def form_in(answer: SiteAnswer) -> HtmlForm:
    page = HtmlPage(answer.text)
    assert page.faults() == []
    return next(one for one in page.forms if one.action == "/users/add")


def add(browser: SiteBrowser, **typed: str | bool) -> SiteAnswer:
    form = form_in(browser.get("/users/add")).fill(**typed)
    return browser.post(form.action, {name: values[0] for name, values in form.sent().items()})


def run(line: str) -> tuple[int, dict[str, object]]:
    """Send what a `curl` line sends."""
    words = shlex.split(line)
    url = next(urlsplit(one) for one in words if one.startswith("http"))
    name, _, value = words[words.index("-H") + 1].partition(": ")
    connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=PATIENCE)
    try:
        connection.request("POST", url.path, words[words.index("-d") + 1], {name: value})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def listen(site: Site) -> None:
    """Have the API listen on a port that is free."""
    port = free_port()
    site.call(
        "settings_import", document={"ingress-rest": {"http_enable": True, "http_port": port, "https_enable": False}}
    )
    until(
        lambda: any(
            one["name"] == "ingress-rest" and one["state"] == "running" for one in site.call("status")["ingresses"]
        ),
        "the API listens",
    )


def test_the_line_that_is_shown_sends_a_message(site: Site) -> None:
    listen(site)
    browser = site.inside(Role.ADMINISTRATOR)
    answer = add(browser, username="app")
    assert answer.status == 200
    page = HtmlPage(answer.text)
    assert page.faults() == []
    (line,) = [one for one in page.text.splitlines() if one.startswith("curl ")]
    assert "Put the number that is to receive it in place of 08126666666." in answer.words
    status, said = run(line)
    assert (status, said["response_code"]) == (200, "0000")
    assert line.split("Bearer ")[1].split("'")[0] not in browser.get("/settings/api_users").text
    assert site.call("users")[0]["tokens"] == 1


def test_who_only_reads_metrics_is_shown_a_line_that_reads_them(site: Site) -> None:
    listen(site)
    browser = site.inside(Role.ADMINISTRATOR)
    answer = add(browser, username="prometheus", metrics_only=True)
    (line,) = [one for one in HtmlPage(answer.text).text.splitlines() if one.startswith("curl ")]
    assert line.endswith("/metrics")
    assert "send-sms" not in answer.text
    assert "is to receive it" not in answer.words
    again = post(browser, "/users/login", name="prometheus", wanted="token")
    assert "/metrics" in again.text
    assert "send-sms" not in again.text
    assert site.call("users")[0]["metrics_only"] is True


def test_a_name_that_is_taken_and_one_without_a_way_in_are_told_at_their_fields(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    assert add(browser, username="app").status == 200
    answer = add(browser, username="app")
    assert answer.status == 422
    assert form_in(answer)["username"].attributes["aria-invalid"] == "true"
    answer = add(browser, username="other", token=False)
    assert answer.status == 422
    assert form_in(answer)["password"].attributes["aria-invalid"] == "true"
    answer = add(browser, username="a b", password="hush-4711")
    assert answer.status == 422
    assert "hush-4711" not in answer.text
    assert form_in(answer)["username"].attributes["aria-invalid"] == "true"
    assert [one["username"] for one in site.call("users")] == ["app"]


def test_who_has_a_password_only_is_shown_no_token_and_no_password(site: Site) -> None:
    answer = add(site.inside(Role.ADMINISTRATOR), username="app", password="hush-4711", token=False)
    assert answer.status == 200
    assert "hush-4711" not in answer.text
    assert "Bearer" not in answer.text
    assert "The API listens nowhere" in answer.words
    assert site.call("users")[0]["password"] is True


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_users_are_added_by_administrators(shared_site: Site, role: Role) -> None:
    assert shared_site.inside(role).get("/users/add").status == 403


def test_the_password_is_asked_for_again(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    (session,) = site.parts.sessions.of(NAMES[Role.ADMINISTRATOR])
    session.confirmed -= FRESH + 1
    assert browser.get("/users/add").location == "/confirm?next=/users/add"


# -- one that there is ------------------------------------------------------------------------------------------------


def given(site: Site, name: str = "shop") -> str:
    """Add a user with a token, and return that."""
    return str(site.call("user_add", username=name, token=True)["token"])


def sender(site: Site, token: str) -> str:
    """Return who sends by a token; nobody where it is refused."""
    found = site.host.accounts.recognise_token(token)
    return "" if found is None else found.name


def post(browser: SiteBrowser, path: str, **fields: str) -> SiteAnswer:
    return browser.post(path, fields)


def shown_once(answer: SiteAnswer, name: str) -> str:
    assert answer.status == 200, answer.words
    assert HtmlPage(answer.text).faults() == []
    found = re.search(rf'<pre id="{name}">([^<]+)</pre>', answer.text)
    assert found, answer.words
    return found[1]


def test_a_new_token_ends_the_earlier_ones_unless_they_are_kept(site: Site) -> None:
    first, browser = given(site), site.inside(Role.ADMINISTRATOR)
    page = browser.get("/users/login?name=shop")
    assert HtmlPage(page.text).faults() == []
    assert "1 token is valid now." in page.words
    second = shown_once(post(browser, "/users/login", name="shop", wanted="token", keep="1"), "token")
    assert [sender(site, one) for one in (first, second)] == ["shop", "shop"]
    third = shown_once(post(browser, "/users/login", name="shop", wanted="token"), "token")
    assert [sender(site, one) for one in (first, second, third)] == ["", "", "shop"]
    for path in ("/users/login?name=shop", "/settings/api_users", "/settings/api_users/edit?_item=shop"):
        assert third not in browser.get(path).text


def test_a_new_password_is_typed_or_made_and_only_a_made_one_is_shown(site: Site) -> None:
    token, browser = given(site), site.inside(Role.ADMINISTRATOR)
    answer = post(browser, "/users/login", name="shop", wanted="password", new_password="hush-4711")
    assert answer.status == 200
    assert "hush-4711" not in answer.text
    made = shown_once(post(browser, "/users/login", name="shop", wanted="password"), "password")
    assert len(made) >= 20
    assert made not in browser.get("/users/login?name=shop").text
    login = site.host.accounts.authenticate("shop", made, "127.0.0.1")
    assert (login.result(PATIENCE) if isinstance(login, Future) else login).name == "shop"
    assert sender(site, token) == "shop", "the token stays"
    told = [one for one in site.call("audit") if one["operation"] == "user_password"]
    assert len(told) == 2
    assert made not in str(told)


@pytest.mark.parametrize(
    ("verb", "back", "word"), [("deactivate", "activate", "may send no more"), ("block", "unblock", "is blocked")]
)
def test_a_user_is_switched_off_and_on_with_one_click(site: Site, verb: str, back: str, word: str) -> None:
    token, browser = given(site), site.inside(Role.ADMINISTRATOR)
    assert HtmlPage(browser.get("/settings/api_users").text).faults() == []
    answer = post(browser, "/users/switch", name="shop", verb=verb)
    assert (answer.status, answer.location) == (303, "/settings/api_users")
    assert word in browser.get("/settings/api_users").words
    assert sender(site, token) == ""
    assert post(browser, "/users/switch", name="shop", verb=back).status == 303
    assert sender(site, token) == "shop"


def test_nobody_else_and_nothing_else_is_switched(site: Site) -> None:
    given(site)
    browser = site.inside(Role.ADMINISTRATOR)
    assert post(browser, "/users/switch", name="shop", verb="remove").status == 400
    assert post(browser, "/users/switch", name="nobody", verb="block").status == 404
    assert post(browser, "/users/login", name="nobody", wanted="token").status == 404
    assert post(browser, "/users/login", name="shop", wanted="all").status == 400
    assert browser.get("/users/login?name=nobody").status == 404
    for role in (Role.VIEWER, Role.OPERATOR):
        assert post(site.inside(role), "/users/switch", name="shop", verb="block").status == 403
        assert site.inside(role).get("/users/login?name=shop").status == 403
    (session,) = site.parts.sessions.of(NAMES[Role.ADMINISTRATOR])
    session.confirmed -= FRESH + 1
    assert browser.get("/users/login?name=shop").status == 303
    answer = post(browser, "/users/switch", name="shop", verb="block")
    assert (answer.status, 'name="next" value="/users"' in answer.text) == (403, True), "the password is asked first"
    assert browser.get("/users").location == "/settings/api_users"
    assert site.call("users")[0]["blocked"] is False
