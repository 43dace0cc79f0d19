"""Shipped to plugin authors: `ModemPeer` and `ModemRack`, a modem with faults on a pty (`otppi.simulator`).

The names are looked up when they are used: the pytest plugin of this distribution is loaded in every test run, also in
those that need no modem.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otppi.simulator import ModemPeer, ModemProfile, ModemRack, SimulatedNetwork

__all__ = ["ModemPeer", "ModemProfile", "ModemRack", "SimulatedNetwork"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("otppi.simulator"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
