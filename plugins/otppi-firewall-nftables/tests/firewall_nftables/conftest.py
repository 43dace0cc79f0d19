import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.api.trials import WriterContext
from otppi.testing.system_units import SystemUnits
from otppi_firewall_nftables.handing_over import UNIT, Firewall
from otppi_firewall_nftables.ports import Row
from otppi_firewall_nftables.request import Services
from otppi_firewall_nftables.settings import SECTION
from otppi_firewall_nftables.unit import Surroundings
from otppi_firewall_nftables.writer import FirewallWriter

from .networks import Networks

SCRIPT = Path(__file__).parents[4] / "overlays/firewall/usr/lib/otppi/firewall"
BUILT_IN_TABLE = Path(__file__).parents[4] / "overlays/firewall/usr/share/otppi/firewall.nft"
SERVICES = Services((8888, 8899, 10443), 8888)

# The program of the unit; its gateway is whoever runs the test.
UNIT_PROGRAM = """
import logging, os, sys
from pathlib import Path
from otppi_firewall_nftables.unit import Surroundings, run
logging.basicConfig(level=logging.INFO, format="%(message)s")
runtime, kept, told, nft = sys.argv[1:]
sys.exit(run(Surroundings(os.getuid(), Path(runtime), Path(kept), Path(told), nft)))
"""


def row(port: int, protocol: str = "tcp", open_to: str = "both", note: str = "") -> Row:
    return {"port": port, "protocol": protocol, "open_to": open_to, "note": note}


def ports(*rows: Row) -> dict[str, Any]:
    """Return values of the section, as they are when they were checked."""
    values, problems = SECTION.validate({"ports": [dict(one) for one in rows]})
    assert not problems
    return values


@pytest.fixture(scope="session")
def networks() -> Iterator[Networks]:
    for program, package in (("ip", "iproute2"), ("nft", "nftables")):
        if shutil.which(program) is None:
            pytest.skip(f"the program {program} ({package}) is not here")
    if os.geteuid() != 0:
        pytest.skip("only root may make networks")
    made = Networks()
    try:
        made.make()
    except subprocess.CalledProcessError as error:
        made.remove()
        pytest.skip(f"this system lets nobody make networks: {error.stderr.strip()}")
    yield made
    made.remove()


@pytest.fixture
def net(networks: Networks) -> Iterator[Networks]:
    """Networks without a table."""
    yield networks
    networks.run("device", "nft", "flush", "ruleset")


class Folders:
    """Where a device has what it keeps and hands over."""

    def __init__(self, folder: Path) -> None:
        self.runtime = folder / "run"
        self.boot_folder = self.runtime / f"otppi-{os.getuid()}-0123456789ab"
        self.boot_folder.mkdir(mode=0o700, parents=True)
        self.kept = folder / "etc/kept.nft"
        self.kept.parent.mkdir()
        self.told = folder / "told"
        self.told.mkdir()
        self.services = self.boot_folder / "service-firewall"
        self.ports = self.boot_folder / "trials/firewall"
        for one in (self.services, self.ports):
            one.mkdir(mode=0o700, parents=True)
        self.firewall = Firewall(self.services, self.kept, self.told)

    def surroundings(self, nft: str) -> Surroundings:
        return Surroundings(os.getuid(), self.runtime, self.kept, self.told, nft)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


class Device:
    """A device that has the unit of the card image, and a gateway that is told so."""

    def __init__(self, folders: Folders, net: Networks, units: SystemUnits) -> None:
        self.folders = folders
        self.net = net
        self.units = units
        self.firewall = folders.firewall
        context = WriterContext(folders.ports, folders.kept.parent)
        self.writer = FirewallWriter(context, Firewall(folders.ports, folders.kept, folders.told))

    def boot(self) -> None:
        """Load the table as the device does at boot, with nothing of what was in RAM."""
        self.net.run("device", "nft", "flush", "ruleset")
        shutil.rmtree(self.folders.told, ignore_errors=True)
        for one in (self.folders.services, self.folders.ports):
            for file in one.iterdir():
                file.unlink()
        self.net.run("device", "sh", SCRIPT, self.folders.kept, BUILT_IN_TABLE, self.folders.told)

    def reload(self) -> None:
        """Load the table as `systemctl reload nftables` does."""
        self.net.run("device", "sh", SCRIPT, self.folders.kept, BUILT_IN_TABLE, self.folders.told)

    @property
    def starts(self) -> int:
        """How often the unit was started."""
        return len(self.units.calls)


def unit_command(folders: Folders, net: Networks, nft: str = "nft") -> list[str]:
    """Return how the program of the unit is started on the device."""
    places = (folders.runtime, folders.kept, folders.told, nft)
    return net.command("device", sys.executable, "-I", "-c", UNIT_PROGRAM, *places)


@pytest.fixture
def device(
    folders: Folders, net: Networks, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Device]:
    with SystemUnits(tmp_path_factory.mktemp("units")) as units:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", units.address)
        monkeypatch.setenv("OTPPI_UNITS", "1")
        units.define(UNIT, unit_command(folders, net), oneshot=True)
        made = Device(folders, net, units)
        made.boot()
        yield made
