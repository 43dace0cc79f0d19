"""The configuration of another program on the page: uploaded, looked at as a table, and taken over."""

import io
import json
import re
import zipfile
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest

from otppi.admin.security.sessions import FRESH
from otppi.api.operations import Role
from otppi.testing.html import HtmlPage
from otppi.testing.site import NAMES, PASSWORD, Site, SiteAnswer, SiteBrowser

PAGE = "/system/import"
PIN = "4321"
FILES: Mapping[str, Any] = {
    "data/gsm/devices.json": {"1": {"name": "Satu", "port": "/dev/ttyUSB7", "simCardPIN": PIN, "active": False}},
    "data/api/services.json": {"httpPort": 8898, "smsPath": "/api/sms"},
    "data/api/urses.json": {"bank": {"username": "bank", "password": "0" * 64}},
    "data/api/blocking.json": {"628111111111": True},
}


def packed(files: Mapping[str, Any] = FILES) -> bytes:
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w") as archive:
        for name, values in files.items():
            archive.writestr(name, values if isinstance(values, str) else json.dumps(values))
    return octets.getvalue()


def looked(browser: SiteBrowser, octets: bytes, **fields: str) -> SiteAnswer:
    """Upload a file, and go where that leads."""
    browser.get(PAGE)
    answer = browser.upload(PAGE, {"file": octets}, fields)
    assert answer.status == 303, answer.words
    return browser.get(answer.location)


def key_of(answer: SiteAnswer) -> str:
    found = re.search(r'name="look" value="([^"]+)"', answer.text)
    assert found
    return found[1]


def test_it_is_looked_at_and_taken_over_and_what_is_to_be_done_stays_on_the_page(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    page = looked(browser, packed())
    assert HtmlPage(page.text).faults() == []
    assert "modems.Satu.port = /dev/ttyUSB7" in page.words
    assert "modems.Satu.sim_card_pin = ***" in page.words
    assert "numbers: 1" in page.words
    assert "Nothing is changed yet." in page.words
    assert PIN not in page.text
    assert "0" * 64 not in page.text
    assert site.call("blocked") == []

    answer = browser.post(f"{PAGE}/confirmed", {"look": key_of(page)})
    assert answer.status == 303
    done = browser.get(answer.location)
    assert "Taken over." in done.words
    assert "bank password" in done.words
    assert "modems.Satu.port" not in done.words
    settings = site.call("settings_show")
    assert [one["name"] for one in settings["modems"]] == ["m0", "Satu"]
    assert settings["ingress-rest"]["http_port"] == 8898
    assert [one["receiver"] for one in site.call("blocked")] == ["628111111111"]
    assert "import_take" in str(site.call("audit"))
    assert PIN not in str(site.call("audit"))

    again = looked(browser, packed())
    assert "is so already" in again.words
    assert "taken over:" not in again.words


def test_what_cannot_work_is_told_and_left_out_on_demand(site: Site) -> None:
    browser, before = site.inside(Role.ADMINISTRATOR), site.call("settings_show")
    files = {**FILES, "data/api/services.json": {"httpPort": 70000, "messagePath": "/api/pesan"}}
    page = looked(browser, packed(files))
    assert "Nothing can be taken over while this cannot work" in page.words
    assert "ingress-rest.http_port" in page.words
    refused = browser.post(f"{PAGE}/confirmed", {"look": key_of(page)})
    assert refused.status == 422
    assert site.call("settings_show") == before
    left = browser.get(f"{PAGE}?look={key_of(page)}&leave_out=1")
    assert 'action="/system/import/confirmed"' in left.text
    assert browser.post(f"{PAGE}/confirmed", {"look": key_of(left), "leave_out": "1"}).status == 303
    rest = site.call("settings_show")["ingress-rest"]
    assert (rest["http_port"], rest["message_path"]) == (before["ingress-rest"]["http_port"], "/api/pesan")


def test_what_was_uploaded_is_there_after_the_password_was_given_again(site: Site) -> None:
    """Reading what an import would do takes longer than a password is fresh."""
    browser = site.inside(Role.ADMINISTRATOR)
    page = looked(browser, packed())
    key = key_of(page)
    (session,) = site.parts.sessions.of(NAMES[Role.ADMINISTRATOR])
    session.confirmed -= FRESH + 1
    further = f"{PAGE}?look={key}"
    assert browser.get(further).location == f"/confirm?next={quote(further)}"
    browser.get(f"/confirm?next={quote(further)}")
    assert browser.post("/confirm", {"password": PASSWORD, "next": further}).location == further
    assert key_of(browser.get(further)) == key
    assert browser.post(f"{PAGE}/confirmed", {"look": key}).status == 303


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b"", "choose a file first"),
        (b"nothing of the kind", "hold no configuration that is known"),
        (b"[nothing]\nof = the kind", "hold no configuration that is known"),
        (b'{"1": {"name": "Satu"}}', "are JSON without the names that the original gave them"),
        (b"PK\3\4 and no more", "is a damaged archive"),
        (packed({"data/a.png": ""}), "has no file that may be a configuration"),
    ],
)
def test_what_cannot_be_read_is_told_beside_the_field(shared_site: Site, octets: bytes, told: str) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR)
    browser.get(PAGE)
    answer = browser.upload(PAGE, {"file": octets})
    assert answer.status == 422
    assert told in answer.words
    assert HtmlPage(answer.text).faults() == []


def test_a_single_file_is_known_by_what_it_says(shared_site: Site) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR)
    page = looked(browser, b"devices = GSM1\n[GSM1]\ndevice = /dev/ttyUSB6\n", program="smstools")
    assert "smstools3" in page.words
    assert "modems.GSM1.port = /dev/ttyUSB6" in page.words


def test_nobody_else_sees_an_upload(shared_site: Site) -> None:
    mine, other = shared_site.inside(Role.ADMINISTRATOR), shared_site.inside(Role.ADMINISTRATOR)
    path = f"{PAGE}?look={key_of(looked(mine, packed()))}"
    assert other.get(path).status == 404
    assert mine.get(f"{PAGE}?look=%C3%A9").status == 404
    assert mine.get(path).status == 200


def test_many_values_are_several_pages_of_a_bounded_length(shared_site: Site) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR)
    modem = {"port": "/dev/ttyUSB5", "active": False, "recipientPrefix": "62811,62812", "apn": "internet"}
    files = {"gsm/devices.json": {str(place): {**modem, "name": f"modem number {place}"} for place in range(100)}}
    page = looked(browser, packed(files))
    assert len(page.text) < 100_000
    assert "1 to 150 of 500" in page.words
    last = browser.get(f"{PAGE}?look={key_of(page)}&first=451")
    assert "451 to 500 of 500" in last.words
    assert "modem number 99 name" in last.words


def test_only_an_administrator_may(shared_site: Site) -> None:
    assert shared_site.inside(Role.OPERATOR).get(PAGE).status == 403
