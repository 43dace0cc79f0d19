"""The document's list "Pengujian Modul", SMS Setting: what is set on the page decides what is sent, and whereto."""

import json

import pytest

from tests.browser.conftest import DESKTOP, LANGUAGES, Device, Visit, Visitor

WORDS = {"id": ("Disimpan.", "sampai di penerima"), "en": ("Saved.", "delivered")}


def sent_to(visitor: Visitor, receiver: str, text: str) -> str:
    """Send a message from the page, and return what it says then."""
    visitor.open("/messages")
    visitor.fill(receiver=receiver, message=text).send()
    return visitor.text


def phone(device: Device) -> list[tuple[str, str]]:
    """Return what has arrived on the simulated modem's phone: to whom, and the text."""
    told = device.cli("phone", "--json")
    assert told.returncode == 0, told.stderr
    return [(one["to"].lstrip("+"), one["text"]) for one in json.loads(told.stdout)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_line_1_send_sms(device: Device, visit: Visit, language: str) -> None:
    device.until_ready()
    saved, delivered = WORDS[language]
    visitor = visit(device, language, DESKTOP).login()
    visitor.open("/settings/sms")
    visitor.fill(country_code="65", max_segments="1", countries="").send()
    assert f"{saved} " in visitor.text
    try:
        assert "0812" not in sent_to(visitor, "8123 4567", "Kode: 4711")
        visitor.page.wait_for_selector(f".steps .now:has-text('{delivered}')")
        assert ("6581234567", "Kode: 4711") in phone(device)
        sent_to(visitor, "8123 4567", "x" * 200)
        assert visitor.page.locator("[role=alert]").count() == 1, "one segment only"
    finally:
        visitor.open("/settings/sms")
        visitor.fill(country_code="62", max_segments="10").send()
    sent_to(visitor, "0812 3456 7890", "Kode: 4712")
    visitor.page.wait_for_selector(f".steps .now:has-text('{delivered}')")
    assert ("6281234567890", "Kode: 4712") in phone(device)
