"""The page that a person sends by."""

import pytest

from otppi.api.operations import Role
from otppi.testing.site import Site, SiteBrowser
from otppi.testing.waiting import until

SECRET = "kode 4471"


@pytest.fixture
def browser(site: Site) -> SiteBrowser:
    until(lambda: site.call("modems")[0]["state"] == "ready")
    one = site.inside(Role.OPERATOR)
    one.get("/messages")
    return one


@pytest.mark.parametrize("flash", [{}, {"flash": "1"}], ids=["kept", "flash"])
def test_a_flash_sms_is_sent_where_it_was_asked_for(site: Site, browser: SiteBrowser, flash: dict[str, str]) -> None:
    answer = browser.post("/messages", {"receiver": "081266660001", "message": "look", **flash})
    assert answer.status == 303
    until(lambda: site.call("phone"))
    assert [(one["text"], one["flash"]) for one in site.call("phone")] == [("look", bool(flash))]


def test_a_form_that_was_refused_keeps_its_tick(browser: SiteBrowser) -> None:
    answer = browser.post("/messages", {"receiver": "12", "message": "look", "flash": "1"})
    assert answer.status == 422
    assert 'name="flash" value="1" checked' in answer.text


def test_an_e_mail_is_no_flash_sms(browser: SiteBrowser) -> None:
    answer = browser.post("/messages", {"receiver": "someone@example.com", "message": "look", "flash": "1"})
    assert answer.status == 422
    assert "is for SMS, and the receiver is an e-mail address" in answer.words


@pytest.mark.parametrize(("country", "hint"), [("62", "Such as 0812… or +62812…;"), ("1", "Such as 201… or +1201…;")])
def test_the_hint_is_of_the_own_country(site: Site, browser: SiteBrowser, country: str, hint: str) -> None:
    site.call("settings_set", path="sms.country_code", value=country)
    assert hint in browser.get("/messages").words


def test_what_a_simulated_modem_has_sent_is_not_looked_for_on_a_real_telephone(
    site: Site, browser: SiteBrowser
) -> None:
    sent = browser.post("/messages", {"receiver": "08126666661", "message": "look"})
    until(lambda: "otppi phone" in browser.get(sent.location).words)


def test_a_message_goes_to_each_of_several_receivers(site: Site, browser: SiteBrowser) -> None:
    several = {"receiver": "08126666661, 08126666662; 08126666661", "message": SECRET, "modem": "m0"}
    sent = browser.post("/messages", several)
    assert sent.location.count("id=") == 2
    until(lambda: browser.get(sent.location).words.count("delivered") == 2)
    assert "62812*****61" in browser.get(sent.location).words
    assert {one["to"] for one in site.call("phone")} == {"628126666661", "628126666662"}
    assert SECRET not in browser.get(sent.location).text


def test_of_several_receivers_those_that_are_wrong_are_asked_for_again(site: Site, browser: SiteBrowser) -> None:
    mixed = {"receiver": "08126666661, 0812, x", "message": SECRET}
    answer = browser.post("/messages", mixed)
    assert answer.status == 422
    assert 'value="0812, x"' in answer.text
    assert "To the others it is on its way." in answer.words
    until(lambda: len(site.call("phone")) == 1)
    many = ",".join(f"0812666666{number:02}" for number in range(11))
    answer = browser.post("/messages", {"receiver": many, "message": SECRET})
    assert (answer.status, "at most 10 at once" in answer.words) == (422, True)
    assert len(site.call("phone")) == 1
