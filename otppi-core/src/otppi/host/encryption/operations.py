"""The operations on the keys of encrypted envelopes; private ones are never shown."""

from typing import Any

from otppi.api.errors import InvalidSettings
from otppi.api.operations import Offline, Operation, Role
from otppi.api.settings import boolean, text
from otppi.host.encryption.keys import EnvelopeKeys
from otppi.host.runtime.registry import HostCall
from otppi.text import _
from otppi.wire.errors import FieldError

_KEYS = "envelope keys"


def _show(call: HostCall) -> dict[str, Any]:
    """Return the public key as a JWK Set, and the thumbprints of all keys that open envelopes; make the first one."""
    keys = call.part(EnvelopeKeys)
    return keys.jwk_set() | {"thumbprints": keys.thumbprints()}


def _rotate(call: HostCall, discard_damaged: bool) -> dict[str, Any]:
    call.part(EnvelopeKeys).rotate(str(call.actor), discard_damaged=discard_damaged)
    return _show(call)


def _remove(call: HostCall, kid: str) -> dict[str, Any]:
    keys = call.part(EnvelopeKeys)
    try:
        keys.remove(kid, str(call.actor))
    except LookupError as error:
        raise InvalidSettings([FieldError("kid", _("is no key that was replaced"))]) from error
    return {"kid": kid, "thumbprints": keys.thumbprints()}


OPERATIONS = (
    Operation(
        name="keys",
        title=_("Key for encrypted envelopes"),
        help=_("Show the public key that senders encrypt envelopes to, as a JWK Set (RFC 7517); make the first one."),
        handler=_show,
        role=Role.VIEWER,
        changes=_KEYS,
        audit=False,
        command="keys show",
        default_command=True,
        examples=("", "--json > keys.json", "--pem > key.pem"),
        offline=Offline.YES,
    ),
    Operation(
        name="keys_rotate",
        title=_("Replace the key for encrypted envelopes"),
        help=_(
            "Make a new key. One that was replaced still opens envelopes for the days that encryption.keep_days says."
        ),
        handler=_rotate,
        parameters=(
            boolean(
                "discard_damaged",
                _("Discard damaged"),
                _("put a file of keys that cannot be read aside; all senders need the new key then"),
                False,
            ),
        ),
        changes=_KEYS,
        command="keys rotate",
        examples=("", "--discard-damaged"),
        offline=Offline.YES,
    ),
    Operation(
        name="keys_remove",
        title=_("Remove a replaced key"),
        help=_(
            "Drop a key that was replaced before its time, as one that others may have. Envelopes that were encrypted "
            "to it are refused from then on. The current key is replaced first."
        ),
        handler=_remove,
        parameters=(text("kid", _("Thumbprint"), _("thumbprint of the key, as `otppi keys` shows it"), required=True),),
        changes=_KEYS,
        subject="kid",
        command="keys remove",
        positional=("kid",),
        examples=("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",),
        offline=Offline.YES,
    ),
)
