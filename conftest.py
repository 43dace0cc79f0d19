"""What holds for the tests of every folder."""

import gc
import os

import pytest
from hypothesis import settings

# A slow example is a busy machine's: the limit of 200 ms that hypothesis sets would tell of that, not of the code. What
# takes too long in earnest meets the time-out of its test.
settings.register_profile("repository", settings(), deadline=None)
settings.load_profile("repository")

# No test is to reach the services of the computer that it runs on, one of which would switch it off. What needs a bus
# has one of its own.
os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/nowhere/system_bus_socket"

_FIRST = (
    "tests/fleet/",
    "tests/browser/",
    "tests/system/test_parked",
    "tests/system/",
    "plugins/otppi-ingress-",
    "plugins/otppi-internet-",
    "plugins/otppi-modem-modemmanager/",
    "tests/",
)
"""Where the tests are that take long: the last file that runs, when the other workers have ended, is a short one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that take long first; those of a file stay together."""
    items.sort(
        key=lambda item: next((place for place, one in enumerate(_FIRST) if item.nodeid.startswith(one)), len(_FIRST))
    )


def pytest_collection_finish() -> None:
    """Keep the garbage collector from what was collected: a test that has it look for leaks waited 0.3 s each time."""
    gc.collect()
    gc.freeze()
