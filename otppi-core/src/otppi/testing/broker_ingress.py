"""What every ingress on a message broker has to do: a suite that a plugin runs against its real broker.

A plugin's tests subclass `BrokerIngressContract`, and have a fixture `broker` give a `BrokerUnderTest` of the plugin's
own; what its broker cannot do it says by that one's attributes.

Example:
    class TestContract(BrokerIngressContract):
        pass
"""

from otppi.testing.broker_bench import ANSWERS, SECRET, BrokerUnderTest, command
from otppi.testing.broker_commands import CommandsContract
from otppi.testing.broker_connection import ConnectionContract

__all__ = ["ANSWERS", "SECRET", "BrokerIngressContract", "BrokerUnderTest", "command"]


class BrokerIngressContract(CommandsContract, ConnectionContract):
    """The whole suite."""
