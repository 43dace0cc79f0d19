"""sysfs as a folder: which serial ports there are, which sticks show a CD-ROM, and how power is taken away."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import NotSupported
from otppi.kit.at import usb
from otppi.kit.at.usb import power_cycle, serial_devices, storage_only
from otppi.simulator import ModemProfile, ModemRack, PortKind, RackedModem

STICK = ModemProfile(model="Stick", ports=(PortKind.DIAG, PortKind.AT_URC), usb_ids=("12d1", "1506"))


@pytest.fixture
def rack() -> Iterator[ModemRack]:
    with ModemRack(2, profile=STICK, usb=True) as rack:
        yield rack


def ports(rack: ModemRack) -> Any:
    assert rack.usb
    return serial_devices(rack.usb.sys, rack.usb.dev)


def test_the_ports_with_ids_interfaces_and_sockets(rack: ModemRack) -> None:
    first, second, third, fourth = ports(rack)
    assert (first.device, second.device) == (str(rack.modems[0].device),) * 2
    assert [one.interface for one in (first, second, third, fourth)] == [0, 1, 0, 1]
    assert [Path(one.path).name for one in (third, fourth)] == ["ttyUSB2", "ttyUSB3"]
    assert (first.vendor_id, first.product_id, first.product) == ("12d1", "1506", "Stick")
    assert Path(first.by_path).name == "platform-hcd-usb-0:1:1.0-port0"
    assert Path(first.by_path).samefile(first.path)
    assert first.number == second.number != third.number


def test_a_device_that_was_plugged_in_anew_has_another_number(rack: ModemRack) -> None:
    before = ports(rack)[0]
    rack.modems[0].unplug()
    assert len(ports(rack)) == 2
    rack.modems[0].replug()
    after = ports(rack)[0]
    assert (after.path, after.device) == (before.path, before.device)
    assert after.number != before.number


def test_a_tty_that_vanishes_meanwhile_is_left_out(rack: ModemRack, monkeypatch: pytest.MonkeyPatch) -> None:
    read = usb._read

    def vanishing(attribute: Path, **options: Any) -> str:
        if "1-2" in str(attribute):
            raise OSError(errno.ENODEV, "No such device")
        return read(attribute, **options)

    monkeypatch.setattr(usb, "_read", vanishing)
    assert len(ports(rack)) == 2


def test_no_sysfs_has_no_ports(tmp_path: Path) -> None:
    assert serial_devices(tmp_path / "sys", tmp_path / "dev") == []
    assert storage_only(tmp_path / "sys") == []


def test_ttys_that_are_not_on_usb_are_left_out(rack: ModemRack) -> None:
    assert rack.usb
    folder = rack.usb.sys / "devices/virtual/tty/tty0"
    folder.mkdir(parents=True)
    (rack.usb.sys / "class/tty/tty0").symlink_to(folder)
    assert len(ports(rack)) == 4


def test_a_stick_that_shows_a_cd_rom(rack: ModemRack) -> None:
    assert rack.usb
    assert storage_only(rack.usb.sys) == []
    stick = rack.modems[0]
    stick.inject("cd-rom")
    stick.unplug()
    stick.replug()
    (found,) = storage_only(rack.usb.sys)
    assert (found.device, found.vendor_id, found.product_id) == (str(stick.device), "12d1", "1506")
    stick.switch_mode()
    assert storage_only(rack.usb.sys) == []
    assert len(ports(rack)) == 4


# -- power ------------------------------------------------------------------------------------------------------------


def cycle(modem: RackedModem) -> str:
    """Take the power away until the ports are gone."""
    switch = power_cycle(modem.device, wait=lambda _: modem.wait_for(plugged=False))
    modem.wait_for(plugged=True)
    return switch


def test_the_hub_cuts_the_power(rack: ModemRack) -> None:
    before = ports(rack)[0].number
    assert cycle(rack.modems[0]) == "disable"
    assert ports(rack)[0].number != before


def test_without_such_a_hub_the_authorisation_is_taken_away(rack: ModemRack) -> None:
    stick = rack.modems[0]
    (stick.device / "port" / "disable").unlink()
    before = ports(rack)[0].number
    assert cycle(stick) == "authorized"
    assert ports(rack)[0].number == before  # the device was there all the time


def test_sysfs_elsewhere(rack: ModemRack) -> None:
    assert rack.usb
    modem = rack.modems[0]
    named = "/sys" / modem.device.relative_to(rack.usb.sys)
    power_cycle(named, sysfs=rack.usb.sys, wait=lambda _: modem.wait_for(plugged=False))
    modem.wait_for(plugged=True)


def test_power_that_cannot_be_switched(rack: ModemRack) -> None:
    device = rack.modems[0].device
    (device / "port" / "disable").unlink()
    (device / "authorized").unlink()
    with pytest.raises(NotSupported, match="disable: the kernel offers no such switch here; authorized: the kernel"):
        power_cycle(device)
    with pytest.raises(NotSupported, match="there is no USB device"):
        power_cycle(device / "nowhere")


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.EACCES, "this user may not write"), (errno.EROFS, "read-only"), (errno.EOPNOTSUPP, "this hub cannot")],
)
def test_why_it_cannot(rack: ModemRack, monkeypatch: pytest.MonkeyPatch, number: int, reason: str) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(usb, "_write", refuse)
    with pytest.raises(NotSupported, match=reason):
        power_cycle(rack.modems[0].device)


def test_power_comes_back_even_if_the_waiting_is_cut_short(rack: ModemRack) -> None:
    modem = rack.modems[0]

    def interrupted(_: float) -> None:
        modem.wait_for(plugged=False)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        power_cycle(modem.device, wait=interrupted)
    modem.wait_for(plugged=True)


def test_a_device_that_is_pulled_out_meanwhile(rack: ModemRack) -> None:
    modem = rack.modems[0]
    (modem.device / "port" / "disable").unlink()

    def pull_out(_: float) -> None:
        modem.wait_for(plugged=False)
        (modem.device / "authorized").unlink()

    assert power_cycle(modem.device, wait=pull_out) == "authorized"
