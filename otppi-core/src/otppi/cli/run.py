"""`otppi run`: the gateway in the foreground, until SIGTERM or Ctrl-C."""

import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.host.control import ControlServer
from otppi.host.host import DataFolder, Host, boot_folder_of
from otppi.host.operations import Operations
from otppi.host.plugins import Plugins
from otppi.host.supervisor import Supervised
from otppi.wire.errors import FieldError

logger = logging.getLogger(__name__)

CONTROL_SOCKET = "control"


def run(data_path: Path, provision: Path | None, *, safe_mode: bool) -> int:
    """Run the gateway until it is told to stop.

    Raises:
        OtpPiError: It cannot start, with the reason.
    """
    # Threads hand over within half a millisecond: a modem that answered is served at once while requests come in.
    sys.setswitchinterval(0.0005)
    boot_folder = boot_folder_of(data_path)
    data = DataFolder(data_path, plugins=Plugins(() if safe_mode else None))
    try:
        if provision is not None:
            data.config.update(read_document(provision))
        host = Host(data, boot_folder)
    except BaseException:
        data.close()
        raise
    control = ControlServer(boot_folder / CONTROL_SOCKET, Operations(data, host))
    serving = Supervised("control", control.run, control.stop)
    stopping = threading.Event()

    def stop(signal_number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's signature
        stopping.set()

    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, stop)
    try:
        host.start()
        serving.start()
        logger.info("the gateway runs (process %d)", os.getpid())
        stopping.wait()
    finally:
        logger.info("the gateway is stopping")
        serving.stop()
        serving.join(5)
        control.close()
        host.stop()
    return 0


def read_document(path: Path) -> object:
    """Read a JSON document of settings.

    Raises:
        InvalidSettings: It cannot be read.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise OtpPiError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InvalidSettings([FieldError("document", f"{path} is not JSON: {error}")]) from error
