"""The steps of the ladder on a modem, and messages that go on after them."""

import os
import pty
import select
import termios
import tty
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from otppi.api.devices import SerialDevice
from otppi.api.errors import ModemLost, NotSent, NotSupported, Trouble, Unconfirmed
from otppi.api.message import State
from otppi.api.modem import ModemContext, ModemState, RecoveryStep
from otppi.host.modems.ladder import Openings, RecoverySchedule, StepLimits
from otppi.host.modems.worker import ModemWorker
from otppi.kit.at import modem as at_modem
from otppi.kit.at import recovery_steps
from otppi.kit.at.modem import AtModem
from otppi.kit.at.start import Profile
from otppi.kit.at.usb import power_cycle, serial_devices
from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.bench import DispatchBench
from otppi.testing.replay import Replay
from otppi.testing.scripted import until

from .conftest import trouble_of_opening

REINITIALISE, RADIO, RESET, POWER = RecoveryStep
MakeDriver = Callable[..., Any]
QUICK = ModemProfile(boot_time=0.1)
LONG = "".join(chr(ord("a") + number % 26) for number in range(400))


# -- radio and reset ---------------------------------------------------------------------------------------------------


def test_the_radio_off_and_on_brings_the_network_back(driver: Any) -> None:
    driver.peer.inject("registration-lost")
    assert trouble_of_opening(driver) is Trouble.NO_NETWORK
    assert driver.modem.recover(RADIO)
    driver.modem.open()
    driver.send()
    assert driver.texts == ["a text"]


def test_what_the_radio_does_not_cure_a_reset_does(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=QUICK)
    driver.peer.inject("registration-stuck")
    assert driver.modem.recover(RADIO)
    assert trouble_of_opening(driver) is Trouble.NO_NETWORK
    assert driver.modem.recover(RESET)
    driver.peer.wait_for(plugged=False)
    driver.peer.wait_for(plugged=True)
    driver.reopen()
    driver.send()
    assert driver.texts == ["a text"]


def test_a_modem_that_is_reset_is_held_by_nobody_when_it_vanishes(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=QUICK)
    device = driver.peer.path.resolve().stat()
    assert driver.modem.recover(RESET)
    held = [status for status in map(status_of, Path("/proc/self/fd").iterdir()) if status is not None]
    # The rack itself keeps the other end, and one slave end, until it lets the port vanish.
    assert sum((status.st_dev, status.st_ino) == (device.st_dev, device.st_ino) for status in held) <= 1


def status_of(descriptor: Path) -> os.stat_result | None:
    try:
        return descriptor.stat()
    except FileNotFoundError:
        return None


@pytest.mark.usefixtures("impatient")
def test_a_silent_modem_takes_no_step_by_commands(driver: Any) -> None:
    driver.peer.inject("silence")
    for step in (RADIO, RESET):
        with pytest.raises(ModemLost) as caught:
            driver.modem.recover(step)
        assert caught.value.trouble is Trouble.SILENT


def test_a_port_that_is_not_there_is_not_reset(driver: Any) -> None:
    driver.peer.unplug()
    for step in (RADIO, RESET):
        with pytest.raises(ModemLost) as caught:
            driver.modem.recover(step)
        assert caught.value.trouble is Trouble.ABSENT


@pytest.mark.usefixtures("impatient")
def test_a_reset_is_written_also_where_nobody_seems_to_listen(make_driver: MakeDriver) -> None:
    master, slave = pty.openpty()
    tty.setraw(slave, termios.TCSANOW)
    try:
        with pytest.raises(ModemLost):
            make_driver(port=os.ttyname(slave)).modem.recover(RESET)
        written = b""
        while not written.endswith(b"\x1b\rAT+CFUN=1,1\r"):
            assert select.select([master], [], [], 30)[0], written
            written += os.read(master, 65536)
    finally:
        os.close(master)
        os.close(slave)


REFUSALS = """
> AT+CGMI
< Maker
> AT+CGMM
< Model
"""


