"""The document's list "Pengujian Modul", SMS: a message that is sent from the page, and its true state."""

import json
from collections.abc import Iterator

import pytest

from otppi.simulator import ModemProfile, ModemRack
from tests.browser.conftest import LANGUAGES, PHONE, Device, Visit

TEXT = "Kode rahasia 7316"
STEPS = {
    "id": ("terkirim ke operator", "sampai di penerima", "Operator menolak. Sering kali pulsa habis: baca pulsa."),
    "en": ("sent", "delivered", "The operator refuses. Often the balance is used up: read it."),
}


@pytest.fixture(scope="module")
def rack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModemRack]:
    """A modem on a pty whose status reports come only when the test lets them."""
    with ModemRack(profiles=[ModemProfile(report_delay=None)], directory=tmp_path_factory.mktemp("rack")) as one:
        yield one


@pytest.fixture(scope="module")
def plugged(device: Device, rack: ModemRack) -> Device:
    kept = json.loads(device.cli("settings", "show", "modems", "--json").stdout)["modems"]
    document = {"modems": [*kept, {"name": "m1", "type": "at", "port": str(rack.paths[0])}]}
    told = device.cli("settings", "import", "-", stdin=json.dumps(document))
    assert told.returncode == 0, told.stderr
    return device.until_ready()


@pytest.mark.parametrize("language", LANGUAGES)
def test_line_1_send_sms(plugged: Device, visit: Visit, language: str) -> None:
    """It arrives on the phone, and the steps follow it to there."""
    _sent, delivered, _refused = STEPS[language]
    visitor = visit(plugged, language, PHONE).login()
    visitor.open("/messages")
    visitor.fill(receiver="081234567890", message=TEXT).send()
    visitor.page.wait_for_selector(f".steps .now:has-text('{delivered}')")
    visitor.open("/modems/test?modem=m0")
    visitor.fill(receiver="081234567891", message=TEXT).send()
    visitor.page.wait_for_selector(f".steps .now:has-text('{delivered}')")
    visitor.look("modem-test-delivered")
    phone = json.loads(plugged.cli("phone", "--json").stdout)
    assert [one["text"] for one in phone[-2:]] == [TEXT, TEXT]
    assert {one["to"].lstrip("+") for one in phone[-2:]} == {"6281234567890", "6281234567891"}
    assert TEXT not in plugged.whole_log()


@pytest.mark.parametrize("language", LANGUAGES)
def test_line_1_send_sms_without_a_report_is_not_called_delivered(plugged: Device, visit: Visit, language: str) -> None:
    sent, delivered, _refused = STEPS[language]
    visitor = visit(plugged, language, PHONE).login()
    visitor.open("/modems/test?modem=m1")
    visitor.fill(receiver="081234567892", message=TEXT).send()
    visitor.page.wait_for_selector(f".steps .now:has-text('{sent}')")
    assert visitor.page.locator(f".steps .done:has-text('{delivered}')").count() == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_line_1_send_sms_that_the_operator_refuses_is_failed(
    plugged: Device, rack: ModemRack, visit: Visit, language: str
) -> None:
    rack.modems[0].inject("cms-error", code=50)
    try:
        visitor = visit(plugged, language, PHONE).login()
        visitor.open("/modems/test?modem=m1")
        visitor.fill(receiver="081234567893", message=TEXT).send()
        visitor.page.wait_for_selector("#outcome .notice.bad")
        assert STEPS[language][2] in " ".join(visitor.page.inner_text("#outcome").split())
        assert visitor.page.locator(".steps").count() == 0
        visitor.look("modem-test-refused")
    finally:
        rack.modems[0].heal()
