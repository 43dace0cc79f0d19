"""What the unit's program makes of sticks: those that are as they should be, and those that mean harm."""

import base64
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from otppi.api import media
from otppi_reset_stick import read_stick
from otppi_reset_stick.read_stick import LARGE, LARGEST, SLOW, UNREADABLE, NotReadError, main, read
from reset_stick.images import CODE, FILES, exfat, fat


def test_the_program_looks_for_what_the_gateway_knows() -> None:
    assert read_stick.WANTED == media.WANTED
    assert read_stick.LARGEST == media.LARGEST


@pytest.mark.parametrize("bits", [12, 16, 32])
def test_files_of_a_fat(tmp_path: Path, bits: int) -> None:
    assert read(fat(tmp_path / "stick", size={12: 2, 16: 8, 32: 40}[bits], bits=bits)) == FILES


@pytest.mark.parametrize("make", [fat, exfat])
def test_names_in_any_case(tmp_path: Path, make: Callable[..., Path]) -> None:
    assert read(make(tmp_path / "stick", {"OPTB/RESET.TXT": CODE})) == {"optb/reset.txt": CODE}


@pytest.mark.parametrize("make", [fat, exfat])
def test_other_files_are_left_alone(tmp_path: Path, make: Callable[..., Path]) -> None:
    assert read(make(tmp_path / "stick", {"photos/one.jpg": b"x", "optb/reset.txt.bak": CODE})) == {}


@pytest.mark.parametrize("make", [fat, exfat])
def test_an_empty_stick(tmp_path: Path, make: Callable[..., Path]) -> None:
    assert read(make(tmp_path / "stick", {})) == {}


@pytest.mark.parametrize("make", [fat, exfat])
def test_a_file_of_the_largest_size(tmp_path: Path, make: Callable[..., Path]) -> None:
    content = os.urandom(LARGEST)
    assert read(make(tmp_path / "stick", {"optb/reset.txt": content})) == {"optb/reset.txt": content}


@pytest.mark.parametrize("make", [fat, exfat])
@pytest.mark.parametrize("size", [LARGEST + 1, 3 * 1024 * 1024])
def test_a_file_that_is_too_large(tmp_path: Path, make: Callable[..., Path], size: int) -> None:
    with pytest.raises(NotReadError, match=LARGE):
        read(make(tmp_path / "stick", {"optb/reset.txt": b"x" * size}))


@pytest.mark.parametrize("make", [fat, exfat])
def test_a_folder_in_the_place_of_a_file(tmp_path: Path, make: Callable[..., Path]) -> None:
    path = make(tmp_path / "stick", {})
    if make is fat:
        for folder in ("::/optb", "::/optb/reset.txt"):
            subprocess.run(["mmd", "-i", path, folder], check=True, capture_output=True)
    else:
        exfat(path, {"optb/reset.txt": b"x"})
        image = bytearray(path.read_bytes())
        image[image.index(b"\xc1\0" + "reset.txt".encode("utf-16-le")) - 60] |= 0x10  # the attribute of a folder
        path.write_bytes(image)
    assert set(read(path).values()) <= {b""}


