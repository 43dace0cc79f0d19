"""Which settings there are: each room's own section, and what the gateway knows that they need to be read."""

from collections.abc import Callable, Iterable, Mapping

from otppi.api.modem import ModemType
from otppi.api.settings import Document, Input, Section, Suggest
from otppi.host.encryption.settings import ENCRYPTION
from otppi.host.inbox.settings import INBOX
from otppi.host.messages.settings import SMS
from otppi.host.modems.settings import MODEMS
from otppi.host.numbering.numbers import numbers_of
from otppi.host.otp.settings import OTP
from otppi.host.settings.document import Declarations, Reader
from otppi.host.users.settings import API_USERS
from otppi.host.webhook.settings import WEBHOOK

CORE_SECTIONS: tuple[Section, ...] = (SMS, OTP, MODEMS, INBOX, WEBHOOK, API_USERS, ENCRYPTION)


def declarations(
    modem_types: Mapping[str, ModemType], ingresses: Mapping[str, object], others: Iterable[Section]
) -> Declarations:
    """Return what there is to be set.

    Args:
        modem_types: Those of the plugins; what they declare is added to a modem's settings.
        ingresses: Those of the plugins, by the keys of their sections.
        others: The sections of the plugins.
    """
    core = [section.with_types(modem_types) if section is MODEMS else section for section in CORE_SECTIONS]
    known = {Suggest.MODEM_TYPES: modem_types.keys, Suggest.INGRESSES: ingresses.keys}
    return Declarations((*core, *others), _READERS, known)


def _prefixes_as_keys(document: Document) -> Callable[[str], str]:
    """Return how prefixes are read: as the first digits of keys of the own country's numbers."""
    return numbers_of(document.object(SMS.key)).prefix


_READERS: Mapping[Input, Reader] = {Input.PREFIX: _prefixes_as_keys}
