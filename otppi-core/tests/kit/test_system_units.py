"""Units of systemd, started and stopped over a real bus, by what answers as systemd does."""

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import dbus
import dbus.bus
import dbus.lowlevel
import pytest

from otppi.kit import system_units
from otppi.kit.system_units import UnitError, UnitFailed
from otppi.testing.leaks import leaves_nothing
from otppi.testing.system_units import SystemUnits
from otppi.testing.waiting import PATIENCE, until

DBUS = "org.freedesktop.DBus.Error"
SYSTEMD = "org.freedesktop.systemd1"
UNIT = "otppi-test@1.service"


@pytest.fixture(scope="module")
def shared_units(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemUnits]:
    with SystemUnits(tmp_path_factory.mktemp("units")) as units:
        yield units


@pytest.fixture
def units(shared_units: SystemUnits, monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemUnits]:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", shared_units.address)
    shared_units.define("otppi-test@.service", ["sleep", "1000"])
    yield shared_units
    shared_units.behave()
    system_units.stop(UNIT)


@pytest.fixture
def own_units(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemUnits]:
    """Those of one test, which may end them."""
    with SystemUnits(tmp_path_factory.mktemp("own")) as units:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", units.address)
        units.define("otppi-test@.service", ["sleep", "1000"])
        yield units


def sends(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_a_unit_runs_from_its_start_to_its_stop(units: SystemUnits) -> None:
    before = len(units.calls)
    system_units.start(UNIT)
    assert units.main_pid(UNIT) is not None
    system_units.stop(UNIT)
    assert units.main_pid(UNIT) is None
    assert units.calls[before:] == [("StartUnit", UNIT), ("StopUnit", UNIT)]


def test_one_that_runs_is_left_running_and_one_that_does_not_is_stopped(units: SystemUnits) -> None:
    system_units.stop(UNIT)
    system_units.start(UNIT)
    process = units.main_pid(UNIT)
    system_units.start(UNIT)
    assert units.main_pid(UNIT) == process


def test_a_oneshot_has_done_its_work(units: SystemUnits, tmp_path: Path) -> None:
    work = f"import pathlib, time; time.sleep(0.2); pathlib.Path('{tmp_path}/done').touch()"
    units.define("otppi-test@.service", sends(work), oneshot=True)
    system_units.start(UNIT)
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize("status", [1, 3, 77])
def test_one_that_failed_tells_its_exit_status(units: SystemUnits, status: int) -> None:
    units.define("otppi-test@.service", sends(f"exit({status})"), oneshot=True)
    with pytest.raises(UnitFailed, match=rf"otppi-test@1\.service failed \(exit status {status}\)") as caught:
        system_units.start(UNIT)
    assert caught.value.exit_status == status


def test_one_that_was_killed_has_none(units: SystemUnits) -> None:
    units.define("otppi-test@.service", sends("import os; os.kill(os.getpid(), 9)"), oneshot=True)
    with pytest.raises(UnitFailed, match=r"failed \(failed\)") as caught:
        system_units.start(UNIT)
    assert caught.value.exit_status is None


def test_a_program_that_is_not_there(units: SystemUnits) -> None:
    units.define("otppi-test@.service", ["/nowhere/at/all"])
    with pytest.raises(UnitFailed, match="exit status 203"):
        system_units.start(UNIT)


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ("timeout", "took too long, and was ended"),
        ("canceled", r"failed \(canceled\)"),
        ("dependency", r"failed \(dependency\)"),
        ("skipped", r"failed \(skipped\)"),
    ],
)
def test_what_else_becomes_of_a_job_is_told(units: SystemUnits, result: str, told: str) -> None:
    units.behave(result=result)
    for ask in (system_units.start, system_units.stop):
        with pytest.raises(UnitError, match=told):
            ask(UNIT)


@pytest.mark.parametrize("ask", [system_units.start, system_units.stop])
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (f"{SYSTEMD}.NoSuchUnit", "this device has no otppi-test@1.service that can be used"),
        (f"{SYSTEMD}.UnitMasked", "this device has no otppi-test@1.service that can be used"),
        (f"{DBUS}.AccessDenied", "does not let OTP-Pi start or stop otppi-test@1.service (polkit)"),
        (f"{DBUS}.InteractiveAuthorizationRequired", "does not let OTP-Pi start or stop otppi-test@1.service"),
        (f"{DBUS}.NoReply", "systemd has not answered"),
        (f"{SYSTEMD}.TransactionIsDestructive", f"systemd refuses otppi-test@1.service: {SYSTEMD}.TransactionIsDes"),
    ],
)
def test_a_refusal_is_told_in_words(units: SystemUnits, ask: Callable[[str], None], error: str, told: str) -> None:
    units.behave(refuse=error)
    with pytest.raises(UnitError) as caught:
        ask(UNIT)
    assert told in str(caught.value)
    assert "it is refused" not in str(caught.value)


