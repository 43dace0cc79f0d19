"""The program of the unit `otppi-read-stick@.service`: reads two small files from a stick that may mean harm.

`python -I -m otppi_reset_stick.read_stick DEVICE`, as a user of its own that may read this one device. Nothing is
mounted. The answer is `DEVICE.json` in the folder that systemd has made (RuntimeDirectory=). It imports little: the
unit has little memory.
"""

import base64
import json
import os
import re
import select
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from otppi_reset_stick.exfat import SIGNATURE, DamagedError, ExFat, TooLargeError

WANTED: Final = ("optb/reset.txt", "otppi/reset-config.ini")
"""As `otppi.api.media` has them, which would take memory here."""
LARGEST: Final = 65_536
DEVICE: Final = re.compile(r"sd[a-z]{1,2}[0-9]{0,2}")
"""Names of disks and partitions that are read (Linux allocated devices, block 8)."""
LARGE, SLOW, UNREADABLE = "large", "slow", "unreadable"
"""Why a stick was not read."""
_PATIENCE: Final = 20.0
"""Seconds for all that is read of a FAT. A slow stick needs half of one, but it is read while a small board starts."""
_MISSING: Final = re.compile(rb"not found|No such file", re.IGNORECASE)
_ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": os.devnull, "MTOOLSRC": os.devnull}


class NotReadError(Exception):
    """The stick was not read; its text is one of the reasons."""


def read(device: Path) -> dict[str, bytes]:
    """Return the wanted files that are there.

    Raises:
        NotReadError: It cannot be read, or a file is too large.
    """
    try:
        descriptor = os.open(device, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        raise NotReadError(UNREADABLE) from None
    try:
        kind = os.fstat(descriptor).st_mode
        if not (stat.S_ISBLK(kind) or stat.S_ISREG(kind)):
            raise NotReadError(UNREADABLE)
        of_exfat = os.pread(descriptor, 512, 0)[3:11] == SIGNATURE
        return _wanted(_by_exfat(descriptor) if of_exfat else _by_mtools(device))
    except TooLargeError:
        raise NotReadError(LARGE) from None
    except (DamagedError, OSError):
        raise NotReadError(UNREADABLE) from None
    finally:
        os.close(descriptor)


def _wanted(one: Callable[[str], bytes | None]) -> dict[str, bytes]:
    return {name: content for name in WANTED if (content := one(name)) is not None}


def _by_exfat(descriptor: int) -> Callable[[str], bytes | None]:
    def read_at(place: int, size: int) -> bytes:
        if place > sys.maxsize - size:
            raise DamagedError("a place beyond all places")
        return os.pread(descriptor, size, place)

    system = ExFat(read_at)
    return lambda name: system.read(name, LARGEST)


def _by_mtools(device: Path) -> Callable[[str], bytes | None]:
    """Read by mtype, which finds names in any case, and is ended where it goes on for too long."""
    until = time.monotonic() + _PATIENCE
    return lambda name: _typed(device, name, until)


def _typed(device: Path, name: str, until: float) -> bytes | None:
    with subprocess.Popen(
        ["mtype", "-i", str(device), f"::/{name}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_ENVIRONMENT,
    ) as mtype:  # fmt: skip
        try:
            content, said = _read_both(mtype, until)
            code = mtype.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise NotReadError(SLOW) from None
        finally:
            mtype.kill()
    if code == 0:
        return content
    if _MISSING.search(said):
        return None
    raise NotReadError(UNREADABLE)


def _read_both(mtype: "subprocess.Popen[bytes]", until: float) -> tuple[bytes, bytes]:
    """Return what it writes on both ways out, until it has written all."""
    assert mtype.stdout is not None  # noqa: S101 - they are pipes
    assert mtype.stderr is not None  # noqa: S101 - the same
    told = {mtype.stdout.fileno(): b"", mtype.stderr.fileno(): b""}
    content = mtype.stdout.fileno()
    still = set(told)
    while still:
        ready = select.select(list(still), [], [], max(0.0, until - time.monotonic()))[0]
        if not ready:
            raise NotReadError(SLOW)
        for one in ready:
            piece = os.read(one, LARGEST)
            told[one] += piece
            if len(told[one]) > LARGEST:
                raise NotReadError(LARGE)
            if not piece:
                still.discard(one)
    (said,) = (text for one, text in told.items() if one != content)
    return told[content], said


def answer(device: Path) -> bytes:
    """Return what is told of a stick: its files in base64, and why it was not read."""
    try:
        files, problem = read(device), ""
    except NotReadError as error:
        files, problem = {}, str(error)
    told = {name: base64.b64encode(content).decode() for name, content in files.items()}
    return json.dumps({"files": told, "problem": problem}).encode()


def main(arguments: list[str], folder: Path, devices: Path = Path("/dev")) -> int:
    """Read a device, and write what is told of it.

    Args:
        arguments: The name of the device.
        folder: Where the answer goes.
        devices: The folder of the devices.
    """
    if len(arguments) != 1 or not DEVICE.fullmatch(arguments[0]):
        sys.stderr.write("usage: read_stick DEVICE, such as sda1\n")
        return 2
    path = folder / f"{arguments[0]}.json"
    path.unlink(missing_ok=True)
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    with open(descriptor, "wb") as file:
        file.write(answer(devices / arguments[0]))
    new.replace(path)
    return 0


if __name__ == "__main__":
    os.umask(0o027)
    sys.exit(main(sys.argv[1:], Path(os.environ["RUNTIME_DIRECTORY"])))
