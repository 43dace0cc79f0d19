"""Routes and prices on the page: what is set, which modem would send and why, and an example that is filled in."""

from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote

import pytest

from otppi.api.operations import Role
from otppi.host.meter.examples import EXAMPLES, FOUR
from otppi.testing.html import HtmlForm, HtmlPage
from otppi.testing.site import Site, SiteAnswer, SiteBrowser
from otppi.testing.waiting import until

NAMES = ("satu", "dua", "tiga", "empat")


@pytest.fixture
def four(site: Site) -> Site:
    """A site with four modems that are ready."""
    modems = [{"name": name, "type": "simulated", "network_time": 0.0} for name in NAMES]
    site.call("settings_import", document={"modems": modems})
    until(lambda: [one["state"] for one in site.call("modems")] == ["ready"] * 4, "all modems are ready")
    return site


def form_at(answer: SiteAnswer, action: str) -> HtmlForm:
    page = HtmlPage(answer.text)
    assert page.faults() == []
    return next(one for one in page.forms if one.action == action)


def send(browser: SiteBrowser, form: HtmlForm, pressed: str = "") -> SiteAnswer:
    fields = {name: values[0] for name, values in form.sent(pressed).items()}
    return browser.post(form.action.partition("#")[0], fields)


def modems(site: Site) -> Mapping[str, Mapping[str, Any]]:
    return {one["name"]: one for one in site.call("settings_show")["modems"]}


def fill(browser: SiteBrowser) -> SiteAnswer:
    """Take the example as it is offered: look at it, and save it."""
    looked = send(browser, form_at(browser.get("/routing/example"), "/routing/example"), "_look")
    assert looked.status == 200, looked.words
    return send(browser, form_at(looked, "/routing/example"), "_save")


def tried(browser: SiteBrowser, receiver: str) -> SiteAnswer:
    return send(browser, form_at(browser.get("/routing"), "/routing#try").fill(receiver=receiver))


def test_the_example_is_shown_before_it_is_saved(four: Site) -> None:
    browser, before = four.inside(Role.ADMINISTRATOR), modems(four)
    page = browser.get("/routing/example")
    form = form_at(page, "/routing/example")
    assert [form[f"operator-of:{index}"].value for index in range(4)] == list(FOUR)
    assert "What changes" not in page.words
    looked = send(browser, form, "_look")
    assert "Recipient Prefix none → 62871, 62872" in looked.words
    assert "Prices by Prefix none → 62871: 50, 62872: 50" in looked.words
    assert "Default Modem no → yes" in looked.words
    assert modems(four) == before, "nothing is saved yet"
    answer = send(browser, form_at(looked, "/routing/example"), "_save")
    assert (answer.status, answer.location) == (303, "/routing")
    assert modems(four)["satu"]["prices"] == [{"prefix": "62871", "price": 50.0}, {"prefix": "62872", "price": 50.0}]
    assert [name for name, one in modems(four).items() if one["default_modem"]] == [NAMES[3]]
    page = browser.get("/routing")
    assert "The example is filled in for" in page.words
    assert "62871 50 62872 50 all others 350" in page.words


def test_what_was_not_looked_at_is_not_saved(four: Site) -> None:
    browser, before = four.inside(Role.ADMINISTRATOR), modems(four)
    form = form_at(browser.get("/routing/example"), "/routing/example")
    form["operator-of:0"].value = "telkomsel"
    fields = {name: values[0] for name, values in form.sent("_look").items()} | {"_save": "1"}
    answer = browser.post("/routing/example", fields)
    assert answer.status == 200, "another choice is shown first"
    assert "62811" in answer.words
    assert modems(four) == before
    form = form_at(answer, "/routing/example")
    four.call("settings_put", path="modems.satu", values={"price": 7})
    answer = send(browser, form, "_save")
    assert answer.status == 409
    assert "somebody else has saved meanwhile" in answer.words
    assert modems(four)["satu"]["price"] == 7
    assert send(browser, form_at(answer, "/routing/example"), "_save").status == 303
    assert modems(four)["satu"]["recipient_prefixes"] == list(EXAMPLES["telkomsel"].prefixes)
    assert modems(four)["satu"]["price"] == 7, "nobody knows what that operator charges"


