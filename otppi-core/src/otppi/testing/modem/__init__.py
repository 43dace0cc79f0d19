"""A simulated GSM modem for tests, benchmarks and first steps: a peer with faults behind a real pty, not a mock.

with ModemRack(count=2, profile=ModemProfile(network_time=0.1)) as rack:
    rack.modems[1].inject("cms-error", at=3, code=38)
    ...  # open rack.modems[0].path like /dev/ttyUSB0, and send
    (message,) = rack.network.wait_for(1)
"""

from otppi.testing.modem.fault_table import FAULTS
from otppi.testing.modem.faults import Cure, Fault, Stage
from otppi.testing.modem.log import Dialogue, DialogueLog, Recorder
from otppi.testing.modem.network import ArrivedMessage, ArrivedPart, SimulatedNetwork
from otppi.testing.modem.peer import ModemPeer
from otppi.testing.modem.profile import ModemProfile, PortKind, UssdAnswer
from otppi.testing.modem.pty import ModemRack, RackedModem
from otppi.testing.modem.source import RackSource
from otppi.testing.modem.vendors import VENDORS
from otppi.wire.ussd import UssdForm

__all__ = [
    "FAULTS",
    "VENDORS",
    "ArrivedMessage",
    "ArrivedPart",
    "Cure",
    "Dialogue",
    "DialogueLog",
    "Fault",
    "ModemPeer",
    "ModemProfile",
    "ModemRack",
    "PortKind",
    "RackSource",
    "RackedModem",
    "Recorder",
    "SimulatedNetwork",
    "Stage",
    "UssdAnswer",
    "UssdForm",
]
