"""Fixtures for authors of OTP-Pi plugins (registered through the pytest11 entry point)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from otppi.simulator import ModemRack
    from otppi.testing.brokers.certificates import Authority
    from otppi.testing.brokers.rabbitmq import RabbitMq

pytest.register_assert_rewrite(
    "otppi.testing.broker_bench",
    "otppi.testing.broker_commands",
    "otppi.testing.broker_connection",
    "otppi.testing.egress",
    "otppi.testing.internet",
    "otppi.testing.modem_type",
    "otppi.testing.section",
)


@pytest.fixture
def modem_rack() -> "Iterator[ModemRack]":
    """One simulated modem without network time, on a pty: `modem_rack.paths[0]`."""
    from otppi.simulator import ModemRack  # not before a test asks for it

    with ModemRack() as rack:
        yield rack


@pytest.fixture
def no_leaks() -> Iterator[None]:
    """Have a test end its threads and child processes and close its files; see `otppi.testing.leaks`."""
    from otppi.testing.leaks import leaves_nothing

    with leaves_nothing():
        yield


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> "Authority":
    """Return a certification authority of the tests' own."""
    from otppi.testing.brokers.certificates import Authority

    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory, authority: "Authority") -> "Iterator[RabbitMq]":
    """Yield one RabbitMQ with a good certificate for all tests, since it takes long to start.

    Each test has queues of its own; one that kills or pauses it has it work again at its end.
    """
    from otppi.testing.brokers.rabbitmq import RabbitMq

    with RabbitMq(tmp_path_factory.mktemp("rabbitmq"), tls=authority.good()) as broker:
        yield broker
