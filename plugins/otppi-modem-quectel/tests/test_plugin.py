"""The modem type `quectel`: a captured dialogue, and the peer that answers as an EC25 does."""

from pathlib import Path

import pytest

from otppi.api.errors import ModemLost
from otppi.testing.modem import ModemRack
from otppi.testing.modem.vendors import QUECTEL_EC25
from otppi.testing.replay import Replay, a_message, opened
from otppi.testing.scripted import until
from otppi_modem_quectel.plugin import USB, otppi_modem_types, qcsq_dbm, urc_port

CAPTURE = Path(__file__).parent / "captures/ec25.txt"
(QUECTEL,) = otppi_modem_types()


def test_a_captured_module_sends(tmp_path: Path) -> None:
    message = a_message()
    with Replay(CAPTURE) as module, opened(QUECTEL, module.path, tmp_path) as modem:
        modem.send(message)
        identity = modem.identity()
        assert len(module.payloads) == 1
        assert 'AT+QURCCFG="urcport","usbat"' in module.asked
        assert [line for line in module.asked if "CNMI" in line][-1] == "AT+CNMI=2,1,2,2,0"
    assert message.progress.references == [41]
    assert (identity.model, identity.iccid, identity.signal_dbm) == ("EC25", "8900000000000000025", -61)
    assert QUECTEL.recognises is not None
    assert QUECTEL.recognises(identity)


def test_a_module_that_restarted_is_made_ready_again(tmp_path: Path) -> None:
    with Replay(CAPTURE) as module, opened(QUECTEL, module.path, tmp_path) as modem:
        module.speak()
        with pytest.raises(ModemLost, match="restarted"):
            until(lambda: modem.idle(0.1) or False)
        modem.close()
        modem.open()
        modem.send(a_message())


def test_the_peer_of_that_model(tmp_path: Path) -> None:
    with ModemRack(profile=QUECTEL_EC25) as rack, opened(QUECTEL, str(rack.paths[0]), tmp_path) as modem:
        modem.send(a_message("kode 1"))
        (message,) = rack.network.wait_for(1)
        assert message.text == "kode 1"
        assert modem.identity().iccid == rack.modems[0].profile.iccid
        assert modem.sim_status().pin_tries == 3


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
    rules = (Path(__file__).parents[1] / "udev/78-otppi-quectel.rules").read_text()
    assert all(f'"{match.vendor_id}"' in rules for match in USB if match.vendor_id != "05c6")
