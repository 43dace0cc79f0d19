"""The document's "Pengujian Modul", Network Setting: "1. DHCP : OK", "2. Wireless LAN : OK", "3. Ethernet : OK".

NetworkManager is a real one, with a cable and no radio. That the DHCP server gives what was set, and a radio what was
set: tests/image/twin/test_network.py, tests/image/machine/test_network.py.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.host.identity.first_boot import DeviceFiles, first_boot
from otppi.host.identity.identity import make
from otppi.kit.files import as_json
from otppi.testing.network_manager import NetworkManagerProcess
from otppi.testing.waiting import until
from tests.browser.conftest import DESKTOP, PHONE, Device, Visit, Visitor

BUS = "DBUS_SYSTEM_BUS_ADDRESS"
IDENTITY = make(ssid="OTP-Pi-K7QX", passphrase="k7mq-x4wd-p9ba")


@pytest.fixture(scope="module", autouse=True)
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetworkManagerProcess]:
    """A NetworkManager with the access point's profile of the first boot, before the gateway starts."""
    files = DeviceFiles(tmp_path_factory.mktemp("card"), user=None)
    files.given.parent.mkdir(parents=True)
    files.given.write_bytes(as_json(IDENTITY.document()))
    first_boot(files)
    before = os.environ[BUS]
    with tempfile.TemporaryDirectory(prefix="otppi-nm-") as folder, NetworkManagerProcess(Path(folder)) as manager:
        profile = manager.card / files.access_point.name
        profile.touch(0o600)
        profile.write_bytes(files.access_point.read_bytes())
        manager.nmcli("connection", "reload")
        os.environ[BUS] = manager.address
        yield manager
        os.environ[BUS] = before


@pytest.fixture
def visitor(device: Device, visit: Visit) -> Visitor:
    return visit(device, "id", PHONE).login()


def test_network_setting_1_dhcp(visitor: Visitor) -> None:
    """Without a DHCP server of OTP-Pi that is told, with the field where something cannot work."""
    visitor.open("/network/network_dhcp")
    visitor.look("network-dhcp")
    assert "tidak ada server DHCP OTP-Pi" in visitor.text
    for label in ("Nama domain", "Server nama domain", "Alamat router", "Netmask", "Rentang", "Waktu sewa"):
        assert label in visitor.text
    visitor.fill(lease_time="60").send()
    assert "Belum disimpan" in visitor.text
    assert "120" in visitor.text


def test_network_setting_2_wireless_lan(visitor: Visitor) -> None:
    page = visitor.open("/network/network_access_point")
    assert page.input_value("[name=ssid]") == IDENTITY.ssid
    assert page.input_value("[name=ip_address]") == "192.168.0.11"
    assert IDENTITY.passphrase not in page.content()
    visitor.look("network-access-point")
    visitor.fill(ssid="Kantor", passphrase="kursi hijau di teras", ip_address="10.8.0.1").send()
    for word in ("Pakai pengaturan ini?", "Kantor", "192.168.0.11", "10.8.0.1", "180 detik"):
        assert word in visitor.text
    assert page.get_by_role("img", name="Kode QR Wi-Fi yang baru").locator("svg").count() == 1
    assert "kursi hijau di teras" not in visitor.text
    visitor.look("network-review-wifi", also_dark=True)
    page.get_by_role("button", name="Simpan dan pakai").click()
    until(lambda: "tidak memiliki wlan0" in visitor.open("/network/trial").inner_text("main"), lambda: visitor.text)
    visitor.open("/network/network_access_point")
    assert page.input_value("[name=ssid]") == "Kantor", "what was typed stays"
    assert page.input_value("[name=passphrase]") == ""


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_network_setting_3_ethernet(device: Device, visit: Visit, network: NetworkManagerProcess, width: int) -> None:
    address = f"10.77.0.{width % 200}"
    visitor = visit(device, "id", width).login()
    page = visitor.open("/network")
    visitor.look(f"network-{width}")
    with page.expect_navigation():
        page.get_by_role("link", name="Ethernet", exact=True).click()
    visitor.look("network-ethernet")
    page.uncheck("[name=dhcp]")
    visitor.fill(ip_address=address, gateway="10.77.0.1").send()
    assert f"Alamat perangkat menjadi {address}." in visitor.text
    assert f"http://{address}:{device.page_port}/confirm/" in visitor.text
    visitor.look("network-review")
    page.get_by_role("button", name="Simpan dan pakai").click()
    page.get_by_text("Pengaturan baru sedang dipakai").wait_for()  # the page looks by itself
    visitor.look("network-trial")
    assert network.addresses == [f"{address}/24"]
    # From here the new address cannot be reached; the one that has stayed can.
    with page.expect_navigation():
        page.locator(f"a[href^='{device.address}/confirm/']").click()
    page.get_by_text("Pengaturan baru dipertahankan.").wait_for()  # sent by itself
    visitor.look("network-confirmed")
    assert (network.card / "otppi-ethernet.nmconnection").exists()
    visitor.open("/network/network_ethernet")
    assert page.input_value("[name=ip_address]") == address
