"""A phone at the access point: the machine's second radio, in a network namespace, with a real wpa_supplicant."""

import re
import shlex
from dataclasses import dataclass
from typing import Final

from tests.image.machine.machine import SLOW, STEP, Machine

ADDRESS: Final = "192.168.0.11"
"""Of the device, on its access point."""
PAGES: Final = f"http://{ADDRESS}:8888/"
UP: Final = f"iw dev wlan0 info | grep 'type AP' && ip -brief address show dev wlan0 | grep {ADDRESS}"
"""What ends with 0 on the device when its access point is up."""
NAMESPACE: Final = "phone"
TOOLS: Final = "/run/tools"
"""Where the disk with what the image lacks is mounted."""
_INSIDE: Final = f"ip netns exec {NAMESPACE}"
_BUSYBOX: Final = f"{_INSIDE} {TOOLS}/busybox"
_FOLDER: Final = "/run/phone"
_FORM: Final = "Content-Type: application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a web server has answered; `status` is 0 where nothing did."""

    status: int
    location: str | None
    told: str

    @property
    def content(self) -> str:
        """What comes after the head, whose lines the shell has given other ends."""
        return self.told.partition("\n\n")[2]


class Station:
    """The phone. Its radio is `wlan1`.

    Args:
        machine: Where it is.

    Attributes:
        given: What the DHCP server has said last.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.given: dict[str, str] = {}

    def switch_on(self) -> None:
        """Take the radio from the device, which has nothing to do with it from now on."""
        self._machine.run(
            f"mkdir -p {_FOLDER}; ip netns add {NAMESPACE}; "
            f"iw phy $(cat /sys/class/net/wlan1/phy80211/name) set netns name {NAMESPACE}; {_INSIDE} ip link set lo up"
        )

    def join(self, ssid: str, passphrase: str) -> str:
        """Try to join a network, and return what came of it first: `CTRL-EVENT-CONNECTED`, or why not."""
        self.leave()
        ways = f"-D nl80211 -i wlan1 -c {_FOLDER}/network -f {_FOLDER}/log -P {_FOLDER}/pid"
        self._machine.run(
            f"wpa_passphrase {shlex.quote(ssid)} {shlex.quote(passphrase)} >{_FOLDER}/network; rm -f {_FOLDER}/log; "
            f"{_INSIDE} wpa_supplicant -B {ways}"
        )
        events = "CTRL-EVENT-CONNECTED|reason=WRONG_KEY"
        told = self._machine.until(f"grep -oE '{events}' {_FOLDER}/log", "the network has answered", SLOW)
        return told.split()[0]

    def leave(self) -> None:
        """Leave the network, if it has joined one."""
        self._machine.run(
            f"[ ! -e {_FOLDER}/pid ] || {{ pid=$(cat {_FOLDER}/pid); kill $pid; "
            f"while [ -e /proc/$pid ]; do sleep 0.2; done; }}; {_INSIDE} ip address flush dev wlan1"
        )

    def lease(self) -> dict[str, str]:
        """Ask for an address, use it, and return what the DHCP server has said, by udhcpc's names."""
        script = f"{TOOLS}/lease"
        told = self._machine.run(f"{_BUSYBOX} udhcpc -i wlan1 -n -q -t 20 -T 3 -O 114 -s {script} 2>&1", SLOW)
        return dict(re.findall(r"^lease-(\w+)=(.*)$", told, re.MULTILINE))

    def resolve(self, name: str, server: str) -> str:
        """Ask a name server for an address, and return its answer."""
        return self._machine.run(f"{_BUSYBOX} nslookup -type=a {name} {server} 2>&1", check=False)

    def get(self, url: str, host: str | None = None, post: str | None = None, cookie: str = "") -> Answer:
        """Ask a web server, and follow no redirect.

        Args:
            url: With an address, not a name.
            host: The name that is asked for.
            post: A form that is sent, if any, as from the server's own page.
            cookie: What is sent of cookies.
        """
        address, port, path = re.fullmatch(r"http://([\d.]+)(?::(\d+))?(/.*)", url).groups()  # type: ignore[union-attr]
        body = post or ""
        lines = [
            f"{'GET' if post is None else 'POST'} {path} HTTP/1.1",
            f"Host: {host or address}{f':{port}' if port and not host else ''}",
            "Connection: close",
            *([f"Cookie: {cookie}"] if cookie else []),
            *([f"Origin: http://{address}:{port}", f"Content-Length: {len(body)}", _FORM] if body else []),
            "",
            body,
        ]
        sent = shlex.quote("\r\n".join(lines))
        told = self._machine.run(
            f"printf %s {sent} >{_FOLDER}/request; {_BUSYBOX} nc -w 120 {address} {port or 80} <{_FOLDER}/request 2>&1",
            SLOW,
            check=False,
        )
        found = re.match(r"HTTP/1\.1 (\d+)", told)
        where = re.search(r"^Location: (\S+)", told, re.MULTILINE | re.IGNORECASE)
        return Answer(int(found[1]) if found else 0, where[1] if where else None, told)

    def connects(self, address: str, port: int) -> bool:
        """Say whether a TCP connection is made in ten seconds: nothing that is refused or silent is one."""
        return self._machine.code(f"{_BUSYBOX} nc -w 10 {address} {port} </dev/null", STEP).code == 0

    def reaches(self, address: str) -> bool:
        """Say whether an address answers to ping."""
        return self._machine.code(f"{_BUSYBOX} ping -c 2 -W 5 {address}", STEP).code == 0

    def run(self, command: str) -> str:
        """Run a program on the phone, and return all that it says."""
        return self._machine.run(f"{_INSIDE} {command}")
