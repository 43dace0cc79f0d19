"""The modem type `at`, as the host gets it."""

from pathlib import Path

import pytest

from otppi.api.errors import ModemBlocked, ModemLost
from otppi.api.message import OutgoingMessage
from otppi.api.modem import ModemContext
from otppi.host.modems.settings import MODEMS
from otppi.kit.at.probe import probe
from otppi.simulator import ModemRack
from otppi_modem_at.plugin import otppi_modem_types


def message(text: str) -> OutgoingMessage:
    return OutgoingMessage(message_id="1", destination="628126666666", text=text, validity=60)


def test_the_settings_make_a_modem_that_sends(modem_rack: ModemRack, tmp_path: Path) -> None:
    (modem_type,) = otppi_modem_types()
    raw = {"name": "m0", "port": str(modem_rack.paths[0])}
    settings, problems = MODEMS.extended(modem_type).validate(raw)
    assert not problems
    modem = modem_type.create(ModemContext(settings, tmp_path))
    modem.open()
    try:
        sent = message("text")
        modem.send(sent)
    finally:
        modem.close()
    assert sent.progress.segments == 1
    assert [one.text for one in modem_rack.network.messages] == ["text"]
    assert modem.identity().imei == modem_rack.modems[0].profile.imei
    assert modem.phone() == ()


def test_probe_says_who_is_there_and_gives_no_pin(modem_rack: ModemRack, tmp_path: Path) -> None:
    assert probe(str(modem_rack.paths[0])).imei == modem_rack.modems[0].profile.imei
    with pytest.raises(ModemLost):
        probe(str(tmp_path / "nothing"))
    modem_rack.modems[0].inject("pin-required")
    with pytest.raises(ModemBlocked, match="PIN"):
        probe(str(modem_rack.paths[0]))
