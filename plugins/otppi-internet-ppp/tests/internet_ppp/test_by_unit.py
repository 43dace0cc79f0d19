"""A connection whose pppd a unit of the system runs: what the gateway hands over, and who ends whom."""

import hashlib
import os
import signal
import stat
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from otppi.api.internet import Dialling, InternetState
from otppi.kit import system_units
from otppi.simulator import ModemRack
from otppi.testing.leaks import children
from otppi.testing.system_units import SystemUnits
from otppi.testing.waiting import until
from otppi_internet_ppp import by_unit
from otppi_internet_ppp.child import Programs
from otppi_internet_ppp.link import PppLink
from otppi_internet_ppp.request import Request, parse

from .conftest import DIALLING, SETTINGS, running, unit_command, waits

DIGEST = hashlib.sha256(b"m0").hexdigest()[:16]
UNIT = f"otppi-ppp@{DIGEST}.service"


def connected(link: PppLink) -> None:
    until(lambda: link.status().state is InternetState.CONNECTED, lambda: f"it is connected, and not {link.status()}")


def main_pid(units: SystemUnits) -> int:
    process = units.main_pid(UNIT)
    assert process is not None
    return process


def pppd_of(units: SystemUnits) -> int:
    """Return the process of pppd, which is a child of the unit's program."""
    process = main_pid(units)
    return int(Path(f"/proc/{process}/task/{process}/children").read_text().split()[0])


