"""Reads the files of a configuration from a folder, an archive or a single file: bounded, and never a path of theirs.

What is in an archive is only read, under a label that is made of its name: nothing is unpacked to the card.
"""

import gzip
import io
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, cast

from otppi.api.errors import OtpPiError
from otppi.text import _

LARGEST: Final = 3 * 1024 * 1024
"""Octets of all files together."""
LARGEST_ARCHIVE: Final = 4 * 1024 * 1024
"""Octets of an archive, as it comes."""
MOST_FILES: Final = 500
_MOST_ENTRIES: Final = 5_000
_LARGEST_UNPACKED: Final = 32 * 1024 * 1024
_LARGEST_DIRECTORY: Final = 1024 * 1024
_DEEPEST: Final = 12

_ENDS: Final = (".json", ".ini", ".conf", ".cfg", ".easy", ".full", ".template", ".txt", ".black", ".white", "rc")
_STATES: Final = frozenset({"server-status.json", "otp.json"})
"""Files of the original that grow for ever, and of which nothing is taken."""
_FOLDERS_LEFT_OUT: Final = frozenset({"www", "session", "report", "log", "logs", "jar", "src", ".git"})
_ZIP, _ZIP_EMPTY, _GZIP, _BZIP2, _XZ = b"PK\3\4", b"PK\5\6", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0"
_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257


class NotOpened(OtpPiError):  # noqa: N818 - reads better at the raise
    """What was given cannot be read as a configuration; says why."""


def read_path(path: Path) -> dict[str, str]:
    """Read a folder, an archive, or one file.

    Returns:
        The text of each file by its label: its path within the folder or archive.

    Raises:
        NotOpened: It cannot be read, is too large, or has no file that may be a configuration.
    """
    try:
        if path.is_dir():
            return _checked(_of_folder(path))
        if not path.is_file():
            raise NotOpened(_("{path} is no file and no folder", path=path))
        with path.open("rb") as file:
            octets = file.read(LARGEST_ARCHIVE + 1)
    except OSError as error:
        raise NotOpened(_("{path} cannot be read: {reason}", path=path, reason=error.strerror)) from error
    return read_octets(path.name, octets)


