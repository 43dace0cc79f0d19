"""The device is restarted and switched off from the page System, on a bus with a logind that only notes it."""

import re
from collections.abc import Iterator

import pytest

from otppi.testing.logind import MockLogind
from otppi.testing.waiting import PATIENCE, until
from tests.browser.conftest import DESKTOP, PHONE, Device, Visit, claimed


@pytest.fixture(scope="module")
def logind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockLogind]:
    with MockLogind(tmp_path_factory.mktemp("bus")) as one:
        yield one


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory, logind: MockLogind) -> Iterator[Device]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DBUS_SYSTEM_BUS_ADDRESS", logind.address)
        with claimed(Device(tmp_path_factory.mktemp("device"))) as one:
            yield one


def test_the_device_is_switched_off(device: Device, visit: Visit, logind: MockLogind) -> None:
    for width, language, system, button, told in (
        (PHONE, "id", "Matikan perangkat", "Matikan perangkat", "Sesudah itu dayanya boleh dicabut."),
        (DESKTOP, "en", "Switch the device off", "Switch the device off", "Then its power may be cut."),
    ):
        visitor = visit(device, language, width)
        visitor.login()
        visitor.open("/system")
        visitor.look("system-power", also_dark=True)
        visitor.page.get_by_role("link", name=system).click()
        visitor.page.wait_for_url("**/services/off")
        visitor.look("device-off", also_dark=True)
        before = len(logind.calls)
        with visitor.page.expect_navigation():
            visitor.page.get_by_role("button", name=button).click()
        assert told in visitor.text
        assert logind.calls[before:] == [("PowerOff", (False,))]
        visitor.look("device-goes-off", also_dark=True)


def test_the_device_restarts_and_the_page_comes_back_by_itself(
    device: Device, visit: Visit, logind: MockLogind
) -> None:
    visitors = [visit(device, "id", PHONE), visit(device, "en", DESKTOP)]
    for visitor, word in zip(visitors, ("Nyalakan ulang perangkat", "Restart the device"), strict=True):
        visitor.login()
        visitor.open("/services/reboot")
        visitor.look("device-reboot", also_dark=True)
        with visitor.page.expect_navigation():
            visitor.page.get_by_role("button", name=word).click()
        visitor.look("device-reboots", also_dark=True)
    assert logind.calls[-2:] == [("Reboot", (False,))] * 2
    assert device.stop() == 0  # as the system does it then
    device.start()
    for visitor in visitors:
        visitor.page.wait_for_url(re.compile("/login"), timeout=PATIENCE * 1000)
    device.until_pages()
    until(lambda: device.log.read_text().count("the gateway runs (process") == 2, "it runs again")


def test_what_logind_refuses_is_told_on_the_page(device: Device, visit: Visit, logind: MockLogind) -> None:
    logind.refuse("PowerOff", "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired")
    visitor = visit(device, "id")
    visitor.login()
    visitor.open("/services/off")
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("button", name="Matikan perangkat").click()
    assert "perangkat ini tidak mengizinkan OTP-Pi melakukannya (polkit)" in visitor.text
    told = device.cli("device", "power-off")
    assert (told.returncode, told.stderr) == (1, "otppi: this device does not let OTP-Pi do that (polkit)\n")
