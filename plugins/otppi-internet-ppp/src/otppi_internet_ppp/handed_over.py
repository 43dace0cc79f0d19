"""What the gateway hands over to the unit, read by root as files of somebody hostile: no link is followed."""

import os
import re
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from otppi_internet_ppp.request import BadRequestError

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_INSTANCE: Final = re.compile(r"[0-9a-f]{16}")
_BOOT_FOLDER: Final = re.compile(r"otppi-[0-9]{1,10}-[0-9a-f]{12}")
_MOST_ENTRIES: Final = 1000
_CONNECT_TIMEOUT: Final = 10.0


class HandedOver:
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

        Raises:
            BadRequestError: It is no file of this user, or longer, or it cannot be read.
        """
        try:
            # A FIFO would keep us waiting for its other end.
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self._folder)
        except OSError as error:
            raise BadRequestError(f"{name} cannot be read: {error.strerror}") from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != self._user:
                raise BadRequestError(f"{name} is no file of the gateway's")
            content = os.read(descriptor, longest + 1)  # at once: it is a file
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


@contextmanager
def handed_over(runtime: Path, instance: str, user: int) -> Iterator[HandedOver]:
    """Find the folder of one unit, in the boot folder of the gateway.

    Args:
        runtime: The gateway's folder below /run; the boot folder is in it, named after user and data folder.
        instance: Of the unit: 16 hexadecimal digits.
        user: The gateway's user id.

    Raises:
        BadRequestError: There is none, or there are several.
        OSError: They cannot be read.
    """
    if not _INSTANCE.fullmatch(instance):
        raise BadRequestError("the instance is not one of the gateway's")
    with ExitStack() as opened:

        def folder(name: str | Path, inside: int | None = None) -> int:
            descriptor = os.open(name, _FOLDER, dir_fd=inside)
            opened.callback(os.close, descriptor)
            if os.fstat(descriptor).st_uid != user:
                raise BadRequestError(f"{name} is no folder of the gateway's")
            return descriptor

        top = folder(runtime)
        with os.scandir(top) as entries:
            names = [one.name for one in islice(entries, _MOST_ENTRIES) if _BOOT_FOLDER.fullmatch(one.name)]
        found = []
        for name in names:
            boot = folder(name, top)
            try:
                found.append(folder(f"ppp-{instance}", boot))
            except FileNotFoundError:
                continue  # that of another data folder
        if len(found) != 1:
            raise BadRequestError(f"there are {len(found)} folders for this unit, and not one")
        yield HandedOver(found[0], user)
