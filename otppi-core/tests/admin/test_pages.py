"""What pages answer: header fields, languages, errors, and what is done by them."""

import logging

import pytest

from otppi.admin.security.headers import POLICY
from otppi.api.operations import Role
from otppi.testing.site import NAMES, PASSWORD, Site
from otppi.testing.waiting import until

SECRET = "kode 7351 jangan dibagi"


@pytest.mark.parametrize("path", ["/", "/login", "/nothing", "/static/nothing.css", "/language"])
def test_every_answer_has_the_header_fields(shared_site: Site, path: str) -> None:
    for browser in (shared_site.browser(), shared_site.inside(Role.VIEWER)):
        answer = browser.get(path)
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["server"] == "OTP-Pi"
        assert "cherrypy" not in answer.text.lower()


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1", 303), ("localhost:1", 303), ("evil.example", 421), ("127.0.0.1.evil.example", 421)],
)
def test_a_strange_name_is_told_where_to_go(shared_site: Site, host: str, status: int) -> None:
    answer = shared_site.browser().get("/", Host=host)
    assert answer.status == status
    assert "evil" not in answer.text
    assert answer.location in ("", "/login?next=/")


def test_the_language_of_the_browser_then_the_chosen_one_then_the_accounts(site: Site) -> None:
    browser = site.browser()
    assert "Masuk ke OTP-Pi" in browser.get("/login", Accept_Language="id").words
    assert "Log in to OTP-Pi" in browser.get("/login", Accept_Language="en").words
    answer = browser.post("/language", {"language": "id", "next": "/login"})
    assert (answer.status, answer.location) == (303, "/login")
    page = browser.get("/login", Accept_Language="en")
    assert "Masuk ke OTP-Pi" in page.words
    assert '<html lang="id">' in page.text
    site.call("administrator_edit", username=NAMES[Role.VIEWER], preferred_language="en")
    own = site.inside(Role.VIEWER)
    own.cookies["otppi-language"] = "id"
    assert "Home" in own.get("/", Accept_Language="id").words


def test_a_page_that_is_not_there(shared_site: Site) -> None:
    answer = shared_site.inside(Role.VIEWER).get("/nothing/at/all?x=1")
    assert answer.status == 404
    assert "There is no such page" in answer.words
    assert shared_site.browser().get("/_parts/config").status == 404


