"""What the operations of a gateway work on: those of its rooms, and of the plugins."""

from otppi.host.data_folder import DataFolder
from otppi.host.gateway.operations import Running
from otppi.host.host import Host
from otppi.host.runtime.registry import Audited, Registry, log_audited
from otppi.host.settings.changes import SettingsChanges


def registry_of(data: DataFolder, host: Host | None = None) -> Registry:
    """Return the operations on a data folder, and on the gateway that runs on it where one does."""
    kept = (data.config, data.plugins, data.blocklist, data.keys, data.audit)
    changes = SettingsChanges(data.config, None if host is None else host.apply)

    def tell(audited: Audited) -> None:
        log_audited(audited)
        data.audit.tell(audited)

    return Registry(data.plugins.operations.values(), (*kept, changes, *(_running(host) if host else ())), tell)


def _running(host: Host) -> tuple[object, ...]:
    """Return the parts that are there only while the gateway runs."""
    return (
        Running(host.started, host.fleet.settings_of),
        host.gateway,
        host.ussd,
        host.balances,
        host.dispatch,
        host.devices,
        host.inbox,
        host.webhook,
        host.ingresses,
        host.internet,
        host.accounts,
        host.fleet.power_supply,
        host.services,
    )
