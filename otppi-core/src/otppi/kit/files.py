"""Files that are there whole or not at all, however the power fails: replaced, or appended to, and synced."""

import json
import os
from collections.abc import Callable
from pathlib import Path


def as_json(document: object) -> bytes:
    """Return a document as JSON in UTF-8, as short as it can be.

    Raises:
        TypeError, ValueError: It cannot be JSON.
    """
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def replace_whole(path: Path, content: bytes, *, before: Callable[[], object] | None = None) -> None:
    """Replace a file as a whole, durably: new file of mode 0600, sync, rename, sync of the folder.

    Args:
        path: The file, which need not be there yet.
        content: All of it.
        before: What is to be done when the card has the new content, and before that takes the file's name.

    Raises:
        OSError: The card takes nothing: the old content stays. Where only the folder's sync fails, the new one is there
            and may be gone after a power cut. Nothing half-written is left, but by a power cut (`new_name`).
    """
    new = new_name(path)
    new.unlink(missing_ok=True)  # what a power cut left
    try:
        _write_synced(new, content)
        if before is not None:
            before()
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def new_name(path: Path) -> Path:
    """Return the name under which `replace_whole` writes: what a power cut leaves there is overwritten by the next."""
    return path.with_name(f"{path.name}.new")


def append_whole(path: Path, data: bytes) -> None:
    """Append durably and as a whole: what a full card took of it is taken back, so that it is not there twice later.

    The file is made with mode 0600 where it is missing; syncing the folder is the caller's then.

    Raises:
        OSError: Nothing was appended.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        try:
            _write_all(descriptor, data)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Wait until the card has the names of a folder's files.

    Raises:
        OSError: It has not.
    """
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_synced(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        _write_all(descriptor, content)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
    os.fsync(descriptor)
