"""The modem type `simcom`: captured dialogues, and the peer that answers as these modules do."""

from pathlib import Path

import pytest

from otppi.api.errors import ModemLost
from otppi.testing.modem import ModemProfile, ModemRack
from otppi.testing.modem.vendors import SIM800, SIM7600
from otppi.testing.replay import Replay, a_message, opened
from otppi.testing.scripted import until
from otppi_modem_simcom.plugin import USB, cpsi_dbm, otppi_modem_types

CAPTURES = Path(__file__).parent / "captures"
(SIMCOM,) = otppi_modem_types()


@pytest.mark.parametrize(
    ("capture", "iccid", "signal"),
    [("sim800l", "89000000000000008007", -77), ("sim7600e", "8900000000000007600", -74)],
)
def test_a_captured_module_sends(capture: str, iccid: str, signal: int, tmp_path: Path) -> None:
    message = a_message()
    with Replay(CAPTURES / f"{capture}.txt") as module, opened(SIMCOM, module.path, tmp_path) as modem:
        modem.send(message)
        identity = modem.identity()
        assert len(module.payloads) == 1
    assert message.progress.references == [41]
    assert (identity.iccid, identity.signal_dbm) == (iccid, signal)
    assert SIMCOM.recognises is not None
    assert SIMCOM.recognises(identity)


def test_a_sim_that_is_busy_for_messages_is_waited_for(tmp_path: Path) -> None:
    with Replay(CAPTURES / "sim800l.txt") as module, opened(SIMCOM, module.path, tmp_path):
        assert module.asked.count("AT+CMGF=0") == 2


def test_a_module_that_restarted_is_made_ready_again(tmp_path: Path) -> None:
    """It keeps its port, on a UART, and has forgotten all that was set."""
    with Replay(CAPTURES / "sim800l.txt") as module, opened(SIMCOM, module.path, tmp_path) as modem:
        module.speak()
        with pytest.raises(ModemLost, match="restarted"):
            until(lambda: modem.idle(0.1) or False)
        modem.close()
        modem.open()
        modem.send(a_message())


@pytest.mark.parametrize("profile", [SIM800, SIM7600], ids=lambda one: one.model)
def test_the_peer_of_that_model(profile: ModemProfile, tmp_path: Path) -> None:
    with ModemRack(profile=profile) as rack, opened(SIMCOM, str(rack.paths[0]), tmp_path) as modem:
        modem.send(a_message("kode 1"))
        (message,) = rack.network.wait_for(1)
        assert message.text == "kode 1"
        assert modem.identity().iccid == rack.modems[0].profile.iccid
        assert modem.sim_status().pin_tries == 3


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
    rules = (Path(__file__).parents[1] / "udev/78-otppi-simcom.rules").read_text()
    assert all(f'"{match.vendor_id}"' in rules for match in USB)
