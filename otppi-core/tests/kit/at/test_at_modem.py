"""The driver beyond single faults: SIM PIN, port, wake-up, unplugging, and who the modem is."""

import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import ModemBlocked, ModemLost, Unconfirmed
from otppi.api.modem import ModemIdentity
from otppi.kit.at import chores, inbox
from otppi.kit.at.channel import AtChannel
from otppi.kit.at.pin_memory import PinMemory
from otppi.simulator import ModemProfile
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE
from otppi.wire.address import Address, TypeOfNumber
from otppi.wire.at import AtConnection
from otppi.wire.validity import Validity

MakeDriver = Callable[..., Any]
LOCKED = ModemProfile(pin="1234")


def tries(driver: Any) -> int:
    left: int = driver.peer._peer.sim.pin_tries
    return left


# -- who it is ---------------------------------------------------------------------------------------------------------


def test_identity(driver: Any) -> None:
    assert driver.modem.identity() == ModemIdentity()
    driver.modem.open()
    profile = driver.peer.profile
    assert driver.modem.identity() == ModemIdentity(
        manufacturer=profile.manufacturer,
        model=profile.model,
        revision=profile.revision,
        imei=profile.imei,
        imsi=profile.imsi,
        iccid=profile.iccid,
        smsc=profile.smsc,
        operator=profile.operator,
        registration="home network",
        signal_dbm=-71,
    )


@pytest.mark.parametrize("command", ["+CCID", "+ICCID", "^ICCID", "+QCCID"])
def test_the_iccid_is_found_by_whichever_command_there_is(make_driver: MakeDriver, command: str) -> None:
    driver = make_driver(profile=ModemProfile(iccid_commands=(command,)))
    driver.modem.open()
    assert driver.modem.identity().iccid == driver.peer.profile.iccid


def test_no_signal_is_none(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=ModemProfile(signal=99))
    driver.modem.open()
    assert driver.modem.identity().signal_dbm is None


def test_the_smsc_of_the_settings_is_set(make_driver: MakeDriver) -> None:
    driver = make_driver(sms_center="+6281100000")
    driver.modem.open()
    assert driver.modem.identity().smsc == "+6281100000"


def test_registration_and_signal_are_looked_after(driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chores, "_LOOK_EVERY", 0.0)
    driver.modem.open()
    driver.modem.idle(0.0)
    driver.peer.inject("registration-lost")
    with pytest.raises(ModemLost, match="no network: not registered"):
        do_chores(driver)
    driver.peer.heal()
    driver.reopen()
    driver.peer.inject("silence")
    monkeypatch.setattr(AtChannel.attempt, "__defaults__", (0.2,))
    with pytest.raises(ModemLost, match="stopped answering"):
        do_chores(driver)


def do_chores(driver: Any) -> None:
    for _ in range(20):
        driver.modem.idle(0.0)


# -- SIM PIN -----------------------------------------------------------------------------------------------------------


def test_a_pin_is_given(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=LOCKED, sim_card_pin="1234")
    driver.modem.open()
    driver.send()
    assert driver.texts == ["a text"]


def test_a_sim_that_needs_time_after_its_pin(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=ModemProfile(pin="1234", sim_ready_delay=0.5), sim_card_pin="1234")
    driver.modem.open()
    driver.send()


def test_a_wrong_pin_is_tried_once_in_all(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=LOCKED, sim_card_pin="9999")
    with pytest.raises(ModemBlocked, match="refused the PIN"):
        driver.modem.open()
    assert tries(driver) == 2
    for replug in (False, True, True):
        driver.modem.close()
        driver.anew()
        if replug:
            driver.peer.unplug()
            driver.peer.replug()
        with pytest.raises(ModemBlocked, match="is not tried again"):
            driver.modem.open()
    assert tries(driver) == 2
    driver.modem.close()
    driver.anew(sim_card_pin="1234").open()
    driver.send()


def test_a_pin_that_was_right_is_given_again_after_the_modem_was_unplugged(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=LOCKED, sim_card_pin="1234")
    for _ in range(3):
        driver.reopen()
        driver.peer.unplug()
        driver.peer.replug()
    driver.reopen()
    driver.send()
    assert not list(driver.folder.iterdir())


def test_the_last_try_is_for_a_person(make_driver: MakeDriver) -> None:
    driver = make_driver(sim_card_pin="1234")
    driver.peer.inject("pin-last-try")
    with pytest.raises(ModemBlocked, match="one try is left"):
        driver.modem.open()
    assert tries(driver) == 1


