"""The device is restarted and switched off by pages and operations: by administrators, after their password."""

import pytest

from otppi.admin.security.sessions import FRESH
from otppi.api.errors import NotDone, NotPermitted, NotSupported
from otppi.api.operations import Actor, Role
from otppi.host.gateway.device_power import DevicePower
from otppi.testing.site import Site
from otppi.testing.waiting import until

PAGES = {"device_reboot": "/services/reboot", "device_power_off": "/services/off"}
WORDS = {"device_reboot": "Restart the device", "device_power_off": "Switch the device off"}


@pytest.fixture
def asked(shared_site: Site, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the device was asked to do; the computer of the test is asked nothing."""
    done: list[str] = []
    power = DevicePower()
    power.by(lambda: done.append("device_reboot"), lambda: done.append("device_power_off"))
    monkeypatch.setattr(shared_site.host.device_power, "_reboot", power.reboot)
    monkeypatch.setattr(shared_site.host.device_power, "_power_off", power.power_off)
    return done


@pytest.mark.parametrize("operation", PAGES)
def test_an_administrator_does_it_after_a_question(shared_site: Site, asked: list[str], operation: str) -> None:
    browser, page = shared_site.inside(Role.ADMINISTRATOR), PAGES[operation]
    assert page in browser.get("/system").text
    question = browser.get(page)
    assert f"{WORDS[operation]}?" in question.words
    assert "kept in RAM only, and are lost" in question.words
    assert asked == [], "to be asked changes nothing"
    done = browser.post(page)
    assert done.status == 200
    assert asked == [operation]
    if operation == "device_reboot":
        assert 'data-to="/"' in done.text
        assert "by itself" in done.words
    else:
        assert "Then its power may be cut." in done.words
        assert "data-poll" not in done.text
    newest = shared_site.call("audit", limit=1)[0]
    assert (newest["operation"], newest["outcome"], newest["actor"]) == (operation, "done", "adi")


@pytest.mark.parametrize("operation", PAGES)
def test_who_gave_the_password_long_ago_gives_it_again(shared_site: Site, asked: list[str], operation: str) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR)
    shared_site.parts.sessions.of("adi")[0].confirmed -= FRESH + 1
    assert browser.get(PAGES[operation]).location.startswith("/confirm?next=")
    browser.post(PAGES[operation])
    assert asked == []


@pytest.mark.parametrize("operation", PAGES)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_nobody_else_may(shared_site: Site, asked: list[str], operation: str, role: Role) -> None:
    browser = shared_site.inside(role)
    assert PAGES[operation] not in browser.get("/system").text
    assert browser.post(PAGES[operation]).status == 403
    with pytest.raises(NotPermitted):
        shared_site.registry.call(operation, {}, Actor("x", "administration", role))
    assert shared_site.browser().post(PAGES[operation]).status != 200
    assert asked == []


def test_the_page_that_waits_goes_on_with_the_next_run(shared_site: Site, asked: list[str]) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR)
    browser.get("/services/reboot")
    text = browser.post("/services/reboot").text
    run = text.partition("/services/back?after=")[2].partition('"')[0]
    assert browser.get(f"/services/back?after={run}").status == 200
    assert browser.get(f"/services/back?after={run[::-1]}x").location == "/"


@pytest.mark.parametrize("operation", PAGES)
def test_a_device_that_cannot_be_asked_says_so(shared_site: Site, operation: str) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR)
    browser.get(PAGES[operation])
    answer = browser.post(PAGES[operation])
    assert answer.status == 503
    assert "whatever runs this gateway does not switch the device off" in answer.words
    assert f"{WORDS[operation]}?" in answer.words
    with pytest.raises(NotSupported):
        shared_site.call(operation)


def test_a_device_that_refuses_now_says_so(shared_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise NotDone("the device goes off already")

    monkeypatch.setattr(shared_site.host.device_power, "_reboot", refuse)
    browser = shared_site.inside(Role.ADMINISTRATOR)
    browser.get("/services/reboot")
    answer = browser.post("/services/reboot")
    assert answer.status == 422
    assert "the device goes off already" in answer.words


def test_how_many_messages_wait_is_told(site: Site) -> None:
    slow = {"name": "m1", "type": "simulated", "network_time": 3.0, "recipient_prefixes": ["0811"]}
    site.call("settings_add", section="modems", values=slow)
    until(lambda: {one["state"] for one in site.call("modems")} == {"ready"}, "both modems are ready")
    browser = site.inside(Role.ADMINISTRATOR)
    assert "No message waits now." in browser.get("/services/off").words
    sent = [site.call("send", receiver=f"0811000000{number}", message="Uji", wait=0.0) for number in range(4)]
    until(lambda: site.call("message", message_id=sent[0]["message_id"])["state"] == "sending", "one is on its way")
    assert "Messages that wait now: 3." in browser.get("/services/off").words
