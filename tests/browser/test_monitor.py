"""The monitor in a browser: it shows what goes on as it does, stops where nobody looks, and does without its script."""

import re

import pytest
from playwright.sync_api import Page, expect

from otppi.testing.waiting import PATIENCE
from tests.browser.conftest import DESKTOP, LANGUAGES, PHONE, Device, Visit, Visitor

expect.set_options(timeout=PATIENCE * 1000)

MARKER = "kode-rahasia-7316"
WORDS = {"id": ("sampai di penerima", "Jeda", "Lanjut"), "en": ("delivered", "Pause", "Continue")}
EVENTS = "/monitor/events"
_LOOKED_AT = """
    Object.defineProperty(document, "hidden", { configurable: true, value: %s });
    document.dispatchEvent(new Event("visibilitychange"));
"""
"""Has the page think that another tab is in front of it, or no more."""


def send(device: Device, receiver: str = "081234567890") -> None:
    sent = device.cli("send", receiver, MARKER)
    assert sent.returncode == 0, sent.stderr


def rows(page: Page, count: int) -> None:
    expect(page.locator("tbody tr:not([hidden])")).to_have_count(count)


def watched(visitor: Visitor, path: str = "/monitor") -> Page:
    """Open the page, and wait until its stream is open."""
    with visitor.page.expect_response(lambda response: response.url.endswith(EVENTS)):
        return visitor.open(path)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("width", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")])
def test_what_goes_on_is_shown(device: Device, visit: Visit, language: str, width: int, scheme: str) -> None:
    device.until_ready()
    visitor = visit(device, language, width, scheme)
    visitor.login()
    page = watched(visitor)
    before = page.locator("tbody tr").count()
    send(device)
    delivered, pause, resume = WORDS[language]
    rows(page, before + 1)
    newest = page.locator("tbody tr").first
    expect(newest).to_contain_text(delivered)
    expect(newest).to_contain_text("62812******90")
    expect(page.locator("[data-list=modems] [data-key=m0] [data-is=today]")).not_to_have_text("0")
    assert MARKER not in page.content()
    visitor.look("monitor")
    page.click("#pause")
    expect(page.locator("#pause")).to_have_text(resume)
    send(device)
    page.click("#pause")
    expect(page.locator("#pause")).to_have_text(pause)
    rows(page, before + 2)


def test_rows_are_filtered_as_they_come(device: Device, visit: Visit) -> None:
    device.until_ready()
    visitor = visit(device, "en")
    visitor.login()
    page = watched(visitor)
    expect(page.locator("#filter")).to_be_hidden()
    page.select_option("#state", "failed")
    rows(page, 0)
    expect(page.locator("#empty")).to_be_visible()
    send(device)
    page.select_option("#state", "")
    expect(page.locator("tbody tr").first).to_contain_text("delivered")
    page.select_option("#modem", "m0")
    expect(page.locator("tbody tr:not([hidden])").first).to_contain_text("m0")


def test_the_stream_is_open_only_while_the_page_is_looked_at(device: Device, visit: Visit) -> None:
    visitor = visit(device, "en")
    visitor.login()
    page = watched(visitor)
    with page.expect_event("requestfailed", lambda request: request.url.endswith(EVENTS)):
        page.evaluate(_LOOKED_AT % "true")
    with page.expect_response(lambda response: response.url.endswith(EVENTS)):
        page.evaluate(_LOOKED_AT % "false")


def test_without_script_there_is_the_same_table(device: Device, visit: Visit) -> None:
    device.until_ready()
    send(device)
    visitor = visit(device, "id", java_script_enabled=False)
    visitor.login()
    page = visitor.open("/monitor")
    assert "62812******90" in visitor.text
    assert page.locator("#pause").is_hidden()
    page.select_option("#state", "failed")
    page.click("#filter")
    page.wait_for_url(re.compile("state=failed"))
    rows(page, 0)
    assert "Menunggu pesan." in visitor.text
    page.click("#refresh")
    page.wait_for_url(re.compile("state=failed"))