@pytest.mark.parametrize(("fault", "cause"), [("pin-required", "none is set"), ("puk-required", "asks for SIM PUK")])
def test_a_person_is_needed(driver: Any, fault: str, cause: str) -> None:
    driver.peer.inject(fault)
    with pytest.raises(ModemBlocked, match=cause):
        driver.modem.open()


def test_what_is_remembered_of_a_pin_does_not_show_it(tmp_path: Path) -> None:
    memory = PinMemory(tmp_path, "m0")
    assert not memory.was_tried("1234")
    memory.remember("1234")
    assert memory.was_tried("1234")
    assert not memory.was_tried("1235")
    assert not PinMemory(tmp_path, "m1").was_tried("1234")
    (file,) = tmp_path.iterdir()
    assert b"1234" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    memory.forget()
    memory.forget()
    assert not memory.was_tried("1234")


# -- the port ----------------------------------------------------------------------------------------------------------


def test_no_port_is_set(driver: Any) -> None:
    with pytest.raises(ModemBlocked, match="no port is set"):
        driver.anew(port="").open()


def test_a_port_that_is_not_there(driver: Any, tmp_path: Path) -> None:
    with pytest.raises(ModemLost, match="there is no ") as caught:
        driver.anew(port=str(tmp_path / "ttyUSB9")).open()
    assert not isinstance(caught.value, ModemBlocked)


def test_a_port_that_is_no_port(driver: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path):
        with pytest.raises(ModemBlocked, match="cannot be opened"):
            driver.anew(port=str(path)).open()


def test_a_link_to_a_link_is_as_good(driver: Any, tmp_path: Path) -> None:
    (tmp_path / "modem").symlink_to(driver.peer.path)
    driver.anew(port=str(tmp_path / "modem")).open()
    driver.send()


