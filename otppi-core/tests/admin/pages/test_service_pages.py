"""Services are stopped and started on the first page, by whoever may; each is asked about with what it means."""

from collections.abc import Iterator

import pytest

from otppi.api.operations import Role
from otppi.testing.site import Site
from otppi.testing.waiting import until


@pytest.fixture
def ready(shared_site: Site) -> Iterator[Site]:
    def state() -> str:
        return str(shared_site.call("services")[0]["state"])

    until(lambda: state() == "ready")
    yield shared_site
    shared_site.call("service_start", service="modem:m0")
    until(lambda: state() == "ready")


def test_an_operator_stops_a_modem_and_starts_it(ready: Site) -> None:
    browser = ready.inside(Role.OPERATOR)
    assert "/services/stop?service=modem%3Am0" in browser.get("/").text
    asked = browser.get("/services/stop?service=modem%3Am0")
    assert "Stop Modem m0?" in asked.words
    assert "What waits goes by another modem that may send it, or waits." in asked.words
    assert "until it is started here, or OTP-Pi itself starts the next time" in asked.words
    assert ready.call("services")[0]["state"] == "ready", "to be asked changes nothing"
    done = browser.post("/services/stop", {"service": "modem:m0"})
    assert (done.status, done.location) == (303, "/")
    home = browser.get("/")
    assert "Modem m0 is stopped." in home.words
    assert "m0: It was stopped. Start it." in home.words
    assert "/services/start?service=modem%3Am0" in home.text, "what needs somebody leads to it"
    assert 'action="/services/start"' in home.text, "to start it needs no question"
    assert "/services/stop" not in home.text
    assert browser.post("/services/start", {"service": "modem:m0"}).status == 303
    assert "Modem m0 is started." in browser.get("/").words
    assert browser.post("/services/restart", {"service": "modem:m0"}).status == 303


def test_who_may(ready: Site) -> None:
    viewer, operator = ready.inside(Role.VIEWER), ready.inside(Role.OPERATOR)
    assert "/services/" not in viewer.get("/").text
    assert viewer.post("/services/stop", {"service": "modem:m0"}).status == 403
    assert "/services/gateway" not in operator.get("/").text
    assert operator.post("/services/gateway").status == 403
    assert "/services/gateway" in ready.inside(Role.ADMINISTRATOR).get("/").text


def test_what_is_not_there_is_told(ready: Site) -> None:
    browser = ready.inside(Role.OPERATOR)
    assert browser.get("/services/stop?service=modem%3Am7").status == 404
    assert browser.post("/services/stop", {"service": "modem:m7"}).status == 404


def test_a_gateway_that_nobody_starts_again_is_not_restarted(ready: Site) -> None:
    browser = ready.inside(Role.ADMINISTRATOR)
    assert "Queued messages stay, and are sent after the start." in browser.get("/services/gateway").words
    answer = browser.post("/services/gateway")
    assert answer.status == 503
    assert "whatever runs this gateway does not start it again" in answer.words


def test_the_page_that_waits_leads_on_when_the_next_run_answers(ready: Site) -> None:
    browser = ready.browser()
    assert browser.get("/services/back?after=0123456789abcdef").location == "/"


def test_failed_logins_of_administrators_are_in_the_status(shared_site: Site) -> None:
    before = shared_site.call("status")["administrator_logins"]["failed"]["wrong"]
    browser = shared_site.browser()
    browser.get("/login")
    assert browser.post("/login", {"username": "adi", "password": "not this one"}).status == 401
    told = shared_site.call("status")["administrator_logins"]
    assert (told["failed"]["wrong"], told["last"]["user"]) == (before + 1, "adi")
