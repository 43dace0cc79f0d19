"""Power cuts: a device is used while all is recorded that it writes to its card; then its power is cut at many places.

`./build.sh power-cuts` does so a thousand times with what is recorded here, and boots some of the cards.
"""

import os

from tests.image.machine.machine import Machine
from tests.image.powercut.cuts import Cuts
from tests.image.powercut.recording import Recording
from tests.image.powercut.workload import work

_SECONDS = float(os.environ.get("OTPPI_POWER_CUT_SECONDS", "45"))
"""How long the device is used."""
_CUTS = 40


def test_power_may_go_at_any_time(device: Machine, recording: Recording) -> None:
    device.begin_record(recording.log("use"))
    try:
        work(device, recording, _SECONDS)
    finally:
        device.end_record()
    with Cuts(recording, seed=0) as cuts:
        found = cuts.made(_CUTS)
    assert [one for one in found if one.faults] == []
