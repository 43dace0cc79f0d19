"""A connection to a real bus, and what errors mean that its callers are told in words of their own."""

from collections.abc import Iterator
from pathlib import Path

import dbus
import pytest

from otppi.kit.system_bus import BusRefusal, meaning_of, own_connection
from otppi.testing.system_bus import ADDRESS, SystemBus

CLOSED = '<deny send_interface="org.example.Closed"/>'


@pytest.fixture
def bus(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemBus]:
    one = SystemBus(tmp_path_factory.mktemp("bus"), CLOSED)
    monkeypatch.setenv(ADDRESS, one.address)
    yield one
    one.close()


def _error(service: str, interface: str = "org.example.Any") -> str:
    """Call a service and return the name of the error."""
    connection = own_connection()
    try:
        with pytest.raises(dbus.DBusException) as raised:
            connection.call_blocking(service, "/", interface, "Do", "", ())
        return str(raised.value.get_dbus_name())
    finally:
        connection.close()


@pytest.mark.usefixtures("bus")
def test_errors_of_a_real_bus() -> None:
    assert meaning_of(_error("org.example.Nobody")) is BusRefusal.NOT_THERE
    unknown = _error("org.freedesktop.DBus", "org.freedesktop.DBus")  # it has no such method
    assert meaning_of(unknown) is BusRefusal.NOT_THERE
    assert meaning_of(_error("org.freedesktop.DBus", "org.example.Closed")) is BusRefusal.NOT_ALLOWED


@pytest.mark.usefixtures("bus")
def test_each_has_a_connection_of_its_own() -> None:
    first, second = own_connection(), own_connection()
    assert first.get_unique_name() != second.get_unique_name()
    first.close()
    assert second.name_has_owner("org.freedesktop.DBus")
    second.close()


def test_no_bus_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADDRESS, f"unix:path={tmp_path}/none")
    with pytest.raises(dbus.DBusException) as raised:
        own_connection()
    assert meaning_of(str(raised.value.get_dbus_name())) is BusRefusal.OTHER


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("org.freedesktop.DBus.Error.Spawn.ServiceNotFound", BusRefusal.NOT_THERE),
        ("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", BusRefusal.NOT_ALLOWED),
        ("org.freedesktop.DBus.Error.NoReply", BusRefusal.SILENT),
        ("org.freedesktop.systemd1.NoSuchUnit", BusRefusal.OTHER),
    ],
)
def test_errors_that_take_a_service_to_be_seen(name: str, meaning: BusRefusal) -> None:
    assert meaning_of(name) is meaning
