"""The host: makes the parts of a gateway, and the services that they are, in the order in which they start."""

import threading
import time
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path

from otppi.api.ingress import Origin, Sender
from otppi.api.internet import InternetType
from otppi.api.services import Samples, Service
from otppi.host.administrators.administrators import ORIGIN, Administrators
from otppi.host.administrators.forgotten import ForgottenPasswords
from otppi.host.administrators.service import Administering
from otppi.host.administrators.settings import ADMINISTRATORS
from otppi.host.alarms.conditions import RecentCount, Watched
from otppi.host.alarms.service import Alarms
from otppi.host.clock.device_clock import DeviceClock
from otppi.host.clock.known_dates import newest_date
from otppi.host.clock.time_zone import TimeZone
from otppi.host.data_folder import DataFolder
from otppi.host.durable.in_flight import InFlight
from otppi.host.durable.journal import Journal
from otppi.host.durable.report import Report
from otppi.host.durable.spool import open_spool
from otppi.host.encryption.reader import EnvelopeReader
from otppi.host.encryption.service import Keys
from otppi.host.encryption.settings import ENCRYPTION
from otppi.host.gateway.device_power import DevicePower
from otppi.host.gateway.gateway import HostGateway
from otppi.host.gateway.hardware import card_health, over_currents
from otppi.host.gateway.health import Overview
from otppi.host.gateway.machine import machine, memory_left, storage_use, temperature, undervoltage
from otppi.host.gateway.restarting import Restarting
from otppi.host.inbox.inbox import Inbox
from otppi.host.inbox.service import Receiving
from otppi.host.inbox.settings import INBOX
from otppi.host.ingresses.ingresses import Ingresses
from otppi.host.jobs.jobs import Jobs
from otppi.host.log.ring import LogRing
from otppi.host.logins.login_throttle import LoginThrottle
from otppi.host.logins.password_checks import PasswordChecks
from otppi.host.mail.accounts import MailAccounts
from otppi.host.messages.dispatch import Dispatch
from otppi.host.messages.service import Housekeeping, Messages, rules_of
from otppi.host.messages.settings import SMS
from otppi.host.meter.file import UsageFile
from otppi.host.modems.device import DeviceSource
from otppi.host.modems.devices import DeviceWatch
from otppi.host.modems.fleet import Fleet
from otppi.host.modems.internet import InternetAccess, InternetLinks
from otppi.host.modems.worker import ModemWorker, modem_workers
from otppi.host.otp.one_time import open_passwords
from otppi.host.otp.service import OtpService
from otppi.host.otp.settings import OTP
from otppi.host.reset.groups import Groups
from otppi.host.reset.service import StickResets, Surroundings
from otppi.host.reset.stick_judge import StickJudge, Tries
from otppi.host.runtime.events import EventBus
from otppi.host.runtime.plugin_services import PluginService
from otppi.host.runtime.plugins import Plugins
from otppi.host.runtime.services import Services
from otppi.host.trials.trials import Trials
from otppi.host.update.security import SecurityUpdates
from otppi.host.update.updates import Updates
from otppi.host.users.api_users import Accounts
from otppi.host.users.service import Users
from otppi.host.users.settings import API_USERS
from otppi.host.ussd.balance import Balances
from otppi.host.ussd.service import BalanceReading, UssdService
from otppi.host.ussd.sessions import UssdSessions
from otppi.host.webhook.service import Forwarding
from otppi.host.webhook.settings import WEBHOOK
from otppi.host.webhook.webhook import Webhook
from otppi.kit import system_units
from otppi.kit.at.usb import serial_devices


