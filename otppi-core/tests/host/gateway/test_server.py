"""The server status: what files of Linux say, and nothing that they do not."""

import ipaddress
import socket
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from otppi.host.gateway.interfaces import interfaces, read_address
from otppi.host.gateway.operations import Running
from otppi.host.gateway.server import server
from otppi.host.modems.power_supply import SupplyReading


def told(tmp_path: Path, reading: SupplyReading | None = None) -> dict[str, Any]:
    supply: Any = SimpleNamespace(reading=lambda: reading)
    return server(Running(1_000.0, lambda _name: None, tmp_path), supply, tmp_path)


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_what_is_not_told_is_not_known(tmp_path: Path) -> None:
    found = told(tmp_path)
    unknown = ("model", "system", "uptime", "frequency", "throttled", "own_memory", "memory", "temperature", "voltage")
    assert {name: found[name] for name in unknown} == dict.fromkeys(unknown)
    assert found["storage"] is not None


def test_what_a_raspberry_pi_tells(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{
            "proc__device-tree__model": "Raspberry Pi 3 Model B Plus Rev 1.3\0",
            "etc__os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n',
            "proc__uptime": "350735.47 234388.90\n",
            "proc__self__status": "Name:\totppi\nVmRSS:\t  40960 kB\n",
            "sys__devices__system__cpu__cpu0__cpufreq__scaling_cur_freq": "1400000\n",
        },
    )
    found = told(tmp_path, SupplyReading(throttled=True, under_voltage_seen=True, throttled_seen=True))
    assert found["model"] == "Raspberry Pi 3 Model B Plus Rev 1.3"
    assert found["system"] == "Debian GNU/Linux 13 (trixie)"
    assert (found["uptime"], found["own_memory"], found["frequency"]) == (350_735, 40_960 * 1024, 1_400_000_000)
    assert found["throttled"] == {"now": ["throttled"], "since_start": ["under_voltage", "throttled"]}


@pytest.mark.parametrize(
    ("lines", "swap"),
    [("", None), ("SwapTotal:  0 kB\nSwapFree:  0 kB\n", 0), ("SwapTotal:  8 kB\nSwapFree:  4 kB\n", 8192)],
)
def test_a_device_without_swap_is_told_as_that(tmp_path: Path, lines: str, swap: int | None) -> None:
    write(tmp_path, proc__meminfo=lines)
    found = told(tmp_path)["swap"]
    assert (found and found["total"]) == swap


@pytest.mark.parametrize("damaged", ["", "x\n", "\n\n"])
def test_a_damaged_file_is_not_known_either(tmp_path: Path, damaged: str) -> None:
    write(tmp_path, proc__uptime=damaged, **{"etc__os-release": damaged, "proc__self__status": damaged})
    found = told(tmp_path)
    assert (found["uptime"], found["system"], found["own_memory"]) == (None, None, None)


def test_the_interfaces_are_those_that_the_kernel_has(tmp_path: Path) -> None:
    found = {one["name"]: one for one in interfaces()}
    assert found.keys() == {name for _index, name in socket.if_nameindex()} - {"lo"}
    for one in found.values():
        assert all(ipaddress.ip_interface(address) for address in one["addresses"])
    assert all(one["state"] == "unknown" for one in interfaces(tmp_path))


def attribute(kind: int, value: bytes) -> bytes:
    return (struct.pack("=HH", 4 + len(value), kind) + value).ljust((4 + len(value) + 3) & ~3, b"\0")


def test_an_address_is_read_with_its_prefix() -> None:
    index, name = next(one for one in socket.if_nameindex() if one[1] == "lo")
    head = struct.pack("=BBBBI", socket.AF_INET, 24, 0, 0, index)
    own, peer = socket.inet_aton("192.0.2.1"), socket.inet_aton("192.0.2.2")
    assert read_address(head + attribute(1, peer) + attribute(3, b"lo\0") + attribute(2, own)) == (name, "192.0.2.1/24")
    assert read_address(head + attribute(1, own)) == (name, "192.0.2.1/24")
    six = struct.pack("=BBBBI", socket.AF_INET6, 64, 0, 0, index)
    packed = socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    assert read_address(six + attribute(1, packed)) == (name, "2001:db8::1/64")


@pytest.mark.parametrize("rest", [b"", b"\0\0\0\0", attribute(1, b"abc"), b"\x08"])
def test_what_is_no_address_is_none(rest: bytes) -> None:
    assert read_address(struct.pack("=BBBBI", socket.AF_INET, 24, 0, 0, 1) + rest) is None
    gone = struct.pack("=BBBBI", socket.AF_INET, 24, 0, 0, 2**31 - 1)
    assert read_address(gone + attribute(1, b"\x7f\0\0\1")) is None
