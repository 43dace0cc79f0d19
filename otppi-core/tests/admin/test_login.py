"""Getting in, and staying in: the claim, the login, the second step, the end of sessions."""

import re
import threading
import time
from html import unescape
from urllib.parse import quote

import pyotp
import pytest

from otppi.admin.security.sessions import FRESH
from otppi.api.operations import Role
from otppi.testing.site import NAMES, PASSWORD, Site, SiteBrowser
from otppi.testing.waiting import PATIENCE, until

ADMIN = NAMES[Role.ADMINISTRATOR]


def claim(site: Site, browser: SiteBrowser, **fields: str) -> int:
    browser.get("/claim")
    given = {
        "username": "rina",
        "password": PASSWORD,
        "phone": "",
        "email": "",
        "code": site.call("device_code")["code"],
    }
    return browser.post("/claim", given | fields).status


# -- the claim ---------------------------------------------------------------------------------------------------------


def test_a_new_device_asks_for_its_first_administrator(new_site: Site) -> None:
    browser = new_site.browser()
    assert browser.get("/").location == "/claim"
    assert browser.get("/login").location == "/claim"
    assert claim(new_site, browser) == 303
    assert "rina" in browser.get("/").words, "logged in at once"
    assert browser.get("/claim").status == 404
    assert claim(new_site, new_site.browser()) == 404
    assert [one["username"] for one in new_site.call("administrators")] == ["rina"]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"code": ""}, ["code"]),
        ({"code": "ABCDEFGH"}, ["code"]),
        ({"password": "short"}, ["password"]),
        ({"password": "bismillah1"}, ["password"]),
        ({"username": ""}, ["username"]),
        ({"username": "a:b"}, ["username"]),
        ({"username": "", "password": ""}, ["username", "password"]),
        ({"code": "ABCDEFGH", "username": "a:b", "password": "bismillah1"}, ["code", "username", "password"]),
        ({"password": "short", "phone": "081"}, ["password", "phone"]),
        ({"password": "\x00" * 12}, ["password"]),
        ({"phone": "0812abc"}, ["phone"]),
        ({"phone": "081"}, ["phone"]),
        ({"phone": "0812345678901234"}, ["phone"]),
    ],
)
def test_what_is_wrong_with_a_claim_is_told_beside_its_field(
    new_site: Site, fields: dict[str, str], wrong: list[str]
) -> None:
    browser = new_site.browser()
    browser.get("/claim")
    good = {
        "username": "rina",
        "password": PASSWORD,
        "phone": "",
        "email": "",
        "code": new_site.call("device_code")["code"],
    }
    answer = browser.post("/claim", good | fields)
    assert answer.status == 422
    for field in wrong:
        assert f'id="{field}-problem"' in answer.text
    assert PASSWORD not in answer.text
    assert good["code"] not in answer.text or "code" not in wrong
    assert new_site.call("administrators") == []


def test_a_password_that_was_not_at_fault_is_asked_for_again(new_site: Site) -> None:
    browser = new_site.browser()
    browser.get("/claim")
    given = {"username": "rina", "password": PASSWORD, "phone": "", "email": "", "code": "XXXX-XXXX"}
    page = browser.post("/claim", given)
    assert re.findall('id="([a-z]+)-problem"', page.text) == ["code"], "nothing else was wrong"
    assert 'id="password-help">Type it again: what was typed is shown to nobody.' in page.text