def probed(text: str) -> str:
    """Return a capture of a modem that answers the probes as well."""
    return text + "> AT+CPIN?\n< +CPIN: READY\n< OK\n> AT+CMEE?\n< +CMEE: 1\n< OK\n> AT+CSQ\n< +CSQ: 20,99\n< OK\n"


@pytest.fixture
def make_replay(tmp_path: Path) -> Iterator[Callable[[str], tuple[Replay, AtModem]]]:
    """Make a modem that says what a capture says, and its driver."""
    replays: list[Replay] = []

    def make(text: str) -> tuple[Replay, AtModem]:
        (tmp_path / "capture.txt").write_text(probed(text))
        replays.append(Replay(tmp_path / "capture.txt").__enter__())
        settings = {"name": "m0", "port": replays[-1].path, "baud_rate": 115_200, "parity_bit": "none"}
        settings |= {"stop_bits": 1, "sim_card_pin": "", "sms_center": ""}
        return replays[-1], AtModem(ModemContext(settings, tmp_path))

    yield make
    for replay in replays:
        replay.__exit__(None, None, None)


@pytest.mark.parametrize("step", [RADIO, RESET])
def test_a_modem_that_refuses_has_no_such_step(
    make_replay: Callable[[str], tuple[Replay, AtModem]], step: RecoveryStep
) -> None:
    _, modem = make_replay(REFUSALS)
    assert not modem.recover(step)


def test_a_radio_that_stays_off_is_told(make_replay: Callable[[str], tuple[Replay, AtModem]]) -> None:
    _, modem = make_replay("> AT+CFUN=4\n< OK\n> AT+CFUN=1\n< ERROR\n")
    with pytest.raises(ModemLost, match="not switched on again") as caught:
        modem.recover(RADIO)
    assert caught.value.trouble is Trouble.FAULTY


def test_the_profile_says_how_a_model_is_restarted(driver: Any) -> None:
    modem = AtModem(driver.modem._context, Profile(reset="AT+CFUN=1,1;+CSQ"))
    assert modem.recover(RESET)
    driver.peer.wait_for(plugged=False)


@pytest.mark.parametrize(("fault", "cure"), [("registration-lost", RADIO), ("registration-stuck", RESET)])
def test_a_gateway_cures_its_modem_while_a_message_waits(
    make_driver: MakeDriver, tmp_path: Path, fault: str, cure: RecoveryStep
) -> None:
    quick = StepLimits(pause=0.0, patience=0.0, spacing=60.0, longest=60.0, per_day=10)
    schedule = RecoverySchedule({Trouble.NO_NETWORK: Openings(1, 0.0)}, quick, quick, quick)
    driver = make_driver(profile=QUICK)
    with DispatchBench(tmp_path / "bench") as bench:
        worker = ModemWorker("m0", driver.modem, bench.dispatch, queue_size=9, schedule=schedule)
        bench.dispatch.replace_egresses([worker])
        bench.start("m0")
        bench.until_state("m0", ModemState.READY)
        driver.peer.inject(fault)
        bench.until_state("m0", ModemState.RECOVERING)
        record = bench.enqueue(text=LONG)
        assert bench.end(record) == (State.SENT,)
        assert worker.recoverer.counts[cure] == 1
        assert driver.texts == [LONG]


