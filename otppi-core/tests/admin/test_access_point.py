"""The claim from the network of the access point: by the interface, whichever address a browser calls."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import pytest

from otppi.testing.waiting import PATIENCE

PASSWORD = "kursi hijau di teras"
AP, LAN = "192.168.0.11", "10.9.8.1"
_DEVICE = """
import sys
from pathlib import Path
from otppi.host.administrators.page import ADMINISTRATION
from otppi.testing.site import Site
site = Site(Path(sys.argv[1]), claimed=False, address="")
print(site.port, site.parts.claim.device_code.code, flush=True)
for line in sys.stdin:
    site.data.config.update({"administration": {"access_point": line.strip()}, "ingress-rest": {"http_enable": True}})
    site.gate.configure(site.data.config.one(ADMINISTRATION), encrypted=False)
    print("set", flush=True)
print(*(f"{one['origin']} {one['address']} {one['outcome']}" for one in site.call("audit", limit=50)), sep="\\n")
site.close()
"""
"""A device whose setting `access_point` is what is typed; at the end it prints its audit trail."""
_LINKS = (
    ("ap0", "phone", f"{AP}/24", "192.168.0.20/24", "fd01::11/64", "fd01::20/64"),
    ("eth0", "lan", f"{LAN}/24", "10.9.8.2/24", "fd02::1/64", "fd02::2/64"),
)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True, timeout=PATIENCE)


@dataclass
class Networks:
    """A device with two networks, and a host in each: the phone at the access point, and one at the Ethernet."""

    prefix: str = field(default_factory=lambda: f"otppi{os.getpid()}")

    def name(self, host: str) -> str:
        return f"{self.prefix}{host}"

    def make(self) -> None:
        ip("netns", "add", self.name("dev"))
        for number, (interface, host, ours, theirs, ours6, theirs6) in enumerate(_LINKS):
            ip("netns", "add", self.name(host))
            cable = f"o{os.getpid()}x{number}"
            ip("link", "add", cable, "type", "veth", "peer", "name", f"{cable}p")
            for end, space, called, address, address6 in (
                (cable, "dev", interface, ours, ours6),
                (f"{cable}p", host, "net0", theirs, theirs6),
            ):
                ip("link", "set", end, "netns", self.name(space), "name", called)
                ip("-n", self.name(space), "addr", "add", address, "dev", called)
                ip("-n", self.name(space), "addr", "add", address6, "dev", called, "nodad")
                ip("-n", self.name(space), "link", "set", called, "up")
        ip("-n", self.name("lan"), "route", "add", "192.168.0.0/24", "via", LAN)
        ip("-n", self.name("lan"), "route", "add", "fd01::/64", "via", "fd02::1")

    def remove(self) -> None:
        for host in ("dev", "phone", "lan"):
            subprocess.run(["ip", "netns", "del", self.name(host)], check=False, capture_output=True, timeout=PATIENCE)

    def run(self, host: str, *words: str) -> list[str]:
        return ["ip", "netns", "exec", self.name(host), *words]


@pytest.fixture(scope="module")
def networks() -> Iterator[Networks]:
    if shutil.which("ip") is None:
        pytest.skip("the program ip (iproute2) is not here")
    if os.geteuid() != 0:
        pytest.skip("only root may make networks")
    made = Networks()
    try:
        made.make()
    except subprocess.CalledProcessError as error:
        made.remove()
        pytest.skip(f"this system lets nobody make networks: {error.stderr.strip()}")
    yield made
    made.remove()


class NetworkDevice:
    """A gateway with its pages on the device between the two networks."""

    def __init__(self, networks: Networks, folder: Path) -> None:
        self._networks, self._folder = networks, folder
        self._process = subprocess.Popen(
            networks.run("dev", sys.executable, "-c", _DEVICE, str(folder)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._port, self.code = self._line().split()

    def set_access_point(self, interface: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{interface}\n")
        self._process.stdin.flush()
        assert self._line() == "set\n"

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def page(self, host: str, address: str, *more: str, path: str = "/claim") -> tuple[int, str]:
        """Ask for a page, the claim's if no other, from a host by an address of the device."""
        jar = self._folder / f"jar-{host}-{address.strip('[]')}"
        words = ["curl", "-s", "-g", "-m", "30", "-c", str(jar), "-b", str(jar), "-w", "\n%{http_code}", *more]
        command = self._networks.run(host, *words, f"http://{address}:{self._port}{path}")
        told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE).stdout
        text, _, status = told.rpartition("\n")
        return int(status), text

    def calls(self, host: str, name: str, address: str, port: int | None = None) -> tuple[int, str]:
        """Ask from a host for a page of a name that leads to an address; return the status, and where it leads."""
        port = port or int(self._port)
        words = ["curl", "-s", "-g", "-m", "30", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}"]
        resolve = ["--resolve", f"{name}:{port}:{address}", f"http://{name}:{port}/generate_204"]
        command = self._networks.run(host, *words, *resolve)
        told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE).stdout
        status, _, location = told.partition(" ")
        return int(status), location

    @property
    def port(self) -> int:
        return int(self._port)

    def curl_line(self, host: str, address: str, username: str) -> str:
        """Return the line that the guide shows of a new user of the API to whoever has claimed the device."""
        _, form = self.page(host, address, path="/guide/api")
        token = re.findall(r'name="form_token" value="([0-9a-f]+)"', form)[0]
        fields = [
            word for pair in (f"form_token={token}", f"username={username}") for word in ("--data-urlencode", pair)
        ]
        status, shown = self.page(host, address, *fields, path="/guide/api")
        assert status == 200, shown
        return next(one for one in unescape(shown).splitlines() if "/api/message -d " in one)

    def claim(self, host: str, address: str, code: str = "") -> int:
        _, form = self.page(host, address)
        (token,) = set(re.findall(r'name="form_token" value="([0-9a-f]+)"', form))
        fields = {"form_token": token, "username": "rina", "password": PASSWORD, "phone": "", "email": "", "code": code}
        more = [word for name, value in fields.items() for word in ("--data-urlencode", f"{name}={value}")]
        return self.page(host, address, *more)[0]

    def end(self) -> str:
        told, _ = self._process.communicate(timeout=PATIENCE)
        assert self._process.returncode == 0
        return told

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate(timeout=PATIENCE)


