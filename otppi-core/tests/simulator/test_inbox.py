"""Messages that come in, how they are told, and message memories."""

import pytest

from otppi.simulator import ModemPeer, ModemProfile
from otppi.testing.terminal import Terminal
from otppi.wire.dcs import Alphabet
from otppi.wire.segment import join
from otppi.wire.tpdu import SmsDeliver, parse_pdu_line
from otppi.wire.udh import Ports


def read(pdu: str) -> SmsDeliver:
    return SmsDeliver.decode(parse_pdu_line(pdu)[1])


def test_indicated_listed_read_and_deleted(terminal: Terminal) -> None:
    terminal.ask("AT+CNMI=2,1,0,0,0")
    terminal.peer.deliver("+628110000001", "Halo", terminal.now)
    assert terminal.listen() == b'\r\n+CMTI: "SM",1\r\n'
    line, pdu, ok = terminal.ask("AT+CMGL=0")
    assert line == f"+CMGL: 1,0,,{len(parse_pdu_line(pdu)[1])}"
    assert (read(pdu).originator.digits, read(pdu).user_data.text, ok) == ("628110000001", "Halo", "OK")
    assert terminal.ask("AT+CMGL=0") == ["OK"]
    assert terminal.ask("AT+CMGL=1")[0].startswith("+CMGL: 1,1,,")
    assert terminal.ask("AT+CMGR=1") == [f"+CMGR: 1,,{len(parse_pdu_line(pdu)[1])}", pdu, "OK"]
    terminal.ask("AT+CMGD=1")
    assert terminal.ask("AT+CMGL=4") == ["OK"]


def test_routed_to_the_line(terminal: Terminal) -> None:
    terminal.ask("AT+CNMI=2,2,0,0,0")
    terminal.peer.deliver("BANK", "Ünlü", terminal.now)
    line, pdu = terminal.listen().decode().split()[1:]
    assert line == f",{len(parse_pdu_line(pdu)[1])}"
    assert (read(pdu).originator.digits, read(pdu).user_data.text) == ("BANK", "Ünlü")


def test_stored_without_a_word(terminal: Terminal) -> None:
    terminal.peer.deliver("+628110000001", "a" * 200, terminal.now)
    assert terminal.listen() == b""
    assert len(terminal.ask("AT+CMGL=4")) == 5


def test_deleting_many(terminal: Terminal) -> None:
    for text in ("one", "two", "three"):
        terminal.peer.deliver("1234", text, terminal.now)
    terminal.ask("AT+CMGR=2")
    assert terminal.ask("AT+CMGD=1,1") == ["OK"]
    assert [line[:9] for line in terminal.ask("AT+CMGL=4") if line.startswith("+")] == ["+CMGL: 1,", "+CMGL: 3,"]
    assert terminal.ask("AT+CMGD=1,4") == ["OK"]
    assert terminal.ask("AT+CMGL=4") == ["OK"]


def test_a_full_memory_takes_no_more() -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, memories={"SM": 1})))
    terminal.ask("AT+CNMI=2,1,0,0,0")
    terminal.peer.deliver("1234", "one", terminal.now)
    terminal.peer.deliver("1234", "two", terminal.now)
    assert terminal.listen().split(b"\r\n")[1::2] == [b'+CMTI: "SM",1', b'^SMMEMFULL: "SM"']
    assert terminal.ask("AT+CPMS?")[0] == "+CPMS: " + ",".join(['"SM",1,1'] * 3)


def routed(terminal: Terminal) -> list[SmsDeliver]:
    """Return the messages that were routed to the line."""
    lines = terminal.listen().decode().split("\r\n")
    return [read(lines[number + 1]) for number, line in enumerate(lines) if line.startswith("+CMT:")]


LONG = "0123456789" * 40


@pytest.mark.parametrize(("wide", "reference"), [(False, 7), (True, 0xABCD)])
def test_parts_in_another_order_and_twice(terminal: Terminal, wide: bool, reference: int) -> None:
    terminal.ask("AT+CNMI=2,2,0,0,0")
    terminal.peer.deliver_parts("1234", LONG, terminal.now, reference=reference, wide=wide, order=(3, 1, 3, 2))
    parts = [message.user_data for message in routed(terminal)]
    places = [part.concatenation for part in parts]
    assert [place and place.number for place in places] == [3, 1, 3, 2]
    assert {place and (place.reference, place.wide, place.total) for place in places} == {(reference, wide, 3)}
    assert join(parts) == LONG


def test_parts_that_never_come(terminal: Terminal) -> None:
    terminal.ask("AT+CNMI=2,2,0,0,0")
    terminal.peer.deliver_parts("1234", LONG, terminal.now, missing={2})
    numbers = [part.concatenation and part.concatenation.number for part in (m.user_data for m in routed(terminal))]
    assert numbers == [1, 3]
    with pytest.raises(ValueError, match="has 3 parts"):
        terminal.peer.deliver_parts("1234", LONG, terminal.now, order=(4,))


