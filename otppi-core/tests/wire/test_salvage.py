"""PDU lines with a flaw: cut at each octet, with each octet wrong, with lengths that count something else."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otppi.wire import gsm7
from otppi.wire.address import Address, TypeOfNumber, encode_smsc
from otppi.wire.dcs import GSM7, UCS2, Alphabet, Dcs
from otppi.wire.errors import WireError
from otppi.wire.salvage import Received, Remains, read_received
from otppi.wire.segment import segment
from otppi.wire.status_report import SmsStatusReport
from otppi.wire.tpdu import SmsDeliver
from otppi.wire.udh import Concatenation, UserDataHeader
from otppi.wire.user_data import UserData

NOON = datetime(2030, 11, 22, 12, 0, 0, tzinfo=timezone(timedelta(hours=7)))
PHONE = Address("6281200000001", TypeOfNumber.INTERNATIONAL)
SENDERS = [PHONE, Address("4444"), Address("BANK", TypeOfNumber.ALPHANUMERIC), Address("08120000001")]
SMSC = encode_smsc(Address("62816124", TypeOfNumber.INTERNATIONAL))
TEXT = "Kode Anda 493817, jangan beritahu siapa pun"
ACCENTS = "Votre crédit ’12,50’ jusqu’au 31/12/2030"  # noqa: RUF001 - it needs UCS-2
CONCATENATED = UserDataHeader.of(Concatenation(0x5A, 3, 2))
PAYLOADS = [
    segment(TEXT)[0],
    segment(ACCENTS)[0],
    UserData(GSM7, CONCATENATED, gsm7.encode(TEXT)),
    UserData(UCS2, CONCATENATED, ACCENTS.encode("utf-16-be")),
    UserData(Dcs(Alphabet.EIGHT_BIT), None, bytes(range(40))),
    segment("O")[0],
]


def deliver(user_data: UserData, originator: Address = PHONE) -> SmsDeliver:
    return SmsDeliver(originator, NOON, user_data)


def line_of(tpdu: bytes | bytearray, smsc: bytes = SMSC) -> str:
    return (smsc + tpdu).hex().upper()


def message(received: Received) -> SmsDeliver:
    assert isinstance(received.tpdu, SmsDeliver)
    return received.tpdu


messages = st.builds(deliver, st.sampled_from(PAYLOADS), st.sampled_from(SENDERS))
reports = st.builds(
    SmsStatusReport,
    message_reference=st.integers(0, 255),
    recipient=st.just(PHONE),
    timestamp=st.just(NOON),
    discharge=st.just(NOON + timedelta(seconds=9)),
    status=st.sampled_from([0, 0x30, 0x46]),
)
smscs = st.sampled_from([SMSC, b"\0"])


@given(messages, smscs, st.booleans())
def test_what_is_right_is_read_as_it_is_and_whole(sent: SmsDeliver, smsc: bytes, told: bool) -> None:
    tpdu = sent.encode()
    assert read_received(line_of(tpdu, smsc), len(tpdu) if told else None) == Received(sent)
    assert read_received(tpdu.hex(), len(tpdu)) == Received(sent), "without the service centre's address"


@given(messages, smscs, st.booleans(), st.data())
def test_a_message_that_is_cut_anywhere_keeps_its_sender_and_is_never_whole(
    sent: SmsDeliver, smsc: bytes, told: bool, data: st.DataObject
) -> None:
    tpdu = sent.encode()
    address_ends = len(smsc) + 1 + len(sent.originator.encode())
    digits = line_of(tpdu, smsc)
    cut = data.draw(st.integers(0, len(digits) - 1))
    try:
        received = read_received(digits[:cut], len(tpdu) if told else None)
    except WireError:
        assert cut < 2 * address_ends
        return
    assert not received.whole
    if cut >= 2 * address_ends:
        part = message(received)
        assert part.originator == sent.originator
        assert part.user_data.dcs != sent.user_data.dcs or sent.user_data.payload.startswith(part.user_data.payload)


@given(messages, smscs, st.booleans(), st.data())
@settings(max_examples=500)
def test_a_message_with_a_wrong_octet_keeps_its_sender(
    sent: SmsDeliver, smsc: bytes, told: bool, data: st.DataObject
) -> None:
    tpdu = sent.encode()
    octets = bytearray(smsc + tpdu)
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] ^= data.draw(st.integers(1, 255))
    address = range(len(smsc) + 1, len(smsc) + 1 + len(sent.originator.encode()))
    try:
        received = read_received(octets.hex(), len(tpdu) if told else None)
    except WireError:
        assert place in address
        return
    if place in address:
        return
    part = message(received)
    assert part.originator == sent.originator
    udl = len(smsc) + 1 + len(sent.originator.encode()) + 2 + 7
    if place == udl and received.whole and told:
        octets_told = [
            (7 * n + 7) // 8 if sent.user_data.dcs.packed else n for n in (octets[udl], tpdu[udl - len(smsc)])
        ]
        everything = sent.user_data.payload
        assert octets_told[0] == octets_told[1] or everything.startswith(part.user_data.payload[: len(everything)])


@given(reports, smscs, st.booleans(), st.data())
def test_a_report_that_is_cut_or_wrong_never_raises_and_keeps_whose_it_is(
    sent: SmsStatusReport, smsc: bytes, told: bool, data: st.DataObject
) -> None:
    tpdu = sent.encode()
    address = range(len(smsc) + 2, len(smsc) + 2 + len(sent.recipient.encode()))
    octets = bytearray(smsc + tpdu)
    place = data.draw(st.integers(len(smsc), len(octets) - 1))
    if data.draw(st.booleans()):
        octets[place] ^= data.draw(st.integers(1, 255))
        intact = place not in address
    else:
        octets = octets[:place]
        intact = place >= address.stop
    try:
        received = read_received(octets.hex(), len(tpdu) if told else None)
    except WireError:
        assert not intact
        return
    if intact:
        assert isinstance(received.tpdu, SmsStatusReport | Remains)
        assert received.tpdu.recipient == PHONE
    if len(octets) < len(smsc + tpdu):
        assert not received.whole


@given(st.binary(max_size=180), st.one_of(st.none(), st.integers(0, 200)))
def test_no_octets_break_it(octets: bytes, length: int | None) -> None:
    try:
        received = read_received(octets.hex(), length)
    except WireError:
        return
    if isinstance(received.tpdu, SmsDeliver) and not received.tpdu.user_data.dcs.compressed:
        assert isinstance(received.tpdu.user_data.text, str)


@given(st.text(max_size=60))
def test_no_line_breaks_it(line: str) -> None:
    try:
        read_received(line)
    except WireError:
        return


# -- captures, and flaws of a known kind -------------------------------------------------------------------------------


def test_smspdudecoder_12_user_data_of_21_octets_where_68_septets_are_told() -> None:
    tpdu = deliver(segment("x" * 68)[0]).encode()
    assert tpdu[-61] == 0x44
    received = read_received(line_of(tpdu[: len(tpdu) - 60 + 21]))
    assert not received.whole
    assert (message(received).originator, message(received).user_data.text) == (PHONE, "x" * 24)


@pytest.mark.parametrize("behind", [",0", ", 0", ',0,"x"', '"', " ", ",,"])
def test_what_stands_behind_the_pdu_is_left_alone(behind: str) -> None:
    sent = deliver(PAYLOADS[0])
    assert read_received(line_of(sent.encode()) + behind, len(sent.encode())) == Received(sent)


def test_a_digit_that_is_missing_at_the_end_is_a_flaw() -> None:
    received = read_received(line_of(deliver(PAYLOADS[0]).encode())[:-1])
    assert not received.whole
    assert TEXT.startswith(message(received).user_data.text)


@pytest.mark.parametrize("padding", [b"\0", b"\xff" * 10, b"\x1a", b"\r\n"])
def test_padding_is_no_flaw(padding: bytes) -> None:
    sent = deliver(PAYLOADS[1])
    assert read_received(line_of(sent.encode() + padding)) == Received(sent)


def test_more_octets_than_the_length_tells_are_shown() -> None:
    tpdu = bytearray(deliver(segment(TEXT)[0]).encode())
    tpdu[-len(gsm7.pack(gsm7.encode(TEXT))) - 1] = 10
    received = read_received(line_of(tpdu), len(tpdu))
    assert not received.whole
    assert message(received).user_data.text.startswith(TEXT)


def test_a_length_that_counts_characters_of_ucs2() -> None:
    tpdu = bytearray(deliver(segment(ACCENTS)[0]).encode())
    tpdu[-2 * len(ACCENTS) - 1] = len(ACCENTS)
    received = read_received(line_of(tpdu), len(tpdu))
    assert (received.whole, message(received).user_data.text) == (True, ACCENTS)


def test_a_length_that_counts_octets_of_septets() -> None:
    packed = gsm7.pack(gsm7.encode(TEXT))
    tpdu = bytearray(deliver(segment(TEXT)[0]).encode())
    tpdu[-len(packed) - 1] = len(packed)
    received = read_received(line_of(tpdu), len(tpdu))
    assert (received.whole, message(received).user_data.text) == (True, TEXT)


@pytest.mark.parametrize(("text", "wrong"), [(TEXT, 0x08), (ACCENTS, 0x00)])
def test_a_dcs_that_does_not_fit_the_octets(text: str, wrong: int) -> None:
    sent = deliver(segment(text)[0])
    tpdu = bytearray(sent.encode())
    tpdu[1 + len(PHONE.encode()) + 1] = wrong
    received = read_received(line_of(tpdu), len(tpdu))
    assert (received.whole, message(received).user_data.text) == (False, text)


def test_a_header_that_is_longer_than_the_user_data_is_none() -> None:
    tpdu = bytearray(deliver(segment(TEXT)[0]).encode())
    tpdu[0] |= 0x40
    received = read_received(line_of(tpdu), len(tpdu))
    assert (received.whole, message(received).user_data.text) == (False, TEXT)


def test_a_part_whose_first_octet_does_not_tell_of_its_header() -> None:
    tpdu = bytearray(deliver(UserData(GSM7, CONCATENATED, gsm7.encode(TEXT))).encode())
    tpdu[0] &= ~0x40
    part = message(read_received(line_of(tpdu), len(tpdu))).user_data
    assert (part.concatenation, part.text) == (Concatenation(0x5A, 3, 2), TEXT)


def test_a_service_centre_address_whose_length_counts_digits() -> None:
    sent = deliver(PAYLOADS[0])
    smsc = bytes((8,)) + SMSC[1:]
    for length in (len(sent.encode()), None):
        assert read_received(line_of(sent.encode(), smsc), length) == Received(sent)


def test_compressed_text_is_kept_as_it_is() -> None:
    received = read_received(line_of(deliver(UserData(Dcs(compressed=True), None, b"abc")).encode()))
    assert (received.whole, message(received).user_data.payload) == (True, b"abc")


@pytest.mark.parametrize(
    ("tpdu", "text", "whole"),
    [
        ("04 038188F8 0008 91202181106523 04 56DE590D0039", "\u56de\u590d9", False),
        ("44 038188F8 0000 51601012354582 16 05C01BF40201E8E5393D2C1E93CBE633BD3CA787", "testabcdefgtest", True),
        ("04 038188F8 00F0 71304021408440 04 49A7F109", "INFO", True),
        ("04 07D1D6A4F509 00C8 71509141532029 04 D6F7B80C", "Voce", True),
        ("04 038188F8 0008 61909151606180 0A D83DDE03D83DDE0E0020", "\U0001f603\U0001f60e ", True),
        ("04 038188F8 00FB 91805080905322 08 B15CEC868BC966", "19178123", True),
        ("44 038188F8 0000 31605261048480 0C 050003C30101916536FB1D", "Hello", True),
    ],
    ids=[
        "python-gsmmodem#102: fewer octets told than there are",
        "python-gsmmodem#51: an element that is longer than its header",
        "chan-dongle#28: DCS F0",
        "node-pdu#2: DCS C8 is a waiting message in the 7 bit alphabet",
        "chan-dongle#8: surrogate pairs",
        "gammu#483: DCS FB has a reserved bit",
        "python-gsmmodem#17: part 1 of 1",
    ],
)
def test_captures(tpdu: str, text: str, whole: bool) -> None:
    received = read_received(line_of(bytes.fromhex(tpdu)), len(bytes.fromhex(tpdu)))
    assert (message(received).user_data.text, received.whole) == (text, whole)


@pytest.mark.parametrize("line", ["0681045875910010020000" + "5D", "00480065006C006C006F0020"])
def test_what_is_no_pdu_is_not_an_empty_message_of_nobody(line: str) -> None:
    """node-pdu#1 (a Telit of CDMA), gammu#530."""
    with pytest.raises(WireError):
        read_received(line)


@pytest.mark.parametrize("reference", range(0x80, 0x100))
def test_a_report_whose_last_octet_is_missing_is_nobody_elses_message(reference: int) -> None:
    """With some references the octets before the address look like the address of an SMS-DELIVER."""
    tpdu = SmsStatusReport(reference, PHONE, NOON, NOON, 0).encode()
    cut = line_of(tpdu, b"\0")[:-2]
    assert read_received(cut, len(tpdu)) == Received(Remains(PHONE), whole=False)
