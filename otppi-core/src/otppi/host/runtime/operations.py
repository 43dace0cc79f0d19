"""What every operation works on: the data folder that this process has open, and the gateway where it runs."""

from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.api.ingress import Origin, Sender
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.host.modems.worker import ModemWorker, modem_workers
from otppi.wire.errors import FieldError

CLI = Origin("command-line", Sender("administrator"))
LONGEST_WAIT = 120.0
"""Seconds that an operation may take, so that no connection of the control socket is held for ever."""


class NotRunning(OtpPiError):  # noqa: N818
    """This needs a gateway that runs, and none does."""


class Operating:
    """The base of the parts of `otppi.host.control.operations.Operations`."""

    def __init__(self, data: DataFolder, host: Host | None = None) -> None:
        self._data = data
        self._host = host

    def _running(self) -> Host:
        if self._host is None:
            raise NotRunning("the gateway is not running (start it with: otppi run)")
        return self._host

    def _worker(self, modem: str) -> ModemWorker:
        workers = {worker.name: worker for worker in modem_workers(self._running().dispatch.workers())}
        if modem not in workers:
            reason = f"there is no active modem of this name; there are {', '.join(workers)}"
            raise InvalidSettings([FieldError("modem", reason)])
        return workers[modem]
