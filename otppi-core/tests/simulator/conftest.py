from collections.abc import Iterator

import pytest

from otppi.simulator import ModemPeer, ModemProfile, ModemRack
from otppi.testing.terminal import Terminal


@pytest.fixture
def terminal() -> Terminal:
    """A hand at the line of a modem that does not echo."""
    return Terminal(ModemPeer(ModemProfile(echo=False)))


@pytest.fixture
def rack() -> Iterator[ModemRack]:
    with ModemRack(2, profile=ModemProfile(echo=False)) as rack:
        yield rack
