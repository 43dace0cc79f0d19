"""The request, read as if somebody hostile had written it."""

import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.kit.handed_over import BadRequestError
from otppi_internet_ppp.request import LONGEST, Request, parse, serial_port

from .conftest import DIALLING, SETTINGS

INIT = ("ATZ", "AT+CFUN=1", "", "AT" + "x" * 200)
TRUE: dict[str, Any] = json.loads(Request(replace(DIALLING, init=INIT), SETTINGS).document())


def test_what_is_written_is_read() -> None:
    request = Request(replace(DIALLING, init=INIT, username="ü ' \" \\", password="\u2028"), SETTINGS)
    assert parse(request.document()) == request


def test_the_longest_that_can_be_set_is_not_too_long() -> None:
    dialling = replace(DIALLING, apn="a" * 100, username="ü" * 60, password="ü" * 60, init=("AT" + '"' * 200,) * 5)
    assert len(Request(dialling, SETTINGS).document()) < LONGEST / 4


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"port"',
        b"[" * LONGEST,
        b'{"port":' * (LONGEST // 8),
        b"\xff\xfe",
        b'{"port": NaN}',
        b"1" * LONGEST,
        json.dumps(TRUE).encode()[:-1],
        json.dumps({key: value for key, value in TRUE.items() if key != "apn"}).encode(),
        json.dumps(TRUE | {"connect": "touch /tmp/x"}).encode(),
    ],
    ids=range(13),
)
def test_what_is_no_request(document: bytes) -> None:
    with pytest.raises(BadRequestError):
        parse(document)


@pytest.mark.parametrize("key", TRUE)
@pytest.mark.parametrize("value", [None, {}, 1.5, [[]], ["x", 1], "\0", "\ud800", "x" * 1000, -1, 10**30, ["AT"] * 11])
def test_each_field_has_its_type_and_its_length(key: str, value: object) -> None:
    with pytest.raises(BadRequestError, match=f"the field {key} is not"):
        parse(json.dumps(TRUE | {key: value}).encode())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("baud_rate", True),
        ("baud_rate", "115200"),
        ("dial_timeout", True),
        ("dial_timeout", 4),
        ("dial_timeout", 301),
        ("use_peer_dns", 1),
        ("default_route", "replace\nnoauth"),
        ("init", "AT"),
        ("init", {"0": "AT"}),
    ],
)
def test_what_looks_like_it_is_refused_as_well(key: str, value: object) -> None:
    with pytest.raises(BadRequestError, match=f"the field {key} is not"):
        parse(json.dumps(TRUE | {key: value}).encode())


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    st.binary()
    | st.dictionaries(st.sampled_from(sorted(TRUE)), ANYTHING).map(lambda one: json.dumps(TRUE | one).encode())
)
def test_whatever_it_is_it_is_read_or_refused(document: bytes) -> None:
    try:
        request = parse(document)
    except BadRequestError:
        return
    assert parse(request.document()).settings == request.settings


# -- ports ------------------------------------------------------------------------------------------------------------


def devices(folder: Path, *, name: str, subsystem: str) -> tuple[Path, Path]:
    """Make a device node in a folder that plays /dev, and what sysfs says of it."""
    dev, sysfs = folder / "dev", folder / "sys"
    (sysfs / "class" / subsystem).mkdir(parents=True)
    (sysfs / "dev/char/188:0").mkdir(parents=True)
    (sysfs / "dev/char/188:0/subsystem").symlink_to(sysfs / "class" / subsystem)
    dev.mkdir()
    os.mknod(dev / name, stat.S_IFCHR | 0o600, os.makedev(188, 0))
    return dev, sysfs


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a device node")


@needs_root
@pytest.mark.parametrize("name", ["ttyUSB0", "ttyACM12", "ttyAMA0", "ttyS0"])
def test_a_serial_port(tmp_path: Path, name: str) -> None:
    dev, sysfs = devices(tmp_path, name=name, subsystem="tty")
    assert serial_port(f"{dev}/{name}", dev=dev, sysfs=sysfs) == f"{dev}/{name}"


@needs_root
def test_a_device_of_another_kind_by_that_name(tmp_path: Path) -> None:
    dev, sysfs = devices(tmp_path, name="ttyUSB0", subsystem="mem")
    with pytest.raises(BadRequestError):
        serial_port(f"{dev}/ttyUSB0", dev=dev, sysfs=sysfs)


@needs_root
def test_names_that_lead_to_one_all_the_same(tmp_path: Path) -> None:
    dev, sysfs = devices(tmp_path, name="ttyUSB0", subsystem="tty")
    (dev / "ttyUSB1").symlink_to("ttyUSB0")
    (dev / "x").mkdir()
    (dev / "ttyUSB2").write_text("")
    for path in (
        "ttyUSB1",
        "ttyUSB2",
        "ttyUSB3",
        "x/../ttyUSB0",
        "./ttyUSB0",
        "/ttyUSB0",
        "ttyUSB0\n",
        "ttyUSB0 ",
        "tty0",
    ):
        with pytest.raises(BadRequestError):
            serial_port(f"{dev}/{path}", dev=dev, sysfs=sysfs)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/shadow",
        "/dev/../etc/shadow",
        "/dev/ttyUSB0/../../etc/shadow",
        "/dev/null",
        "/dev/mem",
        "/dev/tty",
        "/dev/tty1",
        "/dev/console",
        "/dev/ttyUSB",
        "/dev/ttyUSB99999",
        "ttyUSB0",
        "/dev/ttyUSB0\nconnect evil",
        "/dev/pts/0",
    ],
)
def test_what_is_no_serial_port(path: str) -> None:
    with pytest.raises(BadRequestError, match="the port is no serial port"):
        serial_port(path)
