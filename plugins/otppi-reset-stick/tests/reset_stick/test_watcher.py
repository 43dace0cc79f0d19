"""A real libudev and pyudev see made-up sticks come and go: umockdev plays kernel and udev for a process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from otppi.api.errors import NotSupported
from otppi.kit import system_units
from otppi_reset_stick import plugin, watcher

SCENE = r"""
import ctypes, json, threading
from otppi.api.media import Medium
from otppi.testing.scripted import until
from otppi_reset_stick.watcher import StickWatcher

library = ctypes.CDLL("libumockdev.so.0")
library.umockdev_testbed_new.restype = ctypes.c_void_p
bed = ctypes.c_void_p(library.umockdev_testbed_new())


def add(name, **properties):
    path = f"/devices/usb1/host/{name}"
    given = {"SUBSYSTEM": "block", "DEVTYPE": "partition", "ID_BUS": "usb", "ID_FS_USAGE": "filesystem",
             "ID_FS_TYPE": "vfat", "ID_FS_UUID": f"U-{name}"} | properties
    lines = [f"P: {path}", f"N: {name}", *(f"E: {key}={value}" for key, value in given.items() if value is not None)]
    text = "\n".join(lines) + "\n\n"
    assert library.umockdev_testbed_add_from_string(bed, text.encode(), None), text
    return f"/sys{path}"


def tell(path, action):
    library.umockdev_testbed_uevent(bed, path.encode(), action.encode())


read, found = [], []


def reads(device, identity):
    read.append([device, identity])
    return Medium(device, identity)


add("sda", DEVTYPE="disk", ID_FS_USAGE=None, ID_FS_TYPE=None)  # a stick with two partitions
add("sda1")
add("sda2", ID_FS_TYPE="exfat")
add("sdb", DEVTYPE="disk")                      # one without any
add("sdc1", ID_FS_TYPE="ext4")                  # those that are not read
add("sdd1", ID_FS_TYPE="crypto_LUKS", ID_FS_USAGE="crypto")
add("mmcblk0p1", ID_BUS=None)
add("sr0", ID_FS_TYPE="iso9660")
sticks = StickWatcher(reads)
thread = threading.Thread(target=sticks.watch, args=(found.append, 600))
thread.start()
until(lambda: len(read) == 3)
first = sorted(read)
late = add("sde1")
tell(late, "add")
until(lambda: len(read) == 4)
tell(late, "change")                            # it is the same one
again = add("sdf1", ID_FS_UUID=None)
tell(again, "add")
until(lambda: len(read) == 5)
tell(late, "remove")
tell(late, "add")
until(lambda: len(read) == 6)
for number in range(1, 30):                     # what comes again and again
    tell(add(f"sdg{number}"), "add")
    until(lambda: len(read) == min(32, 6 + number))
sticks.stop()
thread.join(30)
assert not thread.is_alive()
ended = StickWatcher(reads)
ended.stop()
ended.watch(found.append, 600)
print(json.dumps([first, read[3:6], len(read), [one.device for one in found] == [one for one, _ in read]]))
StickWatcher(reads).watch(lambda medium: None, 0.0)
"""


def test_sticks_come_and_go(tmp_path: Path) -> None:
    scene = tmp_path / "scene.py"
    scene.write_text(SCENE)
    done = subprocess.run(["umockdev-wrapper", sys.executable, str(scene)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    first, then, count, told = json.loads(done.stdout)
    assert first == [["sda1", "U-sda1"], ["sda2", "U-sda2"], ["sdb", "U-sdb"]]
    assert then == [["sde1", "U-sde1"], ["sdf1", ""], ["sde1", "U-sde1"]]
    assert count == 32
    assert told


def test_where_there_is_no_unit_there_is_no_watcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(system_units.IN_USE, raising=False)
    (kind,) = plugin.otppi_media_watchers()
    with pytest.raises(NotSupported, match="card image"):
        kind.create()


def test_where_no_udev_runs_there_is_no_watcher(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(system_units.IN_USE, "1")
    with pytest.raises(NotSupported, match="udev"):
        watcher.made(tmp_path / "control")


def test_where_pyudev_is_missing_there_is_no_watcher(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(system_units.IN_USE, "1")
    monkeypatch.setitem(sys.modules, "pyudev", None)
    (tmp_path / "control").touch()
    with pytest.raises(NotSupported, match="pyudev"):
        watcher.made(tmp_path / "control")
