"""The twin: the image's root of amd64, booted by systemd-nspawn on a copy of its own, which outlives a reboot."""

import os
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from otppi.testing.waiting import PATIENCE, until
from tests.image.twin.control_group import ControlGroup

_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "SYSTEMD_PAGER": "cat",
    "SYSTEMD_COLORS": "0",
}
_HALT = signal.SIGRTMIN + 4
"""What tells systemd, as process 1, to switch off (systemd(1), SIGNALS)."""


class Twin:
    """One device. Its files can be changed while it is off; what it writes stays until the object is closed.

    It has no kernel of its own: no modules, no udev and no device cgroup. Those belong to the tests in the machine.

    Args:
        root: The image's root, of which nothing is changed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = Path(tempfile.mkdtemp(prefix="otppi-twin-", dir="/var/tmp"))
        self.path = self._folder / "merged"
        self._group = ControlGroup(self._folder.name)
        self._process: subprocess.Popen[bytes] | None = None
        self._init = 0

    def __enter__(self) -> Self:
        self._group.__enter__()
        for name in ("upper", "work", "merged"):
            (self._folder / name).mkdir()
        layers = f"lowerdir={self._root},upperdir={self._folder}/upper,workdir={self._folder}/work"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, self.path], check=True)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.switch_off()
            self._group.__exit__()
        finally:
            subprocess.run(["umount", self.path], check=True)
            subprocess.run(["rm", "-rf", self._folder], check=True)

    def boot(self, *options: str, uptime: float | None = None) -> str:
        """Boot it, and return what systemd says of itself when all jobs are done: `running` where nothing failed.

        Args:
            options: More ones of systemd-nspawn.
            uptime: For how many seconds it seems to have been on (time_namespaces(7)); by default as long as its host.
        """
        since = time.clock_gettime(time.CLOCK_BOOTTIME)
        clock = () if uptime is None else ("unshare", "--time", f"--boottime={uptime - since:.0f}")
        # A machine's name is one of a host (machine-info(5)): with no underscore, and no hyphen at its end.
        name = f"otppi-twin-{secrets.token_hex(8)}"
        console = open(self._folder / "console", "ab")  # noqa: SIM115 - the process has it
        with console:
            self._process = subprocess.Popen(
                [
                    *self.entering, *clock, "systemd-nspawn", "--quiet", "--boot", f"--directory={self.path}",
                    f"--machine={name}", "--keep-unit", "--register=no", "--private-network", "--console=pipe",
                    "--bind-ro=/dev/null:/etc/fstab", *options,
                ],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            )  # fmt: skip
        self._init = until(self._booting, "the twin does not begin to boot", PATIENCE)
        return self.run("timeout", "240", "systemctl", "is-system-running", "--wait", check=False).strip()

    def _booting(self) -> int:
        """Return the number of the twin's first process, as the host knows it; 0 where systemd takes no calls yet."""
        assert self._process is not None
        assert self._process.poll() is None, self.console()
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        if not children:
            return 0
        init = int(children[0])
        ready = subprocess.run([*self._inside(init), "test", "-S", "/run/systemd/private"], capture_output=True)
        return init if ready.returncode == 0 else 0

    def switch_off(self) -> None:
        """Switch it off, as `systemctl poweroff` does."""
        if self._process is None:
            return
        if self._init:
            os.kill(self._init, _HALT)
        try:
            self._process.wait(PATIENCE)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._process, self._init = None, 0

    def cut_power(self) -> None:
        """End it as a power cut does, but for what the host's own disk has not got."""
        assert self._process is not None
        os.kill(self._init, signal.SIGKILL)
        self._process.wait(PATIENCE)
        self._process, self._init = None, 0

    @property
    def entering(self) -> Sequence[str]:
        """What comes before a command that is to run in the twin's own control group, as systemd-nspawn has to."""
        return self._group.entering

    @property
    def init(self) -> int:
        """The number of its first process, as the host knows it."""
        return self._init

    @staticmethod
    def _inside(init: int) -> Sequence[str]:
        return ("nsenter", "--target", str(init), "--all", "env", "-i", *(f"{k}={v}" for k, v in _ENVIRONMENT.items()))

    def run(self, *command: str, check: bool = True, given: str = "") -> str:
        """Run a program in it as root, and return what it prints.

        Args:
            command: The program and its arguments.
            check: Whether it has to end with 0.
            given: Its standard input.
        """
        done = subprocess.run(
            [*self._inside(self._init), *command], input=given, capture_output=True, text=True, errors="replace"
        )
        assert not check or done.returncode == 0, f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout if check else done.stdout + done.stderr

    def code(self, *command: str) -> int:
        """Run a program in it as root, and return its exit code."""
        return subprocess.run([*self._inside(self._init), *command], capture_output=True).returncode

    def as_gateway(self, *command: str, given: str = "") -> tuple[int, str]:
        """Run a program as the gateway's user, and return its exit code and all that it says."""
        command = ("setpriv", "--reuid=otppi", "--regid=otppi", "--init-groups", *command)
        done = subprocess.run(
            [*self._inside(self._init), *command], input=given, capture_output=True, text=True, errors="replace"
        )
        return done.returncode, done.stdout + done.stderr

    def otppi(self, *arguments: str, given: str = "") -> str:
        """Run the product's command line as the gateway's user."""
        code, told = self.as_gateway("otppi", "--data", "/var/lib/otppi", *arguments, given=given)
        assert code == 0, f"otppi {arguments} ended with {code}: {told}"
        return told

    def python(self, program: str) -> str:
        """Run a program of Python in it, as root, with Debian's own."""
        return self.run("python3", "-I", "-c", program)

    def properties(self, unit: str, *names: str) -> Mapping[str, str]:
        """Return properties of a unit, as systemd has them."""
        lines = self.run("systemctl", "show", unit, "--property", ",".join(names)).splitlines()
        return dict(line.split("=", 1) for line in lines)

    def journal(self, *options: str) -> str:
        """Return the journal of this boot."""
        return self.run("journalctl", "--boot", "--no-pager", "--output", "cat", *options)

    def tell(self) -> str:
        """Return how it is, for who looks why a test failed: the gateway, what failed, and the last of the journal."""
        if not self._init:
            return self.console()
        state = ("--property", "ActiveState,SubState,Result,NRestarts,ExecMainStatus,ExecMainStartTimestamp")
        told = [
            self.run("systemctl", "show", "otppi.service", *state, check=False),
            self.run("systemctl", "--failed", "--no-legend", "--plain", check=False),
            self.run("systemctl", "list-jobs", "--no-legend", check=False),
            *(
                self.run(
                    "journalctl",
                    "--boot",
                    "--no-pager",
                    "--lines",
                    "60",
                    "--output",
                    "short-monotonic",
                    *of,
                    check=False,
                )
                for of in ((), ("--unit=otppi.service",))
            ),
        ]
        return "\n".join(told)

    def console(self) -> str:
        """Return what the console showed."""
        return (self._folder / "console").read_text(errors="replace")[-4000:]
