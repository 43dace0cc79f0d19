"""The contract of a modem, held by the simulated modem."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.api.modem import Modem, ModemContext, ModemType
from otppi.host.modems.settings import MODEMS
from otppi.testing.modem_type import MODEM_CHECKS, ModemBench
from otppi_modem_simulated.plugin import otppi_modem_types


class SimulatedBench(ModemBench):
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[Modem] = []

    @property
    def modem_type(self) -> ModemType:
        (modem_type,) = otppi_modem_types()
        return modem_type

    def make(self) -> Modem:
        raw = {"name": "demo", "type": "simulated", "network_time": 0}
        settings, problems = MODEMS.extended(self.modem_type).validate(raw)
        assert not problems
        self._made.append(self.modem_type.create(ModemContext(settings, self._folder)))
        return self._made[-1]

    def texts(self) -> list[str]:
        return [message.text for modem in self._made for message in modem.phone()]


@pytest.mark.parametrize("check", MODEM_CHECKS, ids=lambda check: check.__name__)
def test_the_driver_keeps_the_contract(tmp_path: Path, check: Callable[[Any], None]) -> None:
    check(SimulatedBench(tmp_path))
