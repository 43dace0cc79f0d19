"""A real NetworkManager of a test's own: in network namespaces of its own, with files and a system bus of its own.

It sees one network interface, `eth0`: the end of a cable whose other end is in a second namespace, the LAN. The
computer's own interfaces are not in its namespace, and its files are elsewhere than the computer's. It takes root, and
the programs NetworkManager, ip and dbus-daemon.
"""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

from otppi.testing.system_bus import SystemBus
from otppi.testing.waiting import PATIENCE, until

DEVICE: Final = "eth0"
_UNAVAILABLE: Final = 20
_PLACES: Final = ("etc", "run", "var")
_CONFIG: Final = """[main]
plugins=keyfile
auth-polkit=false
dns=none
rc-manager=unmanaged
no-auto-default=type:wifi
[keyfile]
unmanaged-devices=except:interface-name:eth0
"""
_START: Final = """
set -e
mount -o remount,bind,ro /sys
mkdir -p /etc/NetworkManager /run/NetworkManager /var/lib/NetworkManager
mount --bind "$1/etc" /etc/NetworkManager
mount --bind "$1/run" /run/NetworkManager
mount --bind "$1/var" /var/lib/NetworkManager
exec NetworkManager --debug --log-level=INFO \
    --config=/etc/NetworkManager/NetworkManager.conf --config-dir=/etc/NetworkManager/none \
    --system-config-dir=/etc/NetworkManager/none --intern-config=/var/lib/NetworkManager/intern.conf \
    --state-file=/var/lib/NetworkManager/state --pid-file=/run/NetworkManager/pid
"""
"""/sys cannot be written: by that NetworkManager knows that there is no udev, as in a container."""


class NetworkManagerProcess:
    """Use it as a context: it ends the programs, and takes the namespaces away.

    Args:
        folder: Where its files are; its path is short, as that of a socket has to be.

    Attributes:
        address: Of its system bus.
        card: Its profiles that outlive a restart of the computer.
        ram: Those that do not.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = f"otppi-nm-{os.getpid()}"
        self._lan = f"{self._name}-lan"
        self._process: subprocess.Popen[bytes] | None = None
        for name in _PLACES:
            (folder / name).mkdir()
        self.card = folder / "etc/system-connections"
        self.card.mkdir()
        self.ram = folder / "run/system-connections"
        (folder / "etc/NetworkManager.conf").write_text(_CONFIG)
        self._bus = SystemBus(folder)
        self.address = self._bus.address
        try:
            for name in (self._name, self._lan):
                _ip("netns", "add", name)
                _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", self._name, "link", "add", DEVICE, "type", "veth", "peer", "name", "lan", "netns", self._lan)
            self.plug_in()
            self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """End all of it."""
        try:
            self.end()
        finally:
            self._bus.close()
            for name in (self._name, self._lan):
                subprocess.run(["ip", "netns", "delete", name], capture_output=True)

    def start(self) -> None:
        """Start NetworkManager, and wait until it looks after the device."""
        script = ["ip", "netns", "exec", self._name, "sh", "-c", _START, "sh", str(self._folder)]
        self._process = self._bus.started(script, _end)
        until(lambda: self._state() >= _UNAVAILABLE, self._bus.log.read_text)

    def end(self, *, by: signal.Signals = signal.SIGTERM) -> None:
        """End NetworkManager; with SIGKILL it does nothing more."""
        if self._process is not None:
            self._process.send_signal(by)
            self._process.wait(PATIENCE)

    def restart(self) -> None:
        """Restart it, as `systemctl restart` does."""
        self.end()
        self.start()

    def lose_power(self) -> None:
        """Let be what is after a power cut: nothing of what was in RAM, and a device without addresses."""
        self.end(by=signal.SIGKILL)
        subprocess.run(["find", self._folder / "run", "-mindepth", "1", "-delete"], check=True)
        _ip("-n", self._name, "address", "flush", "dev", DEVICE)
        self.start()

    def plug_in(self) -> None:
        """Plug the cable in."""
        _ip("-n", self._lan, "link", "set", "lan", "up")
        _ip("-n", self._name, "link", "set", DEVICE, "up")

    def unplug(self) -> None:
        """Pull the cable out, and wait until NetworkManager takes note, which it does after some seconds."""
        _ip("-n", self._lan, "link", "set", "lan", "down")
        until(lambda: self._state() == _UNAVAILABLE, self._bus.log.read_text)

    def on_lan(self, *command: str) -> "subprocess.Popen[bytes]":
        """Start a program at the other end of the cable; it is ended with the rest."""
        return self._bus.started(["ip", "netns", "exec", self._lan, *command])

    def ip(self, *arguments: str) -> str:
        """Run `ip` where the device is, and return what it prints."""
        return _ip("-n", self._name, *arguments)

    @property
    def addresses(self) -> list[str]:
        """The IPv4 addresses of the device, with their prefixes."""
        return [line.split()[3] for line in self.ip("-4", "-oneline", "address", "show", "dev", DEVICE).splitlines()]

    @property
    def default_routes(self) -> list[str]:
        """The gateways of the default routes."""
        return [line.split()[2] for line in self.ip("-4", "route", "show", "default").splitlines()]

    def nmcli(self, *arguments: str) -> str:
        """Run nmcli as root, and return what it prints."""
        environment = os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": self.address, "LC_ALL": "C.UTF-8"}
        done = subprocess.run(["nmcli", *arguments], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"  # noqa: S101 - a test's
        return done.stdout

    @property
    def log(self) -> Callable[[], str]:
        """Return what it has logged."""
        return self._bus.log.read_text

    def _state(self) -> int:
        """Return the state of the device (NMDeviceState); 0 where NetworkManager does not know it."""
        environment: dict[str, Any] = os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": self.address, "LC_ALL": "C.UTF-8"}
        command = ["nmcli", "--get-values", "GENERAL.STATE", "device", "show", DEVICE]
        told = subprocess.run(command, env=environment, capture_output=True, text=True).stdout
        return int(told.split()[0]) if told[:1].isdigit() else 0


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        process.wait(PATIENCE)


def _ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout
