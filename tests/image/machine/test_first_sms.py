"""From the brochure to the first SMS: a person with a phone, and a modem that is plugged in on the way."""

import re
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect

from otppi.simulator.profile import ModemProfile
from tests.browser.conftest import HEIGHTS, LANGUAGES, PHONE
from tests.browser.pictures import chromium
from tests.image.machine.application import send
from tests.image.machine.conftest import PICTURES, Flashed
from tests.image.machine.machine import SLOW, STEP, Machine
from tests.image.machine.phones_browser import proxy
from tests.image.machine.station import PAGES, UP, Station

OWNER, PASSWORD, NUMBER = "sari", "kursi hijau di teras", "081234567890"
PROFILE: Final = ModemProfile(imei="350000000000010", operator="Telkomsel", operator_code="51010")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser, device: Machine, phone: Station, card: Flashed) -> Iterator[Page]:
    """The browser of a phone that has joined the access point, and reaches nothing but that."""
    device.until(UP, "the access point is up", SLOW)
    assert phone.join(card.identity.ssid, card.identity.passphrase) == "CTRL-EVENT-CONNECTED"
    phone.lease()
    context = browser.new_context(
        base_url=PAGES,
        proxy={"server": proxy(device)},
        viewport={"width": PHONE, "height": HEIGHTS[PHONE]},
        device_scale_factor=2,
        locale=LANGUAGES["id"],
        timezone_id="Asia/Jakarta",
        reduced_motion="reduce",
    )
    context.set_default_timeout(STEP * 1000)
    one = context.new_page()
    yield one
    context.close()


def _shoot(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.wait_for_load_state("load")
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def _send_form(page: Page, to: str) -> None:
    page.click("main button.primary, main a.primary")
    page.wait_for_url(f"**{to}")


def test_from_the_brochure_to_the_first_sms(device: Machine, page: Page) -> None:
    page.goto("/")
    _shoot(page, "machine-1-claim")
    for name, value in {"username": OWNER, "password": PASSWORD, "phone": NUMBER}.items():
        page.fill(f"[name={name}]", value)
    _send_form(page, "/guide/modem")  # the card has brought the time zone
    _shoot(page, "machine-2-no-modem")
    with device.modem(PROFILE) as modem:
        found = page.locator("form[action='/guide/adopt'] button")
        expect(found).to_have_count(1, timeout=SLOW * 1000)  # by itself: the page looks every two seconds
        _shoot(page, "machine-3-new-modem")
        found.click()
        expect(page.locator("#modems .state", has_text=re.compile("^siap$"))).to_have_count(1, timeout=SLOW * 1000)
        _shoot(page, "machine-4-modem")
        _send_form(page, "/guide/test")
        assert page.input_value("[name=receiver]") == NUMBER
        _send_form(page, "/guide/test**")
        (message,) = modem.network.wait_for(1, SLOW)
        assert message.destination.endswith(NUMBER[1:])
        expect(page.locator(".steps .now")).to_contain_text("sampai di penerima", timeout=SLOW * 1000)
        _shoot(page, "machine-5-first-sms")
    device.until("[ ! -e /boot/firmware/otppi-this-device.txt ] && [ -e /var/lib/otppi/claimed ]", "it is claimed")


def test_modem_is_pulled_out_and_plugged_in_again(device: Machine) -> None:
    with device.modem(PROFILE) as modem:
        look = "setpriv --reuid=otppi --regid=otppi --init-groups otppi --data /var/lib/otppi modem discover"
        device.until(f"{look} | grep '^new '", "the new modem is seen", SLOW)
        device.otppi("modem", "adopt", PROFILE.imei, "--name", "m1", "--default")
        assert send(device, 1, "kode 1") in ("sent", "delivered")
        assert [one.text for one in modem.network.wait_for(1, STEP)] == ["kode 1"]

        # Who still holds the old port keeps its number: it comes back under another one.
        device.run("setsid sleep 3600 </dev/ttyUSB0 >/dev/null 2>&1 &")
        device.pull_out("MODEM-A")
        modem.unplug()
        device.until("[ ! -e /dev/ttyUSB0 ]", "the port has gone")
        modem.plug()
        device.plug_in("MODEM-A")
        device.until("[ -e /dev/ttyUSB1 ]", "the port is back")
        assert send(device, 2, "kode 2") in ("sent", "delivered")
        assert [one.text for one in modem.network.wait_for(2, STEP)] == ["kode 1", "kode 2"]
        assert device.code("journalctl --boot --grep 'kode [12]' --quiet").output == ""
