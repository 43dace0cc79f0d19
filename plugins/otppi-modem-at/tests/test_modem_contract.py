"""The contract of a modem, held by the AT driver that five modem types share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.testing.modem_type import MODEM_CHECKS, peer_bench
from otppi_modem_at.plugin import otppi_modem_types

(MODEM_TYPE,) = otppi_modem_types()


@pytest.mark.parametrize("check", MODEM_CHECKS, ids=lambda check: check.__name__)
def test_the_driver_keeps_the_contract(tmp_path: Path, check: Callable[[Any], None]) -> None:
    with peer_bench(MODEM_TYPE, tmp_path) as bench:
        check(bench)
