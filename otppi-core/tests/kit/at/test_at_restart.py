"""A module that restarts by itself while its port stays: never a PDU in text mode, and all that was set comes back.

TinyGSM#608 and Seeed GPRS_SIM900#19: after a brown-out the stored profile is at work again. In text mode the digits of
a PDU, with receiver and code, went to the number that was the length of the TPDU, and the sender was told `sent`.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from otppi.api.errors import ModemLost, NotSent, SendError, Unconfirmed
from otppi.kit.at import restart as at_restart
from otppi.kit.at.channel import AtChannel
from otppi.kit.at.restart import RestartWatch
from otppi.simulator import ModemProfile
from otppi.testing.scripted import RecordedHooks, until
from otppi.wire.at import Urc

MakeDriver = Callable[..., Any]

STORED = ModemProfile(echo=False, text_mode=True)
"""Text mode and no echo in the stored profile, and not a word when it starts: nothing shows that it restarted."""
SPEAKING = replace(STORED, boot_urcs=("RDY", "+CFUN: 1", "+CPIN: READY", "Call Ready", "SMS Ready"))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the answer of a modem that restarts for 2 s instead of 5."""
    monkeypatch.setattr(AtChannel.command, "__defaults__", (2.0,))


def only_as_it_should(driver: Any, *texts: str) -> None:
    """Nothing but these texts arrived, and nowhere but at the receiver."""
    assert driver.texts == list(texts)
    assert {part.destination for part in driver.rack.network.parts} <= {"6281234567890"}


@pytest.mark.parametrize("joined", [True, False], ids=["in one line", "one by one"])
@pytest.mark.parametrize("profile", [STORED, replace(STORED, echo=True), SPEAKING], ids=["silent", "echo", "urcs"])
def test_no_pdu_is_typed_in_text_mode(make_driver: MakeDriver, profile: ModemProfile, *, joined: bool) -> None:
    driver = make_driver(profile=profile)
    if not joined:
        driver.peer.inject("joins-refused")
    driver.modem.open()
    driver.send("before")
    for number in range(3):
        driver.peer.restart()
        driver.send_at_last(f"after {number}")
    only_as_it_should(driver, "before", "after 0", "after 1", "after 2")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("command", ["+CMGF", "+CMGS"])
@pytest.mark.parametrize("boot_time", [0.0, 0.3])
@pytest.mark.parametrize("profile", [STORED, replace(STORED, echo=True), SPEAKING], ids=["silent", "echo", "urcs"])
def test_a_restart_in_the_middle_of_asking(
    make_driver: MakeDriver, profile: ModemProfile, boot_time: float, command: str
) -> None:
    driver = make_driver(profile=profile)
    driver.peer.inject("joins-refused")  # the harder case: another command lies between
    driver.modem.open()
    driver.send("before")
    driver.peer.inject("restart", command=command, seconds=boot_time)
    driver.give_up_after(prompt=0.4)
    driver.send_at_last("after")
    only_as_it_should(driver, "before", "after")


def test_a_prompt_of_before_the_restart_gets_no_pdu(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=replace(SPEAKING, prompt_time=0.1))
    driver.modem.open()
    driver.send("before")
    driver.peer.inject("urc-before-prompt")
    driver.send("news that are no signs")
    driver.peer.heal()
    driver.peer.inject("boot-garbage")  # with RDY's kin, and then the prompt
    attempts = driver.send_at_last("after")
    assert attempts > 1
    only_as_it_should(driver, "before", "news that are no signs", "after")


@pytest.mark.parametrize("profile", [STORED, SPEAKING], ids=["silent", "urcs"])
def test_reports_and_inbox_come_back(
    make_driver: MakeDriver, profile: ModemProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_restart, "_LOOK_EVERY", 0.3)
    driver = make_driver(profile=profile)
    driver.modem.open()
    driver.peer.restart()
    with pytest.raises(ModemLost, match="restarted"):
        until(lambda: driver.modem.idle(0.1) or False)
    driver.reopen()
    message = driver.message("reported", report=True)
    driver.modem.send(message)
    driver.peer.deliver("+628110000001", "answer")
    until(lambda: driver.modem.idle(0.1) or driver.events.reports, "the status report comes")
    until(lambda: driver.modem.idle(0.1) or driver.events.parts, "what came in is handed on")


