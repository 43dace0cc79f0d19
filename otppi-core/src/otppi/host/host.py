"""The host: puts store, settings, plugins, modems and ways in together, starts them, changes them, stops them."""

import fcntl
import hashlib
import logging
import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from otppi.api.errors import OtpPiError
from otppi.api.ingress import Ingress, IngressContext
from otppi.api.modem import ModemContext, ModemType
from otppi.host.accounts import Accounts
from otppi.host.blocklist import Blocklist
from otppi.host.config import Config, prefixes
from otppi.host.dispatch import Dispatch, Rules
from otppi.host.gateway import HostGateway
from otppi.host.journal import Journal
from otppi.host.plugins import Plugins
from otppi.host.report import Report
from otppi.host.store import Store
from otppi.host.supervisor import Supervised
from otppi.host.worker import ModemWorker

logger = logging.getLogger(__name__)

_PATIENCE = 10.0
"""Seconds in which a modem may finish the message that it is sending when it is stopped."""


class Busy(OtpPiError):  # noqa: N818
    """Another gateway uses the same data folder."""


class DataFolder:
    """What is kept, opened for one process: the store, the plugins that were found, and the settings."""

    def __init__(self, path: Path, *, plugins: Plugins) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise Busy(f"another gateway uses the data folder {path}") from error
        try:
            self.store = Store(path / "settings.json")
            self.plugins = plugins
            self.config = Config(self.store, plugins)
            self.blocklist = Blocklist(self.store)
        except BaseException:
            os.close(self._lock)
            raise

    def close(self) -> None:
        """Release the folder."""
        self.store.close()
        os.close(self._lock)


class Host:
    """A running gateway. `start`, `apply` and `stop` are called by one thread at a time."""

    def __init__(self, data: DataFolder, boot_folder: Path) -> None:
        self.data = data
        self.boot_folder = boot_folder
        self.started = time.time()
        config, sms = data.config, data.config.one("sms")
        self.accounts = Accounts(config.many("api_users"))
        self._report = Report(data.path / "report", sms["report_months"])
        self.dispatch = Dispatch(_rules(sms), Journal(boot_folder), self._report)
        self.gateway = HostGateway(sms, self.accounts, data.blocklist, self.dispatch)
        self._housekeeping = Supervised("housekeeping", self.dispatch.run, self.dispatch.stop)
        self._modem_threads: dict[str, Supervised] = {}
        self._modem_values: dict[str, Mapping[str, Any]] = {}
        self.ingresses: dict[str, tuple[Supervised, Ingress]] = {}

    def start(self) -> None:
        """Start the modems, then the ways in."""
        for problem in self.data.config.problems:
            logger.error("a setting cannot be used, its default is: %s", problem)
        self.dispatch.restore()
        self._housekeeping.start()
        self._use_modems()
        for key in self.data.plugins.ingress_types:
            self._use_ingress(key)

    def apply(self, changed: Iterable[str]) -> None:
        """Use the new values of some sections."""
        config = self.data.config
        for key in changed:
            if key == "sms":
                self.gateway.sms = config.one(key)
                self.dispatch.rules = _rules(config.one(key))
                self._report.months = config.one(key)["report_months"]
                self._use_modems()
            elif key == "api_users":
                self.accounts.replace(config.many(key))
            elif key == "modems":
                self._use_modems()
            elif key in self.data.plugins.ingress_types:
                self._use_ingress(key)

    def stop(self) -> None:
        """Take nothing more in, let each modem finish what it is sending, and tell the senders of the rest."""
        for supervised, _ in self.ingresses.values():
            supervised.stop()
        _end(self._modem_threads.values())
        self._housekeeping.stop()
        self._housekeeping.join(_PATIENCE)
        self.dispatch.close()
        for supervised, _ in self.ingresses.values():
            supervised.join(_PATIENCE)
        self.data.close()

    # -- modems -----------------------------------------------------------------------------------------------------

    def _use_modems(self) -> None:
        """Start, keep or stop modems so that they are those of the settings."""
        wanted: dict[str, Mapping[str, Any]] = {values["name"]: values for values in self._wanted_modems()}
        kept = {worker.name: worker for worker in self.dispatch.workers()}
        workers = []
        for name, values in wanted.items():
            if name in kept and self._modem_values[name] == values:
                workers.append(kept.pop(name))
            elif worker := self._make_worker(values):
                workers.append(worker)
        _end([self._modem_threads.pop(name) for name in kept])  # a port has to be free before a new thread opens it
        self.dispatch.use(workers)
        self._modem_values = wanted
        for worker in workers:
            if worker.name not in self._modem_threads:
                thread = Supervised(f"modem {worker.name}", worker.run, worker.stop)
                self._modem_threads[worker.name] = thread
                thread.start()

    def _wanted_modems(self) -> list[dict[str, Any]]:
        modems = self.data.config.many("modems")
        if not modems:
            return [self._embedded(one) for one in self.data.plugins.modem_types.values() if one.embedded_default]
        sms = self.data.config.one("sms")
        shared = {"country_code": sms["country_code"], "queue_size": sms["queue_size"]}
        return [values | shared for values in modems if values["active"]]

    def _embedded(self, modem_type: ModemType) -> dict[str, Any]:
        logger.warning("no modem is configured: a %s is used, and no message leaves this device", modem_type.title)
        sms = self.data.config.one("sms")
        values = self.data.config.section_of_modem(modem_type.key).defaults()
        shared = {"country_code": sms["country_code"], "queue_size": sms["queue_size"]}
        return values | shared | {"name": modem_type.key, "type": modem_type.key, "default_modem": True}

    def _make_worker(self, values: Mapping[str, Any]) -> ModemWorker | None:
        modem_type = self.data.plugins.modem_types.get(values["type"])
        if modem_type is None:
            logger.error("modem %s is left out: no plugin drives modems of type %s", values["name"], values["type"])
            return None
        try:
            return ModemWorker(
                values["name"],
                modem_type.create(ModemContext(values, self.boot_folder)),
                self.dispatch,
                queue_size=values["queue_size"],
                prefixes=prefixes(values, values["country_code"]),
                default=values["default_modem"],
                send_from_api=values["send_from_api"],
            )
        except Exception:  # a stranger's code may raise anything, and the others must start
            logger.exception("modem %s is left out", values["name"])
            return None

    # -- ways in ----------------------------------------------------------------------------------------------------

    def _use_ingress(self, key: str) -> None:
        """Start an ingress anew with the settings that it has now."""
        if running := self.ingresses.pop(key, None):
            running[0].stop()
            running[0].join(_PATIENCE)
        ingress_type, values = self.data.plugins.ingress_types[key], self.data.config.one(key)
        if not ingress_type.enabled(values):
            return
        folder = self.data.path / key
        folder.mkdir(mode=0o700, exist_ok=True)
        context = IngressContext(values, self.gateway, folder)
        ingress = _GuardedIngress(lambda: ingress_type.create(context))
        supervised = Supervised(key, ingress.run, ingress.stop)
        self.ingresses[key] = (supervised, ingress)
        supervised.start()


