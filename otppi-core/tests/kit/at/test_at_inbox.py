"""What comes in to a modem: read, handed on and then deleted, with every flaw that was seen."""

import time
from typing import Any

import pytest

from otppi.api.events import DeliveryOutcome, InboundPart
from otppi.kit.at.inbound import read_inbound
from otppi.simulator import ModemProfile
from otppi.simulator.commands import COMMANDS, ExtendedCommand
from otppi.simulator.sim import StoredStatus
from otppi.wire.address import Address
from otppi.wire.at import Noise, Urc
from otppi.wire.dcs import UCS2, Dcs
from otppi.wire.segment import segment
from otppi.wire.status_report import SmsStatusReport
from otppi.wire.tpdu import SmsDeliver, SmsSubmit, UserData, pdu_line
from otppi.wire.udh import Concatenation, Ports, UserDataHeader

from .inbox_steps import LONG, MakeDriver, deliver_line, poll, put, settle, stored, texts, work

# -- messages ----------------------------------------------------------------------------------------------------------


def test_a_message_is_handed_on_and_then_deleted(driver: Any) -> None:
    driver.modem.open()
    settle(driver)
    before = time.time()
    driver.peer.deliver("+6281200000001", "Halo, ini teks")
    work(driver, lambda: driver.events.parts)
    settle(driver)
    (part,) = driver.events.parts
    assert (part.originator, part.text, part.reference, part.number, part.total, part.binary) == (
        "+6281200000001",
        "Halo, ini teks",
        None,
        1,
        1,
        False,
    )
    assert abs(part.sent - before) < 5
    assert stored(driver) == 0


def test_what_waited_in_every_memory_is_found_at_the_start(driver: Any) -> None:
    put(driver, "SM", 3, deliver_line("in the SIM"))
    put(driver, "ME", 7, deliver_line("in the modem"), StoredStatus.READ)
    driver.modem.open()
    settle(driver)
    assert sorted(texts(driver)) == ["in the SIM", "in the modem"]
    assert stored(driver) == 0


def test_what_nobody_holds_stays_and_is_offered_again(driver: Any) -> None:
    driver.events.holding = False
    driver.modem.open()
    settle(driver)
    driver.peer.deliver("BANK", "one")
    work(driver, lambda: driver.events.parts)
    settle(driver)
    assert stored(driver) == 1
    driver.events.holding = True
    poll(driver)
    assert texts(driver) == ["one", "one"]
    assert driver.events.parts[0].originator == "BANK"
    assert stored(driver) == 0


def test_the_parts_of_a_long_message_are_told_apart(driver: Any) -> None:
    driver.modem.open()
    driver.peer.deliver_parts("+6281200000001", LONG, reference=0x1234, wide=True, order=(2, 1, 3))
    work(driver, lambda: len(driver.events.parts) == 3)
    assert {(part.reference, part.total) for part in driver.events.parts} == {(0x1234, 3)}
    assert "".join(part.text for part in sorted(driver.events.parts, key=lambda part: part.number)) == LONG


def test_a_character_that_was_cut_in_two_can_be_put_together(driver: Any) -> None:
    halves = [part.payload for part in segment("😀" * 70)]
    assert len(halves) == 3
    payload = b"".join(halves)
    parts = segment("😀" * 70)
    cut = [
        UserData(parts[0].dcs, parts[0].header, payload[:130]),
        UserData(parts[1].dcs, parts[1].header, payload[130:260]),
    ]
    told = [
        read_inbound("+CMGL: 1,0,,0", "00" + SmsDeliver(Address.parse("12345678"), None, data).encode().hex())
        for data in cut
    ]
    joined = "".join(one.text for one in told if isinstance(one, InboundPart))
    assert joined.encode("utf-16-be", "surrogatepass").decode("utf-16-be") == "😀" * 65


def test_a_binary_message_is_told_in_hexadecimal(driver: Any) -> None:
    driver.modem.open()
    driver.peer.deliver_binary("+6281200000001", b"\x01\xff", ports=Ports(2948, 9200))
    work(driver, lambda: driver.events.parts)
    assert (driver.events.parts[0].text, driver.events.parts[0].binary) == ("01FF", True)


def test_a_message_to_be_shown_at_once_is_offered_until_somebody_holds_it(driver: Any) -> None:
    driver.events.holding = False
    driver.modem.open()
    settle(driver)
    driver.peer.deliver("+6281200000001", "flash", flash=True)
    work(driver, lambda: driver.events.parts)
    assert stored(driver) == 0
    driver.events.holding = True
    poll(driver)
    poll(driver)
    assert texts(driver) == ["flash", "flash"]


