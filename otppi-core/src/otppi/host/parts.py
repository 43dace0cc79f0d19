"""What the operations of a gateway work on: those of its rooms, and of the plugins."""

from functools import partial

from otppi.api.operations import Actor
from otppi.host.data_folder import DataFolder
from otppi.host.gateway.operations import Running
from otppi.host.host import Host
from otppi.host.reset.service import OPERATION as RESET_OPERATION
from otppi.host.runtime.registry import Registry
from otppi.host.settings.changes import SettingsChanges


def registry_of(data: DataFolder, host: Host | None = None) -> Registry:
    """Return the operations on a data folder, and on the gateway that runs on it where one does."""
    kept = (
        *(data.config, data.plugins, data.blocklist, data.keys, data.audit, data.report, data.claim),
        *(data.certificate, data.resets),
    )
    changes = SettingsChanges(data.config, None if host is None else host.apply)

    parts = (*kept, data.first_steps, data.backups, changes, *(_running(host) if host else ()))
    registry = Registry(data.plugins.operations.values(), parts, data.tell)
    if host is not None:
        host.administrators.spend_by(partial(_spend, registry))
        host.stick_resets.by(partial(registry.call, RESET_OPERATION))
    return registry


def _spend(registry: Registry, actor: Actor, code: str) -> bool:
    """Use a recovery code up, in the name of whose it is."""
    return bool(registry.call("account_recovery_used", {"code": code}, actor))


def _running(host: Host) -> tuple[object, ...]:
    """Return the parts that are there only while the gateway runs."""
    return (
        Running(host.started, host.fleet.settings_of, host.data.path),
        host.gateway,
        host.ussd,
        host.balances,
        host.dispatch,
        host.report,
        host.devices,
        host.inbox,
        host.webhook,
        host.ingresses,
        host.internet,
        host.accounts,
        host.administrators,
        host.forgotten,
        host.fleet.power_supply,
        host.services,
        host.restarting,
        host.device_power,
        host.clock,
        host.jobs,
        host.trials,
        host.updates,
        host.security_updates,
        host.alarms,
        host.stick_resets,
        host.log,
    )
