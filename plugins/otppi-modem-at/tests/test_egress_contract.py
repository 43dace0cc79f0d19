"""The contract of an egress, held by the AT driver that five modem types share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otppi.api.modem import Modem, ModemContext
from otppi.host.modems.settings import MODEMS
from otppi.simulator import ModemRack
from otppi.testing.egress import CHECKS, EgressBench
from otppi_modem_at.plugin import otppi_modem_types

PIN = "4821"


class AtBench(EgressBench):
    def __init__(self, rack: ModemRack, folder: Path) -> None:
        self._rack = rack
        self._folder = folder

    def make(self) -> Modem:
        (modem_type,) = otppi_modem_types()
        raw = {"name": "m0", "port": str(self._rack.paths[0]), "sim_card_pin": PIN}
        settings, problems = MODEMS.extended(modem_type).validate(raw)
        assert not problems
        return modem_type.create(ModemContext(settings, self._folder))

    def texts(self) -> list[str]:
        return [message.text for message in self._rack.network.messages]

    def lose(self) -> None:
        self._rack.modems[0].unplug()

    def secrets(self) -> list[str]:
        return [PIN]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[AtBench]:
    with ModemRack() as rack:
        yield AtBench(rack, tmp_path)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_driver_keeps_the_contract(bench: AtBench, check: Callable[[EgressBench], None]) -> None:
    check(bench)
