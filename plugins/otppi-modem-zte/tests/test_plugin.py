"""The modem types `zte` and `wavecom`: captured dialogues, and the peer that answers as these modems do."""

from pathlib import Path

import pytest

from otppi.api.modem import ModemIdentity, ModemType
from otppi.simulator import ModemProfile
from otppi.simulator.vendors import WAVECOM_Q2406, ZTE_MF190
from otppi.testing.modem_type import (
    has_udev_rules,
    is_made_ready_after_a_restart,
    sends_by_capture,
    works_with_the_peer,
)
from otppi_modem_zte.plugin import USB, otppi_modem_types

CAPTURES = Path(__file__).parent / "captures"
ZTE, WAVECOM = otppi_modem_types()


def test_a_captured_stick_sends_and_is_quietened(tmp_path: Path) -> None:
    stick = sends_by_capture(ZTE, CAPTURES / "mf190.txt", tmp_path)
    assert "AT+CPMS?" in stick.asked
    assert (stick.identity.iccid, stick.identity.signal_dbm) == ("8900000000000000190", -73)


def test_a_captured_wavecom_sends(tmp_path: Path) -> None:
    old = sends_by_capture(WAVECOM, CAPTURES / "q2406b.txt", tmp_path)
    assert {"AT+WIND=0", "AT+CNMI=2,1,0,1,0"} <= set(old.asked)
    assert old.identity.iccid == "8900000000000002406"
    assert WAVECOM.recognises is not None
    assert not WAVECOM.recognises(ModemIdentity(manufacturer="ZTE CORPORATION"))


def test_a_wavecom_that_restarted_is_made_ready_again(tmp_path: Path) -> None:
    is_made_ready_after_a_restart(WAVECOM, CAPTURES / "q2406b.txt", tmp_path)


@pytest.mark.parametrize(
    ("modem_type", "profile", "baud_rate"), [(ZTE, ZTE_MF190, 115_200), (WAVECOM, WAVECOM_Q2406, 9600)]
)
def test_the_peers_of_these_models(
    modem_type: ModemType, profile: ModemProfile, baud_rate: int, tmp_path: Path
) -> None:
    works_with_the_peer(modem_type, profile, tmp_path, baud_rate=baud_rate)


def test_the_udev_rules_are_for_these_ids() -> None:
    has_udev_rules(Path(__file__).parents[1] / "udev/78-otppi-zte.rules", USB)
