import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.testing.network_manager import NetworkManagerProcess

logger = logging.getLogger(__name__)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[NetworkManagerProcess]:
    """A NetworkManager with `eth0`, whose cable leads to a network that gives no addresses."""
    with tempfile.TemporaryDirectory(prefix="otppi-nm-") as folder, NetworkManagerProcess(Path(folder)) as manager:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", manager.address)
        yield manager
        logger.info("%s", manager.log())
