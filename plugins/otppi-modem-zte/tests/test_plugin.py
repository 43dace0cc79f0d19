"""The modem types `zte` and `wavecom`: captured dialogues, and the peer that answers as these modems do."""

from pathlib import Path

import pytest

from otppi.api.errors import ModemLost
from otppi.api.modem import ModemIdentity
from otppi.testing.modem import ModemRack
from otppi.testing.modem.vendors import WAVECOM_Q2406, ZTE_MF190
from otppi.testing.replay import Replay, a_message, opened
from otppi.testing.scripted import until
from otppi_modem_zte.plugin import USB, otppi_modem_types

CAPTURES = Path(__file__).parent / "captures"
ZTE, WAVECOM = otppi_modem_types()


def test_a_captured_stick_sends_and_is_quietened(tmp_path: Path) -> None:
    message = a_message()
    with Replay(CAPTURES / "mf190.txt") as stick, opened(ZTE, stick.path, tmp_path) as modem:
        modem.send(message)
        identity = modem.identity()
        assert "AT+CPMS?" in stick.asked
    assert message.progress.references == [41]
    assert (identity.iccid, identity.signal_dbm) == ("8900000000000000190", -73)
    assert ZTE.recognises is not None
    assert ZTE.recognises(identity)


def test_a_captured_wavecom_sends_and_tells_when_it_restarted(tmp_path: Path) -> None:
    message = a_message()
    with Replay(CAPTURES / "q2406b.txt") as old, opened(WAVECOM, old.path, tmp_path) as modem:
        modem.send(message)
        identity = modem.identity()
        assert {"AT+WIND=0", "AT+CNMI=2,1,0,1,0"} <= set(old.asked)
        old.speak()
        with pytest.raises(ModemLost, match="restarted"):
            until(lambda: modem.idle(0.1) or False)
    assert message.progress.references == [41]
    assert identity.iccid == "8900000000000002406"
    assert WAVECOM.recognises is not None
    assert WAVECOM.recognises(identity)
    assert not WAVECOM.recognises(ModemIdentity(manufacturer="ZTE CORPORATION"))


def test_the_peers_of_these_models(tmp_path: Path) -> None:
    for modem_type, profile, baud_rate in ((ZTE, ZTE_MF190, 115_200), (WAVECOM, WAVECOM_Q2406, 9600)):
        with (
            ModemRack(profile=profile) as rack,
            opened(modem_type, str(rack.paths[0]), tmp_path, baud_rate=baud_rate) as modem,
        ):
            modem.send(a_message("kode 1"))
            (message,) = rack.network.wait_for(1)
            assert message.text == "kode 1"
            assert modem.identity().iccid == rack.modems[0].profile.iccid
            assert modem.sim_status().pin_tries == 3


def test_the_udev_rules_are_for_these_ids() -> None:
    rules = (Path(__file__).parents[1] / "udev/78-otppi-zte.rules").read_text()
    assert all(f'"{match.vendor_id}"' in rules for match in USB)
