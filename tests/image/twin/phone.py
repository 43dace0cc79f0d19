"""A phone at the twin's access point: a network namespace with a cable in place of Wi-Fi, which the twin has not."""

import os
import subprocess
from typing import Self

from tests.image.twin.twin import Twin

AP_ADDRESS = "192.168.0.11"


class Phone:
    """Its cable ends at the twin's `wlan0`, which gets the access point's address."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._name = f"otppi-phone-{os.getpid()}"
        self._end = f"ap{os.getpid()}"
        self.lease = ""

    def __enter__(self) -> Self:
        _ip("netns", "add", self._name)
        try:
            self._plug_in()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _plug_in(self) -> None:
        _ip("-n", self._name, "link", "set", "lo", "up")
        _ip("link", "add", self._end, "type", "veth", "peer", "name", "radio", "netns", self._name)
        _ip("link", "set", self._end, "netns", str(self._twin.init))
        twin = self._twin.run
        twin("nmcli", "device", "set", self._end, "managed", "no", check=False)
        twin("ip", "link", "set", self._end, "name", "wlan0")
        twin("nmcli", "device", "set", "wlan0", "managed", "no")
        twin("ip", "address", "add", f"{AP_ADDRESS}/24", "dev", "wlan0")
        twin("ip", "link", "set", "wlan0", "up")
        _ip("-n", self._name, "link", "set", "radio", "up")

    def __exit__(self, *_: object) -> None:
        # The kernel takes the cable of a deleted namespace away some time later; the next one is to have its name.
        subprocess.run(["ip", "-n", self._name, "link", "delete", "radio"], capture_output=True)
        subprocess.run(["ip", "netns", "delete", self._name], capture_output=True)

    def run(self, *command: str, given: str = "") -> str:
        """Run a program on the phone, and return all that it says."""
        done = subprocess.run(
            ["ip", "netns", "exec", self._name, *command], input=given, capture_output=True, text=True, errors="replace"
        )
        return done.stdout + done.stderr

    def join(self, script: str) -> str:
        """Ask for an address as phones do, use it, and return what the DHCP server says.

        It calls itself wpad, as somebody hostile would: whom others ask for a proxy.

        Args:
            script: A program that is given the answer in its environment, as udhcpc has it.
        """
        asked = ("udhcpc", "-i", "radio", "-n", "-q", "-t", "20", "-T", "1", "-x", "hostname:wpad", "-s", script)
        return self.run("busybox", *asked)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
