"""The contract of a modem, held with the peers that answer as these models do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.simulator import ModemProfile
from otppi.simulator.vendors import QUECTEL_EC25
from otppi.testing.modem_type import MODEM_CHECKS, peer_bench
from otppi_modem_quectel.plugin import otppi_modem_types

MODEM_TYPE = otppi_modem_types()[0]


@pytest.mark.parametrize("check", MODEM_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("profile", [QUECTEL_EC25], ids=lambda one: one.model)
def test_the_driver_keeps_the_contract(tmp_path: Path, profile: ModemProfile, check: Callable[[Any], None]) -> None:
    with peer_bench(MODEM_TYPE, tmp_path, profile) as bench:
        check(bench)
