"""A card after a cut, booted for real: the virtual machine starts with it as a device does with its card."""

import http.client
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.image.machine.machine import SLOW, Machine
from tests.image.powercut.recording import Known


@contextmanager
def _machine(card: Path, kernel: Path) -> Iterator[Machine]:
    folder = Path(tempfile.mkdtemp(prefix="otppi-cut-", dir="/var/tmp"))
    machine = Machine(card, kernel, folder)
    try:
        machine.start()
        yield machine
    finally:
        machine.stop()
        shutil.rmtree(folder)


def faults_of_boot(card: Path, kernel: Path, known: Known) -> Iterator[str]:
    """Boot a card, and look whether it is a device as it was.

    Args:
        card: The whole card.
        kernel: The folder with `vmlinuz` and `initrd.img`.
        known: What had been told before the cut.
    """
    with _machine(card, kernel) as device:
        if (said := device.until_started()) != "running":
            yield f"it is {said}: {device.run('systemctl --failed --no-legend --plain', check=False).strip()}"
        for what in ("/etc/otppi/device.json", "/etc/NetworkManager/system-connections/otppi-ap.nmconnection"):
            if device.code(f"[ -s {what} ]").code:
                yield f"{what} is not there"
        if device.code("grep -q ' / ext4 rw' /proc/mounts").code:
            yield "the root can only be read"
        for port, path, right in ((8888, "/", (200, 302, 303)), (8899, "/api/health", (200, 401, 503))):
            if (status := _status(device, port, path)) not in right:
                yield f"port {port} answers with {status}"
        yield from _changes(device, known)


def _status(device: Machine, port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", device.ports[port], timeout=SLOW)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def _changes(device: Machine, known: Known) -> Iterator[str]:
    """Look, by the product's own command, for the administrators and the setting that is counted up."""
    kept = json.loads(device.otppi("settings", "export"))
    names = {one["username"] for one in kept.get("administrators", [])}
    for what, values in known.possible().items():
        kind, _, name = what.partition(" ")
        if kind == "administrator" and (name in names or None) not in values:
            yield f"{what} is not there"
        if "." in kind:
            section, setting = kind.split(".")
            if (value := kept[section][setting]) not in values and None not in values:
                yield f"{what} is {value}, not {' or '.join(map(repr, values))}"
