"""How a command reaches the gateway: by the control socket of the one that runs, else directly on its data folder."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otppi.cli.exits import Exit, Failure

if TYPE_CHECKING:  # the host takes a quarter of a second to import, and a client needs none of it
    from otppi.host.control_client import ControlClient
    from otppi.host.operations import Operations

CONTROL_LINK = "control"
"""In the data folder: a link to the control socket, whose own folder depends on who started the gateway and how."""


def running(data: Path) -> "ControlClient | None":
    """Find the gateway that runs on a data folder."""
    from otppi.host.control_client import ControlClient

    try:
        client = ControlClient(_socket_of(data))
        return client if client.reachable() else None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise Failure(Exit.FAILED, f"{data} belongs to another user (try again with sudo)") from error


def _socket_of(data: Path) -> Path:
    """Give the path of the control socket: by the link, or, on a card that takes none, where it would be made."""
    link = data / CONTROL_LINK
    if link.is_symlink() or not data.is_dir():
        return link.readlink()
    from otppi.host.data_folder import boot_folder_path

    return boot_folder_path(data) / CONTROL_LINK


def gateway(data: Path) -> "ControlClient":
    """Find the gateway that runs on a data folder, or end the command."""
    client = running(data)
    if client is None:
        raise Failure(Exit.NOT_RUNNING, f"no gateway is running on {data} (start it with: otppi run --data {data})")
    return client


def ask(data: Path, operation: str, *, creates: bool = False, anew: bool = False, **arguments: Any) -> Any:
    """Carry out an operation in the gateway that runs, or, where none does, on the data folder.

    `creates` says that the data folder may be made for it, `anew` that settings which are damaged may be replaced.
    """
    if client := running(data):
        return client.call(operation, arguments)
    with directly(data, creates=creates, anew=anew) as operations:
        return operations.call(operation, arguments)


@contextmanager
def directly(data: Path, *, creates: bool = False, anew: bool = False) -> Iterator["Operations"]:
    """Open a data folder on which no gateway runs."""
    from otppi.host.data_folder import DataFolder, FolderInUse
    from otppi.host.operations import Operations
    from otppi.host.plugins import Plugins

    if not creates and not data.is_dir():
        raise Failure(Exit.USAGE, f"there is no data folder {data} (name it with --data DIR)")
    plugins = Plugins()
    _become_owner(data)
    try:
        folder = DataFolder(data, plugins=plugins, anew=anew)
    except FolderInUse as error:
        raise Failure(
            Exit.LATER, f"{data} is in use by a gateway that starts or stops, or by another command"
        ) from error
    try:
        yield Operations(folder)
    finally:
        folder.close()


def _become_owner(data: Path) -> None:
    """Work as the owner of the data folder where we are root: what root writes there the gateway could not read."""
    if os.geteuid() != 0 or not data.is_dir() or (status := data.stat()).st_uid == 0:
        return
    try:
        os.initgroups(pwd.getpwuid(status.st_uid).pw_name, status.st_gid)
    except KeyError:  # an owner without a name, as in a container
        os.setgroups([])
    os.setresgid(status.st_gid, status.st_gid, status.st_gid)
    os.setresuid(status.st_uid, status.st_uid, status.st_uid)
