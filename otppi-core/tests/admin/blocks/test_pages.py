"""Pages of an installed plugin: what fails harms its own place, what is hostile is text, what is asked for is done."""

import importlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

import pytest

from otppi.api.operations import Role
from otppi.host.core import load_plugins
from otppi.testing.site import Site
from otppi.testing.waiting import until

SOURCE = """
import threading
from otppi.api import hookimpl
from otppi.api.blocks import *
from otppi.api.blocks import Level
from otppi.api.errors import NotSupported
from otppi.api.operations import Operation, Role
from otppi.api.pages import Page, Tile
from otppi.api.settings import Section, integer, text

HELD = threading.Event()
CODE = "123456"
DONE = []
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}{% raw %}'


def raises(context):
    yield Paragraph("before it failed")
    raise ValueError("the code is " + CODE)


def hangs(context):
    yield Paragraph("before it hung")
    HELD.wait(60)


def nonsense(context):
    return [Paragraph("first"), "a text", Table(title="T", columns=("a",), rows=[("x", "y")]), Paragraph("last"),
            Table(title="R", columns=("a",), rows=(1 / 0 for _ in "x"))]


def hostile(context):
    return [Notice(Level.WARN, HOSTILE), Paragraph(HOSTILE), Facts({HOSTILE: HOSTILE}, title=HOSTILE),
            Table(title=HOSTILE, columns=(HOSTILE, "b"), rows=[(HOSTILE, Mark(Level.BAD, HOSTILE)), ("=1", 2)]),
            Chart(title=HOSTILE, points=[(HOSTILE, 1), ("b", 2)], unit=HOSTILE),
            Chart(title=HOSTILE, points=[(HOSTILE, 1), (HOSTILE, 2)], kind=ChartKind.LINE),
            Table(title="e", columns=("a",), rows=[], empty=HOSTILE),
            Table(title="b", columns=("a",), rows=[(OperationButton("top_up", {HOSTILE: HOSTILE}, HOSTILE),)]),
            Form(HOSTILE), Operations([HOSTILE])]


def good(context):
    return [Facts({"SIM cards": len(context.modems), "Limit": context.settings("stock")["limit"]}), Form("stock")]


def top_up(call, modem, amount):
    if modem == "refuse":
        raise NotSupported("this modem cannot")
    if modem == "fault":
        raise RuntimeError("the code is " + CODE)
    DONE.append((call.actor.name, modem, amount))
    return {"modem": modem, "new_balance": 5000}


TOP_UP = Operation(name="top_up", title="Top up", help="Send the code.", handler=top_up, role=Role.OPERATOR,
                   parameters=(text("modem", "Modem", "Its name.", required=True),
                               integer("amount", "Amount", "Of it.", 5, minimum=1)),
                   subject="modem", confirm="This costs money.")


@hookimpl
def otppi_sections():
    return [Section(key="stock", title="Stock", help="About it.", reset_group="stock", settings=(
        integer("limit", "Limit", "Of it.", 7, minimum=1, maximum=99), text("token", "Token", "Secret.", secret=True)))]


def tile(context):
    return Tile(Level.WARN, HOSTILE)


@hookimpl
def otppi_admin_pages():
    return [Page(key="good", title="Good", blocks=good, sections=("stock",), operations=(TOP_UP,),
                 tile=lambda context: Tile(Level.GOOD, "All cards are full.")),
            Page(key="raising", title="Raising", blocks=raises),
            Page(key="hanging", title="Hanging", blocks=hangs),
            Page(key="nonsense", title="Nonsense", blocks=nonsense),
            Page(key="raising-tile", title="Raising tile", blocks=good, tile=lambda context: 1 / 0),
            Page(key="nonsense-tile", title="Nonsense tile", blocks=good, tile=lambda context: "text"),
            Page(key="hostile", title=HOSTILE, blocks=hostile, tile=tile, role=Role.OPERATOR)]
"""


