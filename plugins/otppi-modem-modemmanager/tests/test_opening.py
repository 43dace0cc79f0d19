"""Finding, unlocking and enabling a modem; losing it, and having it back."""

import threading
from typing import Any

import dbus
import pytest

from otppi.api.errors import ModemBlocked, ModemLost, Trouble
from otppi.api.modem import RecoveryStep

MODEM = "org.freedesktop.ModemManager1.Modem"
OTHER_IMEI = "350000000000007"


def test_it_is_enabled_and_says_who_it_is(manager: Any, modem: str, driver: Any) -> None:
    identity = driver.modem.identity()
    assert manager.log == ["Enable True"]
    assert (identity.manufacturer, identity.model, identity.revision) == ("Made-up", "MM-1", "1.0")
    assert (identity.imei, identity.imsi) == ("490154203237518", "510010000000001")
    assert identity.iccid == "8962000000000000017"
    assert (identity.operator, identity.registration) == ("Made-up Mobile", "home network")
    assert identity.signal_dbm == -82
    assert all(type(one) is str for one in (identity.imei, identity.operator, identity.iccid))


def test_what_changes_is_seen(manager: Any, modem: str, driver: Any) -> None:
    manager.change(modem, MODEM, SignalQuality=dbus.Struct((dbus.UInt32(100), True)))
    driver.look_after(lambda: driver.modem.identity().signal_dbm == -51, "the signal is seen")


@pytest.mark.parametrize(
    ("settings", "chosen"),
    [
        ({"imei": OTHER_IMEI}, 1),
        ({"imei": OTHER_IMEI[:14]}, 1),
        ({"imei": "", "port": "/dev/ttyUSB7"}, 1),
        ({"imei": "", "port": "/dev/ttyUSB3"}, 0),
    ],
)
def test_it_is_found_by_imei_or_port(manager: Any, make_driver: Any, settings: dict[str, str], chosen: int) -> None:
    manager.add(port="ttyUSB3")
    manager.add(imei=OTHER_IMEI, port="ttyUSB7")
    driver = make_driver(**settings).open()
    assert driver.modem.identity().imei == ("490154203237518", OTHER_IMEI)[chosen]


def test_one_that_is_not_there_is_absent_and_of_two_one_must_be_named(manager: Any, make_driver: Any) -> None:
    with pytest.raises(ModemLost, match=f"no modem with IMEI {OTHER_IMEI}") as caught:
        make_driver(imei=OTHER_IMEI).open()
    assert caught.value.trouble is Trouble.ABSENT
    manager.add()
    make_driver(imei="").open()
    manager.add(imei=OTHER_IMEI)
    with pytest.raises(ModemBlocked, match="set its IMEI"):
        make_driver(imei="").open()


def test_it_comes_back_under_another_path(manager: Any, modem: str, driver: Any) -> None:
    manager("RemoveModem", "o", modem)
    with pytest.raises(ModemLost, match="any more"):
        driver.look_after(lambda: False)
    assert manager.add() != modem
    driver.reopen()
    assert driver.send().references


def test_modemmanager_is_restarted(own_manager: Any, make_driver: Any) -> None:
    own_manager.add()
    driver = make_driver().open()
    own_manager.stop()
    with pytest.raises(ModemLost, match="ended"):
        driver.look_after(lambda: False)
    own_manager.start()
    own_manager.add()
    driver.reopen()
    assert driver.send().references


def test_a_wake_up_ends_the_wait(driver: Any) -> None:
    driver.look_after(lambda: True)
    timer = threading.Timer(0.05, driver.modem.wake)
    timer.start()
    driver.modem.idle(60)
    timer.join()


def test_a_network_that_is_lost_is_told(manager: Any, modem: str, driver: Any) -> None:
    manager.change(modem, f"{MODEM}.Modem3gpp", RegistrationState=dbus.UInt32(2))
    with pytest.raises(ModemLost, match="no network: searching") as caught:
        driver.look_after(lambda: False)
    assert caught.value.trouble is Trouble.NO_NETWORK


def test_a_modem_that_is_still_searching_has_no_network(manager: Any, modem: str, make_driver: Any) -> None:
    manager.script("Enable True", "searching")
    with pytest.raises(ModemLost, match="searching") as caught:
        make_driver().open()
    assert caught.value.trouble is Trouble.NO_NETWORK


def test_one_that_somebody_disabled_is_enabled_again(manager: Any, modem: str, driver: Any) -> None:
    manager.change(modem, MODEM, State=dbus.Int32(3))
    with pytest.raises(ModemLost, match="not enabled"):
        driver.look_after(lambda: False)
    driver.reopen()
    assert driver.send().references


@pytest.mark.parametrize(
    ("step", "expected"), [("Core.Unauthorized", ModemBlocked), ("MobileEquipment.SimBusy", ModemLost)]
)
def test_enabling_that_fails_is_told(
    manager: Any, modem: str, make_driver: Any, step: str, expected: type[ModemLost]
) -> None:
    manager.script("Enable True", f"error {step}")
    with pytest.raises(expected) as caught:
        make_driver().open()
    assert type(caught.value) is expected


def test_a_modem_without_sim_needs_a_person(manager: Any, modem: str, make_driver: Any) -> None:
    manager.change(modem, MODEM, State=dbus.Int32(-1), StateFailedReason=dbus.UInt32(2))
    with pytest.raises(ModemBlocked, match="no SIM card"):
        make_driver().open()
    manager.change(modem, MODEM, StateFailedReason=dbus.UInt32(1))
    with pytest.raises(ModemLost) as caught:
        make_driver().open()
    assert caught.value.trouble is Trouble.FAULTY


def test_recovery_switches_the_radio_or_resets(manager: Any, modem: str, driver: Any) -> None:
    driver.modem.close()
    assert driver.modem.recover(RecoveryStep.RADIO)
    assert manager.log[1:] == ["Enable False", "SetPowerState 2", "Enable True"]
    assert driver.modem.recover(RecoveryStep.RESET)
    driver.reopen()
    assert driver.send().references
    assert not driver.modem.recover(RecoveryStep.POWER)


def test_a_step_that_modemmanager_cannot_take_is_told(manager: Any, modem: str, make_driver: Any) -> None:
    driver = make_driver()
    manager.script("Reset", "error Core.Unsupported", "error Core.Failed")
    assert not driver.modem.recover(RecoveryStep.RESET)
    with pytest.raises(ModemLost):
        driver.modem.recover(RecoveryStep.RESET)
    manager.script("SetPowerState 2", "error Core.Unsupported")
    assert driver.modem.recover(RecoveryStep.RADIO)


def test_settings_that_do_nothing_are_told(make_driver: Any) -> None:
    assert make_driver().modem.warnings() == []
    assert "init_commands" in make_driver(init_commands=["AT+MADEUP"]).modem.warnings()[0]
