"""The modems that are used: those of the settings, each with its worker, its thread, and where it tells what comes."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

from otppi.api.egress import Channel
from otppi.api.events import UssdAnswer
from otppi.api.modem import ModemContext, ModemIdentity, ModemType
from otppi.api.services import Service
from otppi.host.messages.dispatch import Dispatch
from otppi.host.messages.held import HeldEgresses
from otppi.host.messages.settings import SMS
from otppi.host.meter.file import UsageFile
from otppi.host.meter.limits import limits_of
from otppi.host.meter.meter import Account, Plan
from otppi.host.meter.prices import tariff_of
from otppi.host.modems.device import Expected
from otppi.host.modems.devices import DeviceWatch
from otppi.host.modems.events import HostEvents, PartTaker
from otppi.host.modems.internet import sends_sms
from otppi.host.modems.power_supply import PowerSupply
from otppi.host.modems.settings import MODEMS
from otppi.host.modems.sim_check import sim_problem
from otppi.host.modems.values import FleetModemValues, ModemValues
from otppi.host.modems.worker import ModemWorker, modem_workers
from otppi.host.runtime.supervisor import Supervised
from otppi.host.runtime.switches import ServiceSwitch
from otppi.host.settings.config import Config
from otppi.text import _

logger = logging.getLogger(__name__)


class Fleet(Service):
    """All modems that send SMS. Changed by one thread at a time; read by any.

    Args:
        config: The settings.
        modem_types: What the plugins drive, by key.
        dispatch: Whose messages the modems send.
        usage: What each has sent, for its quotas.
        devices: Which hot-plugged devices are there.
        boot_folder: On a RAM disk, for drivers.
        on_part: Takes what comes in.
        on_answer: Takes the answers to USSD strings.
        stand_in: Whether a type's embedded default sends where no modem is configured, so that the product can be
            tried; else nothing is sent then, as on a device.
    """

    name = "modems"
    sections: Collection[str] = (SMS.key, MODEMS.key)

    def __init__(
        self,
        config: Config,
        modem_types: Mapping[str, ModemType],
        dispatch: Dispatch,
        usage: UsageFile,
        devices: DeviceWatch,
        boot_folder: Path,
        on_part: PartTaker,
        on_answer: Callable[[str, UssdAnswer], None],
        *,
        stand_in: bool = True,
    ) -> None:
        self.power_supply = PowerSupply()
        self._config = config
        self._types = modem_types
        self._dispatch = dispatch
        self._usage = usage
        self._devices = devices
        self._boot_folder = boot_folder
        self._on_part = on_part
        self._on_answer = on_answer
        self._stand_in = stand_in
        self._egresses = HeldEgresses("modem")
        self._values: dict[str, FleetModemValues] = {}

    # -- as a service -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the modems of the settings."""
        self._usage.follow(self._config.renames(MODEMS.key))
        wanted = {values["name"]: values for values in self._wanted()}
        self._egresses.follow(self._config.renames(MODEMS.key), wanted)
        kept = {worker.name: worker for worker in modem_workers(self._dispatch.workers())}
        workers = []
        for name, values in wanted.items():
            if name in kept and self._values[name] == values and kept[name].account is self._account(values):
                workers.append(kept.pop(name))
            elif worker := self._make_worker(values):
                workers.append(worker)
        # A port has to be free before a new thread opens it.
        self._egresses.end(kept)
        self._egresses.hold(workers)
        self._dispatch.replace_egresses(workers)
        self._values = wanted
        self._devices.expect(
            {
                worker.name: Expected(values["imei"], values["port"], worker.retry_now)
                for worker in workers
                for values in (wanted[worker.name],)
            }
        )
        self._egresses.run(workers)

    def configure(self, changed: Collection[str]) -> None:  # noqa: ARG002 - either may concern each of them
        """Start, keep or stop modems so that they are those of the settings."""
        self.start()

    def stop(self) -> None:
        """Let each modem finish what it is sending."""
        self._egresses.end(list(self._egresses.threads))

    def warnings(self) -> Sequence[str]:
        """Return that there is no modem, or which modems have another SIM card than the one that is set."""
        if not self._stand_in and not self._config.many(MODEMS):
            return [_("no modem is taken into use yet: no SMS can be sent")]
        workers = modem_workers(self._dispatch.workers())
        problems = ((one.name, sim_problem(self.settings_of(one.name), one.modem.identity())) for one in workers)
        return [_("modem {name}: {problem}", name=name, problem=problem) for name, problem in problems if problem]

    def threads(self) -> Iterable[Supervised]:
        """Return the threads of the modems (any thread)."""
        return list(self._egresses.threads.values())

    def switches(self) -> Sequence[ServiceSwitch]:
        """Return how each modem is, and whether it was stopped (any thread)."""
        return self._egresses.switches(modem_workers(self._dispatch.workers()))

    def switch_off(self, key: str) -> None:
        """Stop a modem after the message that it is sending; what waits for it is kept."""
        self._egresses.switch_off(modem_workers(self._dispatch.workers()), key)

    def switch_on(self, key: str) -> None:
        """Start a modem that was stopped."""
        self._egresses.switch_on(modem_workers(self._dispatch.workers()), key)

    # -- what is known of them (any thread) -------------------------------------------------------------------------

    def values(self) -> Mapping[str, FleetModemValues]:
        """Return the settings by which the modems run, by their names."""
        return self._values

    def settings_of(self, name: str) -> FleetModemValues | None:
        """Return the settings by which a modem runs; None where there is none of this name."""
        return self._values.get(name)

    def port_of(self, name: str) -> str:
        """Return where a modem was found among hot-plugged devices; empty where it was not."""
        return next((device.port for device in self._devices.devices() if device.owner == name), "")

    def identity_of(self, name: str) -> ModemIdentity:
        """Return what is known of a modem; nothing where none of this name sends SMS."""
        workers = (worker for worker in modem_workers(self._dispatch.workers()) if worker.name == name)
        return next((worker.modem.identity() for worker in workers), ModemIdentity())

    # -- making them ------------------------------------------------------------------------------------------------

    def _wanted(self) -> list[FleetModemValues]:
        modems = self._config.many(MODEMS)
        if not modems and self._config.usable(MODEMS.key):
            if not self._stand_in:
                logger.warning("no modem is configured: no SMS can be sent")
                return []
            embedded = [one for one in self._types.values() if one.embedded_default]
            others = {one["type"] for one in self._values.values()} - {one.key for one in embedded}
            if others and self._dispatch.waits(Channel.SMS):  # for a modem that went: these would call it sent
                return []
            return [self._embedded(one) for one in embedded]
        return [self._with_shared(values) for values in modems if values["active"] and sends_sms(values)]

    def _with_shared(self, values: ModemValues) -> FleetModemValues:
        return {**values, "queue_size": self._config.one(SMS)["queue_size"]}

    def _embedded(self, modem_type: ModemType) -> FleetModemValues:
        logger.warning("no modem is configured: a %s is used, and no message leaves this device", modem_type.title)
        values = MODEMS.extended(modem_type).defaults()
        own = {"name": modem_type.key, "type": modem_type.key, "default_modem": True}
        return self._with_shared(cast("ModemValues", values | own))

    def _make_worker(self, values: FleetModemValues) -> ModemWorker | None:
        modem_type = self._types.get(values["type"])
        if modem_type is None:
            logger.error("modem %s is left out: no plugin drives modems of type %s", values["name"], values["type"])
            return None
        events, devices = self._events_of(values["name"]), self._devices if self._devices.watching else None
        try:
            return ModemWorker(
                values["name"],
                modem_type.create(ModemContext(values, self._boot_folder, events, devices)),
                self._dispatch,
                queue_size=values["queue_size"],
                prefixes=tuple(values["recipient_prefixes"]),
                default=values["default_modem"],
                send_from_api=values["send_from_api"],
                delivery_reports=values["delivery_reports"],
                account=self._account(values),
                power_supply=self.power_supply,
            )
        except Exception:  # a stranger's code may raise anything, and the others must start
            logger.exception("modem %s is left out", values["name"])
            return None

    def _account(self, values: FleetModemValues) -> Account:
        return self._usage.account(values["name"], Plan(limits_of(values), tariff_of(values)))

    def _events_of(self, modem: str) -> HostEvents:
        return HostEvents(
            modem,
            on_report=self._dispatch.reported,
            on_part=self._on_part,
            on_late=self._dispatch.accepted_late,
            on_answer=self._on_answer,
        )
