import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from otppi.api.internet import Dialling
from otppi.simulator import ModemProfile, ModemRack
from otppi_internet_ppp.plugin import SECTION

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
