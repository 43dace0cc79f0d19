"""What the gateway's own rooms register, by the hooks that plugins use, and what settings there are altogether."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, cast

from otppi.api import hookimpl
from otppi.api.operations import Operation
from otppi.api.settings import Document, Input, Section, Suggest
from otppi.host.audit import operations as audit_operations
from otppi.host.encryption import operations as encryption_operations
from otppi.host.encryption.settings import ENCRYPTION
from otppi.host.gateway import operations as gateway_operations
from otppi.host.inbox import operations as inbox_operations
from otppi.host.inbox.settings import INBOX
from otppi.host.mail.settings import MAIL_ACCOUNTS
from otppi.host.messages import operations as message_operations
from otppi.host.messages.settings import SMS, SmsValues
from otppi.host.modems import device_operations
from otppi.host.modems import operations as modem_operations
from otppi.host.modems.settings import MODEMS
from otppi.host.numbering.numbers import numbers_of
from otppi.host.otp.settings import OTP
from otppi.host.runtime import operations as runtime_operations
from otppi.host.runtime.entry_points import Found
from otppi.host.runtime.plugins import Plugins
from otppi.host.settings import operations as settings_operations
from otppi.host.settings.document import Declarations, Reader
from otppi.host.users import operations as user_operations
from otppi.host.users.settings import API_USERS
from otppi.host.ussd import operations as ussd_operations
from otppi.host.webhook.settings import WEBHOOK


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """One room, as the manager of plugins sees it."""

    sections: tuple[Section, ...] = ()
    operations: tuple[Operation, ...] = ()

    @hookimpl
    def otppi_sections(self) -> Sequence[Section]:
        """Return the sections of settings that the room reads."""
        return self.sections

    @hookimpl
    def otppi_operations(self) -> Sequence[Operation]:
        """Return the operations of the room."""
        return self.operations


ROOMS: Final[Mapping[str, Room]] = MappingProxyType(
    {
        "gateway": Room((), gateway_operations.OPERATIONS),
        "messages": Room((SMS,), message_operations.OPERATIONS),
        "otp": Room((OTP,)),
        "modems": Room((MODEMS,), (*device_operations.OPERATIONS, *modem_operations.OPERATIONS)),
        "mail": Room((MAIL_ACCOUNTS,)),
        "ussd": Room((), ussd_operations.OPERATIONS),
        "inbox": Room((INBOX,), inbox_operations.OPERATIONS),
        "webhook": Room((WEBHOOK,)),
        "settings": Room((), settings_operations.OPERATIONS),
        "users": Room((API_USERS,), user_operations.OPERATIONS),
        "encryption": Room((ENCRYPTION,), encryption_operations.OPERATIONS),
        "audit": Room((), audit_operations.OPERATIONS),
        "runtime": Room((), runtime_operations.OPERATIONS),
    }
)

CORE_SECTIONS: tuple[Section, ...] = tuple(section for room in ROOMS.values() for section in room.sections)

CORE_OPERATIONS: tuple[Operation, ...] = tuple(one for room in ROOMS.values() for one in room.operations)


def load_plugins(found: Iterable[Found] | None = None) -> Plugins:
    """Load the rooms, then the plugins that are installed; or only those of `found`, none in safe mode."""
    return Plugins(found, ROOMS)


def declarations(plugins: Plugins) -> Declarations:
    """Return what there is to be set by rooms and plugins."""
    known = {Suggest.MODEM_TYPES: plugins.modem_types.keys, Suggest.INGRESSES: plugins.ingress_types.keys}
    return Declarations(tuple(plugins.sections), _READERS, known)


def _prefixes_as_keys(document: Document) -> Callable[[str], str]:
    """Return how prefixes are read: as the first digits of keys of the own country's numbers."""
    return numbers_of(cast("SmsValues", document.object(SMS.key))).prefix


_READERS: Mapping[Input, Reader] = {Input.PREFIX: _prefixes_as_keys}
