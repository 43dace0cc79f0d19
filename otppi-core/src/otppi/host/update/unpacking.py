"""Unpacks the files of a bundle into a folder: regular files and folders, and nothing that leads out of it.

The hash was compared before; what is refused here is a mistake or a theft of the key's owner, who is to gain no more
by it than what a version of the gateway may do: run as the gateway's user.
"""

import os
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from otppi.host.update.bundle import Manifest
from otppi.host.update.outcomes import Reason, UpdateRefused

_BLOCK: Final = 1 << 20
_LONGEST_NAME: Final = 400
_DEEPEST: Final = 30


def unpack(packed: BinaryIO, manifest: Manifest, folder: Path, tell: Callable[[float], None]) -> None:
    """Unpack all files, of mode 0644 (0755 where they may be run) and this process's user.

    Args:
        packed: The packed files, at their beginning.
        manifest: What they are to be.
        folder: Where they go; it is there, and empty.
        tell: Is told how much is done.

    Raises:
        UpdateRefused: There is something else among them, or more than was signed.
        OSError: The card takes nothing.
    """
    octets = files = 0
    try:
        with tarfile.open(fileobj=packed, mode="r|gz") as archive:
            for member in archive:
                path = folder / _name(member, manifest)
                if member.isdir():
                    path.mkdir(mode=0o755, parents=True, exist_ok=True)
                    continue
                octets, files = octets + member.size, files + 1
                if octets > manifest.unpacked or files > manifest.files:
                    raise UpdateRefused(Reason.CONTENT, manifest.version)
                path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                _write(archive, member, path, manifest)
                tell(octets / manifest.unpacked)
    except (tarfile.TarError, EOFError, ValueError, FileExistsError, NotADirectoryError) as error:
        raise UpdateRefused(Reason.CONTENT, manifest.version) from error
    except OSError as error:
        if error.errno is None:  # gzip's own, of what it cannot read
            raise UpdateRefused(Reason.CONTENT, manifest.version) from error
        raise
    if (octets, files) != (manifest.unpacked, manifest.files):
        raise UpdateRefused(Reason.CONTENT, manifest.version)


def _name(member: tarfile.TarInfo, manifest: Manifest) -> PurePosixPath:
    """Return the path of a member within the folder.

    Raises:
        UpdateRefused: It leads elsewhere, or is no regular file and no folder.
    """
    path = PurePosixPath(member.name)
    proper = (
        member.type in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE)
        and not member.issparse()
        and not path.is_absolute()
        and ".." not in path.parts
        and len(member.name) <= _LONGEST_NAME
        and len(path.parts) <= _DEEPEST
        and "\0" not in member.name
    )
    if not proper or (not path.parts and not member.isdir()):
        raise UpdateRefused(Reason.CONTENT, manifest.version)
    return path


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path, manifest: Manifest) -> None:
    """Write one file. It is made anew: a name that comes twice would be written through what the first one made."""
    source = archive.extractfile(member)
    if source is None:
        raise UpdateRefused(Reason.CONTENT, manifest.version)
    mode = 0o755 if member.mode & 0o111 else 0o644
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)  # whatever the mask says
        left = member.size
        while left:
            block = source.read(min(_BLOCK, left))
            if not block:
                raise UpdateRefused(Reason.CONTENT, manifest.version)
            file.write(block)
            left -= len(block)
