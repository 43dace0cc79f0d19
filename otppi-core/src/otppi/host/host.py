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
from otppi.api.ingress import Ingress, IngressContext, ReceivedMessage
from otppi.api.modem import ModemContext, ModemIdentity, ModemType
from otppi.host.accounts import Accounts
from otppi.host.answers import of_record
from otppi.host.balance import plans_of
from otppi.host.blocklist import Blocklist
from otppi.host.config import Config, prefixes
from otppi.host.device import DeviceSource, Expected
from otppi.host.devices import DeviceWatch
from otppi.host.dispatch import Dispatch, Rules
from otppi.host.gateway import HostGateway
from otppi.host.inbox import Inbox
from otppi.host.internet import InternetLinks, sends_sms
from otppi.host.journal import Journal
from otppi.host.lifecycle import Record
from otppi.host.limits import limits_of
from otppi.host.modem_events import HostEvents
from otppi.host.plugins import Plugins
from otppi.host.power_supply import PowerSupply
from otppi.host.prices import tariff_of
from otppi.host.report import Report
from otppi.host.store import Store
from otppi.host.supervisor import Supervised
from otppi.host.usage import Plan
from otppi.host.usage_file import UsageFile
from otppi.host.webhook import MESSAGE_RECEIVED, MESSAGE_STATE, Webhook, data_of
from otppi.host.worker import ModemWorker
from otppi.kit.usb import serial_devices

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

    def __init__(self, data: DataFolder, boot_folder: Path, devices: DeviceSource | None = None) -> None:
        self.data = data
        self.boot_folder = boot_folder
        self.started = time.time()
        self.power_supply = PowerSupply()
        config, sms = data.config, data.config.one("sms")
        self.accounts = Accounts(config.many("api_users"))
        self._report = Report(data.path / "report", sms["report_months"])
        self._usage = UsageFile(data.path / "usage", data.path / "report")
        self.dispatch = Dispatch(_rules(sms), Journal(boot_folder), self._report, self._usage)
        self.gateway = HostGateway(sms, self.accounts, data.blocklist, self.dispatch)
        self._housekeeping = Supervised("housekeeping", self.dispatch.run, self.dispatch.stop)
        self.webhook = Webhook(config.one("webhook"))
        self.dispatch.listeners.append(self._tell_state)
        self.inbox = Inbox(config.one("inbox"), data.path / "inbox.json", self._forward)
        self._receiving = (
            Supervised("inbox", self.inbox.run, self.inbox.stop),
            Supervised("webhook", self.webhook.run, self.webhook.stop),
        )
        self.devices = DeviceWatch(devices, data.plugins.modem_types.values())
        self._device_watch = None if devices is None else Supervised("devices", self.devices.run, self.devices.stop)
        self._devices_to_find = None if devices is None else self.devices
        self.gateway.balances.post = self.webhook.post
        self._balances = Supervised("balances", self.gateway.balances.run, self.gateway.balances.stop)
        self._modem_threads: dict[str, Supervised] = {}
        self._modem_values: dict[str, Mapping[str, Any]] = {}
        self.ingresses: dict[str, tuple[Supervised, Ingress]] = {}
        self._internet_type = next(iter(data.plugins.internet_types.values()), None)
        usb = [match for one in data.plugins.modem_types.values() for match in one.usb]
        self.internet = InternetLinks(
            self._internet_type, self._identity_of, self._port_of, serial_devices, usb, boot_folder
        )

    def start(self) -> None:
        """Start the modems, then the ways in."""
        for problem in self.data.config.problems:
            logger.error("a setting cannot be used, its default is: %s", problem)
        self.dispatch.restore()
        self._housekeeping.start()
        for thread in self._receiving:
            thread.start()
        if self._device_watch is not None:
            self.devices.refresh()  # which devices are there, before a modem looks for its own
            self._device_watch.start()
        self._use_modems()
        self._balances.start()
        self._use_internet()
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
                self._use_internet()
            elif key in self.data.plugins.internet_types:
                self._use_internet()
            elif key == "inbox":
                self.inbox.configure(config.one(key))
            elif key == "webhook":
                self.webhook.configure(config.one(key))
            elif key in self.data.plugins.ingress_types:
                self._use_ingress(key)

    def stop(self) -> None:
        """Take nothing more in, let each modem finish what it is sending, and tell the senders of the rest."""
        for supervised, _ in self.ingresses.values():
            supervised.stop()
        self.internet.stop()
        self._balances.stop()
        self.gateway.ussd.stop()
        self._balances.join(_PATIENCE)
        if self._device_watch is not None:
            self._device_watch.stop()
        _end(self._modem_threads.values())
        self.devices.close()
        if self._device_watch is not None:
            self._device_watch.join(_PATIENCE)
        self._housekeeping.stop()
        self._housekeeping.join(_PATIENCE)
        for thread in self._receiving:
            thread.stop()
        for thread in self._receiving:
            thread.join(_PATIENCE)
        self.dispatch.close()
        for supervised, _ in self.ingresses.values():
            supervised.join(_PATIENCE)
        self.data.close()

    def _tell_state(self, record: Record) -> None:
        """Tell the webhook what became of a message; on the thread that ended it."""
        if self.webhook.wants(MESSAGE_STATE):
            outcome = of_record(record)
            self.webhook.post(MESSAGE_STATE, {**outcome.data, "response_code": outcome.code.value})

    def _forward(self, message: ReceivedMessage) -> None:
        """Tell the webhook and the ways in of a message that came in; on the inbox's thread."""
        if self.webhook.wants(MESSAGE_RECEIVED):
            self.webhook.post(MESSAGE_RECEIVED, data_of(message))
        for name, (_, ingress) in list(self.ingresses.items()):
            try:
                ingress.received(message)
            except Exception:  # a stranger's code may raise anything, and the others are to be told
                logger.exception("%s did not take message %s, which came in", name, message.message_id)

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
        self.gateway.ussd.timeouts = {name: values["ussd_timeout"] for name, values in wanted.items()}
        self.gateway.balances.use(plans_of(wanted))
        self.devices.expect(
            {
                worker.name: Expected(values["imei"], values["port"], worker.retry_now)
                for worker in workers
                for values in (wanted[worker.name],)
            }
        )
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
        return [values | shared for values in modems if values["active"] and sends_sms(values)]

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
                modem_type.create(
                    ModemContext(values, self.boot_folder, self._events_of(values["name"]), self._devices_to_find)
                ),
                self.dispatch,
                queue_size=values["queue_size"],
                prefixes=prefixes(values, values["country_code"]),
                default=values["default_modem"],
                send_from_api=values["send_from_api"],
                delivery_reports=values["delivery_reports"],
                account=self._usage.account(
                    values["name"], Plan(limits_of(values), tariff_of(values, values["country_code"]))
                ),
                power_supply=self.power_supply,
            )
        except Exception:  # a stranger's code may raise anything, and the others must start
            logger.exception("modem %s is left out", values["name"])
            return None

    # -- internet ---------------------------------------------------------------------------------------------------

    def _use_internet(self) -> None:
        """Connect the modems that are to be connected."""
        config, internet_type = self.data.config, self._internet_type
        modems = [values for values in config.many("modems") if values["active"]]
        self.internet.use(modems, config.one(internet_type.section.key) if internet_type else {})

    def _port_of(self, name: str) -> str:
        """Say where a modem was found among hot-plugged devices; empty where it was not."""
        return next((device.port for device in self.devices.devices() if device.owner == name), "")

    def _identity_of(self, name: str) -> ModemIdentity:
        """Say what is known of a modem; nothing where none of this name sends SMS."""
        workers = (worker for worker in self.dispatch.workers() if worker.name == name)
        return next((worker.modem.identity() for worker in workers), ModemIdentity())

    def _events_of(self, modem: str) -> HostEvents:
        return HostEvents(
            modem,
            on_report=self.dispatch.reported,
            on_part=self.inbox.received,
            on_late=self.dispatch.accepted_late,
            on_answer=self.gateway.ussd.answered,
        )

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

    def received(self, message: ReceivedMessage) -> None:
        """Hand on what came in."""
        if self._made is not None:
            self._made.received(message)

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
        cheapest=sms["routing"] == "cheapest",
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
