"""The document's list "Pengujian Modul", USSD: on the keypad, with a session in which the network asks back."""

import pytest

from tests.browser.conftest import LANGUAGES, PHONE, Device, Visit

PAGE = "/modems/ussd?modem=m0"
WORDS = {
    "id": ("Balasan", "Sesi itu sudah berakhir.", "Anda"),
    "en": ("Reply", "The session has ended.", "You"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_line_1_execute_ussd(device: Device, visit: Visit, language: str) -> None:
    """A code from the keys, a menu that asks back, the reply, and the answer; the log has nothing of it."""
    device.until_ready()
    reply, ended, you = WORDS[language]
    visitor = visit(device, language, PHONE).login()
    page = visitor.open(PAGE)
    for key in ("*", "1", "1", "back", "0", "0", "#"):
        page.click(f"button[name=press][value='{key}']")
    assert page.input_value("#code") == "*100#"
    visitor.send()
    page.wait_for_selector("button[name=press]")
    page.wait_for_selector(".dialogue .network:has-text('2 Packages')")
    page.wait_for_selector(f"label:has-text('{reply}')")
    visitor.look("modem-ussd-reply")
    page.click("button[name=press][value='1']")
    visitor.send()
    page.wait_for_selector(".dialogue .network:has-text('Balance: 10000')")
    page.wait_for_selector(f"text={ended}")
    assert [you in line for line in page.locator(".dialogue .person").all_inner_texts()] == [True, True]
    visitor.look("modem-ussd-ended")
    log = device.whole_log()
    assert "Balance: 10000" not in log
    assert "*100#" not in log


def test_line_1_execute_ussd_without_script(device: Device, visit: Visit) -> None:
    """A code at hand, the reply by the keys, and a session that is ended by hand."""
    device.until_ready()
    visitor = visit(device, "en", PHONE, java_script_enabled=False).login()
    page = visitor.open(PAGE)
    with page.expect_navigation():
        page.click(".quick button:has-text('*100#')")
    while "Waiting for the network's answer." in visitor.text:
        with page.expect_navigation():
            page.click("main a.button:has-text('Refresh')")
    assert "2 Packages" in visitor.text
    with page.expect_navigation():
        page.click("button[name=press][value='1']")
    assert page.input_value("#code") == "1"
    with page.expect_navigation():
        page.click("text=End the session")
    assert "The USSD session is ended." in visitor.text
    assert "The session has ended." in visitor.text
