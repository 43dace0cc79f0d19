"""A connection's life, with a pppd that runs the dialogue and then says what the real one says."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from otppi.api.internet import Dialling, InternetDown, InternetState
from otppi.api.modem import ModemType
from otppi.kit.at.modem import AT_SETTINGS, AtModem
from otppi.simulator import ModemRack
from otppi.testing.replay import a_message, opened
from otppi.testing.scripted import until
from otppi_internet_ppp.child import Programs

from .conftest import DIALLING, running, waits

Program = Callable[[str, str], str]


def test_it_connects_and_hangs_up(rack: ModemRack, dialling: Dialling, programs: Programs, tmp_path: Path) -> None:
    with running(lambda: dialling, tmp_path, programs) as link:
        until(lambda: len(link.status().dns) == 2, "it is connected")
        status = link.status()
        assert (status.state, status.interface, status.address) == (InternetState.CONNECTED, "ppp0", "10.64.0.2")
        assert (status.port, status.detail, status.attempts) == (dialling.port, "", 1)
        assert list(tmp_path.glob("ppp-*/*"))
    assert not list(tmp_path.glob("ppp-*"))  # no secret stays behind


def test_the_cause_is_what_the_modem_said(
    rack: ModemRack, dialling: Dialling, programs: Programs, tmp_path: Path
) -> None:
    rack.modems[0].inject("dial-no-carrier")
    with running(lambda: dialling, tmp_path, programs) as link:
        assert "NO CARRIER" in waits(link)


def test_it_dials_again_when_it_is_lost(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otppi_internet_ppp.link.Backoff", lambda *_: Quick())
    ends = program("pppd", "#!/bin/sh\necho Using interface ppp0\nexit 16\n")
    with running(lambda: DIALLING, tmp_path, Programs(ends, device=Path("/dev/null"))) as link:
        until(lambda: link.status().attempts >= 3, "it dials again and again")
        until(lambda: link.status().detail == "the modem hung up", "it says why")


class Quick:
    def delay(self) -> float:
        return 0.01

    def reset(self) -> None:
        pass


@pytest.mark.parametrize(
    ("programs", "cause"),
    [
        (Programs(device=Path("/nowhere/ppp")), "this kernel has no PPP (there is no /nowhere/ppp)"),
        (Programs(pppd="/nowhere/pppd"), "pppd and chat are not installed (the package ppp)"),
    ],
)
def test_what_the_system_lacks_is_told(programs: Programs, cause: str, tmp_path: Path) -> None:
    with running(lambda: DIALLING, tmp_path, programs) as link:
        assert waits(link) == cause


def test_a_port_that_sends_sms_is_left_alone(
    rack: ModemRack, dialling: Dialling, programs: Programs, tmp_path: Path
) -> None:
    modem_type = ModemType("at", "AT", "", AtModem, AT_SETTINGS)
    with opened(modem_type, dialling.port, tmp_path) as modem:
        with running(lambda: dialling, tmp_path, programs) as link:
            assert waits(link) == f"{dialling.port} is used: it sends SMS, or another program has it"
        modem.send(a_message())
    rack.network.wait_for(1)


def test_a_port_that_is_not_there(programs: Programs, tmp_path: Path) -> None:
    dialling = replace(DIALLING, port="/dev/nowhere")
    with running(lambda: dialling, tmp_path, programs) as link:
        assert waits(link) == "/dev/nowhere: No such file or directory"


def test_why_it_cannot_be_dialled_is_told(tmp_path: Path) -> None:
    def none() -> Dialling:
        raise InternetDown("there is no APN")

    with running(none, tmp_path, Programs()) as link:
        assert waits(link) == "there is no APN"


@pytest.mark.parametrize("code", [1, 2, 3, 4, 6, 7, 10, 19, 99])
def test_each_end_of_pppd_has_a_sentence(code: int, program: Program, tmp_path: Path) -> None:
    ends = program("pppd", f"#!/bin/sh\nexit {code}\n")
    with running(lambda: DIALLING, tmp_path, Programs(ends, device=Path("/dev/null"))) as link:
        assert waits(link)


def test_no_secret_in_what_it_shows(programs: Programs, tmp_path: Path) -> None:
    dialling = replace(DIALLING, password="s3cret\n")
    with running(lambda: dialling, tmp_path, programs) as link:
        assert "s3cret" not in waits(link) + repr(link.status()) + repr(dialling)
