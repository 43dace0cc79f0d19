"""USSD over the modem peer: the three forms, every way in which +CUSD comes, sessions, and what goes wrong."""

import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from otppi.api.errors import ModemLost, NotDone, NotSupported
from otppi.api.events import UssdAnswer, UssdStatus
from otppi.kit.at import ussd as at_ussd
from otppi.kit.at import ussd_hold
from otppi.simulator import ModemProfile, UssdForm
from otppi.simulator import ScriptedUssdAnswer as Said
from otppi.testing.scripted import RecordedEvents, until
from otppi.wire import ussd as wire
from otppi.wire.at import Urc

MakeDriver = Callable[..., Any]
CYRILLIC = "Баланс: 10"
SCRIPT = {
    "*123#": Said("Pulsa Rp10.000"),
    "*7#": Said("1234567"),  # seven septets: the padding of 23.038 6.1.2.3.1
    "*9#": Said(CYRILLIC),
    "*100#": Said("1 Pulsa\n2 Paket", mode=1, replies={"1": Said("Pulsa Rp10.000"), "2": Said("Paket?", mode=1)}),
    "*2#": Said("", mode=2),
}
BALANCE = UssdAnswer(UssdStatus.FINISHED, "Pulsa Rp10.000")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ussd_hold, "_NO_TEXT", 0.3)
    monkeypatch.setattr(ussd_hold, "_TEXT", 0.3)


@pytest.fixture(params=UssdForm, ids=lambda form: form.value)
def driver(make_driver: MakeDriver, request: pytest.FixtureRequest) -> Any:
    driver = make_driver(profile=ModemProfile(ussd=SCRIPT, ussd_form=request.param))
    driver.modem.open()
    return driver


@pytest.fixture
def plain(make_driver: MakeDriver) -> Any:
    driver = make_driver(profile=ModemProfile(ussd=SCRIPT))
    driver.modem.open()
    return driver


def answer(driver: Any, count: int = 1) -> UssdAnswer:
    """Wait for the next answer as the gateway does: idling."""
    until(lambda: len(driver.events.answers) >= count or driver.modem.idle(0.05), "the network answers")
    assert len(driver.events.answers) == count
    last: UssdAnswer = driver.events.answers[-1]
    return last


def test_each_form_is_found_and_remembered(driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[wire.UssdForm] = []

    def noted(text: str, form: wire.UssdForm) -> str:
        written.append(form)
        return wire.parameters(text, form)

    monkeypatch.setattr(at_ussd, "parameters", noted)
    driver.modem.ussd("*123#")
    assert answer(driver) == BALANCE
    right = written[-1]
    assert right.value == driver.peer.profile.ussd_form.value
    written.clear()
    driver.modem.ussd("*7#")
    assert answer(driver, 2).text == "1234567"
    driver.reopen()
    driver.modem.ussd("*9#")
    assert answer(driver, 3).text == CYRILLIC
    assert written == [right, right]


@pytest.mark.parametrize("fault", ["ussd-before-ok", "ussd-late", "ussd-no-dcs", "ussd-padding"])
def test_whenever_and_however_it_comes(driver: Any, fault: str) -> None:
    driver.peer.inject(fault, seconds=0.2 if fault == "ussd-late" else None)
    for number, (code, text) in enumerate({"*123#": "Pulsa Rp10.000", "*7#": "1234567"}.items(), 1):
        driver.modem.ussd(code)
        assert answer(driver, number) == UssdAnswer(UssdStatus.FINISHED, text)
    driver.send()


@pytest.mark.parametrize(
    ("fault", "text"),
    [("ussd-ucs2-untold", "Pulsa Rp10.000 \u2013 cr\u00e9dit"), ("ussd-octets", "Pulsa Rp10.000")],
    ids=["gammu#358", "gammu#513"],
)
def test_however_it_is_written(driver: Any, fault: str, text: str) -> None:
    driver.peer.inject(fault)
    driver.modem.ussd("*123#")
    assert answer(driver) == UssdAnswer(UssdStatus.FINISHED, text)


@pytest.mark.parametrize("fault", ["ussd-release-first", "ussd-empty-first"], ids=["python-gsmmodem#14", "gammu#292"])
def test_an_end_before_the_answer_is_not_the_answer(driver: Any, fault: str) -> None:
    driver.peer.inject(fault)
    driver.modem.ussd("*123#")
    assert answer(driver) == BALANCE
    driver.modem.ussd("*100#")
    assert answer(driver, 2).status is UssdStatus.REPLY_WANTED
    driver.modem.ussd("1")
    assert answer(driver, 3) == BALANCE


def test_gammu_358_the_answer_itself_may_end_the_session(driver: Any) -> None:
    driver.peer.inject("ussd-ended-by-network")
    driver.modem.ussd("*123#")
    assert answer(driver) == UssdAnswer(UssdStatus.ENDED, "Pulsa Rp10.000")
    driver.peer.heal()
    driver.modem.ussd("*123#")
    assert answer(driver, 2) == BALANCE


def test_several_lines_that_look_like_others(driver: Any) -> None:
    driver.peer.inject("ussd-multiline")
    driver.modem.ussd("*123#")
    said = answer(driver)
    assert said.text.startswith("Pulsa Rp10.000\nOK")
    assert said.text.endswith("1 More")
    driver.send()


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("ussd-no-text", UssdStatus.FINISHED),
        ("ussd-unsupported", UssdStatus.NOT_SUPPORTED),
        ("ussd-timed-out", UssdStatus.TIMED_OUT),
    ],
)
def test_answers_without_a_text(plain: Any, fault: str, status: UssdStatus) -> None:
    plain.peer.inject(fault)
    plain.modem.ussd("*123#")
    assert answer(plain) == UssdAnswer(status)


