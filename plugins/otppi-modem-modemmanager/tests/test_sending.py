"""Sending through ModemManager, and what becomes of a message when it fails."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from otppi.api.errors import ModemBlocked, ModemLost, ModemUnfit, NotSent, Rejected, SendError, Unconfirmed
from otppi.testing.scripted import RecordedHooks, until
from otppi_modem_modemmanager.managed import ManagedModem


def test_a_message_is_created_sent_and_deleted(manager: Any, modem: str, driver: Any) -> None:
    noted: list[list[str]] = []
    message = driver.message("made-up text")
    driver.modem.send(message, RecordedHooks(lambda: noted.append(manager.log)))
    assert message.progress.segments == 1
    assert len(message.progress.references) == 1
    assert 0 <= message.progress.references[0] <= 255
    assert noted == [["Enable True", "Create"]]
    until(lambda: manager.kept(modem) == [], "its text is gone")
    (created,) = manager.created
    assert created == {
        "number": "+6281200000001",
        "text": "made-up text",
        "validity": (1, 5),
        "delivery-report-request": False,
    }


def test_smsc_class_report_and_validity_are_told(manager: Any, modem: str, make_driver: Any) -> None:
    driver = make_driver(sms_center="+6281100000").open()
    driver.send("made-up text", flash=True, report=True)
    (created,) = manager.created
    assert (created["smsc"], created["class"], created["delivery-report-request"]) == ("+6281100000", 0, True)


def test_references_count_up_and_parts_without_one_are_minus_one(driver: Any) -> None:
    first = driver.send("one").references
    progress = driver.send("x" * 161)
    assert progress.segments == 2
    assert progress.references == [-1, first[0] + 1]


def test_the_gateway_has_its_turn_while_modemmanager_works(driver: Any) -> None:
    message = driver.message()
    turns: list[int] = []
    driver.modem.send(message, RecordedHooks(meanwhile=lambda: turns.append(len(message.progress.references))))
    assert turns == [0, 0]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("Message.NetworkTimeout", NotSent),
        ("Message.SimBusy", NotSent),
        ("Message.Unknown Unknown message error: 38", NotSent),
        ("Message.Unknown Unknown message error: 21", NotSent),
        ("Message.Unknown Unknown message error: 10", ModemUnfit),
        ("Message.Unknown Unknown message error: 512", Unconfirmed),
        ("Message.Unknown", Unconfirmed),
        ("Message.SimPin", ModemUnfit),
        ("Message.SmscAddressUnknown", ModemUnfit),
        ("Message.MemoryFull", ModemUnfit),
        ("Message.InvalidPduParameter", Rejected),
        ("MobileEquipment.SimPin", ModemUnfit),
        ("MobileEquipment.NoNetwork", NotSent),
        ("MobileEquipment.Unknown", Unconfirmed),
        ("Core.InvalidArgs", Rejected),
        ("Core.Retry", NotSent),
        ("Core.Unsupported", ModemUnfit),
        ("Core.Unauthorized", ModemBlocked),
        ("Core.Failed", Unconfirmed),
        ("Core.Cancelled", Unconfirmed),
        ("Serial.ResponseTimeout", Unconfirmed),
        ("Serial.NotOpen", NotSent),
        ("org.gtk.GDBus.UnmappedGError.Quark._qmi_2dcore_2derror_2dquark.Code5", Unconfirmed),
    ],
)
def test_each_error_says_whether_it_may_be_sent_again(
    manager: Any, modem: str, driver: Any, step: str, expected: type[SendError]
) -> None:
    manager.script("Send", f"error {step}")
    with pytest.raises(SendError) as caught:
        driver.send()
    assert type(caught.value) is expected
    assert "made up" not in str(caught.value)
    if expected is not ModemBlocked:
        until(lambda: manager.kept(modem) == [], "its text is gone")
        assert driver.send().references


def test_a_makers_own_number_is_read_by_its_makers_table(
    manager: Any, driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ManagedModem, "maker", "Quectel")
    manager.script("Send", "error Message.Unknown Unknown message error: 512")
    with pytest.raises(NotSent, match="SIM not ready"):
        driver.send()


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("Message.NetworkTimeout", Unconfirmed),
        ("Core.Unsupported", ModemUnfit),
        ("Message.InvalidPduParameter", Rejected),
    ],
)
def test_of_a_message_of_several_parts_some_may_have_gone_out(
    manager: Any, driver: Any, step: str, expected: type[SendError]
) -> None:
    manager.script("Send", f"error {step}")
    with pytest.raises(SendError) as caught:
        driver.send("x" * 200)
    assert type(caught.value) is expected


def test_what_cannot_be_created_was_not_sent(manager: Any, driver: Any) -> None:
    manager.script("Create", "error Core.Failed", "error Core.InvalidArgs")
    with pytest.raises(NotSent):
        driver.send()
    with pytest.raises(Rejected):
        driver.send()
    assert "Send" not in manager.log


def test_a_text_that_no_sms_holds_is_rejected(manager: Any, driver: Any) -> None:
    with pytest.raises(Rejected):
        driver.send("\ud800")
    assert manager.created == []


def test_no_answer_in_time_is_unconfirmed_and_a_late_one_is_told(manager: Any, modem: str, make_driver: Any) -> None:
    driver = make_driver(result_timeout=0.1).open()
    manager.script("Send", "hold")
    with pytest.raises(Unconfirmed, match="in time"):
        driver.send()
    reference = driver.send().references[0]
    manager("Release", "s", "ok")
    driver.look_after(lambda: driver.events.late, "it was accepted late")
    assert driver.events.late == [("m-1", reference + 1)]
    until(lambda: manager.kept(modem) == [], "its text is gone")


def test_a_refusal_that_is_late_changes_nothing(manager: Any, modem: str, make_driver: Any) -> None:
    driver = make_driver(result_timeout=0.1).open()
    manager.script("Send", "hold")
    with pytest.raises(Unconfirmed):
        driver.send()
    manager("Release", "s", "error Message.NetworkTimeout")
    driver.look_after(lambda: manager.kept(modem) == [], "its text is gone")
    assert driver.events.late == []


def test_modemmanager_ends_in_the_middle(own_manager: Any, make_driver: Any) -> None:
    own_manager.add()
    driver = make_driver().open()
    own_manager.script("Send", "die")
    with pytest.raises(Unconfirmed, match="lost"):
        driver.send()
    with pytest.raises(ModemLost):
        driver.send()
    with pytest.raises(ModemLost):
        driver.modem.open()
    own_manager.stop()
    own_manager.start()
    own_manager.add()
    driver.reopen()
    assert driver.send().references


def test_the_bus_ends_in_the_middle(own_manager: Any, make_driver: Any) -> None:
    own_manager.add()
    driver = make_driver().open()
    own_manager.script("Send", "hold")
    message = driver.message()
    turns: list[None] = []

    def meanwhile() -> None:
        turns.append(None)
        if len(turns) == 2:  # Send is under way
            own_manager.stop_bus()

    with pytest.raises(Unconfirmed, match="bus"):
        driver.modem.send(message, RecordedHooks(meanwhile=meanwhile))
    with pytest.raises(ModemLost):
        driver.modem.idle(1)
    driver.modem.close()
    with pytest.raises(ModemLost, match="no system bus"):
        driver.modem.open()
    own_manager.stop()
    own_manager.start_bus()
    own_manager.start()
    own_manager.add()
    driver.reopen()
    assert driver.send().references


def test_the_modem_vanishes_in_the_middle(manager: Any, modem: str, driver: Any) -> None:
    manager.script("Send", "hold")
    message = driver.message()
    turns: list[None] = []

    def meanwhile() -> None:
        turns.append(None)
        if len(turns) == 2:
            manager("RemoveModem", "o", modem)

    with pytest.raises(Unconfirmed):
        driver.modem.send(message, RecordedHooks(meanwhile=meanwhile))
    with pytest.raises(ModemLost, match="does not have the modem any more"):
        driver.send()


def test_a_modem_that_went_before_has_sent_nothing(manager: Any, modem: str, driver: Any) -> None:
    manager("RemoveModem", "o", modem)
    with pytest.raises(ModemLost):
        driver.send()
    assert manager.created == []


def test_modems_send_at_the_same_time_each_on_its_own_thread(manager: Any, make_driver: Any) -> None:
    imeis = [f"3500000000000{number}7" for number in range(4)]
    for imei in imeis:
        manager.add(imei=imei)
    drivers = [make_driver(imei=imei, name=imei) for imei in imeis]

    def use(driver: Any) -> int:
        driver.open()
        return sum(len(driver.send(f"made-up text {number}").references) for number in range(25))

    with ThreadPoolExecutor(len(drivers)) as pool:
        assert list(pool.map(use, drivers)) == [25] * 4
    assert len(manager.created) == 100
