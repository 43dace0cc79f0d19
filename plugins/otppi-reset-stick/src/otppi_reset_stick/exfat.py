"""Reads a small file from an exFAT file system, which may mean harm: two folders deep, bounded in all that it reads.

By the specification that Microsoft has published ("exFAT file system specification", 1.00). Nothing is allocated that
the file system asks for, no chain is followed beyond its bound, and every place is looked at before it is read.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

ReadAt = Callable[[int, int], bytes]
"""Reads so many octets at a place; fewer only where the device ends there."""

SIGNATURE: Final = b"EXFAT   "
"""FileSystemName (3.1.2), at octet 3 of the boot sector."""
_FIRST: Final = 2
"""The first cluster there is (4.1)."""
_LAST: Final = 0xFFFFFFFF
_BAD: Final = 0xFFFFFFF7
_ENTRY: Final = 32
_FILE, _STREAM, _NAME, _END = 0x85, 0xC0, 0xC1, 0x00
_DIRECTORY: Final = 0x10
_NO_CHAIN: Final = 0x02
"""NoFatChain of GeneralSecondaryFlags (6.4.2.2): the clusters follow one another."""
_MOST_OF_A_FOLDER: Final = 256 * 1024
"""Octets of a folder that are looked at: some 2,700 files."""
_PIECE: Final = 4_096
"""Octets that are read at once: a sector has 512 to 4,096 (3.1.14), and a cluster no less than one sector."""


class DamagedError(ValueError):
    """The file system says what cannot be."""


class TooLargeError(ValueError):
    """The file has more octets than are read."""


@dataclass(frozen=True, slots=True)
class _Stream:
    """Where a file or folder is (7.6): what its entry says, looked at by nobody."""

    cluster: int
    length: int
    in_a_row: bool
    is_folder: bool


class ExFat:
    """One file system.

    Args:
        read_at: Reads its device.

    Raises:
        DamagedError: It is none that can be read.
        OSError: The device cannot be read.
    """

    def __init__(self, read_at: ReadAt) -> None:
        self._read_at = read_at
        sector = read_at(0, 512)
        if len(sector) < 512 or sector[3:11] != SIGNATURE or sector[510:] != b"\x55\xaa":
            raise DamagedError("no exFAT")
        fat, fat_length, heap, clusters, root = struct.unpack_from("<IIIII", sector, 80)
        by_sector, by_cluster = sector[108], sector[109]
        if not 9 <= by_sector <= 12 or by_cluster > 25 - by_sector or clusters > _BAD - _FIRST:
            raise DamagedError("sizes")
        self._fat = fat << by_sector
        self._fat_entries = (fat_length << by_sector) // 4
        self._heap = heap << by_sector
        self._cluster = 1 << (by_sector + by_cluster)
        self._clusters = clusters
        self._root = _Stream(root, _MOST_OF_A_FOLDER, in_a_row=False, is_folder=True)

    def read(self, path: str, most: int) -> bytes | None:
        """Return what a file has, by its path from the root, whose names are of ASCII; None where there is none.

        Raises:
            TooLargeError: It has more than `most` octets.
            DamagedError: What leads there, or it itself, is not as it has to be.
            OSError: The device cannot be read.
        """
        found = self._root
        *folders, name = path.split("/")
        for one in (*folders, name):
            inside = self._find(found, one)
            if inside is None or inside.is_folder is (one is name):
                return None
            found = inside
        if found.length > most:
            raise TooLargeError(path)
        content = b"".join(self._content(found, found.length))
        if len(content) < found.length:
            raise DamagedError("a file is shorter than it says")
        return content

    def _find(self, folder: _Stream, name: str) -> _Stream | None:
        """Return a folder's file or folder of this name; upper and lower case are one (7.2)."""
        rest: list[bytes] = []
        entries = self._entries(folder)
        for entry in entries:
            if entry[0] == _END:
                return None
            if entry[0] != _FILE:
                continue
            rest = [one for _number, one in zip(range(entry[1]), entries, strict=False)]
            if (stream := _matching(entry, rest, name)) is not None:
                return stream
        return None

    def _entries(self, folder: _Stream) -> Iterator[bytes]:
        rest = b""
        for piece in self._content(folder, min(folder.length, _MOST_OF_A_FOLDER)):
            rest += piece
            whole = len(rest) - len(rest) % _ENTRY
            yield from (rest[at : at + _ENTRY] for at in range(0, whole, _ENTRY))
            rest = rest[whole:]

    def _content(self, stream: _Stream, length: int) -> Iterator[bytes]:
        """Yield what clusters hold, of so many octets at most; it ends before where their chain does."""
        cluster = stream.cluster
        while length > 0:
            if not _FIRST <= cluster < _FIRST + self._clusters:
                raise DamagedError("a cluster that there is not")
            place = self._heap + (cluster - _FIRST) * self._cluster
            for at in range(0, min(length, self._cluster), _PIECE):
                size = min(_PIECE, length - at, self._cluster - at)
                piece = self._read_at(place + at, size)
                if len(piece) < size:
                    raise DamagedError("the device ends before its file system does")
                yield piece
            length -= self._cluster
            if length > 0:
                following = cluster + 1 if stream.in_a_row else self._next(cluster)
                if following is None:
                    return
                cluster = following

    def _next(self, cluster: int) -> int | None:
        """Return what follows a cluster in its chain; None where that ends."""
        if cluster >= self._fat_entries:
            raise DamagedError("a FAT that is too short")
        raw = self._read_at(self._fat + 4 * cluster, 4)
        if len(raw) < 4:
            raise DamagedError("the device ends before its FAT does")
        following = int.from_bytes(raw, "little")
        return None if following == _LAST else following


def _matching(entry: bytes, rest: list[bytes], name: str) -> _Stream | None:
    """Return what the entries of a file say (7.4, 7.6, 7.7), where it has this name."""
    if len(rest) < 2 or rest[0][0] != _STREAM:
        return None
    stream, parts = rest[0], [one[2:] for one in rest[1:] if one[0] == _NAME]
    written = b"".join(parts)[: 2 * stream[3]].decode("utf-16-le", "replace")
    if not written.isascii() or written.lower() != name.lower():
        return None
    valid, cluster, length = struct.unpack_from("<Q", stream, 8)[0], *struct.unpack_from("<IQ", stream, 20)
    is_folder = bool(struct.unpack_from("<H", entry, 4)[0] & _DIRECTORY)
    return _Stream(
        cluster, length if is_folder else min(valid, length), bool(stream[1] & _NO_CHAIN), is_folder=is_folder
    )