def test_the_network_ends_it(plain: Any) -> None:
    plain.modem.ussd("*2#")
    assert answer(plain) == UssdAnswer(UssdStatus.ENDED)


def test_a_session_goes_on_until_it_is_finished(driver: Any) -> None:
    driver.modem.ussd("*100#")
    assert answer(driver) == UssdAnswer(UssdStatus.REPLY_WANTED, "1 Pulsa\n2 Paket")
    driver.modem.ussd("2")
    assert answer(driver, 2) == UssdAnswer(UssdStatus.REPLY_WANTED, "Paket?")
    driver.modem.cancel_ussd()
    driver.modem.ussd("*100#")
    answer(driver, 3)
    driver.modem.ussd("1")
    assert answer(driver, 4) == BALANCE


def test_cancelling_where_there_is_no_session(plain: Any) -> None:
    plain.modem.cancel_ussd()
    plain.send()


def test_a_network_that_says_nothing_does_not_hold_the_modem_up(plain: Any) -> None:
    plain.peer.inject("ussd-silent")
    plain.modem.ussd("*123#")
    plain.send("meanwhile")
    assert plain.texts == ["meanwhile"]
    assert plain.events.answers == []


def test_an_answer_while_a_message_is_sent(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=ModemProfile(ussd=SCRIPT, network_time=0.3), result_timeout=3.0)
    driver.modem.open()
    driver.peer.inject("ussd-late", seconds=0.1)
    driver.modem.ussd("*123#")
    driver.send()
    assert driver.events.answers == [BALANCE]


def test_a_refusal_by_the_network_is_told_and_no_other_form_is_tried(plain: Any) -> None:
    plain.peer.inject("ussd-refused", times=1)
    with pytest.raises(NotDone, match="no network service"):
        plain.modem.ussd("*123#")
    plain.modem.ussd("*123#")
    assert answer(plain) == BALANCE


@pytest.mark.parametrize(("code", "error"), [(50, NotDone), (4, NotSupported)])
def test_a_modem_that_refuses_every_form(plain: Any, code: int, error: type[Exception]) -> None:
    plain.peer.inject("ussd-refused", code=code)
    with pytest.raises(error):
        plain.modem.ussd("*123#")
    plain.send()


def test_what_cannot_be_written_in_any_form(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=ModemProfile(ussd=SCRIPT))
    driver.modem._ussd._forms = (wire.UssdForm.PLAIN,)
    driver.modem.open()
    with pytest.raises(NotDone, match="cannot send by USSD"):
        driver.modem.ussd('1"\rAT+CFUN=0')
    driver.send()


def test_an_ok_that_comes_too_late_does_not_lose_the_answer(plain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_ussd, "_PATIENCE", 0.1)
    plain.peer.inject("late-reply", command="+CUSD", seconds=0.3)
    plain.modem.ussd("*123#")
    plain.send()
    assert answer(plain) == BALANCE


