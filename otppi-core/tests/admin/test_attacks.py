"""What strangers send: none of it is a fault of a page, and none of it does more than it shows."""

import logging
from urllib.parse import quote, urlencode

import pytest

from otppi.api.operations import Role
from otppi.testing.html import HtmlPage
from otppi.testing.site import PASSWORD, Site, SiteBrowser

FORM = "application/x-www-form-urlencoded"


def faults(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]


# -- header fields -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cookie",
    ["a/b=1", "a,b=1", "a@b=1", "=?x?b?aa?=", "x==?utf-8?b?gICA?=", 'x="', "x=\xff", "a" * 8000, "a=b; " * 1600],
)
def test_no_cookie_of_another_port_keeps_anybody_out(
    shared_site: Site, caplog: pytest.LogCaptureFixture, cookie: str
) -> None:
    token = shared_site.inside(Role.VIEWER).cookies["otppi"]
    answer = shared_site.browser().get("/", Cookie=f"{cookie}; otppi={token}")
    assert answer.status == 200
    assert "vera" in answer.words
    assert not faults(caplog)


def test_a_session_cookie_of_another_port_does_not_hide_ours(shared_site: Site) -> None:
    token = shared_site.inside(Role.VIEWER).cookies["otppi"]
    assert shared_site.browser().get("/", Cookie=f"otppi=of another port; otppi={token}").status == 200
    assert shared_site.browser().get("/", Cookie="otppi=of another port; otppi=").status == 303


@pytest.mark.parametrize("value", ["=?bogus?b?aa?=", "=?utf-8?b?gICA?=", "=?utf-8?b?a?=", "=?idna?q?xn--a?="])
@pytest.mark.parametrize("name", ["User-Agent", "Accept-Language", "X-Any", "Content-Disposition", "Last-Event-ID"])
def test_words_that_claim_an_encoding_are_left_as_they_are(
    shared_site: Site, caplog: pytest.LogCaptureFixture, name: str, value: str
) -> None:
    assert shared_site.inside(Role.VIEWER).ask("GET", "/", headers={name: value}).status == 200
    assert not faults(caplog)


@pytest.mark.parametrize("value", ["form-data; filename*=bogus''x", "form-data; filename*=x", 'form-data; name="a'])
def test_a_form_with_a_file_name_is_a_form(shared_site: Site, caplog: pytest.LogCaptureFixture, value: str) -> None:
    answer = shared_site.inside(Role.VIEWER).post("/language", {"language": "en"}, Content_Disposition=value)
    assert answer.status == 303
    assert not faults(caplog)


# -- paths -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/login/__class__/index",
        "/login/__class__/index?self=1",
        "/login/--class--/index",
        "/login/..class../index",
        "/account/index/__func__",
        "/monitor/index/__self__/",
        "/messages/index/__self__/inbox",
        "/_parts/sessions/create",
        "/settings/_parts",
        "/account/totp-off",
        "/login/%5f%5fclass__/index",
    ],
)
def test_only_pages_are_reached_by_their_names(shared_site: Site, caplog: pytest.LogCaptureFixture, path: str) -> None:
    assert shared_site.inside(Role.ADMINISTRATOR).get(path).status == 404
    assert not faults(caplog)


