"""Takes the pictures of the documents anew, of a real gateway with made-up data.

`.venv/bin/python -m tests.browser.pictures` writes `docs/screens/`: WebP files of at most 40 kB, since every clone of
the repository has them. `tests/architecture/test_pictures.py` holds that each is shown in a document, with words for
those who do not see it.
"""

import base64
import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from image.card.papers import Papers
from otppi.host.identity.identity import make
from otppi.testing.waiting import PATIENCE
from tests.browser.conftest import DESKTOP, HEIGHTS, LANGUAGES, PASSWORD, PHONE, Device

PICTURES: Final = Path(__file__).parents[2] / "docs" / "screens"
SHARPNESS: Final = {PHONE: 1.5, DESKTOP: 1}
"""Pixels of a picture for each of the page: those of phones are shown larger beside the text than they are there."""
QUALITY: Final = 55
"""Of WebP, of 100: the letters have no shadows yet."""
TIME_ZONE: Final = "Asia/Jakarta"
ADMINISTRATOR, OPERATOR = "budi", "rina"
MODEMS: Final = [
    {"name": "telkomsel", "type": "simulated", "recipient_prefixes": ["62812"], "default_modem": True},
    {"name": "indosat", "type": "simulated", "recipient_prefixes": ["62815"]},
]
RECEIVERS: Final = ("081200000123", "081500000145", "081200000178", "081500000101")
"""Numbers that nobody has, of the modems' prefixes."""
SSID, PASSPHRASE = "OTP-Pi-K7QX", "k7mq-x4wd-p9ba"
"""The Wi-Fi of a device that nobody has."""


@contextmanager
def device_with_data(folder: Path) -> Iterator[Device]:
    """Run a gateway with two modems, an administrator, an operator, a user of the API, and messages that were sent."""
    device = Device(folder, modems=MODEMS, clock={"time_zone": TIME_ZONE})
    try:
        device.start().until_ready()
        device.until_pages()
        for name, role in ((ADMINISTRATOR, "administrator"), (OPERATOR, "operator")):
            made = device.cli("admin", "add", name, "--role", role, "--password-stdin", stdin=PASSWORD)
            assert made.returncode == 0, made.stderr
        with device.client() as client:
            for number, receiver in enumerate(RECEIVERS):
                status, _ = client.send(number, receiver, "OTP Anda adalah 1234")
                assert status == 200
        yield device
        assert device.stop() == 0
    finally:
        device.close()


def take(browser: Browser, device: Device, folder: Path) -> None:
    """Take all pictures.

    Args:
        browser: A Chromium.
        device: With data.
        folder: Where they are written.
    """
    page = logged_in(browser, device, OPERATOR, "en", PHONE)
    expect(page.locator("main")).to_contain_text("All is well.")
    shoot(page, folder / "home.webp")

    page = logged_in(browser, device, OPERATOR, "en", DESKTOP)
    page.goto(f"{device.address}/monitor")
    expect(page.locator("tbody tr", has_text="delivered")).to_have_count(len(RECEIVERS))
    shoot(page, folder / "monitor.webp")

    page = logged_in(browser, device, OPERATOR, "en", PHONE, dark=True)
    page.goto(f"{device.address}/modems/test?modem=telkomsel")
    page.fill("[name=receiver]", RECEIVERS[0])
    page.click("main button.primary")
    expect(page.locator(".steps .done")).to_have_count(4)
    shoot(page, folder / "modem-test-dark.webp")

    page = logged_in(browser, device, ADMINISTRATOR, "id", PHONE)
    page.goto(f"{device.address}/guide/time")
    shoot(page, folder / "guide.webp")

    page = logged_in(browser, device, ADMINISTRATOR, "en", PHONE)
    page.goto(f"{device.address}/settings/sms")
    for name, value in {"country_code": "abc", "attempts": "0", "queue_size": "1.000"}.items():
        page.fill(f"[name={name}]", value)
    page.press("[name=attempts]", "Enter")
    expect(page.locator("#problems")).to_contain_text("Mend 3 fields")
    shoot(page, folder / "form.webp")

    page = opened(browser, "en", PHONE)
    page.goto(f"{device.address}/locked")
    page.locator("h2", has_text="A USB stick that resets it").evaluate("one => one.scrollIntoView()")
    shoot(page, folder / "locked.webp")
    draw_brochure(folder)


def draw_brochure(folder: Path) -> None:
    """Write the English page of a brochure, half as large as it is for printing."""
    with tempfile.TemporaryDirectory() as papers:
        drawn = Papers(make(ssid=SSID, passphrase=PASSPHRASE, language="en"))
        drawn.write(Path(papers))
        path = next(one for one in drawn.paths(Path(papers)) if one.name.endswith("-en.png"))
        with Image.open(io.BytesIO(path.read_bytes())) as page:
            page.convert("RGB").resize((page.width // 2, page.height // 2)).save(
                folder / "brochure.webp", quality=QUALITY
            )


def logged_in(
    browser: Browser, device: Device, username: str, language: str, width: int, *, dark: bool = False
) -> Page:
    """Open the first page of somebody who has logged in."""
    page = opened(browser, language, width, dark=dark)
    page.goto(f"{device.address}/login")
    page.fill("[name=username]", username)
    page.fill("[name=password]", PASSWORD)
    with page.expect_navigation():
        page.click("main button.primary")
    return page


def opened(browser: Browser, language: str, width: int, *, dark: bool = False) -> Page:
    """Open an empty page of a browser."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHTS[width]},
        device_scale_factor=SHARPNESS[width],
        locale=LANGUAGES[language],
        timezone_id=TIME_ZONE,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE * 1000)
    return context.new_page()


def shoot(page: Page, path: Path) -> None:
    """Write what the browser shows as WebP, which Playwright's own pictures cannot be, and close it."""
    page.evaluate("document.activeElement.blur()")
    taken = page.context.new_cdp_session(page).send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    path.write_bytes(base64.b64decode(taken["data"]))
    page.context.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Debian's Chromium."""
    program = shutil.which("chromium")
    assert program, "Debian's package chromium is not installed"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, device_with_data(Path(folder)) as device, chromium() as browser:
        take(browser, device, PICTURES)
    for one in sorted(PICTURES.iterdir()):
        print(f"{one}: {one.stat().st_size} octets")


if __name__ == "__main__":
    main()
