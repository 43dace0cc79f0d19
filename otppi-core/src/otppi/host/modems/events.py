"""Where one modem tells what comes to it: each kind goes to the part of the gateway that it concerns."""

from collections.abc import Callable
from dataclasses import dataclass

from otppi.api.events import DeliveryReport, InboundPart, UssdAnswer

PartTaker = Callable[[str, InboundPart], bool]
"""Takes a part of a message that came to a modem; True where it is held."""


def _unasked(modem: str, answer: UssdAnswer) -> None:
    """Drop what nobody asked for."""


@dataclass(frozen=True, slots=True)
class HostEvents:
    """What a modem gets as `ModemContext.events`; the callables get its name, but for `on_late`: an id is enough."""

    modem: str
    on_report: Callable[[str, DeliveryReport], None]
    on_part: PartTaker
    on_late: Callable[[str, int], None]
    on_answer: Callable[[str, UssdAnswer], None] = _unasked

    def reported(self, report: DeliveryReport) -> None:
        """Take a status report."""
        self.on_report(self.modem, report)

    def received(self, part: InboundPart) -> bool:
        """Take a message or a part of one; True when it may be deleted from the modem's memory."""
        return self.on_part(self.modem, part)

    def answered(self, answer: UssdAnswer) -> None:
        """Take a USSD answer."""
        self.on_answer(self.modem, answer)

    def accepted_late(self, message_id: str, reference: int) -> None:
        """Take a +CMGS that came after its message had become `unconfirmed`."""
        self.on_late(message_id, reference)