@pytest.fixture(scope="module")
def plugged(install: Callable[[str, str], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with the plugin, which is found as any other that is installed."""
    install("stock", SOURCE)
    before = set(threading.enumerate())
    plugins = load_plugins()
    assert [one.error for one in plugins.status if one.name == "stock"] == [None]
    site = Site(tmp_path_factory.mktemp("site"), claimed=True, plugins=plugins)
    yield site
    plugin().HELD.set()
    site.close()
    until(lambda: set(threading.enumerate()) <= before, "all threads have ended")


def plugin() -> Any:
    return importlib.import_module("otppi_stock_of_a_test")


def test_a_page_is_in_the_menu_and_shows_what_it_was_given(plugged: Site) -> None:
    browser = plugged.inside(Role.VIEWER)
    assert 'href="/pages/good"' in browser.get("/").text
    page = browser.get("/pages/good")
    assert page.status == 200
    assert "SIM cards 1 Limit 7" in page.words
    assert 'href="/pages/good" aria-current="page"' in page.text


def test_a_page_is_for_its_role(plugged: Site) -> None:
    viewer = plugged.inside(Role.VIEWER)
    assert "/pages/hostile" not in viewer.get("/").text
    for path in ("/pages/hostile", "/pages/hostile/csv?table=0"):
        assert viewer.get(path).status == 403
    assert plugged.browser().get("/pages/good").location.startswith("/login?next=/pages/good")
    operator = plugged.inside(Role.OPERATOR)
    for path in ("/pages", "/pages/other", "/pages/good/csv?table=0", "/pages/hostile/csv?table=9", "/pages/a/b/c"):
        assert operator.get(path).status == 404
    assert operator.get("/pages/good/top_up").status == 405


def test_what_raises_harms_its_own_place_until_it_is_switched_off(
    plugged: Site, caplog: pytest.LogCaptureFixture
) -> None:
    browser = plugged.inside(Role.VIEWER)
    for language, told in (("en", "failed (ValueError)"), ("id", "gagal (ValueError)"), ("en", "failed (ValueError)")):
        page = browser.get("/pages/raising", Accept_Language=language)
        assert page.status == 200
        assert "before it failed" in page.words
        assert told in page.words
        assert "123456" not in page.text
    assert "123456" not in caplog.text
    off = browser.get("/pages/raising").words
    assert "failed three times in a row, and is switched off until OTP-Pi is started again" in off
    assert "before it failed" not in off
    assert browser.get("/pages/good").status == 200


def test_what_hangs_is_waited_for_once(plugged: Site) -> None:
    browser = plugged.inside(Role.VIEWER)
    first = browser.get("/pages/hanging").words
    assert "before it hung This part of the page did not come within two seconds." in first
    assert "did not come to an end, and is switched off until" in browser.get("/pages/hanging").words
    assert browser.get("/pages/good").status == 200


def test_nonsense_is_told_where_it_stands(plugged: Site) -> None:
    browser = plugged.inside(Role.VIEWER)
    for _turn in range(4):
        words = browser.get("/pages/nonsense").words
        told = [
            words.index(one) for one in ("first", "type str", "row 1 has not", "last", "failed (ZeroDivisionError)")
        ]
        assert told == sorted(told)


def test_hostile_text_is_text(plugged: Site) -> None:
    browser, hostile = plugged.inside(Role.ADMINISTRATOR), plugin().HOSTILE
    for path in ("/pages/hostile", "/pages/hostile?sort0=1d&from0=2&sort%3Cb%3E=%3Cscript%3E", "/"):
        page = browser.get(path)
        assert page.status == 200
        assert page.text.count("<script") == 1, "our own one"
        assert "<img" not in page.text
        assert escape(hostile).replace("&quot;", "&#34;").replace("&#x27;", "&#39;") in page.text
    sheet = browser.get("/pages/hostile/csv?table=0")
    assert sheet.headers["content-disposition"] == 'attachment; filename="hostile.csv"'
    assert sheet.headers["content-type"].startswith("text/csv")
    assert '"\'=1",2' in sheet.text


def test_the_first_page_has_their_tiles_and_tells_of_those_that_fail(plugged: Site) -> None:
    words = plugged.inside(Role.VIEWER).get("/").words
    assert "Good All cards are full." in words
    assert "Raising tile does not work" in words
    assert "Nonsense tile does not work" in words


def test_the_form_of_a_section_is_saved_from_the_page(plugged: Site) -> None:
    browser = plugged.inside(Role.ADMINISTRATOR)
    browser.get("/pages/good")
    plugged.call("settings_put", path="stock", values={"token": "very secret"})
    page = browser.get("/pages/good")
    assert "very secret" not in page.text
    fields = _hidden(page.text)
    saved = browser.post("/settings/stock", {**fields, "limit": "8", "token": "", "_save": "1"})
    assert (saved.status, saved.location) == (303, "/pages/good")
    assert "Limit 8" in browser.get("/pages/good").words
    elsewhere = browser.post(
        "/settings/stock", {**_hidden(browser.get("/pages/good").text), "_back": "//evil", "limit": "9", "token": ""}
    )
    assert elsewhere.location == "/"
    assert 'action="/settings/stock"' not in plugged.inside(Role.OPERATOR).get("/pages/good").text


def _hidden(text: str) -> dict[str, str]:
    """Return the fields of the section's form that nobody sees."""
    form = text.split('action="/settings/stock"')[1].split("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form))


def test_an_operation_is_asked_for_by_its_form_once_it_is_confirmed(plugged: Site) -> None:
    browser, done = plugged.inside(Role.OPERATOR), plugin().DONE
    assert "Top up Send the code." in browser.get("/pages/good").words
    asked = browser.post("/pages/good/top_up", {"modem": "m0", "amount": "6"})
    assert (asked.status, done) == (200, [])
    assert "Do it. This costs money." in asked.words
    assert 'value="m0"' in asked.text
    answer = browser.post("/pages/good/top_up", {"modem": "m0", "amount": "6", "_confirmed": "1"})
    assert answer.status == 200
    assert "Modem m0 New balance 5,000" in answer.words
    assert done == [("oki", "m0", 6)]
    wrong = browser.post("/pages/good/top_up", {"modem": "", "amount": "0", "_confirmed": "1"})
    assert wrong.status == 422
    assert "Mend 2 fields" in wrong.words
    refused = browser.post("/pages/good/top_up", {"modem": "refuse", "amount": "6", "_confirmed": "1"})
    assert (refused.status, "this modem cannot" in refused.words) == (503, True)
    fault = browser.post("/pages/good/top_up", {"modem": "fault", "amount": "6", "_confirmed": "1"})
    assert (fault.status, "failed (RuntimeError)" in fault.words, "123456" in fault.text) == (500, True, False)
    assert len(done) == 1
    audit = [one for one in plugged.call("audit") if one["operation"] == "top_up"]
    assert {one["subject"] for one in audit} >= {"m0", "refuse", "fault"}


def test_an_operation_is_refused_to_whoever_may_not(plugged: Site) -> None:
    done = list(plugin().DONE)
    given = {"modem": "m0", "amount": "6", "_confirmed": "1"}
    viewer = plugged.inside(Role.VIEWER)
    assert "Top up" not in viewer.get("/pages/good").words
    assert viewer.post("/pages/good/top_up", given).status == 403
    operator = plugged.inside(Role.OPERATOR)
    assert operator.post("/pages/good/top_up", given | {"form_token": "0" * 64}).status == 403
    assert operator.post("/pages/good/top_up", given, Origin="http://evil.example").status == 403
    assert operator.post("/pages/good/plugin_off", {"name": "stock"}).status == 404
    assert operator.post("/pages/plugin-list/plugin_off", {"name": "stock"}).status == 403
    assert plugged.browser().post("/pages/good/top_up", given).status == 403
    assert done == plugin().DONE


def test_an_operation_of_a_page_is_one_of_the_gateway(plugged: Site) -> None:
    operation = plugged.registry.find("top_up")
    assert operation.command == "good top-up"
    assert operation.describe()["confirm"] == "This costs money."
    browser = plugged.inside(Role.OPERATOR)
    body = json.dumps({"arguments": {"modem": "m1"}}).encode()
    kind = {"Content-Type": "application/json", "X-CSRF-Token": browser.token}
    answer = browser.ask("POST", "/admin/api/operations/top_up", body, kind)
    assert (answer.status, json.loads(answer.text)["result"]["modem"]) == (200, "m1")
    assert plugin().DONE[-1] == ("oki", "m1", 5)
