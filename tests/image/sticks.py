"""Images of USB sticks for the tests of the image: with a code, and with what means harm."""

import os
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

_ENVIRONMENT = {**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MTOOLSRC": os.devnull}
_MIB = 1024 * 1024
_SECTOR = 512


def fat(path: Path, files: Mapping[str, bytes], *, size: int = 1) -> Path:
    """Make a FAT of so many MiB (FAT12 up to 2, else FAT16) with these files."""
    _empty(path, size)
    _run("mkfs.fat", "-F", "12" if size <= 2 else "16", "-s", "1" if size <= 8 else "8", path)
    for name, content in files.items():
        folder = f"::/{name.partition('/')[0]}"
        subprocess.run(["mmd", "-i", path, "-D", "s", folder], env=_ENVIRONMENT, check=False, capture_output=True)
        _run("mcopy", "-i", path, "-", f"::/{name}", given=content)
    return path


def exfat(path: Path) -> Path:
    """Make an exFAT of 8 MiB without files."""
    _empty(path, 8)
    _run("mkfs.exfat", path)
    return path


def ext4(path: Path) -> Path:
    """Make an ext4 of 1 MiB whose file of the code leads to the passwords of whoever follows it."""
    tree = path.with_name(f"{path.name}-files")
    (tree / "optb").mkdir(parents=True)
    (tree / "optb/reset.txt").symlink_to("/etc/shadow")
    _empty(path, 1)
    _run("mke2fs", "-q", "-t", "ext4", "-d", tree, path)
    return path


def looping(path: Path, files: Mapping[str, bytes]) -> Path:
    """Make a FAT16 whose clusters are each followed by themselves, and whose file says that it has no end."""
    fat(path, files, size=8)
    image = bytearray(path.read_bytes())
    reserved, tables = struct.unpack_from("<H", image, 14)[0], image[16]
    entries, length = struct.unpack_from("<H", image, 17)[0], struct.unpack_from("<H", image, 22)[0]
    for table in range(tables):
        for cluster in range(3, 64):
            struct.pack_into("<H", image, (reserved + table * length) * _SECTOR + 2 * cluster, cluster)
    data = (reserved + tables * length) * _SECTOR + entries * 32
    struct.pack_into("<I", image, image.index(b"RESET   TXT", data) + 28, 0x7FFFFFFF)
    path.write_bytes(image)
    return path


def partitioned(path: Path, *partitions: Path) -> Path:
    """Make a disk with an MBR and these file systems, each in a partition of 8 MiB."""
    _empty(path, 1 + 8 * len(partitions))
    lines = "".join(f"{_MIB * (1 + 8 * at) // _SECTOR},{8 * _MIB // _SECTOR},c\n" for at in range(len(partitions)))
    _run("sfdisk", "--quiet", path, given=lines.encode())
    with path.open("r+b") as file:
        for at, one in enumerate(partitions):
            file.seek(_MIB * (1 + 8 * at))
            file.write(one.read_bytes())
    return path


def _empty(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size * _MIB)


def _run(*command: str | Path, given: bytes | None = None) -> None:
    subprocess.run(command, input=given, env=_ENVIRONMENT, check=True, capture_output=True)
