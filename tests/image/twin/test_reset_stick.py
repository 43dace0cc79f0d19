"""A stick, from its file system to a device that is as new: the unit that reads it, the sandboxed gateway, and the unit
that brings the network back. No udev runs in a container: what finds the stick is the test's, a file stands for it."""

import json
from pathlib import Path

import pytest

from otppi.testing.waiting import until
from tests.image.sticks import ext4, fat
from tests.image.twin.twin import Twin

CODE = "ACDE-FHJK-MNPQ-RTUW"
GIVEN = {
    "ssid": "OTP-Pi-TEST",
    "passphrase": "abcd-efgh-jkmn",
    "device_code": CODE,
    "settings": {"api_users": [{"username": "app", "password": "brought-by-this-card"}]},
}
PASSWORD = "a long pass phrase of the owner"
DATA = "/var/lib/otppi"
FINDER = '''
"""Finds files in /dev in place of udev, which does not run in a container."""
import threading
import time
from pathlib import Path
from otppi.api.media import MediaWatcher
from otppi_reset_stick.by_unit import ByUnit


class FileWatcher(MediaWatcher):
    def __init__(self):
        self._stopped = threading.Event()
        self._told = set()

    def watch(self, found, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._stopped.is_set():
            for path in sorted(Path("/dev").glob("sd??")):
                if path not in self._told:
                    self._told.add(path)
                    found(ByUnit().read(path.name, f"of {path.name}"))
            self._stopped.wait(0.2)

    def stop(self):
        self._stopped.set()


def made():
    return FileWatcher()
'''


@pytest.fixture
def device(new_twin: Twin) -> Twin:
    """A device with an administrator, switched on a minute ago, whose sticks are files."""
    (new_twin.path / "boot/firmware/otppi-device.json").write_text(json.dumps(GIVEN))
    (plugin,) = (new_twin.path / "opt/otppi/lib").glob("python3*/site-packages/otppi_reset_stick")
    (plugin / "watcher.py").write_text(FINDER)
    for one in (plugin / "__pycache__").glob("watcher.*.pyc"):
        one.unlink()
    assert new_twin.boot(uptime=60) == "running"
    new_twin.otppi("admin", "add", "owner", "--password-stdin", given=PASSWORD)
    return new_twin


def _plug_in(twin: Twin, image: Path, name: str) -> None:
    """Put a file where a stick's device would be, with the owner that udev gives one."""
    (twin.path / "root/stick").write_bytes(image.read_bytes())
    twin.run("install", "-m", "660", "-o", "root", "-g", "disk", "/root/stick", f"/dev/.{name}")
    twin.run("mv", f"/dev/.{name}", f"/dev/{name}")


def _status(twin: Twin) -> dict[str, object]:
    told: dict[str, object] = json.loads(twin.otppi("reset", "status", "--json"))
    return told


def _ssid(twin: Twin) -> str:
    return twin.run("nmcli", "--get-values", "802-11-wireless.ssid", "connection", "show", "otppi-ap").strip()


def _is_claimed(twin: Twin) -> bool:
    return (twin.path / "var/lib/otppi/claimed").exists()


def test_sticks_that_mean_harm_then_one_with_the_code(device: Twin, tmp_path: Path) -> None:
    device.run("nmcli", "connection", "modify", "otppi-ap", "wifi.ssid", "other")
    _plug_in(device, ext4(tmp_path / "ext4"), "sda1")
    until(lambda: _status(device)["last_stick"] == "unreadable", "the stick with ext4 is not refused")
    _plug_in(device, fat(tmp_path / "wrong", {"optb/reset.txt": CODE.replace("A", "C").encode()}), "sdb1")
    until(lambda: _status(device)["last_stick"] == "wrong", "the wrong code is not refused")
    assert _is_claimed(device)
    until(lambda: '"reset_groups"' in device.run("cat", f"{DATA}/audit/newer.jsonl"), "it is not in the audit trail")

    _plug_in(device, fat(tmp_path / "right", {"optb/reset.txt": f"{CODE}\r\n".encode()}), "sdc1")
    until(lambda: not _is_claimed(device), "the device is not reset")
    until(lambda: _ssid(device) == GIVEN["ssid"], "the brochure's name is not back")
    until(lambda: _status(device)["waits"] is None, "the reset does not end")
    assert _status(device)["last_groups"] == ["administrator", "dhcp", "wlan", "ethernet"]
    assert "app" in device.otppi("user", "list")
    until(
        lambda: device.code("grep", "address=/#/", "/run/otppi-dhcp-conf/dhcp.conf") == 0,
        "phones are not led to the page",
    )
    pages = json.loads(device.otppi("settings", "show", "administration", "--json"))["administration"]
    assert pages["access_point"] == "wlan0", "who has joined could not claim the device"
    # The stick is in its port: it resets the device once.
    until(lambda: _status(device)["last_stick"] == "seen", "the stick was not looked at again")
    for secret in (CODE, "abcd-efgh-jkmn"):
        assert secret not in device.journal()