class Host:
    """A running gateway. `start`, `apply` and `stop` are called by one thread at a time."""

    def __init__(
        self,
        data: DataFolder,
        boot_folder: Path,
        devices: DeviceSource | None = None,
        log: LogRing | None = None,
        *,
        stand_in: bool = True,
    ) -> None:
        self.data = data
        self.log = log or LogRing()
        self.started = time.time()
        self.restarting = Restarting()
        self.device_power = DevicePower()
        self.jobs = Jobs()
        self.trials = Trials(data.plugins.writer_types, data.config, boot_folder / "trials", data.path / "network")
        self.events = EventBus()
        config, plugins = data.config, data.plugins
        self.report = report = Report(data.path / "report", config.one(SMS)["report_months"])
        usage = UsageFile(data.path / "usage", data.path / "report")
        self.clock = _clock(data, boot_folder)
        self.dispatch = _dispatch(data, boot_folder, report, usage, self.events)
        self.dispatch.clock.trust(lambda: self.clock.is_sure)
        data.report.before_reading = self._before_reading
        turn = threading.Lock()  # a hash takes 19 MiB: one at a time, be it a sender's or an administrator's
        checks = PasswordChecks[Sender](LoginThrottle(), turn=turn)
        self.accounts = Accounts(config.many(API_USERS), checks, self.events)
        self.administrators = Administrators(config.many(ADMINISTRATORS), boot_folder, tell=data.tell, turn=turn)
        self.webhook = Webhook(config.one(WEBHOOK))
        self.inbox = Inbox(config.one(INBOX), data.path / "inbox.json", self.events)
        self.otp = open_passwords(config.one(OTP), self.dispatch, boot_folder)
        self.ussd = UssdSessions(self._modems)
        self.balances = Balances(self.ussd, self._modems, self.events)
        self.devices = DeviceWatch(devices, plugins.modem_types.values())
        self.fleet = Fleet(
            config,
            plugins.modem_types,
            self.dispatch,
            usage,
            self.devices,
            boot_folder,
            on_part=self.inbox.received,
            on_answer=self.ussd.answered,
            stand_in=stand_in,
        )
        self.mail = MailAccounts(config, plugins.mail_types, self.dispatch, usage, boot_folder)
        self.internet = _internet(plugins, self.fleet, boot_folder)
        self.gateway = self._gateway()
        self.forgotten = ForgottenPasswords(
            lambda: config.many(ADMINISTRATORS), self._send_code, lambda: self.gateway.capacity() > 0
        )
        self.ingresses = Ingresses(plugins, config, self.gateway, data.path, data.certificate)
        self.updates = Updates(boot_folder.parent / "update", data.path / "update-noted", data.tell)
        self.security_updates = SecurityUpdates(config, self._is_quiet)
        self.alarms = Alarms(config, self._watched(), self.gateway.send_by_hand, self.webhook, data.path / "alarms")
        self.stick_resets = self._stick_resets(boot_folder)
        self.services = Services((*self._own_services(report), *self._plugin_services(boot_folder)), self.events)
        self.dispatch.each_minute.append(self.services.tidy)
        for part in (self.otp, self.webhook, self.ingresses):
            part.subscribe_to(self.events)

    def _before_reading(self) -> None:
        """Have the report say what ended until now."""
        self.dispatch.note_ended()
        self.report.before_reading()

    def start(self) -> None:
        """Start the modems, then the ingresses.

        Raises:
            NoThread: Nothing can be started, for nobody could look after it.
        """
        self.services.start()

    def apply(self, changed: Collection[str]) -> None:
        """Use the new values of some sections."""
        self.services.configure(changed)

    def stop(self) -> None:
        """Take nothing more in, and let each modem finish what it is sending; the rest stays for the next start."""
        self.services.stop()

    def warnings(self) -> list[str]:
        """Return what people should know of all services."""
        return self.services.warnings()

    def _send_code(self, number: str, text: str, administrator: str) -> None:
        """Send an administrator a code, as any message: its text is in RAM only."""
        self.gateway.send_by_hand(number, text, None, Origin(ORIGIN, Sender(administrator)))

    def _watched(self) -> Watched:
        """Return what alarms are known by."""
        logs = (self.accounts.log, self.administrators.log)
        return Watched(
            modems=self._modems,
            balance=self.balances.describe,
            ingresses=self.ingresses.describe,
            storage=partial(storage_use, self.data.path),
            undervoltage=undervoltage,
            temperature=temperature,
            memory_left=memory_left,
            card=card_health,
            over_currents=RecentCount(lambda: sum(over_currents().values())).lately,
            clock_doubtful=self._clock_doubtful,
            failed_logins=RecentCount(lambda: sum(log.failed_so_far for log in logs)).lately,
            failed_update=self._failed_update,
        )

    def _clock_doubtful(self) -> bool | None:
        return self.clock.is_doubtful if self.clock.is_set_here else None

    def _failed_update(self) -> tuple[str, str] | None:
        failed = self.updates.failed()
        return None if failed is None else (failed.version, failed.reason)

    def _is_quiet(self) -> bool:
        """Whether no message waits, and none is being sent."""
        return not any(len(one.queue) or one.sending is not None for one in self.dispatch.workers())

    def _modems(self) -> list[ModemWorker]:
        return modem_workers(self.dispatch.workers())

    def _gateway(self) -> HostGateway:
        """Make what all ingresses call; it works on the parts that are there already."""
        config = self.data.config
        return HostGateway(
            lambda: config.one(SMS),
            self.accounts,
            self.data.blocklist,
            self.dispatch,
            self.otp,
            self.ussd,
            EnvelopeReader(self.data.keys, lambda: config.one(ENCRYPTION)),
            Overview(
                self.dispatch,
                (self,),
                self.balances.describe,
                self._samples,
                lambda: self.ingresses.describe(),
            ),
        )

    def _samples(self) -> Samples:
        """Return the metrics of the services, of the process and of the device."""
        from otppi.host.gateway import metrics  # only where somebody scrapes them

        return {
            **self.services.samples(),
            **metrics.of_threads(self.services.threads()),
            **metrics.of_device(machine(self.data.path)),
            **metrics.of_supply(self.fleet.power_supply.reading()),
            **metrics.of_process(self.started),
        }

    def _own_services(self, report: Report) -> tuple[Service, ...]:
        """Return the services of the rooms, in the order in which they start."""
        config = self.data.config
        return (
            self.data,
            TimeZone(config),
            self.clock,
            Keys(self.data.keys),
            Messages(self.dispatch, report, config),
            OtpService(self.otp, config),
            Housekeeping(self.dispatch),
            Receiving(self.inbox, config),
            Forwarding(self.webhook, config),
            self.devices,
            self.fleet,
            self.mail,
            BalanceReading(self.balances, self.fleet.values),
            UssdService(self.ussd, self.fleet.values),  # stops before the balances: one may wait for a session
            InternetAccess(self.internet, _internet_type(self.data.plugins), config),
            Users(self.accounts, config),
            Administering(self.administrators, self.data.claim, config),
            self.gateway,
            self.ingresses,
            self.updates,
            self.security_updates,
            self.alarms,
            self.trials,
            self.stick_resets,
            self.jobs,  # stops first: what goes on uses all the others
        )

    def _stick_resets(self, boot_folder: Path) -> StickResets:
        """Make what obeys reset sticks."""
        data = self.data
        judge = StickJudge(
            data.claim.device_code.matches,
            Groups(data.config.sections.values()),
            lambda content: content in data.resets.journal.past().seen,
            Tries(boot_folder / "reset-tries"),
        )
        around = Surroundings(data.tell, self.alarms.announce)
        return StickResets(data.resets, judge, data.plugins.media_watchers.values(), data.config, around)

    def _plugin_services(self, boot_folder: Path) -> Iterator[PluginService]:
        config = self.data.config
        for one in self.data.plugins.service_types.values():
            yield PluginService(one, self.events, config.values_of, self.data.path, boot_folder, config.listening)


