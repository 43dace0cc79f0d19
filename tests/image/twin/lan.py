"""A computer on the twin's LAN: a network namespace, whose cable ends at the twin's `eth0`."""

import os
import re
import subprocess
from typing import Self

from otppi.testing.waiting import until
from tests.image.twin.twin import Twin

OWN = "10.77.0.1"


class Lan:
    """Its end of the cable has the address `OWN`/24; nobody gives addresses by DHCP there."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._name = f"otppi-lan-{os.getpid()}"
        self._end = f"eth{os.getpid()}"

    def __enter__(self) -> Self:
        _ip("netns", "add", self._name)
        try:
            _ip("-n", self._name, "link", "set", "lo", "up")
            _ip("link", "add", self._end, "type", "veth", "peer", "name", "lan", "netns", self._name)
            _ip("link", "set", self._end, "netns", str(self._twin.init))
            self._twin.run("ip", "link", "set", self._end, "name", "eth0")
            self._twin.run("ip", "link", "set", "eth0", "up")
            _ip("-n", self._name, "address", "add", f"{OWN}/24", "dev", "lan")
            _ip("-n", self._name, "link", "set", "lan", "up")
            until(self._is_plugged_in, "NetworkManager knows the cable")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # The kernel takes the cable of a deleted namespace away some time later; the next one is to have its name.
        subprocess.run(["ip", "-n", self._name, "link", "delete", "lan"], capture_output=True)
        subprocess.run(["ip", "netns", "delete", self._name], capture_output=True)

    def curl(self, url: str, *options: str) -> str:
        """Ask for a page, and return its head and text; empty where nobody answers."""
        command = [
            "ip",
            "netns",
            "exec",
            self._name,
            "curl",
            "--silent",
            "--max-time",
            "60",
            "--include",
            *options,
            url,
        ]
        return subprocess.run(command, capture_output=True, text=True, errors="replace").stdout

    def confirm(self, url: str) -> str:
        """Open the link of a change, and send its form as a browser does."""
        page = self.curl(url)
        cookie = "; ".join(re.findall(r"^Set-Cookie: ([^;]+)", page, re.MULTILINE | re.IGNORECASE))
        token = re.findall(r'name="form_token" value="([^"]+)"', page)
        assert token, page
        return self.curl(url, "--cookie", cookie, "--data-urlencode", f"form_token={token[0]}")

    def _is_plugged_in(self) -> bool:
        told = self._twin.run("nmcli", "--get-values", "GENERAL.STATE", "device", "show", "eth0", check=False)
        return told[:2].isdigit() and int(told.split()[0]) > 20  # NM_DEVICE_STATE_UNAVAILABLE


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
