"""The document's list "Pengujian Modul", API Setting, line by line: on the page, and what it does to who sends."""

import base64
import itertools
import json

import pytest

from otppi.testing.waiting import until
from tests.browser.conftest import DESKTOP, Device, Visit, Visitor
from tests.system.conftest import AUTHORIZATION, Client

LIST = "/settings/api_users"
_names = itertools.count(1)


@pytest.fixture
def visitor(device: Device, visit: Visit) -> Visitor:
    device.until_ready()
    return visit(device, "id", DESKTOP).login()


@pytest.fixture
def user(device: Device) -> tuple[str, str]:
    """Return the name of a user of the test's own, and its token."""
    added = device.cli("user", "add", f"toko{next(_names)}", "--token", "--json")
    assert added.returncode == 0, added.stderr
    told = json.loads(added.stdout)
    return told["username"], told["token"]


def status(device: Device, token: str, path: str = "/api/message") -> int:
    """Return the HTTP status that a program gets who sends by a token."""
    body = json.dumps({"command": "send-sms", "data": {"id": 1, "receiver": "081234567890", "message": "Uji"}})
    with Client(device.port, f"Bearer {token}") as client:
        return client.request("POST", path, body.encode())[0]


def test_line_1_update(device: Device, visitor: Visitor) -> None:
    body = json.dumps({"command": "echo", "data": {}}).encode()
    visitor.open("/settings/ingress-rest")
    visitor.fill(message_path="/api/kirim").send()
    assert "Message Path" in visitor.text or "Path" in visitor.text
    assert "/api/message → /api/kirim" in visitor.text

    def answers() -> bool:
        try:
            with Client(device.port, AUTHORIZATION) as client:
                return client.request("POST", "/api/kirim", body)[0] == 200
        except OSError:  # it is made anew
            return False

    until(answers, "the API answers at its new path")
    visitor.open("/settings/ingress-rest")
    with visitor.page.expect_navigation():
        visitor.page.click("[name='message_path:default']")
    visitor.send()
    assert "/api/kirim → /api/message" in visitor.text


def test_lines_2_and_3_api_user_view(visitor: Visitor, user: tuple[str, str]) -> None:
    name, token = user
    page = visitor.open("/settings")
    with page.expect_navigation():
        page.click(f"a[href='{LIST}']")
    assert page.inner_text("h1") == "Pengguna API"
    assert "aktif" in visitor.card(name)
    assert "Masuk dengan token" in visitor.card(name)
    assert token not in page.content()
    visitor.look("module-api-users")


def test_line_4_add(device: Device, visitor: Visitor) -> None:
    page = visitor.open(LIST)
    with page.expect_navigation():
        page.click("a.primary")
    visitor.fill(username="kasir").send()
    assert "hanya ditampilkan sekali ini" in visitor.text
    token = page.inner_text("#token")
    assert f"Bearer {token}" in page.inner_text("#line")
    assert status(device, token) == 200
    visitor.open(LIST)
    assert "aktif" in visitor.card("kasir")


def test_line_5_edit(device: Device, visitor: Visitor, user: tuple[str, str]) -> None:
    name, token = user
    visitor.press(LIST, "Ubah", name)
    visitor.fill(username=f"{name}-baru", phone="0812 0000 0017").send()
    assert f"{name} → {name}-baru" in visitor.text
    assert "0812 0000 0017" in visitor.card(f"{name}-baru")
    assert status(device, token) == 200, "the token stays"


def test_line_5_edit_a_new_token(device: Device, visitor: Visitor, user: tuple[str, str]) -> None:
    name, earlier = user
    page = visitor.press(LIST, "Token baru", name)
    visitor.look("module-api-user-login")
    with page.expect_navigation():
        page.click("button:has-text('Buat token baru')")
    visitor.look("module-api-user-token")
    token = page.inner_text("#token")
    assert status(device, token) == 200
    assert status(device, earlier) == 401


def test_line_5_edit_a_new_password(device: Device, visitor: Visitor, user: tuple[str, str]) -> None:
    name, _token = user
    page = visitor.press(LIST, "Token baru", name)
    with page.expect_navigation():
        page.click("button:has-text('Atur password baru')")
    password = page.inner_text("#password")
    login = base64.b64encode(f"{name}:{password}".encode()).decode()
    with Client(device.port, f"Basic {login}") as client:
        assert client.command("echo", {})[0] == 200
    assert password not in visitor.open(LIST).content()


def test_line_6_delete(device: Device, visitor: Visitor, user: tuple[str, str]) -> None:
    name, token = user
    page = visitor.press(LIST, "Hapus", name)
    with page.expect_navigation():
        page.click("main button.danger")
    assert f"{name} sudah dihapus" in visitor.text or f"{name} dihapus" in visitor.text
    assert page.locator(f"article:has(h2:has-text('{name}'))").count() == 0
    assert status(device, token) == 401


def test_lines_7_and_8_activate_deactivate(device: Device, visitor: Visitor, user: tuple[str, str]) -> None:
    name, token = user
    visitor.press(LIST, "Nonaktifkan", name)
    assert "tidak aktif" in visitor.card(name)
    assert status(device, token) == 401
    visitor.press(LIST, "Aktifkan", name)
    assert "tidak aktif" not in visitor.card(name)
    assert status(device, token) == 200


def test_lines_9_and_10_block_unblock(device: Device, visitor: Visitor, user: tuple[str, str]) -> None:
    name, token = user
    visitor.press(LIST, "Blokir", name)
    assert "diblokir" in visitor.card(name)
    assert status(device, token) == 401
    visitor.press(LIST, "Buka blokir", name)
    assert "diblokir" not in visitor.card(name)
    assert status(device, token) == 200
