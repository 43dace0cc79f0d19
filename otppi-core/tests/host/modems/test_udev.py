"""A real libudev and pyudev see a made-up USB stick come and go: umockdev plays kernel and udev for this process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from otppi.host.modems.udev import udev_source

SCENE = r"""
import ctypes, json, logging, sys
from pathlib import Path

from otppi.host.modems.devices import DeviceWatch
from otppi.host.runtime.supervisor import Supervised
from otppi.host.modems.udev import udev_source
from otppi.kit.at.examine import Examined
from otppi.kit.at.usb import storage_only
from otppi.testing.scripted import until

USB = "/sys/devices/platform/usb1/1-2"
library = ctypes.CDLL("libumockdev.so.0")
library.umockdev_testbed_new.restype = ctypes.c_void_p
bed = ctypes.c_void_p(library.umockdev_testbed_new())


def add(*lines):
    text = "\n".join(lines) + "\n\n"
    assert library.umockdev_testbed_add_from_string(bed, text.encode(), None), text


def tell(path, action):
    library.umockdev_testbed_uevent(bed, path.encode(), action.encode())


def device():
    add(f"P: {USB[4:]}", "E: SUBSYSTEM=usb", "E: DEVTYPE=usb_device", r"A: idVendor=12d1\n", r"A: idProduct=1506\n",
        r"A: product=Stick\n", r"A: devnum=7\n")
    tell(USB, "add")


def tty(number):
    interface = f"{USB}/1-2:1.{number}"
    add(f"P: {interface[4:]}", "E: SUBSYSTEM=usb", "E: DEVTYPE=usb_interface", rf"A: bInterfaceNumber=0{number}\n",
        r"A: bInterfaceClass=ff\n")
    add(f"P: {interface[4:]}/ttyUSB{number}/tty/ttyUSB{number}", f"N: ttyUSB{number}", "E: SUBSYSTEM=tty",
        f"S: serial/by-path/platform-hcd-usb-0:2:1.{number}-port0")
    tell(f"{interface}/ttyUSB{number}/tty/ttyUSB{number}", "add")
    return f"{interface}/ttyUSB{number}/tty/ttyUSB{number}"


add("P: /devices/virtual/tty/tty0", "N: tty0", "E: SUBSYSTEM=tty")
source = udev_source(Path(sys.argv[1]))
watch = DeviceWatch(source, (), lambda paths, known: Examined(problem="nobody asks"))
thread = Supervised("devices", watch.run, watch.stop)
thread.start()
device()
first, second = tty(0), tty(1)
until(lambda: [bool(port.by_path) for port in watch.ports()] == [True, True], "both are seen, with their links")
for port in watch.ports():
    ids = [port.vendor_id, port.product_id, port.interface]
    print(json.dumps([port.path, *ids, port.by_path, port.product, port.number]))
listing, source.ports = source.ports, None  # the thread fails, and is started again
tell(first, "change")
until(lambda: thread.supervision.failures == 1)
source.ports = listing
library.umockdev_testbed_remove_device(bed, second.encode())
until(lambda: len(watch.ports()) == 1, "it went")
tell(first, "remove")
print(json.dumps([port.path for port in watch.ports()]))
print(json.dumps([thread.supervision.failures, thread.supervision.state.value]))
thread.stop()
assert thread.join(30)
watch.close()
"""


@pytest.fixture
def control(tmp_path: Path) -> Path:
    (tmp_path / "control").touch()
    return tmp_path / "control"


def test_a_stick_with_two_ports_comes_and_goes(control: Path, tmp_path: Path) -> None:
    scene = tmp_path / "scene.py"
    scene.write_text(SCENE)
    done = subprocess.run(
        ["umockdev-wrapper", sys.executable, str(scene), str(control)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    first, second, left, thread = map(json.loads, done.stdout.splitlines())
    link = "/dev/serial/by-path/platform-hcd-usb-0:2:1."
    assert first == ["/dev/ttyUSB0", "12d1", "1506", 0, f"{link}0-port0", "Stick", 7]
    assert second == ["/dev/ttyUSB1", "12d1", "1506", 1, f"{link}1-port0", "Stick", 7]
    assert left == ["/dev/ttyUSB0"]
    assert thread == [1, "running"]


def test_where_no_udev_runs_that_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        assert udev_source(tmp_path / "control") is None
    (record,) = caplog.records
    assert "no udev runs here" in record.message


def test_where_pyudev_is_missing_that_is_told(
    control: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "pyudev", None)
    with caplog.at_level("INFO"):
        assert udev_source(control) is None
    assert "pyudev" in caplog.text
