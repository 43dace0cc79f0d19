"""Which plugins are installed, seen as a gateway sees them when it starts."""

from importlib.metadata import entry_points
from typing import Any

from otppi.cli import logs
from otppi.host.runtime.plugins import Plugins


def installed() -> list[dict[str, Any]]:
    """Load the plugins, as a gateway does, and tell of each."""
    with logs.silent():  # each error is in the list that is given
        together = {one.name: one for one in Plugins().status}
        alone = {point.name: Plugins([point]) for point in entry_points(group="otppi")}
    return [
        {
            "name": one.name,
            "distribution": one.distribution,
            "version": one.version,
            "offers": [] if one.error else _offers(alone[one.name]),
            "error": one.error,
        }
        for one in together.values()
    ]


def _offers(loaded: Plugins) -> list[str]:
    return [f"modem type {key}" for key in loaded.modem_types] + [f"ingress {key}" for key in loaded.ingress_types]
