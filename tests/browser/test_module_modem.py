"""The document's list "Pengujian Modul", Modem, line by line: on the page, and what it does to the gateway."""

import json
from typing import Any

import pytest

from otppi.testing.waiting import until
from tests.browser.conftest import PHONE, Device, Visit, Visitor

LIST = "/modems"
PIN = "4711"


@pytest.fixture
def visitor(device: Device, visit: Visit) -> Visitor:
    device.until_ready()
    return visit(device, "id", PHONE).login()


def modems(device: Device) -> dict[str, Any]:
    """Return the modems that the gateway uses, by their names."""
    told = device.cli("modem", "list", "--json")
    assert told.returncode == 0, told.stderr
    return {one["modem_id"]: one for one in json.loads(told.stdout)}


def add(device: Device, name: str, **values: str) -> None:
    """Add a modem as the page does, by the operation behind it."""
    document = {"modems": [*json.loads(device.cli("settings", "show", "modems", "--json").stdout)["modems"]]}
    document["modems"].append({"name": name, "type": "simulated", "network_time": 0, **values})
    told = device.cli("settings", "import", "-", stdin=json.dumps(document))
    assert told.returncode == 0, told.stderr
    until(lambda: modems(device)[name]["state"] == "ready", what=f"{name} is ready")


def test_line_1_add(device: Device, visitor: Visitor) -> None:
    visitor.open(LIST)
    with visitor.page.expect_navigation():
        visitor.page.click("a:has-text('Tambah')")
    visitor.page.select_option("[name=type]", "simulated")
    visitor.fill(name="kantor").send()
    assert "kantor ditambahkan." in visitor.text
    until(lambda: modems(device)["kantor"]["state"] == "ready", what="it is used")
    page = visitor.open(LIST)
    page.wait_for_selector("article:has(h2:has-text('kantor')) .state.good:has-text('siap')")
    assert "modem simulasi" in visitor.card("kantor")


def test_line_2_edit(device: Device, visitor: Visitor) -> None:
    add(device, "gudang", sim_card_pin=PIN)
    visitor.press(LIST, "Ubah", "gudang")
    visitor.fill(name="toko", msisdn="08120000009").send()
    assert "Nama: gudang → toko" in visitor.text or "gudang → toko" in visitor.text
    until(lambda: modems(device)["toko"]["state"] == "ready", what="the renamed modem has kept its PIN")
    assert "gudang" not in modems(device)
    visitor.open("/modems/sim?modem=toko")
    assert "Kartu SIM dapat dipakai." in visitor.text
    assert "meminta PIN" in visitor.text


def test_line_3_delete(device: Device, visitor: Visitor) -> None:
    add(device, "sementara")
    told = device.cli("settings", "set", "modems.sementara.recipient_prefixes", "62899")
    assert told.returncode == 0, told.stderr
    page = visitor.press(LIST, "Hapus", "sementara")
    assert "berawalan 62899" in visitor.text
    page.click("text=Batal")
    page.wait_for_url("**/modems")
    assert "sementara" in modems(device)
    page = visitor.press(LIST, "Hapus", "sementara")
    with page.expect_navigation():
        page.click("main button.danger")
    assert "sementara dihapus." in visitor.text
    assert "sementara" not in modems(device)


def test_line_4_activate(device: Device, visitor: Visitor) -> None:
    add(device, "cadangan")
    assert device.cli("modem", "deactivate", "cadangan").returncode == 0
    visitor.open(LIST)
    assert "tidak aktif" in visitor.card("cadangan")
    visitor.press(LIST, "Aktifkan", "cadangan")
    assert "cadangan aktif." in visitor.text
    until(lambda: modems(device)["cadangan"]["state"] == "ready", what="it is used again")
    visitor.page.wait_for_selector("article:has(h2:has-text('cadangan')) .state.good")


def test_line_5_deactivate(device: Device, visitor: Visitor) -> None:
    add(device, "malam")
    page = visitor.press(LIST, "Nonaktifkan", "malam")
    assert "malam tidak aktif." in visitor.text
    assert "malam" not in modems(device)
    assert "tidak aktif" in visitor.card("malam")
    page.click("h2 a:has-text('malam')")
    page.wait_for_selector("text=Modem ini tidak aktif: tidak mengirim dan tidak menerima.")