def _clock(data: DataFolder, boot_folder: Path) -> DeviceClock:
    """Make what keeps the clock of the device, by the first plugin that can: in the card image, where it is ours."""
    kind = next(iter(data.plugins.clock_writers.values()), None) if system_units.in_use() else None
    writer = None if kind is None else kind.create()
    return DeviceClock(data.config, writer, partial(newest_date, data.path), boot_folder)


def _dispatch(data: DataFolder, boot_folder: Path, report: Report, usage: UsageFile, events: EventBus) -> Dispatch:
    """Make what keeps messages, with all that survives of them."""
    return Dispatch(
        rules_of(data.config.one(SMS)),
        Journal(boot_folder),
        open_spool(boot_folder),
        InFlight(data.path / "open", report),
        report,
        usage,
        events,
        data.blocklist.__contains__,
    )


def _internet(plugins: Plugins, fleet: Fleet, boot_folder: Path) -> InternetLinks:
    """Make the connections of modems to the internet, by the first plugin that can."""
    usb = [match for one in plugins.modem_types.values() for match in one.usb]
    return InternetLinks(_internet_type(plugins), fleet.identity_of, fleet.port_of, serial_devices, usb, boot_folder)


def _internet_type(plugins: Plugins) -> InternetType | None:
    return next(iter(plugins.internet_types.values()), None)
