"""Shows by the device's light, or its buzzer, how a reset by a stick goes: a unit of the card image does it."""

import logging
from enum import StrEnum
from typing import Final

from otppi.kit import system_units
from otppi.kit.system_units import UnitError

logger = logging.getLogger(__name__)

_UNIT: Final = "otppi-signal@{signal}.service"
_PATIENCE: Final = 10.0


class StickSignal(StrEnum):
    """What is shown."""

    READING = "reading"
    DONE = "done"
    REFUSED = "refused"


def show(signal: StickSignal) -> None:
    """Show it in place of what is shown; where there is no light, nothing happens."""
    if not system_units.in_use():
        return
    try:
        for other in StickSignal:
            if other is not signal:
                system_units.stop(_UNIT.format(signal=other), _PATIENCE)
        system_units.start(_UNIT.format(signal=signal), _PATIENCE)
    except UnitError as error:  # what is done counts, and not what is shown of it
        logger.warning("the signal %s is not shown: %s", signal, error)
