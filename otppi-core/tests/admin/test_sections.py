"""The pages of the settings, over HTTP, of a real gateway: show, save, refuse, and two who edit at once."""

import re
from typing import Any
from urllib.parse import quote

import pytest

from otppi.admin.pages.sections import OWN_PAGES
from otppi.admin.security.sessions import FRESH
from otppi.api.operations import Role
from otppi.api.settings import Section
from otppi.host.core import load_plugins
from otppi.testing.html import HtmlForm, HtmlPage
from otppi.testing.site import NAMES, Site, SiteAnswer, SiteBrowser

MARK = "83920174"
_ALL: dict[str, Section] = {one.key: one for one in load_plugins().sections if one.key not in OWN_PAGES}
TRIED = [key for key, one in _ALL.items() if one.own_operations]
"""Of the network: what is changed there is on trial (`test_network_pages.py`)."""
SECTIONS = {key: one for key, one in _ALL.items() if key not in TRIED}
OBJECTS = [key for key, one in SECTIONS.items() if one.identity is None]
LISTS = [key for key, one in SECTIONS.items() if one.identity is not None]


def form_at(browser: SiteBrowser, path: str) -> HtmlForm:
    """Open a page, and return its form."""
    answer = browser.get(path)
    assert answer.status == 200, answer.words
    return form_in(answer)


def form_in(answer: SiteAnswer) -> HtmlForm:
    page = HtmlPage(answer.text)
    assert page.faults() == []
    return next(one for one in page.forms if any(control.name == "_seen" for control in one.controls))


def send(browser: SiteBrowser, form: HtmlForm, pressed: str = "") -> SiteAnswer:
    return browser.post(form.action, {name: values[0] for name, values in form.sent(pressed).items()})


def kept(site: Site, section: str, name: str = "") -> Any:
    values = site.call("settings_export", secrets=True)[section]
    identity = SECTIONS[section].identity
    return next(one for one in values if one[identity] == name) if name else values


# -- every section ----------------------------------------------------------------------------------------------------


def test_every_section_is_listed(shared_site: Site) -> None:
    answer = shared_site.inside(Role.ADMINISTRATOR).get("/settings")
    links = [attributes.get("href") for tag, attributes in HtmlPage(answer.text).elements if tag == "a"]
    assert {f"/settings/{key}" for key in SECTIONS} | set(OWN_PAGES.values()) <= set(links)
    assert {f"/network/{key}" for key in TRIED} <= set(links)


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("key", OBJECTS)
def test_a_section_that_is_saved_as_it_is_changes_nothing(shared_site: Site, key: str, language: str) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR)
    browser.headers["Accept-Language"] = language
    before, revision = kept(shared_site, key), shared_site.call("settings_revision")
    answer = send(browser, form_at(browser, f"/settings/{key}"))
    assert (answer.status, answer.location) == (303, f"/settings/{key}")
    said = {"en": "Nothing was changed.", "id": "Tidak ada yang berubah."}
    assert said[language] in browser.get(answer.location).words
    assert kept(shared_site, key) == before
    assert shared_site.call("settings_revision") == revision


@pytest.mark.parametrize("key", LISTS)
def test_a_list_says_what_is_in_it_and_adds_one(shared_site: Site, key: str) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR)
    answer = browser.get(f"/settings/{key}")
    assert answer.status == 200
    assert HtmlPage(answer.text).faults() == []
    assert form_at(browser, f"/settings/{key}/add").controls


@pytest.mark.parametrize(
    "path", ["nonsense", "administrators", "sms/add", "sms/x/y", "modems/edit?_item=none", "modems/x"]
)
def test_what_is_not_there_is_said(shared_site: Site, path: str) -> None:
    assert shared_site.inside(Role.ADMINISTRATOR).get(f"/settings/{path}").status == 404


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
@pytest.mark.parametrize("path", ["/settings", "/settings/sms", "/settings/modems/edit?_item=m0"])
def test_settings_are_for_administrators(shared_site: Site, role: Role, path: str) -> None:
    browser = shared_site.inside(role)
    assert browser.get(path).status == 403
    assert browser.post(path, {"attempts": "5", "_seen": "x"}).status == (405 if path == "/settings" else 403)


