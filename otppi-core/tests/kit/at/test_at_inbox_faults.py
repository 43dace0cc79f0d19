"""What modems do with what comes in to them: memories that lie, are full, or announce nothing."""

import time
from typing import Any

import pytest

from otppi.api.errors import ModemUnfit, NotSent
from otppi.simulator import ModemProfile
from otppi.simulator.commands import COMMANDS, ExtendedCommand

from .inbox_steps import MakeDriver, deliver_line, poll, put, settle, stored, texts, work

# -- what modems do ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        "memory-me-absent",
        "cmti-other-memory",
        "gaps-in-memory",
        "cmgl-broken",
        "cmgl-incomplete",
        "header-without-fields",
        "lines-behind-header",
        "unknown-line",
        "quote-lost",
        "notifications-lost",
        "cnmi-refused",
        "routed-needs-cnma",
        "noise",
        "blank-lines",
    ],
)
def test_every_message_comes_through_once_and_leaves_no_trace(driver: Any, fault: str) -> None:
    driver.peer.inject(fault)
    put(driver, "SM", 5, deliver_line("old"))
    driver.modem.open()
    settle(driver)
    for number in range(5):
        driver.peer.deliver("+6281200000001", f"text {number}")
    settle(driver)
    poll(driver)
    assert sorted(texts(driver)) == ["old", *(f"text {number}" for number in range(5))]
    assert stored(driver) == 0


def test_a_modem_that_announces_what_is_not_there_is_not_asked_all_the_time(driver: Any) -> None:
    driver.modem.open()
    settle(driver)
    driver.peer.inject("urc-in-reply")
    driver.modem._channel.attempt("AT")
    asked = driver.modem._channel._connection
    before, commands = time.monotonic(), 0
    command = asked.command

    def counted(*arguments: Any, **options: Any) -> bytes:
        nonlocal commands
        commands += 1
        written: bytes = command(*arguments, **options)
        return written

    asked.command = counted
    while time.monotonic() < before + 0.5:
        driver.modem.idle(0.05)
    assert commands < 10
    driver.peer.heal()
    driver.peer.deliver("+6281200000001", "one")
    work(driver, lambda: texts(driver) == ["one"])


def test_a_list_that_never_ends_is_asked_for_once(driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otppi.kit.at.inbox._LIST_TIMEOUT", 0.1)
    driver.peer.inject("late-reply", command="+CMGL", seconds=0.4, at=1)
    put(driver, "SM", 2, deliver_line("old"))
    driver.modem.open()
    settle(driver)
    assert texts(driver) == ["old"]
    assert driver.modem._inbox._lists is False


def test_a_modem_that_knows_no_cpms_is_read_all_the_same(driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(COMMANDS, "+CPMS")
    put(driver, "SM", 1, deliver_line("old"))
    driver.modem.open()
    settle(driver)
    assert texts(driver) == ["old"]
    assert stored(driver) == 0


def test_a_full_memory_is_emptied_when_the_modem_says_so(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=ModemProfile(memories={"SM": 2}))
    driver.modem.open()
    settle(driver)
    for number in range(3):
        driver.peer.deliver("+6281200000001", f"text {number}")
    work(driver, lambda: len(driver.events.parts) == 3, "the third comes when there is room")
    settle(driver)
    assert stored(driver) == 0


def test_a_modem_that_is_full_is_emptied_and_sends(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=ModemProfile(memories={"SM": 3}))
    driver.modem.open()
    settle(driver)
    driver.peer.inject("storage-full")
    message = driver.message("out")
    with pytest.raises(NotSent) as refused:
        driver.modem.send(message)
    assert not isinstance(refused.value, ModemUnfit)
    driver.modem.send(message)
    assert driver.texts == ["out"]
    settle(driver)
    assert texts(driver) == ["OK"] * 3
    assert stored(driver) == 0


@pytest.mark.parametrize("lists", [True, False], ids=["listed", "one by one"])
def test_a_modem_full_of_messages_to_be_sent_says_so_and_is_cleared(make_driver: MakeDriver, *, lists: bool) -> None:
    """matrix-appservice-sms#12: programs that store before they send leave them there."""
    driver = make_driver(profile=ModemProfile(memories={"SM": 3}))
    if not lists:
        driver.peer.inject("cmgl-broken")
    driver.peer.inject("storage-full-unsent")
    driver.modem.open()
    driver.peer.deliver("+6281200000001", "waits in the network")
    settle(driver)
    (warning,) = driver.modem.warnings()
    assert "SM is full (3 messages)" in warning
    assert "otppi modem clear-memory m0" in warning
    with pytest.raises(ModemUnfit):
        driver.send("out")
    assert stored(driver) == 3
    assert driver.modem.clear_memory() == 3
    work(driver, lambda: texts(driver) == ["waits in the network"], "what waited comes in")
    settle(driver)
    assert driver.modem.warnings() == ()
    driver.send("out")
    assert driver.texts == ["out"]


def test_what_came_in_is_not_cleared(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=ModemProfile(memories={"SM": 3}))
    driver.events.holding = False
    driver.peer.inject("storage-full")
    driver.modem.open()
    settle(driver)
    assert driver.modem.clear_memory() == 0
    assert stored(driver) == 3
    assert len(driver.modem.warnings()) == 1


def test_a_modem_that_is_full_of_what_nobody_takes_is_unfit(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=ModemProfile(memories={"SM": 3}))
    driver.events.holding = False
    driver.modem.open()
    driver.peer.inject("storage-full")
    with pytest.raises(ModemUnfit):
        driver.send("out")
    assert stored(driver) == 3


def test_what_is_routed_is_acknowledged_where_the_modem_wants_it(driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "+CSMS", ExtendedCommand(lambda request: ["+CSMS: 1,1,1,1"]))
    driver.peer.inject("routed-needs-cnma", seconds=0.3)
    driver.peer._peer.session.csms = 1
    driver.modem.open()
    settle(driver)
    for number in range(4):
        driver.modem.send(driver.message(f"text {number}", report=True))
    work(driver, lambda: len(driver.events.reports) == 4)
    assert driver.peer._peer.session.misses == 0
    assert driver.peer._peer.session.unacknowledged is None
