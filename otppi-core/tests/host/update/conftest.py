from pathlib import Path

import pytest

from .made_bundles import Device


@pytest.fixture
def device(tmp_path: Path) -> Device:
    """A device that runs the image's own version, 0.1.0."""
    return Device(tmp_path)
