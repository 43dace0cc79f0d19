"""How a command reaches the gateway: by the control socket of the one that runs, else directly on its data folder."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otppi.cli.exits import Exit, Failure
from otppi.cli.language import _, current

if TYPE_CHECKING:  # the host takes a quarter of a second to import, and a client needs none of it
    from otppi.host.control.client import ControlClient
    from otppi.host.runtime.registry import Registry

CONTROL_LINK = "control"
"""In the data folder: a link to the control socket, whose own folder depends on who started the gateway and how."""


def running(data: Path) -> "ControlClient | None":
    """Find the gateway that runs on a data folder."""
    from otppi.host.control.client import ControlClient

    try:
        for path in _sockets_of(data):
            client = ControlClient(path, current())
            if _is_in_a_folder_of_ours(path, data) and client.reachable():
                return client
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise Failure(Exit.FAILED, _("{data} belongs to another user (try again with sudo)", data=data)) from error
    return None


def _sockets_of(data: Path) -> Iterator[Path]:
    """Return where the control socket may be: what the link names, then where it is made, lacking a link."""
    link = data / CONTROL_LINK
    if link.is_symlink() or not data.is_dir():
        yield link.readlink()
    from otppi.host.data_folder import boot_folder_path

    yield boot_folder_path(data) / CONTROL_LINK


def _is_in_a_folder_of_ours(path: Path, data: Path) -> bool:
    """Tell a socket of the gateway from one that another user has made on the RAM disk, to be told passwords."""
    try:
        return path.parent.lstat().st_uid in (0, os.geteuid(), data.stat().st_uid)
    except FileNotFoundError:  # as after a restart of the device
        return False


def gateway(data: Path) -> "ControlClient":
    """Find the gateway that runs on a data folder, or end the command."""
    client = running(data)
    if client is None:
        raise Failure(
            Exit.NOT_RUNNING, _("no gateway is running on {data} (start it with: otppi run --data {data})", data=data)
        )
    return client


def ask(
    data: Path,
    operation: str,
    *,
    creates: bool = False,
    anew: bool = False,
    revision: int | None = None,
    **arguments: Any,
) -> Any:
    """Carry out an operation in the gateway that runs, or, where none does, on the data folder.

    `creates` says that the data folder may be made for it, `anew` that settings which are damaged may be replaced,
    `revision` which one of the settings a change of them was made from.
    """
    if client := running(data):
        return client.call(operation, arguments, revision=revision)
    with directly(data, creates=creates, anew=anew) as operations:
        from otppi.host.runtime.registry import COMMAND_LINE

        return operations.call(operation, arguments, COMMAND_LINE, revision)


def by_itself(data: Path, operation: str, **arguments: Any) -> Any:
    """Carry out an operation that needs neither a gateway nor a data folder: it tells of what is installed.

    Of the data folder, where there is one, only which plugins it does without is looked at.
    """
    from otppi.cli import logs
    from otppi.host.core import load_plugins
    from otppi.host.data_folder import plugins_off
    from otppi.host.runtime.registry import COMMAND_LINE, Registry

    with logs.silent():  # a plugin that is left out is told by `otppi plugins`
        plugins = load_plugins(off=plugins_off(data))
    return Registry(plugins.operations.values(), [plugins]).call(operation, arguments, COMMAND_LINE)


@contextmanager
def directly(data: Path, *, creates: bool = False, anew: bool = False) -> Iterator["Registry"]:
    """Open a data folder on which no gateway runs."""
    from otppi.host.core import load_plugins
    from otppi.host.data_folder import DataFolder, FolderInUse, plugins_off
    from otppi.host.parts import registry_of

    if not creates and not data.is_dir():
        raise Failure(Exit.USAGE, _("there is no data folder {data} (name it with --data DIR)", data=data))
    plugins = load_plugins(off=plugins_off(data))
    _become_owner(data)
    try:
        folder = DataFolder(data, plugins=plugins, anew=anew)
    except FolderInUse as error:
        raise Failure(
            Exit.LATER, _("{data} is in use by a gateway that starts or stops, or by another command", data=data)
        ) from error
    try:
        yield registry_of(folder)
    finally:
        folder.close()


def _become_owner(data: Path) -> None:
    """Work as the owner of the data folder where we are root: what root writes there the gateway could not read."""
    if os.geteuid() != 0 or not data.is_dir() or (status := data.stat()).st_uid == 0:
        return
    from otppi.host.numbering import numbers

    numbers.load_all()  # the owner may not be able to read what is installed in root's home
    try:
        os.initgroups(pwd.getpwuid(status.st_uid).pw_name, status.st_gid)
    except KeyError:  # an owner without a name, as in a container
        os.setgroups([])
    os.setresgid(status.st_gid, status.st_gid, status.st_gid)
    os.setresuid(status.st_uid, status.st_uid, status.st_uid)