def test_another_file_system(tmp_path: Path) -> None:
    """Ext4 has links, which nobody follows: nothing of it is read."""
    files = tmp_path / "files/optb"
    files.mkdir(parents=True)
    (files / "reset.txt").symlink_to("/etc/shadow")
    path = tmp_path / "stick"
    environment = {**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    subprocess.run(
        ["mke2fs", "-q", "-t", "ext4", "-d", files.parent, path, "8M"],
        env=environment, check=True, capture_output=True,
    )  # fmt: skip
    with pytest.raises(NotReadError, match=UNREADABLE):
        read(path)


@pytest.mark.parametrize("content", [b"", b"\0" * 1024 * 1024, os.urandom(1024 * 1024)], ids=["none", "zeros", "noise"])
def test_what_is_no_file_system(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "stick"
    path.write_bytes(content)
    with pytest.raises(NotReadError, match=UNREADABLE):
        read(path)


def test_a_disk_with_two_partitions_is_no_file_system(tmp_path: Path) -> None:
    """udev names its partitions, each of which is read by itself."""
    whole = tmp_path / "stick"
    with whole.open("wb") as file:
        file.truncate(20 * 1024 * 1024)
    subprocess.run(["sfdisk", whole], input=b"2048,16384,c\n18432,16384,c\n", check=True, capture_output=True,
                   env={**os.environ, "PATH": "/usr/sbin:/sbin:/usr/bin:/bin"})  # fmt: skip
    content = bytearray(whole.read_bytes())
    content[2048 * 512 : 2048 * 512 + 8 * 1024 * 1024] = fat(tmp_path / "part").read_bytes()
    whole.write_bytes(content)
    with pytest.raises(NotReadError, match=UNREADABLE):
        read(whole)


def _chain_that_loops(path: Path) -> None:
    """Have each cluster of a FAT16 be followed by itself, and files be as long as can be."""
    image = bytearray(path.read_bytes())
    reserved, tables, entries, length = (
        struct.unpack_from("<H", image, 14)[0], image[16],
        struct.unpack_from("<H", image, 17)[0], struct.unpack_from("<H", image, 22)[0],
    )  # fmt: skip
    for table in range(tables):
        start = (reserved + table * length) * 512
        for cluster in range(3, 64):
            struct.pack_into("<H", image, start + 2 * cluster, cluster)
    data = (reserved + tables * length) * 512 + entries * 32
    at = image.index(b"RESET   TXT", data)
    struct.pack_into("<I", image, at + 28, 0x7FFFFFFF)
    path.write_bytes(image)


def test_a_chain_of_a_fat_that_loops(tmp_path: Path) -> None:
    path = fat(tmp_path / "stick")
    _chain_that_loops(path)
    with pytest.raises(NotReadError):
        read(path)


def test_noise_in_the_tables(tmp_path: Path) -> None:
    path = fat(tmp_path / "stick")
    image = bytearray(path.read_bytes())
    image[512 : 512 * 60] = os.urandom(512 * 59)
    path.write_bytes(image)
    try:
        files = read(path)
    except NotReadError:
        return
    assert all(len(content) <= LARGEST for content in files.values())


def test_a_link_in_the_place_of_a_device(tmp_path: Path) -> None:
    (tmp_path / "stick").symlink_to(fat(tmp_path / "other"))
    with pytest.raises(NotReadError, match=UNREADABLE):
        read(tmp_path / "stick")


def test_what_is_no_device(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for one in (tmp_path, tmp_path / "pipe", tmp_path / "gone"):
        with pytest.raises(NotReadError, match=UNREADABLE):
            read(one)


def test_a_stick_that_answers_slowly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in the place of mtype that reads for ever is ended: it stands for one whose device does not answer."""
    (tmp_path / "mtype").write_text("#!/bin/sh\nexec sleep 600\n")
    (tmp_path / "mtype").chmod(0o755)
    monkeypatch.setattr(read_stick, "_ENVIRONMENT", {"PATH": f"{tmp_path}:/usr/bin:/bin"})
    monkeypatch.setattr(read_stick, "_PATIENCE", 0.5)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(NotReadError, match=SLOW):
        read(fat(tmp_path / "stick"))


def test_the_answer_of_the_program(tmp_path: Path) -> None:
    devices, answers = tmp_path / "dev", tmp_path / "answers"
    devices.mkdir()
    answers.mkdir()
    fat(devices / "sda1")
    program = f"import sys; from pathlib import Path; from otppi_reset_stick.read_stick import main; sys.exit(main(['sda1'], Path({str(answers)!r}), Path({str(devices)!r})))"  # noqa: E501
    subprocess.run([sys.executable, "-I", "-c", program], check=True)
    told = json.loads((answers / "sda1.json").read_bytes())
    assert {name: base64.b64decode(one) for name, one in told["files"].items()} == FILES
    assert told["problem"] == ""
    assert [one.name for one in answers.iterdir()] == ["sda1.json"]
    (devices / "sda1").write_bytes(b"")
    assert main(["sda1"], answers, devices) == 0
    assert json.loads((answers / "sda1.json").read_bytes()) == {"files": {}, "problem": UNREADABLE}


@pytest.mark.parametrize("arguments", [[], ["sda1", "sdb1"], ["../sda1"], ["mmcblk0p1"], ["sda@@1"], ["sda1\n"]])
def test_names_that_are_none_of_a_stick(arguments: list[str], tmp_path: Path) -> None:
    assert main(arguments, tmp_path, tmp_path) == 2
    assert not list(tmp_path.iterdir())


def test_the_program_needs_little_memory() -> None:
    """The unit has 48 MiB: what is imported is Python's own."""
    program = (
        "import sys; import otppi_reset_stick.read_stick; "
        "print([one for one in sys.modules if one.partition('.')[0] in ('otppi', 'pyudev', 'dbus')])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
