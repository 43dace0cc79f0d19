"""The gateway's process: started with its control socket, stopped by signals."""

import gc
import logging
import os
import re
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from otppi.admin.service import administration
from otppi.api.services import Service
from otppi.cli.documents import read_document
from otppi.cli.exits import Exit, Failure
from otppi.cli.life_signs import LifeSigns
from otppi.cli.log_stream import LogStream
from otppi.cli.talk import CONTROL_LINK
from otppi.host.control.server import ControlServer
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder, FolderInUse, boot_folder_of, plugins_off
from otppi.host.host import Host
from otppi.host.log.ring import LogRing
from otppi.host.modems.udev import udev_source
from otppi.host.parts import registry_of
from otppi.host.runtime.registry import Registry
from otppi.host.runtime.supervisor import Supervised
from otppi.kit import login1
from otppi.kit.memory import give_back, keep_little
from otppi.kit.sd_notify import ServiceManager
from otppi.web.listener import inherited_port

logger = logging.getLogger(__name__)

_CONTROL_SOCKET = "control"
_KEPT_PORT = "OTPPI_KEPT_PORT"
"""The environment's variable by which a gateway that begins again finds the pages' port."""
_RESTART = b"\0"
"""What is written where a restart is wanted; a signal writes its number (`signal.set_wakeup_fd`)."""
_PIPE = 65_536
"""Octets that a pipe holds (pipe(7))."""
_LAST_LINES = 2.0
"""Seconds in which the last lines of the log may be written."""


def run(
    data_path: Path,
    provision: Path | None,
    log: LogStream,
    ring: LogRing,
    *,
    safe_mode: bool,
    first_settings: Sequence[Path] = (),
    stand_in: bool = True,
) -> int | None:
    """Run the gateway until it is told to stop, and return the exit code; None where it is to begin again.

    Its health tells of the log too.

    Args:
        data_path: The data folder.
        provision: A document of settings; None where there is none.
        log: Where the log goes.
        ring: Keeps its newest lines.
        safe_mode: Whether no plugin is loaded.
        first_settings: Documents that are taken where the data folder has never had settings. Not in safe mode: without
            the plugins it is not known whether their settings are right.
        stand_in: Whether a simulated modem sends where none is configured.

    Raises:
        OtpPiError: It cannot start, with the reason.
    """
    stopping, restart = _stop_by_signal()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would put the texts in RAM on the card
    keep_little()
    # Threads hand over within half a millisecond: a modem that answered is served at once while requests come in.
    sys.setswitchinterval(0.0005)
    document = None if provision is None else read_document(provision)
    with LifeSigns(ServiceManager.of(os.environ)) as signs:
        try:
            data = DataFolder(data_path, plugins=load_plugins(off=plugins_off(data_path), safe_mode=safe_mode))
        except FolderInUse as error:
            raise Failure(Exit.LATER, str(error)) from error
        try:
            if not safe_mode:
                data.first_settings.adopt(first_settings)
            elif first_settings:
                logger.warning("the settings that a device comes with are not looked at in safe mode")
            if provision is not None:
                data.config.provision(document)
            host = Host(data, boot_folder_of(data_path), udev_source(), ring, stand_in=stand_in)
            host.services.add(_Log(log))
        except BaseException:
            data.close()
            raise
        host.restarting.by(restart)
        host.device_power.by(login1.reboot, login1.power_off)
        return _run(data, host, stopping, signs)


def _run(data: DataFolder, host: Host, stopping: int, signs: LifeSigns) -> int | None:
    """Run a gateway that is made, until something comes by the pipe `stopping`; see `run`."""
    registry = registry_of(data, host)
    pages = administration(data, host, registry, _kept_port())
    host.services.add(pages)
    try:
        host.start()
        gc.collect()  # what is garbage by now would stay, too: the first of each two classes of a dataclass with slots
        gc.freeze()  # what is loaded by now stays: the collector need not look at it again
        give_back()
        with _control(data, host, registry, boot_folder_of(data.path) / _CONTROL_SOCKET):
            logger.info("the gateway runs (process %d, data folder %s)", os.getpid(), data.path)
            signs.opening(host)
            first = os.read(stopping, 1)
            signs.stopping(again=host.restarting.wanted)
            logger.info("the gateway is stopping")
    finally:
        kept = pages.keep_port() if host.restarting.wanted else None
        host.stop()
    if not host.restarting.wanted:
        return 0
    if _is_signalled(stopping, first):
        signs.stopping(again=False)
        return 0
    if kept is not None:
        os.environ[_KEPT_PORT] = str(kept)
    signs.hand_on()
    return None


