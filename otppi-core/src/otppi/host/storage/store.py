"""What is kept on the card: TinyDB through a storage that is atomic, has a check sum, and fails closed."""

import errno
import hashlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from tinydb import TinyDB
from tinydb.storages import Storage

from otppi.api.errors import OtpPiError
from otppi.kit.files import as_json, replace_whole, sync_folder
from otppi.text import _, joined

logger = logging.getLogger(__name__)

_CHECK = "_check"
_CHECKED = b"with check sums\n"

Tables = dict[str, dict[str, Any]]


class StoreDamaged(OtpPiError):  # noqa: N818
    """What is kept cannot be read, and neither can its copy: nothing is guessed, nothing is overwritten."""


class AtomicStorage(Storage):
    """A TinyDB storage that survives a power cut at any instant, and a card that loses bits.

    TinyDB's own storage writes in place and takes a zero-length file for an empty database, so a torn write would look
    like a device without administrators. Here a write goes to a temporary file that is synced and then renamed over the
    old one; a copy (`.bak`) is written the same way, so that damage to one of them costs nothing, and never brings an
    older state back: it is removed before the state that it holds is replaced. Both hold a check sum. A mark beside
    them (`.claimed`) says that there was a database, and that it had check sums: a missing or empty file, or one that
    was edited, is an error rather than a new beginning.

    What the version before wrote has no check sum, nor says its mark that there is one; it is read as it is.

    Args:
        path: The file.
        anew: Begin with nothing where both are damaged; the first write puts what is there aside.

    Attributes:
        trouble: Why the copy is used in place of the file; empty where it is not.
    """

    def __init__(self, path: str, *, anew: bool = False) -> None:
        self._path = Path(path)
        self._copy = self._path.with_suffix(self._path.suffix + ".bak")
        self._mark = self._path.with_suffix(".claimed")
        self.aside = self._path.with_suffix(self._path.suffix + ".damaged")
        self._anew = anew
        self.trouble = ""

    def read(self) -> Tables | None:
        """Read the tables; None only where there never was a database.

        Raises:
            StoreDamaged: the file and its copy are both unreadable.
        """
        reasons = []
        checked = self._has_check_sums()
        for path in (self._path, self._copy):
            try:
                tables = _tables(path.read_bytes(), checked=checked)
            except FileNotFoundError:
                reasons.append(_("{path} is missing", path=path.name))
            except OSError as error:  # a card that fails: the copy may still be readable
                reasons.append(_("{path} cannot be read ({reason})", path=path.name, reason=error.strerror))
            except (ValueError, RecursionError):
                reasons.append(_("{path} is damaged, or was edited", path=path.name))
            else:
                self.trouble = "" if path is self._path else reasons[0]
                return tables
        if not self._mark.exists() and not self._path.exists() and not self._copy.exists():
            return None
        if self._anew:
            self.trouble = reasons[0]
            return None
        between = _(" and ")
        raise StoreDamaged(
            _(
                "{parent}: {reasons}; bring a backup, or the file that you edited, with: otppi settings "
                "import FILE --discard-damaged",
                parent=self._path.parent,
                reasons=joined(between, reasons),
            )
        )

    def write(self, data: Mapping[str, Mapping[str, Any]]) -> None:
        """Replace the whole content, durably. Where an error is raised, the old or the new content is kept."""
        content = as_json(_with_check_sum(data))
        replace_whole(self._path, content, before=self._put_aside if self.trouble else self._drop_copy)
        self.trouble, self._anew = "", False
        self._write_copy(content)
        self._mark_checked()

    def repair(self) -> None:
        """Put in order what a power cut, damage or the version before left: file, copy and mark are as `write` leaves.

        Raises:
            OSError: The card takes nothing; what is there stays as it is.
        """
        tables = self.read()
        if tables is None:
            return
        try:
            same = self._path.read_bytes() == self._copy.read_bytes()
        except OSError:
            same = False
        if not same or self.trouble or not self._has_check_sums():
            self.write(tables)

    def _drop_copy(self) -> None:
        self._copy.unlink(missing_ok=True)

    def _write_copy(self, content: bytes) -> None:
        """Write the copy; without one the file stands alone, which is better than beside an older one."""
        try:
            replace_whole(self._copy, content)
        except OSError as error:
            logger.error("%s cannot be written: %s", self._copy, error.strerror)  # noqa: TRY400 - that says it all
            self._drop_copy()

    def _has_check_sums(self) -> bool:
        try:
            return bool(self._mark.read_bytes())
        except FileNotFoundError:
            return False
        except OSError:  # it cannot be read, so there is one: be strict
            return True

    def _mark_checked(self) -> None:
        """Say that there are check sums, after there are; where that fails, the next write says it."""
        if self._has_check_sums():
            return
        try:
            with open(os.open(self._mark, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(_CHECKED)
                file.flush()
                os.fsync(file.fileno())
            sync_folder(self._path.parent)
        except OSError as error:
            logger.error("%s cannot be written: %s", self._mark, error.strerror)  # noqa: TRY400 - that says it all

    def _put_aside(self) -> None:
        """Give a damaged file another name: a person may have edited it, or an expert find something in it."""
        try:
            self._path.replace(self.aside)
        except FileNotFoundError:
            return
        logger.warning("the damaged %s is %s now", self._path.name, self.aside.name)


def lists_of(document: object) -> dict[str, list[Any]] | None:
    """Return the lists of a document that has the form in which this file is kept; None where it has another form."""
    if not isinstance(document, dict) or not document or not all(map(_is_table, document.values())):
        return None
    if not any(document.values()):  # a document of settings may be of empty objects too
        return None
    return {name: list(table.values()) for name, table in document.items() if name != _CHECK}


def _tables(raw: bytes, *, checked: bool) -> Tables:
    """Parse a database.

    Raises:
        ValueError: It is not JSON, not of TinyDB's form (tables by name, of objects by number), empty, or does not
            have the check sum that it should have.
    """
    tables = json.loads(raw)
    if not (isinstance(tables, dict) and tables and all(map(_is_table, tables.values()))):
        raise ValueError("not a database")
    check = tables.pop(_CHECK, None)
    if (checked or check is not None) and check != _check_sum(tables):
        raise ValueError("the check sum is wrong")
    return tables


def _with_check_sum(data: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    tables = {name: dict(table) for name, table in data.items() if name != _CHECK}
    return tables | {_CHECK: _check_sum(tables)}


def _check_sum(tables: object) -> dict[str, Any]:
    """Sum a database up, as a table of its own: what reads it need not know of it."""
    canonical = json.dumps(tables, sort_keys=True, separators=(",", ":")).encode()
    return {"1": {"sha256": hashlib.sha256(canonical).hexdigest()}}


def _is_table(table: object) -> bool:
    return isinstance(table, dict) and all(
        number.isdecimal() and isinstance(document, dict) for number, document in table.items()
    )


def content_of(tables: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Return what a file of these tables holds, its check sum among it."""
    return as_json(_with_check_sum(tables))


def tables_of(content: bytes) -> Tables:
    """Return the tables that a file holds.

    Raises:
        ValueError: It is damaged.
    """
    return _tables(content, checked=False)


def kept_in(path: Path, name: str) -> list[dict[str, Any]]:
    """Return the objects of a list of a file, without a store on it; none where it cannot be read."""
    try:
        tables = AtomicStorage(str(path)).read() or {}
    except (StoreDamaged, OSError):  # told by who opens a store
        return []
    return list(tables.get(name, {}).values())


class Lists(Protocol):
    """Named lists of plain objects, each list written as a whole."""

    def read(self, name: str) -> list[dict[str, Any]] | None:
        """Return the objects of a list, or None where nobody ever wrote it."""

    def write(self, lists: Mapping[str, list[dict[str, Any]] | None]) -> None:
        """Replace several lists at once; None removes a list.

        Raises:
            OSError: They cannot be kept; nothing was changed.
        """


class NothingKept(Lists):
    """Lists that nobody ever wrote, nor can: what a document is checked against where there is no data folder."""

    def read(self, name: str) -> None:
        """Return that it is not there."""

    def write(self, lists: Mapping[str, list[dict[str, Any]] | None]) -> None:  # noqa: ARG002 - whatever they are
        """Refuse.

        Raises:
            OSError: Always.
        """
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))


class Store(Lists):
    """Named lists of plain objects, each list written as a whole. Any thread.

    Args:
        path: The file.
        anew: Begin with nothing where it is damaged, and so is its copy.
    """

    def __init__(self, path: Path, *, anew: bool = False) -> None:
        self._path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = Lock()
        self._database = TinyDB(str(path), storage=AtomicStorage, anew=anew)
        self._database.tables()  # reads: a damaged file is found at the start, not at the first use
        self._problem = ""

    def read(self, name: str) -> list[dict[str, Any]] | None:
        """Return the objects of a list, or None where nobody ever wrote it."""
        with self._lock:
            if name not in self._database.tables():
                return None
            return [dict(document) for document in self._database.table(name).all()]

    @property
    def is_new(self) -> bool:
        """Whether nobody ever wrote anything; what was damaged beyond its copy was written."""
        with self._lock:
            return self._storage.read() is None and not self._storage.trouble

    def tables(self) -> Tables:
        """Return all lists as they are kept, also those that nobody here knows."""
        with self._lock:
            return {name: dict(table) for name, table in (self._database.storage.read() or {}).items()}

    def write(self, lists: Mapping[str, list[dict[str, Any]] | None]) -> None:
        """Replace several lists at once: all of them or, if the power fails, none; None removes a list."""
        with self._lock:
            tables = self._database.storage.read() or {}
            for name, documents in lists.items():
                if documents is None:
                    tables.pop(name, None)
                else:
                    tables[name] = {str(number): dict(document) for number, document in enumerate(documents, 1)}
            self._database.storage.write(tables)

    def repair(self) -> None:
        """Put the files in order, at the gateway's start; a card that takes nothing is told by `warnings`."""
        storage = self._storage
        if storage.trouble:
            logger.error("%s: its copy is used, which holds the same settings unless it was edited", storage.trouble)
        try:
            with self._lock:
                storage.repair()
        except OSError as error:
            self._problem = _("the settings cannot be written: {reason}", reason=error.strerror)
            logger.error("%s", self._problem)  # noqa: TRY400 - the reason says it all

    def warnings(self) -> list[str]:
        """Return what people should know."""
        storage = self._storage
        warnings = [self._problem] if self._problem else []
        if storage.trouble:
            warnings.append(_("{trouble}: its copy is used", trouble=storage.trouble))
        elif storage.aside.exists():
            warnings.append(
                _(
                    "{path} was damaged, or edited by hand, and its copy is used. If you edited it: otppi "
                    "settings import {aside}. Then remove {aside2}; if it comes again, change the card",
                    path=self._path.name,
                    aside=storage.aside,
                    aside2=storage.aside.name,
                )
            )
        return warnings

    @property
    def _storage(self) -> AtomicStorage:
        storage = self._database.storage
        assert isinstance(storage, AtomicStorage)  # noqa: S101 - a programming error
        return storage

    def close(self) -> None:
        """Release the database."""
        self._database.close()
