"""A device between two networks, in network namespaces of its own: somebody at the access point, and one in the LAN."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from otppi.testing.waiting import PATIENCE

ADDRESSES: Final = {
    "phone": ("wlan0", "192.168.0.11", "192.168.0.20", "fd01::11", "fd01::20"),
    "lan": ("eth0", "10.9.8.1", "10.9.8.2", "fd02::1", "fd02::2"),
    "stranger": ("ppp0", "10.64.0.1", "10.64.0.2", "fd03::1", "fd03::2"),
}
"""For each other host: the device's interface, both addresses, and those of IPv6."""

_PROBE: Final = """
import json, select, socket, sys, time
address, seconds, ports = json.loads(sys.argv[1])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
waiting, poll, answers = {}, select.poll(), {}
for protocol, port in ports:
    one = socket.socket(family, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
    one.setblocking(False)
    one.connect_ex((address, port))
    if protocol == "udp":
        one.send(b"x")
    waiting[one.fileno()] = one, f"{protocol}/{port}"
    poll.register(one, select.POLLOUT if protocol == "tcp" else select.POLLIN)
end = time.monotonic() + seconds
while waiting and (left := end - time.monotonic()) > 0:
    for number, _event in poll.poll(left * 1000):
        one, name = waiting.pop(number)
        answers[name] = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        poll.unregister(number)
        one.close()
print(json.dumps(answers))
"""
"""Knocks at ports, and prints which of them have answered: where nobody listens, by a RST or an ICMP message."""


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True, timeout=PATIENCE)


class Program:
    """A program that goes on; what it prints is read line by line, in time."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate(timeout=PATIENCE)

    def line(self) -> str:
        """Return its next line; empty where it has ended."""
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        assert ready, "it prints nothing"
        return self._process.stdout.readline().rstrip("\n")

    def say(self, line: str) -> None:
        """Tell it a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """Kill it, as when memory is short."""
        self._process.kill()
        self._process.wait(PATIENCE)


class Networks:
    """All of it; `make` raises CalledProcessError where this system lets nobody make networks."""

    def __init__(self) -> None:
        self._prefix = f"otppifw{os.getpid()}"

    def make(self) -> None:
        """Make the device, and each other host with a cable to it."""
        _ip("netns", "add", self._name("device"))
        _ip("-n", self._name("device"), "link", "set", "lo", "up")
        # Of the answers to closed UDP ports, of which the kernel else says only some (icmp(7)).
        self.run("device", "sysctl", "--quiet", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")
        for number, (host, (interface, ours, theirs, ours6, theirs6)) in enumerate(ADDRESSES.items()):
            _ip("netns", "add", self._name(host))
            cable = f"f{os.getpid()}x{number}"
            _ip("link", "add", cable, "type", "veth", "peer", "name", f"{cable}p")
            for end, space, called, address, address6 in (
                (cable, "device", interface, ours, ours6),
                (f"{cable}p", host, "net0", theirs, theirs6),
            ):
                _ip("link", "set", end, "netns", self._name(space), "name", called)
                _ip("-n", self._name(space), "addr", "add", f"{address}/24", "dev", called)
                _ip("-n", self._name(space), "addr", "add", f"{address6}/64", "dev", called, "nodad")
                _ip("-n", self._name(space), "link", "set", called, "up")

    def remove(self) -> None:
        """Remove what there is of it."""
        for host in ("device", *ADDRESSES):
            subprocess.run(["ip", "netns", "del", self._name(host)], check=False, capture_output=True, timeout=PATIENCE)

    def _name(self, host: str) -> str:
        return f"{self._prefix}{host}"

    def command(self, host: str, *words: str | Path) -> list[str]:
        """Return how a program is run on a host."""
        return ["ip", "netns", "exec", self._name(host), *map(str, words)]

    def run(self, host: str, *words: str | Path, given: str = "") -> str:
        """Run a program on a host, and return what it prints."""
        command = self.command(host, *words)
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def started(self, host: str, program: str) -> Program:
        """Start a program of Python on a host; used as a context it is ended."""
        return Program(self.command(host, sys.executable, "-I", "-c", program))

    def set_address(self, before: str, after: str) -> None:
        """Give the access point another address of the same net."""
        space = self._name("device")
        _ip("-n", space, "addr", "del", f"{before}/24", "dev", "wlan0")
        _ip("-n", space, "addr", "add", f"{after}/24", "dev", "wlan0")

    def open(self, host: str, *ports: str, address: str = "", six: bool = False, seconds: float = 1.0) -> set[str]:
        """Knock at ports of the device, and return those that answer.

        Args:
            host: Who knocks.
            ports: Such as `tcp/8888`.
            address: At which address, where not at that of the cable.
            six: Whether by IPv6.
            seconds: How long the others may not answer.
        """
        asked = [(protocol, int(port)) for protocol, _slash, port in (one.partition("/") for one in ports)]
        where = address or ADDRESSES[host][3 if six else 1]
        return set(self._knock(host, where, seconds, asked))

    def _knock(self, host: str, address: str, seconds: float, ports: Sequence[tuple[str, int]]) -> dict[str, int]:
        answers: dict[str, int] = json.loads(
            self.run(host, sys.executable, "-I", "-c", _PROBE, json.dumps([address, seconds, ports]))
        )
        return answers
