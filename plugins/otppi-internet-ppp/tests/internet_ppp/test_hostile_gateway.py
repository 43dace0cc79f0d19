"""The program of the unit, which is root, and a gateway that is hostile: it reads nothing but what it should."""

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otppi_internet_ppp.request import LONGEST, serial_port
from otppi_internet_ppp.unit import Surroundings, run

from .conftest import INSTANCE, Gateway

pytestmark = pytest.mark.usefixtures("nothing_started")


@pytest.fixture
def nothing_started(tmp_path: Path) -> Iterator[None]:
    yield
    assert not (tmp_path / "started").exists()
    assert not (tmp_path / "own").exists()


def refused(gateway: Gateway, surroundings: Surroundings) -> str:
    assert run(INSTANCE, surroundings) == 1
    (line,) = gateway.hear()
    kind, _, reason = line.partition(" ")
    assert kind == "refused"
    return reason


def test_a_link_in_place_of_the_request(gateway: Gateway, surroundings: Surroundings, tmp_path: Path) -> None:
    gateway.ask()
    gateway.request.rename(tmp_path / "true")
    gateway.request.symlink_to(tmp_path / "true")
    assert refused(gateway, surroundings).startswith("request.json cannot be read")


def test_a_fifo_in_place_of_the_request(gateway: Gateway, surroundings: Surroundings) -> None:
    os.mkfifo(gateway.request)
    assert refused(gateway, surroundings) == "request.json is no file of the gateway's"


def test_a_folder_in_place_of_the_request(gateway: Gateway, surroundings: Surroundings) -> None:
    gateway.request.mkdir()
    assert refused(gateway, surroundings) == "request.json is no file of the gateway's"


def test_a_device_in_place_of_the_request(gateway: Gateway, surroundings: Surroundings) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a device node")
    os.mknod(gateway.request, 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero has no end
    assert refused(gateway, surroundings) == "request.json is no file of the gateway's"


def test_no_request(gateway: Gateway, surroundings: Surroundings) -> None:
    assert refused(gateway, surroundings).startswith("request.json cannot be read")


def test_a_request_that_does_not_end(gateway: Gateway, surroundings: Surroundings) -> None:
    gateway.ask()
    os.truncate(gateway.request, 10**12)
    assert refused(gateway, surroundings) == "request.json is too long"


def test_one_octet_too_many(gateway: Gateway, surroundings: Surroundings) -> None:
    gateway.request.write_text(" " * (LONGEST + 1))
    assert refused(gateway, surroundings) == "request.json is too long"


def test_deep_nesting(gateway: Gateway, surroundings: Surroundings) -> None:
    gateway.request.write_text("[" * LONGEST)
    assert refused(gateway, surroundings) == "it is no JSON"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_request_of_somebody_else(gateway: Gateway, surroundings: Surroundings) -> None:
    gateway.ask()
    os.chown(gateway.request, 12345, 12345)
    assert refused(gateway, surroundings) == "request.json is no file of the gateway's"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"apn": "internet\nconnect"}, "the setting apn cannot be used for dialling"),
        ({"apn": 'x",1;+CMGD=1,4'}, "the setting apn cannot be used for dialling"),
        ({"dial_number": "*99#\r"}, "the setting dial_number cannot be used for dialling"),
        ({"dial_command": "ATD1;ATD"}, "the setting dial_command cannot be used for dialling"),
        ({"init": ["AT\nATD0812;"]}, "the setting init_dial cannot be used for dialling"),
        ({"init": ["touch /x"]}, "the setting init_dial cannot be used for dialling"),
        ({"username": "a\nconnect /x"}, "a user name or password at the access point has a control character"),
        ({"password": "a\rb"}, "a user name or password at the access point has a control character"),
        ({"port": "/dev/x\nplugin /x/evil.so"}, "the port to dial on is not the path of a device"),
        ({"plugin": "/x/evil.so"}, "it does not have the fields that it has to have"),
    ],
)
def test_what_pppd_or_chat_could_understand(
    gateway: Gateway, surroundings: Surroundings, change: dict[str, Any], reason: str
) -> None:
    gateway.ask(**change)
    assert refused(gateway, surroundings).startswith(reason)


@pytest.mark.parametrize("port", ["/etc/shadow", "/dev/../etc/shadow", "/dev/mem", "/dev/tty1", "/dev/null"])
def test_ports(gateway: Gateway, surroundings: Surroundings, port: str) -> None:
    gateway.ask(port=port)
    assert refused(gateway, replace(surroundings, port=serial_port)) == "the port is no serial port"


@pytest.mark.parametrize("kind", ["link", "file", "nothing", "folder"])
def test_the_socket(gateway: Gateway, surroundings: Surroundings, tmp_path: Path, kind: str) -> None:
    """The program connects to no other socket: it is root, and would be let in."""
    gateway.ask()
    gateway.lines.unlink()
    others = socket.socket(socket.AF_UNIX)
    with others:
        others.bind("others")
        others.listen(1)
        others.setblocking(False)
        match kind:
            case "link":
                gateway.lines.symlink_to(tmp_path / "others")
            case "file":
                gateway.lines.touch()
            case "folder":
                gateway.lines.mkdir()
        assert run(INSTANCE, surroundings) == 1
        with pytest.raises(BlockingIOError):
            others.accept()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_the_socket_of_somebody_else(gateway: Gateway, surroundings: Surroundings) -> None:
    gateway.ask()
    os.chown(gateway.lines, 12345, 12345)
    assert run(INSTANCE, surroundings) == 1


@pytest.mark.parametrize("which", ["folder", "boot_folder", "runtime"])
def test_a_link_on_the_way(gateway: Gateway, surroundings: Surroundings, tmp_path: Path, which: str) -> None:
    gateway.ask()
    folder: Path = getattr(gateway, which)
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path / "moved")
    assert run(INSTANCE, surroundings) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
@pytest.mark.parametrize("which", ["folder", "boot_folder", "runtime"])
def test_a_folder_of_somebody_else(gateway: Gateway, surroundings: Surroundings, which: str) -> None:
    gateway.ask()
    os.chown(getattr(gateway, which), 12345, 12345)
    assert run(INSTANCE, surroundings) == 1


def test_two_boot_folders(gateway: Gateway, surroundings: Surroundings) -> None:
    gateway.ask()
    (gateway.runtime / f"otppi-1-{'0' * 12}" / f"ppp-{INSTANCE}").mkdir(parents=True)
    assert run(INSTANCE, surroundings) == 1


@pytest.mark.parametrize("instance", ["", "..", "0123456789ABCDEF", f"{INSTANCE}\n", f"../{INSTANCE}", "0" * 17])
def test_instances(gateway: Gateway, surroundings: Surroundings, instance: str) -> None:
    gateway.ask()
    assert run(instance, surroundings) == 1