def test_binary(terminal: Terminal) -> None:
    terminal.ask("AT+CNMI=2,2,0,0,0")
    terminal.peer.deliver_binary("1234", bytes(range(256))[:100], terminal.now, ports=Ports(2948, 9200))
    (message,) = routed(terminal)
    assert message.user_data.dcs.alphabet is Alphabet.EIGHT_BIT
    assert message.user_data.payload == bytes(range(100))
    assert message.user_data.header is not None
    assert message.user_data.header.ports == Ports(2948, 9200)


@pytest.mark.parametrize("mt", [1, 2, 3])
def test_class_0_is_shown_and_not_stored(terminal: Terminal, mt: int) -> None:
    terminal.ask(f"AT+CNMI=2,{mt},0,0,0")
    terminal.peer.deliver("1234", "now", terminal.now, flash=True)
    (message,) = routed(terminal)
    assert message.user_data.dcs.message_class == 0
    assert terminal.ask("AT+CMGL=4") == ["OK"]


def test_mt_3_routes_class_3_alone(terminal: Terminal) -> None:
    terminal.ask("AT+CNMI=2,3,0,0,0")
    terminal.peer.deliver("1234", "one", terminal.now)
    assert terminal.listen() == b'\r\n+CMTI: "SM",1\r\n'


@pytest.mark.parametrize(("bfr", "told"), [(0, ["OK", '+CMTI: "SM",1']), (1, ["OK"])])
def test_mode_0_keeps_the_news_back(terminal: Terminal, bfr: int, told: list[str]) -> None:
    terminal.ask("AT+CNMI=0,1,0,0,0")
    terminal.peer.deliver("1234", "one", terminal.now)
    assert terminal.listen() == b""
    assert terminal.ask(f"AT+CNMI=2,1,0,0,{bfr}") == told


def test_an_acknowledgement_is_for_what_was_routed_under_csms_1(terminal: Terminal) -> None:
    terminal.ask("AT+CSMS=1;+CNMI=2,2,0,1,0")
    assert terminal.ask("AT+CNMA") == ["+CMS ERROR: 340"]
    terminal.peer.deliver("1234", "one", terminal.now)
    assert len(routed(terminal)) == 1
    assert terminal.ask("AT+CNMA=0") == ["OK"]
    terminal.peer.deliver("1234", "two", terminal.now)
    assert len(routed(terminal)) == 1
    assert terminal.ask("AT+CNMA=2")[:2] == ["OK", "+CMT: ,18"], "what was not taken comes again"


def test_what_was_not_acknowledged_comes_again_after_a_power_cycle(terminal: Terminal) -> None:
    terminal.peer.inject("routed-needs-cnma", terminal.now)
    terminal.ask("AT+CSMS=1;+CNMI=2,2,0,1,0")
    terminal.peer.deliver("1234", "one", terminal.now)
    assert len(routed(terminal)) == 1
    terminal.peer.unplug(terminal.now)
    terminal.peer.plug(terminal.now)
    terminal.ask("ATE0;+CNMI=2,1,0,0,0")
    terminal.peer.deliver("1234", "two", terminal.now)
    assert terminal.listen(3.0).decode().split("\r\n")[1::2] == ['+CMTI: "SM",1', '+CMTI: "SM",2']


def test_three_memories() -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, memories={"SM": 5, "ME": 9, "SR": 3})))
    assert terminal.ask('AT+CPMS="SM","SM","ME";+CNMI=2,1,0,2,0')[0] == "+CPMS: 0,5,0,5,0,9"
    terminal.peer.deliver("1234", "one", terminal.now)
    assert terminal.listen() == b'\r\n+CMTI: "ME",1\r\n'
    assert terminal.ask("AT+CPMS?")[0] == '+CPMS: "SM",0,5,"SM",0,5,"ME",1,9'
    assert '+CDSI: "SR",1' in terminal.send("x", report=True)


def test_messages_wait_for_room_and_come_when_there_is_some() -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, memories={"SM": 2}, full_urc="FULL {memory}")))
    terminal.ask("AT+CNMI=2,1,0,0,0")
    for number in range(5):
        terminal.peer.deliver("1234", str(number), terminal.now)
    assert terminal.listen().decode().split("\r\n")[5::2] == ["FULL SM"] * 3
    assert terminal.ask("AT+CMGD=1,4") == ["OK", '+CMTI: "SM",1', '+CMTI: "SM",2']
    texts = [read(line).user_data.text for line in terminal.ask("AT+CMGL=4")[1:-1:2]]
    assert texts == ["2", "3"]
    terminal.peer.unplug(terminal.now)
    terminal.peer.plug(terminal.now)
    terminal.ask("ATE0;+CMGD=1,4", 3.0)
    assert len(terminal.ask("AT+CMGL=4")) == 3
