"""Security checklist, rows Password, Login and TOTP, as the pages keep them.

How fast may be guessed, and that an unknown name costs the same, is in `../../host/administrators/`, in
`test_administrators.py`; there in `test_passwords.py` which passwords are taken, in `test_second_factor.py` codes.
"""

import re
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pyotp
import pytest

from otppi.api.operations import Role
from otppi.host.messages.clock import ClockWatch
from otppi.testing.html import HtmlPage
from otppi.testing.page_routes import page_routes
from otppi.testing.site import NAMES, PASSWORD, Site, SiteBrowser
from otppi.testing.waiting import PATIENCE, until

ADMIN = NAMES[Role.ADMINISTRATOR]
PAGES = [path for path, access in page_routes() if "GET" in access.methods and not access.background]
CLOCK = "The device's clock is not set; codes may be refused."


@pytest.fixture(scope="module")
def secret(shared_site: Site) -> str:
    """Switch the second step of the administrator on, and return its secret."""
    made = str(shared_site.call("totp_new", username=ADMIN)["secret"])
    code = pyotp.TOTP(made).at(time.time() - 30)
    shared_site.call("administrator_totp_on", username=ADMIN, secret=made, code=code)
    return made


def at_the_second_step(site: Site) -> SiteBrowser:
    browser = site.browser()
    browser.get("/login")
    answer = browser.post("/login", {"username": ADMIN, "password": PASSWORD})
    assert (answer.status, 'name="code"' in answer.text) == (200, True)
    return browser


# -- passwords -------------------------------------------------------------------------------------------------------


def password_fields(site: Site) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield each field for an administrator's password, by its page."""
    inside, stranger = site.inside(Role.ADMINISTRATOR), site.browser()
    for path in [*(one for one in PAGES if one != "/users/add"), "/administrators/edit?name=vera"]:
        for answer in (inside.get(path), stranger.get(path)):
            for tag, attributes in HtmlPage(answer.text).elements:
                if tag == "input" and attributes.get("name") in ("password", "old_password", "new_password"):
                    yield path, attributes


def test_a_password_may_be_long_pasted_seen_and_kept_by_the_browser(shared_site: Site) -> None:
    """ASVS 5.0, 6.2.6 to 6.2.8 and 6.2.12: nothing stands in the way of who has a good one."""
    found = list(password_fields(shared_site))
    assert {"/login", "/confirm", "/account", "/administrators/add"} <= {path for path, _ in found}
    for path, field in found:
        assert field["type"] == "password", path
        assert int(field.get("maxlength", 128)) >= 128, path
        assert field["autocomplete"] in ("current-password", "new-password"), path
        assert field.get("data-reveal"), path
        assert not {"onpaste", "pattern", "readonly"} & field.keys(), path


def test_the_longest_password_and_any_character_let_one_in(site: Site) -> None:
    longest = ("tikar \u00e9\u4e2d\U0001f511 \"'<>& merah " * 9)[:128]
    site.call("administrator_add", username="ayu", password=longest, role="viewer")
    for typed, status in ((longest[:-1], 401), (longest, 303)):
        browser = site.browser()
        browser.get("/login")
        assert browser.post("/login", {"username": "ayu", "password": typed}).status == status


# -- the second step -------------------------------------------------------------------------------------------------


def test_where_the_clock_may_be_wrong_it_is_said_where_a_code_is_wanted(
    shared_site: Site, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = shared_site.inside(Role.ADMINISTRATOR)
    other = shared_site.inside(Role.VIEWER)
    for wrong in (False, True):
        monkeypatch.setattr(ClockWatch, "warnings", lambda self, wrong=wrong: ["it was put back"] if wrong else [])
        browser = at_the_second_step(shared_site)
        asked = [
            inside.get("/confirm"), other.get("/account/totp"), browser.post("/login/code", {"code": "000000"}),
        ]  # fmt: skip
        assert [CLOCK in one.words for one in asked] == [wrong] * 3
        assert CLOCK not in other.get("/confirm").words, "who has no code is not told of the clock"


def test_a_code_is_taken_once_also_where_the_clock_is_put_back(
    shared_site: Site, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time() + 60
    administrators: Any = shared_site.parts.administrators
    monkeypatch.setattr(administrators, "_now", lambda: now)
    code = pyotp.TOTP(secret).at(now)
    assert at_the_second_step(shared_site).post("/login/code", {"code": code}).status == 303
    for later in (0, 29, -30, -3600):
        monkeypatch.setattr(administrators, "_now", lambda later=later: now + later)
        answer = at_the_second_step(shared_site).post("/login/code", {"code": code})
        assert (answer.status, "was used before" in answer.words) == (401, True), later


def test_who_knows_the_password_alone_guesses_slowly(site: Site) -> None:
    """Five codes for a password, then the wait of the account grows: also by many browsers at once."""
    made = str(site.call("totp_new", username=ADMIN)["secret"])
    site.call("administrator_totp_on", username=ADMIN, secret=made, code=pyotp.TOTP(made).now())
    told: list[str] = []

    def guess() -> None:
        browser = at_the_second_step(site)
        told.extend(browser.post("/login/code", {"code": f"{number:06}"}).words for number in range(4))

    threads = [threading.Thread(target=guess) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(PATIENCE)
    looked_at = [one for one in told if "This code is wrong" in one]
    assert len(told) == 16
    assert len(looked_at) <= 6, "five, and one when the first wait of a second is over"
    assert all("Try again in" in one for one in told if one not in looked_at)
    assert site.inside(Role.VIEWER).get("/").status == 200


# -- floods ----------------------------------------------------------------------------------------------------------


def test_a_flood_of_logins_keeps_nobody_from_the_pages_or_from_sending(site: Site) -> None:
    until(lambda: site.call("modems")[0]["state"] == "ready", "the modem is ready")
    over, answers = threading.Event(), list[int]()

    def flood(number: int) -> None:
        browser = site.browser()
        browser.get("/login")
        while not over.is_set():
            name = f"nobody{number}" if number % 2 else ADMIN
            answers.append(browser.post("/login", {"username": name, "password": f"guess {len(answers)}"}).status)

    threads = [threading.Thread(target=flood, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    try:
        until(lambda: len(answers) > 5, "the flood has begun")
        browser = site.inside(Role.OPERATOR)
        for path in ("/", "/messages", "/modems", "/monitor"):
            assert browser.get(path).status == 200
        browser.get("/messages")
        answer = browser.post("/messages", {"receiver": "08126666666", "message": "Halo", "modem": "m0"})
        assert answer.status == 303, answer.words
        until(lambda: site.call("phone"), "the message has arrived")
        assert set(answers) <= {401, 429, 503}
    finally:
        over.set()
        for one in threads:
            one.join(PATIENCE)
    assert re.search("[0-9]", str(site.parts.administrators.log.describe()["failed"]))
