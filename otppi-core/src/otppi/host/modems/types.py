"""Which type of modem drives a modem best."""

from collections.abc import Iterable

from otppi.api.modem import ModemIdentity, ModemType


def best_type(types: Iterable[ModemType], found_by: ModemType, identity: ModemIdentity) -> ModemType:
    """Return the type for a modem that a type's probe found: the first that recognises it, else the one that asked."""
    return next((one for one in types if one.recognises is not None and one.recognises(identity)), found_by)
