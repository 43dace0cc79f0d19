"""A backup is downloaded, the device loses all that it kept, and is restored on its first screen, in both languages."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, USERNAME, Device, Visit

PASSPHRASE = "empat kata acak sekali"
WORDS = {
    "id": ("Unduh cadangan", "Buka cadangan", "Frasa sandi cadangan", "Pulihkan"),
    "en": ("Download a backup", "Open the backup", "Backup passphrase", "Restore"),
}


@pytest.fixture
def device_that_is_reset(tmp_path: Path) -> Iterator[Device]:
    one = Device(tmp_path)
    try:
        one.start()
        made = one.cli("admin", "add", USERNAME, "--password-stdin", stdin=PASSWORD)
        assert made.returncode == 0, made.stderr
        assert one.cli("settings", "set", "modems.m0.daily_quota", "200").returncode == 0
        assert one.cli("block", "add", "08127777777").returncode == 0
        yield one.until_pages()
        assert one.stop() == 0
    finally:
        one.close()


@pytest.mark.parametrize(("language", "width"), [("id", PHONE), ("en", DESKTOP)])
def test_a_backup_a_reset_and_a_restore(
    device_that_is_reset: Device, visit: Visit, tmp_path: Path, language: str, width: int
) -> None:
    device, words = device_that_is_reset, WORDS[language]
    file = tmp_path / "kept.otppi"
    visitor = visit(device, language, width).login()
    page = visitor.open("/system/backup")
    assert words[2] in visitor.text
    page.fill("[name=passphrase] >> nth=0", PASSPHRASE)
    page.fill("[name=again]", PASSPHRASE)
    with page.expect_download() as download:
        page.click(f"main button:has-text('{words[0]}')")
    download.value.save_as(file)
    assert file.read_bytes().startswith(b"OTPPIBAK")
    assert page.is_enabled(f"main button:has-text('{words[0]}')"), "another one may be made"

    assert device.stop() == 0
    shutil.rmtree(device.data)
    device.start()
    device.provision.write_text("{}")  # what is restored is not to be overwritten at the next start
    device.until_pages()

    visitor = visit(device, language, width)
    page = visitor.open("/")
    assert page.url.endswith("/claim")
    page.click("a[href='/claim/restore']")
    visitor.look("claim-restore", also_dark=True)
    page.set_input_files("[name=content]", file)
    visitor.fill(passphrase="not the right one", code=device.code()).send()
    visitor.look("claim-restore-wrong")
    page.set_input_files("[name=content]", file)
    visitor.fill(passphrase=PASSPHRASE, code=device.code()).send()
    visitor.look("restore-check", also_dark=True)
    assert words[3] in visitor.text
    page.click("main button.primary")
    page.wait_for_url("**/login*")
    visitor.login()
    assert page.url.rstrip("/") == device.address
    kept = json.loads(device.cli("settings", "show", "--json").stdout)
    assert kept["modems"][0]["daily_quota"] == 200
    assert [one["username"] for one in kept["administrators"]] == [USERNAME]
    assert "628127777777" in device.cli("block", "list").stdout
