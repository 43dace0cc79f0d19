"""Which plugins are installed, seen as a gateway sees them when it starts."""

from dataclasses import asdict
from typing import Any

from otppi.cli import logs
from otppi.host.core import load_plugins


def installed() -> list[dict[str, Any]]:
    """Load the plugins, as a gateway does, and tell of each."""
    with logs.silent():  # each error is in the list that is given
        return [asdict(one) | {"offers": list(one.offers)} for one in load_plugins().status]
