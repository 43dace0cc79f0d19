"""The contract of an egress, held by the driver over D-Bus."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.testing.egress import CHECKS, EgressBench


class ManagerBench(EgressBench):
    def __init__(self, manager: Any, make_driver: Any) -> None:
        self._manager = manager
        self._make_driver = make_driver
        self._path = manager.add()

    def make(self) -> Any:
        return self._make_driver().modem

    def texts(self) -> list[str]:
        sent = self._manager.log.count("Send")  # what is only created stays with ModemManager
        return [str(created["text"]) for created in self._manager.created[:sent]]

    def lose(self) -> None:
        self._manager("RemoveModem", "o", self._path)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_driver_keeps_the_contract(
    manager: Any, make_driver: Any, tmp_path: Path, check: Callable[[EgressBench], None]
) -> None:
    check(ManagerBench(manager, make_driver))
