"""The modem type `huawei`: captured dialogues, and the peer that answers as these sticks do."""

from pathlib import Path

import pytest

from otppi.simulator import ModemProfile
from otppi.simulator.vendors import HUAWEI_E173, HUAWEI_E3372
from otppi.testing.modem_type import has_udev_rules, sends_by_capture, works_with_the_peer
from otppi.testing.replay import Replay, opened
from otppi.testing.scripted import until
from otppi_modem_huawei.plugin import USB, hcsq_dbm, otppi_modem_types

CAPTURES = Path(__file__).parent / "captures"
(HUAWEI,) = otppi_modem_types()


@pytest.mark.parametrize(("capture", "iccid", "signal"), [("e173", "", -83), ("e3372", "8900000000000003372", -75)])
def test_a_captured_stick_sends(capture: str, iccid: str, signal: int, tmp_path: Path) -> None:
    stick = sends_by_capture(HUAWEI, CAPTURES / f"{capture}.txt", tmp_path)
    assert {"AT^CURC=0", "AT^PORTSEL=1", "AT^USSDMODE=0"} <= set(stick.asked)
    assert "AT^GETPORTMODE" not in stick.asked
    identity = stick.identity
    assert (identity.model.lower(), identity.iccid, identity.signal_dbm) == (capture, iccid, signal)


def test_notifications_are_asked_for_in_the_words_of_old_firmware(tmp_path: Path) -> None:
    asked = [line for line in sends_by_capture(HUAWEI, CAPTURES / "e173.txt", tmp_path).asked if "CNMI=" in line]
    assert asked[-1] == "AT+CNMI=2,1,0,2,0"


def test_it_looks_at_once_when_the_sim_is_gone(tmp_path: Path) -> None:
    with Replay(CAPTURES / "e173.txt") as stick, opened(HUAWEI, stick.path, tmp_path) as modem:
        before = len(stick.asked)
        stick.speak()
        until(lambda: modem.idle(0.1) or "AT+CREG?" in stick.asked[before:], "the registration is asked for")


@pytest.mark.parametrize("profile", [HUAWEI_E173, HUAWEI_E3372], ids=lambda one: one.model)
def test_the_peer_of_that_model(profile: ModemProfile, tmp_path: Path) -> None:
    works_with_the_peer(HUAWEI, profile, tmp_path)


@pytest.mark.parametrize(
    ("reply", "dbm"),
    [
        ('^HCSQ: "LTE",46,36,116,22', -75),
        ('^HCSQ:"WCDMA",30,28,58', -91),
        ("^HCSQ:LTE,46,36,116,22", -75),
        ('^HCSQ:"LTE,46,36,116,22', -75),
        ('^HCSQ:"GSM",0', None),
        ('^HCSQ:"LTE",255,255,255,255', None),
        ('^HCSQ:"NOSERVICE"', None),
        ("", None),
    ],
)
def test_signal(reply: str, dbm: int | None) -> None:
    assert hcsq_dbm(reply) == dbm


def test_the_udev_rules_are_for_these_ids() -> None:
    has_udev_rules(Path(__file__).parents[1] / "udev/78-otppi-huawei.rules", USB)