def read_octets(name: str, octets: bytes) -> dict[str, str]:
    """Read an archive, or one file, that came as octets.

    Args:
        name: What it is called; only the label of a single file.
        octets: What is in it.

    Raises:
        NotOpened: As `read_path`.
    """
    if len(octets) > LARGEST_ARCHIVE:
        raise NotOpened(_("is larger than {most} MiB", most=LARGEST_ARCHIVE // 1024 // 1024))
    try:
        return _checked(_files_of(name, octets))
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, struct.error, NotImplementedError) as error:
        raise NotOpened(_("is a damaged archive, or one of a kind that is not read")) from error
    except (OSError, RuntimeError, ValueError) as error:  # of gzip and zipfile: a bad header, a password
        raise NotOpened(_("is a damaged archive, or one that needs a password")) from error


def _files_of(name: str, octets: bytes) -> Iterator[tuple[str, bytes]]:
    if octets.startswith((_ZIP, _ZIP_EMPTY)):
        yield from _of_zip(octets)
    elif octets.startswith(_GZIP):
        yield from _of_tar(gzip.GzipFile(fileobj=io.BytesIO(octets)))
    elif octets[_TAR_MAGIC_AT : _TAR_MAGIC_AT + len(_TAR_MAGIC)] == _TAR_MAGIC:
        yield from _of_tar(io.BytesIO(octets))
    elif octets.startswith((_BZIP2, _XZ)):
        raise NotOpened(_("is an archive of a kind that is not read: make it a .zip, .tar or .tar.gz"))
    else:
        yield _label(name) or "configuration", octets


def _checked(files: Iterator[tuple[str, bytes]]) -> dict[str, str]:
    """Take files while they are within bounds, as texts."""
    texts: dict[str, str] = {}
    size = 0
    for label, octets in files:
        size += len(octets)
        if size > LARGEST or len(texts) >= MOST_FILES:
            raise NotOpened(
                _(
                    "has more than {most} MiB or {files} files of configuration",
                    most=LARGEST // 1024 // 1024,
                    files=MOST_FILES,
                )
            )
        if label in texts:
            raise NotOpened(_("has two files of one name: {label}", label=label))
        if b"\0" not in octets:
            texts[label] = _text(octets)
    if not texts:
        raise NotOpened(_("has no file that may be a configuration"))
    return texts


def _text(octets: bytes) -> str:
    """Decode UTF-8; else ISO 8859-1, in which each octet is a character: keys are ASCII in all of these programs."""
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


# -- names ----------------------------------------------------------------------------------------------------------


def _label(name: str) -> str:
    """Return the path of a file as a label, without what leads out of its folder or archive."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "/".join("".join(one if one.isprintable() else "?" for one in part)[:100] for part in parts[-_DEEPEST:])


def _wanted(label: str) -> bool:
    """Return whether a file may be a configuration, by its name."""
    *folders, name = label.casefold().split("/")
    if name in _STATES or _FOLDERS_LEFT_OUT & set(folders):
        return False
    return name.endswith(_ENDS) or ("." not in name and name not in ("license", "makefile"))


# -- folders --------------------------------------------------------------------------------------------------------


def _of_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Read the files of a folder and of those below it; links are not followed."""
    entries = 0
    for place, folders, names in os.walk(folder):
        here = Path(place)
        depth = len(here.relative_to(folder).parts)
        folders[:] = sorted(one for one in folders if depth < _DEEPEST and one.casefold() not in _FOLDERS_LEFT_OUT)
        for name in sorted(names):
            entries += 1
            if entries > _MOST_ENTRIES:
                raise _too_many()
            path = here / name
            label = _label(str(path.relative_to(folder)))
            if _wanted(label) and stat.S_ISREG(path.lstat().st_mode):
                with path.open("rb") as file:
                    yield label, file.read(LARGEST + 1)


def _too_many() -> NotOpened:
    return NotOpened(_("has more than {most:,} files", most=_MOST_ENTRIES))


# -- archives -------------------------------------------------------------------------------------------------------


def _of_zip(octets: bytes) -> Iterator[tuple[str, bytes]]:
    """Read a zip archive: what an entry claims of its size is not believed."""
    if _directory_size(octets) > _LARGEST_DIRECTORY:
        raise _too_many()
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        entries = archive.infolist()
        if len(entries) > _MOST_ENTRIES:
            raise _too_many()
        for entry in entries:
            label = _label(entry.filename)
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if entry.is_dir() or kind not in (0, stat.S_IFREG) or not _wanted(label):
                continue
            with archive.open(entry) as file:
                yield label, file.read(LARGEST + 1)


def _directory_size(octets: bytes) -> int:
    """Return the size of a zip archive's directory, before anything is made of it (APPNOTE 4.3.16)."""
    end = octets.rfind(_ZIP_EMPTY)
    if end < 0 or len(octets) < end + 22:
        raise zipfile.BadZipFile
    return int(struct.unpack_from("<L", octets, end + 12)[0])


class _Counted:
    """A stream that ends with an error where more comes out of it than any configuration has."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._left = _LARGEST_UNPACKED

    def read(self, size: int) -> bytes:
        octets = self._stream.read(size)
        self._left -= len(octets)
        if self._left < 0:
            raise NotOpened(_("has more than {most} MiB unpacked", most=_LARGEST_UNPACKED // 1024 // 1024))
        return octets


def _of_tar(stream: Any) -> Iterator[tuple[str, bytes]]:
    """Read a tar archive from its beginning to its end; links and devices in it are nothing."""
    entries = 0
    with tarfile.open(fileobj=cast("IO[bytes]", _Counted(stream)), mode="r|") as archive:
        for entry in archive:
            entries += 1
            if entries > _MOST_ENTRIES:
                raise _too_many()
            label = _label(entry.name)
            file = archive.extractfile(entry) if entry.isreg() and _wanted(label) else None
            if file is not None:
                yield label, file.read(LARGEST + 1)
