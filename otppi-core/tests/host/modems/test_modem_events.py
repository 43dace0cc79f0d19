"""What a modem tells reaches the part of the gateway that it concerns, with the modem's name."""

from typing import Any

from otppi.api.events import DeliveryOutcome, DeliveryReport, InboundPart, UssdAnswer, UssdStatus
from otppi.host.modems.events import HostEvents

REPORT = DeliveryReport("6281200000001", 7, DeliveryOutcome.DELIVERED, 0)
PART = InboundPart("BANK", "a text", 0.0)
ANSWER = UssdAnswer(UssdStatus.FINISHED, "a text")


def test_each_goes_its_way() -> None:
    told: list[tuple[Any, ...]] = []

    def hold(*arguments: Any) -> bool:
        told.append(arguments)
        return True

    def take(*arguments: Any) -> None:
        told.append(arguments)

    events = HostEvents("m0", on_report=take, on_part=hold, on_late=take, on_answer=take)
    events.reported(REPORT)
    assert events.received(PART) is True
    events.answered(ANSWER)
    events.accepted_late("id", 9)
    assert told == [("m0", REPORT), ("m0", PART), ("m0", ANSWER), ("id", 9)]


def test_an_answer_that_nobody_asked_for_is_dropped() -> None:
    def nothing(*_: Any) -> None:
        raise AssertionError

    HostEvents("m0", on_report=nothing, on_part=lambda *_: False, on_late=nothing).answered(ANSWER)
