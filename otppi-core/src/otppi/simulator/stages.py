"""Owns the stages of a simulated modem's life at which something that is registered with it may act."""

from dataclasses import dataclass, field
from enum import Enum

from otppi.simulator.dialogue import Dialogue
from otppi.simulator.profile import ScriptedUssdAnswer

_NO_ANSWER = ScriptedUssdAnswer()


class Stage(Enum):
    """Where in the modem's life something may act."""

    SWITCH = "a state of the modem, from the injection on and after each power-on"
    LINE = "a command line came, nothing was done about it yet"
    CMGS = "AT+CMGS came and would get its prompt now"
    PROMPTED = "the prompt was written"
    SUBMIT = "Ctrl-Z came after a good TPDU"
    REPORT = "the network has a message and is going to report on it"
    USSD = "a USSD string came and is going to be answered"
    DIAL = "a data call is dialled"
    REPLY = "an answer is about to be written"


@dataclass(slots=True)
class Moment:
    """What may be looked at and changed at a stage.

    Attributes:
        now: the time.
        line: the command line that is executed or answered.
        dialogue: the AT+CMGS dialogue, if it is about one.
        reply: at Stage.REPLY the bytes to be written, which may be replaced.
        reports: at Stage.REPORT the reports to come: seconds from now, and TP-Status; they may be changed.
        ussd: at Stage.USSD the answer to come, which may be replaced.
    """

    now: float
    line: str = ""
    dialogue: Dialogue | None = None
    reply: bytes = b""
    reports: list[tuple[float, int]] = field(default_factory=list)
    ussd: ScriptedUssdAnswer = _NO_ANSWER


class Hooks:
    """What a modem calls at its stages. These do nothing: the modem is healthy."""

    def strike(self, stage: Stage, moment: Moment) -> bool:  # noqa: ARG002 - the signature is what is inherited
        """Act at a stage; return True if that has ended the matter, False if the modem goes on as usual."""
        return False

    def powered_on(self, now: float) -> None:
        """Act after a power-on, before the modem says anything."""

    def radio_switched_on(self) -> None:
        """Act when the radio comes on again after it was off."""
