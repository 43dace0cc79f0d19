"""Whether the password is wanted once more before something is done (ASVS 5.0, 7.5.1 and 7.5.3)."""

from collections.abc import Mapping

from otppi.api.operations import Operation
from otppi.host.runtime.registry import SETTINGS, Registry
from otppi.host.settings.config import Config

_NAMES = ("path", "section")
"""Arguments that name what is changed, its section first."""


def asks_again(registry: Registry, operation: Operation, arguments: object) -> bool:
    """Return whether it is, by what operation and sections declare: of a setting, that of its section counts.

    Args:
        registry: Whose operation it is.
        operation: What is to be done.
        arguments: As they were given.
    """
    keys = [one.key for one in operation.parameters if one.key in _NAMES]
    if operation.asks_again or not keys or operation.changes != SETTINGS or not isinstance(arguments, Mapping):
        return operation.asks_again
    sections = registry.part(Config).sections
    named = {str(arguments.get(key, "")).partition(".")[0] for key in keys}
    return any(sections[one].asks_again for one in named if one in sections)
