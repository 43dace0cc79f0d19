import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.testing.system_units import SystemUnits

from .device import Device


@pytest.fixture
def units(monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemUnits]:
    """What starts units, and the bus that it is on."""
    with tempfile.TemporaryDirectory(prefix="otppi-") as folder, SystemUnits(Path(folder)) as started:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", started.address)
        yield started


@pytest.fixture
def device(tmp_path: Path, units: SystemUnits) -> Iterator[Device]:
    """A device that serves what the brochure says."""
    made = Device(tmp_path / "device", units)
    yield made
    made.end_timer()
