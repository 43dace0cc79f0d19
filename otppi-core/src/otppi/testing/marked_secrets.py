"""Settings whose every secret is a marker, to look for it wherever it must not be."""

from collections.abc import Iterable
from typing import Any, Final

from otppi.api.operations import Role
from otppi.api.settings import Setting
from otppi.host.settings.config import Config

MARKER: Final = "RAHASIA552"
PIN: Final = "73917391"
"""Where digits are wanted."""
TOTP: Final = (MARKER * 4)[:32]
"""Where an authenticator's secret is wanted."""
HASHES: Final = frozenset(("password_hash", "token_hashes", "recovery_hashes", "phone_confirmed"))
"""Made of secrets by the gateway."""


def marked(setting: Setting) -> str:
    """Return a value for a secret: the marker that can be set.

    Raises:
        AssertionError: None can.
    """
    for one in (MARKER, TOTP, PIN):
        if setting.problem(one) is None:
            return one
    raise AssertionError(f"no marker is a value of {setting.key}")


def with_secrets(settings: Iterable[Setting], **values: Any) -> dict[str, Any]:
    """Return an object with every secret that is not made of another one."""
    return {one.key: marked(one) for one in settings if one.secret and one.key not in HASHES} | values


def marked_document(config: Config) -> dict[str, Any]:
    """Return a document in which every secret of every section and type is set."""
    document: dict[str, Any] = {}
    for key, section in config.sections.items():
        if section.identity is None:
            document[key] = config.one(key) | with_secrets(section.settings)
        elif section.types is not None:
            document[key] = [
                with_secrets(
                    section.of_type(kind).settings,
                    **{section.identity: kind, str(section.typed_by): kind, "active": kind == "simulated"},
                )
                for kind in section.types
            ]
        else:
            more = {"role": Role.ADMINISTRATOR.value} if key == "administrators" else {}
            document[key] = [with_secrets(section.settings, **{section.identity: "app"}, **more)]
    return document


def kept_secrets(config: Config) -> set[str]:
    """Return the values of all secrets that are kept, hashes among them."""
    found = set()
    for key, section in config.sections.items():
        values = config.values_of(key)
        for item in values if isinstance(values, list) else [values]:
            for one in section.of(item).settings:
                if one.secret:
                    value = item[one.key]
                    found |= set(value) if isinstance(value, list) else {value}
    return found - {""}
