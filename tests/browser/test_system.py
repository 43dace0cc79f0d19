"""The pages of the system in a browser: the log as it comes, the diagnostics, a certificate that is brought."""

import hashlib
import socket
import ssl
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, expect

from otppi.testing.waiting import PATIENCE
from otppi.web import certificate
from tests.browser.conftest import DESKTOP, Device, Visit, Visitor

expect.set_options(timeout=PATIENCE * 1000)

EVENTS = "/system/log/events"
MARKER = "kode-rahasia-7316"
_LOOKED_AT = """
    Object.defineProperty(document, "hidden", { configurable: true, value: %s });
    document.dispatchEvent(new Event("visibilitychange"));
"""


def listening(visitor: Visitor, path: str = "/system/log") -> Page:
    """Open the page, and wait until its stream is open."""
    with visitor.page.expect_response(lambda response: EVENTS in response.url):
        return visitor.open(path)


def send(device: Device) -> None:
    sent = device.cli("send", "081234567890", MARKER)
    assert sent.returncode == 0, sent.stderr


def test_the_log_is_shown_as_it_comes(device: Device, visit: Visit) -> None:
    device.until_ready()
    visitor = visit(device, "en", DESKTOP)
    visitor.login()
    page = listening(visitor)
    expect(page.locator("#refresh")).to_be_hidden()
    before = page.locator("#lines > li").count()
    send(device)
    expect(page.locator("#lines > li", has_text="send by command-line/administrator").first).to_be_visible()
    assert page.locator("#lines > li").count() > before
    assert MARKER not in page.content()
    assert "81234567890" not in page.content()
    assert not visitor.faults
    page.click("#pause")
    expect(page.locator("#pause")).to_have_text("Continue")
    stopped = page.locator("#lines > li").count()
    send(device)
    page.click("#pause")
    expect(page.locator("#pause")).to_have_text("Pause")
    expect(page.locator("#lines > li")).not_to_have_count(stopped)
    with page.expect_event("requestfailed", lambda request: EVENTS in request.url):
        page.evaluate(_LOOKED_AT % "true")
    with page.expect_response(lambda response: EVENTS in response.url):
        page.evaluate(_LOOKED_AT % "false")


def test_only_what_is_wanted_comes(device: Device, visit: Visit) -> None:
    device.until_ready()
    visitor = visit(device, "en")
    visitor.login()
    page = listening(visitor, "/system/log?level=error&room=&words=")
    expect(page.locator("#empty")).to_be_visible()
    page.fill("#words", "send COMMAND-LINE")
    page.select_option("#level", "debug")
    with page.expect_response(lambda response: EVENTS in response.url):
        page.press("#words", "Enter")
    count = page.locator("#lines > li").count()
    send(device)
    expect(page.locator("#lines > li")).to_have_count(count + 1)
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "otppi-log.txt"
    assert len(download.value.path().read_text().splitlines()) == count + 1


def test_the_log_without_script(device: Device, visit: Visit) -> None:
    visitor = visit(device, "id", java_script_enabled=False)
    visitor.login()
    page = visitor.open("/system/log")
    assert page.locator("#lines > li").count()
    page.fill("#words", "tidak-ada-di-mana-pun")
    with page.expect_navigation():
        page.click("form.filters button")
    assert "Tidak ada baris seperti itu." in visitor.text
    with page.expect_navigation():
        page.click("#refresh")
    assert page.input_value("#words") == "tidak-ada-di-mana-pun"


def test_the_diagnostics_are_a_file_and_can_be_had_again(device: Device, visit: Visit, tmp_path: Path) -> None:
    visitor = visit(device, "en")
    visitor.login()
    page = visitor.open("/system/diagnostics")
    for _ in range(2):
        with page.expect_download() as download:
            page.click("main button.primary")
    download.value.save_as(tmp_path / "otppi.zip")
    with zipfile.ZipFile(tmp_path / "otppi.zip") as archive:
        names = {one.partition("/")[2] for one in archive.namelist()}
        checks = archive.read(next(one for one in archive.namelist() if one.endswith("checks.json"))).decode()
    assert {"log.txt", "settings.json", "checks.json"} < names
    assert "it is running (process" in checks, "they look at the gateway from outside"


def fingerprint_of(port: int) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as plain, context.wrap_socket(plain) as sock:
        return hashlib.sha256(sock.getpeercert(binary_form=True) or b"").digest().hex(":").upper()


def test_a_certificate_is_brought_and_taken_back(device: Device, visit: Visit, tmp_path: Path) -> None:
    visitor = visit(device, "en")
    visitor.login()
    page = visitor.open("/system/certificate")
    before = page.inner_text("#fingerprint")
    assert before == fingerprint_of(device.page_port)
    for name, content in zip(("certificate", "key"), certificate.make(datetime.now(UTC)), strict=True):
        (tmp_path / f"{name}.pem").write_bytes(content)
    visitor.open("/system/certificate/new")
    page.set_input_files("#certificate", tmp_path / "certificate.pem")
    visitor.send()
    assert "Private key: is missing" in visitor.text
    visitor.look("system-certificate-wrong")
    page.set_input_files("#certificate", tmp_path / "certificate.pem")
    page.set_input_files("#private_key", tmp_path / "key.pem")
    visitor.send()
    assert "The new certificate is in use." in visitor.text
    brought = page.inner_text("#fingerprint")
    assert brought != before
    assert fingerprint_of(device.page_port) == brought, "at once, without a restart"
    with page.expect_navigation():
        page.click("text=Back to the one before")
    visitor.send()
    assert page.inner_text("#fingerprint") == before == fingerprint_of(device.page_port)