def test_of_two_claims_at_once_one_wins(new_site: Site) -> None:
    results: list[int] = []
    browsers = [new_site.browser() for _ in range(4)]
    threads = [
        threading.Thread(
            target=lambda number=number, one=one: results.append(claim(new_site, one, username=f"r{number}"))
        )
        for number, one in enumerate(browsers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(results)[0] == 303
    assert set(sorted(results)[1:]) <= {404, 409}
    assert len(new_site.call("administrators")) == 1


# -- the login ---------------------------------------------------------------------------------------------------------


def login(browser: SiteBrowser, username: str = ADMIN, password: str = PASSWORD, goes_to: str = "/") -> int:
    browser.get(f"/login?next={quote(goes_to)}")
    return browser.post("/login", {"username": username, "password": password, "next": goes_to}).status


def test_the_right_password_leads_where_one_wanted_to_go(site: Site) -> None:
    browser = site.browser()
    assert browser.get("/messages").location == "/login?next=/messages"
    browser.get("/login?next=/messages")
    answer = browser.post("/login", {"username": ADMIN, "password": PASSWORD, "next": "/messages"})
    assert (answer.status, answer.location) == (303, "/messages")
    assert browser.get("/messages").status == 200
    assert browser.get("/login").location == "/"


@pytest.mark.parametrize(
    ("username", "password"), [(ADMIN, "wrong"), ("nobody", PASSWORD), ("", ""), ("x" * 9999, "y")]
)
def test_anything_else_is_answered_alike(site: Site, username: str, password: str) -> None:
    browser = site.browser()
    browser.get("/login")
    answer = browser.post("/login", {"username": username, "password": password})
    assert answer.status == 401
    assert "Wrong username or password." in answer.words
    assert "otppi" not in browser.cookies


@pytest.mark.parametrize(
    "path", ["//evil.example", "http://evil.example", "/\\evil.example", "javascript:x", "/a\r\nX: y", ""]
)
def test_nobody_is_sent_elsewhere(site: Site, path: str) -> None:
    browser = site.browser()
    browser.get("/login")
    answer = browser.post("/login", {"username": ADMIN, "password": PASSWORD, "next": path})
    assert (answer.status, answer.location) == (303, "/")


def test_who_guesses_is_told_to_wait_and_the_owner_still_gets_in(site: Site) -> None:
    guesser = site.browser()
    statuses = [login(guesser, password=f"guess {number}") for number in range(12)]
    assert statuses[0] == 401
    assert 429 in statuses
    answer = guesser.get("/login")
    answer = guesser.post("/login", {"username": ADMIN, "password": "guess 99"})
    assert answer.status == 429
    assert "Try again in" in answer.words
    assert int(answer.headers["retry-after"]) > 0


def test_the_token_of_a_session_is_new_at_each_login(site: Site) -> None:
    browser = site.browser()
    browser.cookies["otppi"] = "chosen by somebody else"
    assert login(browser) == 303
    first = browser.cookies["otppi"]
    assert first != "chosen by somebody else"
    browser.get("/")
    assert browser.post("/logout").location == "/login"
    assert (site.call("audit")[0]["operation"], site.call("audit")[0]["actor"]) == ("logout", ADMIN)
    assert "otppi" not in browser.cookies
    assert login(browser) == 303
    assert browser.cookies["otppi"] != first
    again = SiteBrowser(site.port, {"otppi": first})
    assert again.get("/").status == 303, "the first one has ended"


# -- the second step ---------------------------------------------------------------------------------------------------


def second_factor(site: Site) -> tuple[str, list[str]]:
    browser = site.inside(Role.ADMINISTRATOR)
    page = browser.get("/account/totp")
    secret = page.text.partition('name="secret" value="')[2].partition('"')[0]
    answer = browser.post("/account/totp", {"secret": secret, "uri": "", "code": pyotp.TOTP(secret).now()})
    assert answer.status == 200, answer.words
    codes = answer.text.partition('<pre id="codes">')[2].partition("</pre>")[0].split()
    assert len(codes) == 10
    assert browser.get("/").status == 200, "this browser stays in"
    return secret, codes


def test_the_second_step_and_a_recovery_code(site: Site) -> None:
    secret, codes = second_factor(site)
    browser = site.browser()
    assert login(browser) == 200
    assert browser.get("/messages").status == 303, "not in yet"
    assert browser.post("/login/code", {"code": "000000"}).status == 401
    assert browser.post("/login/code", {"code": codes[0]}).status == 303
    assert browser.get("/").status == 200
    other = site.browser()
    assert login(other) == 200
    assert other.post("/login/code", {"code": codes[0]}).status == 401, "each is taken once"
    assert secret not in str(vars(site.data.audit))


def test_a_code_alone_lets_nobody_in(site: Site) -> None:
    second_factor(site)
    browser = site.browser()
    browser.get("/login")
    assert browser.post("/login/code", {"code": "000000"}).status == 401
    assert login(browser) == 200
    stranger = site.browser()
    stranger.get("/login")
    assert stranger.post("/login/code", {"code": "000000"}).status == 401
    for _ in range(5):
        browser.post("/login/code", {"code": "111111"})
    answer = browser.post("/login/code", {"code": "222222"})
    assert "Begin once more" in answer.words


# -- the end of sessions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["deactivate", "block", "remove"])
def test_who_may_no_longer_is_out_at_once(site: Site, verb: str) -> None:
    browser = site.inside(Role.OPERATOR)
    assert browser.get("/messages").status == 200
    site.call(f"administrator_{verb}", username=NAMES[Role.OPERATOR])
    assert browser.get("/messages").status == 303


def test_another_role_counts_at_once(site: Site) -> None:
    browser = site.inside(Role.VIEWER)
    site.call("administrator_edit", username=NAMES[Role.VIEWER], role="operator")
    assert browser.get("/messages").status == 303, "what was begun in the old role ends"
    assert site.inside(Role.VIEWER).get("/messages").status == 200


def test_a_new_password_ends_the_other_sessions(site: Site) -> None:
    here, there = site.inside(Role.ADMINISTRATOR), site.inside(Role.ADMINISTRATOR)
    here.get("/account")
    answer = here.post("/account/password", {"old_password": PASSWORD, "new_password": "pintu biru di loteng"})
    assert answer.status == 303, answer.words
    assert "The password is changed." in here.get("/account").words
    assert there.get("/account").status == 303
    assert login(site.browser(), password="pintu biru di loteng") == 303


def test_the_password_is_asked_again_before_what_could_lock_others_out(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    (session,) = site.parts.sessions.of(ADMIN)
    session.confirmed -= FRESH + 1
    assert browser.get("/administrators/add").location == "/confirm?next=/administrators/add"
    browser.get("/confirm?next=/administrators/add")
    wrong = browser.post("/confirm", {"password": "wrong", "next": "/administrators/add"})
    assert (wrong.status, "Wrong password." in wrong.words) == (401, True), "nobody was asked for a name"
    answer = browser.post("/confirm", {"password": PASSWORD, "next": "/administrators/add"})
    assert (answer.status, answer.location) == (303, "/administrators/add")
    assert browser.get("/administrators/add").status == 200


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        (
            "/administrators/edit",
            {"name": NAMES[Role.VIEWER], "username": NAMES[Role.VIEWER], "role": "operator", "phone": "0812666777"},
        ),
        ("/settings/administration", {"host_names": "otp.example"}),
    ],
)
def test_what_was_typed_comes_after_the_password_that_is_asked_again(
    site: Site, path: str, typed: dict[str, str]
) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    query = f"?name={typed['name']}" if "name" in typed else ""
    browser.get(path + query)
    (session,) = site.parts.sessions.of(ADMIN)
    session.confirmed -= FRESH + 1
    asked = browser.post(path, typed)
    assert (asked.status, "Your password again" in asked.words) == (403, True)
    kept = unescape(asked.text.partition('name="kept" value="')[2].partition('"')[0])
    wrong = browser.post("/confirm", {"password": "wrong", "next": path, "kept": kept})
    assert 'name="kept"' in wrong.text
    shown = browser.post("/confirm", {"password": PASSWORD, "next": path, "kept": kept})
    assert shown.status == 200
    assert "What you typed is still here" in shown.words
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', shown.text))
    assert typed.items() <= {name: unescape(value) for name, value in hidden.items()}.items()
    again = browser.post(path, {name: unescape(value) for name, value in hidden.items() if name != "form_token"})
    assert again.status in (200, 303)


def test_what_goes_with_a_session_stays_with_it_when_the_password_is_given_again(site: Site) -> None:
    """What was uploaded and is being read, say: it would be gone in the middle."""
    browser = site.inside(Role.ADMINISTRATOR)
    (session,) = site.parts.sessions.of(ADMIN)
    ended: list[bool] = []
    session.on_end.append(lambda: ended.append(True))
    before = dict(browser.cookies)
    browser.get("/confirm?next=/")
    assert browser.post("/confirm", {"password": PASSWORD, "next": "/"}).status == 303
    assert browser.cookies != before, "with another token"
    assert site.parts.sessions.of(ADMIN) == [session]
    assert not ended
    stolen = site.browser()
    stolen.cookies = before
    assert stolen.get("/account").status == 303


@pytest.mark.parametrize("by", ["app", "recovery code"])
def test_where_there_is_a_second_step_it_is_asked_again_too(site: Site, by: str) -> None:
    secret, codes = second_factor(site)
    browser = site.inside(Role.ADMINISTRATOR)
    for session in site.parts.sessions.of(ADMIN):
        session.confirmed -= FRESH + 1
    assert 'name="code"' in browser.get("/confirm?next=/administrators/add").text
    given = {"password": PASSWORD, "next": "/administrators/add"}
    assert browser.post("/confirm", given).status == 401, "the password alone"
    assert browser.post("/confirm", given | {"code": "000000"}).status == 401
    assert browser.get("/administrators/add").status == 303, "not yet"
    code = pyotp.TOTP(secret).at(int(time.time()) + 30) if by == "app" else codes[0]
    assert browser.post("/confirm", given | {"code": code}).status == 303
    assert browser.get("/administrators/add").status == 200


def test_a_session_of_another_browser_is_ended(site: Site) -> None:
    here, there = site.inside(Role.ADMINISTRATOR), site.inside(Role.ADMINISTRATOR)
    page = here.get("/account")
    assert "End this session" in page.words
    ids = [one.shown_id for one in site.parts.sessions.of(ADMIN)]
    for one in ids:
        here.post("/account/end", {"session": one})
    assert here.get("/").status == 200, "the own one stays"
    until(lambda: there.get("/").status == 303)


# -- a forgotten password ----------------------------------------------------------------------------------------------


def newest_code(site: Site) -> str:
    """Return the code of the newest message on the simulated phone."""
    until(lambda: site.call("phone"), "a message has arrived")
    return str(re.findall(r"\b[0-9]{8}\b", site.call("phone")[-1]["text"])[0])


def test_a_forgotten_password_is_set_anew_by_a_number_that_was_confirmed(site: Site) -> None:
    until(lambda: site.call("modems")[0]["state"] == "ready")
    own = site.inside(Role.OPERATOR)
    own.get("/account")
    about = {"preferred_language": "", "phone": "08126666666", "email": ""}
    assert own.post("/account/about", about | {"phone": "08127777777"}).status == 303
    wrong = own.post("/account/phone", about | {"phone": "0812666abc"})
    assert (wrong.status, 'value="0812666abc" aria-invalid="true"' in wrong.text) == (422, True)
    page = own.post("/account/phone", about)  # saved, too
    assert "It goes to 08126666666 by SMS." in page.words
    ticket = page.text.partition('name="ticket" value="')[2].partition('"')[0]
    site.parts.sessions.of(NAMES[Role.OPERATOR])[0].confirmed -= FRESH + 1  # the SMS took its time
    assert own.post("/account/phone_confirm", {"ticket": ticket, "code": "00000000"}).status == 422
    assert own.post("/account/phone_confirm", {"ticket": ticket, "code": newest_code(site)}).status == 303
    assert "The number is confirmed." in own.get("/account").words
    known, browser = len(site.call("phone")), site.browser()
    browser.get("/forgotten")
    page = browser.post("/forgotten", {"username": NAMES[Role.OPERATOR]})
    assert page.status == 200
    until(lambda: len(site.call("phone")) > known, "the code has arrived")
    ticket = page.text.partition('name="ticket" value="')[2].partition('"')[0]
    given = {"ticket": ticket, "code": newest_code(site), "new_password": "lemari merah di dapur"}
    assert browser.post("/forgotten/code", given | {"new_password": "short"}).status == 422
    assert browser.post("/forgotten/code", given | {"ticket": "another browser's"}).status == 422
    assert browser.post("/forgotten/code", given).location == "/login?changed=1"
    assert own.get("/account").status == 303, "all sessions have ended"
    assert login(site.browser(), NAMES[Role.OPERATOR], "lemari merah di dapur") == 303
    assert browser.post("/forgotten/code", given).status == 422, "once"


def test_who_forgot_is_answered_alike_whether_known_or_not(site: Site) -> None:
    until(lambda: site.call("modems")[0]["state"] == "ready")
    pages = []
    for name in (NAMES[Role.VIEWER], "nobody"):
        browser = site.browser()
        browser.get("/forgotten")
        answer = browser.post("/forgotten", {"username": name})
        pages.append((answer.status, re.sub(r'value="[^"]*"', "", answer.text)))
    assert pages[0] == pages[1]
    assert not site.call("phone")


def test_for_a_day_it_is_told_when_and_from_where_the_device_was_claimed(
    new_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = new_site.browser()
    claim(new_site, owner)
    told = r"The administrator was created at \d\d:\d\d from 127\.0\.0\.1\. Was it not you\?"
    assert re.search(told, owner.get("/").words)
    assert re.search(told, new_site.browser().get("/login").words)
    assert re.search(told, new_site.browser().get("/claim").words)
    stranger = new_site.browser()
    stranger.headers = {"Accept-Language": "id"}
    assert re.search(r"Administrator dibuat pukul \d\d\.\d\d dari 127\.0\.0\.1\. Bukan", stranger.get("/login").words)
    now = time.monotonic()
    monkeypatch.setattr(new_site.parts.claim, "_clock", lambda: now + 86_401.0)
    for path in ("/login", "/claim"):
        assert "was created at" not in new_site.browser().get(path).words
    assert "was created at" not in owner.get("/").words
