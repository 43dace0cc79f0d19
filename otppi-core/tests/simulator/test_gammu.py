"""Debian's gammu-smsd as a second opinion: it sends and receives through the simulated modem, in PDU mode."""

import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from otppi.simulator import ModemProfile, ModemRack

FOLDERS = ("inbox", "outbox", "sent", "error")


def configuration(device: Path, home: Path) -> str:
    folders = "\n".join(f"{name}path = {home}/{name}/" for name in ("inbox", "outbox"))
    return f"""[gammu]
device = {device}
connection = at115200
[smsd]
service = files
logfile = {home}/log
{folders}
sentsmspath = {home}/sent/
errorsmspath = {home}/error/
commtimeout = 1
sendtimeout = 10
receivefrequency = 1
checksecurity = 0
checkbattery = 0
checksignal = 0
runonreceive = {home}/received
"""


@contextmanager
def gammu(device: Path, home: Path) -> Iterator[None]:
    for name in FOLDERS:
        (home / name).mkdir()
    (home / "received").write_text(f"#!/bin/sh\necho $1 > {home}/came\n")
    (home / "received").chmod(0o700)
    (home / "smsdrc").write_text(configuration(device, home))
    with subprocess.Popen(["gammu-smsd", "-c", home / "smsdrc"], stdout=subprocess.DEVNULL) as daemon:
        try:
            yield
        finally:
            daemon.terminate()


@contextmanager
def pipe(path: Path) -> Iterator[int]:
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def test_gammu_sends_and_receives(tmp_path: Path) -> None:
    modems = ModemRack(profile=ModemProfile(network_time=0.05))
    with modems as rack, pipe(tmp_path / "came") as came, gammu(rack.paths[0], tmp_path):
        (tmp_path / "outbox" / "OUT+6281200000001.txt").write_text("Kode anda: 4711")
        (tmp_path / "outbox" / "OUT+6281200000002.txt").write_text("panjang " * 25)
        messages = rack.network.wait_for(2, 60.0)
        assert {(message.destination, message.text.strip(), message.parts) for message in messages} == {
            ("6281200000001", "Kode anda: 4711", 1),
            ("6281200000002", ("panjang " * 25).strip(), 2),
        }
        rack.modems[0].deliver("+628110000001", "Halo {dunia}")
        assert select.select([came], [], [], 30.0)[0]
    (received,) = (tmp_path / "inbox").iterdir()
    assert received.read_text() == "Halo {dunia}"
    assert len(list((tmp_path / "sent").iterdir())) == 2
    assert list((tmp_path / "error").iterdir()) == []
