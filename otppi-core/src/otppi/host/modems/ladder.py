"""Which step may recover a modem that is lost again and again, and when: no clock, threads or I/O of its own."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from otppi.api.errors import Trouble
from otppi.api.modem import RecoveryStep

STEPS: Mapping[Trouble, tuple[RecoveryStep, ...]] = {
    # A port that is not there has nothing to recover, and one that comes back must not be reset for it (modems.md 23).
    Trouble.ABSENT: (),
    # What does not listen cannot be told to switch its radio; a reset may get through where an answer does not.
    Trouble.SILENT: (RecoveryStep.RESET, RecoveryStep.POWER),
    Trouble.FAULTY: (RecoveryStep.RESET, RecoveryStep.POWER),
    Trouble.NO_NETWORK: (RecoveryStep.RADIO, RecoveryStep.RESET, RecoveryStep.POWER),
}
"""The rungs above opening it again, lowest first."""

_DAY = 86_400.0
_LADDER = (RecoveryStep.RADIO, RecoveryStep.RESET, RecoveryStep.POWER)


@dataclass(frozen=True, slots=True)
class Openings:
    """What comes before the first rung, and between two: at least so many openings that failed, and so many seconds."""

    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class StepLimits:
    """The bounds of one step, in seconds.

    Attributes:
        pause: From the step to the next opening: sooner it only disturbs.
        patience: From the step to the next one: what the modem gets to come back.
        spacing: From the step to the same one again; twice as much each time until the modem is healthy again.
        longest: What `spacing` grows to.
        per_day: How often within 24 hours; then the next rung takes its place.
    """

    pause: float
    patience: float
    spacing: float
    longest: float
    per_day: int


@dataclass(frozen=True, slots=True)
class RecoverySchedule:
    """Every number of the ladder. The defaults are for USB sticks; each has its reason beside it."""

    openings: Mapping[Trouble, Openings] = field(
        default_factory=lambda: {
            # Each opening of a silent modem asks for 4 s already; one that boots is silent for about 10 s.
            Trouble.SILENT: Openings(3, 15.0),
            # A SIM card or a radio that starts refuses for some seconds.
            Trouble.FAULTY: Openings(4, 20.0),
            # A modem searches all its bands for up to a minute, and a network that is out of reach is not its fault.
            Trouble.NO_NETWORK: Openings(5, 60.0),
        }
    )
    radio: StepLimits = StepLimits(
        pause=5.0,  # registering takes 5 to 30 s
        patience=60.0,  # 30 s, and the same again for a roaming SIM card that is refused by a network first
        spacing=300.0,  # each search costs a battery of signalling; networks bar SIM cards that attach all the time
        longest=7200.0,
        per_day=24,
    )
    reset: StepLimits = StepLimits(
        pause=3.0,  # the port vanishes up to 2 s after the command, and who holds it then keeps its number taken
        patience=90.0,  # 20 to 60 s until the port is back, then registering
        spacing=900.0,
        longest=14_400.0,
        per_day=12,
    )
    power: StepLimits = StepLimits(
        pause=3.0,  # the kernel takes the device anew
        patience=120.0,  # as a reset, and USB hubs that switch several sockets together start them one by one
        spacing=1800.0,  # others on the same hub may be cut as well
        longest=21_600.0,
        per_day=6,
    )
    healthy_after: float = 300.0
    """A modem that was ready for so long is healthy: its next trouble starts at the bottom of the ladder."""

    def limits(self, step: RecoveryStep) -> StepLimits:
        """Return the bounds of a rung."""
        return {RecoveryStep.RADIO: self.radio, RecoveryStep.RESET: self.reset, RecoveryStep.POWER: self.power}[step]


DEFAULT_SCHEDULE = RecoverySchedule()


class Planned(NamedTuple):
    """The rung that is next if nothing else helps, and the earliest time for it (the clock of the caller)."""

    step: RecoveryStep
    at: float


class Ladder:
    """The ladder of one modem. All times are seconds of the caller's monotonic clock.

    Attributes:
        planned: What comes next if the modem stays lost; None while it is ready, or where nothing is left to try.
    """

    def __init__(self, schedule: RecoverySchedule = DEFAULT_SCHEDULE) -> None:
        self.schedule = schedule
        self.planned: Planned | None = None
        self._taken: Mapping[RecoveryStep, deque[float]] = {step: deque() for step in _LADDER}
        self._ready_since: float | None = None
        self._start_anew()

    def _start_anew(self) -> None:
        self._lacking: set[RecoveryStep] = set()
        self._times = dict.fromkeys(_LADDER, 0)
        self._reached: RecoveryStep | None = None
        self._openings = 0
        self._since: float | None = None
        self._patience = 0.0

    def ready(self, now: float) -> None:
        """Note that the modem works."""
        self._ready_since = now
        self.planned = None

    def lost(self, trouble: Trouble, now: float) -> RecoveryStep | None:
        """Note that it was lost, or could not be opened; return what is due before it is opened again, if anything.

        After a step that the modem does not have call `lacks`, after any other `took`.
        """
        if self._ready_since is not None and now - self._ready_since >= self.schedule.healthy_after:
            self._start_anew()
        self._ready_since = None
        if trouble is Trouble.ABSENT:
            self.planned = None
            return None
        self._openings += 1
        if self._since is None:
            self._since = now
        return self._due(trouble, now)

    def lacks(self, step: RecoveryStep, trouble: Trouble, now: float) -> RecoveryStep | None:
        """Note that the modem has no such step, until it is healthy again; return what is due instead."""
        self._lacking.add(step)
        return self._due(trouble, now)

    def took(self, step: RecoveryStep, now: float, *, done: bool) -> None:
        """Note that a step was taken; where it was not `done` (nobody listened) the next one need not wait for it."""
        self._taken[step].append(now)
        self._times[step] += 1
        self._reached = step
        if done:
            self._openings, self._since, self._patience = 0, now, self.schedule.limits(step).patience

    def _due(self, trouble: Trouble, now: float) -> RecoveryStep:
        opened = self.schedule.openings[trouble]
        self.planned = self._next(trouble, now, opened.seconds)
        if self.planned is None or now < self.planned.at or self._openings <= opened.count:
            return RecoveryStep.REINITIALISE
        return self.planned.step

    def _next(self, trouble: Trouble, now: float, seconds: float) -> Planned | None:
        """Find the rung above the one that was reached, or the lowest after the top; and when it may be taken."""
        steps = [step for step in STEPS[trouble] if step not in self._lacking and not self._is_used_up(step, now)]
        if not steps:
            return None
        reached = -1 if self._reached is None else _LADDER.index(self._reached)
        step = next((step for step in steps if _LADDER.index(step) > reached), steps[0])
        since = now if self._since is None else self._since
        return Planned(step, max(since + max(seconds, self._patience), self._spaced(step)))

    def _spaced(self, step: RecoveryStep) -> float:
        taken, limits = self._taken[step], self.schedule.limits(step)
        if not taken:
            return float("-inf")
        # The exponent is bounded: a modem may be lost for years.
        growth = 1 << min(max(0, self._times[step] - 1), 32)
        return taken[-1] + min(limits.spacing * growth, limits.longest)

    def _is_used_up(self, step: RecoveryStep, now: float) -> bool:
        taken = self._taken[step]
        while taken and taken[0] <= now - _DAY:
            taken.popleft()
        return len(taken) >= self.schedule.limits(step).per_day
