"""What pppd says."""

import pytest

from otppi.api.internet import InternetState, InternetStatus
from otppi_internet_ppp.log import cause_of, complaint, heard

BEGUN = InternetStatus(InternetState.DIALLING, 1.0, detail="the modem hung up", attempts=2)


def test_a_log_of_a_connection() -> None:
    status = BEGUN
    for line in (
        "Serial connection established.",
        "Using interface ppp1",
        "Connect: ppp1 <--> /dev/ttyUSB3",
        "local  IP address 10.64.0.2",
        "remote IP address 10.64.64.64",
        "primary   DNS address 192.0.2.1",
        "secondary DNS address 192.0.2.1",
    ):
        status = heard(status, line + "\n", 2.0)
    assert status == InternetStatus(
        InternetState.CONNECTED, 2.0, "", "ppp1", "10.64.0.2", ("192.0.2.1",), detail="", attempts=2
    )


def test_the_interface_is_there_before_the_address() -> None:
    assert heard(BEGUN, "Using interface ppp0\n", 2.0).state is InternetState.NEGOTIATING


@pytest.mark.parametrize("line", ["", "Using interface", "local IP", "remote IP address 10.0.0.1", "x" * 1000])
def test_other_lines_change_nothing(line: str) -> None:
    assert heard(BEGUN, line, 2.0) == BEGUN


def test_what_an_exit_status_does_not_tell() -> None:
    assert "ppp_async" in (complaint("Couldn't set tty to PPP discipline: Invalid argument\n") or "")
    assert complaint("Exit.") is None
    assert cause_of(4) == "this kernel has no PPP"
    assert cause_of(0) == cause_of(-9) == "the connection ended"
