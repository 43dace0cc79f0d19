"""The pages of the settings in a browser: looked at, filled in with and without script, by keyboard, by two at once."""

import pytest

from tests.browser.conftest import DESKTOP, LANGUAGES, PHONE, Device, Visit, Visitor

PAGES = {
    "settings": "/settings",
    "settings-sms": "/settings/sms",
    "settings-mqtt": "/settings/ingress-mqtt",
    "settings-modems": "/settings/modems",
    "modem-add": "/settings/modems/add",
    "modem-edit": "/settings/modems/edit?_item=m0",
    "modem-remove": "/settings/modems/remove?_item=m0",
    "settings-rest": "/settings/ingress-rest",
    "settings-encryption": "/settings/encryption",
    "keys": "/keys",
    "routing": "/routing",
    "routing-example": "/routing/example",
    "routing-modem": "/settings/modems/edit?_item=m0&_part=prices",
    "api-users": "/settings/api_users",
    "api-user-login": "/users/login?name=app",
    "api-user-add": "/users/add",
}
MODEM = PAGES["modem-edit"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_all_pages_of_settings(device: Device, visit: Visit, language: str, width: int) -> None:
    visitor = visit(device, language, width).login()
    for name, path in PAGES.items():
        visitor.open(path)
        visitor.look(name, also_dark=True)
    visitor.open(PAGES["routing"])
    visitor.fill(receiver="081234567890").send()
    visitor.look("routing-tried", also_dark=True)
    visitor.open(PAGES["routing-example"]).click("[name=_look]")
    visitor.page.wait_for_selector("[name=_save]")
    visitor.look("routing-example-looked", also_dark=True)
    visitor.open(MODEM)
    visitor.page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true })")
    visitor.look("modem-edit-open", also_dark=True)
    visitor.fill(imei="12", msisdn="x", daily_quota="1.000").send()
    visitor.look("modem-edit-wrong", also_dark=True)


def focused(visitor: Visitor) -> str:
    return str(visitor.page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))


@pytest.mark.parametrize("script", [True, False], ids=["script", "none"])
def test_three_errors_are_found_from_the_summary_by_keyboard_and_mended(
    device: Device, visit: Visit, script: bool
) -> None:
    visitor = visit(device, "en", DESKTOP, java_script_enabled=script).login()
    page = visitor.open("/settings/sms")
    visitor.fill(attempts="0", queue_size="1.000", country_code="abc")
    with page.expect_navigation():
        page.press("[name=attempts]", "Enter")
    assert "Not saved. Mend 3 fields:" in visitor.text
    if script:
        assert focused(visitor) == "problems"
        page.keyboard.press("Tab")
        assert focused(visitor) == "Country code"
        page.keyboard.press("Enter")
        assert focused(visitor) == "f-country_code"
    visitor.fill(attempts="4", queue_size="900", country_code="62").send()
    assert "Saved. " in visitor.text
    assert "3 → 4" in visitor.text or "Attempts: 4 → 3" in visitor.text
    visitor.open("/settings/sms")
    visitor.fill(attempts="3", queue_size="1000").send()
    assert "Saved. " in visitor.text


@pytest.mark.parametrize("script", [True, False], ids=["script", "none"])
def test_a_price_is_added_and_removed(device: Device, visit: Visit, script: bool) -> None:
    visitor = visit(device, "id", PHONE, java_script_enabled=script).login()
    page = visitor.open(MODEM)
    page.click("summary:has-text('Biaya')")
    page.click("[name='prices:add']")
    page.wait_for_selector("[name='prices.0.prefix']:focus")
    page.fill("[name='prices.0.prefix']", "0812")
    page.fill("[name='prices.0.price']", "350,5")
    visitor.send()
    assert "Biaya per Prefix m0: tidak ada → 1 baris." in visitor.text
    page = visitor.open(MODEM)
    assert page.input_value("[name='prices.0.price']") == "350,5"
    page.click("[name='prices.0:remove']")
    page.wait_for_selector("[name='prices.0.prefix']", state="detached")
    visitor.send()
    assert "Biaya per Prefix m0: 1 baris → tidak ada." in visitor.text


def test_two_who_edit_at_once(device: Device, visit: Visit) -> None:
    mine, theirs = visit(device, "en").login(), visit(device, "id", DESKTOP).login()
    mine.open("/settings/otp")
    theirs.open("/settings/otp")
    theirs.fill(attempts="7").send()
    mine.fill(attempts="9").send()
    assert "somebody else has saved meanwhile" in mine.text
    assert "Kept now: 7" in mine.text
    mine.look("settings-meanwhile")
    mine.send()
    assert "7 → 9" in mine.text
    mine.fill(attempts="5").send()


def test_a_user_of_the_api_is_added_and_its_line_can_be_copied(device: Device, visit: Visit) -> None:
    visitor = visit(device, "en").login()
    visitor.open("/users/add")
    visitor.fill(username="shop").send()
    assert "it is shown this once" in visitor.text
    visitor.look("api-user-added")
    visitor.page.click("[data-copy='#line']")
    visitor.page.wait_for_function("getSelection().toString().startsWith('curl ')")
    assert "Bearer " in visitor.page.inner_text("#line")
    visitor.open("/settings/api_users/remove?_item=shop")
    with visitor.page.expect_navigation():
        visitor.page.click("main button.danger")
    assert "shop is removed." in visitor.text
