"""The gateway's process: started with its control socket, stopped by signals."""

import ctypes
import gc
import logging
import os
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from otppi.api.services import Service
from otppi.cli.documents import read_document
from otppi.cli.exits import Exit, Failure
from otppi.cli.log_stream import LogStream
from otppi.cli.talk import CONTROL_LINK
from otppi.host.control.server import ControlServer
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder, FolderInUse, boot_folder_of
from otppi.host.host import Host
from otppi.host.modems.udev import udev_source
from otppi.host.parts import registry_of
from otppi.host.runtime.supervisor import Supervised

logger = logging.getLogger(__name__)

_CONTROL_SOCKET = "control"
_M_MMAP_THRESHOLD = -3


def run(data_path: Path, provision: Path | None, log: LogStream, *, safe_mode: bool) -> int:
    """Run the gateway until it is told to stop; its health tells of the log too.

    Raises:
        OtpPiError: It cannot start, with the reason.
    """
    stopping = _stop_by_signal()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would put the texts in RAM on the card
    _give_memory_back()
    # Threads hand over within half a millisecond: a modem that answered is served at once while requests come in.
    sys.setswitchinterval(0.0005)
    document = None if provision is None else read_document(provision)
    try:
        data = DataFolder(data_path, plugins=load_plugins(() if safe_mode else None))
    except FolderInUse as error:
        raise Failure(Exit.LATER, str(error)) from error
    try:
        if provision is not None:
            data.config.provision(document)
        boot_folder = boot_folder_of(data_path)
        host = Host(data, boot_folder, udev_source())
        host.services.add(_Log(log))
    except BaseException:
        data.close()
        raise
    try:
        host.start()
        gc.collect()  # what is garbage by now would stay, too: the first of each two classes of a dataclass with slots
        gc.freeze()  # what is loaded by now stays: the collector need not look at it again
        with _control(data, host, boot_folder / _CONTROL_SOCKET):
            logger.info("the gateway runs (process %d, data folder %s)", os.getpid(), data_path)
            os.read(stopping, 1)
            logger.info("the gateway is stopping")
    finally:
        host.stop()
    return 0


class _Log(Service):
    """The log of the process, of which health tells when lines had to be left out."""

    name = "log"

    def __init__(self, log: LogStream) -> None:
        self._log = log

    def warnings(self) -> Sequence[str]:
        """Return what people should know."""
        return self._log.warnings()


def _give_memory_back() -> None:
    """Keep glibc from keeping the 19 MiB of a password's hash: blocks of 128 KiB and more go back when they are freed.

    That is glibc's own first threshold (M_MMAP_THRESHOLD of mallopt(3)); setting it stops its growing with use.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # another C library has none
        mallopt(_M_MMAP_THRESHOLD, 128 * 1024)


@contextmanager
def _control(data: DataFolder, host: Host, path: Path) -> Iterator[None]:
    """Serve the control socket, and leave a link to it in the data folder, where commands look for it."""
    control = ControlServer(path, registry_of(data, host))
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


def _stop_by_signal() -> int:
    """Return a pipe to which SIGTERM, Ctrl-C and the end of the terminal write; a second Ctrl-C ends the process.

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
    return stopping
