"""Owns how faults strike: at which stage of a dialogue, on which occasion, and what ends them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from otppi.simulator.dialogue import Dialogue
from otppi.simulator.healthy import HealthyPeer
from otppi.simulator.stages import Hooks, Moment, Stage


class Cure(Enum):
    """What ends a fault besides `heal`: nothing, a power cycle, or already switching the radio off and on."""

    NOTHING = 0
    POWER = 1
    RADIO = 2


@dataclass(slots=True)
class Strike:
    """One strike of a fault, which may look at the moment and change it.

    Attributes:
        peer: the modem.
        moment: the stage at which it strikes.
        injection: the parameters of the fault.
    """

    peer: HealthyPeer
    moment: Moment
    injection: "Injection"

    @property
    def now(self) -> float:
        """The time."""
        return self.moment.now

    @property
    def sms(self) -> Dialogue:
        """The dialogue that it is about, or one that nobody has begun."""
        return self.moment.dialogue or Dialogue(0, self.now)


Undo = Callable[[HealthyPeer], None]
"""Brings the modem back to normal."""

Act = Callable[[Strike], bool]
"""Does the damage; True if that was all, False if the modem goes on as usual afterwards."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that real modems have been seen with.

    Attributes:
        name: how it is asked for.
        row: its row in the project's table of what real modems do (`modems.md`).
        stage: where it acts.
        act: what it does.
        summary: one line for the reader.
        undo: for Stage.SWITCH, what brings the modem back to normal.
        cure: what ends it besides `heal`.
        code: default error code.
        seconds: default time parameter; 0 = for ever, or at once.
        times: default number of occasions; None = each.
        lasting: for Stage.SWITCH, whether `seconds` is how long it lasts.
        concerns: tells the occasions that count.
    """

    name: str
    row: int
    stage: Stage
    act: Act
    summary: str
    undo: Undo | None = None
    cure: Cure = Cure.NOTHING
    code: int = 0
    seconds: float = 0.0
    times: int | None = None
    lasting: bool = True
    concerns: Callable[[Strike], bool] = lambda _: True


@dataclass(slots=True, eq=False)
class Injection:
    """A fault at work in one modem: its parameters and how many occasions it has seen."""

    fault: Fault
    code: int
    seconds: float
    at: int
    times: int | None
    command: str
    seen: int = 0

    def is_due(self, strike: Strike) -> bool:
        """Count this occasion, if it concerns the fault, and tell whether the fault strikes."""
        if self.command and not strike.moment.line.upper().startswith("AT" + self.command):
            return False
        if not self.fault.concerns(strike):
            return False
        self.seen += 1
        return self.at <= self.seen and (self.times is None or self.seen < self.at + self.times)


class FaultBoard(Hooks):
    """The faults at work in one modem."""

    def __init__(self, peer: HealthyPeer) -> None:
        self._peer = peer
        self._active: list[Injection] = []

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the faults at work."""
        return tuple(injection.fault.name for injection in self._active)

    def add(self, injection: Injection, now: float) -> None:
        """Put a fault to work."""
        self._active.append(injection)
        if injection.fault.stage is Stage.SWITCH:
            self._switch_on(injection, now)

    def remove(self, name: str | None = None) -> None:
        """End the fault of that name, or all."""
        self._drop([injection for injection in self._active if name in (None, injection.fault.name)])

    def powered_on(self, now: float) -> None:
        """End what a power cycle cures and bring the other states back."""
        self._cure(Cure.POWER)
        for injection in self._active:
            if injection.fault.stage is Stage.SWITCH:
                self._act(injection, Moment(now))

    def radio_switched_on(self) -> None:
        """End what a radio cycle cures."""
        self._cure(Cure.RADIO)

    def strike(self, stage: Stage, moment: Moment) -> bool:
        """Let the faults of this stage strike, one after the other; True if one of them has ended the matter."""
        return any(
            injection.is_due(strike := Strike(self._peer, moment, injection)) and injection.fault.act(strike)
            for injection in tuple(self._active)
            if injection.fault.stage is stage
        )

    def _cure(self, cure: Cure) -> None:
        """End what this cures: a power cycle also cures what a radio cycle does."""
        self._drop([injection for injection in self._active if injection.fault.cure.value >= cure.value])

    def _switch_on(self, injection: Injection, now: float) -> None:
        self._act(injection, Moment(now))
        if injection.seconds and injection.fault.lasting:
            self._peer.at(now + injection.seconds, lambda _: self._drop([injection]), survives=True)

    def _act(self, injection: Injection, moment: Moment) -> bool:
        return injection.fault.act(Strike(self._peer, moment, injection))

    def _drop(self, injections: list[Injection]) -> None:
        for injection in injections:
            if injection in self._active:
                self._active.remove(injection)
                if injection.fault.undo:
                    injection.fault.undo(self._peer)
