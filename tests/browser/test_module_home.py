"""The document's "Pengujian Modul", Home: "1. Service Status : OK", "2. Server Status : OK"; and its buttons."""

import re

import pytest
from playwright.sync_api import expect

from otppi.testing.waiting import PATIENCE, until
from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, USERNAME, Device, Visit, Visitor

expect.set_options(timeout=PATIENCE * 1000)


def tile(visitor: Visitor, title: str) -> str:
    """Return what a tile of the first page says."""
    return str(visitor.page.locator("article", has=visitor.page.get_by_role("heading", name=title)).inner_text())


def until_tile(visitor: Visitor, title: str, *words: str) -> None:
    """Look at the first page until a tile says so."""

    def says() -> bool:
        visitor.open("/")
        return all(word in tile(visitor, title) for word in words)

    until(says, lambda: tile(visitor, title))


@pytest.mark.parametrize(("width", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")])
def test_home_1_service_status(device: Device, visit: Visit, width: int, scheme: str) -> None:
    visitor = visit(device, "id", width, scheme)
    visitor.login()
    until_tile(visitor, "Modem m0", "siap", "sejak", "Terkirim hari ini")
    for title in ("Modem m0", "REST API HTTP"):
        visitor.open("/")
        visitor.page.get_by_role("link", name=f"Hentikan: {title}", exact=True).click()
        assert "Tetap berhenti sampai dimulai di sini" in visitor.text
        visitor.look("service-stop")
        visitor.page.get_by_role("button", name="Hentikan").click()
        visitor.page.wait_for_url(f"{device.address}/")
        assert "dihentikan." in visitor.text
        name = title.removesuffix(" HTTP")
        assert "berhenti" in tile(visitor, name)
        visitor.look("home-stopped")
        with visitor.page.expect_navigation():
            visitor.page.get_by_role("button", name=f"Mulai: {name}", exact=True).click()
        assert "dimulai." in visitor.text
    until_tile(visitor, "Modem m0", "siap")
    until_tile(visitor, "REST API HTTP", "berjalan", str(device.port))


def test_home_2_server_status(device: Device, visit: Visit) -> None:
    visitor = visit(device, "id")
    visitor.login()
    told = tile(visitor, "Perangkat")
    for word in ("RAM", "Penyimpanan", "CPU", "Versi"):
        assert word in told
    assert re.search(r"[\d,]+\s[GM]B bebas dari [\d,]+\s[GM]B", told), told
    assert re.search(r"CPU\s+\d+ %", told), told


def test_home_the_gateway_restarts_and_the_page_comes_back_by_itself(device: Device, visit: Visit) -> None:
    """With and without script; a form that was open meanwhile is not lost."""
    visitor, other = visit(device, "id", java_script_enabled=False), visit(device, "id")
    visitor.login()
    other.login()
    other.open("/services/gateway")
    other.look("restart")
    other.open("/settings/webhook")
    other.page.fill("[name=url]", "http://192.0.2.7/hook")
    visitor.open("/services/gateway")
    visitor.page.get_by_role("button", name="Mulai ulang").click()
    assert "OTP-Pi sedang dimulai ulang." in visitor.text
    assert "Pesan yang antre tetap ada. Halaman ini kembali sendiri." in visitor.text
    visitor.page.wait_for_url(re.compile("/login"), timeout=PATIENCE * 1000)
    assert device.log.read_text().count("the gateway runs (process") == 2
    other.send()
    assert "Halaman ini sudah lama. Masuk dulu: isian Anda masih ada." in other.text
    other.look("old-form-login")
    other.fill(username=USERNAME, password=PASSWORD)
    other.page.click("main button.primary")
    expect(other.page.locator("main")).to_contain_text("Isian Anda masih ada; tekan Simpan lagi.")
    expect(other.page.locator("[name=url]")).to_have_value("http://192.0.2.7/hook")
    other.look("old-form")
    other.send()
    assert "Disimpan" in other.text
    device.until_pages().until_ready()
