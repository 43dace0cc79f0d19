"""The machine: the arm64 image, personalised, booted once for all tests, which each begin from what it was then."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from image.card.card import Card
from otppi.host.identity.identity import Identity
from tests.image.builds import TOP, built
from tests.image.machine.application import PASSWORD, USERNAME
from tests.image.machine.machine import Machine
from tests.image.machine.station import TOOLS, Station
from tests.image.powercut.recording import Recording

PICTURES = TOP / "build/pictures"
"""Where what the tests have seen is found afterwards."""
RECORDED = TOP / "build/power-cuts/recording"
"""Where what was written to the card is found afterwards."""
KEPT = TOP / "build/machine"
"""Where the console's log, and QEMU's, are found afterwards."""
_SETTINGS = {"api_users": [{"username": USERNAME, "password": PASSWORD}]}
_LEASE = """#!/bin/sh
[ "$1" = bound ] || exit 0
busybox=$(dirname "$0")/busybox
$busybox ip address flush dev "$interface"
$busybox ip address add "$ip/$mask" dev "$interface"
[ -z "$router" ] || $busybox ip route add default via "$router"
$busybox env | $busybox sed 's/^/lease-/'
"""
"""What udhcpc runs when it has an address."""
_LIMIT = 5_400
"""Seconds of a test together with what it waits for: the first one builds the image, which takes half an hour once."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests in the machine the time that an emulator needs."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(_LIMIT))


@dataclass(frozen=True, slots=True)
class Flashed:
    """A card as it is put into a device: the image, and what its brochure says."""

    image: Path
    kernel: Path
    identity: Identity


@pytest.fixture(scope="session")
def card(tmp_path_factory: pytest.TempPathFactory) -> Flashed:
    """A card that was personalised for one device."""
    kernel, folder = built("arm64"), tmp_path_factory.mktemp("card")
    settings, image = folder / "settings.json", folder / "card.img"
    settings.write_text(json.dumps(_SETTINGS))
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", kernel / "card.img", image], check=True)
    personalise: list[str | Path] = [TOP / "image/bin/personalise", image, "--again", "--settings", settings]
    personalise += ["--out", folder]
    subprocess.run(personalise, check=True, capture_output=True)
    return Flashed(image, kernel, Card(image).identity())


@pytest.fixture(scope="session")
def tools(card: Flashed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disk with what a phone needs and the image lacks."""
    folder = tmp_path_factory.mktemp("tools")
    files = folder / "files"
    files.mkdir()
    shutil.copy(card.kernel / "busybox", files / "busybox")
    (files / "lease").write_text(_LEASE)
    for one in files.iterdir():
        one.chmod(0o755)
    environment = {**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    disk = folder / "tools.img"
    subprocess.run(
        ["mke2fs", "-q", "-t", "ext4", "-L", "tools", "-d", files, disk, "16M"],
        check=True, capture_output=True, env=environment,
    )  # fmt: skip
    return disk


@pytest.fixture(scope="session")
def recording(card: Flashed) -> Recording:
    """What is written to the card, from its first boot on."""
    kernel = [card.kernel / name for name in ("vmlinuz", "initrd.img")]
    return Recording.begun(RECORDED, card.image, others=kernel)


@pytest.fixture(scope="session")
def booted(card: Flashed, tools: Path, recording: Recording) -> Iterator[Machine]:
    """The device after its first boot, which has been waited for, and a phone that has joined nothing yet."""
    KEPT.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="otppi-machine-", dir="/var/tmp"))
    for name in ("console.log", "qemu.log"):
        (KEPT / name).write_bytes(b"")
        (folder / name).symlink_to(KEPT / name)
    machine = Machine(card.image, card.kernel, folder, tools)
    try:
        machine.start(write_log=recording.log("first-boot"))
        with recording.going_on():
            machine.until_started()
            recording.done("first boot", True)
        machine.run(f"mkdir -p {TOOLS} && mount -o ro /dev/disk/by-label/tools {TOOLS}")
        machine.qmp.command("stop")  # what is recorded ends where tests begin
        machine.end_record()
        machine.keep("started")
        machine.qmp.command("cont")
        yield machine
    finally:
        machine.stop()
        shutil.rmtree(folder)


@pytest.fixture
def device(booted: Machine) -> Machine:
    """A device that was just started for the first time, and that nobody has claimed."""
    booted.go_back("started")
    return booted


@pytest.fixture
def phone(device: Machine) -> Station:
    """A phone beside the device."""
    station = Station(device)
    station.switch_on()
    return station
