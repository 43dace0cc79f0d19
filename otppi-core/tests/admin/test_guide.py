"""The guide through the first steps: each can be taken, left, passed over and come back to, in any browser."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from otppi.admin.pages import answers, guide
from otppi.admin.security.sessions import FRESH
from otppi.api.operations import Role
from otppi.host.gateway.first_steps import STEPS, FirstSteps
from otppi.testing.ports import free_port
from otppi.testing.site import NAMES, Site, SiteBrowser
from otppi.testing.waiting import until
from otppi.text import Text, _

PHONE = "081234567890"


@pytest.fixture
def empty(new_site: Site) -> SiteBrowser:
    """Return who has just claimed a device on which nothing is set up."""
    new_site.data.config.update({"modems": []})
    new_site.host.apply(["modems"])
    browser = new_site.browser()
    browser.get("/claim")
    code = new_site.call("device_code")["code"]
    given = {"username": "adi", "password": "kursi hijau di teras", "phone": PHONE, "email": "", "code": code}
    assert browser.post("/claim", given).location == "/guide"
    return browser


def leave(browser: SiteBrowser, step: str, state: str = "skipped") -> str:
    answer = browser.post("/guide/leave", {"step": step, "state": state})
    assert answer.status == 303
    return answer.location


def states(site: Site) -> dict[str, str]:
    return dict(site.call("first_steps")["steps"])


def test_from_the_first_step_to_the_last(new_site: Site, empty: SiteBrowser) -> None:
    assert "Set up: 1 of 6" in empty.get("/").words
    assert empty.get("/guide").location == "/guide/time"
    page = empty.get("/guide/time")
    assert page.text.index("WIB: ") < page.text.index("WITA: ") < page.text.index("WIT: ") < page.text.index(">Africa/")
    assert empty.post("/guide/time", {"country_code": "62", "time_zone": "Asia/Makassar"}).location == "/guide/modem"
    assert "WITA" in empty.get("/guide/time").words
    page = empty.get("/guide/modem")
    assert "No modem yet." in page.words
    assert empty.post("/guide/simulate").location == "/guide/modem"
    until(lambda: "ready" in empty.get("/guide/modem").words, "the modem is ready")
    assert f'value="{PHONE}"' in empty.get("/guide/test").text
    sent = empty.post("/guide/test", {"receiver": PHONE, "message": "Uji OTP-Pi"})
    assert sent.location.startswith("/guide/test?id=")
    until(lambda: 'class="done now" aria-current="step">delivered' in empty.get(sent.location).text, "it has arrived")
    assert new_site.call("phone")[0]["text"] == "Uji OTP-Pi"
    assert leave(empty, "test", "done") == "/guide/api"
    assert 'value="app"' in empty.get("/guide/api").text
    made = empty.post("/guide/api", {"username": "app"})
    token, password = (re.search(f'<pre id="{one}">([^<]+)</pre>', made.text) for one in ("token", "password"))
    assert token is not None
    assert password is not None
    assert "The API listens nowhere" in made.words
    assert "shown this once" in made.words
    assert token[1] not in empty.get("/guide/api").text
    assert "Set up: 5 of 6" in empty.get("/").words
    assert empty.get("/guide").location == "/guide/secure"
    assert 'href="/account/totp?next=/guide/secure"' in empty.get("/guide/secure").text
    assert leave(empty, "all", "done") == "/"
    assert "Set up" not in empty.get("/").words


def test_each_step_is_passed_over_and_come_back_to(new_site: Site, empty: SiteBrowser) -> None:
    links = [f"/guide/{one}" for one in STEPS]
    for step, following in zip(STEPS, [*links[1:], "/"], strict=True):
        assert empty.get("/guide").location == f"/guide/{step}"
        assert empty.get(f"/guide/{step}").status == 200
        assert leave(empty, step) == following
    assert set(states(new_site).values()) == {"skipped"}
    assert empty.get("/guide").location == "/"
    assert "Set up" not in empty.get("/").words
    for link in links:
        assert empty.get(link).status == 200, "it is there all the same"
    assert empty.post("/guide/simulate").status == 303
    assert states(new_site)["modem"] == "done"


def test_what_was_said_is_kept_over_a_restart_and_for_every_browser(site: Site) -> None:
    one = site.inside(Role.ADMINISTRATOR)
    leave(one, "api")
    leave(one, "time", "done")
    other = site.inside(Role.ADMINISTRATOR)
    assert 'href="/guide/api">Say who sends through the API <span class="small">(skipped)' in other.get("/").text
    again = FirstSteps(site.data.path / "first-steps")
    assert (again.said("api"), again.said("time"), again.said("test")) == ("skipped", "done", "")
    site.call("first_step_say", step="api", state="open")
    assert states(site)["api"] == "open"
    assert other.get("/guide").location == "/guide/test"


@pytest.mark.parametrize("kept", [b"", b"[", b"[]", b'{"time": 5, "nothing": "done"}', b"\xff", b"[" * 9_999])
def test_a_damaged_note_of_the_steps_is_forgotten(tmp_path: Path, kept: bytes) -> None:
    path = tmp_path / "first-steps"
    path.write_bytes(kept)
    steps = FirstSteps(path)
    assert not any(steps.said(one) for one in STEPS)
    steps.say("time", "done")
    assert json.loads(path.read_bytes()) == {"time": "done"}
    assert path.stat().st_mode & 0o777 == 0o600


def test_only_administrators_are_led(site: Site) -> None:
    for role in (Role.VIEWER, Role.OPERATOR):
        browser = site.inside(role)
        assert "Set up" not in browser.get("/").words
        assert browser.get("/guide").status == 403
        assert browser.post("/guide/leave", {"step": "all", "state": "done"}).status == 403


@pytest.mark.parametrize(
    "fields", [{"step": "nothing", "state": "done"}, {"step": "time", "state": "x"}, {"step": "time"}, {}]
)
def test_what_is_no_step_is_none(shared_site: Site, fields: dict[str, str]) -> None:
    assert shared_site.inside(Role.ADMINISTRATOR).post("/guide/leave", fields).status == 400


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"country_code": "abc", "time_zone": ""}, "country_code"),
        ({"country_code": "62", "time_zone": "../../etc/passwd"}, "time_zone"),
        ({"country_code": "62", "time_zone": "Asia/Atlantis"}, "time_zone"),
    ],
)
def test_what_is_wrong_with_country_and_time_is_told_beside_it(
    shared_site: Site, fields: dict[str, str], wrong: str
) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR)
    answer = browser.post("/guide/time", fields)
    assert answer.status == 422
    assert re.search(f'name="{wrong}"[^>]* aria-invalid="true"', answer.text)
    assert shared_site.data.config.one("clock")["time_zone"] == ""


def test_country_and_time_that_are_both_wrong_are_told_at_once(shared_site: Site) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR)
    answer = browser.post("/guide/time", {"country_code": "abc", "time_zone": "Asia/Atlantis"})
    assert answer.status == 422
    assert re.findall(r'name="(\w+)"[^>]* aria-invalid="true"', answer.text) == ["country_code", "time_zone"]


def test_a_modem_whose_sim_asks_for_its_pin_gets_it(new_site: Site, empty: SiteBrowser) -> None:
    modem = {"name": "m0", "type": "simulated", "default_modem": True, "faults": ["pin-required"]}
    new_site.call("settings_add", section="modems", values=modem)
    until(lambda: "asks for its PIN" in empty.get("/guide/modem").words, "the SIM asks for its PIN")
    assert empty.get("/guide/modem").text.count('name="pin"') == 1
    assert empty.post("/guide/pin", {"modem": "m0", "pin": "12"}).status == 422
    assert empty.post("/guide/pin", {"modem": "m0", "pin": "1234"}).status == 303
    assert new_site.data.config.many("modems")[0]["sim_card_pin"] == "1234"
    assert "1234" not in empty.get("/guide/modem").text


@pytest.mark.parametrize(
    "told",
    [
        _("the SIM refused the PIN ({text})", text="+CME ERROR: 16"),
        _("the SIM asks for its PIN again: the one that is set was tried and is not tried again"),
    ],
)
def test_a_wrong_pin_is_told_and_asked_for_again(
    new_site: Site, empty: SiteBrowser, monkeypatch: pytest.MonkeyPatch, told: Text
) -> None:
    new_site.call("settings_add", section="modems", values={"name": "m0", "type": "simulated", "default_modem": True})

    def perform(parts: Any, operation: str, **arguments: Any) -> Any:
        result = answers.perform(parts, operation, **arguments)
        return [one | {"state": "blocked", "detail": told} for one in result] if operation == "modems" else result

    monkeypatch.setattr(guide, "perform", perform)
    page = empty.get("/guide/modem")
    assert "The SIM refused the PIN. Three wrong ones lock it." in page.words
    assert page.text.count('name="pin"') == 1


def test_who_has_a_modem_is_offered_no_simulated_one(
    new_site: Site, empty: SiteBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = 'action="/guide/simulate"'
    assert offered in empty.get("/guide/modem").text
    found = {"state": "new", "port": "/dev/ttyUSB0", "imei": "350000000000010", "manufacturer": "SIMCom"}

    def perform(parts: Any, operation: str, **arguments: Any) -> Any:
        if operation != "devices":
            return answers.perform(parts, operation, **arguments)
        return [dict.fromkeys(("model", "product", "operator", "signal_dbm", "detail")) | found]

    monkeypatch.setattr(guide, "perform", perform)
    page = empty.get("/guide/modem").text
    assert 'action="/guide/adopt"' in page
    assert offered not in page


def test_a_user_of_the_api_wants_a_password_that_was_given_a_moment_ago(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    (session,) = site.parts.sessions.of(NAMES[Role.ADMINISTRATOR])
    session.confirmed -= FRESH + 1
    assert browser.get("/guide/api").location == "/confirm?next=/guide/api"
    assert 'action="/confirm"' in browser.post("/guide/api", {"username": "app"}).text
    assert not site.data.config.many("api_users")
    session.confirmed += FRESH + 1
    assert browser.post("/guide/api", {"username": "a b"}).status == 422
    assert browser.post("/guide/api", {"username": "app"}).status == 200
    page = browser.get("/guide/api")
    assert "There are: app." in page.words
    assert 'value="app2"' in page.text
    assert "is used already" in browser.post("/guide/api", {"username": "app"}).words


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}"])
def test_the_line_calls_the_device_as_the_browser_did(site: Site, host: str) -> None:
    port = free_port()
    site.call("settings_put", path="ingress-rest", values={"http_enable": True, "http_port": port})
    browser = site.inside(Role.ADMINISTRATOR)
    browser.headers["Host"] = host.format(port=site.port)
    line = unescape(browser.post("/guide/api", {"username": "app"}).text)
    assert f" http://{host.partition(':{')[0]}:{port}/api/message -d " in line
    assert "curl -H 'Authorization: Bearer otppi_" in line


def test_of_a_made_up_receiver_it_is_said_that_it_is_to_be_replaced(site: Site) -> None:
    site.call("settings_put", path="ingress-rest", values={"http_enable": True, "http_port": free_port()})
    browser, told = site.inside(Role.ADMINISTRATOR), "Put the number that is to receive it in place of 08126666666."
    assert told in browser.post("/guide/api", {"username": "app"}).words
    own = {"phone": PHONE}
    site.call("settings_put", path=f"administrators.{NAMES[Role.ADMINISTRATOR]}", values=own)
    page = browser.post("/guide/api", {"username": "app2"})
    assert "Put the number" not in page.words
    assert f'"receiver": "{PHONE}"' in unescape(page.text)


def test_a_device_without_a_modem_says_so_where_a_test_is_sent(tmp_path: Path) -> None:
    """No simulated modem stands in there, and the test was not on its way anywhere."""
    site = Site(tmp_path, claimed=True, stand_in=False)
    try:
        site.host.data.config.update({"modems": []})
        site.host.apply(["modems"])
        browser = site.inside(Role.ADMINISTRATOR)
        assert "No modem yet." in browser.get("/guide/modem").words
        page = browser.get("/guide/test")
        assert "There is no modem yet: nothing can be sent." in page.words
        assert "simulated" not in page.words
        answer = browser.post("/guide/test", {"receiver": PHONE, "message": "x"})
        assert (answer.status, "no modem is connected" in answer.words) == (503, True)
        assert browser.post("/guide/simulate").location == "/guide/modem"  # what a person asks for is another matter
        until(lambda: browser.post("/guide/test", {"receiver": PHONE, "message": "x"}).status == 303, "it is sent")
    finally:
        site.close()


def test_a_test_that_fails_says_why_and_what_to_do(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    answer = browser.post("/guide/test", {"receiver": "x", "message": "x"})
    assert answer.status == 422
    assert re.search(r'name="receiver"[^>]* aria-invalid="true"', answer.text)
    until(lambda: site.call("modems")[0]["state"] == "ready")
    site.call("block_add", receiver=PHONE)
    answer = browser.post("/guide/test", {"receiver": PHONE, "message": "x"})
    shown: Any = browser.get(answer.location) if answer.status == 303 else answer
    assert "blocked" in shown.words
    assert "Skip" in shown.words
    assert browser.get("/guide/test?id=nothing").status == 200, "and one that is forgotten is a new one"
