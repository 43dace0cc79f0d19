"""Fixtures for authors of OTP-Pi plugins (registered through the pytest11 entry point)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from otppi.testing.modem import ModemRack

pytest.register_assert_rewrite("otppi.testing.modem_type")


@pytest.fixture
def modem_rack() -> "Iterator[ModemRack]":
    """One simulated modem without network time, on a pty: `modem_rack.paths[0]`."""
    from otppi.testing.modem import ModemRack  # not before a test asks for it

    with ModemRack() as rack:
        yield rack