class _GuardedIngress(Ingress):
    """An ingress that is made on its own thread: one that cannot be made is shown and tried again as one that fails."""

    def __init__(self, create: Callable[[], Ingress]) -> None:
        self._create = create
        self._made: Ingress | None = None
        self._stopped = False

    def run(self) -> None:
        """Make it, once, and run it."""
        if self._made is None:
            self._made = self._create()
        if not self._stopped:
            self._made.run()

    def stop(self) -> None:
        """Stop it, or keep it from starting."""
        self._stopped = True
        if self._made is not None:
            self._made.stop()

    def describe(self) -> Mapping[str, Any]:
        """Say what it says of itself."""
        return {} if self._made is None else self._made.describe()


def _end(threads: Collection[Supervised]) -> None:
    """Stop modems' threads, all at once; each may finish the message that it is sending."""
    for thread in threads:
        thread.stop()
    deadline = time.monotonic() + _PATIENCE
    for thread in threads:
        if not thread.join(deadline - time.monotonic()):
            logger.warning("%s did not end in time: it still waits for the network", thread.name)


def _rules(sms: Mapping[str, Any]) -> Rules:
    return Rules(
        duplicate_window=sms["duplicate_window"],
        attempts=sms["attempts"],
        modem_grace=sms["modem_grace"],
        fail_over=sms["fail_over"],
        resend_unconfirmed=sms["resend_unconfirmed"],
    )


def boot_folder_of(data: Path) -> Path:
    """Give the folder on a RAM disk that belongs to a data folder: empty after power-on, kept over a crash.

    Raises:
        OtpPiError: There is one that belongs to somebody else, or it cannot be made.
    """
    # systemd may name several folders; the first is ours.
    base = Path(os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0] or "/dev/shm")  # noqa: S108 - checked below
    digest = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:12]
    folder = base / f"otppi-{os.getuid()}-{digest}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise OtpPiError(f"{folder} cannot be made: {error.strerror}") from error
    if status.st_uid != os.getuid() or status.st_mode & 0o077 or folder.is_symlink():
        raise OtpPiError(f"{folder} is not ours alone: somebody else made it")
    return folder
