"""A simulated GSM modem for first steps, tests and benchmarks: a peer with faults behind a real pty, not a mock.

with ModemRack(count=2, profile=ModemProfile(network_time=0.1)) as rack:
    rack.modems[1].inject("cms-error", at=3, code=38)
    ...  # open rack.modems[0].path like /dev/ttyUSB0, and send
    (message,) = rack.network.wait_for(1)
"""

from otppi.simulator.dialogue import Dialogue, Recorder
from otppi.simulator.faults.board import Cure, Fault
from otppi.simulator.faults.table import FAULTS
from otppi.simulator.network import ArrivedMessage, ArrivedPart, SimulatedNetwork
from otppi.simulator.peer import ModemPeer
from otppi.simulator.profile import ModemProfile, PortKind, ScriptedUssdAnswer
from otppi.simulator.pty import ModemRack, RackedModem
from otppi.simulator.stages import Stage
from otppi.simulator.vendors import VENDORS
from otppi.wire.ussd import UssdForm

__all__ = [
    "FAULTS",
    "VENDORS",
    "ArrivedMessage",
    "ArrivedPart",
    "Cure",
    "Dialogue",
    "Fault",
    "ModemPeer",
    "ModemProfile",
    "ModemRack",
    "PortKind",
    "RackedModem",
    "Recorder",
    "ScriptedUssdAnswer",
    "SimulatedNetwork",
    "Stage",
    "UssdForm",
]
