"""The page of updates in a browser: its script sends a bundle piece by piece, and says what is not taken."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from otppi.api.operations import Role
from otppi.host.update import updates as module
from otppi.host.update.updates import Updates
from otppi.host.update.versions import Versions
from otppi.kit import system_units
from otppi.testing.site import Site

OCTETS = bytes(range(256)) * 2000
"""Half a megabyte: more than ten pieces."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    one = Site(tmp_path, claimed=True)
    yield one
    one.close()


@pytest.fixture
def updates(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Updates:
    """A device that takes updates, but for its systemd."""
    monkeypatch.setenv(system_units.IN_USE, "1")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nowhere")
    known = site.host.updates
    (tmp_path / "key").touch()
    monkeypatch.setattr(known, "versions", Versions(tmp_path / "home", tmp_path / "image"))
    monkeypatch.setattr(known, "_key", tmp_path / "key")
    monkeypatch.setattr(known, "_incoming", tmp_path / "incoming")
    return known


@pytest.fixture
def page(site: Site, updates: Updates, browser: Browser) -> Iterator[Page]:
    address = f"http://127.0.0.1:{site.port}"
    context = browser.new_context(locale="en-GB")
    session = site.inside(Role.ADMINISTRATOR).cookies["otppi"]
    context.add_cookies([{"name": "otppi", "value": session, "url": address}])
    one = context.new_page()
    one.goto(f"{address}/system/update")
    yield one
    context.close()


def test_a_bundle_arrives_as_it_is(page: Page, updates: Updates, monkeypatch: pytest.MonkeyPatch) -> None:
    arrived: list[bytes] = []
    forget = updates._forget

    def keep() -> None:
        if updates.bundle.exists():
            arrived.append(updates.bundle.read_bytes())
        forget()

    monkeypatch.setattr(updates, "_forget", keep)
    page.set_input_files("#file", {"name": "x.bundle", "mimeType": "application/octet-stream", "buffer": OCTETS})
    page.click("main button.primary")
    page.wait_for_url("**/system/update/goes?job=*")
    page.wait_for_selector("[role=alert]")
    assert "Not updated: nothing has changed." in page.inner_text("main")
    assert arrived == [OCTETS]


def test_what_the_device_does_not_take_is_said(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 100_000)
    page.set_input_files("#file", {"name": "x.bundle", "mimeType": "application/octet-stream", "buffer": OCTETS})
    page.click("main button.primary")
    page.wait_for_function("document.querySelector('form [role=status]').textContent.includes('is larger than')")
    assert page.is_enabled("main button.primary")
