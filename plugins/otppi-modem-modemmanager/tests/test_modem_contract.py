"""The contract of a modem, held by the driver over D-Bus."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.api.modem import ModemType
from otppi.testing.modem_type import MODEM_CHECKS, ModemBench
from otppi_modem_modemmanager.plugin import otppi_modem_types


class ManagerBench(ModemBench):
    def __init__(self, manager: Any, make_driver: Any) -> None:
        self._manager = manager
        self._make_driver = make_driver
        self._path = manager.add()

    @property
    def modem_type(self) -> ModemType:
        (modem_type,) = otppi_modem_types()
        return modem_type

    def make(self) -> Any:
        return self._make_driver().modem

    def texts(self) -> list[str]:
        sent = self._manager.log.count("Send")  # what is only created stays with ModemManager
        return [str(created["text"]) for created in self._manager.created[:sent]]

    def lose(self) -> None:
        self._manager("RemoveModem", "o", self._path)


@pytest.mark.parametrize("check", MODEM_CHECKS, ids=lambda check: check.__name__)
def test_the_driver_keeps_the_contract(
    manager: Any, make_driver: Any, tmp_path: Path, check: Callable[[Any], None]
) -> None:
    check(ManagerBench(manager, make_driver))
