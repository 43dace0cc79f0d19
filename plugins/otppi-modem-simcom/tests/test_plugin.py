"""The modem type `simcom`: captured dialogues, and the peer that answers as these modules do."""

from pathlib import Path

import pytest

from otppi.simulator import ModemProfile
from otppi.simulator.vendors import SIM800, SIM7600
from otppi.testing.modem_type import (
    has_udev_rules,
    is_made_ready_after_a_restart,
    sends_by_capture,
    works_with_the_peer,
)
from otppi_modem_simcom.plugin import USB, cpsi_dbm, otppi_modem_types

CAPTURES = Path(__file__).parent / "captures"
(SIMCOM,) = otppi_modem_types()


@pytest.mark.parametrize(
    ("capture", "iccid", "signal"),
    [("sim800l", "89000000000000008007", -77), ("sim7600e", "8900000000000007600", -74)],
)
def test_a_captured_module_sends(capture: str, iccid: str, signal: int, tmp_path: Path) -> None:
    identity = sends_by_capture(SIMCOM, CAPTURES / f"{capture}.txt", tmp_path).identity
    assert (identity.iccid, identity.signal_dbm) == (iccid, signal)


def test_a_sim_that_is_busy_for_messages_is_waited_for(tmp_path: Path) -> None:
    asked = sends_by_capture(SIMCOM, CAPTURES / "sim800l.txt", tmp_path).asked
    assert asked[: asked.index("AT+CSCA?")].count("AT+CMGF=0") == 2


def test_a_module_that_restarted_is_made_ready_again(tmp_path: Path) -> None:
    is_made_ready_after_a_restart(SIMCOM, CAPTURES / "sim800l.txt", tmp_path)


@pytest.mark.parametrize("profile", [SIM800, SIM7600], ids=lambda one: one.model)
def test_the_peer_of_that_model(profile: ModemProfile, tmp_path: Path) -> None:
    works_with_the_peer(SIMCOM, profile, tmp_path)


@pytest.mark.parametrize(
    ("reply", "dbm"),
    [
        ("+CPSI: LTE,Online,001-01,0x1A2B,12345678,123,EUTRAN-BAND3,1300,3,3,-102,-1031,-735,14", -74),
        ("+CPSI: LTE,Online,001-01,0x1A2B,12345678,123,EUTRAN-BAND1,100,5,0,12,36,42,5", None),
        ("+CPSI: GSM,Online,001-01,0x00a1,4321,61 EGSM 900,-65,0,40-40", -65),
        ("+CPSI: WCDMA,Online,001-01,0xA809,1122,WCDMA IMT 2000,279,10663,0,1.5,62,33,52,500", None),
        ("+CPSI: NO SERVICE,Online", None),
        ("+CPSI: LTE", None),
        ("", None),
    ],
)
def test_signal(reply: str, dbm: int | None) -> None:
    assert cpsi_dbm(reply) == dbm


def test_the_udev_rules_are_for_these_ids() -> None:
    has_udev_rules(Path(__file__).parents[1] / "udev/78-otppi-simcom.rules", USB)
