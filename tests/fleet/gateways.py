"""A gateway of the fleet: `otppi run` on a host of its own, with simulated modems that this process serves."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from otppi.simulator import ModemProfile, ModemRack, SimulatedNetwork
from otppi.testing.waiting import until

KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message at its phone: which gateway sent it, and when (`time.monotonic()`)."""

    gateway: int
    text: str = field(repr=False)
    at: float


class FleetGateway:
    """One gateway and its modems.

    Args:
        number: Which one of the fleet it is.
        folder: Where its data are.
        within: What its command line starts with: the host that it runs on.
        sections: The settings of its ingresses.
        modems: How many modems it has.
        network_time: Seconds that the network takes for each message.
    """

    def __init__(
        self,
        number: int,
        folder: Path,
        within: Sequence[str],
        sections: Mapping[str, Mapping[str, Any]],
        *,
        modems: int = 4,
        network_time: float = 0.05,
    ) -> None:
        self.number = number
        self.network = SimulatedNetwork(keep=KEPT)
        self._rack = ModemRack(modems, profile=ModemProfile(network_time=network_time), network=self.network)
        self._within = within
        self._data = folder / "data"
        self.log = folder / "log"
        folder.mkdir()
        # Not below pytest's folder: with a long user name the control socket's path would pass 107 bytes (unix(7)).
        self._runtime = Path(tempfile.mkdtemp(prefix="otppi-run-", dir="/dev/shm"))
        self._provision = folder / "provision.json"
        ports = [
            {"name": f"m{place}", "type": "at", "port": str(path), "default_modem": True}
            for place, path in enumerate(self._rack.paths)
        ]
        off = {"ingress-rest": {"http_enable": False, "https_enable": False}, "administration": {"enable": False}}
        document = {"modems": ports, **off, **sections}
        self._provision.write_text(json.dumps(document))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it, and wait until it takes messages from the broker."""
        said = self._said()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(*self._within, sys.executable, "-m", "otppi", "run", "--data", str(self._data)),
                    *("--provision", str(self._provision)),
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=os.environ | {"RUNTIME_DIRECTORY": str(self._runtime)},
            )
        until(lambda: self._said() > said or self._check(), f"gateway {self.number} is connected", 60.0)
        return self

    def _check(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()[-3000:]
        return False

    def _said(self) -> int:
        return self.log.read_text().count(": connected to") if self.log.exists() else 0

    @property
    def pid(self) -> int:
        """Its process: `ip netns exec` has become it."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in its own way."""
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None

    def arrivals(self) -> list[Arrival]:
        """List what its modems sent, oldest first."""
        return [Arrival(self.number, message.text, message.monotonic) for message in self.network.messages]

    def close(self) -> None:
        """End it, and take its modems away."""
        if self._process is not None:
            self.kill()
        self._rack.close()
        shutil.rmtree(self._runtime, ignore_errors=True)
