"""Status reports, and results that come after all."""

import time
from typing import Any

import pytest

from otppi.api.errors import Unconfirmed
from otppi.api.events import DeliveryOutcome, DeliveryReport
from otppi.kit.at.late_results import LateResults
from otppi.simulator import ModemProfile
from otppi.testing.scripted import RecordedEvents, until
from otppi.wire.at import Noise
from otppi.wire.segment import segment

from .inbox_steps import LONG, MakeDriver, poll, settle, stored, work

# -- reports -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "outcomes"),
    [
        (None, [DeliveryOutcome.DELIVERED]),
        ("report-failed", [DeliveryOutcome.FAILED]),
        ("report-pending-only", [DeliveryOutcome.PENDING]),
        ("report-before-result", [DeliveryOutcome.DELIVERED]),
        ("report-twice", [DeliveryOutcome.DELIVERED] * 2),
    ],
)
def test_reports_are_told(driver: Any, fault: str | None, outcomes: list[DeliveryOutcome]) -> None:
    driver.modem.open()
    settle(driver)
    if fault:
        driver.peer.inject(fault)
    message = driver.message(report=True)
    driver.modem.send(message)
    work(driver, lambda: len(driver.events.reports) == len(outcomes))
    assert [report.outcome for report in driver.events.reports] == outcomes
    report = driver.events.reports[0]
    assert (report.destination, [report.reference]) == ("6281234567890", message.progress.references)
    assert report.discharged is not None
    assert abs(report.discharged - time.time()) < 5


def test_reports_that_are_stored_are_read_and_deleted(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=ModemProfile(memories={"SM": 5, "SR": 5}))
    driver.modem.open()
    settle(driver)
    driver.peer._peer.session.cnmi = (2, 1, 0, 2, 0)
    driver.modem.send(driver.message(report=True))
    work(driver, lambda: driver.events.reports)
    settle(driver)
    assert stored(driver) == 0


def test_a_report_that_is_stored_among_messages_is_one(driver: Any) -> None:
    driver.modem.open()
    settle(driver)
    driver.peer._peer.session.cnmi = (2, 1, 0, 2, 0)
    driver.peer.inject("notifications-lost")
    driver.modem.send(driver.message(report=True))
    until(lambda: stored(driver) == 1)
    poll(driver)
    assert [type(report) for report in driver.events.reports] == [DeliveryReport]
    assert driver.events.parts == []
    assert stored(driver) == 0


def test_reports_are_looked_at_while_the_network_has_the_next_message(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=ModemProfile(report_delay=0.0))
    driver.modem.open()
    settle(driver)
    for number in range(20):
        driver.modem.send(driver.message(f"text {number}", report=True))
    assert len(driver.events.reports) >= 19


def test_what_was_routed_survives_that_the_modem_is_lost(driver: Any) -> None:
    driver.modem.open()
    settle(driver)
    driver.peer.inject("report-before-result")
    driver.modem.send(driver.message(report=True))
    driver.modem.close()
    driver.modem.open()
    settle(driver)
    assert len(driver.events.reports) == 1


# -- late results ------------------------------------------------------------------------------------------------------


def test_a_result_that_comes_after_all_is_told(driver: Any) -> None:
    driver.modem.open()
    driver.peer.inject("result-late", seconds=0.8, at=1)
    message = driver.message("slow")
    driver.give_up_after(result=0.1)
    with pytest.raises(Unconfirmed):
        driver.modem.send(message)
    driver.give_up_after()
    work(driver, lambda: driver.events.late)
    assert driver.events.late == [("slow", driver.rack.network.parts[0].message_reference)]
    driver.send("next")
    assert driver.texts == ["slow", "next"]


@pytest.mark.parametrize("text", ["slow", LONG])
def test_what_is_to_be_sent_again_goes_only_once_where_the_late_result_comes_first(driver: Any, text: str) -> None:
    driver.modem.open()
    driver.peer.inject("result-late", seconds=0.8, at=1)
    message = driver.message(text)
    driver.give_up_after(result=0.1)
    with pytest.raises(Unconfirmed):
        driver.modem.send(message)
    driver.give_up_after()
    work(driver, lambda: driver.events.late)
    again = driver.message(text, again=True, progress=message.progress)
    driver.modem.send(again)
    parts = driver.rack.network.parts
    assert len(parts) == message.progress.segments == len(segment(text))
    assert message.progress.references == [part.message_reference for part in parts]
    driver.send("another one")
    assert len(driver.rack.network.parts) == len(parts) + 1


def test_a_late_result_that_may_be_of_two_messages_is_nobodys() -> None:
    events = RecordedEvents()
    late = LateResults(events)
    late.expect("one")
    late.expect("two")
    assert late.heard(Noise("+CMGS: 7"))
    assert not late.heard(Noise("+CMGS: 8"))
    assert events.late == []


def test_a_late_result_after_a_later_message_is_nobodys() -> None:
    events = RecordedEvents()
    late = LateResults(events)
    late.expect("one")
    late.settled()
    assert not late.heard(Noise("+CMGS: 7"))
    late.expect("two")
    assert not late.heard(Noise("+CMTI"))
    assert late.heard(Noise("+CMGS: 300"))
    assert events.late == [("two", 300 & 0xFF)]
