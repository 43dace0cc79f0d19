"""The page of a modem: who sees what, USSD with its dialogue, the lock of the SIM card, and the names of strangers."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.admin.pages import answers, modem_page
from otppi.admin.pages.needs import CAUSES, OF_TEMPLATES
from otppi.api.operations import Role
from otppi.simulator import ModemProfile, ModemRack, ScriptedUssdAnswer
from otppi.testing.site import Site, SiteAnswer, SiteBrowser
from otppi.testing.waiting import until
from otppi.text import Text, _
from otppi.text.languages import translated

TABS = ("show", "test", "inbox", "ussd", "sim")
HOSTILE = "<script>alert(1)</script>\x07\u202egnp.exe"
MARKER = "kode 7351 jangan dibagi"
PIN, PUK = "4711", "12345678"
MENU = ScriptedUssdAnswer(
    "1 <b>Pulsa</b>\n2 Paket", mode=1, replies={"1": ScriptedUssdAnswer("Pulsa Anda: Rp 12.345, no. 08120000001")}
)


def ready(site: Site, name: str = "m0") -> None:
    until(lambda: state(site, name) == "ready", what=f"{name} is ready")


def state(site: Site, name: str) -> str:
    return str(next((one["state"] for one in site.call("modems") if one["modem_id"] == name), ""))


def followed(browser: SiteBrowser, answer: SiteAnswer) -> SiteAnswer:
    assert answer.status == 303, answer.words
    return browser.get(answer.location)


@pytest.fixture
def rack(tmp_path: Path) -> Iterator[ModemRack]:
    """A locked SIM card, a menu by USSD, and a modem whose maker and operator have strange names, on a real pty."""
    name = HOSTILE.encode("ascii", "ignore").decode()
    profile = ModemProfile(name="locked", pin=PIN, puk=PUK, operator=name, manufacturer=name, ussd={"*363#": MENU})
    with ModemRack(profiles=[profile], directory=tmp_path) as one:
        yield one


@pytest.fixture
def locked(site: Site, rack: ModemRack) -> Site:
    """The site with that modem as m1, whose PIN nobody has set."""
    site.call("settings_add", section="modems", values={"name": "m1", "type": "at", "port": str(rack.paths[0])})
    until(lambda: state(site, "m1") == "blocked", what="the SIM card asks for its PIN")
    return site


@pytest.fixture
def opened(locked: Site) -> Site:
    """The same, with its PIN."""
    locked.call("settings_put", path="modems.m1", values={"sim_card_pin": PIN, "quick_codes": ["Menu: *363#"]})
    ready(locked, "m1")
    return locked


def test_the_tabs_are_for_the_roles_that_may(shared_site: Site) -> None:
    ready(shared_site)
    shown = {role: shared_site.inside(role).get("/modems/show?modem=m0").text for role in Role}
    for tab in TABS:
        operators = tab in ("test", "inbox", "ussd")
        for role in Role:
            seen = role.covers(Role.OPERATOR) or not operators
            assert (f'href="/modems/{tab}?modem=m0"' in shown[role]) is seen
            answer = shared_site.inside(role).get(f"/modems/{tab}?modem=m0")
            assert answer.status == (200 if seen else 403)
            assert not seen or "data-poll" in answer.text
            assert shared_site.inside(role).get(f"/modems/{tab}?modem=none").status == (404 if seen else 403)
    assert "/settings/modems/edit" in shown[Role.ADMINISTRATOR]
    assert "/settings/modems/edit" not in shown[Role.OPERATOR]


def test_a_modem_that_nobody_uses_says_so_on_each_tab_and_is_activated_there(site: Site) -> None:
    ready(site)
    browser = site.inside(Role.ADMINISTRATOR)
    browser.get("/modems")
    assert "m0 is not active." in followed(browser, browser.post("/modems/deactivate", {"modem": "m0"})).words
    assert [one["active"] for one in site.call("modem_overview")] == [False]
    for tab in ("show", "test", "ussd", "sim"):
        assert "This modem is not active" in browser.get(f"/modems/{tab}?modem=m0").words
    assert "m0 is active." in followed(browser, browser.post("/modems/activate", {"modem": "m0"})).words
    ready(site)
    assert browser.post("/modems/activate", {"modem": "none"}).status == 422
    assert site.inside(Role.OPERATOR).post("/modems/deactivate", {"modem": "m0"}).status == 403


def test_without_a_modem_a_simulated_one_is_tried(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    site.call("settings_remove", path="modems.m0")
    page = browser.get("/modems")
    assert "No modem yet. Plug one in: it appears here within seconds." in page.words
    assert "Coba dengan modem simulasi" in browser.get("/modems", Accept_Language="id").words
    assert "Try a simulated one" not in site.inside(Role.OPERATOR).get("/modems").words
    assert "m0 is in use." in followed(browser, browser.post("/modems/simulate")).words
    ready(site)
    assert [one["default_modem"] for one in site.call("modem_overview")] == [True]


def test_a_test_is_sent_by_this_modem_and_a_failure_says_what_to_do(opened: Site, rack: ModemRack) -> None:
    opened.call("administrator_edit", username="oki", phone="08125550000")
    browser = opened.inside(Role.OPERATOR)
    page = browser.get("/modems/test?modem=m1", Accept_Language="id")
    assert re.search(r'name="receiver" value="\+?(0|62)8125550000"', page.text), "the own number is filled in"
    assert 'value="Uji OTP-Pi"' in page.text
    assert browser.post("/modems/test", {"modem": "m1", "receiver": "x", "message": "a"}).status == 422
    assert browser.get("/modems/test?modem=m1&message=none").status == 404
    rack.modems[0].inject("cms-error", code=50)
    sent = browser.post("/modems/test", {"modem": "m1", "receiver": "08126666666", "message": MARKER})
    assert sent.status == 303, sent.words
    assert "08126666666" not in sent.location
    until(lambda: "Operator menolak. Sering kali pulsa habis" in browser.get(sent.location, Accept_Language="id").words)
    page = browser.get(sent.location)
    assert "The operator refuses. Often the balance is used up: read it." in page.words
    assert "Try again" in page.words
    assert "data-poll" not in page.text.partition('id="outcome"')[2].partition(">")[0]
    assert MARKER not in page.text


def test_a_session_that_asks_back_is_gone_on_with(opened: Site, caplog: pytest.LogCaptureFixture) -> None:
    browser = opened.inside(Role.OPERATOR)
    with caplog.at_level(logging.DEBUG):
        page = browser.get("/modems/ussd?modem=m1")
        assert "Menu *363#" in page.words
        page = followed(browser, browser.post("/modems/ussd", {"modem": "m1", "code": "*363#"}))
        until(lambda: "2 Paket" in browser.get("/modems/ussd?modem=m1").words, what="the menu is shown")
        page = browser.get("/modems/ussd?modem=m1")
        assert "1 <b>Pulsa</b>" in page.words
        assert "<b>Pulsa" not in page.text
        (session,) = [one["session"] for one in opened.call("ussd_sessions")]
        pressed = browser.post("/modems/ussd/reply", {"modem": "m1", "session": session, "code": "", "press": "1"})
        assert 'name="code" value="1"' in pressed.text
        page = followed(browser, browser.post("/modems/ussd/reply", {"modem": "m1", "session": session, "code": "1"}))
        until(lambda: "Rp 12.345" in browser.get(f"/modems/ussd?modem=m1&session={session}").words)
        page = browser.get(f"/modems/ussd?modem=m1&session={session}")
        assert page.words.index("*363#") < page.words.index("2 Paket") < page.words.index("Rp 12.345")
        assert "The session has ended." in page.words
    for secret in ("Pulsa Anda", "08120000001", "*363#"):
        assert secret not in caplog.text
    elsewhere = opened.inside(Role.ADMINISTRATOR).get(f"/modems/ussd?modem=m1&session={session}")
    assert "Rp 12.345" not in elsewhere.words, "only who began it sees what was said"


def test_a_session_of_somebody_else_is_told_and_ended(opened: Site) -> None:
    opened.call("ussd", modem="m1", code="*363#")
    browser = opened.inside(Role.OPERATOR)
    page = browser.get("/modems/ussd?modem=m1")
    assert "command-line/administrator has a USSD session on this modem." in page.words
    assert "2 Paket" not in page.words
    refused = browser.post("/modems/ussd", {"modem": "m1", "code": "*363#"})
    assert refused.status == 503
    assert "has a USSD session on m1" in refused.words
    assert 'name="code" value="*363#"' in refused.text, "what was typed is kept"
    assert "The USSD session is ended." in followed(browser, browser.post("/modems/ussd/cancel", {"modem": "m1"})).words
    assert opened.call("ussd_sessions") == []


@pytest.mark.parametrize(
    ("typed", "key", "now"),
    [("*12", "3", "*123"), ("*12", "back", "*1"), ("*12", "x", "*12"), ("1" * 182, "2", "1" * 182)],
)
def test_the_keys_type_without_script(shared_site: Site, typed: str, key: str, now: str) -> None:
    browser = shared_site.inside(Role.OPERATOR)
    browser.get("/modems/ussd?modem=m0")
    page = browser.post("/modems/ussd", {"modem": "m0", "code": typed, "press": key})
    assert page.status == 200
    assert f'name="code" value="{now}"' in page.text
    assert shared_site.call("ussd_sessions") == []


def test_the_last_try_is_used_only_by_who_types_that_it_is_meant(locked: Site) -> None:
    browser = locked.inside(Role.ADMINISTRATOR)
    page = browser.get("/modems/sim?modem=m1")
    assert "The SIM asks for its PIN. 3 tries left." in page.words
    assert 'href="/modems/sim?modem=m1"' in browser.get("/modems/show?modem=m1").text
    given = {"modem": "m1", "verb": "enter-pin", "secret": "9999"}
    for left in (2, 1):
        assert browser.post("/modems/sim/change", given).status == 422
        assert f"{left} {'try' if left == 1 else 'tries'} left." in browser.get("/modems/sim?modem=m1").words
    refused = browser.post("/modems/sim/change", given | {"secret": PIN})
    assert refused.status == 422
    assert "Type LAST TRY: one try is left" in refused.words
    assert locked.call("sim_status", modem="m1")["pin_tries"] == 1, "it was not tried"
    assert PIN not in refused.text
    wrong = browser.post("/modems/sim/change", given | {"word": "coba  terakhir"})
    assert wrong.status == 422
    page = browser.get("/modems/sim?modem=m1")
    assert "The SIM is locked and needs the operator's PUK. 10 tries left." in page.words
    assert "Sisa 10 kali coba." in browser.get("/modems/sim?modem=m1", Accept_Language="id").words
    locked_now = "The SIM is locked and needs the operator's PUK. Ask the operator for it"
    until(lambda: locked_now in browser.get("/modems/show?modem=m1").words, what="its page says so, too")
    unblocked = browser.post("/modems/sim/change", {"modem": "m1", "verb": "unblock", "secret": PUK, "new_pin": "1122"})
    assert "The SIM card is unlocked, and has the new PIN." in followed(browser, unblocked).words
    ready(locked, "m1")
    assert "The SIM card can be used." in browser.get("/modems/sim?modem=m1").words
    assert locked.inside(Role.OPERATOR).post("/modems/sim/change", given).status == 403


def test_what_strangers_call_themselves_is_text(opened: Site, rack: ModemRack) -> None:
    rack.modems[0].deliver("62811", HOSTILE)
    until(lambda: opened.call("inbox_list"), what="the message is there")
    browser = opened.inside(Role.ADMINISTRATOR)
    for path in ("/modems", "/modems/show?modem=m1", "/modems/inbox?modem=m1", "/messages/inbox", "/monitor", "/"):
        page = browser.get(path)
        assert page.status == 200, path
        assert "<script>alert" not in page.text, path
        assert not {"\x07", "\u202e"} & set(page.text), path
    assert "<script>alert(1)</script>" in browser.get("/modems/inbox?modem=m1").words
    assert "<script>alert(1)</script>" not in browser.get("/modems/inbox?modem=m0").words, "it came in by another modem"
    (message,) = opened.call("inbox_list", modem="m1")
    back = {"id": message["message_id"], "verb": "delete", "next": "/modems/inbox?modem=m1"}
    deleted = followed(browser, browser.post("/messages/inbox/selected", back))
    assert "No SMS has come in by this modem yet." in deleted.words


@pytest.mark.parametrize(
    "key",
    ["sim-pin", "sim-pin-refused", "sim-puk", "no-sim", "no-network", "absent", "port-busy", "sandbox", "daily-quota"],
)
def test_each_cause_is_told_on_the_page_with_what_to_do(
    shared_site: Site, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """The driver's own sentence stands below, in small print."""
    ready(shared_site)
    told = {
        "sim-puk": _("the SIM asks for {status}", status="SIM PUK"),
        "no-sim": _("the SIM cannot be used: {cme_meaning}", cme_meaning="SIM not inserted"),
        "absent": _("there is no {path}", path="/dev/ttyUSB9"),
    }
    template = next((one for one, found in OF_TEMPLATES.items() if found == key), "")
    detail = told.get(key) or Text(template, {"registration": "?", "path": "/dev/x", "named": "y"}, domain="otppi")
    state_now = "ready" if key == "daily-quota" else "absent" if key == "absent" else "blocked"

    def perform(parts: Any, operation: str, **arguments: Any) -> Any:
        result = answers.perform(parts, operation, **arguments)
        return [one | {"state": state_now, "detail": detail} for one in result] if operation == "modems" else result

    monkeypatch.setattr(modem_page, "perform", perform)
    for language in ("id", "en"):
        for path in ("/modems/show?modem=m0", "/modems/ussd?modem=m0"):
            page = shared_site.inside(Role.OPERATOR).get(path, Accept_Language=language).words
            cause, advice = (translated(one, language) for one in CAUSES[key])
            assert cause.rstrip(".") in page
            assert advice in page
            assert f"{translated(detail, language)}" in page