def test_wipe_goes_on_after_a_power_cut(device: Twin, tmp_path: Path) -> None:
    device.run("systemctl", "stop", "otppi.service")
    told = device.otppi("reset", "groups", "--wipe-secrets", "--dry-run")
    assert "users of the API" in told
    # What the stick would have begun, and the power is cut before the gateway has begun anew.
    program = (
        "import time; from pathlib import Path; from otppi.host.reset.carrying_out import Resets; "
        "from otppi.host.reset.groups import ResetPlan; "
        f"Resets(Path('{DATA}'), Path('/run/otppi/x')).begin(ResetPlan(wipe=True), ('reset stick', 'reset-stick'), 1.0)"
    )
    code, said = device.as_gateway("/opt/otppi/bin/python", "-I", "-c", program)
    assert code == 0, said
    device.cut_power()
    assert _is_claimed(device)
    assert device.boot(uptime=60) == "running"
    assert not _is_claimed(device)
    assert device.otppi("admin", "code").splitlines()[0] == CODE
    assert "app" not in device.otppi("user", "list")
    until(lambda: _status(device)["waits"] is None, "the wipe does not end")
    pages = json.loads(device.otppi("settings", "show", "administration", "--json"))["administration"]
    assert pages["access_point"] == "wlan0"
    assert device.run("grep", "-rlF", "brought-by-this-card", "/var/lib/otppi", check=False) == ""


def test_what_reads_a_stick_is_confined(device: Twin, tmp_path: Path) -> None:
    unit = "otppi-read-stick@sda1.service"
    told = device.run("systemd-analyze", "security", "--no-pager", unit)
    assert "exposure level" in told
    _plug_in(device, fat(tmp_path / "stick", {"optb/reset.txt": b"x" * 20}), "sda1")
    until(lambda: device.code("test", "-s", "/run/otppi-stick/sda1.json") == 0, "it was not read")
    assert device.run("stat", "-c", "%U %G %a", "/run/otppi-stick", "/run/otppi-stick/sda1.json").splitlines() == [
        "otppi-stick otppi-stick 750",
        "otppi-stick otppi-stick 640",
    ]
    options = ["User", "SupplementaryGroups", "DevicePolicy", "DeviceAllow", "PrivateNetwork", "MemoryMax"]
    shown = device.properties(unit, *options)
    assert shown["User"] == "otppi-stick"
    assert shown["DevicePolicy"] == "closed"
    assert shown["DeviceAllow"] == "/dev/sda1 r"
    assert shown["PrivateNetwork"] == "yes"
    # What a program in its place could do.
    probe = (
        "import os, socket\n"
        "def may(do):\n"
        "    try: do()\n"
        "    except (OSError, PermissionError): return False\n"
        "    return True\n"
        "print(may(lambda: os.listdir('/var/lib/otppi')), may(lambda: os.listdir('/run/otppi')),"
        " may(lambda: socket.socket(socket.AF_INET)), may(lambda: socket.socket(socket.AF_UNIX)),"
        " may(lambda: open('/tmp/x', 'w')), may(lambda: open('/etc/x', 'w')),"
        " may(lambda: open('/run/otppi-stick/x', 'w')))"
    )
    drop_in = f"/run/systemd/system/{unit}.d/test.conf"
    device.run("mkdir", "-p", f"/run/systemd/system/{unit}.d")
    device.run("tee", "/run/probe.py", given=probe)
    device.run("tee", drop_in, given="[Service]\nExecStart=\nExecStart=/opt/otppi/bin/python -I /run/probe.py\n")
    device.run("systemctl", "daemon-reload")
    device.run("systemctl", "start", unit)
    assert device.journal("--unit", unit, "--grep", "True|False").splitlines()[-1] == (
        "False False False False True False True"
    )
