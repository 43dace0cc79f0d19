"""Files that commands read and write: `-` stands for stdin and stdout; a command ends where one cannot be had."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from otppi.cli.exits import Exit, Failure
from otppi.cli.language import _

STDIO: Final = "-"


def name_of(path: str | Path) -> str:
    """Return what messages call a file that is read."""
    return "stdin" if str(path) == STDIO else str(path)


def read_octets(path: str | Path, most: int) -> bytes:
    """Read a file of at most so many octets.

    Raises:
        Failure: It cannot be read, or is larger.
    """
    name = name_of(path)
    try:
        if str(path) == STDIO:
            octets = sys.stdin.buffer.read(most + 1)
        else:
            with Path(path).open("rb") as file:
                octets = file.read(most + 1)
    except OSError as error:
        raise Failure(Exit.USAGE, _("{name} cannot be read: {reason}", name=name, reason=error.strerror)) from error
    if len(octets) > most:
        raise Failure(Exit.USAGE, _("{name} is larger than {most:,} octets", name=name, most=most))
    return octets


@contextmanager
def new_file(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file that is made, for its owner only; where what is to be in it fails, there is none.

    Raises:
        Failure: It is there already, and stays as it is, or cannot be written.
    """
    if str(path) == STDIO:
        yield sys.stdout.buffer
        return
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            try:
                yield file
                file.flush()
            except BaseException:
                Path(path).unlink()
                raise
    except OSError as error:
        text = _("{name} cannot be written: {reason}", name=str(path), reason=error.strerror)
        raise Failure(Exit.USAGE, text) from error
