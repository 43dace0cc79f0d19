"""Network namespaces as hosts: one for the broker, one for each gateway, with cables that can be pulled."""

import os
import subprocess
from collections.abc import Sequence
from typing import Self

BROKER = "10.77.0.1"
"""The broker's address, in the network that only these namespaces have."""


class Lab:
    """A broker's host and some gateways' hosts on one switch; needs the right to make network namespaces.

    Args:
        gateways: How many gateways' hosts there are.
    """

    def __init__(self, gateways: int) -> None:
        prefix = f"otppi-{os.getpid()}"
        self._broker = f"{prefix}-b"
        self._gateways = [f"{prefix}-{number}" for number in range(gateways)]

    def __enter__(self) -> Self:
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make(self) -> None:
        _ip("netns", "add", self._broker)
        _in(self._broker, "link", "set", "lo", "up")
        _in(self._broker, "link", "add", "switch", "type", "bridge")
        _in(self._broker, "address", "add", f"{BROKER}/24", "dev", "switch")
        _in(self._broker, "link", "set", "switch", "up")
        for number, host in enumerate(self._gateways):
            _ip("netns", "add", host)
            _in(host, "link", "set", "lo", "up")
            _in(self._broker, "link", "add", f"port{number}", "type", "veth", "peer", "name", "eth0", "netns", host)
            _in(self._broker, "link", "set", f"port{number}", "master", "switch", "up")
            _in(host, "address", "add", f"10.77.0.{10 + number}/24", "dev", "eth0")
            _in(host, "link", "set", "eth0", "up")

    def __exit__(self, *_: object) -> None:
        for host in (self._broker, *self._gateways):
            subprocess.run(["ip", "netns", "delete", host], check=False, capture_output=True)

    @property
    def at_broker(self) -> Sequence[str]:
        """What a command line starts with that is run on the broker's host."""
        return ("ip", "netns", "exec", self._broker)

    def at_gateway(self, number: int) -> Sequence[str]:
        """What a command line starts with that is run on a gateway's host."""
        return ("ip", "netns", "exec", self._gateways[number])

    def cut(self, number: int) -> None:
        """Pull a gateway's cable: nothing comes through, and neither end is told."""
        _in(self._broker, "link", "set", f"port{number}", "down")

    def mend(self, number: int) -> None:
        """Plug it in again."""
        _in(self._broker, "link", "set", f"port{number}", "up")


def may_make_namespaces() -> bool:
    """Whether this user may make network namespaces."""
    name = f"otppi-{os.getpid()}-try"
    made = subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True).returncode == 0
    if made:
        _ip("netns", "delete", name)
    return made


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


def _in(host: str, *arguments: str) -> None:
    _ip("-netns", host, *arguments)
