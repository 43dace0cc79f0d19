"""The modem type `quectel`: a captured dialogue, and the peer that answers as an EC25 does."""

from pathlib import Path

import pytest

from otppi.simulator.vendors import QUECTEL_EC25
from otppi.testing.modem_type import (
    has_udev_rules,
    is_made_ready_after_a_restart,
    sends_by_capture,
    works_with_the_peer,
)
from otppi_modem_quectel.plugin import USB, otppi_modem_types, qcsq_dbm, urc_port

CAPTURE = Path(__file__).parent / "captures/ec25.txt"
(QUECTEL,) = otppi_modem_types()


def test_a_captured_module_sends(tmp_path: Path) -> None:
    module = sends_by_capture(QUECTEL, CAPTURE, tmp_path)
    identity = module.identity
    assert 'AT+QURCCFG="urcport","usbat"' in module.asked
    assert [line for line in module.asked if "CNMI=" in line][-1] == "AT+CNMI=2,1,2,2,0"
    assert (identity.model, identity.iccid, identity.signal_dbm) == ("EC25", "8900000000000000025", -61)


def test_a_module_that_restarted_is_made_ready_again(tmp_path: Path) -> None:
    is_made_ready_after_a_restart(QUECTEL, CAPTURE, tmp_path)


def test_the_peer_of_that_model(tmp_path: Path) -> None:
    works_with_the_peer(QUECTEL, QUECTEL_EC25, tmp_path)


@pytest.mark.parametrize(
    ("path", "port"),
    [("/dev/ttyUSB2", "usbat"), ("/dev/serial0", "uart1"), ("/dev/ttyAMA0", "uart1"), ("/dev/ttyS0", "uart1")],
)
def test_urcs_go_to_the_port_that_is_open(path: str, port: str) -> None:
    assert urc_port(path) == port


@pytest.mark.parametrize(
    ("reply", "dbm"),
    [
        ('+QCSQ: "LTE",-61,-89,162,-9', -61),
        ('+QCSQ: "WCDMA",-69,-70,-4', -69),
        ('+QCSQ: "GSM",-101', -101),
        ('+QCSQ: "NOSERVICE"', None),
        ("", None),
    ],
)
def test_signal(reply: str, dbm: int | None) -> None:
    assert qcsq_dbm(reply) == dbm


def test_the_udev_rules_are_for_these_ids() -> None:
    has_udev_rules(Path(__file__).parents[1] / "udev/78-otppi-quectel.rules", USB)