def runs(process: int) -> bool:
    """Whether a process has not ended; one that nobody has waited for has."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_request_is_all_that_is_handed_over(
    units: SystemUnits, dialling: Dialling, programs: Programs, boot_folder: Path
) -> None:
    with running(lambda: dialling, boot_folder, programs) as link:
        connected(link)
        (folder,) = boot_folder.iterdir()
        assert folder.name == f"ppp-{DIGEST}"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {one.name for one in folder.iterdir()} == {"request.json", "lines"}
        assert stat.S_IMODE((folder / "request.json").stat().st_mode) == 0o600
        asked = parse((folder / "request.json").read_bytes())
        assert asked.dialling == replace(dialling, port=os.path.realpath(dialling.port))
        assert asked.settings == SETTINGS
        assert str(pppd_of(units)) not in children()
    assert list(boot_folder.iterdir()) == []
    assert {member for member, _unit in units.calls} == {"StartUnit", "StopUnit"}
    assert {unit for _member, unit in units.calls} == {UNIT}


def test_a_port_that_is_named_by_its_socket(
    units: SystemUnits, dialling: Dialling, programs: Programs, boot_folder: Path, tmp_path: Path
) -> None:
    """The unit follows no links, and is told the port itself."""
    link_to = tmp_path / "platform-hcd-usb-0:1:1.2-port0"
    link_to.symlink_to(dialling.port)
    with running(lambda: replace(dialling, port=str(link_to)), boot_folder, programs) as link:
        connected(link)
        assert parse((boot_folder / f"ppp-{DIGEST}/request.json").read_bytes()).dialling.port == os.path.realpath(
            link_to
        )
        assert link.status().port == str(link_to)


def test_to_stop_ends_the_unit_and_pppd_hangs_up(
    units: SystemUnits, dialling: Dialling, programs: Programs, boot_folder: Path
) -> None:
    with running(lambda: dialling, boot_folder, programs) as link:
        connected(link)
        program, pppd = main_pid(units), pppd_of(units)
        link.stop()
        assert units.main_pid(UNIT) is None
        assert not runs(program)
        assert not runs(pppd)


def test_a_unit_that_dies_is_noticed(
    units: SystemUnits, dialling: Dialling, programs: Programs, boot_folder: Path
) -> None:
    with running(lambda: dialling, boot_folder, programs) as link:
        connected(link)
        pppd = pppd_of(units)
        os.kill(main_pid(units), signal.SIGKILL)
        assert waits(link) == f"{UNIT} has ended in the middle: its log says why"
        os.kill(pppd, signal.SIGKILL)  # systemd ends all that a unit has started


def test_systemd_that_does_not_answer_any_more_keeps_nobody_from_hanging_up(
    units: SystemUnits, dialling: Dialling, programs: Programs, boot_folder: Path
) -> None:
    with running(lambda: dialling, boot_folder, programs) as link:
        connected(link)
        program, pppd = main_pid(units), pppd_of(units)
        units.behave(refuse="org.freedesktop.DBus.Error.AccessDenied")
        link.stop()
        until(lambda: not runs(pppd) and not runs(program), "the unit ends, as nobody listens to it")


def test_one_that_a_killed_gateway_has_left_is_ended_first(
    units: SystemUnits, dialling: Dialling, programs: Programs, boot_folder: Path
) -> None:
    units.define("otppi-ppp@.service", ["sleep", "1000"])
    system_units.start(UNIT)
    left = main_pid(units)
    units.define("otppi-ppp@.service", unit_command(boot_folder, programs))
    with running(lambda: dialling, boot_folder, programs) as link:
        connected(link)
        assert not runs(left)
    assert [member for member, _unit in units.calls[:3]] == ["StartUnit", "StopUnit", "StartUnit"]


def test_it_can_be_stopped_before_the_unit_says_anything(
    units: SystemUnits, dialling: Dialling, programs: Programs, boot_folder: Path
) -> None:
    units.define("otppi-ppp@.service", ["sleep", "1000"])
    with running(lambda: dialling, boot_folder, programs):
        until(lambda: units.main_pid(UNIT), "the unit runs")
        began = time.monotonic()
    assert time.monotonic() - began < by_unit._CONNECTS
    assert list(boot_folder.iterdir()) == []


def test_a_unit_that_says_nothing_is_told(
    units: SystemUnits, dialling: Dialling, programs: Programs, boot_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_unit, "_CONNECTS", 0.2)
    units.define("otppi-ppp@.service", ["sleep", "1000"])
    with running(lambda: dialling, boot_folder, programs) as link:
        assert waits(link) == f"{UNIT} was started, and says nothing: its log says why"
        assert units.main_pid(UNIT) is None


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("org.freedesktop.systemd1.NoSuchUnit", f"this device has no {UNIT} that can be used"),
        (
            "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
            f"this device does not let OTP-Pi start or stop {UNIT} (polkit)",
        ),
    ],
)
def test_why_there_is_no_unit_is_told(
    units: SystemUnits, dialling: Dialling, programs: Programs, boot_folder: Path, error: str, told: str
) -> None:
    units.behave(refuse=error)
    with running(lambda: dialling, boot_folder, programs) as link:
        assert waits(link) == told
    assert list(boot_folder.iterdir()) == []


def test_what_the_unit_refuses_is_told(
    units: SystemUnits, dialling: Dialling, programs: Programs, boot_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is so only where somebody has taken the gateway over, or the two are of different versions."""
    monkeypatch.setattr(Request, "document", lambda _: b'{"apn": "internet"}')
    with running(lambda: dialling, boot_folder, programs) as link:
        assert waits(link) == f"{UNIT} does not do it: it does not have the fields that it has to have"


def test_what_cannot_be_used_is_told_before_any_unit_is_started(
    units: SystemUnits, dialling: Dialling, programs: Programs, boot_folder: Path
) -> None:
    with running(lambda: replace(dialling, apn="a\nb"), boot_folder, programs) as link:
        assert waits(link) == "the setting apn cannot be used for dialling"
    assert units.calls == []


def test_the_cause_is_what_the_modem_said(
    units: SystemUnits, rack: ModemRack, dialling: Dialling, programs: Programs, boot_folder: Path
) -> None:
    rack.modems[0].inject("dial-no-carrier")
    with running(lambda: dialling, boot_folder, programs) as link:
        assert "NO CARRIER" in waits(link)


@pytest.mark.parametrize(("code", "cause"), [(16, "the modem hung up"), (19, "the network refused user name or")])
def test_the_exit_status_of_pppd_arrives(
    units: SystemUnits,
    program: Callable[[str, str], str],
    boot_folder: Path,
    code: int,
    cause: str,
) -> None:
    ends = Programs(program("pppd", f"#!/bin/sh\nexit {code}\n"), device=Path("/dev/null"))  # where the unit finds it
    with running(lambda: DIALLING, boot_folder, ends) as link:
        assert waits(link).startswith(cause)
