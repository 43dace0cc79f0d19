"""The machine: a card image booted in QEMU, with the ways into it, and what is plugged into its USB."""

import os
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from otppi.simulator.network import SimulatedNetwork
from otppi.simulator.profile import ModemProfile
from otppi.testing.ports import free_port
from otppi.testing.waiting import until
from tests.image.builds import TOP
from tests.image.machine.application import SLOW as SLOW
from tests.image.machine.guest import Done, Qmp, Shell
from tests.image.machine.modem import LineModem

RELAY: Final = 1080
"""The machine's port where a relay for the phone's browser listens, while a test has one (phones_browser.py)."""
STEP: Final = 300.0
"""Seconds for what takes a few."""
KERNEL: Final = (
    "modules_load=mac80211_hwsim mac80211_hwsim.radios=2 "
    "systemd.default_device_timeout_sec=900 systemd.default_timeout_start_sec=900"
)
"""Two radios that hear each other, from the beginning: wlan0 is the device's, wlan1 a phone's. And where other programs
use all of the computer, the card's partitions and some services take more than the 90 s that systemd waits for them."""

_STARTED: Final = ("running", "degraded", "maintenance")
"""What systemd says when it has done its jobs (systemctl(1), is-system-running)."""


class Machine:
    """One machine. All that it writes is in its folder; QEMU ends with the process that started it.

    Args:
        card: The image, of which nothing is changed.
        kernel: The folder with `vmlinuz` and `initrd.img`.
        folder: For its sockets and what it writes; a short path (unix(7)).
        tools: An image of a disk that is read only, for what the tests need in it; None where they need nothing.

    Attributes:
        folder: As given.
        ports: Of this computer, by those of the machine that they lead to.
        shell, qmp: The ways into it, while it runs.
    """

    shell: Shell
    qmp: Qmp

    def __init__(self, card: Path, kernel: Path, folder: Path, tools: Path | None = None) -> None:
        self.folder = folder
        self.ports: Mapping[int, int] = {port: free_port() for port in (8888, 8899, RELAY)}
        self._card, self._kernel, self._tools = card, kernel, tools
        self._process: subprocess.Popen[bytes] | None = None
        self._plugged: set[str] = set()

    def start(self, *, append: str = KERNEL, write_log: Path | None = None) -> None:
        """Switch it on, and wait until its root shell answers.

        Args:
            append: To the kernel's command line.
            write_log: Where all is recorded that is written to the card, until `end_record`.

        Raises:
            AssertionError: QEMU ends, or nothing answers; the console's log is in the folder.
        """
        forwards = "".join(f",hostfwd=tcp:127.0.0.1:{here}-:{there}" for there, here in self.ports.items())
        command: list[str | Path] = [
            *("setpriv", "--pdeathsig", "KILL", TOP / "image/bin/boot", self._card, self._kernel, self.folder),
            *self._disks(),
            *("-netdev", f"user,id=lan,restrict=on{forwards}", "-device", "virtio-net-pci,netdev=lan,romfile="),
            *("-chardev", "socket,id=operator,path=operator.sock,server=on,wait=off"),
            *("-device", "virtconsole,chardev=operator"),
        ]
        environment = {**os.environ, "OTPPI_APPEND": append, "OTPPI_WRITE_LOG": str(write_log or "")}
        with open(self.folder / "qemu.log", "ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        self.shell = until(lambda: self._connected(Shell, "shell.sock"), "QEMU has started")
        self.qmp = until(lambda: self._connected(Qmp, "qmp.sock"), "QEMU answers")
        self.shell.ready(SLOW)

    def _disks(self) -> list[str]:
        if self._tools is None:
            return []
        drive = f"if=none,id=tools,file={self._tools},format=raw,readonly=on"
        return ["-drive", drive, "-device", "virtio-blk-pci,drive=tools"]

    def _connected(self, kind: Any, name: str) -> Any:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "qemu.log").read_text()
        try:
            return kind(self.folder / name)
        except (FileNotFoundError, ConnectionRefusedError):
            return None

    def until_started(self) -> str:
        """Wait until systemd has done all of its jobs; return what it says then, `running` if nothing has failed."""

        def said() -> str | None:
            told = self.shell.run("systemctl is-system-running --wait 2>&1", SLOW).output.strip()
            return told if told in _STARTED else None  # where it is asked too early, it does not wait

        return until(said, "systemd has done its jobs", SLOW)

    def stop(self) -> None:
        """Cut its power. It may be started again, and finds its disk as it was."""
        if self._process is None:
            return
        for way in (getattr(self, "shell", None), getattr(self, "qmp", None)):
            if way:
                way.close()
        self._process.kill()
        self._process.wait()
        self._process = None

    def begin_record(self, write_log: Path) -> None:
        """Record from now on all that is written to the card, flushes too (QEMU's filter `blklogwrites`)."""
        write_log.touch()
        log = {"driver": "file", "filename": str(write_log), "cache": {"no-flush": True}}
        self.qmp.command(
            "blockdev-add", driver="blklogwrites", node_name="recorder", file="card", log=log, discard="unmap"
        )
        self._drive("recorder")

    def end_record(self) -> None:
        """Record no more. The log is whole; where the machine stands still, so is its card as the log says."""
        self._drive("card")
        self.qmp.command("blockdev-del", node_name="recorder")

    def _drive(self, node: str) -> None:
        self.qmp.command("qom-set", path="/machine/peripheral/card-reader", property="drive", value=node)

    def keep(self, name: str) -> None:
        """Keep the state of the whole machine, disk and all, under a name."""
        self.qmp.monitor(f"savevm {name}", STEP)

    def go_back(self, name: str) -> None:
        """Bring the machine back to a state that was kept; what was plugged in since is pulled out first."""
        for one in sorted(self._plugged):
            self._pull_out(one)
        self.qmp.monitor(f"loadvm {name}", STEP)
        self.qmp.forget()
        self.shell.ready(SLOW)
        self.run(f"date --set=@{int(time.time())}")  # its own was that of then

    def run(self, command: str, seconds: float = STEP, *, check: bool = True) -> str:
        """Run a command of bash as root, and return all that it says.

        Args:
            command: As one types it.
            seconds: How long it may take.
            check: Whether it has to end with 0.
        """
        done = self.shell.run(command, seconds)
        assert not check or done.code == 0, f"{command} ended with {done.code}: {done.output}"
        return done.output

    def code(self, command: str, seconds: float = STEP) -> Done:
        """Run a command of bash as root, and return its exit code with all that it says."""
        return self.shell.run(command, seconds)

    def otppi(self, *arguments: str, given: str = "", seconds: float = STEP) -> str:
        """Run the product's command line as the gateway's user."""
        line = shlex.join(["otppi", "--data", "/var/lib/otppi", *arguments])
        return self.run(f"setpriv --reuid=otppi --regid=otppi --init-groups {line} <<<{shlex.quote(given)}", seconds)

    def until(self, command: str, what: str, seconds: float = STEP) -> str:
        """Wait until a command of the guest ends with 0, and return what it says then."""

        def said() -> str | None:
            done = self.shell.run(command, seconds)
            return f"{done.output}\n" if done.code == 0 else None

        return until(said, what, seconds)

    def journal(self, *options: str) -> str:
        """Return the journal of this boot."""
        return self.run(shlex.join(["journalctl", "--boot", "--no-pager", "--no-hostname", *options]))

    @contextmanager
    def modem(
        self, profile: ModemProfile, serial: str = "MODEM-A", network: SimulatedNetwork | None = None
    ) -> Iterator[LineModem]:
        """Plug a modem into USB, at whose other end of the cable is ours; it is pulled out in the end."""
        path = self.folder / f"{serial}.sock"
        with LineModem(path, profile, self.folder / "operator.sock", network) as modem:
            address = {"type": "unix", "data": {"path": str(path)}}
            backend = {"type": "socket", "data": {"addr": address, "server": False}}
            self.qmp.command("chardev-add", id=f"line-{serial}", backend=backend)
            try:
                self.plug_in(serial)
                yield modem
            finally:
                self.pull_out(serial)
                self.qmp.command("chardev-remove", id=f"line-{serial}")
                path.unlink()

    @contextmanager
    def stick(self, image: Path, name: str, *, slow: bool = False) -> Iterator[None]:
        """Plug a USB stick in that has this image; it is pulled out in the end.

        Args:
            image: Of which nothing is changed.
            name: What QEMU calls it.
            slow: Whether it gives 512 octets each two seconds.
        """
        node = {"driver": "raw", "read-only": True, "file": {"driver": "file", "filename": str(image)}}
        if slow:
            limits = {"bps-total": 256, "bps-total-max": 512}
            self.qmp.command("object-add", qom_type="throttle-group", id=f"slow-{name}", limits=limits)
            node = {"driver": "throttle", "throttle-group": f"slow-{name}", "read-only": True, "file": node}
        self.qmp.command("blockdev-add", node_name=f"disk-{name}", **node)
        try:
            self.qmp.command(
                "device_add", driver="usb-storage", id=name, bus="xhci.0", drive=f"disk-{name}", removable=True
            )
            self._plugged.add(name)
            yield
        finally:
            self.pull_out(name)
            self.qmp.command("blockdev-del", node_name=f"disk-{name}")
            if slow:
                self.qmp.command("object-del", id=f"slow-{name}")

    def plug_in(self, serial: str) -> None:
        """Plug the adapter with this serial number in."""
        self.qmp.command(
            "device_add", driver="usb-serial", id=serial, bus="xhci.0", chardev=f"line-{serial}", serial=serial,
            always_plugged=True,
        )  # fmt: skip
        self._plugged.add(serial)

    def pull_out(self, serial: str) -> None:
        """Pull the adapter with this serial number out, if it is plugged in."""
        if serial in self._plugged:
            self._pull_out(serial)

    def _pull_out(self, serial: str) -> None:
        self.qmp.command("device_del", id=serial)
        self.qmp.wait_for("DEVICE_DELETED", device=serial)
        self._plugged.discard(serial)