# -- one object -------------------------------------------------------------------------------------------------------


def test_what_was_saved_is_said_and_used(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    answer = send(browser, form_at(browser, "/settings/sms").fill(attempts="5", modem_grace="2,5", fail_over=False))
    assert answer.status == 303
    words = browser.get(answer.location).words
    assert "Saved. Attempts: 3 → 5. Fail-over: yes → no. Grace for a lost modem: 60 s → 2.5 s. In use now." in words
    sms = kept(site, "sms")
    assert (sms["attempts"], sms["modem_grace"], sms["fail_over"]) == (5, 2.5, False)
    audited = site.call("audit")[-1]
    assert (audited["actor"], audited["origin"]) == ("adi", "administration")
    assert audited["fields"] == ["sms.attempts", "sms.fail_over", "sms.modem_grace"]


def test_all_that_is_wrong_is_told_at_once_and_what_was_typed_stays(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    before = kept(site, "sms")
    form = form_at(browser, "/settings/sms").fill(
        attempts="1.000", queue_size="0", country_code="abc", routing="cheapest"
    )
    answer = send(browser, form)
    assert answer.status == 422
    assert "Not saved. Mend 3 fields:" in answer.words
    again = form_in(answer)
    assert [again[key].value for key in ("attempts", "queue_size", "country_code")] == ["1.000", "0", "abc"]
    assert again["routing"].value == "cheapest"
    wrong = {one.name for one in again.controls if one.attributes.get("aria-invalid")}
    assert wrong == {"attempts", "queue_size", "country_code"}
    assert kept(site, "sms") == before
    answer = send(browser, again.fill(attempts="4", queue_size="10", country_code="62"))
    assert answer.status == 303
    assert kept(site, "sms")["routing"] == "cheapest"


def test_what_does_not_go_together_is_told_at_its_field(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    form = form_at(browser, "/settings/ingress-rest")
    answer = send(browser, form.fill(http_enable=True, https_enable=True, http_port="10443"))
    assert answer.status == 422
    wrong = {one.name for one in form_in(answer).controls if one.attributes.get("aria-invalid")}
    assert wrong & {"http_port", "https_port"}
    assert kept(site, "ingress-rest")["http_enable"] is False


def test_a_field_goes_back_to_its_default_without_script(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    send(browser, form_at(browser, "/settings/sms").fill(attempts="7"))
    answer = send(browser, form_at(browser, "/settings/sms"), "attempts:default")
    assert answer.status == 200
    assert form_in(answer)["attempts"].value == "3"
    assert kept(site, "sms")["attempts"] == 7, "it is not saved yet"
    assert send(browser, form_in(answer)).status == 303
    assert kept(site, "sms")["attempts"] == 3


def test_two_who_edit_at_once_see_both_values(site: Site) -> None:
    mine, theirs = site.inside(Role.ADMINISTRATOR), site.inside(Role.ADMINISTRATOR)
    form = form_at(mine, "/settings/sms").fill(attempts="5")
    send(theirs, form_at(theirs, "/settings/sms").fill(attempts="9"))
    answer = send(mine, form)
    assert answer.status == 409
    assert "somebody else has saved meanwhile" in answer.words
    assert "Kept now: 9" in answer.words
    assert kept(site, "sms")["attempts"] == 9
    again = form_in(answer)
    assert again["attempts"].value == "5"
    assert send(mine, again).status == 303
    assert kept(site, "sms")["attempts"] == 5


def test_who_edits_something_else_is_not_in_the_way(site: Site) -> None:
    mine, theirs = site.inside(Role.ADMINISTRATOR), site.inside(Role.ADMINISTRATOR)
    form = form_at(mine, "/settings/sms").fill(attempts="5")
    send(theirs, form_at(theirs, "/settings/otp").fill(attempts="9"))
    assert send(mine, form).status == 303


# -- objects of a list ------------------------------------------------------------------------------------------------


def modem(browser: SiteBrowser, name: str = "m0") -> HtmlForm:
    return form_at(browser, f"/settings/modems/edit?_item={quote(name)}")


def test_a_modem_is_renamed_and_keeps_its_secrets(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    assert send(browser, modem(browser).fill(sim_card_pin=MARK)).status == 303
    assert kept(site, "modems", "m0")["sim_card_pin"] == MARK
    page = browser.get("/settings/modems/edit?_item=m0")
    assert MARK not in page.text
    assert "Stored. Leave it empty to keep it." in page.words
    answer = send(browser, modem(browser).fill(name="Telkomsel 1"))
    assert (answer.status, answer.location) == (303, "/modems")
    assert "Name of m0: m0 → Telkomsel 1" in browser.get(answer.location).words
    assert kept(site, "modems", "Telkomsel 1")["sim_card_pin"] == MARK
    form = modem(browser, "Telkomsel 1")
    clear = form["sim_card_pin:clear"]
    clear.checked = True
    assert send(browser, form).status == 303
    assert kept(site, "modems", "Telkomsel 1")["sim_card_pin"] == ""


def test_the_settings_of_modems_stand_below_modems_in_the_menu(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    for path, entry in (("/settings/modems/edit?_item=m0", "/modems"), ("/settings/sms", "/settings")):
        assert re.findall('<a href="([^"]+)" aria-current="page">', browser.get(path).text)[0] == entry


def test_a_secret_that_was_typed_into_a_form_that_is_wrong_is_not_shown_again(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    answer = send(browser, modem(browser).fill(sim_card_pin=MARK, daily_quota="x"))
    assert answer.status == 422
    assert MARK not in answer.text
    assert "Type it again" in answer.words


def test_prices_are_added_and_removed_by_rows_without_script(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    answer = send(browser, modem(browser), "prices:add")
    assert answer.status == 200
    form = form_in(answer)
    form["prices.0.prefix"].value, form["prices.0.price"].value = "0812", "350,5"
    form = form_in(send(browser, form, "prices:add"))
    form["prices.1.prefix"].value, form["prices.1.price"].value = "0812", "1.000"
    answer = send(browser, form)
    assert answer.status == 422
    assert "Prices by Prefix, row 2, Price" in answer.words
    form = form_in(answer)
    form["prices.1.price"].value = "1000"
    answer = send(browser, form)
    assert answer.status == 422, "the prefix is there twice"
    answer = send(browser, form_in(answer), "prices.1:remove")
    assert answer.status == 200
    assert send(browser, form_in(answer)).status == 303
    assert kept(site, "modems", "m0")["prices"] == [{"prefix": "62812", "price": 350.5}]


def test_another_modem_that_was_changed_meanwhile_is_not_in_the_way(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    site.call("settings_add", section="modems", values={"name": "m1", "type": "simulated"})
    form = modem(browser, "m0").fill(daily_quota="200")
    site.call("settings_put", path="modems.m1", values={"daily_quota": 7})
    answer = send(browser, form)
    assert answer.status == 303
    assert "Daily Quota of m0: 0 segments → 200 segments." in browser.get(answer.location).words
    form = modem(browser, "m0").fill(daily_quota="300")
    site.call("settings_put", path="modems.m0", values={"daily_quota": 8})
    assert send(browser, form).status == 409


def test_a_modem_of_another_type_is_added(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    answer = send(browser, form_at(browser, "/settings/modems/add").fill(name="m0", type="simulated"))
    assert answer.status == 422
    assert "name" in {one.name for one in form_in(answer).controls if one.attributes.get("aria-invalid")}
    form = form_in(send(browser, form_in(answer), "type:choose")).fill(name="m7", network_time="0")
    answer = send(browser, form)
    assert (answer.status, answer.location) == (303, "/modems")
    assert "m7 is added." in browser.get("/modems").words
    assert kept(site, "modems", "m7")["network_time"] == 0


def test_what_goes_with_a_modem_is_shown_before_it_is_removed(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    site.call("settings_put", path="modems.m0", values={"recipient_prefixes": ["62812"], "sim_card_pin": MARK})
    answer = browser.get("/settings/modems/remove?_item=m0")
    assert "Delete m0?" in answer.words
    assert "62812" in answer.words
    assert "Default Modem yes" in answer.words
    assert MARK not in answer.text
    form = form_in(answer)
    site.call("settings_put", path="modems.m0", values={"daily_quota": 8})
    answer = send(browser, form)
    assert answer.status == 409
    assert kept(site, "modems", "m0")
    answer = send(browser, form_in(answer))
    assert (answer.status, answer.location) == (303, "/modems")
    words = browser.get("/modems").words
    assert "m0 is removed." in words
    assert "No modem yet." in words


def test_users_of_the_api_are_looked_after_by_who_gave_the_password_a_moment_ago(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    assert "No API user yet. Without one no application can send." in browser.get("/settings/api_users").words
    form = form_at(browser, "/settings/api_users/add").fill(username="shop", password=MARK, phone="0812")
    assert send(browser, form).status == 303
    hashed = kept(site, "api_users", "shop")["password_hash"]
    assert hashed.startswith("$argon2id$")
    answer = send(browser, form_at(browser, "/settings/api_users/edit?_item=shop").fill(email="a@example.com"))
    assert answer.status == 303
    assert kept(site, "api_users", "shop")["password_hash"] == hashed
    page = browser.get("/settings/api_users/edit?_item=shop")
    assert hashed not in page.text
    answer = send(browser, form_at(browser, "/settings/api_users/edit?_item=shop").fill(username="bad name"))
    assert answer.status == 422
    (session,) = site.parts.sessions.of(NAMES[Role.ADMINISTRATOR])
    session.confirmed -= FRESH + 1
    answer = browser.get("/settings/api_users/edit?_item=shop")
    assert (answer.status, answer.location) == (303, "/confirm?next=/settings/api_users/edit%3F_item%3Dshop")
    assert browser.get("/settings/api_users").status == 200
    assert browser.get("/settings/modems/edit?_item=m0").status == 200


@pytest.mark.parametrize("name", ["a/b", "..", "ü ?&=#", "<b>x</b>", "a.b"])
def test_any_name_can_be_edited(site: Site, name: str) -> None:
    section = "modems" if name == "a.b" else "api_users"
    name = name.replace(" ", "") if section == "api_users" else name
    values = {"name": name, "type": "simulated"} if section == "modems" else {"username": name, "password": "x"}
    site.call("settings_add", section=section, values=values)
    browser = site.inside(Role.ADMINISTRATOR)
    listed = HtmlPage(browser.get(f"/settings/{section}").text)
    assert listed.faults() == []
    links = [attributes["href"] for tag, attributes in listed.elements if tag == "a" and "/edit" in attributes["href"]]
    changed = {"daily_quota": "9"} if section == "modems" else {"phone": "0813"}
    form = form_at(browser, links[-1]).fill(**changed)
    assert send(browser, form).status == 303
    (key, value) = next(iter(changed.items()))
    assert str(kept(site, section, name)[key]) == value


# -- hostile ----------------------------------------------------------------------------------------------------------


def test_fields_that_no_form_sends_are_told_and_change_nothing(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    seen = form_at(browser, "/settings/sms")["_seen"].value
    revision = site.call("settings_revision")
    answer = browser.post("/settings/sms", {"<script>": "1", "attempts": "5", "_seen": seen, "renamed_from": "x"})
    assert answer.status == 422
    assert "<script>1" not in answer.text
    assert "is no field of this form" in answer.words
    body = f"form_token={browser.token}&_seen={seen}&attempts=4&attempts=5&country_code=%ff%fe%00"
    answer = browser.ask("POST", "/settings/sms", body.encode(), {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status in (400, 422)
    assert site.call("settings_revision") == revision


def test_a_form_without_what_it_was_made_of_overwrites_nothing(site: Site) -> None:
    browser = site.inside(Role.ADMINISTRATOR)
    assert browser.post("/settings/sms", {"attempts": "5"}).status == 409
    assert kept(site, "sms")["attempts"] == 3


def test_a_list_as_a_whole_is_only_looked_at(site: Site) -> None:
    assert site.inside(Role.ADMINISTRATOR).post("/settings/modems", {}).status == 405