# -- forms -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/account", "/messages", "/settings", "/login"])
def test_a_field_is_never_the_object_of_a_method(
    shared_site: Site, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    assert shared_site.inside(Role.ADMINISTRATOR).get(f"{path}?self=1&path=2&_fields=3").status in (200, 303)
    assert not faults(caplog)


def test_neither_in_a_form(shared_site: Site, caplog: pytest.LogCaptureFixture) -> None:
    answer = shared_site.inside(Role.VIEWER).post("/language", {"language": "en", "self": "1", "fields": "2"})
    assert answer.status == 303
    assert not faults(caplog)


@pytest.mark.parametrize(
    "charset", ["bogus", "hex", "undefined", "punycode", "idna", "utf-7", "utf-16", "unicode_escape", '"']
)
def test_a_form_is_in_utf_8_whatever_it_says(site: Site, caplog: pytest.LogCaptureFixture, charset: str) -> None:
    browser = site.inside(Role.VIEWER)
    body = urlencode({"form_token": browser.token, "phone": "", "email": "\\ud800@a.example"}).encode()
    answer = browser.ask("POST", "/account/about", body, {"Content-Type": f"{FORM}; charset={charset}"})
    assert answer.status == 422
    assert 'value="\\ud800@a.example"' in answer.text, "it was not taken for an escape"
    assert not faults(caplog)


def test_a_link_fills_in_no_field_of_a_form(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    form = HtmlPage(browser.get("/settings/administration?host_names=evil.example&https_only=1").text).forms[-1]
    fields = {name: values[0] for name, values in form.sent("").items()}
    answer = browser.post("/settings/administration?host_names=evil.example&https_only=1&port=1", fields)
    assert answer.status == 303
    kept = site.call("settings_show")["administration"]
    assert (kept["host_names"], kept["https_only"], kept["port"]) == ([], False, 8888)


def test_the_token_of_a_form_is_taken_from_its_body_alone(shared_site: Site) -> None:
    browser = shared_site.inside(Role.VIEWER)
    answer = browser.ask("POST", f"/logout?form_token={browser.token}", b"", {"Content-Type": FORM})
    assert answer.status == 403
    assert browser.get("/").status == 200


def test_who_goes_to_a_page_with_other_letters_gets_there(shared_site: Site) -> None:
    answer = shared_site.inside(Role.VIEWER).post("/language", {"language": "en", "next": "/modems/show?modem=\u20ac"})
    assert (answer.status, answer.location) == (303, "/modems/show?modem=%E2%82%AC")


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/messages/blocked/unblock", {"receiver": "\0"}, 422),
        ("/messages/blocked/unblock", {"chosen": "\0"}, 422),
        ("/messages/inbox/selected", {"id": "\0", "verb": "delete"}, 422),
        ("/messages/inbox/selected", {"id": "x", "verb": "burn"}, 400),
        ("/account/recovery", {}, 422),
        ("/account/totp", {"secret": "x", "uri": "x" * 9000, "code": "1"}, 400),
    ],
)
def test_what_cannot_be_done_is_told(
    shared_site: Site, caplog: pytest.LogCaptureFixture, path: str, fields: dict[str, str], status: int
) -> None:
    answer = shared_site.inside(Role.ADMINISTRATOR).post(path, fields)
    assert answer.status == status
    assert "This form cannot be read" in answer.words
    assert not faults(caplog)


@pytest.mark.parametrize(
    "more", ["&a" * 30_000, "".join(f"&a{one}=1" for one in range(6_000)), "&" + "n" * 60_000 + "=1", "&=&&==&%=%zz"]
)
def test_a_form_of_too_many_fields_is_a_form(shared_site: Site, caplog: pytest.LogCaptureFixture, more: str) -> None:
    browser = shared_site.inside(Role.VIEWER)
    body = f"form_token={browser.token}&language=en{more}".encode()
    assert browser.ask("POST", "/language", body, {"Content-Type": FORM}).status == 303
    assert not faults(caplog)


@pytest.mark.parametrize("path", ["/language", "/account/about", "/messages"])
def test_octets_that_are_no_text_are_told(shared_site: Site, caplog: pytest.LogCaptureFixture, path: str) -> None:
    browser: SiteBrowser = shared_site.inside(Role.OPERATOR)
    body = f"form_token={browser.token}&phone=".encode() + b"\xff%ed%a0%80"
    assert browser.ask("POST", path, body, {"Content-Type": FORM}).status == 400
    assert not faults(caplog)


# -- markup ------------------------------------------------------------------------------------------------------------

MARKUP = "<script>alert(1)</script>\"'>{{ 7 * 7 }}{% raw %}"


@pytest.mark.parametrize(
    "path",
    [
        "/modems/show?modem=X", "/messages/sent?id=X", "/settings/modems/edit?_item=X", "/monitor?source=X&modem=X",
        "/account?X=X", "/administrators/edit?name=X", "/confirm?next=/X", "/messages?receiver=X", "/X", "/settings/X",
        "/account/totp?secret=X&uri=X", "/login?next=/X&username=X",
    ],
)  # fmt: skip
@pytest.mark.parametrize("logged_in", [True, False])
def test_what_an_address_says_is_never_markup(shared_site: Site, path: str, logged_in: bool) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR) if logged_in else shared_site.browser()
    answer = browser.get(path.replace("X", quote(MARKUP)), User_Agent=MARKUP)
    assert answer.status < 500
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize("path", ["/login", "/account/about", "/messages", "/modems/adopt", "/administrators/add"])
def test_what_is_typed_is_never_markup(shared_site: Site, path: str) -> None:
    names = ("username", "password", "next", "phone", "email", "receiver", "message", "name", "device", "role", "modem")
    answer = shared_site.inside(Role.ADMINISTRATOR).post(path, dict.fromkeys(names, MARKUP))
    assert answer.status != 500
    assert "<script>alert" not in answer.text


def test_what_a_browser_calls_itself_is_never_markup(site: Site) -> None:
    browser = site.browser()
    browser.get("/login")
    answer = browser.post("/login", {"username": "vera", "password": PASSWORD}, User_Agent=MARKUP)
    assert answer.status == 303
    page = browser.get("/account").text
    assert "&lt;script&gt;alert" in page
    assert "<script>alert" not in page
