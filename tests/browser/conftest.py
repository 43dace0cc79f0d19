"""A real Chromium, Debian's, on the pages of a real gateway with a simulated modem."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, sync_playwright

from otppi.host.control.client import ControlClient
from otppi.testing.ports import free_port
from otppi.testing.waiting import PATIENCE, until
from tests.system.conftest import Gateway

SCREENS = Path(__file__).parents[2] / "build" / "screens"
LANGUAGES = {"id": "id-ID", "en": "en-GB"}
PHONE, DESKTOP = 390, 1280
HEIGHTS = {PHONE: 844, DESKTOP: 900}
USERNAME, PASSWORD = "rina", "kursi hijau di teras"
LARGEST_PAGE = 100_000
_STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
_AXE = Axe()
# All rules are checked; but of what they let pass, one example each is told: telling all took two thirds of the time.
_AXE_OPTIONS = {"runOnly": _STANDARDS, "resultTypes": ["violations"]}
_AXE_OF_COLOURS = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}
"""The rules of axe-core that look at colours (its category `cat.color`) within these standards."""


class Device(Gateway):
    """A gateway with its administration."""

    def __init__(self, folder: Path, **sections: Any) -> None:
        self.page_port = free_port()
        own = {"enable": True, "port": self.page_port, "bind_address": "127.0.0.1"}
        modems = sections.pop("modems", [{"name": "m0", "type": "simulated", "default_modem": True}])
        super().__init__(folder, modems, administration=own | sections.pop("administration", {}), **sections)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.page_port}"

    def until_pages(self) -> "Device":
        """Wait until the pages are there: they come a moment after the gateway."""
        client = ControlClient(self.data / "control")  # no program for each time that it looks

        def listen() -> bool:
            services = {one["name"]: one["about"] for one in client.call("status", {})["services"]}
            return bool(services["administration"]["listening"])

        until(listen, what="the pages are served")
        return self

    def code(self) -> str:
        """Return the code that the first administrator needs."""
        told = self.cli("admin", "code")
        assert told.returncode == 0, told.stderr
        return told.stdout.split()[0]


@dataclass
class Visitor:
    """A page of a browser, and what went wrong on it.

    Attributes:
        page: Playwright's.
        device: Whose pages it visits.
        language, width, scheme: As the browser says that it is.
        faults: Errors of the console and of scripts, and requests to elsewhere.
        received: Octets of the answers since the page was opened.
    """

    page: Page
    device: Device
    language: str
    width: int
    scheme: str
    faults: list[str] = field(default_factory=list)
    received: int = 0

    def open(self, path: str) -> Page:
        self.received = 0
        self.page.goto(f"{self.device.address}{path}")
        return self.page

    def fill(self, **fields: str) -> "Visitor":
        for name, value in fields.items():
            self.page.fill(f"[name={name}]", value)
        return self

    def send(self) -> "Visitor":
        """Press the form's chief button, and wait for the answer."""
        with self.page.expect_navigation():
            self.page.click("main button.primary")
        return self

    def login(self, username: str = USERNAME, password: str = PASSWORD) -> "Visitor":
        self.open("/login")
        self.fill(username=username, password=password).send()
        return self

    @property
    def text(self) -> str:
        return self.page.inner_text("main")

    def press(self, path: str, word: str, name: str) -> Page:
        """Press the button, or the link, of an object in a list that is at a path."""
        page = self.open(path)
        with page.expect_navigation():
            page.click(f"[aria-label='{word}: {name}']")
        return page

    def card(self, name: str) -> str:
        """Return what an object's card says."""
        heading = self.page.get_by_role("heading", name=name, exact=True)
        return self.page.locator("article", has=heading).inner_text()

    def look(self, name: str, *, also_dark: bool = False) -> None:
        """Take a screenshot, and hold what each page has to keep.

        Args:
            name: Of the picture.
            also_dark: Whether to look at the same page in the dark, too: what is in it is the same then, so that of the
                rules of accessibility only those of colours are asked again.
        """
        self.page.wait_for_load_state("load")
        self._shoot(name, self.scheme)
        assert not self.faults, self.faults
        assert self.page.get_attribute("html", "lang") == self.language
        assert self.received <= LARGEST_PAGE, f"{name} has {self.received} octets"
        self._check(_AXE_OPTIONS)
        if also_dark:
            self.page.emulate_media(color_scheme="dark")
            self._shoot(name, "dark")
            self._check(_AXE_OF_COLOURS)
            self.page.emulate_media(color_scheme="light")

    def _shoot(self, name: str, scheme: str) -> None:
        shown = SCREENS / f"{name}-{self.language}-{self.width}-{scheme}.png"
        shown.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=shown, full_page=True)
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is {wide} px too wide"

    def _check(self, options: dict[str, Any]) -> None:
        told = _AXE.run(self.page, options=options)
        assert told.violations_count == 0, told.generate_report()

    def note(self, request: Request) -> None:
        if not request.url.startswith(self.device.address):
            self.faults.append(f"a request to {request.url}")


Visit = Callable[..., Visitor]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    assert program, "Debian's package chromium is not installed"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


Claimed = TypeVar("Claimed", bound=Device)


@contextmanager
def claimed(one: Claimed) -> Iterator[Claimed]:
    """Run a gateway that has its first administrator, and see it end well."""
    try:
        one.start()
        one.until_pages()
        made = one.cli("admin", "add", USERNAME, "--password-stdin", stdin=PASSWORD)
        assert made.returncode == 0, made.stderr
        yield one
        assert one.stop() == 0
    finally:
        one.close()


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """A gateway that has its first administrator, for all tests of a file."""
    with claimed(Device(tmp_path_factory.mktemp("device"))) as one:
        yield one


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Return a function that opens a browser's page of its own on a device."""
    contexts = []

    def begin(device: Device, language: str = "id", width: int = PHONE, scheme: str = "light", **more: Any) -> Visitor:
        context = browser.new_context(
            viewport={"width": width, "height": HEIGHTS[width]},
            locale=LANGUAGES[language],
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
            **more,
        )
        context.set_default_timeout(PATIENCE * 1000)
        contexts.append(context)
        one = Visitor(context.new_page(), device, language, width, scheme)
        one.page.on("request", one.note)
        one.page.on("pageerror", lambda error: one.faults.append(f"a script failed: {error}"))
        one.page.on(
            "console",
            # An answer of 4xx to a form is shown there too, and is none of a page's faults.
            lambda told: (
                one.faults.append(told.text)
                if told.type == "error" and "the server responded with a status of 4" not in told.text
                else None
            ),
        )
        one.page.on("requestfinished", lambda request: _count(one, request))
        return one

    yield begin
    for context in contexts:
        context.close()


def _count(visitor: Visitor, request: Request) -> None:
    sizes = request.sizes()
    visitor.received += sizes["responseBodySize"] + sizes["responseHeadersSize"]