@pytest.fixture
def device(networks: Networks, tmp_path: Path) -> Iterator[NetworkDevice]:
    one = NetworkDevice(networks, tmp_path)
    yield one
    one.kill()


CODE_FIELD = 'name="code"'


def test_only_who_comes_by_its_interface_needs_no_code(device: NetworkDevice) -> None:
    for interface in ("", "wlan9", "ap"):  # none is set, one that is not there, the beginning of one that is
        device.set_access_point(interface)
        assert device.claim("phone", AP) == 422, interface
    device.set_access_point("ap0")
    # Linux answers for the access point's address on every interface: it is no proof of anything.
    for address in (LAN, AP, "[fd02::1]", "[fd01::11]"):
        status, form = device.page("lan", address)
        assert (status, CODE_FIELD in form) == (200, True), address
        assert device.claim("lan", address) == 422, address
    for address in (AP, "[fd01::11]"):
        status, form = device.page("phone", address)
        assert (status, CODE_FIELD in form) == (200, False), address
    assert device.claim("phone", "[fd01::11]") == 303
    assert device.page("phone", AP)[0] == 404
    told = device.end().splitlines()
    assert [one for one in told if one.startswith("access-point")] == ["access-point fd01::20 done"]
    assert any(one.startswith("administration 10.9.8.2 refused") for one in told)


def test_server_is_told_the_address_of_the_ethernet(device: NetworkDevice) -> None:
    """Whoever sets the device up by its access point is the only one there: the server is elsewhere."""
    device.set_access_point("ap0")
    assert device.claim("phone", AP) == 303
    assert f" http://{LAN}:8899/api/message" in device.curl_line("phone", AP, "app")


def test_server_is_told_the_name_where_there_is_no_cable_yet(device: NetworkDevice, networks: Networks) -> None:
    ip("-n", networks.name("dev"), "addr", "del", f"{LAN}/24", "dev", "eth0")
    try:
        device.set_access_point("ap0")
        assert device.claim("phone", AP) == 303
        assert f" http://{socket.gethostname()}.local:8899/api/message" in device.curl_line("phone", AP, "app")
    finally:
        ip("-n", networks.name("dev"), "addr", "add", f"{LAN}/24", "dev", "eth0")


def test_from_the_ethernet_the_code_claims_it(device: NetworkDevice) -> None:
    device.set_access_point("ap0")
    assert device.claim("lan", LAN, "AAAA-AAAA") == 422
    assert device.claim("lan", LAN, device.code) == 303
    assert device.page("phone", AP)[0] == 404
    assert device.end().splitlines()[0] == "administration 10.9.8.2 done"


def test_names_of_elsewhere_lead_who_comes_by_the_access_point_to_the_pages(device: NetworkDevice) -> None:
    device.set_access_point("ap0")
    name = "connectivitycheck.gstatic.com"
    for address in (AP, "[fd01::11]"):
        assert device.calls("phone", name, address) == (302, f"http://{address}:{device.port}/")
    for address in (LAN, AP, "[fd02::1]", "[fd01::11]"):
        assert device.calls("lan", name, address) == (421, ""), address
    assert device.claim("phone", AP) == 303
    assert device.calls("phone", name, AP) == (421, "")


def test_from_port_80_of_the_access_point_they_lead_to_the_port_of_the_pages(
    device: NetworkDevice, networks: Networks
) -> None:
    """As the card image redirects it: what counts is the port that listens."""
    if shutil.which("nft") is None:
        pytest.skip("the program nft (nftables) is not here")
    rules = (
        "table ip portal {\n chain prerouting {\n  type nat hook prerouting priority dstnat\n"
        f'  iifname "ap0" tcp dport 80 redirect to :{device.port}\n }}\n}}\n'
    )
    load = networks.run("dev", "nft", "-f", "-")
    subprocess.run(load, input=rules, text=True, check=True, capture_output=True, timeout=PATIENCE)
    try:
        device.set_access_point("ap0")
        # Whatever address the phone was told for a name, the one of the access point is that which it is redirected to.
        assert device.calls("phone", "captive.apple.com", AP, 80) == (302, f"http://{AP}:{device.port}/")
    finally:
        delete = networks.run("dev", "nft", "delete table ip portal")
        subprocess.run(delete, check=True, capture_output=True, timeout=PATIENCE)
