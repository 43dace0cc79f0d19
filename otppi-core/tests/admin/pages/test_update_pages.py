"""The page of updates: a bundle is sent piece by piece, what is wrong is said, and the way back is asked about."""

import json
from pathlib import Path

import pytest

from otppi.admin.pages.update import PIECE
from otppi.api.operations import Role
from otppi.host.update.updates import Updates
from otppi.host.update.versions import Versions
from otppi.kit import system_units
from otppi.testing.html import HtmlPage
from otppi.testing.site import Site, SiteBrowser
from otppi.testing.waiting import until

PAGE = "/system/update"


@pytest.fixture
def updates(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Updates:
    """The updates of the site, on a device that has a key, and units that nobody can start."""
    monkeypatch.setenv(system_units.IN_USE, "1")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nowhere")
    known = site.host.updates
    home, image = tmp_path / "home", tmp_path / "image"
    (home / "versions").mkdir(parents=True)
    (image / "lib/python3.13/site-packages/otppi_core-0.1.0.dist-info").mkdir(parents=True)
    (tmp_path / "key").touch()
    monkeypatch.setattr(known, "versions", Versions(home, image))
    monkeypatch.setattr(known, "_key", tmp_path / "key")
    monkeypatch.setattr(known, "_incoming", tmp_path / "incoming")
    return known


def _sent(browser: SiteBrowser, octets: bytes) -> None:
    for offset in range(0, len(octets), PIECE):
        answer = browser.upload(f"{PAGE}/piece", {"content": octets[offset : offset + PIECE]}, {"offset": str(offset)})
        assert (answer.status, answer.text) == (200, "")


def test_a_bundle_is_sent_and_what_is_wrong_is_told(site: Site, updates: Updates) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    page = browser.get(PAGE)
    assert HtmlPage(page.text).faults() == []
    assert "0.1.0" in page.words
    octets = bytes(range(256)) * 500
    _sent(browser, octets)
    assert updates.bundle.read_bytes() == octets
    answer = browser.upload(f"{PAGE}/piece", {"content": b"x"}, {"offset": "7"})
    assert (answer.status, answer.text) == (422, f"must be {len(octets)}: so much of the bundle is there")
    begun = browser.post(f"{PAGE}/install")
    assert begun.location.startswith(f"{PAGE}/goes?job=")
    until(lambda: "data-poll" not in browser.get(begun.location).text, "it goes on for ever")
    end = browser.get(begun.location)
    assert HtmlPage(end.text).faults() == []
    assert "Not updated: nothing has changed." in end.words
    assert "there is no system bus" in end.words
    assert browser.get(f"{PAGE}/goes?job=x").location == PAGE


def test_what_became_of_it(site: Site, updates: Updates) -> None:
    updates.versions.note("0.2.0", "rolled_back", "not_ready")
    browser = site.inside(Role.ADMINISTRATOR)
    assert "The new version did not become ready, so the version before runs again." in browser.get(PAGE).words
    assert "The update to 0.2.0 failed." in browser.get("/").words


def test_the_way_back_is_asked_about(site: Site, updates: Updates) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    assert f"{PAGE}/back" not in browser.get(PAGE).text
    assert "there is none before it" in browser.get(f"{PAGE}/back").words
    (updates.versions.home / "versions/0.2.0").mkdir()
    (updates.versions.home / "current").write_text("0.2.0 -\n")
    assert f"{PAGE}/back" in browser.get(PAGE).text
    page = browser.get(f"{PAGE}/back")
    assert HtmlPage(page.text).faults() == []
    assert "Back to 0.1.0" in page.words
    answer = browser.post(f"{PAGE}/back", {"with_settings": "1"})
    assert answer.status == 503
    assert "there is no system bus" in answer.words


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_only_administrators(site: Site, role: Role) -> None:
    browser = site.inside(role)
    for path in (PAGE, f"{PAGE}/back", f"{PAGE}/goes"):
        assert browser.get(path).status == 403
    assert browser.post(f"{PAGE}/install").status == 403


def test_elsewhere_it_is_said_that_there_are_none(site: Site) -> None:
    page = site.inside(Role.ADMINISTRATOR).get(PAGE)
    assert "This is no card image of OTP-Pi" in page.words
    assert "data-pieces" not in page.text


def test_debians_are_told_where_there_are_any(site: Site, updates: Updates) -> None:
    known = site.host.security_updates
    outcome = updates.versions.home / "security"
    outcome.write_text(json.dumps({"packages": 2, "restart": True}))
    known._outcome = outcome
    page = site.inside(Role.ADMINISTRATOR).get(PAGE)
    assert "2 packages were installed." in page.words
    assert 'href="/services/reboot"' in page.text