def test_what_depends_on_a_modem_is_told_before_it_is_removed(opened: Site) -> None:
    browser = opened.inside(Role.ADMINISTRATOR)
    opened.call("settings_put", path="modems.m1", values={"recipient_prefixes": ["0811"], "active": False})
    page = browser.get("/settings/modems/remove?_item=m1").words
    assert "Receivers whose number begins with 62811 go by another modem." in page
    assert "nothing is sent any more" not in page
    page = browser.get("/settings/modems/remove?_item=m0").words
    assert "It is the default modem" in page
    assert "No other modem is active: nothing is sent any more." in page


def test_a_renamed_modem_keeps_its_pin_and_its_counters(opened: Site) -> None:
    sent: Any = opened.call("send", receiver="08126666666", message="a", modem="m1", wait=10.0)
    assert sent["state"] in ("sent", "delivered")
    before = next(one["usage"] for one in opened.call("modems") if one["modem_id"] == "m1")
    opened.call("settings_put", path="modems.m1", values={"name": "kantor"})
    ready(opened, "kantor")
    after = next(one["usage"] for one in opened.call("modems") if one["modem_id"] == "kantor")
    assert after["today"]["messages"] == before["today"]["messages"] == 1
    assert "The SIM card can be used." in opened.inside(Role.VIEWER).get("/modems/sim?modem=kantor").words