def test_a_number_is_tried(four: Site) -> None:
    browser = four.inside(Role.ADMINISTRATOR)
    fill(browser)
    until(lambda: [one["state"] for one in four.call("modems")] == ["ready"] * 4, "all modems are ready")
    assert "6287100000000 goes by satu, at 50 a segment." in tried(browser, "0871 0000 0000").words
    words = tried(browser, "+62 812 3456 7890").words
    assert f"6281234567890 goes by {NAMES[3]}, at 200 a segment." in words
    assert "default modem" in words
    assert four.call("messages", limit=10) == [], "nothing was sent"
    for receiver in ("087100000000", "081234567890", "084500000000"):
        first = four.call("route", receiver=receiver)["modems"][0]["modem_id"]
        assert four.call("send", receiver=receiver, message="Uji", wait=10.0)["modem_id"] == first
    four.call("settings_put", path="modems.satu", values={"daily_quota": 1, "send_from_api": False})
    answer = tried(browser, "0871 0000 0000")
    assert "it sends nothing that comes in from ingresses" in answer.words
    assert "goes by satu" not in answer.words
    wrong = tried(browser, "12<34")
    assert wrong.status == 422
    assert escape("12<34") in wrong.text


def test_no_price_and_no_route_is_found_where_no_other_may_send(four: Site) -> None:
    four.call("settings_put", path="sms", values={"fail_over": False})
    for name in NAMES:
        four.call("settings_put", path=f"modems.{name}", values={"recipient_prefixes": ["0871"]})
    until(lambda: [one["state"] for one in four.call("modems")] == ["ready"] * 4, "all modems are ready")
    told = four.call("route", receiver="081234567890")
    assert [one["place"] for one in told["modems"]] == [None] * 4
    assert "No modem may send to 6281234567890 now." in tried(four.inside(Role.ADMINISTRATOR), "081234567890").words


def test_the_cheapest_goes_first_where_that_is_wanted(four: Site) -> None:
    fill(four.inside(Role.ADMINISTRATOR))
    four.call("settings_put", path="modems.dua", values={"promotions": [{"after": 1, "period": "day", "price": 1}]})
    four.call("settings_put", path="sms", values={"routing": "cheapest"})
    until(lambda: [one["state"] for one in four.call("modems")] == ["ready"] * 4, "all modems are ready")
    told = four.call("route", receiver="081234567890")
    assert [(one["modem_id"], one["price"]) for one in told["modems"]][:2] == [(NAMES[3], 200.0), ("tiga", 250.0)]


def test_the_prices_of_one_modem_are_a_form_of_their_own(four: Site) -> None:
    browser = four.inside(Role.ADMINISTRATOR)
    path = f"/settings/modems/edit?_item={quote('satu')}&_part=prices"
    page = browser.get(path)
    form = form_at(page, path)
    assert {"price", "default_modem", "recipient_prefixes", "quiet_for"} <= {one.name for one in form.controls}
    assert "imei" not in {one.name for one in form.controls}
    assert not [
        tag for tag, _about in HtmlPage(page.text).elements if tag == "details" and "card" in _about.get("class", "")
    ]
    answer = browser.post(path, {name: values[0] for name, values in form.sent("quiet_hours:add").items()})
    form = form_at(answer, path)
    form["quiet_hours.0.start"].value, form["quiet_hours.0.end"].value = "22:00", "06:00"
    form.fill(price="350,5", recipient_prefixes="0812\n0813")
    answer = send(browser, form)
    assert (answer.status, answer.location) == (303, "/routing")
    words = browser.get("/routing").words
    assert "Price of satu: 0 → 350.5" in words
    assert "22:00\N{EN DASH}06:00" in words
    assert modems(four)["satu"]["recipient_prefixes"] == ["62812", "62813"]


@pytest.mark.parametrize("revision", ["9" * 5000, "\u0663", "-1", "1e9", ""])
def test_a_revision_that_is_none_saves_nothing(shared_site: Site, revision: str) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR)
    before = modems(shared_site)
    looked = send(browser, form_at(browser.get("/routing/example"), "/routing/example"), "_look")
    form = form_at(looked, "/routing/example")
    fields = {name: values[0] for name, values in form.sent("_save").items()} | {"_revision": revision}
    assert browser.post("/routing/example", fields).status == 200
    assert modems(shared_site) == before


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_routes_and_prices_are_for_administrators(shared_site: Site, role: Role) -> None:
    browser = shared_site.inside(role)
    assert browser.get("/routing").status == 403
    assert browser.get("/routing/example").status == 403
    assert browser.post("/routing", {"receiver": "0812"}).status == 403


def test_without_modems_the_page_says_what_it_is_for(site: Site) -> None:
    site.call("settings_remove", path="modems.m0")
    assert "No modem yet." in site.inside(Role.ADMINISTRATOR).get("/routing").words
