"""Which type drives a modem best, by what it says of itself."""

from pathlib import Path

import pytest

from otppi.api.errors import ModemBlocked
from otppi.api.modem import ModemIdentity, ModemType
from otppi.host.modems.types import best_type
from otppi.kit.at.modem import AtModem
from otppi.kit.at.probe import made_by, probe
from otppi.simulator import ModemRack
from otppi.testing.replay import Replay


def a_type(key: str, *makers: str) -> ModemType:
    return ModemType(key, key, "", AtModem, recognises=made_by(*makers) if makers else None)


@pytest.mark.parametrize(
    ("identity", "key"),
    [
        (ModemIdentity(manufacturer="ACME Ltd"), "acme"),
        (ModemIdentity(model="acme_800"), "acme"),
        (ModemIdentity(manufacturer="other"), "any"),
        (ModemIdentity(), "any"),
    ],
)
def test_a_type_recognises_its_makers(identity: ModemIdentity, key: str) -> None:
    types = [a_type("any"), a_type("none", "nobody"), a_type("acme", "Acme")]
    assert best_type(types, types[0], identity).key == key


def test_no_pin_is_given(modem_rack: ModemRack) -> None:
    modem_rack.modems[0].inject("pin-required")
    with pytest.raises(ModemBlocked, match="PIN"):
        probe(str(modem_rack.paths[0]))


@pytest.mark.parametrize("refusal", ["+CMS ERROR: 303", "ERROR", "+CME ERROR: 3"])
def test_a_modem_without_pdu_mode_is_of_no_use(refusal: str, tmp_path: Path) -> None:
    capture = tmp_path / "capture.txt"
    capture.write_text(f"> AT+CSMS?\n< +CSMS: 0,1,1,1\n< OK\n> AT+CMGF=0\n< {refusal}\n")
    with Replay(capture) as modem, pytest.raises(ModemBlocked, match="no PDU mode"):
        probe(modem.path)
