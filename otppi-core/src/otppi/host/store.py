"""What is kept on the card: TinyDB through a storage that is atomic and fails closed."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from tinydb import TinyDB
from tinydb.storages import Storage

from otppi.api.errors import OtpPiError


class StoreDamaged(OtpPiError):  # noqa: N818
    """What is kept cannot be read, and neither can the copy before it: nothing is guessed, nothing is overwritten."""


class AtomicStorage(Storage):
    """A TinyDB storage that survives a power cut at any instant.

    TinyDB's own storage writes in place and takes a zero-length file for an empty database, so a torn write would look
    like a device without administrators. Here a write goes to a temporary file that is synced and then renamed over the
    old one, of which one copy (`.bak`) is kept; and a mark beside it says that there was a database, so that a missing
    or empty file is an error rather than a new beginning.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._backup = self._path.with_suffix(self._path.suffix + ".bak")
        self._mark = self._path.with_suffix(".claimed")
        self.restored = False

    def read(self) -> dict[str, dict[str, Any]] | None:
        """Read the tables; None only where there never was a database.

        Raises:
            StoreDamaged: the file and its copy are both unreadable.
        """
        reasons = []
        for path in (self._path, self._backup):
            try:
                tables = _tables(path.read_bytes())
            except FileNotFoundError:
                reasons.append(f"{path.name} is missing")
            except OSError as error:  # a card that fails: the copy may still be readable
                reasons.append(f"{path.name} cannot be read ({error.strerror})")
            except (ValueError, RecursionError):
                reasons.append(f"{path.name} is damaged")
            else:
                self.restored = path is self._backup
                return tables
        if not self._mark.exists() and not self._path.exists() and not self._backup.exists():
            return None
        raise StoreDamaged(f"{self._path.parent}: {' and '.join(reasons)}; restore a backup or reset the device")

    def write(self, data: Mapping[str, Mapping[str, Any]]) -> None:
        """Replace the whole content, durably."""
        temporary = self._path.with_suffix(".new")
        write_synced(temporary, data)
        if self._path.exists() and not self.restored:
            self._backup.unlink(missing_ok=True)
            self._backup.hardlink_to(self._path)
        temporary.replace(self._path)
        self._mark.touch(mode=0o600)
        self.restored = False
        sync_folder(self._path.parent)


def write_synced(path: Path, data: object) -> None:
    """Write a file of JSON, and wait until the card has it; only its owner may read it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(data, file, ensure_ascii=False, separators=(",", ":"))
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the card has the names of a folder's files."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _tables(raw: bytes) -> dict[str, dict[str, Any]]:
    """Parse a database.

    Raises:
        ValueError: It is not JSON, or not of TinyDB's form: tables by name, of objects by number.
    """
    tables = json.loads(raw)
    if not (isinstance(tables, dict) and all(map(_is_table, tables.values()))):
        raise ValueError("not a database")
    return tables


def _is_table(table: object) -> bool:
    return isinstance(table, dict) and all(
        number.isdecimal() and isinstance(document, dict) for number, document in table.items()
    )


class Store:
    """Named lists of plain objects, each list written as a whole. Any thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = Lock()
        self._database = TinyDB(str(path), storage=AtomicStorage)
        self._database.tables()  # reads: a damaged file is found at the start, not at the first use

    def read(self, name: str) -> list[dict[str, Any]] | None:
        """Give the objects of a list, or None where nobody ever wrote it."""
        with self._lock:
            if name not in self._database.tables():
                return None
            return [dict(document) for document in self._database.table(name).all()]

    def write(self, lists: Mapping[str, list[dict[str, Any]]]) -> None:
        """Replace several lists at once: all of them or, if the power fails, none."""
        with self._lock:
            tables = self._database.storage.read() or {}
            for name, documents in lists.items():
                tables[name] = {str(number): dict(document) for number, document in enumerate(documents, 1)}
            self._database.storage.write(tables)

    def close(self) -> None:
        """Release the database."""
        self._database.close()
