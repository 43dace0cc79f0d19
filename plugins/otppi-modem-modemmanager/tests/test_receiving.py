"""Messages and status reports that ModemManager received."""

from typing import Any

import dbus
import pytest

from otppi.api.events import DeliveryOutcome, DeliveryReport, InboundPart
from otppi.testing.scripted import until
from otppi_modem_modemmanager import inbox

SMS = "org.freedesktop.ModemManager1.Sms"
SENT = 1777599000.0  # 2026-05-01 08:30 at +07


def test_a_message_is_told_and_deleted(manager: Any, modem: str, driver: Any) -> None:
    path = manager.receive(modem, Text="made-up reply")
    driver.look_after(lambda: driver.events.parts, "it is told")
    assert driver.events.parts == [InboundPart("+6281200000001", "made-up reply", SENT, offer=path)]
    driver.look_after(lambda: manager.kept(modem) == [], "it is deleted")


def test_one_that_is_not_held_stays_and_is_offered_again(
    manager: Any, modem: str, driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "_ASK_AGAIN", 0.05)
    driver.events.holding = False
    path = manager.receive(modem, Text="made-up reply")
    driver.look_after(lambda: len(driver.events.parts) > 1, "it is offered again")
    assert manager.kept(modem) == [path]
    assert {part.offer for part in driver.events.parts} == {path}
    driver.events.holding = True
    driver.look_after(lambda: manager.kept(modem) == [], "it is deleted")


def test_what_came_before_the_start_is_told(manager: Any, modem: str, make_driver: Any) -> None:
    manager.receive(modem, Text="one", Timestamp="")
    manager.receive(modem, Data=dbus.ByteArray(b"\x01\xff"))
    driver = make_driver().open()
    driver.look_after(lambda: len(driver.events.parts) == 2, "both are told")
    told = sorted((one.text, one.binary, one.sent) for one in driver.events.parts)
    assert told == [("01ff", True, SENT), ("one", False, 0.0)]


def test_one_of_several_parts_is_told_when_it_is_complete(manager: Any, modem: str, driver: Any) -> None:
    path = manager.receive(modem, State=dbus.UInt32(2))
    driver.look_after(lambda: driver.modem._session.inbox.due > 1, "it was looked at")
    assert driver.events.parts == []
    manager.change(path, SMS, State=dbus.UInt32(3), Text="a long made-up reply")
    driver.look_after(lambda: driver.events.parts, "it is told")
    assert driver.events.parts[0].text == "a long made-up reply"


def test_one_whose_rest_never_comes_is_deleted(
    manager: Any, modem: str, driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "_INCOMPLETE", 0.05)
    manager.receive(modem, State=dbus.UInt32(2))
    driver.look_after(lambda: manager.kept(modem) == [], "it is deleted")
    assert driver.events.parts == []


@pytest.mark.parametrize(
    ("status", "outcome", "told"),
    [
        (0x00, DeliveryOutcome.DELIVERED, 0x00),
        (0x22, DeliveryOutcome.PENDING, 0x22),
        (0x46, DeliveryOutcome.FAILED, 0x46),
        (0x100, DeliveryOutcome.PENDING, 0xFF),
    ],
)
def test_a_status_report_is_told_and_deleted(
    manager: Any, modem: str, driver: Any, status: int, outcome: DeliveryOutcome, told: int
) -> None:
    manager.receive(
        modem,
        PduType=dbus.UInt32(3),
        MessageReference=dbus.UInt32(42),
        DeliveryState=dbus.UInt32(status),
        DischargeTimestamp="2026-05-01T08:30:00+07",
    )
    driver.look_after(lambda: driver.events.reports, "it is told")
    assert driver.events.reports == [DeliveryReport("6281200000001", 42, outcome, told, SENT)]
    driver.look_after(lambda: manager.kept(modem) == [], "it is deleted")
    assert driver.events.parts == []


def test_what_an_earlier_run_left_behind_is_deleted(manager: Any, modem: str, make_driver: Any) -> None:
    manager.receive(modem, State=dbus.UInt32(0), PduType=dbus.UInt32(2), Text="made-up text")
    driver = make_driver().open()
    driver.look_after(lambda: manager.kept(modem) == [], "it is deleted")
    assert driver.events.parts == []


def test_a_message_that_somebody_else_deleted_is_forgotten(manager: Any, modem: str, driver: Any) -> None:
    driver.events.holding = False
    path = manager.receive(modem, Text="made-up reply")
    driver.look_after(lambda: driver.events.parts, "it is told")
    manager.call(modem, "org.freedesktop.ModemManager1.Modem.Messaging", "Delete", "o", path)
    driver.look_after(lambda: driver.modem._session.inbox.due == float("inf"), "it is forgotten")


def test_receiving_does_not_hold_up_sending(manager: Any, modem: str, driver: Any) -> None:
    for number in range(5):
        manager.receive(modem, Text=f"made-up reply {number}")
    assert driver.send().references
    assert len(driver.events.parts) <= 1
    driver.look_after(lambda: len(driver.events.parts) == 5, "all are told")
    until(lambda: manager.kept(modem) == [], "all are deleted")
