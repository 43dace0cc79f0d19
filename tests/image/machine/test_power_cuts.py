"""Power cuts: a device is used while all is recorded that it writes to its card; then its power is cut at many places.

`./build.sh power-cuts` does so a thousand times with what is recorded here, and boots some of the cards.
"""

import json
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from otppi.simulator.network import SimulatedNetwork
from tests.image.machine.application import SLOW
from tests.image.machine.machine import Machine
from tests.image.powercut.cuts import Cuts
from tests.image.powercut.recording import Recording
from tests.image.powercut.workload import MODEM, PROFILE, work

_SECONDS = float(os.environ.get("OTPPI_POWER_CUT_SECONDS", "45"))
"""How long the device is used."""
_CUTS = 40


class _Device:
    """The machine, as the workload uses it."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.ports = machine.ports

    def otppi(self, *arguments: str, given: str = "") -> str:
        return self._machine.otppi(*arguments, given=given, seconds=SLOW)

    @contextmanager
    def modem_in_use(self, network: SimulatedNetwork) -> Iterator[None]:
        with self._machine.modem(PROFILE, network=network):
            look = "setpriv --reuid=otppi --regid=otppi --init-groups otppi --data /var/lib/otppi modem discover"
            self._machine.until(f"{look} | grep '^new '", "the new modem is seen", SLOW)
            self.otppi("modem", "adopt", PROFILE.imei, "--name", MODEM, "--default")
            yield

    def reset_network(self) -> None:
        self._machine.run("systemctl start otppi-reset-network", SLOW)

    def change_network(self, ssid: str) -> bool:
        values = shlex.quote(json.dumps({"ssid": ssid}))
        as_gateway = "setpriv --reuid=otppi --regid=otppi --init-groups otppi --data /var/lib/otppi network"
        done = self._machine.code(f"{as_gateway} change network_access_point {values} && {as_gateway} confirm", SLOW)
        print(f"{ssid}: {done}")
        return done.code == 0

    def crash(self) -> None:
        self._machine.run("systemctl kill --signal KILL otppi")  # it is started again by itself


def test_power_may_go_at_any_time(device: Machine, recording: Recording) -> None:
    device.begin_record(recording.log("use"))
    try:
        work(_Device(device), recording, _SECONDS)
    finally:
        device.end_record()
    with Cuts(recording, seed=0) as cuts:
        found = cuts.made(_CUTS)
    assert [one for one in found if one.faults] == []
