"""Answers in which a quote is lost, or that are written in hexadecimal, say the same as those that are whole."""

from typing import cast

import pytest

from otppi.api.modem import ModemIdentity
from otppi.kit.at.channel import AtChannel
from otppi.kit.at.inbox import AtInbox
from otppi.kit.at.smsc import number_in
from otppi.kit.at.start import Profile, look
from otppi.testing.scripted import RecordedEvents
from otppi.wire.at import Urc


class Answers:
    """A channel to a modem that answers these commands, and OK to all others."""

    charset = "GSM"

    def __init__(self, **said: str) -> None:
        self._said = {f"AT+{name}": line for name, line in said.items()}

    def attempt(self, line: str, timeout: float = 5.0) -> tuple[str, ...]:
        said = self._said.get(line.rstrip("=?"))
        return ("_OUWCTI: 4", said) if said and line.endswith("?") else ()

    @property
    def channel(self) -> AtChannel:
        return cast("AtChannel", self)


@pytest.mark.parametrize(
    ("told", "operator"),
    [
        ('+COPS: 0,0,"Nowhere",2', "Nowhere"),
        ('+COPS: 0,0,"No, where",2', "No, where"),
        ('+COPS: 0,0,"Nowhere,2', "Nowhere"),
        ('+COPS: 0,0,Nowhere",2', "Nowhere"),
        ("+COPS: 0,2,00101,2", "00101"),
        ('+COPS: 0 , 0 , "Nowhere"', "Nowhere"),
        ('+COPS: 0,0,"",2', ""),
        ("+COPS: 0", ""),
    ],
)
def test_the_operator(told: str, operator: str) -> None:
    assert look(Answers(CREG="+CREG: 0,1", COPS=told).channel, ModemIdentity()).operator == operator


@pytest.mark.parametrize(
    ("told", "number"),
    [
        ('+CSCA: "+620000000000",145', "+620000000000"),
        ('+CSCA: "+620000000000,145', "+620000000000"),
        ('+CSCA: +620000000000",145', "+620000000000"),
        ("+CSCA: +620000000000,145", "+620000000000"),
        ('+CSCA: "002B003600320030003000300030",145', "+620000"),
        ('+CSCA: "00360032003800310030",129', "62810"),
        ('+CSCA: "2B363238313030",145', "+628100"),
        ('+CSCA: "",129', ""),
        ("", ""),
    ],
)
def test_the_service_centre(told: str, number: str) -> None:
    assert number_in(("^RSSI: 9", told)) == number


@pytest.mark.parametrize(
    "told",
    [
        '+CPMS: ("SM","ME"),("SM"),("SM")',
        '+CPMS: ("SM,"ME"),("SM"),("SM")',
        '+CPMS: (SM","ME),("SM"),("SM")',
        "+CPMS: (SM,ME),(SM),(SM)",
        '("SM","ME"),("SM"),("SM")',
        '+CPMS: "SM","ME"',
    ],
)
def test_the_memories(told: str) -> None:
    inbox = AtInbox(RecordedEvents(), Profile())
    inbox.opened(Answers(CPMS=told).channel, ModemIdentity())
    assert inbox._memories == ("SM", "ME")


@pytest.mark.parametrize("told", ['+CMTI: "SM",3', '+CMTI: "SM,3', '+CMTI: SM",3', "+CDSI: SM , 3"])
def test_a_message_that_is_announced(told: str) -> None:
    inbox = AtInbox(RecordedEvents(), Profile())
    assert inbox.heard(Urc(told[:5], told))
    assert list(inbox._places) == [("SM", 3)]
