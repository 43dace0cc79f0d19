"""All operations of a gateway, and what they work on: each room's own, and those of the plugins."""

from otppi.host.data_folder import DataFolder
from otppi.host.encryption import operations as encryption
from otppi.host.gateway import operations as gateway
from otppi.host.host import Host
from otppi.host.inbox import operations as inbox
from otppi.host.modems import device_operations as devices
from otppi.host.modems import operations as modems
from otppi.host.runtime.operations import Registry
from otppi.host.settings import operations as settings
from otppi.host.settings.changes import SettingsChanges
from otppi.host.users import operations as users
from otppi.host.ussd import operations as ussd

CORE_OPERATIONS = (
    *gateway.OPERATIONS,
    *inbox.OPERATIONS,
    *devices.OPERATIONS,
    *modems.OPERATIONS,
    *ussd.OPERATIONS,
    *settings.OPERATIONS,
    *users.OPERATIONS,
    *encryption.OPERATIONS,
)
"""Those of the gateway itself, in the order of their reference."""


def registry_of(data: DataFolder, host: Host | None = None) -> Registry:
    """Return the operations on a data folder, and on the gateway that runs on it where one does."""
    operations = (*CORE_OPERATIONS, *data.plugins.operations.values())
    kept = (data.config, data.plugins, data.blocklist, data.keys)
    if host is None:
        return Registry(operations, (*kept, SettingsChanges(data.config)))
    running = (
        SettingsChanges(data.config, host.apply),
        gateway.Running(host.started, host.settings_of),
        host.gateway,
        host.gateway.ussd,
        host.gateway.balances,
        host.dispatch,
        host.devices,
        host.inbox,
        host.webhook,
        host.ways_in,
        host.internet,
        host.accounts,
        host.power_supply,
    )
    return Registry(operations, (*kept, *running))