def test_a_restart_in_the_pause_before_the_pdu(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=SPEAKING)
    driver.modem.open()
    driver.modem._prompt_pause = 0.3
    message = driver.message("after")
    dispatched: list[bool] = []
    hooks = RecordedHooks(lambda: dispatched.append(True), lambda: threading.Timer(0.1, driver.peer.restart).start())
    with pytest.raises(NotSent, match="restarted"):
        driver.modem.send(message, hooks)
    assert dispatched == []
    driver.modem._prompt_pause = 0.0
    driver.send_at_last("after")
    only_as_it_should(driver, "after")


@pytest.mark.parametrize("sign", ["+CFUN: 1", "+CPIN: READY", "Call Ready", "SMS Ready"])
def test_each_sign_is_looked_into_at_once_and_is_no_restart_by_itself(make_driver: MakeDriver, sign: str) -> None:
    profile = ModemProfile(chatter=(sign,), chatter_interval=0.2)
    driver = make_driver(profile=profile)
    driver.modem.open()
    until(lambda: driver.modem.idle(0.1) or driver.modem._restart.signs > 2, "the sign is heard")
    driver.send()
    driver.peer.restart()
    with pytest.raises(ModemLost, match="restarted"):
        until(lambda: driver.modem.idle(0.1) or False)


def test_a_modem_that_gives_signs_all_the_time_still_does_its_work(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=ModemProfile(chatter=("SMS Ready", "+CPIN: READY"), chatter_interval=0.02))
    driver.modem.open()
    driver.peer.deliver("+628110000001", "comes in")
    driver.send()
    until(lambda: driver.modem.idle(0.1) or driver.events.parts, "what came in is handed on")


def test_an_echo_that_is_back_is_a_sign(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=ModemProfile(echo=True, text_mode=True))
    driver.modem.open()
    driver.peer.restart()
    assert driver.send("at once").progress.references  # its line has set PDU mode
    with pytest.raises(ModemLost, match="restarted"):
        driver.modem.idle(0.0)
    only_as_it_should(driver, "at once")


def test_one_that_always_echoes_has_not_restarted(driver: Any) -> None:
    driver.peer.inject("echo-stuck")
    driver.modem.open()
    for number in range(3):
        driver.send(str(number))
        driver.modem.idle(0.0)
    only_as_it_should(driver, "0", "1", "2")


def test_a_restart_while_the_network_has_the_message_is_told_at_once(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=SPEAKING, result_timeout=60.0)
    driver.modem.open()
    driver.peer.inject("restart-after-submit")
    with pytest.raises(Unconfirmed, match="restarted"):
        driver.send("nobody knows")
    assert driver.send_at_last("after") == 2
    only_as_it_should(driver, "after")


def test_a_sim_that_asks_for_its_pin_again_gets_it(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=replace(STORED, pin="1234"), sim_card_pin="1234")
    driver.modem.open()
    driver.peer.restart()
    with pytest.raises(SendError):
        driver.send("after")
    driver.send_at_last("after")
    only_as_it_should(driver, "after")


def test_init_commands_do_not_undo_what_was_set(make_driver: MakeDriver) -> None:
    """Those of wvdial's usual configuration (Init2), which people copy."""
    driver = make_driver(init_commands=["ATQ0 V1 E1 S0=0 &C1 &D2", "ATE1;+CMEE=0"])
    driver.modem.open()
    channel = driver.modem._ready_channel()
    assert channel.command("AT+CMEE?") == ("+CMEE: 1",)
    echoes = channel.echoes
    driver.send()
    assert channel.echoes == echoes


@pytest.mark.parametrize(
    ("line", "signs"), [('+CMT: "+628110000001",,"26/11/28,10:00:00+28"', 1), ("+CMT: ,24", 0), ("+CMT: 24", 0)]
)
def test_a_text_mode_line_of_what_comes_in_is_a_sign(line: str, signs: int) -> None:
    watch = RestartWatch()
    assert watch.heard(Urc("+CMT", line, "00")) is False  # the inbox wants it too
    assert watch.signs == signs
