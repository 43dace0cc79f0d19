"""The check of settings that list prefixes of telephone numbers."""

from collections.abc import Iterable

from otppi.wire.errors import WireError
from otppi.wire.msisdn import normalise_prefix


def prefixes_problem(prefixes: Iterable[str]) -> str | None:
    """Say what is wrong with a list of prefixes, or None."""
    for prefix in prefixes:
        try:
            normalise_prefix(prefix, "1")
        except WireError as error:
            return f"{prefix!r} is not a prefix: {error}"
    return None