@pytest.mark.parametrize("line", ["00", "0004", "00FF0102", "0040", "XY", "0", "07"])
def test_what_cannot_be_decoded_is_handed_on_as_it_came(line: str) -> None:
    part = read_inbound("+CMGL: 1,0,,99", line)
    assert isinstance(part, InboundPart)
    assert (part.originator, part.text, part.binary, part.damaged) == ("", line, True, True)


@pytest.mark.parametrize("fault", ["pdu-cut", "pdu-with-parameter"])
@pytest.mark.parametrize("flash", [False, True], ids=["stored", "routed"])
def test_a_pdu_with_a_flaw_is_read_as_far_as_it_goes(driver: Any, fault: str, flash: bool) -> None:
    driver.peer.inject(fault)
    driver.modem.open()
    settle(driver)
    driver.peer.deliver("+6281200000001", "Kode Anda 493817, rahasia", flash=flash)
    work(driver, lambda: driver.events.parts)
    settle(driver)
    (part,) = driver.events.parts
    assert (part.originator, part.damaged) == ("+6281200000001", fault == "pdu-cut")
    assert part.text == ("Kode Anda 493817, rahasia"[: 14 * 8 // 7] if part.damaged else "Kode Anda 493817, rahasia")
    assert stored(driver) == 0


def test_a_report_with_a_parameter_behind_it_is_told(make_driver: MakeDriver) -> None:
    driver = make_driver(profile=ModemProfile(report_delay=0.01))
    driver.peer.inject("pdu-with-parameter")
    driver.modem.open()
    settle(driver)
    driver.modem.send(driver.message(report=True))
    work(driver, lambda: driver.events.reports)
    assert driver.events.reports[0].outcome is DeliveryOutcome.DELIVERED


@pytest.mark.parametrize(
    ("mark", "order"),
    [("fffe", "le"), ("feff", "be"), ("fffe", "be"), ("", "le"), ("", "be")],
    ids=["vumi#812", "marked as it should be", "jasmin#437: the mark lies", "no mark", "plain"],
)
@pytest.mark.parametrize(
    "text", ["00 01 02 03 04", "\u0437\u043e\u043d\u0430 OTP 123456", "\u4f59\u989d\uff1a10.00\u5143", "\U0001f603 OTP"]
)
@pytest.mark.parametrize("header", [None, UserDataHeader.of(Concatenation(1, 2, 2))], ids=["alone", "a part"])
def test_the_order_of_octets_is_told_by_the_text(
    text: str, mark: str, order: str, header: UserDataHeader | None
) -> None:
    payload = bytes.fromhex(mark) + text.encode(f"utf-16-{order}")
    tpdu = SmsDeliver(Address.parse("12345678"), None, UserData(UCS2, header, payload)).encode()
    part = read_inbound(f"+CMT: ,{len(tpdu)}", f"00{tpdu.hex()}")
    assert isinstance(part, InboundPart)
    assert part.text == text


def test_jasmin_664_the_header_of_a_part_that_nobody_told_of() -> None:
    tpdu = bytearray(
        SmsDeliver(
            Address.parse("12345678"),
            None,
            UserData(
                UCS2, UserDataHeader.of(Concatenation(0xF146, 2, 2, wide=True)), "\u043d\u0430".encode("utf-16-be")
            ),
        ).encode()
    )
    tpdu[0] &= ~0x40
    part = read_inbound(f"+CMT: ,{len(tpdu)}", f"00{tpdu.hex()}")
    assert isinstance(part, InboundPart)
    assert (part.text, part.reference, part.number, part.total) == ("\u043d\u0430", 0xF146, 2, 2)


def test_gammu_530_a_text_in_hexadecimal_where_a_pdu_should_be() -> None:
    part = read_inbound("+CMGR: 0,,12", "00480065006C006C006F0020")
    assert isinstance(part, InboundPart)
    assert (part.originator, part.text, part.binary, part.damaged) == ("", "Hello ", False, True)


def test_a_report_that_is_cut_says_whose_it_is() -> None:
    line = "00" + SmsStatusReport(7, Address.parse("+6281200000001"), None, None, 0).encode().hex().upper()
    part = read_inbound("+CDS: 25", line[:-2])
    assert isinstance(part, InboundPart)
    assert (part.originator, part.text, part.binary, part.damaged) == ("+6281200000001", line[:-2], True, True)


def test_what_cannot_be_decoded_does_not_fill_the_memory(driver: Any, caplog: pytest.LogCaptureFixture) -> None:
    put(driver, "SM", 1, "0004")
    compressed = SmsDeliver(Address.parse("12345678"), None, UserData(Dcs(compressed=True), None, b"abc")).encode()
    put(driver, "SM", 2, "00" + compressed.hex())
    driver.modem.open()
    settle(driver)
    assert [(part.originator, part.text, part.binary, part.damaged) for part in driver.events.parts] == [
        ("", "0004", True, True),
        ("+12345678", b"abc".hex(), True, False),
    ]
    assert stored(driver) == 0
    assert "is damaged" in caplog.text
    assert "0004" not in caplog.text


def test_a_line_without_the_service_centre_is_understood() -> None:
    line = deliver_line("short")[2:]
    part = read_inbound(f"+CMT: ,{len(line) // 2}", line)
    assert isinstance(part, InboundPart)
    assert part.text == "short"


def test_messages_to_be_sent_that_somebody_stored_are_left_alone(driver: Any) -> None:
    line, _ = pdu_line(SmsSubmit(Address.parse("+6281200000001"), segment("a draft")[0]))
    driver.modem.open()
    settle(driver)
    put(driver, "SM", 1, line)
    driver.peer._peer.sim.memories["SM"].messages[1].status = Sto()
    poll(driver)
    assert driver.events.parts == []
    assert stored(driver) == 1


class Sto:
    """The <stat> of a stored message that was not sent."""

    value = 2


def test_a_place_that_is_used_again_is_not_deleted_unseen(driver: Any) -> None:
    driver.modem.open()
    settle(driver)
    driver.peer.deliver("+6281200000001", "first")
    driver.modem._inbox._scans = {"ME": None}  # it is listed too
    work(driver, lambda: driver.events.parts)
    driver.peer.deliver("+6281200000001", "second")
    work(driver, lambda: "second" in texts(driver))
    settle(driver)
    assert texts(driver) == ["first", "second"]
    assert stored(driver) == 0


# -- equal messages ----------------------------------------------------------------------------------------------------


def timeless_line(text: str) -> str:
    tpdu = SmsDeliver(Address.parse("+6281200000001"), None, segment(text)[0]).encode()
    return "00" + tpdu.hex().upper()


def test_each_message_has_a_name_of_its_own_that_stays_while_it_is_offered_again(driver: Any) -> None:
    driver.events.holding = False
    put(driver, "SM", 1, timeless_line("1"))
    put(driver, "SM", 2, timeless_line("1"))
    driver.modem.open()
    settle(driver)
    first, second = (part.offer for part in driver.events.parts)
    assert first != second
    poll(driver)
    driver.modem.close()
    driver.modem.open()
    settle(driver)
    driver.events.holding = True
    poll(driver)
    assert [part.offer for part in driver.events.parts] == [first, second] * 4
    put(driver, "SM", 1, timeless_line("1"))
    poll(driver)
    assert driver.events.parts[-1].offer not in (first, second)
    assert stored(driver) == 0


def test_equal_messages_told_on_the_line_have_names_of_their_own(driver: Any) -> None:
    driver.events.holding = False
    driver.modem.open()
    settle(driver)
    for _ in range(2):
        driver.peer.deliver("+6281200000001", "flash", flash=True)
    work(driver, lambda: len(driver.events.parts) == 2)
    poll(driver)
    names = [part.offer for part in driver.events.parts]
    assert len(set(names)) == 2
    assert set(names[2:]) == set(names[:2])


def test_a_message_whose_pdu_does_not_come_stays_and_is_told(driver: Any, caplog: pytest.LogCaptureFixture) -> None:
    put(driver, "SM", 1, "")
    driver.modem.open()
    settle(driver)
    poll(driver)
    assert driver.events.parts == []
    assert stored(driver) == 1
    assert caplog.text.count("what is stored in SM 1 cannot be read") == 1


def test_a_message_on_the_line_whose_pdu_does_not_come_is_told(driver: Any, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        assert driver.modem._inbox.heard(Urc("+CMT", "+CMT: ,24"))
    assert caplog.text.count("is lost") == 1


def test_a_pdu_that_belongs_to_nothing_is_told(driver: Any, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        assert not driver.modem._inbox.heard(Noise(deliver_line("a secret")))
    assert not driver.modem._inbox.heard(Noise("490154203237518"))
    assert caplog.text.count("a PDU came that belongs to nothing") == 1


def test_a_message_whose_listed_line_is_broken_is_read_again_before_it_is_deleted(
    driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(driver, "SM", 1, deliver_line("one"))
    put(driver, "SM", 2, deliver_line("two"))
    one = deliver_line("one")
    lists = [["+CMGL: 1,1,,20", one[:30] + one[31:], "+CMGL: 2,1,,20", "x"]]
    monkeypatch.setitem(COMMANDS, "+CMGL", ExtendedCommand(lambda request: lists.pop() if lists else []))
    driver.modem.open()
    work(driver, lambda: not stored(driver))
    assert texts(driver) == ["one", "two"]
