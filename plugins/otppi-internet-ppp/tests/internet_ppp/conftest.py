import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otppi.api.internet import Dialling, InternetContext, InternetState
from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.system_units import SystemUnits
from otppi.testing.waiting import PATIENCE, until
from otppi_internet_ppp.child import Programs
from otppi_internet_ppp.link import PppLink
from otppi_internet_ppp.plugin import SECTION
from otppi_internet_ppp.request import Request
from otppi_internet_ppp.unit import Surroundings

DIALLING = Dialling(
    port="/dev/null",
    baud_rate=115_200,
    apn="internet",
    username="somebody",
    password="s3cret",
    dial_command="ATD",
    dial_number="*99#",
)
SETTINGS = SECTION.defaults()

# Obeys the options file as pppd does: opens the port, runs `connect` by a shell, and writes its log on stdout.
PPPD = f"""#!{sys.executable}
import os, shlex, signal, stat, subprocess, sys, tty
assert sys.argv[1] == "file" and len(sys.argv) == 3, sys.argv
assert stat.S_IMODE(os.stat(sys.argv[2]).st_mode) == 0o600
words = [shlex.split(line) for line in open(sys.argv[2])]
assert any(word[0] == "password" and word[1].endswith("s3cret") for word in words if word)
port = os.open(words[0][0], os.O_RDWR | os.O_NOCTTY)
tty.setraw(port)
connect = next(word[1] for word in words if word[0] == "connect")
if subprocess.run(["sh", "-c", connect], stdin=port, stdout=port, stderr=sys.stdout).returncode:
    print("Connect script failed", flush=True)
    sys.exit(8)
print("Serial connection established.\\nUsing interface ppp0\\nConnect: ppp0 <--> " + words[0][0], flush=True)
print("local  IP address 10.64.0.2\\nremote IP address 10.64.64.64", flush=True)
print("primary   DNS address 192.0.2.1\\nsecondary DNS address 192.0.2.2", flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
while True:
    signal.pause()
"""


@pytest.fixture
def rack() -> Iterator[ModemRack]:
    with ModemRack(profile=ModemProfile(apn="internet")) as rack:
        yield rack


@pytest.fixture
def dialling(rack: ModemRack) -> Dialling:
    """What this rack's modem is dialled with."""
    return replace(DIALLING, port=str(rack.paths[0]))


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], str]:
    """Make a program out of a Python script."""

    def made(name: str, source: str) -> str:
        path = tmp_path / name
        path.write_text(source)
        path.chmod(0o700)
        return str(path)

    return made


@pytest.fixture
def programs(program: Callable[[str, str], str]) -> Programs:
    """A pppd that runs the dialogue and then says what the real one says."""
    return Programs(program("pppd", PPPD), device=Path("/dev/null"))


# The program of the unit; its gateway is whoever runs the test, and ports are ptys, which are no devices of sysfs.
UNIT_PROGRAM = """
import logging, os, sys
from pathlib import Path
from otppi_internet_ppp.child import Programs
from otppi_internet_ppp.unit import Surroundings, run
logging.basicConfig(level=logging.INFO, format="%(message)s")
runtime, pppd, instance = sys.argv[1:]
programs = Programs(pppd, device=Path("/dev/null"))
sys.exit(run(instance, Surroundings(os.getuid(), Path(runtime), programs=programs, port=lambda path: path)))
"""


def unit_command(boot_folder: Path, programs: Programs) -> list[str]:
    """Return how the program of the unit is started."""
    return [sys.executable, "-I", "-c", UNIT_PROGRAM, str(boot_folder.parent), programs.pppd, "%i"]


@contextmanager
def running(dialling: Callable[[], Dialling], folder: Path, programs: Programs) -> Iterator[PppLink]:
    """Run a link on a thread, as the gateway does, until the block ends."""
    link = PppLink(InternetContext("m0", SETTINGS, dialling, folder), programs)
    thread = threading.Thread(target=link.run)
    thread.start()
    try:
        yield link
    finally:
        link.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert link.status().state is InternetState.STOPPED


def waits(link: PppLink) -> str:
    until(lambda: link.status().state is InternetState.WAITING, "it waits for the next attempt")
    return link.status().detail


@pytest.fixture
def boot_folder(tmp_path: Path) -> Path:
    """Where the gateway's boot folder is below /run, as its name says."""
    folder = tmp_path / "run" / f"otppi-{os.getuid()}-0123456789ab"
    folder.mkdir(mode=0o700, parents=True)
    return folder


@pytest.fixture
def units(
    tmp_path_factory: pytest.TempPathFactory, programs: Programs, boot_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SystemUnits]:
    """A system that has the unit of the card image, and a gateway that is told so."""
    with SystemUnits(tmp_path_factory.mktemp("units")) as units:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", units.address)
        monkeypatch.setenv("OTPPI_UNITS", "1")
        units.define("otppi-ppp@.service", unit_command(boot_folder, programs))
        yield units


INSTANCE = "0123456789abcdef"


class Gateway:
    """What a gateway has: a folder below its boot folder, and a socket at which it listens."""

    def __init__(self, boot_folder: Path) -> None:
        self.runtime = boot_folder.parent
        self.boot_folder = boot_folder
        self.folder = boot_folder / f"ppp-{INSTANCE}"
        self.folder.mkdir(mode=0o700)
        self.request = self.folder / "request.json"
        self.lines = self.folder / "lines"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.lines))
        self.listener.listen(1)
        self.listener.settimeout(PATIENCE)

    def ask(self, dialling: Dialling = DIALLING, **changes: Any) -> None:
        document = json.loads(Request(dialling, SETTINGS).document())
        self.request.write_text(json.dumps(document | changes))

    def hear(self) -> list[str]:
        """Return all that was said, after the program has ended."""
        channel, _address = self.listener.accept()
        with channel, channel.makefile(encoding="utf-8") as said:
            return said.read().splitlines()


@pytest.fixture
def gateway(boot_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.chdir(tmp_path)
    gateway = Gateway(Path("run") / boot_folder.name)  # the path of a socket has to be short
    yield gateway
    gateway.listener.close()


@pytest.fixture
def surroundings(gateway: Gateway, program: Callable[[str, str], str], tmp_path: Path) -> Surroundings:
    """A pppd that says that it was started, and ends."""
    pppd = program("pppd", f"#!/bin/sh\ntouch {tmp_path}/started\necho it has \x1b begun\nexit 16\n")
    own = tmp_path / "own"
    programs = Programs(pppd, device=Path("/dev/null"))
    return Surroundings(os.getuid(), gateway.runtime, own, programs, port=lambda path: path)
