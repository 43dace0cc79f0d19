"""Security checklist, row Secrets: each is set to a marker, which is then in no page, log, event or file.

The JSON API is looked through in the same way in `../api/test_every_operation.py`.
"""

import http.client
import io
import logging
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from otppi.admin.pages.sections import SectionPages
from otppi.api.events import Event
from otppi.api.operations import Role
from otppi.cli.logs import KeepingHandler, LineFormatter
from otppi.host.runtime.registry import COMMAND_LINE
from otppi.testing.marked_secrets import MARKER, PIN, TOTP, kept_secrets, marked_document
from otppi.testing.page_routes import page_routes
from otppi.testing.site import NAMES, Site, SiteBrowser
from otppi.testing.waiting import PATIENCE

MARKS = (MARKER, PIN, "$argon2id$")
PAGES = [path for path, access in page_routes() if "GET" in access.methods and not access.background]
FORMS = (
    "/login", "/login/code", "/confirm", "/forgotten", "/forgotten/code", "/account/password", "/account/about",
    "/account/phone_confirm", "/account/totp_off", "/administrators/add", "/administrators/edit", "/modems/sim/change",
    "/system/certificate/new",
)  # fmt: skip
"""Forms into which secrets are typed, beside those of settings."""


@pytest.fixture(scope="module")
def marked_site(secure_site: Site) -> Site:
    """A site whose every secret is set to a marker."""
    site = secure_site
    document = marked_document(site.data.config)
    (own,) = document["administrators"]
    document["administrators"] = [
        own | {"username": name, "role": role.value, "email": "a@b.example"} for role, name in NAMES.items()
    ]
    site.call("settings_import", document=document)
    site.call("user_add", username="shop", token=True)
    assert {MARKER, PIN, TOTP} < kept_secrets(site.data.config)
    return site


@pytest.fixture
def told(marked_site: Site, caplog: pytest.LogCaptureFixture) -> Iterator[list[object]]:
    """All events meanwhile; afterwards no secret is in one, nor in the log or the audit trail."""
    events: list[object] = []
    with caplog.at_level(logging.DEBUG), marked_site.host.events.subscribe(Event, events.append):
        yield events
    for what in (caplog.text, repr(events), str(marked_site.call("audit", limit=1000))):
        assert not found_in(marked_site, what)


def found_in(site: Site, text: str) -> list[str]:
    return [one for one in {*kept_secrets(site.data.config), *MARKS} if one in text]


def items_of(site: Site) -> Iterator[str]:
    """Yield the addresses of all sections and of each object of a list."""
    for key, section in site.data.config.sections.items():
        if key == "administrators":
            continue
        yield f"/settings/{key}"
        if section.identity is not None:
            yield f"/settings/{key}/add"
            for one in site.data.config.many(key):
                yield f"/settings/{key}/edit?_item={one[section.identity]}"
                yield f"/settings/{key}/remove?_item={one[section.identity]}"


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("language", ["en", "id"])
def test_no_page_holds_a_secret(marked_site: Site, told: list[object], role: Role, language: str) -> None:
    browser = marked_site.inside(role)
    browser.headers["Accept-Language"] = language
    shown = 0
    for path in [*PAGES, *items_of(marked_site), *(f"/administrators/edit?name={one}" for one in NAMES.values())]:
        answer = browser.get(path)
        shown += answer.status == 200
        assert not found_in(marked_site, answer.text + str(answer.headers)), path
    assert shown > {Role.VIEWER: 5, Role.OPERATOR: 8, Role.ADMINISTRATOR: 50}[role]


def test_no_form_that_is_wrong_shows_one(marked_site: Site, told: list[object]) -> None:
    """What is typed into a secret's field is not shown again either; other fields show what was typed (422, 409)."""
    browser = marked_site.inside(Role.ADMINISTRATOR)
    statuses = set()
    for path in items_of(marked_site):
        page = browser.get(path)
        fields = dict.fromkeys(re.findall(r'name="([^"]+)"[^>]*type="password"', page.text), f"{MARKER}x")
        fields |= dict.fromkeys(re.findall(r'type="password"[^>]*name="([^"]+)"', page.text), f"{MARKER}x")
        seen = re.findall(r'name="_seen" value="([^"]*)"', page.text)
        item = re.findall(r'name="_item" value="([^"]*)"', page.text)
        hidden = {"_item": item[0]} if item else {}
        for given in (fields | {"_seen": "x"}, fields | {"nonsense": "1", "_seen": seen[0] if seen else ""}):
            answer = browser.post(path.partition("?")[0], given | hidden)
            statuses.add(answer.status)
            assert not found_in(marked_site, answer.text), (path, answer.status)
    assert {409, 422} <= statuses


def test_nor_does_any_other_form(marked_site: Site, told: list[object]) -> None:
    secrets = dict.fromkeys(("password", "old_password", "new_password", "code", "pin", "puk"), f"{MARKER}x")
    for path in FORMS:
        browser = marked_site.inside(Role.ADMINISTRATOR)
        answer = browser.post(path, {**secrets, "username": "x", "name": "vera", "modem": "simulated", "next": "/"})
        assert not found_in(marked_site, answer.text + str(answer.headers)), path


