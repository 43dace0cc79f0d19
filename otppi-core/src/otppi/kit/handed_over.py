"""What the gateway hands over to a unit of the system, read by root as files of somebody hostile: no link is followed.

The unit's program is root and the gateway is not: a gateway that somebody has taken over may write anything.
"""

import errno
import os
import re
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_BOOT_FOLDER: Final = re.compile(r"otppi-[0-9]{1,10}-[0-9a-f]{12}")
_MOST_ENTRIES: Final = 1000
_CONNECT_TIMEOUT: Final = 10.0


class BadRequestError(ValueError):
    """What was handed over is not what the gateway writes. Nothing of it is quoted."""


class NothingHandedOverError(BadRequestError):
    """There is no folder of the gateway's for the unit."""


class HandedOverFolder:
    """The one folder that the gateway shares with one unit.

    Args:
        folder: Its descriptor.
        user: Who owns all that is in it.
    """

    def __init__(self, folder: int, user: int) -> None:
        self._folder = folder
        self._user = user

    def read(self, name: str, longest: int) -> bytes:
        """Return what is in a file.

        Args:
            name: Its name.
            longest: Octets that it may have.

        Raises:
            BadRequestError: It is no file of this user, or longer, or it cannot be read.
        """
        content = self.find(name, longest)
        if content is None:
            raise BadRequestError(f"{name} cannot be read: {os.strerror(errno.ENOENT)}")
        return content

    def find(self, name: str, longest: int) -> bytes | None:
        """Return what is in a file; None where there is none of that name.

        Args:
            name: Its name.
            longest: Octets that it may have.

        Raises:
            BadRequestError: It is no file of this user, or longer, or it cannot be read.
        """
        try:
            # A FIFO would keep us waiting for its other end.
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self._folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BadRequestError(f"{name} cannot be read: {error.strerror}") from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != self._user:
                raise BadRequestError(f"{name} is no file of the gateway's")
            content = _read_all(descriptor, longest + 1)
        finally:
            os.close(descriptor)
        if len(content) > longest:
            raise BadRequestError(f"{name} is too long")
        return content

    def connect(self, name: str) -> socket.socket:
        """Connect to a socket.

        Raises:
            BadRequestError: It is no socket of this user.
            OSError: Nobody listens there.
        """
        descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._folder)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISSOCK(status.st_mode) or status.st_uid != self._user:
                raise BadRequestError(f"{name} is no socket of the gateway's")
            channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                channel.settimeout(_CONNECT_TIMEOUT)
                # By its name connect(2) would follow a link that has meanwhile taken its place.
                channel.connect(f"/proc/self/fd/{descriptor}")
                channel.settimeout(None)
            except BaseException:
                channel.close()
                raise
            return channel
        finally:
            os.close(descriptor)


def _read_all(descriptor: int, most: int) -> bytes:
    content = b""
    while piece := os.read(descriptor, most - len(content)):
        content += piece
    return content


@contextmanager
def handed_over(runtime: Path, name: str, user: int) -> Iterator[HandedOverFolder]:
    """Find the folder of one unit, in the boot folder of the gateway.

    Args:
        runtime: The gateway's folder below /run; the boot folder is in it, named after user and data folder.
        name: The folder's path in the boot folder, as the gateway has it; the caller has checked what the gateway says
            of it.
        user: The gateway's user id.

    Raises:
        NothingHandedOverError: There is none.
        BadRequestError: There are several, or they are not the gateway's.
        OSError: They cannot be read.
    """
    with ExitStack() as opened:

        def folder(path: str | Path, inside: int | None = None) -> int:
            descriptor = os.open(path, _FOLDER, dir_fd=inside)
            opened.callback(os.close, descriptor)
            if os.fstat(descriptor).st_uid != user:
                raise BadRequestError(f"{path} is no folder of the gateway's")
            return descriptor

        top = folder(runtime)
        with os.scandir(top) as entries:
            names = [one.name for one in islice(entries, _MOST_ENTRIES) if _BOOT_FOLDER.fullmatch(one.name)]
        found = []
        for one in names:
            inner = folder(one, top)
            try:
                for part in name.split("/"):
                    inner = folder(part, inner)
            except FileNotFoundError:
                continue  # that of another data folder
            found.append(inner)
        if not found:
            raise NothingHandedOverError("there is no folder for this unit")
        if len(found) > 1:
            raise BadRequestError(f"there are {len(found)} folders for this unit, and not one")
        yield HandedOverFolder(found[0], user)
