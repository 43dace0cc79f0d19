"""The configuration of another program in a real browser: chosen, looked at as a table, and taken over."""

import json
import zipfile
from pathlib import Path

import pytest

from tests.browser.conftest import DESKTOP, PHONE, Device, Visit

FILES = {
    "otp-pi/data/gsm/devices.json": {
        "1": {
            "name": "Telkomsel",
            "port": "COM4",
            "recipientPrefix": "62811,62812",
            "simCardPIN": "4321",
            "active": False,
        }
    },
    "otp-pi/data/api/urses.json": {"bank": {"username": "bank", "password": "0" * 64, "phone": "08111111111"}},
    "otp-pi/data/api/services.json": {"smsPath": "/api/sms", "messagePath": "/api/message"},
    "otp-pi/data/api/blocking.json": {"628111111111": True},
}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of the original's files, with a port that is none here."""
    path = tmp_path / "otp-pi.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, values in FILES.items():
            archive.writestr(name, json.dumps(values))
    return path


@pytest.mark.parametrize(("language", "width"), [("id", PHONE), ("en", DESKTOP)])
def test_it_is_looked_at_and_taken_over(device: Device, visit: Visit, archive: Path, language: str, width: int) -> None:
    visitor = visit(device, language, width)
    visitor.login()
    page = visitor.open("/system/import")
    page.set_input_files("#file", archive)
    page.click("button.primary")
    page.wait_for_url("**/system/import?look=*")
    visitor.look(f"import-look-{width}", also_dark=True)
    assert "COM4" in visitor.text
    assert "4321" not in page.content()
    page.click("button.primary")
    page.wait_for_url("**leave_out=1*")
    visitor.look(f"import-left-out-{width}")
    if width == DESKTOP:
        page.click("button.primary")
        page.wait_for_selector("[role=status]")
        visitor.look("import-done")
        assert "Taken over." in visitor.text
        assert "bank" in visitor.text
