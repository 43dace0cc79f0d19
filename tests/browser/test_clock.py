"""The clock is set by the time of a phone: with a login both ways, before it only forward, where nobody has told it."""

import time
from collections.abc import Iterator

import pytest

from otppi.testing.clock import SystemClockDevice
from otppi.testing.waiting import until
from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, USERNAME, Device, Visit

DAY = 86_400.0


@pytest.fixture
def clock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemClockDevice]:
    with SystemClockDevice(tmp_path_factory.mktemp("d")) as one:
        yield one


@pytest.fixture
def device(tmp_path_factory: pytest.TempPathFactory, clock: SystemClockDevice) -> Iterator[Device]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DBUS_SYSTEM_BUS_ADDRESS", clock.address)
        environment.setenv("OTPPI_UNITS", "1")
        one = Device(tmp_path_factory.mktemp("device"))
        try:
            one.start()
            one.until_pages()
            made = one.cli("admin", "add", USERNAME, "--password-stdin", stdin=PASSWORD)
            assert made.returncode == 0, made.stderr
            until(lambda: '"unset"' in one.cli("clock", "status", "--json").stdout, "the clock was looked at")
            yield one
            assert one.stop() == 0
        finally:
            one.close()


def test_a_phone_that_is_ahead_offers_its_time_before_the_login(
    device: Device, visit: Visit, clock: SystemClockDevice
) -> None:
    behind = visit(device, "en", PHONE)
    behind.open("/login")
    assert not behind.page.locator("[data-time-of-phone]").is_visible()
    ahead = visit(device, "id", PHONE)
    ahead.page.clock.set_fixed_time(time.time() + 40 * DAY)
    ahead.open("/login")
    ahead.look("clock-offered", also_dark=True)
    with ahead.page.expect_navigation():
        ahead.page.get_by_role("button", name="Pakai waktu ponsel atau komputer ini").click()
    assert abs(clock["difference"] - 40 * DAY) < 60
    assert ahead.page.locator("[data-time-of-phone]").count() == 0


def test_who_is_logged_in_sets_it_back(device: Device, visit: Visit, clock: SystemClockDevice) -> None:
    for language, width, ahead, button in (
        ("id", PHONE, 40 * DAY, "Pakai waktu ponsel atau komputer ini"),
        ("en", DESKTOP, -40 * DAY, "Use the time of this phone or computer"),
    ):
        visitor = visit(device, language, width)
        visitor.login()
        visitor.page.clock.set_fixed_time(time.time() + ahead)
        visitor.open("/clock")
        visitor.look("clock", also_dark=True)
        with visitor.page.expect_navigation():
            visitor.page.get_by_role("button", name=button).click()
        assert abs(clock["difference"] - ahead) < 60
    assert "right: somebody who was logged in has set it" in visitor.text
