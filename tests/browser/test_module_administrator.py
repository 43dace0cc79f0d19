"""The document's list "Pengujian Modul", Administrator, line by line: on the page, and who gets in then."""

import itertools
import re

import pytest

from tests.browser.conftest import DESKTOP, PASSWORD, USERNAME, Device, Visit, Visitor

LIST = "/administrators"
_names = itertools.count(1)


@pytest.fixture
def visitor(device: Device, visit: Visit) -> Visitor:
    one = visit(device, "id", DESKTOP).login()
    one.page.on("dialog", lambda dialog: dialog.accept())
    return one


@pytest.fixture
def name(device: Device) -> str:
    """Return the name of an administrator of the test's own."""
    one = f"budi{next(_names)}"
    added = device.cli("admin", "add", one, "--password-stdin", stdin=PASSWORD)
    assert added.returncode == 0, added.stderr
    return one


def gets_in(visit: Visit, device: Device, name: str, password: str = PASSWORD) -> bool:
    """Log in with another browser, and return whether that was let in."""
    other = visit(device, "id")
    other.login(name, password)
    return other.page.url == f"{device.address}/"


def test_line_1_view(visitor: Visitor, name: str) -> None:
    page = visitor.open("/")
    with page.expect_navigation():
        page.click(f"nav a[href='{LIST}']")
    assert page.inner_text("h1") == "Administrator"
    assert "aktif" in visitor.card(USERNAME)
    assert "administrator" in visitor.card(name)


def test_line_2_add(device: Device, visit: Visit, visitor: Visitor) -> None:
    page = visitor.open(LIST)
    with page.expect_navigation():
        page.click("a.primary")
    visitor.fill(username="siti", password=PASSWORD, phone="081234567890", email="siti@example.com")
    page.check("[name=role][value=operator]")
    visitor.send()
    assert re.search("operator", visitor.card("siti"))
    assert gets_in(visit, device, "siti")
    assert not gets_in(visit, device, "siti", "kursi hijau di dapur")


def test_line_3_edit(device: Device, visit: Visit, visitor: Visitor, name: str) -> None:
    visitor.press(LIST, "Ubah", name)
    visitor.fill(username=f"{name}man", password="lampu redup di taman", email="tanpa-at")
    assert not visitor.page.eval_on_selector("#email", "field => field.checkValidity()"), "the browser refuses it"
    visitor.fill(email="budi@kantor").send()
    assert visitor.page.locator("#email[aria-invalid=true]").count() == 1
    visitor.look("module-administrator-wrong")
    visitor.fill(email="budi@example.com", password="lampu redup di taman").send()
    assert "budi@example.com" in visitor.card(f"{name}man")
    assert gets_in(visit, device, f"{name}man", "lampu redup di taman")
    assert not gets_in(visit, device, name)


def test_line_4_delete(device: Device, visit: Visit, visitor: Visitor, name: str) -> None:
    visitor.press(LIST, "Hapus", name)
    assert visitor.page.locator(f"article:has(h2:text-is('{name}'))").count() == 0
    assert not gets_in(visit, device, name)


def test_lines_5_and_6_activate_deactivate(device: Device, visit: Visit, visitor: Visitor, name: str) -> None:
    theirs = visit(device, "id").login(name)
    visitor.press(LIST, "Nonaktifkan", name)
    assert "tidak aktif" in visitor.card(name)
    assert "/login" in theirs.open("/").url, "who is logged in is logged out"
    assert not gets_in(visit, device, name)
    visitor.press(LIST, "Aktifkan", name)
    assert "tidak aktif" not in visitor.card(name)
    assert gets_in(visit, device, name)


def test_lines_7_and_8_block_unblock(device: Device, visit: Visit, visitor: Visitor, name: str) -> None:
    theirs = visit(device, "id").login(name)
    visitor.press(LIST, "Blokir", name)
    assert "diblokir" in visitor.card(name)
    assert "/login" in theirs.open("/").url, "who is logged in is logged out"
    assert not gets_in(visit, device, name)
    visitor.press(LIST, "Buka blokir", name)
    assert "diblokir" not in visitor.card(name)
    assert gets_in(visit, device, name)