def test_a_fault_is_told_by_a_number_alone(
    shared_site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    browser = shared_site.inside(Role.OPERATOR)
    browser.get("/messages")
    monkeypatch.setattr(shared_site.parts.registry, "call", fail)
    with caplog.at_level(logging.DEBUG):
        answer = browser.post("/messages", {"receiver": "08126666666", "message": SECRET})
    assert answer.status == 500
    assert SECRET not in answer.text
    assert SECRET not in caplog.text
    number = answer.words.rpartition("·")[2].strip()
    assert len(number) == 8
    assert number in caplog.text


def test_a_message_is_sent_and_its_end_is_shown(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    browser = site.inside(Role.OPERATOR)
    until(lambda: site.call("modems")[0]["state"] == "ready")
    browser.get("/messages")
    answer = browser.post("/messages", {"receiver": "12", "message": SECRET})
    assert answer.status == 422
    assert SECRET in answer.text, "what was typed is kept"
    answer = browser.post("/messages", {"receiver": "08126666666", "message": SECRET, "modem": "m0"})
    assert answer.status == 303, answer.words
    assert answer.location.startswith("/messages/sent?id=")
    until(lambda: "arrived" in browser.get(answer.location).words or "delivered" in browser.get(answer.location).words)
    assert SECRET not in browser.get(answer.location).text
    assert SECRET not in caplog.text
    other = site.inside(Role.ADMINISTRATOR)
    assert other.get(answer.location).status == 404, "only who sent it may look"


def test_numbers_are_blocked_and_unblocked(site: Site) -> None:
    browser = site.inside(Role.OPERATOR)
    browser.get("/messages/blocked")
    assert browser.post("/messages/blocked", {"receiver": "x"}).status == 422
    assert browser.post("/messages/blocked", {"receiver": "08127777777"}).status == 303
    page = browser.get("/messages/blocked")
    assert "628127777777 is blocked." in page.words
    assert "is blocked." not in browser.get("/messages/blocked").words, "told once"
    assert browser.post("/messages/blocked/unblock", {"receiver": "628127777777"}).status == 303
    assert "No number is blocked." in browser.get("/messages/blocked").words


def test_a_modem_is_tried(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    until(lambda: site.call("modems")[0]["state"] == "ready")
    assert "m0" in browser.get("/modems").words
    browser.get("/modems/test?modem=m0")
    sent = browser.post("/modems/test", {"modem": "m0", "receiver": "08126666666", "message": "Uji OTP-Pi"})
    assert sent.status == 303, sent.words
    until(lambda: 'class="done now" aria-current="step">delivered' in browser.get(sent.location).text)
    asked = browser.post("/modems/ussd", {"modem": "m0", "code": "*123#"})
    assert asked.status == 303, asked.words
    until(lambda: "Balance: 10000" in browser.get(asked.location).words)
    wrong = browser.post("/modems/sim/change", {"modem": "m0", "verb": "change-pin", "secret": "x", "new_pin": "1234"})
    assert wrong.status == 422
    assert browser.get("/modems/show?modem=none").status == 404


def test_administrators_are_added_changed_and_switched(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    browser.get("/administrators/add")
    given = {"username": "budi", "role": "operator", "phone": "", "email": "", "preferred_language": ""}
    answer = browser.post("/administrators/add", given | {"password": "short"})
    assert answer.status == 422
    assert 'id="password-problem"' in answer.text
    answer = browser.post("/administrators/add", given | {"password": PASSWORD, "email": "budi.example.com"})
    assert answer.status == 422
    assert "the e-mail address has no @" in answer.words
    assert 'id="email-problem"' in answer.text
    assert browser.post("/administrators/add", given | {"password": PASSWORD}).status == 303
    page = browser.post("/administrators/edit", given | {"name": "budi", "username": "budiman", "password": ""})
    assert page.status == 303, page.words
    page = browser.post("/administrators/edit", given | {"name": "budiman", "username": "budiman", "email": "budi"})
    assert page.status == 422
    assert 'id="email-problem"' in page.text
    for verb, field, value in (
        ("deactivate", "active", False),
        ("activate", "active", True),
        ("block", "blocked", True),
        ("unblock", "blocked", False),
    ):
        assert browser.post("/administrators/switch", {"name": "budiman", "verb": verb}).status == 303
        (found,) = [one for one in site.call("administrators") if one["username"] == "budiman"]
        assert found[field] is value
    assert browser.post("/administrators/switch", {"name": "budiman", "verb": "remove"}).status == 303
    assert "budiman" not in [one["username"] for one in site.call("administrators")]
    assert browser.post("/administrators/switch", {"name": "vera", "verb": "password"}).status == 400


def test_the_last_administrator_stays(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    browser.get("/administrators")
    for verb in ("remove", "deactivate", "block"):
        answer = browser.post("/administrators/switch", {"name": NAMES[Role.ADMINISTRATOR], "verb": verb})
        assert answer.status == 422
    assert browser.get("/administrators").status == 200


def test_the_language_of_an_account_is_changed_where_it_would_come_first(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    browser.get("/account")
    browser.post("/account/about", {"preferred_language": "en", "phone": "", "email": ""})
    assert '<html lang="en"' in browser.get("/").text
    assert browser.post("/language", {"language": "id", "next": "/"}).location == "/"
    assert '<html lang="id"' in browser.get("/").text


def test_the_choice_of_a_language_leads_to_a_page_that_can_be_looked_at(site: Site) -> None:
    """The answer to a form that is sent to an address of its own is no such page."""
    browser = site.inside(Role.ADMINISTRATOR)
    browser.get("/system/backup")
    answer = browser.post("/system/backup/create", {"passphrase": "short", "again": "short"})
    assert answer.status == 422
    assert '<input type="hidden" name="next" value="/system/backup">' in answer.text