def test_a_unit_that_there_is_none_of(units: SystemUnits) -> None:
    with pytest.raises(UnitError, match=r"this device has no otppi-other\.service"):
        system_units.start("otppi-other.service")


def test_one_that_takes_longer_than_it_may(units: SystemUnits) -> None:
    units.define("otppi-test@.service", ["sleep", "1000"], oneshot=True)
    with pytest.raises(UnitError, match="was not done within 0 s"):
        system_units.start(UNIT, 0.2)


def test_a_systemd_that_does_not_answer(units: SystemUnits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_units, "_CALL_TIMEOUT", 0.3)
    units.behave(silent=True)
    with pytest.raises(UnitError, match="systemd has not answered"):
        system_units.start(UNIT)


def test_a_bus_without_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SystemUnits(tmp_path, systemd=False) as units:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", units.address)
        with pytest.raises(UnitError, match="systemd does not run on this device"):
            system_units.start(UNIT)


def test_a_bus_that_may_not_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SystemUnits(tmp_path, systemd=False, policy='<deny user="root"/>') as units:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", units.address)
        with pytest.raises(UnitError, match="does not let this user in"):
            system_units.start(UNIT)


def test_a_bus_that_lets_nobody_start_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = f'<deny send_destination="{SYSTEMD}" send_interface="{SYSTEMD}.Manager" send_member="StartUnit"/>'
    with SystemUnits(tmp_path, policy=rule) as units:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", units.address)
        units.define("otppi-test@.service", ["true"])
        with pytest.raises(UnitError, match="does not let OTP-Pi start or stop"):
            system_units.start(UNIT)
        assert units.calls == []


def test_no_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nowhere")
    with pytest.raises(UnitError, match="there is no system bus"):
        system_units.start(UNIT)


def test_a_python_without_dbus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dbus", None)
    with pytest.raises(UnitError, match="python3-dbus"):
        system_units.start(UNIT)


def test_a_bus_that_goes_meanwhile(own_units: SystemUnits) -> None:
    own_units.define("otppi-test@.service", ["sleep", "1000"], oneshot=True)
    told: list[UnitError] = []

    def ask() -> None:
        try:
            system_units.start(UNIT)
        except UnitError as error:
            told.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    until(lambda: own_units.main_pid(UNIT), "the unit runs")
    own_units.end_bus()
    thread.join(PATIENCE)
    assert "it is not known what became of otppi-test@1.service" in str(told[0])


def test_others_cannot_say_that_a_job_is_done(units: SystemUnits) -> None:
    """A signal of this name may be sent by anybody on the system bus."""
    units.define("otppi-test@.service", ["sleep", "1000"], oneshot=True)
    forger = dbus.bus.BusConnection(units.address)
    done = threading.Event()

    def forge() -> None:
        while not done.wait(0.01):
            for number in range(200):
                path = f"/org/freedesktop/systemd1/job/{number}"
                told = dbus.lowlevel.SignalMessage("/org/freedesktop/systemd1", f"{SYSTEMD}.Manager", "JobRemoved")
                told.append(number, path, UNIT, "done", signature="uoss")
                forger.send_message(told)
                forger.flush()

    thread = threading.Thread(target=forge)
    thread.start()
    try:
        with pytest.raises(UnitError, match="was not done within"):
            system_units.start(UNIT, 1.0)
    finally:
        done.set()
        thread.join()
        forger.close()


def test_any_thread_may_ask_and_nothing_is_left_behind(units: SystemUnits) -> None:
    system_units.start(UNIT)  # loads what is loaded once
    with leaves_nothing():
        threads = [threading.Thread(target=system_units.start, args=(UNIT,)) for _ in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        with pytest.raises(UnitError):
            system_units.start("otppi-other.service")


@pytest.mark.parametrize(("value", "used"), [("1", True), ("0", False), ("", False), (None, False)])
def test_units_are_in_use_where_the_service_file_says_so(
    monkeypatch: pytest.MonkeyPatch, value: str | None, used: bool
) -> None:
    monkeypatch.delenv("OTPPI_UNITS", raising=False)
    if value is not None:
        monkeypatch.setenv("OTPPI_UNITS", value)
    assert system_units.in_use() is used
