"""The host: puts settings, plugins, modems and ways in together, starts them, changes them, stops them."""

import logging
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from otppi.api.events import SettingsChanged
from otppi.api.modem import ModemContext, ModemIdentity, ModemType
from otppi.host.data_folder import DataFolder
from otppi.host.durable.in_flight import OpenNotes
from otppi.host.durable.journal import Journal
from otppi.host.durable.report import Report
from otppi.host.durable.spool import open_spool
from otppi.host.encryption.reader import EnvelopeReader
from otppi.host.gateway.gateway import HostGateway
from otppi.host.inbox.inbox import Inbox
from otppi.host.ingresses.ingresses import WaysIn
from otppi.host.messages.dispatch import Dispatch, Rules
from otppi.host.meter.file import UsageFile
from otppi.host.meter.limits import limits_of
from otppi.host.meter.meter import Plan
from otppi.host.meter.prices import tariff_of
from otppi.host.meter.values import LimitValues
from otppi.host.modems.device import DeviceSource, Expected
from otppi.host.modems.devices import DeviceWatch
from otppi.host.modems.events import HostEvents
from otppi.host.modems.internet import InternetLinks, sends_sms
from otppi.host.modems.power_supply import PowerSupply
from otppi.host.modems.settings import MODEMS
from otppi.host.modems.sim_check import sim_problem
from otppi.host.modems.worker import ModemWorker, modem_workers
from otppi.host.otp.desk import open_desk
from otppi.host.runtime.events import EventBus
from otppi.host.runtime.supervisor import NoThread, Supervised, Watch, end_all
from otppi.host.users.api_users import Accounts
from otppi.host.ussd.balance import plans_of
from otppi.host.webhook.webhook import Webhook
from otppi.kit.at.usb import serial_devices
from otppi.text import _

logger = logging.getLogger(__name__)

