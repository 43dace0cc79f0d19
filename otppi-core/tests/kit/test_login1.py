"""Switching the computer off by logind: on a real bus, with a logind that only notes it."""

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otppi.api.errors import NotDone, NotSupported
from otppi.kit import login1
from otppi.testing.logind import SERVICE, MockLogind
from otppi.testing.waiting import until

DBUS = "org.freedesktop.DBus.Error"


@pytest.fixture(scope="module")
def shared_logind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockLogind]:
    with MockLogind(tmp_path_factory.mktemp("bus")) as one:
        yield one


@pytest.fixture
def logind(shared_logind: MockLogind, monkeypatch: pytest.MonkeyPatch) -> MockLogind:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", shared_logind.address)
    return shared_logind


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_it_is_asked_to_by_the_method_for_it_and_nobody_is_asked_for_a_password(logind: MockLogind) -> None:
    before = len(logind.calls)
    login1.reboot()
    login1.power_off()
    assert logind.calls[before:] == [("Reboot", (False,)), ("PowerOff", (False,))]


def test_any_thread_may_ask_and_no_connection_is_left(logind: MockLogind) -> None:
    login1.reboot()  # loads what is loaded once
    before, done = open_files(), len(logind.calls)
    threads = [threading.Thread(target=login1.reboot) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(logind.calls) == done + 8
    until(lambda: open_files() <= before, "all connections are closed")


@pytest.mark.parametrize("ask", [login1.reboot, login1.power_off])
@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (f"{DBUS}.AccessDenied", NotSupported, "does not let OTP-Pi do that (polkit)"),
        (f"{DBUS}.InteractiveAuthorizationRequired", NotSupported, "does not let OTP-Pi do that (polkit)"),
        (f"{SERVICE}.OperationInProgress", NotDone, "the device goes off already"),
        (f"{SERVICE}.BlockedByInhibitorLock", NotDone, f"systemd-logind refuses: {SERVICE}.BlockedByInhibitorLock"),
    ],
)
def test_a_refusal_is_told(
    logind: MockLogind, ask: Callable[[], None], error: str, kind: type[Exception], told: str
) -> None:
    logind.refuse("Reboot" if ask is login1.reboot else "PowerOff", error)
    with pytest.raises(kind) as caught:
        ask()
    assert told in str(caught.value)
    assert "in words" not in str(caught.value)


def test_one_that_does_not_answer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login1, "_TIMEOUT", 0.3)
    with MockLogind(tmp_path) as one:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", one.address)
        one.freeze()
        with pytest.raises(NotDone, match="has not answered"):
            login1.reboot()


def test_where_there_is_no_logind_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with MockLogind(tmp_path, service=False) as one:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", one.address)
        with pytest.raises(NotSupported, match="systemd-logind does not run on it"):
            login1.power_off()


def test_what_the_bus_itself_forbids_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = f'<deny send_destination="{SERVICE}" send_interface="{SERVICE}.Manager" send_member="Reboot"/>'
    with MockLogind(tmp_path, policy=rule) as one:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", one.address)
        with pytest.raises(NotSupported, match="polkit"):
            login1.reboot()
        assert one.calls == []


def test_where_there_is_no_bus_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nobody")
    with pytest.raises(NotSupported, match="it has no system bus"):
        login1.reboot()


def test_without_python_s_dbus_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dbus", None)
    with pytest.raises(NotSupported, match="python3-dbus"):
        login1.reboot()