def test_a_modem_that_is_not_open(make_driver: MakeDriver) -> None:
    driver = make_driver()
    for call in (lambda: driver.modem.ussd("*123#"), driver.modem.cancel_ussd):
        with pytest.raises(ModemLost):
            call()


def test_whoever_waits_is_told_that_the_modem_went_away(plain: Any) -> None:
    plain.peer.inject("ussd-silent")
    plain.modem.ussd("*123#")
    plain.modem.close()
    assert plain.events.answers == [UssdAnswer(UssdStatus.ENDED)]
    plain.modem.close()
    assert len(plain.events.answers) == 1


def test_no_text_and_no_code_is_logged(driver: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    driver.modem.ussd("*123#")
    answer(driver)
    driver.peer.inject("ussd-refused")
    with pytest.raises(NotDone) as caught:
        driver.modem.ussd("*7#")
    for secret in ("*123#", "*7#", "Rp10.000", "10000"):
        assert secret not in caplog.text + str(caught.value) + repr(driver.events.answers)


def test_a_session_that_waits_for_a_reply_ends_with_its_modem() -> None:
    events = RecordedEvents()
    ussd = at_ussd.Ussd(events, (UssdForm.PLAIN,))
    assert ussd.heard(Urc("+CUSD", '+CUSD: 1,"1 yes",15'))
    ussd.closed()
    ussd.closed()
    assert [answer.status for answer in events.answers] == [UssdStatus.REPLY_WANTED, UssdStatus.ENDED]


INITIATING_RELEASE = '+CUSD: 2,"Initiating Release",15'


@pytest.fixture
def heard() -> tuple[at_ussd.Ussd, RecordedEvents]:
    """A session in which a string was sent."""
    events = RecordedEvents()
    ussd = at_ussd.Ussd(events, (UssdForm.PLAIN,))
    ussd._pending = True
    return ussd, events


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (['+CUSD: 2,"Pulsa 10",15', "+CUSD: 2"], UssdAnswer(UssdStatus.ENDED, "Pulsa 10")),
        ([INITIATING_RELEASE, '+CUSD: 2,"Pulsa 10",15'], UssdAnswer(UssdStatus.ENDED, "Pulsa 10")),
        (["+CUSD: 2", "+CUSD: 0", '+CUSD: 0,"Pulsa 10",15'], UssdAnswer(UssdStatus.FINISHED, "Pulsa 10")),
        (['+CUSD: 2,"Good bye",15', '+CUSD: 0,"Pulsa 10",15'], UssdAnswer(UssdStatus.FINISHED, "Pulsa 10")),
        (["+CUSD: 2", "+CUSD: 5"], UssdAnswer(UssdStatus.TIMED_OUT)),
    ],
)
def test_of_several_lines_the_answer_is_told(
    heard: tuple[at_ussd.Ussd, RecordedEvents], lines: list[str], told: UssdAnswer
) -> None:
    ussd, events = heard
    for line in lines:
        assert events.answers == []
        assert ussd.heard(Urc("+CUSD", line))
    assert events.answers == [told]
    assert ussd.due == float("inf")


@pytest.mark.parametrize("line", [INITIATING_RELEASE, "+CUSD: 2", '+CUSD: 0,""'])
def test_an_end_behind_which_nothing_comes_is_told_after_a_while(
    heard: tuple[at_ussd.Ussd, RecordedEvents], line: str
) -> None:
    ussd, events = heard
    ussd.heard(Urc("+CUSD", line))
    until(lambda: ussd.due <= time.monotonic(), "it is due")
    ussd.work(None)  # type: ignore[arg-type]  # the channel is not used
    assert [(answer.status in (UssdStatus.ENDED, UssdStatus.FINISHED), answer.text) for answer in events.answers] == [
        (True, "")
    ]


def test_what_was_held_back_is_told_when_the_modem_goes_away(heard: tuple[at_ussd.Ussd, RecordedEvents]) -> None:
    ussd, events = heard
    ussd.heard(Urc("+CUSD", '+CUSD: 2,"Pulsa 10",15'))
    ussd.closed()
    ussd.closed()
    assert events.answers == [UssdAnswer(UssdStatus.ENDED, "Pulsa 10")]
