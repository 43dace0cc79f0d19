"""The SIM's lock: the PIN that is set, once; and the PIN tool."""

from typing import Any

import pytest

from otppi.api.errors import ModemBlocked, NotDone, NotSupported
from otppi.api.sim import SimAction, SimStatus

PIN, PUK = "4711", "12345678"


@pytest.fixture
def locked(manager: Any) -> str:
    return str(manager.add(locked=True, pin=PIN, puk=PUK))


def test_the_pin_that_is_set_opens_the_sim(locked: str, manager: Any, make_driver: Any) -> None:
    driver = make_driver(sim_card_pin=PIN).open()
    assert manager.log == ["SendPin", "Enable True"]
    assert driver.send().references


def test_a_wrong_pin_is_tried_once_per_boot(locked: str, manager: Any, make_driver: Any) -> None:
    with pytest.raises(ModemBlocked, match="refused the PIN"):
        make_driver(sim_card_pin="0000").open()
    with pytest.raises(ModemBlocked, match="not tried again"):
        make_driver(sim_card_pin="0000").open()
    assert manager.log == ["SendPin"]
    make_driver(sim_card_pin=PIN).open()


def test_without_a_pin_and_with_a_puk_a_person_is_needed(locked: str, manager: Any, make_driver: Any) -> None:
    driver = make_driver()
    with pytest.raises(ModemBlocked, match="none is set"):
        driver.open()
    for _ in range(3):
        with pytest.raises(NotDone):
            driver.modem.sim_change(SimAction.ENTER_PIN, "0000")
    driver.modem.close()
    with pytest.raises(ModemBlocked, match="SIM PUK"):
        driver.open()
    driver.modem.close()
    status = driver.modem.sim_change(SimAction.UNBLOCK, PUK, "9999")
    assert status == SimStatus("READY", pin_tries=3, puk_tries=10, pin_enabled=True)
    driver.open()


def test_the_last_try_is_for_a_person(locked: str, manager: Any, make_driver: Any) -> None:
    driver = make_driver(sim_card_pin=PIN)
    for _ in range(2):
        with pytest.raises(NotDone, match=r"incorrect password; tries left: PIN [12], PUK 10"):
            driver.modem.sim_change(SimAction.ENTER_PIN, "0000")
    with pytest.raises(ModemBlocked, match="one try is left"):
        driver.open()


def test_the_lock_is_told_while_the_modem_is_closed(locked: str, make_driver: Any) -> None:
    driver = make_driver()
    assert driver.modem.sim_status() == SimStatus("SIM PIN", pin_tries=3, puk_tries=10, pin_enabled=True)
    assert driver.modem.sim_change(SimAction.ENTER_PIN, PIN).state == "READY"


def test_the_pin_is_changed_and_switched_off_while_the_modem_is_open(manager: Any, make_driver: Any) -> None:
    manager.add(pin=PIN, puk=PUK)
    driver = make_driver().open()
    assert driver.modem.sim_status().pin_enabled is True
    assert driver.modem.sim_change(SimAction.CHANGE_PIN, PIN, "9999").state == "READY"
    with pytest.raises(NotDone):
        driver.modem.sim_change(SimAction.DISABLE_PIN, PIN)
    assert driver.modem.sim_change(SimAction.DISABLE_PIN, "9999").pin_enabled is False
    assert driver.modem.sim_change(SimAction.ENABLE_PIN, "9999").pin_enabled is True
    assert driver.send().references


def test_what_modemmanager_cannot_do_is_told(manager: Any, modem: str, driver: Any) -> None:
    manager.script("ChangePin", "error Core.Unsupported")
    with pytest.raises(NotSupported):
        driver.modem.sim_change(SimAction.CHANGE_PIN, PIN, "9999")


@pytest.mark.parametrize(
    ("action", "secret", "new_pin", "cause"),
    [
        (SimAction.ENTER_PIN, PIN, "", "must say SIM PIN for that, and it says READY"),
        (SimAction.UNBLOCK, PUK, "9999", "must say SIM PUK"),
        (SimAction.CHANGE_PIN, PIN, "12", "4 to 8 digits"),
        (SimAction.DISABLE_PIN, "12a4", "", "4 to 8 digits"),
    ],
)
def test_what_makes_no_sense_costs_no_try(
    manager: Any, modem: str, driver: Any, action: SimAction, secret: str, new_pin: str, cause: str
) -> None:
    with pytest.raises(NotDone, match=cause):
        driver.modem.sim_change(action, secret, new_pin)
    assert driver.modem.sim_status().pin_tries == 3


def test_the_set_pin_that_a_person_found_wrong_is_not_tried(locked: str, manager: Any, make_driver: Any) -> None:
    driver = make_driver(sim_card_pin="0000")
    with pytest.raises(NotDone):
        driver.modem.sim_change(SimAction.ENTER_PIN, "0000")
    with pytest.raises(ModemBlocked, match="not tried again"):
        driver.open()