def test_no_address_holds_one(marked_site: Site) -> None:
    """Forms with secrets are sent by POST, and none is written into a link or a redirect (ASVS 5.0, 14.2.1)."""
    browser = marked_site.inside(Role.ADMINISTRATOR)
    for path in [*PAGES, *items_of(marked_site)]:
        page = browser.get(path).text
        for form in re.findall(r"<form\b.*?</form>", page, re.DOTALL):
            secret = 'type="password"' in form or "one-time-code" in form or "form_token" in form
            assert not secret or re.match(r'<form[^>]*method="post"', form), path
        assert browser.token not in "".join(re.findall(r'(?:href|src|action)="([^"]*)"', page)), path


@pytest.mark.parametrize("kind", [RuntimeError, OSError, KeyError, UnicodeError])
def test_a_fault_shows_none(
    marked_site: Site, told: list[object], monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise kind(f"{MARKER} {PIN}")

    monkeypatch.setattr(SectionPages, "_place", fail)
    monkeypatch.setattr(marked_site.parts.registry, "call", fail)
    for path in ("/settings/webhook", "/", "/modems", "/messages/inbox"):
        answer = marked_site.inside(Role.ADMINISTRATOR).get(path)
        assert answer.status == 500
        assert not found_in(marked_site, answer.text)
    monkeypatch.undo()


def test_the_monitor_s_events_hold_none(marked_site: Site) -> None:
    browser = marked_site.inside(Role.ADMINISTRATOR)
    first = first_octets(marked_site, browser, "/monitor/events")
    assert b"snapshot" in first
    assert not found_in(marked_site, first.decode())


def first_octets(site: Site, browser: SiteBrowser, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
    connection.request("GET", path, headers={"Cookie": f"otppi={browser.cookies['otppi']}"})
    answer, octets = connection.getresponse(), b""
    while not octets.endswith(b"\n\n"):
        octets += answer.read1()
    connection.close()
    return octets


def test_neither_the_log_nor_the_diagnostics_hold_one(marked_site: Site, raw: Any) -> None:
    """Nor a text, a code, or a whole number of a person: what is downloaded leaves the device."""
    handler = KeepingHandler(io.StringIO(), LineFormatter(journal=True), marked_site.host.log)
    root, text, receiver = logging.getLogger(), f"teks {MARKER} 4711", "081234567890"
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        browser = marked_site.inside(Role.ADMINISTRATOR)
        for path in items_of(marked_site):
            browser.post(path.partition("?")[0], {"password": MARKER, "message": text})
        marked_site.call("send", receiver=receiver, message=text, wait=0)
        marked_site.browser().post("/login", {"username": "adi", "password": MARKER})
        logging.getLogger("a.library").error("amqp://app:%s@broker.example and %s", MARKER, receiver)
        downloads = [raw(browser, "/system/diagnostics/download")[2]]
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    log = "\n".join(one.line for one in marked_site.host.log.since(0) if one.name != "a.library")
    assert "send by command-line" in log
    with zipfile.ZipFile(io.BytesIO(downloads[0])) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert len(files) == 11
    for name, content in {"the log": log, **files}.items():
        assert not found_in(marked_site, content), name
        for hidden in (text, receiver, receiver[1:], "PRIVATE KEY"):
            assert hidden not in content, name
    assert "********" in "".join(files.values()), "what a library has logged is hidden at the last"


def test_no_file_holds_one_but_the_settings(marked_site: Site) -> None:
    folder = marked_site.data.path
    files = [one for one in folder.rglob("*") if one.is_file()]
    assert files
    holding = {one.name for one in files if found_in(marked_site, one.read_bytes().decode("latin-1"))}
    assert holding == {one for one in holding if one.startswith("settings.json")}, holding
    assert {one.stat().st_mode & 0o777 for one in files if one.name in holding} == {0o600}


def test_an_export_holds_none_but_on_the_device(marked_site: Site) -> None:
    plain: Any = marked_site.registry.call("settings_export", {"secrets": False}, COMMAND_LINE)
    assert not found_in(marked_site, str(plain))
    assert MARKER in str(marked_site.registry.call("settings_export", {"secrets": True}, COMMAND_LINE))


def test_what_is_made_is_shown_once(marked_site: Site, told: list[object]) -> None:
    browser = marked_site.inside(Role.ADMINISTRATOR)
    browser.get("/users/add")
    page = browser.post("/users/add", {"username": "kasir", "token": "1"})
    assert page.status == 200, page.words
    (token,) = re.findall('<pre id="token">([^<]{16,})</pre>', page.text)
    assert token not in browser.get("/users/add").text + browser.get("/settings/api_users/edit?_item=kasir").text
    assert token not in str(marked_site.call("settings_export", secrets=True)), "its hash is kept"
