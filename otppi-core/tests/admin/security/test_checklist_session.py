"""Security checklist, row Session: the token, its cookie by HTTP and by HTTPS, when it is made anew and when it ends.

Its times and their clock are in `test_sessions.py`; what ends it in `../test_login.py`.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pyotp
import pytest

from otppi.admin.security.sessions import FRESH
from otppi.api.operations import Role
from otppi.testing.site import NAMES, PASSWORD, Site, SiteBrowser

ADMIN = NAMES[Role.ADMINISTRATOR]
HOST, PLAIN = "__Host-otppi", "otppi"
API = "/admin/api/session"
YEAR = 366 * 86_400


def by_page(browser: SiteBrowser) -> list[str]:
    """Log in, and return the cookies of the answer, as they are set."""
    browser.get("/login")
    answer = browser.post("/login", {"username": ADMIN, "password": PASSWORD})
    assert answer.status == 303
    return answer.set_cookies


def by_api(browser: SiteBrowser) -> list[str]:
    body = json.dumps({"username": ADMIN, "password": PASSWORD}).encode()
    answer = browser.ask("POST", API, body, {"Content-Type": "application/json"})
    assert answer.status == 200
    return answer.set_cookies


WAYS: dict[str, Callable[[SiteBrowser], list[str]]] = {"page": by_page, "JSON API": by_api}


@pytest.mark.parametrize("way", WAYS)
def test_by_https_the_cookie_is_of_this_host_alone_and_secure(secure_site: Site, way: str) -> None:
    browser = secure_site.secure_browser()
    (line,) = [one for one in WAYS[way](browser) if not one.startswith(f"{HOST}-")]
    assert re.fullmatch(rf"{HOST}=[\w-]{{43}}; Path=/; HttpOnly; SameSite=Strict; Secure", line)
    assert browser.get("/account").status == 200


@pytest.mark.parametrize("way", WAYS)
def test_by_http_it_has_a_name_of_its_own_on_the_same_port(secure_site: Site, way: str) -> None:
    browser = secure_site.browser()
    (line,) = [one for one in WAYS[way](browser) if not one.startswith(f"{PLAIN}-")]
    assert re.fullmatch(rf"{PLAIN}=[\w-]{{43}}; Path=/; HttpOnly; SameSite=Strict", line)
    assert browser.get("/account").status == 200


@pytest.mark.parametrize("way", WAYS)
def test_neither_is_valid_on_the_other_scheme_under_either_name(secure_site: Site, way: str) -> None:
    plain, secure = secure_site.browser(), secure_site.secure_browser()
    WAYS[way](plain)
    WAYS[way](secure)
    for name in (HOST, PLAIN):
        for other, token in (
            (secure_site.secure_browser(), plain.cookies[PLAIN]),
            (secure_site.browser(), secure.cookies[HOST]),
        ):
            other.cookies[name] = token
            assert other.get("/account").status == 303, name
            assert other.ask("GET", API).status == 401, name
    assert plain.get("/account").status == secure.get("/account").status == 200, "both are valid where they were made"


def test_who_set_a_cookie_before_the_login_has_nothing_of_it(shared_site: Site) -> None:
    """Session fixation: whatever a page on another port set, the token is ours and new (ASVS 5.0, 7.2.4)."""
    for chosen in ("x" * 43, shared_site.inside(Role.VIEWER).cookies[PLAIN]):
        browser = shared_site.browser()
        browser.cookies[PLAIN] = chosen
        by_api(browser)
        assert browser.cookies[PLAIN] != chosen
        assert SiteBrowser(shared_site.port, {PLAIN: chosen}).get("/account").status == 303, "it is nobody's now"


def test_before_the_login_nothing_is_kept(shared_site: Site) -> None:
    before = [len(shared_site.parts.sessions.of(name)) for name in NAMES.values()]
    for _ in range(3):
        browser = shared_site.browser()
        browser.get("/login")
        browser.post("/login", {"username": "nobody", "password": ""})
        assert PLAIN not in browser.cookies
    assert [len(shared_site.parts.sessions.of(name)) for name in NAMES.values()] == before


# -- made anew ---------------------------------------------------------------------------------------------------------


def test_the_password_given_again_makes_the_token_anew(site: Site) -> None:
    """Who learned the old one is out when its owner has shown once more who he is (ASVS 5.0, 7.2.4)."""
    browser = site.inside(Role.ADMINISTRATOR)
    thief = SiteBrowser(site.port, dict(browser.cookies), browser.token)
    assert thief.get("/administrators").status == 200
    (session,) = site.parts.sessions.of(ADMIN)
    session.confirmed -= FRESH + 1
    browser.get("/confirm?next=/administrators/add")
    answer = browser.post("/confirm", {"password": PASSWORD, "next": "/administrators/add"})
    assert (answer.status, answer.location) == (303, "/administrators/add")
    assert browser.get("/administrators/add").status == 200
    assert thief.get("/administrators").status == 303
    assert thief.post("/administrators/switch", {"name": "vera", "verb": "block"}).status == 403
    assert len(site.parts.sessions.of(ADMIN)) == 1


def test_what_shows_the_second_factor_leaves_no_old_token_behind(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    secret = re.findall('name="secret" value="([^"]+)"', browser.get("/account/totp").text)[0]
    tokens = [browser.cookies[PLAIN]]
    assert browser.post("/account/totp", {"secret": secret, "code": pyotp.TOTP(secret).now()}).status == 200
    tokens.append(browser.cookies[PLAIN])
    browser.get("/account")
    assert browser.post("/account/recovery").status == 200
    tokens.append(browser.cookies[PLAIN])
    browser.get("/account")
    code = pyotp.TOTP(secret).at(int(time.time()) + 30)
    assert browser.post("/account/totp_off", {"code": code}).status == 303
    tokens.append(browser.cookies[PLAIN])
    assert len(set(tokens)) == len(tokens)
    assert len(site.parts.sessions.of(ADMIN)) == 1
    for token in tokens[:-1]:
        assert SiteBrowser(site.port, {PLAIN: token}).get("/account").status == 303


def test_a_logout_ends_it_and_has_the_browser_forget(site: Site) -> None:
    browser = site.inside(Role.VIEWER)
    token = browser.cookies[PLAIN]
    browser.get("/")
    answer = browser.post("/logout")
    assert (answer.status, answer.location) == (303, "/login")
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert f"{PLAIN}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0" in answer.set_cookies
    assert SiteBrowser(site.port, {PLAIN: token}).get("/").status == 303
    assert not site.parts.sessions.of(NAMES[Role.VIEWER])


# -- the clock ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """Have the wall clock of this process jump; the monotonic one goes on."""
    real, offset = time.time, 0.0

    def jump(seconds: float) -> None:
        nonlocal offset
        offset = seconds

    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: real() + offset)
        yield jump


@pytest.mark.parametrize("seconds", [YEAR, -50 * YEAR])
def test_a_clock_that_jumps_neither_ends_nor_prolongs_it(site: Site, wall: Any, seconds: float) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    wall(seconds)
    assert browser.get("/administrators/add").status == 200, "nor is the password wanted once more"
    (session,) = site.parts.sessions.of(ADMIN)
    session.confirmed -= FRESH + 1
    assert browser.get("/administrators/add").status == 303
    session.started -= 12 * 3600
    assert browser.get("/").status == 303