def begin_again(log: LogStream, arguments: Sequence[str]) -> NoReturn:
    """Put a new process of `otppi` in the place of this one, which has ended all that it did.

    It has the same process id, so that nothing has to start it again: a terminal, `build.sh` and systemd go on waiting
    for it, and the RAM disk that systemd gave it stays.

    Args:
        log: Is written to the end first.
        arguments: Of the new one.
    """
    log.drain(_LAST_LINES)
    program = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]  # Python's options, and what it runs
    os.execv(sys.executable, [sys.executable, *program, *arguments])  # noqa: S606 - our own program and arguments


def _kept_port() -> socket.socket | None:
    """Return the pages' port, which a gateway that has begun again kept open: who asks meanwhile waits for an answer.

    As with systemd's own (sd_listen_fds(3)) no other process is to inherit it.
    """
    descriptor = os.environ.pop(_KEPT_PORT, "")
    return inherited_port(int(descriptor)) if re.fullmatch("[0-9]{1,7}", descriptor) else None


class _Log(Service):
    """The log of the process, of which health tells when lines had to be left out."""

    name = "log"

    def __init__(self, log: LogStream) -> None:
        self._log = log

    def warnings(self) -> Sequence[str]:
        """Return what people should know."""
        return self._log.warnings()


@contextmanager
def _control(data: DataFolder, host: Host, registry: Registry, path: Path) -> Iterator[None]:
    """Serve the control socket, and leave a link to it in the data folder, where commands look for it."""
    control = ControlServer(path, registry)
    serving = Supervised("control", control.run, control.stop)
    if not serving.start():
        raise Failure(Exit.LATER, serving.supervision.last_error or "")
    host.services.look_after(serving)
    try:
        _link(data.path / CONTROL_LINK, path)
        yield
    finally:
        serving.stop()
        serving.join(5)
        control.close()


def _link(link: Path, target: Path) -> None:
    """Make a link where it is not there already: it stays the same over most starts, and the card is spared."""
    if link.is_symlink() and link.readlink() == target:
        return
    try:
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    except OSError as error:  # commands find it all the same where they are run in the same environment
        logger.error("%s cannot be made: %s", link, error.strerror)  # noqa: TRY400 - the reason says it all


def _is_signalled(stopping: int, first: bytes) -> bool:
    """Whether a signal has come, too: who wants the process to end is not to see it begin again.

    Signals end the process at once from here on: all that it did has ended, and one that came between this look and
    the new program's beginning would be told to nobody. (While Python begins, too, they end the process.)

    Args:
        stopping: The pipe that `_stop_by_signal` has made.
        first: What was read from it before.
    """
    for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(signal_number) is not signal.SIG_IGN:
            signal.signal(signal_number, signal.SIG_DFL)
    os.set_blocking(stopping, False)
    told = first
    with suppress(BlockingIOError):
        told += os.read(stopping, _PIPE)
    return any(one != _RESTART[0] for one in told)  # several people may have asked for the restart


def _stop_by_signal() -> tuple[int, Callable[[], None]]:
    """Return a pipe to which SIGTERM, Ctrl-C and the end of the terminal write, and what writes to it as they do.

    A second Ctrl-C ends the process.

    Not an event: a signal that comes just before the wait for it, or to another thread, would not end that wait.
    """
    stopping, signalled = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(signalled, False)
    signal.set_wakeup_fd(signalled)

    def stop(signal_number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's signature
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, stop)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
        signal.signal(signal.SIGHUP, stop)
    return stopping, lambda: _write(signalled)


def _write(pipe: int) -> None:
    with suppress(BlockingIOError):  # it is full: whoever reads has enough to go on
        os.write(pipe, _RESTART)
