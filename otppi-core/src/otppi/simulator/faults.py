"""Owns how faults strike: at which stage of a dialogue, on which occasion, and what ends them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from otppi.simulator.log import Dialogue
from otppi.simulator.profile import UssdAnswer

if TYPE_CHECKING:
    from otppi.simulator.peer import ModemPeer


_NO_ANSWER = UssdAnswer()


class Stage(Enum):
    """Where in the modem's life a fault acts."""

    SWITCH = "a state of the modem, from the injection on and after each power-on"
    LINE = "a command line came, nothing was done about it yet"
    CMGS = "AT+CMGS came and would get its prompt now"
    PROMPTED = "the prompt was written"
    SUBMIT = "Ctrl-Z came after a good TPDU"
    REPORT = "the network has a message and is going to report on it"
    USSD = "a USSD string came and is going to be answered"
    DIAL = "a data call is dialled"
    REPLY = "an answer is about to be written"


class Cure(Enum):
    """What ends a fault besides `heal`: nothing, a power cycle, or already switching the radio off and on."""

    NOTHING = 0
    POWER = 1
    RADIO = 2


@dataclass(slots=True)
class Moment:
    """What a fault may look at and change when it strikes.

    Attributes:
        peer: the modem.
        now: the time.
        line: the command line that is executed or answered.
        dialogue: the AT+CMGS dialogue, if it is about one.
        reply: at Stage.REPLY the bytes to be written; the act may replace them.
        reports: at Stage.REPORT the reports to come: seconds from now, and TP-Status; the act may change them.
        ussd: at Stage.USSD the answer to come; the act may replace it.
        injection: the parameters of the fault that strikes.
    """

    peer: "ModemPeer"
    now: float
    line: str = ""
    dialogue: Dialogue | None = None
    reply: bytes = b""
    reports: list[tuple[float, int]] = field(default_factory=list)
    ussd: UssdAnswer = _NO_ANSWER
    injection: "Injection" = field(init=False)

    @property
    def sms(self) -> Dialogue:
        """The dialogue that it is about, or one that nobody has begun."""
        return self.dialogue or Dialogue(0, self.now)


Undo = Callable[["ModemPeer"], None]
"""Brings the modem back to normal."""

Act = Callable[[Moment], bool]
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
    concerns: Callable[[Moment], bool] = lambda _: True


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

    def is_due(self, moment: Moment) -> bool:
        """Count this occasion, if it concerns the fault, and tell whether the fault strikes."""
        if self.command and not moment.line.upper().startswith("AT" + self.command):
            return False
        if not self.fault.concerns(moment):
            return False
        self.seen += 1
        return self.at <= self.seen and (self.times is None or self.seen < self.at + self.times)


class FaultBoard:
    """The faults at work in one modem."""

    def __init__(self, peer: "ModemPeer") -> None:
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

    def power_on(self, now: float) -> None:
        """End what a power cycle cures and bring the other states back."""
        self.cure(Cure.POWER)
        for injection in self._active:
            if injection.fault.stage is Stage.SWITCH:
                self._act(injection, Moment(self._peer, now))

    def cure(self, cure: Cure) -> None:
        """End what this cures: a power cycle also cures what a radio cycle does."""
        self._drop([injection for injection in self._active if injection.fault.cure.value >= cure.value])

    def strike(self, stage: Stage, moment: Moment) -> bool:
        """Let the faults of this stage strike, one after the other; True if one of them has ended the matter."""
        return any(
            self._act(injection, moment)
            for injection in tuple(self._active)
            if injection.fault.stage is stage and injection.is_due(moment)
        )

    def _switch_on(self, injection: Injection, now: float) -> None:
        self._act(injection, Moment(self._peer, now))
        if injection.seconds and injection.fault.lasting:
            self._peer.at(now + injection.seconds, lambda _: self._drop([injection]), survives=True)

    def _act(self, injection: Injection, moment: Moment) -> bool:
        moment.injection = injection
        return injection.fault.act(moment)

    def _drop(self, injections: list[Injection]) -> None:
        for injection in injections:
            if injection in self._active:
                self._active.remove(injection)
                if injection.fault.undo:
                    injection.fault.undo(self._peer)
