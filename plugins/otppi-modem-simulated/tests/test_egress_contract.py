"""The contract of an egress, held by the simulated modem."""

from collections.abc import Callable
from pathlib import Path

import pytest

from otppi.api.modem import Modem, ModemContext
from otppi.host.modems.settings import MODEMS
from otppi.testing.egress import CHECKS, EgressBench
from otppi_modem_simulated.plugin import otppi_modem_types


class SimulatedBench(EgressBench):
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[Modem] = []

    def make(self) -> Modem:
        (modem_type,) = otppi_modem_types()
        raw = {"name": "demo", "type": "simulated", "network_time": 0}
        settings, problems = MODEMS.extended(modem_type).validate(raw)
        assert not problems
        self._made.append(modem_type.create(ModemContext(settings, self._folder)))
        return self._made[-1]

    def texts(self) -> list[str]:
        return [message.text for modem in self._made for message in modem.phone()]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_driver_keeps_the_contract(tmp_path: Path, check: Callable[[EgressBench], None]) -> None:
    check(SimulatedBench(tmp_path))
