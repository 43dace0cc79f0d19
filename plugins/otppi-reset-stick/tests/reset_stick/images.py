"""Images of sticks as tests plug them in: real file systems, made by the programs that make them, and damaged ones."""

import os
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

CODE = b"ACDE-FHJK-MNPQ-RTUW\r\n"
KEYS = b"VERIFY=ACDEFHJKMNPQRTUW\nRESET_WLAN=true\n"
FILES = {"optb/reset.txt": CODE, "otppi/reset-config.ini": KEYS}
_ENVIRONMENT = {**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MTOOLSRC": os.devnull}


def fat(path: Path, files: Mapping[str, bytes] = FILES, *, size: int = 8, bits: int = 16) -> Path:
    """Make a FAT of so many MiB with these files."""
    with path.open("wb") as file:
        file.truncate(size * 1024 * 1024)
    _run("mkfs.fat", "-F", str(bits), "-s", "1", path)
    for name, content in files.items():
        folder = name.partition("/")[0]
        subprocess.run(["mmd", "-i", path, "-D", "s", f"::/{folder}"], env=_ENVIRONMENT, capture_output=True)
        _run("mcopy", "-i", path, "-", f"::/{name}", given=content)
    return path


def exfat(path: Path, files: Mapping[str, bytes] = FILES, *, size: int = 32, in_a_row: bool = False) -> Path:
    """Make an exFAT of so many MiB with these files, each folder and file in clusters of its own."""
    with path.open("wb") as file:
        file.truncate(size * 1024 * 1024)
    _run("mkfs.exfat", path)
    _ExFatWriter(path, in_a_row=in_a_row).write(files)
    return path


class _ExFatWriter:
    """Puts files into a new exFAT; each takes clusters from the thirtieth on."""

    def __init__(self, path: Path, *, in_a_row: bool) -> None:
        self._image = bytearray(path.read_bytes())
        self._path = path
        fat_at, _length, heap, _count, root = struct.unpack_from("<IIIII", self._image, 80)
        sector, self.cluster = 1 << self._image[108], 1 << (self._image[108] + self._image[109])
        self.fat, self._heap, self._root = fat_at * sector, heap * sector, root
        self._in_a_row = in_a_row
        self._free = 30

    def place(self, cluster: int) -> int:
        return int(self._heap + (cluster - 2) * self.cluster)

    def write(self, files: Mapping[str, bytes]) -> None:
        folders: dict[str, dict[str, bytes]] = {}
        for name, content in files.items():
            folder, _slash, file = name.partition("/")
            folders.setdefault(folder, {})[file] = content
        at = self.place(self._root)
        while self._image[at]:
            at += 32
        for name, inside in folders.items():
            entries = b"".join(_entry_set(one, *self._put(content), 0x20) for one, content in inside.items())
            entry = _entry_set(name, *self._put(entries.ljust(self.cluster, b"\0")), 0x10)
            self._image[at : at + len(entry)] = entry
            at += len(entry)
        self._path.write_bytes(self._image)

    def _put(self, content: bytes) -> tuple[int, int, int]:
        """Write a content; return its flags, its first cluster and its length."""
        first = self._free
        count = max(1, -(-len(content) // self.cluster))
        step = 1 if self._in_a_row else 2  # in a chain there are gaps
        clusters = [first + step * number for number in range(count)]
        for number, cluster in enumerate(clusters):
            piece = content[number * self.cluster : (number + 1) * self.cluster]
            self._image[self.place(cluster) : self.place(cluster) + len(piece)] = piece
            following = 0xFFFFFFFF if cluster == clusters[-1] else clusters[number + 1]
            struct.pack_into("<I", self._image, self.fat + 4 * cluster, 0 if self._in_a_row else following)
        self._free = clusters[-1] + 1
        return 0x03 if self._in_a_row else 0x01, first, len(content)


def _entry_set(name: str, flags: int, cluster: int, length: int, attributes: int) -> bytes:
    """Return the entries of a file (7.4, 7.6, 7.7), without check sums, which nobody here reads."""
    written = name.encode("utf-16-le")
    parts = [written[at : at + 30].ljust(30, b"\0") for at in range(0, len(written), 30)]
    file = struct.pack("<BBHH26x", 0x85, 1 + len(parts), 0, attributes)
    stream = struct.pack("<BBBBHHQIIQ", 0xC0, flags, 0, len(name), 0, 0, length, 0, cluster, length)
    return file + stream + b"".join(b"\xc1\0" + one for one in parts)


def _run(*command: "str | Path", given: bytes | None = None) -> None:
    subprocess.run(command, input=given, env=_ENVIRONMENT, check=True, capture_output=True)