HOLD = """
import fcntl, os, sys
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
fcntl.flock(port, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_who_holds_the_port_is_named(driver: Any) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(driver.peer.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(ModemBlocked, match=rf"is held by python[^ ]* \({holder.pid}\)"):
            driver.modem.open()
        holder.communicate()
    driver.reopen()
    driver.send()


def test_close_may_be_called_at_any_time(driver: Any) -> None:
    driver.modem.close()
    driver.modem.open()
    driver.modem.close()
    driver.modem.close()
    for call in (lambda: driver.modem.idle(0.0), driver.send):
        with pytest.raises(ModemLost):
            call()
    driver.modem.open()
    driver.send()


# -- waiting -----------------------------------------------------------------------------------------------------------


def test_wake_ends_idle_at_once(driver: Any) -> None:
    driver.modem.open()
    ended = threading.Event()
    idling = threading.Event()

    def idle() -> None:
        idling.set()
        driver.modem.idle(100.0)
        ended.set()

    thread = threading.Thread(target=idle)
    thread.start()
    idling.wait()
    driver.modem.wake()
    assert ended.wait(50), "well before it would have ended by itself"
    thread.join()


def test_a_wake_up_before_idle_counts_and_only_once(driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.modem.open()
    do_chores(driver)
    driver.modem.wake()
    driver.send()  # waiting for the modem's answers does not use it up
    monkeypatch.setattr(chores, "_LOOK_EVERY", 60.0)
    driver.modem._watch.due = 0.0  # neither does looking after the modem
    begun = time.monotonic()
    driver.modem.idle(100.0)
    assert time.monotonic() - begun < 50
    begun = time.monotonic()
    driver.modem.idle(0.2)
    assert time.monotonic() - begun > 0.1


def test_what_the_modem_says_while_idle_is_heard(make_driver: MakeDriver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    driver = make_driver(profile=ModemProfile(chatter=("^STIN: secret",), chatter_interval=0.05))
    driver.modem.open()
    until(lambda: driver.modem.idle(0.05) or "modem m0 said ^STIN" in caplog.text)
    assert "secret" not in caplog.text
    driver.send()


# -- unplugged ---------------------------------------------------------------------------------------------------------


def test_unplugged_while_idle_and_plugged_in_again(driver: Any) -> None:
    driver.modem.open()
    lost = threading.Event()

    def idle() -> None:
        try:
            while True:
                driver.modem.idle(100.0)
        except ModemLost:
            lost.set()

    thread = threading.Thread(target=idle)
    thread.start()
    driver.peer.unplug()
    assert lost.wait(PATIENCE)
    thread.join()
    driver.peer.replug()
    driver.reopen()
    driver.send()
    assert driver.texts == ["a text"]


def test_unplugged_between_two_messages(driver: Any) -> None:
    driver.modem.open()
    driver.send("first")
    driver.peer.unplug()
    with pytest.raises(ModemLost):
        driver.send("second")
    driver.peer.replug()
    driver.reopen()
    driver.send("second")
    assert driver.texts == ["first", "second"]


def test_after_an_unplugging_in_the_air_the_next_message_finds_the_modem_lost(driver: Any) -> None:
    driver.modem.open()
    driver.peer.inject("unplug-after-submit-sent")
    with pytest.raises(Unconfirmed, match="the modem was lost"):
        driver.send("first")
    with pytest.raises(ModemLost):
        driver.send("second")
    driver.peer.replug()
    driver.reopen()
    driver.send("second")
    assert driver.texts == ["first", "second"]


def test_unplugged_while_it_is_opened(driver: Any) -> None:
    opening = threading.Thread(target=driver.peer.unplug)
    driver.peer.inject("slow-line")
    timer = threading.Timer(0.1, opening.start)
    timer.start()
    with pytest.raises(ModemLost):
        driver.modem.open()
    timer.join()
    opening.join()
    driver.peer.replug()
    driver.peer.heal()
    driver.reopen()
    driver.send()


def test_many_messages_in_a_row(driver: Any) -> None:
    driver.modem.open()
    for number in range(100):
        driver.modem.prepare(driver.message(str(number + 1)))
        driver.send(str(number))
    assert driver.texts == [str(number) for number in range(100)]


@pytest.mark.parametrize(("said", "looked"), [('+CMTI: "SM",3', "AT+CMGR=3"), ("+CREG: 1", "AT+CSCA?")])
def test_what_is_said_while_the_network_has_a_message_is_looked_at_before_the_next_one(
    make_driver: MakeDriver, monkeypatch: pytest.MonkeyPatch, said: str, looked: str
) -> None:
    monkeypatch.setattr(inbox, "_REST", 0.0)
    driver = make_driver(profile=ModemProfile(chatter=(said,), chatter_interval=0.05))
    driver.modem.open()
    driver.peer._peer.session.chatty = False
    do_chores(driver)
    driver.send("0")  # nothing is due any more
    commands = []
    written = AtConnection.command

    def command(connection: AtConnection, line: str, **options: Any) -> bytes:
        commands.append(line)
        return written(connection, line, **options)

    monkeypatch.setattr(AtConnection, "command", command)
    driver.send("1")
    driver.peer.inject("result-late", at=1, seconds=1.0)
    driver.peer._peer.session.chatty = True
    driver.send("2")
    driver.peer._peer.session.chatty = False
    assert len(commands) == 2  # the two prompts: nothing was due
    driver.send("3")
    assert looked in commands[2:-1]


def test_a_prepared_message_that_is_made_anew_goes_out_as_it_is_now(driver: Any) -> None:
    driver.modem.open()
    message = driver.message()
    driver.modem.prepare(message)
    driver.modem.send(replace(message, validity=300.0, again=True))
    (part,) = driver.rack.network.parts
    assert part.submit.validity == Validity.from_seconds(300)
    assert part.submit.reject_duplicates


def test_what_was_prepared_is_forgotten_when_it_is_not_next_after_all(driver: Any) -> None:
    driver.modem.open()
    message = driver.message()
    driver.modem.prepare(message)
    assert driver.modem._prepared[0] is message
    driver.modem.idle(0.01)
    assert driver.modem._prepared == (None, [])


def test_texts_of_every_kind_arrive_as_they_were(driver: Any) -> None:
    driver.modem.open()
    texts = ["€[~]^{}|\\", "тест", "😀" * 40, "x" * 161, "OK\r\nERROR\r\n> ", "\x1b", "a\x1ab"]
    for text in texts:
        driver.send(text)
    assert driver.texts == texts


def test_files_of_the_driver_are_closed_when_it_is_gone(driver: Any) -> None:
    wake = driver.modem._wake.descriptor
    assert "eventfd" in os.readlink(f"/proc/self/fd/{wake}")  # noqa: PTH115 - not a file
    driver.modem.open()
    driver.modem.close()


@pytest.mark.parametrize(
    ("destination", "number", "ton"),
    [
        ("6281234567890", "6281234567890", TypeOfNumber.INTERNATIONAL),
        ("4444", "4444", TypeOfNumber.UNKNOWN),
        ("*888#", "*888#", TypeOfNumber.UNKNOWN),
    ],
)
def test_numbers_and_service_numbers_are_written_as_they_are_dialled(
    driver: Any, destination: str, number: str, ton: TypeOfNumber
) -> None:
    driver.modem.open()
    driver.modem.send(replace(driver.message(), destination=destination))
    (part,) = driver.rack.network.parts
    assert part.submit.destination == Address(number, ton)
