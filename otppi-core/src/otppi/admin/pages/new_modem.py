"""A modem that is taken into use: one that was found, or a simulated one; by the guide as by the list of modems."""

from typing import Final

from otppi.admin.pages.answers import perform
from otppi.admin.pages.tried import Tried, tried
from otppi.admin.parts import Parts
from otppi.host.modems.settings import MODEMS

SIMULATED: Final = "simulated"
"""The type of modem that can be tried without one."""


def can_simulate(parts: Parts) -> bool:
    """Return whether there is a simulated modem to try."""
    return SIMULATED in (parts.config.sections[MODEMS.key].types or {})


def free_name(parts: Parts) -> str:
    """Return a name that no modem has."""
    taken = {one["name"] for one in parts.config.many(MODEMS)}
    return next(name for number in range(len(taken) + 1) if (name := f"m{number}") not in taken)


def adopted(parts: Parts, device: str, name: str) -> Tried:
    """Take a modem that was found into use; the first one of all is the default."""
    first = not parts.config.many(MODEMS)
    return tried(lambda: perform(parts, "device_adopt", device=device, name=name, default=first))


def simulated(parts: Parts, name: str) -> Tried:
    """Take a simulated modem into use; the first one of all is the default."""
    values = {"name": name, "type": SIMULATED, "default_modem": not parts.config.many(MODEMS)}
    return tried(lambda: perform(parts, "settings_add", section=MODEMS.key, values=values))
