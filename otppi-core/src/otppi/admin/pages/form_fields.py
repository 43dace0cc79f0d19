"""What pages with forms have in common: the fields as they were sent, and why something could not be kept."""

from collections.abc import Mapping, Sequence
from typing import Any

from otppi.api.errors import OtpPiError
from otppi.text import _, words


def sent(fields: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Return the fields of a form, each with all that came under its name."""
    return {name: value if isinstance(value, list) else [value] for name, value in fields.items()}


def trouble(error: OtpPiError | OSError) -> str:
    """Return why a change that is valid was not made."""
    if isinstance(error, OSError):
        return _("It cannot be kept: {reason}. Nothing was changed.", reason=error.strerror or type(error).__name__)
    return words(error)