# -- power -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["silence", "registration-stuck"])
def test_power_off_and_on_cures_what_no_command_reaches(
    make_driver: MakeDriver, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(recovery_steps, "power_cycle", partial(power_cycle, off=0.05))
    driver = make_driver()
    with ModemRack(usb=True) as rack:
        assert rack.usb is not None
        monkeypatch.setattr(at_modem, "serial_devices", partial(serial_devices, rack.usb.sys, rack.usb.dev))
        (peer,) = rack.modems
        peer.inject(fault)
        modem = driver.anew(port=str(peer.path))
        assert modem.recover(POWER)
        until(peer.path.exists)
        assert peer.faults == ()
        modem.open()
        modem.send(driver.message())
        assert [message.text for message in rack.network.messages] == ["a text"]
        modem.close()


def test_a_port_that_is_not_on_usb_has_no_power_to_switch(driver: Any) -> None:
    assert not driver.modem.recover(POWER)


def test_power_that_cannot_be_switched_is_told(driver: Any, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    (tmp_path / "1-1").mkdir()
    ports = [SerialDevice(str(driver.peer.path), str(tmp_path / "1-1"))]
    assert not recovery_steps.cycle_power(str(driver.peer.path), ports)
    assert "cannot be switched" in caplog.text
    with pytest.raises(NotSupported):
        power_cycle(tmp_path / "1-1")


def test_to_be_opened_again_is_all_there_is_to_a_reinitialisation(driver: Any) -> None:
    assert driver.modem.recover(REINITIALISE)


# -- the network -------------------------------------------------------------------------------------------------------


def test_a_modem_that_says_that_it_lost_its_network_is_believed_at_once(driver: Any) -> None:
    driver.modem.open()
    driver.modem.idle(0.1)
    driver.peer.inject("registration-lost")
    with pytest.raises(ModemLost) as caught:
        listen(driver, 10)
    assert caught.value.trouble is Trouble.NO_NETWORK


def listen(driver: Any, times: int) -> None:
    for _ in range(times):
        driver.modem.idle(0.5)


# -- a message of several parts ----------------------------------------------------------------------------------------


def references(driver: Any) -> set[int]:
    return {part.submit.user_data.concatenation.reference for part in driver.rack.network.parts}


def test_a_message_goes_on_at_the_part_that_the_network_refused(driver: Any) -> None:
    driver.modem.open()
    driver.peer.inject("part-refused")
    message = driver.message(LONG)
    with pytest.raises(NotSent):
        driver.modem.send(message)
    assert len(message.progress.references) == 1
    driver.modem.send(message)
    assert driver.texts == [LONG]
    assert driver.rack.network.part_count == 3
    assert references(driver) == {message.progress.concatenation_reference}


@pytest.mark.parametrize("cure", [REINITIALISE, RADIO, RESET])
def test_a_message_goes_on_at_the_part_that_failed_also_after_the_modem_was_cured(
    make_driver: MakeDriver, cure: RecoveryStep
) -> None:
    driver = make_driver(profile=QUICK)
    driver.modem.open()
    driver.peer.inject("part-refused")
    message = driver.message(LONG)
    with pytest.raises(NotSent):
        driver.modem.send(message)
    driver.modem.close()
    assert driver.modem.recover(cure)
    if cure is RESET:
        driver.peer.wait_for(plugged=False)
        driver.peer.wait_for(plugged=True)
    driver.reopen()
    driver.send("between")
    driver.modem.send(message)
    assert driver.texts == ["between", LONG]
    assert [
        part.submit.user_data.concatenation.number for part in driver.rack.network.parts if part.text != "between"
    ] == [
        1,
        2,
        3,
    ]


def test_a_part_that_was_lost_is_unconfirmed_and_is_not_sent_again_by_itself(driver: Any) -> None:
    driver.modem.open()
    driver.peer.inject("part-lost")
    driver.give_up_after(result=2.0)
    message = driver.message(LONG)
    with pytest.raises(Unconfirmed):
        driver.modem.send(message)
    assert (len(message.progress.references), driver.rack.network.part_count) == (1, 1)


def test_a_message_goes_on_at_its_second_part_after_the_modem_was_unplugged(driver: Any) -> None:
    driver.modem.open()
    driver.peer.inject("unplug-before-prompt", at=2, seconds=0.05)
    message = driver.message(LONG)
    with pytest.raises(ModemLost):
        driver.modem.send(message)
    driver.reopen()
    driver.modem.send(message)
    assert driver.texts == [LONG]
    assert driver.rack.network.part_count == 3
    assert references(driver) == {message.progress.concatenation_reference}
