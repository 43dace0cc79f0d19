"""Files that commands read and write: `-` stands for stdin and stdout; a command ends where one cannot be had."""

import os
import sys
from pathlib import Path
from typing import Final

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


def write_new(path: str | Path, octets: bytes) -> None:
    """Write a file for its owner only; one that is there already stays as it is.

    Raises:
        Failure: It is there already, or cannot be written.
    """
    if str(path) == STDIO:
        sys.stdout.buffer.write(octets)
        return
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(octets)
    except OSError as error:
        text = _("{name} cannot be written: {reason}", name=str(path), reason=error.strerror)
        raise Failure(Exit.USAGE, text) from error