_PATIENCE = 10.0
"""Seconds in which a thread may end; a modem finishes the message that it is sending."""


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
        spool, notes = open_spool(boot_folder), OpenNotes(data.path / "open", self._report)
        self.events = EventBus()
        self.dispatch = Dispatch(
            _rules(sms),
            Journal(boot_folder),
            spool,
            notes,
            self._report,
            self._usage,
            self.events,
            data.blocklist.__contains__,
        )
        self.webhook = Webhook(config.one("webhook"))
        self.otp = open_desk(config.one("otp"), self.dispatch, boot_folder)
        reader = EnvelopeReader(data.keys, lambda: config.one("encryption"))
        self.gateway = HostGateway(sms, self.accounts, data.blocklist, self.dispatch, self.otp, self.events, reader)
        self._housekeeping = Supervised("housekeeping", self.dispatch.run, self.dispatch.stop)
        self.inbox = Inbox(config.one("inbox"), data.path / "inbox.json", self.events)
        self._receiving = (
            Supervised("inbox", self.inbox.run, self.inbox.stop),
            Supervised("webhook", self.webhook.run, self.webhook.stop),
        )
        self.devices = DeviceWatch(devices, data.plugins.modem_types.values())
        self._device_watch = Supervised("devices", self.devices.run, self.devices.stop)
        self._balances = Supervised("balances", self.gateway.balances.run, self.gateway.balances.stop)
        self._modem_threads: dict[str, Supervised] = {}
        self._modem_values: dict[str, Mapping[str, Any]] = {}
        self.ways_in = WaysIn(data.plugins, config, self.gateway, data.path)
        self._internet_type = next(iter(data.plugins.internet_types.values()), None)
        usb = [match for one in data.plugins.modem_types.values() for match in one.usb]
        self.internet = InternetLinks(
            self._internet_type, self._identity_of, self._port_of, serial_devices, usb, boot_folder
        )
        self._others: list[Supervised] = []
        watch = Watch(self._threads, (self.ways_in.look, self.gateway.ussd.look))
        self._watch = Supervised("watch", watch.run, watch.stop)
        self._connect()

    def _connect(self) -> None:
        """Tell the parts of each other, where one is made after another that needs it."""
        data, dispatch, overview = self.data, self.dispatch, self.gateway.overview
        dispatch.each_minute += [data.keys.drop_expired, self.accounts.log.flush]
        for part in (self.otp, self.webhook, self.ways_in):
            part.subscribe_to(self.events)
        overview.ways_in = self.ways_in.describe
        overview.parts += [data, data.store, data.blocklist, data.config, self, self.ways_in]

    def start(self) -> None:
        """Start the modems, then the ways in.

        Raises:
            NoThread: Nothing can be started, for nobody could look after it.
        """
        if not self._watch.start():
            raise NoThread(_("no thread can be started: memory, or the number of processes, is short"))
        self.data.store.settle()
        self.data.blocklist.settle()
        for problem in self.data.config.problems:
            logger.error("a setting cannot be used, and something safe stands in its place: %s", problem)
        self.data.keys.drop_expired()
        self.dispatch.restore()
        self.otp.restore()
        self._housekeeping.start()
        for thread in self._receiving:
            thread.start()
        if self.devices.watching:
            self.devices.refresh()  # which devices are there, before a modem looks for its own
            self._device_watch.start()
        self._use_modems()
        self._balances.start()
        self._use_internet()
        for key in self.data.plugins.ingress_types:
            self.ways_in.use(key)
        self.ways_in.all_started()

    def apply(self, changed: Iterable[str]) -> None:
        """Use the new values of some sections."""
        config, changed = self.data.config, tuple(changed)
        for key in changed:
            if key == "sms":
                self.gateway.configure(config.one(key))
                self.dispatch.rules = _rules(config.one(key))
                self._report.months = config.one(key)["report_months"]
                self._use_modems()
            elif key == "otp":
                self.otp.configure(config.one(key))
            elif key == "api_users":
                self.accounts.replace(config.many(key))
            elif key == "modems":
                self._use_modems()
                self._use_internet()
            elif key in self.data.plugins.internet_types:
                self._use_internet()
            elif key == "encryption":
                self.data.keys.drop_expired()
            elif key == "inbox":
                self.inbox.configure(config.one(key))
            elif key == "webhook":
                self.webhook.configure(config.one(key))
            elif key in self.data.plugins.ingress_types:
                self.ways_in.use(key)
        self.events.publish(SettingsChanged(changed))

    def stop(self) -> None:
        """Take nothing more in, and let each modem finish what it is sending; the rest stays for the next start."""
        self._watch.stop()
        self.ways_in.stop()
        self.accounts.close()
        self.internet.stop()
        self.gateway.ussd.stop()  # first: a balance may be waited for
        end_all([self._balances], _PATIENCE)
        end_all([self._device_watch], _PATIENCE)
        end_all(self._modem_threads.values(), _PATIENCE)
        self.devices.close()
        end_all([self._housekeeping], _PATIENCE)
        end_all(self._receiving, _PATIENCE)
        self.dispatch.close()
        self.ways_in.join()
        self.otp.close()  # last: until then somebody may verify
        self.data.close()

    def look_after(self, thread: Supervised) -> None:
        """Start a thread of somebody else again as well, where it could not be started, or died without a word."""
        self._others.append(thread)

    def _threads(self) -> list[Supervised]:
        """List the threads that are to live."""
        own = [self._housekeeping, *self._receiving, self._device_watch, self._balances, *self._others]
        return [*own, *list(self._modem_threads.values()), *self.internet.threads(), *self.ways_in.threads()]

    # -- modems -----------------------------------------------------------------------------------------------------

    def _use_modems(self) -> None:
        """Start, keep or stop modems so that they are those of the settings."""
        wanted: dict[str, Mapping[str, Any]] = {values["name"]: values for values in self._wanted_modems()}
        kept = {worker.name: worker for worker in modem_workers(self.dispatch.workers())}
        workers = []
        for name, values in wanted.items():
            if name in kept and self._modem_values[name] == values:
                workers.append(kept.pop(name))
            elif worker := self._make_worker(values):
                workers.append(worker)
        # A port has to be free before a new thread opens it.
        end_all([self._modem_threads.pop(name) for name in kept], _PATIENCE)
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
        if not modems and self.data.config.usable("modems"):
            return [self._embedded(one) for one in self.data.plugins.modem_types.values() if one.embedded_default]
        shared = {"queue_size": self.data.config.one("sms")["queue_size"]}
        return [values | shared for values in modems if values["active"] and sends_sms(values)]

    def _embedded(self, modem_type: ModemType) -> dict[str, Any]:
        logger.warning("no modem is configured: a %s is used, and no message leaves this device", modem_type.title)
        values = MODEMS.extended(modem_type).defaults()
        shared = {"queue_size": self.data.config.one("sms")["queue_size"]}
        return values | shared | {"name": modem_type.key, "type": modem_type.key, "default_modem": True}

    def _make_worker(self, values: Mapping[str, Any]) -> ModemWorker | None:
        modem_type = self.data.plugins.modem_types.get(values["type"])
        if modem_type is None:
            logger.error("modem %s is left out: no plugin drives modems of type %s", values["name"], values["type"])
            return None
        events, devices = self._events_of(values["name"]), self.devices if self.devices.watching else None
        limits = cast("LimitValues", values)
        try:
            return ModemWorker(
                values["name"],
                modem_type.create(ModemContext(values, self.boot_folder, events, devices)),
                self.dispatch,
                queue_size=values["queue_size"],
                prefixes=tuple(values["recipient_prefixes"]),
                default=values["default_modem"],
                send_from_api=values["send_from_api"],
                delivery_reports=values["delivery_reports"],
                account=self._usage.account(values["name"], Plan(limits_of(limits), tariff_of(limits))),
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

    def settings_of(self, name: str) -> Mapping[str, Any]:
        """Give the settings by which a modem runs; empty where there is none of this name."""
        return self._modem_values.get(name, {})

    def warnings(self) -> list[str]:
        """Say which modems have another SIM card than the one that is set."""
        workers = modem_workers(self.dispatch.workers())
        problems = ((one.name, sim_problem(self.settings_of(one.name), one.modem.identity())) for one in workers)
        return [_("modem {name}: {problem}", name=name, problem=problem) for name, problem in problems if problem]

    def _identity_of(self, name: str) -> ModemIdentity:
        """Say what is known of a modem; nothing where none of this name sends SMS."""
        workers = (worker for worker in modem_workers(self.dispatch.workers()) if worker.name == name)
        return next((worker.modem.identity() for worker in workers), ModemIdentity())

    def _events_of(self, modem: str) -> HostEvents:
        return HostEvents(
            modem,
            on_report=self.dispatch.reported,
            on_part=self.inbox.received,
            on_late=self.dispatch.accepted_late,
            on_answer=self.gateway.ussd.answered,
        )


def _rules(sms: Mapping[str, Any]) -> Rules:
    return Rules(
        duplicate_window=sms["duplicate_window"],
        attempts=sms["attempts"],
        modem_grace=sms["modem_grace"],
        fail_over=sms["fail_over"],
        resend_unconfirmed=sms["resend_unconfirmed"],
        cheapest=sms["routing"] == "cheapest",
    )
