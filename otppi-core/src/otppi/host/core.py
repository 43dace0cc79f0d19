"""What the gateway's own rooms register, by the hooks that plugins use, and what settings there are altogether."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Final, cast

from otppi.api import hookimpl
from otppi.api.operations import Operation
from otppi.api.pages import Page
from otppi.api.settings import Document, Input, Section, Suggest
from otppi.host.administrators import operations as administrator_operations
from otppi.host.administrators.page import ADMINISTRATION
from otppi.host.administrators.settings import ADMINISTRATORS
from otppi.host.alarms import operations as alarm_operations
from otppi.host.alarms import page as alarm_page
from otppi.host.alarms.settings import ALARMS
from otppi.host.audit import operations as audit_operations
from otppi.host.audit import page as audit_page
from otppi.host.backup import operations as backup_operations
from otppi.host.clock import operations as clock_operations
from otppi.host.clock.settings import CLOCK
from otppi.host.encryption import operations as encryption_operations
from otppi.host.encryption.settings import ENCRYPTION
from otppi.host.gateway import (
    certificate_operations,
    device_power,
    diagnostics,
    first_steps,
    server,
    service_operations,
)
from otppi.host.gateway import operations as gateway_operations
from otppi.host.importing import operations as import_operations
from otppi.host.inbox import operations as inbox_operations
from otppi.host.inbox.settings import INBOX
from otppi.host.jobs import operations as job_operations
from otppi.host.log import operations as log_operations
from otppi.host.mail.settings import MAIL_ACCOUNTS
from otppi.host.messages import operations as message_operations
from otppi.host.messages import report_operations
from otppi.host.messages.settings import SMS, SmsValues
from otppi.host.modems import device_operations, kept_operations, route_operations
from otppi.host.modems import operations as modem_operations
from otppi.host.modems.settings import MODEMS
from otppi.host.numbering.numbers import numbers_of
from otppi.host.otp.settings import OTP
from otppi.host.reset import operations as reset_operations
from otppi.host.reset import page as reset_page
from otppi.host.reset.settings import RESET
from otppi.host.runtime import operations as runtime_operations
from otppi.host.runtime import page as runtime_page
from otppi.host.runtime.entry_points import Found
from otppi.host.runtime.plugins import Plugins
from otppi.host.runtime.settings import PLUGINS, switched_off
from otppi.host.settings import operations as settings_operations
from otppi.host.settings.config import Config
from otppi.host.settings.document import Declarations, Reader
from otppi.host.settings.first_settings import laid_over
from otppi.host.storage.store import NothingKept
from otppi.host.trials import operations as trial_operations
from otppi.host.update import operations as update_operations
from otppi.host.update.settings import UPDATES
from otppi.host.users import operations as user_operations
from otppi.host.users.settings import API_USERS
from otppi.host.ussd import operations as ussd_operations
from otppi.host.webhook.settings import WEBHOOK
from otppi.wire.errors import FieldError


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """One room, as the manager of plugins sees it."""

    sections: tuple[Section, ...] = ()
    operations: tuple[Operation, ...] = ()
    pages: tuple[Page, ...] = ()

    @hookimpl
    def otppi_sections(self) -> Sequence[Section]:
        """Return the sections of settings that the room reads."""
        return self.sections

    @hookimpl
    def otppi_operations(self) -> Sequence[Operation]:
        """Return the operations of the room."""
        return self.operations

    @hookimpl
    def otppi_admin_pages(self) -> Sequence[Page]:
        """Return the pages of the room that are made as those of plugins are."""
        return self.pages


ROOMS: Final[Mapping[str, Room]] = MappingProxyType(
    {
        "gateway": Room(
            (),
            (
                *gateway_operations.OPERATIONS,
                *service_operations.OPERATIONS,
                *device_power.OPERATIONS,
                *first_steps.OPERATIONS,
                *server.OPERATIONS,
                *diagnostics.OPERATIONS,
                *certificate_operations.OPERATIONS,
            ),
        ),
        "messages": Room((SMS,), (*message_operations.OPERATIONS, *report_operations.OPERATIONS)),
        "otp": Room((OTP,)),
        "modems": Room(
            (MODEMS,),
            (
                *device_operations.OPERATIONS,
                *kept_operations.OPERATIONS,
                *modem_operations.OPERATIONS,
                *route_operations.OPERATIONS,
            ),
        ),
        "mail": Room((MAIL_ACCOUNTS,)),
        "importing": Room((), import_operations.OPERATIONS),
        "ussd": Room((), ussd_operations.OPERATIONS),
        "inbox": Room((INBOX,), inbox_operations.OPERATIONS),
        "webhook": Room((WEBHOOK,)),
        "settings": Room((), settings_operations.OPERATIONS),
        "update": Room((UPDATES,), update_operations.OPERATIONS),
        "users": Room((API_USERS,), user_operations.OPERATIONS),
        "administrators": Room((ADMINISTRATORS, ADMINISTRATION), administrator_operations.OPERATIONS),
        "alarms": Room((ALARMS,), alarm_operations.OPERATIONS, (alarm_page.ALARM_LIST,)),
        "encryption": Room((ENCRYPTION,), encryption_operations.OPERATIONS),
        "clock": Room((CLOCK,), clock_operations.OPERATIONS),
        "backup": Room((), backup_operations.OPERATIONS),
        "reset": Room((RESET,), reset_operations.OPERATIONS, (reset_page.RESET_PAGE,)),
        "jobs": Room((), job_operations.OPERATIONS),
        "trials": Room((), trial_operations.OPERATIONS),
        "audit": Room((), audit_operations.OPERATIONS, (audit_page.AUDIT,)),
        "log": Room((), log_operations.OPERATIONS),
        "runtime": Room((PLUGINS,), runtime_operations.OPERATIONS, (runtime_page.PLUGIN_LIST,)),
    }
)

CORE_SECTIONS: tuple[Section, ...] = tuple(section for room in ROOMS.values() for section in room.sections)

CORE_OPERATIONS: tuple[Operation, ...] = tuple(
    one
    for room in ROOMS.values()
    for one in (*room.operations, *(one for page in room.pages for one in page.registered))
)


def load_plugins(
    found: Iterable[Found] | None = None, *, off: Collection[str] = (), safe_mode: bool = False
) -> Plugins:
    """Load the rooms, then the plugins that are installed, or only those of `found`.

    Args:
        found: Plugins in place of those that are installed.
        off: The names of those that are left out.
        safe_mode: Whether all are.
    """
    return Plugins(found, ROOMS, off=off, safe_mode=safe_mode)


def declarations(plugins: Plugins) -> Declarations:
    """Return what there is to be set by rooms and plugins."""
    known = {Suggest.MODEM_TYPES: plugins.modem_types.keys, Suggest.INGRESSES: plugins.ingress_types.keys}
    sections = tuple(_knowing(one, plugins) if one.key == PLUGINS.key else one for one in plugins.sections)
    return Declarations(sections, _READERS, known)


def check_first_settings(documents: Sequence[object], plugins: Plugins | None = None) -> list[list[FieldError]]:
    """Return what is wrong with each of some documents of first settings, without a data folder (`FirstSettings`).

    Args:
        documents: In the order in which a device is given them, later ones on top.
        plugins: Those of the device; by default those that are installed here.
    """
    config = Config(NothingKept(), declarations(load_plugins() if plugins is None else plugins))
    return laid_over(config, documents)[1]


def _knowing(section: Section, plugins: Plugins) -> Section:
    """Return the section of the plugins with a check that knows those which there are."""
    return replace(section, check_document=(partial(switched_off, plugins),))


def _prefixes_as_keys(document: Document) -> Callable[[str], str]:
    """Return how prefixes are read: as the first digits of keys of the own country's numbers."""
    return numbers_of(cast("SmsValues", document.object(SMS.key))).prefix


_READERS: Mapping[Input, Reader] = {Input.PREFIX: _prefixes_as_keys}
