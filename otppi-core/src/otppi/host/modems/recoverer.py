"""Recovers one modem that was lost: takes the steps that its ladder asks for, counts them, and tells of them."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from otppi.api.errors import ModemLost
from otppi.api.modem import Modem, RecoveryStep
from otppi.host.modems.ladder import Ladder, RecoverySchedule

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recovery:
    """A step that was taken to recover a modem, when (Unix seconds), and why."""

    step: RecoveryStep
    at: float
    cause: str


class Recoverer:
    """Used by the modem's own thread; what it tells about itself may be read by any.

    Attributes:
        counts: How often each step was taken since the gateway was started.
        last: The one that was taken last.
    """

    def __init__(self, name: str, modem: Modem, schedule: RecoverySchedule) -> None:
        self.counts = dict.fromkeys(RecoveryStep, 0)
        self.last: Recovery | None = None
        self._name = name
        self._modem = modem
        self._ladder = Ladder(schedule)

    @property
    def planned(self) -> tuple[RecoveryStep, float] | None:
        """The step that comes next if the modem stays lost, and the earliest time for it (Unix seconds)."""
        planned = self._ladder.planned
        return None if planned is None else (planned.step, time.time() + planned.at - time.monotonic())

    def ready(self) -> None:
        """Note that the modem works."""
        self._ladder.ready(time.monotonic())

    def recover(self, error: ModemLost, stopping: Callable[[], bool]) -> float | None:
        """Take the step that is due for the modem, which is closed.

        Returns:
            Seconds until it is to be opened again; None where nothing was done that takes time.
        """
        step = self._ladder.lost(error.trouble, time.monotonic())
        while step not in (None, RecoveryStep.REINITIALISE) and not stopping():
            if self._carry_out(step, error):
                return self._ladder.schedule.limits(step).pause
            logger.warning("modem %s has no step %s: it is left out", self._name, step.value)
            step = self._ladder.lacks(step, error.trouble, time.monotonic())
        if step is RecoveryStep.REINITIALISE:
            self._note(step, error)
        return None

    def _carry_out(self, step: RecoveryStep, error: ModemLost) -> bool:
        """Carry out a step; False where the modem has no such step."""
        what = "modem %s gets %s, since it does not recover: %s; messages wait or go by other modems meanwhile"
        logger.warning(what, self._name, step.value, error)
        done = True
        try:
            if not self._modem.recover(step):
                return False
        except ModemLost as failure:
            done = False
            logger.warning("modem %s: %s could not be carried out: %s", self._name, step.value, failure)
        except Exception:  # a fault of the driver: the step counts all the same, or it would be taken again and again
            done = False
            logger.exception("modem %s: its driver failed at %s", self._name, step.value)
        self._ladder.took(step, time.monotonic(), done=done)
        self._note(step, error)
        return True

    def _note(self, step: RecoveryStep, error: ModemLost) -> None:
        self.counts[step] += 1
        self.last = Recovery(step, time.time(), error.cause)
