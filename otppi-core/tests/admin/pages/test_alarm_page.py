"""The page of the alarms: what is raised and was, where alarms go, the test of a way, and the settings below them."""

import re
from pathlib import Path
from typing import Any

import pytest

from otppi.api.operations import Role
from otppi.host.alarms.book import Sign
from otppi.host.alarms.conditions import CONDITIONS
from otppi.host.alarms.signal import AlarmSignal
from otppi.kit import system_units
from otppi.testing.html import HtmlPage
from otppi.testing.site import Site
from otppi.testing.waiting import until

PAGE = "/pages/alarm-list"


def raise_one(site: Site, condition: str, **facts: Any) -> None:
    """Have something be as it should not be for long enough."""
    book, now = site.host.alarms._book, site.host.alarms._clock()
    rule = next(one for one in CONDITIONS if one.key == condition).rule({**site.data.config.one("alarms")})
    for at in (now - 3_600, now):
        book.see(at, condition, rule, [Sign("m0" if condition == "modem" else "", True, facts)], telling=False)


def end_all(site: Site) -> None:
    site.host.alarms._book.watch_only(site.host.alarms._clock(), ())


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Raised now", "Modem m0 does not send: absent.", "to nobody", "Nobody is told of alarms yet.")),
        ("id", ("Alarm saat ini", "Modem m0 tidak mengirim: tidak terpasang.", "tidak ke siapa pun", "Belum ada yang")),
    ],
)
def test_what_is_raised(shared_site: Site, language: str, words: tuple[str, ...]) -> None:
    raise_one(shared_site, "modem", state="absent")
    page = shared_site.inside(Role.ADMINISTRATOR).get(PAGE, Accept_Language=language)
    for word in words:
        assert word in page.words
    end_all(shared_site)
    after = shared_site.inside(Role.VIEWER).get(PAGE, Accept_Language="en").words
    assert "No alarm is raised" in after
    assert "Modem m0 sends again. over" in after


def test_who_sees_what(shared_site: Site) -> None:
    viewer = shared_site.inside(Role.VIEWER)
    page = viewer.get(PAGE)
    assert page.status == 200
    assert "Where alarms go" not in page.words
    assert f"{PAGE}/alarms_test" not in page.text
    assert "Within an hour" not in page.words
    assert viewer.post(f"{PAGE}/alarms_test", {"way": "sms"}).status == 403
    assert "Within an hour" in shared_site.inside(Role.ADMINISTRATOR).get(PAGE).words


def test_a_way_is_chosen_and_tested(shared_site: Site) -> None:
    until(lambda: shared_site.call("status")["status"] == "ok", "the modem is ready")
    browser = shared_site.inside(Role.ADMINISTRATOR)
    assert browser.get(PAGE).text.count(f'action="{PAGE}/alarms_test"') == 3
    refused = browser.post(f"{PAGE}/alarms_test", {"way": "sms"})
    assert refused.status == 422
    assert "nobody is told by sms" in refused.words
    names = [one["username"] for one in shared_site.call("administrators")]
    shared_site.call("administrator_edit", username=names[-1], phone="081234567890")
    tested = browser.post(f"{PAGE}/alarms_test", {"way": "sms"}, Accept_Language="id")
    assert tested.status == 200, tested.words
    for word in ("Cara", "Penerima", "terkirim"):
        assert word in tested.words


@pytest.mark.parametrize(
    ("role", "silence", "test"),
    [
        (Role.ADMINISTRATOR, ["alarms_silence"], ["alarms_signal_test"]),
        (Role.OPERATOR, ["alarms_silence"], []),
        (Role.VIEWER, [], []),
    ],
)
def test_light_and_buzzer(
    shared_site: Site,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    role: Role,
    silence: list[str],
    test: list[str],
) -> None:
    """A buzzer that is silent was told as one that "does not answer": in Indonesian the word was a modem's."""
    monkeypatch.setattr(system_units, "in_use", lambda: True)
    monkeypatch.setattr(shared_site.host.alarms, "signal", AlarmSignal(tmp_path))
    browser = shared_site.inside(role)
    told = browser.get(PAGE)
    assert "Buzzer" not in _above_the_settings(told.words)
    assert _buttons(told.text) == [], "an operator was offered to silence a buzzer that is not there"
    (tmp_path / "otppi-alarm").mkdir()
    assert "Buzzer" not in _above_the_settings(browser.get(PAGE).words)
    (tmp_path / "otppi-buzzer").mkdir()
    told = browser.get(PAGE)
    assert "Buzzer does not beep now" in told.words
    assert _buttons(told.text) == test
    assert "Buzzer sekarang tidak berbunyi" in browser.get(PAGE, Accept_Language="id").words
    monkeypatch.setattr(AlarmSignal, "is_beeping", True)
    told = browser.get(PAGE)
    assert "Buzzer beeps" in told.words
    assert _buttons(told.text) == silence + test


def _above_the_settings(words: str) -> str:
    return words.partition("Last ones")[0].partition("Where alarms go")[0]


def _buttons(text: str) -> list[str]:
    return re.findall(rf'action="{PAGE}/(alarms_s\w+)"', text)


def test_what_cannot_work_is_refused_beside_its_field(shared_site: Site) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR)
    forms = HtmlPage(browser.get("/settings/alarms").text).forms
    form = next(one for one in forms if any(control.name == "_seen" for control in one.controls))
    sent = {name: values[0] for name, values in form.sent("").items()}
    answer = browser.post("/settings/alarms", sent | {"webhook": "true"})
    assert answer.status == 422
    assert "needs a URL in the settings of the webhook" in answer.words


def test_the_first_page_tells_it_once(shared_site: Site) -> None:
    raise_one(shared_site, "logins", count=73)
    raise_one(shared_site, "modem", state="absent")
    page = shared_site.inside(Role.VIEWER).get("/", Accept_Language="en").words
    assert page.count("Somebody tries passwords.") == 1
    assert "73 logins failed within an hour." in page
    assert "does not send" not in page
    end_all(shared_site)
    assert "Somebody tries passwords." not in shared_site.inside(Role.VIEWER).get("/", Accept_Language="en").words


def test_the_api_has_the_same(shared_site: Site) -> None:
    raise_one(shared_site, "disk", used=93.0, writable=1.0)
    (raised,) = shared_site.call("alarms")["raised"]
    assert raised["text"] == "The storage of the device is 93 % full."
    end_all(shared_site)
