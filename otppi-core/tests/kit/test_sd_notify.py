"""What a service tells its manager, at a real socket."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.kit import sd_notify
from otppi.kit.sd_notify import ALIVE, READY, ServiceManager, extended, status
from otppi.testing.service_manager import ListeningManager

OTHERS = {"PATH": "/usr/bin", "JOURNAL_STREAM": "8:1"}


def given(address: str, **variables: str) -> dict[str, str]:
    return OTHERS | {"NOTIFY_SOCKET": address} | variables


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ListeningManager]:
    address = f"@otppi-test-{os.getpid()}" if request.param == "abstract" else tmp_path / "notify"
    with ListeningManager(address) as listening:
        yield listening


def test_it_is_told_in_one_datagram_by_the_process_itself(manager: ListeningManager) -> None:
    service = ServiceManager.of(given(manager.address))
    assert service is not None
    try:
        assert service.tell(READY, status("2 of 3\nmodems  ready"), extended(1.5))
        assert service.tell(ALIVE)
        first, second = manager.wait_for("READY"), manager.wait_for("WATCHDOG")
    finally:
        service.close()
    assert first.fields == {"READY": "1", "STATUS": "2 of 3 modems ready", "EXTEND_TIMEOUT_USEC": "1500000"}
    assert second.fields == {"WATCHDOG": "1"}
    assert first.process == second.process == os.getpid()


@pytest.mark.parametrize("variables", [{}, {"NOTIFY_SOCKET": ""}, {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}])
def test_there_is_none_where_none_has_started_it(variables: dict[str, str]) -> None:
    environment = OTHERS | variables
    assert ServiceManager.of(environment) is None
    assert environment == OTHERS


def test_a_socket_of_another_kind_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    assert ServiceManager.of(given("vsock:2:1234")) is None
    assert "vsock:2:1234 is no socket of this machine" in caplog.text


def test_children_do_not_inherit_it_and_a_program_in_its_place_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = given(str(tmp_path / "notify"), WATCHDOG_USEC="30000000", WATCHDOG_PID=str(os.getpid()))
    for name, value in own.items():
        monkeypatch.setenv(name, value)

    def inherited() -> set[str]:
        program = "import os; print(*(one for one in os.environ if one.startswith(('NOTIFY', 'WATCHDOG'))))"
        return set(subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True).stdout.split())

    assert len(inherited()) == 3
    service = ServiceManager.of(os.environ)
    assert service is not None
    try:
        assert inherited() == set()
        service.hand_on(os.environ)
        assert inherited() == {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}
        assert own.items() <= os.environ.items()
    finally:
        service.close()


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [
        ({}, 0.0),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0.0),  # of another process (sd_watchdog_enabled(3))
        ({"WATCHDOG_USEC": "soon"}, 0.0),
        ({"WATCHDOG_USEC": "-1"}, 0.0),
    ],
)
def test_how_often_it_wants_to_hear_of_it(tmp_path: Path, variables: dict[str, str], seconds: float) -> None:
    service = ServiceManager.of(given(str(tmp_path / "notify"), **variables))
    assert service is not None
    service.close()
    assert service.watchdog == seconds


def test_one_that_is_not_there_is_logged_once_and_is_told_again_when_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service = ServiceManager(str(tmp_path / "notify"))
    try:
        assert not service.tell(READY)
        assert not service.tell(READY)
        assert [record.message for record in caplog.records] == [
            "the service manager cannot be told READY=1: No such file or directory"
        ]
        with ListeningManager(tmp_path / "notify") as manager:
            assert service.tell(READY)
            manager.wait_for("READY")
    finally:
        service.close()


def test_one_that_takes_nothing_holds_nobody_up_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sd_notify, "_PATIENCE", 1)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as silent:
        silent.bind(str(tmp_path / "notify"))
        service = ServiceManager(str(tmp_path / "notify"))
        try:
            most = int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text()) + 2
            taken = [service.tell(ALIVE) for _ in range(most)]
        finally:
            service.close()
    assert taken[0]
    assert not taken[-1]
    assert "the service manager cannot be told WATCHDOG=1: Resource temporarily unavailable" in caplog.text


def test_any_thread_may_tell_it(manager: ListeningManager) -> None:
    service = ServiceManager(manager.address)
    threads = [threading.Thread(target=service.tell, args=(ALIVE, status(str(number)))) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    service.close()
    manager.wait_for("WATCHDOG", count=8)
    assert {one.fields["STATUS"] for one in manager.told} == set(map(str, range(8)))
