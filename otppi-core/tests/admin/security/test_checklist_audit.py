"""Security checklist, row Audit: who, in which role, from where, what, and what came of it; never what was typed.

How the trail is kept and bounded is in `tests/host/audit/test_trail.py`.
"""

import json
import logging
import re
import time
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest

from otppi.api.operations import Role
from otppi.cli.logs import LineFormatter
from otppi.testing.site import NAMES, PASSWORD, Site, SiteBrowser
from otppi.testing.waiting import until

ADMIN = NAMES[Role.ADMINISTRATOR]
WRONG = "salah 8861 sekali"


def newest(site: Site, operation: str) -> dict[str, Any]:
    until(lambda: any(one["operation"] == operation for one in site.call("audit", limit=50)), operation)
    found: dict[str, Any] = next(one for one in site.call("audit", limit=50) if one["operation"] == operation)
    return found


def told(entry: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(entry[key] for key in ("actor", "role", "origin", "address", "outcome"))


def log_in(site: Site, name: str, password: str) -> SiteBrowser:
    browser = site.browser()
    browser.get("/login")
    browser.post("/login", {"username": name, "password": password})
    return browser


@pytest.mark.parametrize(
    ("name", "password", "expected"),
    [
        ("vera", PASSWORD, ("vera", "viewer", "administration", "127.0.0.1", "done")),
        ("vera", WRONG, ("vera", "viewer", "administration", "127.0.0.1", "refused")),
        (WRONG, WRONG, ("", "viewer", "administration", "127.0.0.1", "refused")),
    ],
)
def test_logins_and_those_that_failed(
    site: Site, caplog: pytest.LogCaptureFixture, name: str, password: str, expected: tuple[str, ...]
) -> None:
    """A name that there is not is left out: people type their passwords into the wrong field."""
    log_in(site, name, password)
    entry = newest(site, "login")
    assert told(entry) == expected
    assert entry["at"] > 1.7e9
    assert WRONG not in str(entry) + caplog.text


def test_the_second_step_and_the_password_given_again(site: Site) -> None:
    secret = site.call("totp_new", username=ADMIN)["secret"]
    site.call("administrator_totp_on", username=ADMIN, secret=secret, code=pyotp.TOTP(secret).now())
    browser = log_in(site, ADMIN, PASSWORD)
    assert browser.post("/login/code", {"code": "000000"}).status == 401
    entry = newest(site, "login")
    assert told(entry) == (ADMIN, "administrator", "administration", "127.0.0.1", "refused")
    assert secret not in str(site.call("audit", limit=50))
    inside = site.inside(Role.OPERATOR)
    inside.get("/confirm")
    assert inside.post("/confirm", {"password": WRONG}).status == 401
    until(lambda: newest(site, "login")["actor"] == "oki", "it is in the trail")
    assert newest(site, "login")["outcome"] == "refused"


def test_every_change_is_told_by_the_names_of_what_changed(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    kind = {"Content-Type": "application/json", "X-CSRF-Token": browser.token}
    secret = "sandi webhook 5519"
    body = json.dumps({"arguments": {"path": "webhook", "values": {"secret": secret}}}).encode()
    assert browser.ask("POST", "/admin/api/operations/settings_put", body, kind).status == 200
    entry = newest(site, "settings_put")
    assert told(entry) == (ADMIN, "administrator", "administration", "127.0.0.1", "done")
    assert (entry["subject"], entry["fields"]) == ("webhook", ["webhook.secret"])
    browser.get("/administrators")
    assert browser.post("/administrators/switch", {"name": "vera", "verb": "block"}).status == 303
    entry = newest(site, "administrator_block")
    assert (entry["subject"], entry["outcome"]) == ("vera", "done")
    assert secret not in str(site.call("audit", limit=50))


def test_what_a_role_may_not_is_told(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """By an operation in the trail, by a page in the log (ASVS 5.0, 16.3.2)."""
    browser = site.inside(Role.VIEWER)
    assert browser.get("/admin/api/operations/users").status == 403
    assert told(newest(site, "users")) == ("vera", "viewer", "administration", "127.0.0.1", "refused")
    assert browser.get("/administrators?password=x").status == 403
    line = "vera, viewer from 127.0.0.1 was refused /administrators: the role is too small"
    assert line in caplog.text
    assert "password=x" not in caplog.text


def test_a_form_that_is_not_ours_is_told(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """ASVS 5.0, 16.3.3: whoever tries to get around a check is seen; of a flood the first ones."""
    browser = site.inside(Role.OPERATOR)
    for _ in range(30):
        browser.token = "0" * 64
        assert browser.post("/messages", {"receiver": "08126666666", "message": WRONG}).status == 403
    line = "oki, operator from 127.0.0.1 was refused /messages: the form's token is wrong"
    assert 1 <= caplog.text.count(line) <= 10
    assert WRONG not in caplog.text


@pytest.mark.parametrize(
    ("path", "headers", "reason"),
    [
        ("/messages", {"Origin": "http://evil.example"}, "Origin is another one than that of the page"),
        ("/admin/api/operations/send", {"Sec-Fetch-Site": "cross-site"}, "Sec-Fetch-Site must be same-origin"),
        ("/login", {"Host": "evil.example"}, "Host is none of this device's names"),
    ],
)
def test_what_comes_from_elsewhere_is_told(
    site: Site, caplog: pytest.LogCaptureFixture, path: str, headers: dict[str, str], reason: str
) -> None:
    browser = site.inside(Role.OPERATOR)
    for _ in range(30):
        assert browser.ask("POST", f"{path}?x={WRONG[:5]}", b"", headers).status in (403, 421)
    assert 1 <= caplog.text.count(f"a request from 127.0.0.1 was refused {path}: {reason}") <= 10
    assert WRONG[:5] not in caplog.text
    assert "evil.example" not in caplog.text


def test_of_a_flood_of_refused_pages_it_is_told_how_many(
    site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sum was told with the next refusal only: the pages had a count of their own, which nothing looked after."""
    browser = site.inside(Role.VIEWER)
    for _ in range(30):
        assert browser.get("/administrators").status == 403
    site.gate.tidy()
    assert "more refused requests" not in caplog.text
    later = time.monotonic() + 61
    monkeypatch.setattr("otppi.kit.bursts.time", SimpleNamespace(monotonic=lambda: later))
    site.gate.tidy()
    assert "pages: 20 more refused requests in" in caplog.text


@pytest.mark.parametrize(
    "path", ["/administrators/%0d%0aERROR%20forged", "/settings/%1b%5b31m%00", "/settings/%c2%85x"]
)
def test_no_path_or_name_forges_a_line_of_the_log(site: Site, caplog: pytest.LogCaptureFixture, path: str) -> None:
    """ASVS 5.0, 16.4.1: a line is a line, and a terminal is told nothing by it."""
    with caplog.at_level(logging.DEBUG):
        browser = site.inside(Role.VIEWER)
        browser.get(path)
        browser.post("/login", {"username": "x\r\nERROR forged", "password": "x"}, User_Agent="x\x1b[31m")
        log_in(site, "adi\r\nERROR forged", "\x1b[31m")
        until(lambda: "login from" in caplog.text, "the login is in the log")
    for record in caplog.records:
        line = LineFormatter(journal=False).format(record)
        assert line.isprintable(), line
        assert not re.match("ERROR *forged", line)
