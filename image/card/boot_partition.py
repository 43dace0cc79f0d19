"""The boot partition of a card image: found by the MBR, its FAT read and written by mtools, without mount and root.

The image is a file, or a card in its reader that the user may write.
"""

import errno
import os
import stat
import struct
import subprocess
from pathlib import Path
from typing import Final

from image.card.texts import _
from otppi.api.errors import OtpPiError

_SECTOR: Final = 512
_TABLE: Final = 446
"""Where the MBR has its four entries of 16 octets: type at 4, first sector at 8, count of sectors at 12."""
_SIGNATURE: Final = b"\x55\xaa"
_FAT32: Final = (0x0B, 0x0C)
"""Types of partitions: FAT32 by CHS, by LBA."""
_COMPRESSED: Final = {
    b"\x28\xb5\x2f\xfd": "zstd -d",  # RFC 8878 3.1.1
    b"\xfd7zXZ\x00": "xz -dk",
    b"\x1f\x8b": "gzip -dk",  # RFC 1952 2.3.1
    b"PK\x03\x04": "unzip",
}
_ENVIRONMENT: Final = {"LC_ALL": "C", "HOME": os.devnull, "MTOOLSRC": os.devnull}
"""What a person has set for mtools (~/.mtoolsrc, $MTOOLSRC) is about other disks."""
_PATIENCE: Final = 120.0
"""Seconds for one file on a slow card."""


class CardError(OtpPiError):
    """It is no card image of ours, or it cannot be read or written."""


class BootPartition:
    """The FAT of a card image. Not for several threads.

    Args:
        image: A file, or a block device.

    Raises:
        CardError: It is compressed, has no such partition, or is in use.
        OSError: It cannot be opened for reading and writing.
    """

    def __init__(self, image: Path) -> None:
        self.image = image
        with open(_opened(image), "r+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            self._offset = _offset(image, file.read(_SECTOR), size)
        self._names = self._listed()

    def has(self, name: str) -> bool:
        """Whether there is a file of this name, in any case, in the root of the partition."""
        return name.lower() in self._names

    def read(self, name: str) -> bytes:
        """Return a file's content.

        Raises:
            CardError: It is not there, or cannot be read.
        """
        return self._mtools("mtype", f"::{name}")

    def write(self, name: str, content: bytes) -> None:
        """Write a file, also over one that is there, and look whether the card has it.

        Raises:
            CardError: It has not, such as where the partition is full: what was there before is there again.
            OSError: The card takes nothing.
        """
        before = self.read(name) if self.has(name) else None
        try:
            self._put(name, content)
        except CardError:
            if before is not None:
                self._put(name, before)
            elif name.lower() in self._listed():
                self._mtools("mdel", f"::{name}")
            raise
        self._names.add(name.lower())

    def _put(self, name: str, content: bytes) -> None:
        self._mtools("mcopy", "-o", "-", f"::{name}", given=content)
        # On a full partition mcopy writes what it can, and ends as if all were well.
        if self.read(name) != content:
            raise CardError(_("{image}: {name} cannot be written: is the partition full?", image=self.image, name=name))

    def _listed(self) -> set[str]:
        lines = self._mtools("mdir", "-b", "::/").decode("utf-8", "replace").splitlines()
        return {line.removeprefix("::/").rstrip("/").lower() for line in lines}

    def _mtools(self, program: str, *arguments: str, given: bytes = b"") -> bytes:
        descriptor = _opened(self.image)
        try:
            # By its number, as what follows an @@ in a name would be the partition's place.
            command = [program, "-i", f"/dev/fd/{descriptor}@@{self._offset}", *arguments]
            done = subprocess.run(
                command,
                input=given,
                env=os.environ | _ENVIRONMENT,
                pass_fds=[descriptor],
                capture_output=True,
                timeout=_PATIENCE,
            )
            os.fsync(descriptor)
        except FileNotFoundError as error:
            raise CardError(_("{program} is missing (apt-get install mtools)", program=program)) from error
        except subprocess.TimeoutExpired as error:
            raise CardError(_("{image}: the card does not answer", image=self.image)) from error
        finally:
            os.close(descriptor)
        if done.returncode != 0:
            said = " ".join(done.stderr.decode("utf-8", "replace").split()) or program
            raise CardError(_("{image}: its boot partition cannot be used: {reason}", image=self.image, reason=said))
        return done.stdout


def _opened(image: Path) -> int:
    """Open it; a card only where no partition of it is mounted: the kernel would not see what mtools writes."""
    card = stat.S_ISBLK(image.stat().st_mode)
    try:
        return os.open(image, os.O_RDWR | os.O_CLOEXEC | (os.O_EXCL if card else 0))  # O_EXCL: open(2), block devices
    except OSError as error:
        if card and error.errno == errno.EBUSY:
            raise CardError(_("{image} is in use: unmount it first", image=image)) from error
        raise


def _offset(image: Path, sector: bytes, size: int) -> int:
    for magic, command in _COMPRESSED.items():
        if sector.startswith(magic):
            raise CardError(
                _("{image} is compressed: decompress it first ({command} {image})", image=image, command=command)
            )
    if len(sector) < _SECTOR or not sector.endswith(_SIGNATURE):
        raise CardError(_("{image} is no card image: it has no table of partitions", image=image))
    for entry in range(_TABLE, _TABLE + 64, 16):
        kind, first, count = struct.unpack_from("<4xB3xII", sector, entry)
        if kind in _FAT32 and first and count:
            if (first + count) * _SECTOR > size:
                raise CardError(_("{image} is cut off: copy or decompress it once more", image=image))
            return int(first) * _SECTOR
    raise CardError(_("{image} is no card image of OTP-Pi: it has no boot partition (FAT32)", image=image))
