"""The first page: what needs a person first, then how everything is, in both languages."""

import re
from typing import Any

import pytest

from otppi.admin.pages import home as home_page
from otppi.admin.pages.home import HomeTile
from otppi.admin.pages.needs import needs
from otppi.api.operations import Role
from otppi.testing.waiting import until
from otppi.text import _
from otppi.wire.errors import FieldError

LINK = {"server": "a:1883", "connected": False, "detail": "", "attempts": 1, "last_problem": "refused"}


def ready(site: Any) -> None:
    until(lambda: site.call("status")["status"] == "ok", "the modem is ready")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("All is well. 1 SMS today.", "Modem m0 ready since", "Sent today 1", "Memory", "Storage")),
        ("id", ("Semua baik. 1 SMS hari ini.", "Modem m0 siap sejak", "Terkirim hari ini 1", "RAM", "Penyimpanan")),
    ],
)
def test_how_everything_is(site: Any, monkeypatch: pytest.MonkeyPatch, language: str, words: tuple[str, ...]) -> None:
    ready(site)
    monkeypatch.setattr(home_page, "needs", lambda _status, _modems: [])  # a test's folder is on no RAM disk
    site.call("send", receiver="081234567890", message="a text")
    page = site.inside(Role.VIEWER).get("/", Accept_Language=language).words
    for word in words:
        assert word in page
    assert "Needs you" not in page


def test_what_needs_a_person_comes_first_and_is_escaped(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(site)
    needing = needs

    def with_one_more(status: Any, modems: Any) -> Any:
        told = {**status, "warnings": ["a plugin's <b>warning</b>"]}
        return needing(told, [one | {"state": "blocked", "detail": "<i>why</i>"} for one in modems])

    monkeypatch.setattr(home_page, "needs", with_one_more)
    answer = site.inside(Role.VIEWER).get("/", Accept_Language="en")
    assert "Needs you m0: The modem cannot be used. See what it says on its page. <i>why</i>" in answer.words
    assert "a plugin's <b>warning</b>" in answer.words
    assert "<b>warning" not in answer.text
    assert 'href="/modems/show?modem=m0"' in answer.text
    assert answer.text.index("Needs you") < answer.text.index("Device")
    assert "All is well" not in answer.words


def test_what_is_worked_on_is_not_well_and_needs_nobody(site: Any) -> None:
    ready(site)
    worker = site.host.dispatch.workers()[0]
    worker.stop()
    until(lambda: site.call("status")["status"] != "ok", "the modem has stopped")
    page = site.inside(Role.VIEWER).get("/", Accept_Language="en").words
    assert "All is well" not in page


def test_by_http_there_is_a_way_to_https(site: Any) -> None:
    browser = site.inside(Role.VIEWER)
    found = re.search(r'href="(https://[^"]+)"', browser.get("/").text)
    assert found is not None
    assert found[1] == f"https://127.0.0.1:{browser.port}/"


def test_the_rest_api_is_one_tile_for_each_of_its_ports() -> None:
    rest = {"name": "ingress-rest", "title": "REST API", "state": "running", "since": 5, "last_error": None}
    both = list(home_page._sources([rest | {"http_port": 8080, "https_port": 8443}]))
    assert [(one.title, one.facts) for one in both] == [
        ("REST API HTTP", (("Port", "8080"),)),
        ("REST API HTTPS", (("Port", "8443"),)),
    ]
    (closed,) = home_page._sources([rest])
    assert (closed.title, closed.facts) == ("REST API", ())


def test_a_broker_and_a_mail_account_are_tiles() -> None:
    broker = {"name": "ingress-mqtt", "title": "MQTT", "state": "running", "since": 5, "last_error": None, **LINK}
    (tile,) = home_page._sources([broker])
    facts = (("Server", "a:1883"),)
    assert tile == HomeTile("MQTT", "connecting", "connecting", 5, "refused", facts, service="ingress-mqtt")
    account = {"mail_account": "office", "state": "ready", "detail": "", "unusable": "", "since": 5}
    (mail,) = home_page._accounts([account])
    assert (mail.title, mail.state, mail.problem, mail.service) == ("office", "ready", "", "mail:office")


def test_a_setting_that_cannot_be_used_is_told_in_the_language_of_the_page(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = [FieldError("sms.attempts", _("is used already"))]
    monkeypatch.setattr(type(site.data.config), "problems", property(lambda _self: wrong))
    browser = site.inside(Role.VIEWER)
    browser.headers["Accept-Language"] = "id"
    told = browser.get("/").words
    assert "sms.attempts: " in told
    assert "is used already" not in told
