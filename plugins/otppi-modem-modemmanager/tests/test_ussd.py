"""USSD: answers, sessions, refusals, and what the network asks of its own accord."""

from typing import Any

import pytest

from otppi.api.errors import NotDone, NotSupported
from otppi.api.events import UssdAnswer, UssdStatus
from otppi.kit.at import ussd_hold
from otppi_modem_modemmanager import ussd

USSD = "org.freedesktop.ModemManager1.Modem.Modem3gpp.Ussd"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ussd, "_REFUSED_WITHIN", 0.1)
    monkeypatch.setattr(ussd_hold, "_NO_TEXT", 1.0)


def answers(driver: Any, count: int = 1) -> list[UssdAnswer]:
    driver.look_after(lambda: len(driver.events.answers) >= count, "the network answers")
    return list(driver.events.answers)


def test_an_answer_is_told(manager: Any, modem: str, driver: Any) -> None:
    manager.script("Initiate", "text Made-up balance 10")
    driver.modem.ussd("*123#")
    assert answers(driver) == [UssdAnswer(UssdStatus.FINISHED, "Made-up balance 10")]


def test_a_session_goes_on_with_replies(manager: Any, modem: str, driver: Any) -> None:
    manager.script("Initiate", "ask Menu")
    manager.script("Respond", "ask More", "text Done")
    for number, text in enumerate(("*123#", "1", "2"), 1):
        driver.modem.ussd(text)
        answers(driver, number)
    assert [one.status for one in driver.events.answers] == [
        UssdStatus.REPLY_WANTED,
        UssdStatus.REPLY_WANTED,
        UssdStatus.FINISHED,
    ]
    assert manager.log[1:] == ["Initiate", "Respond", "Respond"]


def test_messages_go_out_while_the_network_thinks(manager: Any, modem: str, driver: Any) -> None:
    manager.script("Initiate", "hold")
    driver.modem.ussd("*123#")
    assert driver.send().references
    with pytest.raises(NotDone, match="still waited for"):
        driver.modem.ussd("*124#")
    manager("Release", "s", "text Late")
    assert answers(driver) == [UssdAnswer(UssdStatus.FINISHED, "Late")]


def test_a_refusal_is_raised_and_a_late_one_is_told(manager: Any, modem: str, driver: Any) -> None:
    manager.script("Initiate", "error MobileEquipment.NoNetwork", "hold", "hold", "hold")
    with pytest.raises(NotDone, match="no network"):
        driver.modem.ussd("*123#")
    for number, (error, status) in enumerate(
        {
            "Core.Aborted": UssdStatus.ENDED,
            "MobileEquipment.NotSupported": UssdStatus.NOT_SUPPORTED,
            "MobileEquipment.NetworkTimeout": UssdStatus.TIMED_OUT,
        }.items(),
        1,
    ):
        driver.modem.ussd("*123#")
        manager("Release", "s", f"error {error}")
        assert answers(driver, number)[-1] == UssdAnswer(status)


def test_no_answer_at_all_ends_the_session(
    manager: Any, modem: str, driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ussd, "_LONGEST", 0.1)
    manager.script("Initiate", "hold", "text Again")
    driver.modem.ussd("*123#")
    assert answers(driver) == [UssdAnswer(UssdStatus.TIMED_OUT)]
    driver.look_after(lambda: "Cancel" in manager.log, "the session is cancelled")
    driver.modem.ussd("*123#")
    assert answers(driver, 2)[-1].text == "Again"


def test_a_session_is_cancelled_and_without_one_nothing_is(manager: Any, modem: str, driver: Any) -> None:
    driver.modem.cancel_ussd()
    assert "Cancel" not in manager.log
    manager.script("Initiate", "ask Menu", "text Anew")
    driver.modem.ussd("*123#")
    answers(driver)
    driver.modem.cancel_ussd()
    assert manager.log[-1] == "Cancel"
    driver.modem.ussd("*123#")
    assert manager.log[-1] == "Initiate"


def test_what_the_network_says_of_its_own_accord_is_told(manager: Any, modem: str, driver: Any) -> None:
    manager.change(modem, USSD, NetworkNotification="Made-up notice")
    manager.change(modem, USSD, NetworkRequest="Made-up question")
    assert answers(driver, 2) == [
        UssdAnswer(UssdStatus.FINISHED, "Made-up notice"),
        UssdAnswer(UssdStatus.REPLY_WANTED, "Made-up question"),
    ]


def test_a_modem_without_ussd_says_so(manager: Any, modem: str, driver: Any) -> None:
    manager.script("Initiate", "error Core.Unsupported")
    with pytest.raises(NotSupported):
        driver.modem.ussd("*123#")


def test_a_session_ends_with_the_modem(manager: Any, modem: str, driver: Any) -> None:
    manager.script("Initiate", "hold")
    driver.modem.ussd("*123#")
    driver.modem.close()
    assert driver.events.answers == [UssdAnswer(UssdStatus.ENDED)]


def test_what_modemmanager_could_not_decode_is_read(manager: Any, modem: str, driver: Any) -> None:
    text = "Cr\u00e9dit: 12,50\u20ac jusqu'au 31/12/2030"
    manager.script("Initiate", f"text {text.encode('utf-16-be').hex().upper()}")
    driver.modem.ussd("*123#")
    assert answers(driver) == [UssdAnswer(UssdStatus.FINISHED, text)]


def test_python_gsmmodem_14_the_answer_comes_behind_initiating_release(manager: Any, modem: str, driver: Any) -> None:
    manager.script("Initiate", "text Initiating Release", "text Initiating Release")
    driver.modem.ussd("*123#")
    manager.change(modem, USSD, NetworkNotification="Your balance is R49.96")
    assert answers(driver) == [UssdAnswer(UssdStatus.FINISHED, "Your balance is R49.96")]
    driver.modem.ussd("*123#")
    assert answers(driver, 2)[-1] == UssdAnswer(UssdStatus.ENDED)
