"""What wears out or fails first, from files as the kernel has them."""

from pathlib import Path

import pytest

from otppi.host.gateway.hardware import CardHealth, card_health, memory_pressure, over_currents
from otppi.host.gateway.machine import machine, memory_left, temperature


def write(root: Path, path: str, content: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


def test_nothing_is_told(tmp_path: Path) -> None:
    assert card_health(tmp_path) is None
    assert memory_pressure(tmp_path) is None
    assert over_currents(tmp_path) == {}
    assert (memory_left(tmp_path), temperature(tmp_path)) == (None, None)


def test_errors_of_all_file_systems_are_counted(tmp_path: Path) -> None:
    write(tmp_path, "sys/fs/ext4/mmcblk0p2/errors_count", "0\n")
    assert card_health(tmp_path) == CardHealth(0)
    write(tmp_path, "sys/fs/ext4/mmcblk0p3/errors_count", "7\n")
    write(tmp_path, "sys/fs/ext4/features/lazy_itable_init", "supported\n")
    assert card_health(tmp_path) == CardHealth(7)
    assert machine(tmp_path, tmp_path)["storage_errors"] == 7


@pytest.mark.parametrize(
    ("told", "used"),
    [("0x01 0x02\n", 20), ("0x0b 0x01\n", 110), ("0x00 0x00\n", None), ("0xff 0x00\n", 110), ("?\n", None), ("", None)],
)
def test_the_life_of_a_card_is_told_in_tenths(tmp_path: Path, told: str, used: int | None) -> None:
    write(tmp_path, "sys/block/mmcblk0/device/life_time", told)
    write(tmp_path, "sys/fs/ext4/mmcblk0p2/errors_count", "0\n")
    assert card_health(tmp_path) == CardHealth(0, used)


def test_waiting_for_memory(tmp_path: Path) -> None:
    write(
        tmp_path,
        "proc/pressure/memory",
        "some avg10=9.00 avg60=2.51 avg300=0.40 total=123\nfull avg10=0.00 avg60=1.00 avg300=0.00 total=1\n",
    )
    assert memory_pressure(tmp_path) == 2.51
    write(tmp_path, "proc/pressure/memory", "some avg10=0 avg60=.. avg300=0 total=0\n")
    assert memory_pressure(tmp_path) is None


def test_ports_that_were_cut_off_are_told_by_the_device_that_is_plugged_in_there(tmp_path: Path) -> None:
    for path, count in (
        ("usb1/1-0:1.0/usb1-port2", "3"),
        ("usb1/1-0:1.0/usb1-port3", "0"),
        ("1-1/1-1:1.0/1-1-port4", "1"),
        ("1-1.4/1-1.4:1.0/1-1.4-port1", "2"),
        ("1-2/1-2:1.0/strange-port1", "9"),
        ("1-3/1-3:1.0/1-3-port1", "?"),
    ):
        folder, _, port = path.rpartition("/")
        write(tmp_path, f"sys/bus/usb/devices/{folder.rpartition('/')[2]}/{port}/over_current_count", f"{count}\n")
    assert over_currents(tmp_path) == {"1-2": 3, "1-1.4": 1, "1-1.4.1": 2}


def test_memory_that_is_left(tmp_path: Path) -> None:
    write(tmp_path, "proc/meminfo", "MemTotal:  1000 kB\nMemAvailable:  25 kB\n")
    assert memory_left(tmp_path) == 2.5
