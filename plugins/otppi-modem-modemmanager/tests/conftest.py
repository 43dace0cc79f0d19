import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import dbus
import dbus.bus
import pytest

from otppi.api.errors import ModemLost
from otppi.api.message import OutgoingMessage, Progress
from otppi.api.modem import ModemContext
from otppi.testing.scripted import RecordedEvents, until
from otppi.testing.system_bus import SystemBus
from otppi_modem_modemmanager.modem import ModemManagerModem

SERVICE = "org.freedesktop.ModemManager1"
ROOT = "/org/freedesktop/ModemManager1"
MODEM = f"{SERVICE}.Modem"
THREEGPP = f"{MODEM}.Modem3gpp"
USSD = f"{THREEGPP}.Ussd"
SMS = f"{SERVICE}.Sms"
MOCK = "org.freedesktop.DBus.Mock"
IMEI = "490154203237518"


class Manager:
    """A private bus with a mock ModemManager on it, and what a test has it do."""

    def __init__(self, folder: Path) -> None:
        self._bus = SystemBus(folder)
        self.address = self._bus.address
        try:
            self._connect()
            self.start()
        except BaseException:
            self.close()
            raise

    def start_bus(self) -> None:
        """Start the bus once more."""
        self._bus.start()
        self._connect()

    def _connect(self) -> None:
        self._connection = dbus.bus.BusConnection(self.address)
        self._connection.set_exit_on_disconnect(False)
        self._bus.running.callback(self._connection.close)

    def start(self) -> None:
        """Start ModemManager."""
        template = Path(__file__).with_name("mock_modemmanager.py")
        self._service = self._bus.started(
            [sys.executable, "-W", "ignore", "-m", "dbusmock", "--system", "-t", str(template)]
        )
        until(self._answers, "ModemManager runs")

    def _answers(self) -> bool:
        if not self._connection.name_has_owner(SERVICE):
            return False
        try:
            self("Log")
        except dbus.DBusException:
            return False
        return True

    def stop(self) -> None:
        """End ModemManager."""
        _end(self._service)

    def stop_bus(self) -> None:
        """End the bus."""
        _end(self._bus.daemon)

    def close(self) -> None:
        self._bus.close()

    def call(self, path: str, interface: str, member: str, signature: str, *args: Any) -> Any:
        return self._connection.call_blocking(SERVICE, path, interface, member, signature, args)

    def __call__(self, member: str, signature: str = "", *args: Any) -> Any:
        return self.call(ROOT, MOCK, member, signature, *args)

    def add(self, **options: Any) -> str:
        return str(self("AddModem", "a{sv}", {"imei": IMEI} | options))

    def script(self, method: str, *steps: str) -> None:
        self("Script", "sas", method, steps)

    def change(self, path: str, interface: str, **values: Any) -> None:
        self.call(path, MOCK, "UpdateProperties", "sa{sv}", interface, values)

    def receive(self, modem: str, **values: Any) -> str:
        defaults = {
            "State": dbus.UInt32(3),
            "PduType": dbus.UInt32(1),
            "Number": "+6281200000001",
            "Text": "",
            "Data": dbus.ByteArray(b""),
            "Timestamp": "2026-05-01T08:30:00+07",
        }
        return str(self("Receive", "oa{sv}", modem, defaults | values))

    def kept(self, modem: str) -> list[str]:
        return [str(path) for path in self("Kept", "o", modem)]

    @property
    def log(self) -> list[str]:
        return [str(one) for one in self("Log")]

    @property
    def created(self) -> list[dict[str, Any]]:
        return list(self("Created"))


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


class Driver:
    """The modem under test, on the test's own thread."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.events = RecordedEvents()
        values = {
            "name": "m0",
            "imei": IMEI,
            "port": "",
            "sim_card_pin": "",
            "sms_center": "",
            "init_commands": [],
            "result_timeout": 5.0,
        }
        self.modem = ModemManagerModem(ModemContext(values | settings, folder, self.events))

    def open(self) -> "Driver":
        self.modem.open()
        return self

    def reopen(self) -> None:
        """Open it as the gateway does, until it is open."""

        def opened() -> bool:
            self.modem.close()
            try:
                self.modem.open()
            except ModemLost:
                return False
            return True

        until(opened, "the modem is open again")

    def message(self, text: str = "made-up text", **options: Any) -> OutgoingMessage:
        return OutgoingMessage("m-1", "6281200000001", text, 60.0, **options)

    def send(self, text: str = "made-up text", **options: Any) -> Progress:
        message = self.message(text, **options)
        self.modem.send(message)
        return message.progress

    def look_after(self, condition: Callable[[], object], what: str = "") -> None:
        """Let the modem be idle until something holds."""

        def holds() -> object:
            self.modem.idle(0.02)
            return condition()

        until(holds, what)


def _descriptors() -> int:
    """Count open files, but for the eventfds: a driver has one, which is closed when it is collected."""
    count = 0
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the descriptor that lists them
            count += "eventfd" not in str(link.readlink())
    return count


@pytest.fixture(autouse=True)
def no_leaks(shared_manager: "Manager") -> Iterator[None]:
    """No test leaves a thread or a file descriptor behind."""
    threads, before = set(threading.enumerate()), _descriptors()
    yield
    until(lambda: set(threading.enumerate()) <= threads, "the threads of the test end")
    until(lambda: _descriptors() <= before, "the files of the test are closed")


@pytest.fixture(scope="session")
def shared_manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Manager]:
    manager = Manager(tmp_path_factory.mktemp("mm"))
    yield manager
    manager.close()


@pytest.fixture
def manager(shared_manager: Manager, monkeypatch: pytest.MonkeyPatch) -> Manager:
    """ModemManager without modems."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", shared_manager.address)
    shared_manager("StartAnew")
    return shared_manager


@pytest.fixture
def own_manager(
    tmp_path_factory: pytest.TempPathFactory, no_leaks: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Manager]:
    """ModemManager and a bus of the test's own, which it may end."""
    manager = Manager(tmp_path_factory.mktemp("mm"))
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", manager.address)
    yield manager
    manager.close()


@pytest.fixture
def make_driver(tmp_path: Path, no_leaks: None) -> Iterator[Callable[..., Driver]]:
    drivers: list[Driver] = []

    def make(**settings: Any) -> Driver:
        drivers.append(Driver(tmp_path, **settings))
        return drivers[-1]

    yield make
    for driver in drivers:
        driver.modem.close()


@pytest.fixture
def modem(manager: Manager) -> str:
    """The path of the only modem."""
    return manager.add()


@pytest.fixture
def driver(modem: str, make_driver: Callable[..., Driver]) -> Driver:
    return make_driver().open()
