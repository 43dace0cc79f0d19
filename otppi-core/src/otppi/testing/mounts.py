"""Real file systems that are small, full or read-only, for tests of what becomes of a gateway on them. Needs root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from otppi.api.errors import OtpPiError


class NoMounts(OtpPiError):  # noqa: N818
    """This user, or this container, may not mount anything: a test is skipped."""


@contextmanager
def ram_disk(path: Path, size: int) -> Iterator[Path]:
    """Mount a tmpfs of so many bytes at a folder, which is made.

    Raises:
        NoMounts: That is not possible here.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", path)
    try:
        yield path
    finally:
        _unmount(path)


@contextmanager
def read_only(path: Path) -> Iterator[Path]:
    """Let nothing be written below a folder meanwhile: EROFS, for root as well.

    Raises:
        NoMounts: That is not possible here.
    """
    _mount("--bind", path, path)
    try:
        _mount("-o", "remount,bind,ro", path)
        yield path
    finally:
        _unmount(path)


def fill(path: Path, name: str = "filler") -> Path:
    """Use up all the room of a file system, to the last byte; return the file that is in the way."""
    filler = path / name
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for size in (64 * 1024, 4096, 1):
            try:
                while os.write(descriptor, bytes(size)):
                    pass
            except OSError:  # ENOSPC: try a smaller piece
                continue
    finally:
        os.close(descriptor)
    return filler


def _mount(*arguments: str | Path) -> None:
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoMounts(done.stderr.strip())


def _unmount(path: Path) -> None:
    # Lazily: a process that is ending may still be in there.
    subprocess.run(["umount", "--lazy", str(path)], check=True)
