"""What helps who is locked out, for everybody; and the page of resets, for administrators."""

import pytest

from otppi.api.operations import Role
from otppi.testing.site import PASSWORD, Site
from otppi.testing.waiting import until


@pytest.mark.parametrize(
    ("language", "title", "step"),
    [("en", "I am locked out", "reset.txt with nothing but"), ("id", "Saya tidak bisa masuk", "hanya berisi kode")],
)
def test_who_is_locked_out_is_told_what_helps(site: Site, language: str, title: str, step: str) -> None:
    browser = site.browser()
    assert 'href="/locked"' in browser.get("/login", Accept_Language=language).text
    page = browser.get("/locked", Accept_Language=language)
    assert page.status == 200
    assert title in page.words
    assert step in page.words
    assert 'href="/forgotten"' in page.text


def test_where_a_stick_resets_nothing_that_is_told(site: Site) -> None:
    site.call("settings_put", path="reset", values={"stick": False})
    page = site.browser().get("/locked", Accept_Language="en")
    assert "An administrator has switched this off" in page.words
    assert "reset.txt" not in page.words


def test_the_page_lists_the_parts(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    assert 'href="/pages/reset-device"' in browser.get("/system").text
    page = browser.get("/pages/reset-device")
    assert page.status == 200
    assert "the blocking list" in page.words
    assert "Let a stick with the code of the device reset it" in page.words
    assert site.inside(Role.OPERATOR).get("/pages/reset-device").status == 403


def test_a_reset_by_the_page_is_confirmed_and_begun(site: Site) -> None:
    began: list[bool] = []
    site.host.restarting.by(lambda: began.append(True))
    browser = site.inside(Role.ADMINISTRATOR)
    browser.get("/pages/reset-device")
    path = "/pages/reset-device/reset_groups"
    answer = browser.post(path, {"groups": "sms\nblocking"})
    assert "What is reset is gone, unless you have a backup." in answer.words
    assert began == []
    answer = browser.post(path, {"groups": "sms\nblocking", "_confirmed": "1"})
    if answer.status == 303 and answer.location.startswith("/confirm"):
        browser.get(answer.location)
        browser.post("/confirm", {"password": PASSWORD})
        answer = browser.post(path, {"groups": "sms\nblocking", "_confirmed": "1"})
    until(lambda: began == [True])
    assert site.call("reset_status")["waits"] == {"groups": ["sms", "blocking"], "wipe_secrets": False}
