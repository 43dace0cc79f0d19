"""A device as far as its DHCP server goes: files, and stand-ins for systemctl and systemd-run."""

import os
import subprocess
import sys
from pathlib import Path

from otppi.testing.system_units import SystemUnits
from otppi_network_dhcp.render import DhcpFiles, render
from otppi_network_dhcp.request import FOLDER, UNIT

_PROGRAM = """
import os, sys
from pathlib import Path
from otppi_network_dhcp.render import DhcpFiles
from otppi_network_dhcp.unit import Surroundings, main
sys.exit(main(sys.argv[1:], Surroundings(os.getuid(), DhcpFiles(Path({root!r})))))
"""
_SYSTEMCTL = """#!/bin/sh
# systemctl restart|stop UNIT
case "$1 $2" in
  "restart otppi-dhcp.service") exec {python} -c "
from pathlib import Path
from otppi_network_dhcp.render import DhcpFiles, render
render(DhcpFiles(Path('{root}')))" ;;
  "stop otppi-dhcp-end.timer")
    [ -e {root}/timer ] || exit 5 # it is not loaded
    kill "$(cat {root}/timer)" 2>/dev/null
    rm {root}/timer ;;
  *) exit 1 ;;
esac
"""
_SYSTEMD_RUN = """#!/bin/sh
# systemd-run … --on-active=Ns …: the timer of otppi-dhcp-end.service
for one in "$@"; do case $one in --on-active=*) seconds=${{one#--on-active=}} ;; esac; done
(exec </dev/null >/dev/null 2>&1; sleep "${{seconds%s}}"; rm -f {root}/timer; exec {python} {root}/unit.py drop) &
echo $! >{root}/timer
"""


class Device:
    """One device.

    Args:
        root: The root of its files.
        units: What starts its units.
    """

    def __init__(self, root: Path, units: SystemUnits) -> None:
        self.root = root
        self.files = DhcpFiles(root)
        programs = root / "programs"
        for folder in (programs, self.runtime, root / "var/lib/otppi", root / "etc/otppi"):
            folder.mkdir(parents=True)
        self._write(root / "unit.py", _PROGRAM.format(root=str(root)))
        for name, script in (("systemctl", _SYSTEMCTL), ("systemd-run", _SYSTEMD_RUN)):
            self._write(programs / name, script.format(root=root, python=sys.executable))
        self.environment = {"PATH": f"{programs}:{os.environ['PATH']}:/usr/sbin"}
        units.define(UNIT, [sys.executable, root / "unit.py"], oneshot=True, environment=self.environment)
        render(self.files)

    @property
    def runtime(self) -> Path:
        """The gateway's folder below /run."""
        return self.root / "run/otppi"

    @property
    def folder(self) -> Path:
        """What the gateway gives the writer there."""
        return self.runtime / f"otppi-{os.getuid()}-0123456789ab" / FOLDER

    def unit(self, *arguments: str) -> int:
        """Run the unit's program, and return its exit status."""
        command = [sys.executable, str(self.root / "unit.py"), *arguments]
        return subprocess.run(command, env=os.environ | self.environment, capture_output=True).returncode

    def end_timer(self) -> None:
        """End the timer, where there is one."""
        subprocess.run([self.root / "programs/systemctl", "stop", "otppi-dhcp-end.timer"])

    def give_access_point(self, address: str, folder: str = "etc") -> None:
        """Have NetworkManager's profile of the access point say an address."""
        path = self.root / folder / "NetworkManager/system-connections/otppi-ap.nmconnection"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"[connection]\nid=otppi-ap\n\n[wifi-security]\npsk=a=b;%(c)s\n\n[ipv4]\naddress1={address}\n")

    @staticmethod
    def _write(path: Path, script: str) -> None:
        path.write_text(script)
        path.chmod(0o755)
