"""USB power by a unit of the system: what the gateway asks for, and what the program of the unit does."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.api.devices import SerialDevice
from otppi.api.errors import NotSupported
from otppi.kit.at import usb_power
from otppi.kit.at.recovery_steps import cycle_power
from otppi.kit.at.usb import serial_devices
from otppi.kit.at.usb_power import power_cycle_by_unit
from otppi.simulator import ModemRack
from otppi.testing.system_units import SystemUnits

UNIT = "otppi-usb-power@1-1.service"
TEMPLATE = "otppi-usb-power@.service"

# The program of the unit, in a sysfs that is a folder.
PROGRAM = """
import sys
from functools import partial
from pathlib import Path
from otppi.kit.at import usb_power
from otppi.kit.at.usb import power_cycle
sys.exit(usb_power.main(sys.argv[2:], sysfs=Path(sys.argv[1]), switch=partial(power_cycle, off=0.3)))
"""


@pytest.fixture
def rack() -> Iterator[ModemRack]:
    with ModemRack(2, usb=True) as rack:
        yield rack


@pytest.fixture
def units(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemUnits]:
    with SystemUnits(tmp_path_factory.mktemp("units")) as units:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", units.address)
        monkeypatch.setenv("OTPPI_UNITS", "1")
        yield units


def in_sysfs(rack: ModemRack) -> Path:
    assert rack.usb
    return rack.usb.sys


def devices(rack: ModemRack) -> list[SerialDevice]:
    assert rack.usb
    return serial_devices(rack.usb.sys, rack.usb.dev)


def define(units: SystemUnits, rack: ModemRack) -> None:
    units.define(TEMPLATE, [sys.executable, "-c", PROGRAM, in_sysfs(rack), "%i"], oneshot=True)


def test_the_unit_of_a_device_switches_its_power(units: SystemUnits, rack: ModemRack) -> None:
    define(units, rack)
    first, second = rack.modems
    before = devices(rack)
    assert power_cycle_by_unit(first.device) == UNIT
    first.wait_for(plugged=True)
    assert units.calls == [("StartUnit", UNIT)]
    for one, same in zip(before, devices(rack), strict=True):
        assert (one.path, one.device) == (same.path, same.device)
        assert (one.number == same.number) is (one.device == str(second.device)), "the other modem kept its power"


def test_the_last_step_of_recovery_asks_the_unit(units: SystemUnits, rack: ModemRack) -> None:
    define(units, rack)
    assert cycle_power(devices(rack)[0].path, devices(rack))
    assert units.calls == [("StartUnit", UNIT)]
    rack.modems[0].wait_for(plugged=True)


def test_a_power_that_cannot_be_switched(units: SystemUnits, rack: ModemRack) -> None:
    define(units, rack)
    device = rack.modems[0].device
    (device / "port" / "disable").unlink()
    (device / "authorized").unlink()
    with pytest.raises(NotSupported, match=r"the USB power of 1-1 cannot be switched: otppi-usb-power@1-1\.service"):
        power_cycle_by_unit(device)
    assert not cycle_power(devices(rack)[0].path, devices(rack))


def test_a_device_that_is_gone(units: SystemUnits, rack: ModemRack) -> None:
    define(units, rack)
    with pytest.raises(NotSupported, match="there is no USB device 1-4"):
        power_cycle_by_unit(in_sysfs(rack) / "devices/1-4")


def test_a_unit_that_may_not_be_started(units: SystemUnits, rack: ModemRack) -> None:
    units.behave(refuse="org.freedesktop.DBus.Error.AccessDenied")
    with pytest.raises(NotSupported, match="polkit"):
        power_cycle_by_unit(rack.modems[0].device)


NO_DEVICES = [
    "",
    "usb1",
    "1-1:1.0",
    "..",
    "1-1/../../x",
    "1-1\n",
    "1-",
    "-1",
    "1-1.",
    "1-1..2",
    "/sys",
    "\uff11-\uff11",
    "1" * 40,
]


@pytest.mark.parametrize("name", NO_DEVICES)
def test_what_is_no_device_is_asked_of_no_unit(units: SystemUnits, name: str) -> None:
    with pytest.raises(NotSupported, match="there is no USB device"):
        power_cycle_by_unit(Path("/sys/devices") / name if name else "")
    assert units.calls == []


# -- the program ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NO_DEVICES)
def test_the_program_switches_only_devices(name: str, rack: ModemRack) -> None:
    def switch(*_: object, **__: object) -> str:
        raise AssertionError("something was switched")

    assert usb_power.main([name], sysfs=in_sysfs(rack), switch=switch) == 2


@pytest.mark.parametrize("arguments", [[], ["1-1", "1-2"]])
def test_the_program_takes_one_device(arguments: list[str], rack: ModemRack) -> None:
    assert usb_power.main(arguments, sysfs=in_sysfs(rack), switch=lambda *_, **__: "") == 2


def test_the_program_writes_nothing_but_the_switches_of_its_device(rack: ModemRack) -> None:
    seen: list[Path] = []

    def switch(device: Path, **_: object) -> str:
        seen.append(device)
        return "disable"

    assert usb_power.main(["1-2"], sysfs=in_sysfs(rack), switch=switch) == 0
    assert seen == [rack.modems[1].device]


def test_the_program_runs_as_its_unit_has_it(rack: ModemRack) -> None:
    """`-I`: neither the folder that it is started in nor the environment changes what is imported."""
    done = subprocess.run(
        [sys.executable, "-I", "-m", "otppi.kit.at.usb_power", "no-device"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, "this is not the name of a USB device\n")


def _disk(rack: ModemRack) -> Path:
    """Give the first modem a disk of two partitions, as sysfs shows it."""
    disk = rack.modems[0].device / "1-1:1.4/host0/target0:0:0/0:0:0:0/block/sda"
    for folder, number in ((disk, "8:0"), (disk / "sda1", "8:1"), (disk / "sda2", "8:2")):
        folder.mkdir(parents=True)
        (folder / "dev").write_text(f"{number}\n")
    return disk


@pytest.mark.parametrize(
    ("mounted", "status"), [("8:2", 3), ("8:0", 3), ("8:20", 0), ("0:23", 0)], ids=["root", "whole", "other", "none"]
)
def test_a_disk_that_is_mounted_keeps_its_power(rack: ModemRack, tmp_path: Path, mounted: str, status: int) -> None:
    """By a gateway that was taken over the disk of the root was gone from under the device."""
    _disk(rack)
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 {mounted} / / rw,noatime shared:1 - ext4 /dev/sda2 rw\n")
    cut: list[Path] = []

    def switch(folder: Path, **_more: Path) -> str:
        cut.append(folder)
        return "disable"

    assert usb_power.main(["1-1"], sysfs=in_sysfs(rack), mounts=mounts, switch=switch) == status
    assert len(cut) == int(status == 0)


def test_a_hub_keeps_its_power(rack: ModemRack) -> None:
    (rack.modems[0].device / "bDeviceClass").write_text("09\n")
    assert usb_power.main(["1-1"], sysfs=in_sysfs(rack), switch=lambda *_any, **_more: pytest.fail("it was cut")) == 3
