"""The SIM PIN tool over the modem peer, the SMSC's number, and init commands."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from otppi.api.errors import ModemBlocked, ModemLost, NotDone, NotSupported
from otppi.api.modem import ModemContext
from otppi.api.sim import SimAction, SimStatus
from otppi.kit.at.modem import AtModem
from otppi.kit.at.sim import SimTries
from otppi.kit.at.start import Profile
from otppi.simulator import ModemProfile
from otppi.testing.scripted import until

MakeDriver = Callable[..., Any]
LOCKED = ModemProfile(pin="1234")
READY = SimStatus("READY", 3, 10, True)


def profiled(driver: Any, **values: Any) -> AtModem:
    """Make the driver anew with a profile of its model."""
    driver.modem.close()
    context: ModemContext = driver.modem._context
    driver.modem = AtModem(context, Profile(**values))
    return driver.modem  # type: ignore[no-any-return]


def blocked(driver: Any) -> None:
    with pytest.raises(ModemBlocked):
        driver.modem.open()
    driver.modem.close()


# -- how it stands -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_open", [False, True])
def test_status_of_a_sim_without_lock(make_driver: MakeDriver, is_open: bool) -> None:
    driver = make_driver()
    if is_open:
        driver.modem.open()
    assert driver.modem.sim_status() == SimStatus("READY", 3, 10, False)
    assert (driver.modem._channel is not None) is is_open
    driver.reopen()
    driver.send()


def test_status_of_a_sim_that_asks_for_its_pin_or_puk(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=LOCKED)
    blocked(driver)
    assert driver.modem.sim_status() == SimStatus("SIM PIN", 3, 10, True)
    driver.peer.inject("puk-required")
    assert driver.modem.sim_status() == SimStatus("SIM PUK", 0, 10, True)


def test_the_tries_by_a_model_s_own_command(make_driver: MakeDriver) -> None:
    profile = ModemProfile(answers={"^CPIN?": "^CPIN: {lock},{times},{puk_tries},{pin_tries},10,3"})
    driver = make_driver(profile=profile)
    own = SimTries("AT^CPIN?", r"\^CPIN: [^,]*,\d*,\d+,(\d+)", r"\^CPIN: [^,]*,\d*,(\d+)")
    assert profiled(driver, sim_tries=(own,)).sim_status() == SimStatus("READY", 3, 10, False)


def test_tries_that_nobody_tells_are_unknown(make_driver: MakeDriver) -> None:
    unknown = SimTries("AT+NOSUCH", r"(\d)", r"(\d)")
    assert profiled(make_driver(), sim_tries=(unknown,)).sim_status() == SimStatus("READY", None, None, False)


def test_a_busy_sim_is_waited_for(make_driver: MakeDriver) -> None:
    driver = make_driver()
    driver.peer.inject("sim-busy", seconds=0.3)
    assert driver.modem.sim_status().state == "READY"


def test_a_modem_that_cannot_tell(make_driver: MakeDriver) -> None:
    driver = make_driver()
    driver.peer.inject("cmee-refused")
    driver.peer.inject("sim-busy", code=4)
    with pytest.raises(NotSupported):
        driver.modem.sim_status()


def test_no_port(make_driver: MakeDriver) -> None:
    driver = make_driver()
    driver.peer.unplug()
    with pytest.raises(ModemLost):
        driver.modem.sim_status()
    driver.peer.replug()
    driver.peer.inject("silence")
    with pytest.raises(ModemLost, match="does not answer"):
        driver.modem.sim_status()


# -- what a person does ------------------------------------------------------------------------------------------------


def test_entering_the_pin_opens_the_way(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=ModemProfile(pin="1234", sim_ready_delay=0.3))
    blocked(driver)
    assert driver.modem.sim_change(SimAction.ENTER_PIN, "1234") == READY
    driver.modem.open()
    driver.send()


def test_a_wrong_pin_is_refused_with_what_is_left(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=LOCKED)
    with pytest.raises(NotDone, match="incorrect password; tries left: PIN 2, PUK 10"):
        driver.modem.sim_change(SimAction.ENTER_PIN, "9999")
    assert driver.modem.sim_status().pin_tries == 2


def test_a_wrong_pin_that_is_set_is_not_tried_again_by_itself(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=LOCKED, sim_card_pin="9999")
    with pytest.raises(NotDone):
        driver.modem.sim_change(SimAction.ENTER_PIN, "9999")
    with pytest.raises(ModemBlocked, match="is not tried again"):
        driver.modem.open()
    driver.modem.close()
    assert driver.modem.sim_status().pin_tries == 2


def test_another_wrong_pin_does_not_make_the_set_one_forgotten(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=LOCKED, sim_card_pin="9999")
    blocked(driver)
    with pytest.raises(NotDone):
        driver.modem.sim_change(SimAction.ENTER_PIN, "8888")
    with pytest.raises(ModemBlocked, match="is not tried again"):
        driver.modem.open()
    driver.modem.close()
    assert driver.modem.sim_status().pin_tries == 1
    assert driver.modem.sim_change(SimAction.ENTER_PIN, "1234") == READY
    driver.modem.open()
    assert not list(driver.folder.iterdir())


def test_the_puk_gives_a_new_pin(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=LOCKED)
    driver.peer.inject("puk-required")
    blocked(driver)
    with pytest.raises(NotDone, match="PUK 9"):
        driver.modem.sim_change(SimAction.UNBLOCK, "87654321", "4321")
    assert driver.modem.sim_change(SimAction.UNBLOCK, "12345678", "4321") == READY
    driver.modem.open()
    driver.send()


def test_the_lock_is_changed_and_switched_while_the_modem_is_open(make_driver: MakeDriver) -> None:
    driver = make_driver()
    driver.modem.open()
    assert driver.modem.sim_change(SimAction.ENABLE_PIN, "1234") == READY
    assert driver.modem.sim_change(SimAction.CHANGE_PIN, "1234", "54321") == READY
    driver.send("still open")
    assert driver.modem.sim_change(SimAction.DISABLE_PIN, "54321").pin_enabled is False
    with pytest.raises(NotDone, match="operation not allowed"):
        driver.modem.sim_change(SimAction.CHANGE_PIN, "54321", "1234")
    driver.send("and now")
    assert driver.texts == ["still open", "and now"]


@pytest.mark.parametrize("action", [SimAction.ENTER_PIN, SimAction.UNBLOCK])
def test_what_the_sim_does_not_ask_for_is_not_sent(make_driver: MakeDriver, action: SimAction) -> None:
    driver = make_driver()
    with pytest.raises(NotDone, match="says READY"):
        driver.modem.sim_change(action, "1234", "4321")
    assert driver.modem.sim_status().pin_tries == 3


@pytest.mark.parametrize(("secret", "new"), [("", "1234"), ("12", "1234"), ("1234", 'x"'), ('1234"', "1234")])
def test_what_is_no_pin_is_not_sent(make_driver: MakeDriver, secret: str, new: str) -> None:
    driver = make_driver()
    with pytest.raises(NotDone, match="4 to 8 digits"):
        driver.modem.sim_change(SimAction.CHANGE_PIN, secret, new)


def test_no_pin_is_logged_or_raised(make_driver: MakeDriver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    driver = make_driver(profile=LOCKED)
    with pytest.raises(NotDone) as caught:
        driver.modem.sim_change(SimAction.ENTER_PIN, "7391")
    driver.modem.sim_change(SimAction.ENTER_PIN, "1234")
    assert "7391" not in caplog.text + repr(caught.value)
    assert "1234" not in caplog.text


# -- SMSC --------------------------------------------------------------------------------------------------------------


def smsc(driver: Any) -> str:
    number: str = driver.peer._peer.sim.smsc
    return number


def test_the_smsc_is_given_back_after_the_network_was_lost(make_driver: MakeDriver) -> None:
    driver = make_driver()
    driver.modem.open()
    driver.peer.inject("csca-empty")
    driver.reopen()
    assert smsc(driver) == driver.peer.profile.smsc
    assert driver.modem.identity().smsc == driver.peer.profile.smsc
    driver.send()


@pytest.mark.parametrize("wanted", ["", "+628110000"])
def test_the_smsc_is_looked_at_when_the_registration_changes(make_driver: MakeDriver, wanted: str) -> None:
    driver = make_driver(sms_center=wanted)
    driver.modem.open()
    driver.modem._channel.command("AT+CREG=1")
    driver.peer.inject("csca-empty")
    assert smsc(driver) == ""
    driver.peer._act(lambda now: driver.peer._peer.set_coverage(False, now))
    driver.peer._act(lambda now: driver.peer._peer.set_coverage(True, now))
    until(lambda: driver.modem.idle(0.05) or smsc(driver), "the number is given back")
    assert smsc(driver) == (wanted or driver.peer.profile.smsc)


def test_another_sim_does_not_get_the_number_of_the_last_one(make_driver: MakeDriver) -> None:
    driver = make_driver()
    driver.modem.open()
    driver.modem._smsc._sim = "another"
    driver.peer.inject("csca-empty")
    driver.reopen()
    assert smsc(driver) == ""


# -- init commands -----------------------------------------------------------------------------------------------------


def test_init_commands_are_run_and_what_is_refused_is_shown(
    make_driver: MakeDriver, caplog: pytest.LogCaptureFixture
) -> None:
    driver = make_driver(init_commands=["AT+NOSUCH=secret", "AT+CGREG=2"])
    for _ in range(2):
        driver.reopen()
        assert driver.modem.warnings() == ("init command AT+NOSUCH was refused",)
    registration = driver.peer._peer.session.registration_urc
    assert registration["+CGREG"] == 2
    assert caplog.text.count("init command AT+NOSUCH was refused") == 1
    assert "secret" not in caplog.text
    driver.send()


def test_an_init_command_that_is_not_answered(make_driver: MakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otppi.kit.at.start._INIT_TIMEOUT", 0.1)
    driver = make_driver(init_commands=["AT+CGREG=2"])
    driver.peer.inject("late-reply", command="+CGREG=2", seconds=0.3)
    driver.modem.open()
    assert driver.modem.warnings() == ("init command AT+CGREG was not answered",)
    driver.send()
