"""The contract of a modem, held by both types with the peers that answer as these models do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.api.modem import ModemType
from otppi.simulator import ModemProfile
from otppi.simulator.vendors import WAVECOM_Q2406, ZTE_MF190
from otppi.testing.modem_type import MODEM_CHECKS, peer_bench
from otppi_modem_zte.plugin import otppi_modem_types

ZTE, WAVECOM = otppi_modem_types()


@pytest.mark.parametrize("check", MODEM_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    ("modem_type", "profile", "baud_rate"),
    [(ZTE, ZTE_MF190, 115_200), (WAVECOM, WAVECOM_Q2406, 9600)],
    ids=["zte", "wavecom"],
)
def test_the_driver_keeps_the_contract(
    tmp_path: Path, modem_type: ModemType, profile: ModemProfile, baud_rate: int, check: Callable[[Any], None]
) -> None:
    with peer_bench(modem_type, tmp_path, profile, baud_rate=baud_rate) as bench:
        check(bench)
