"""TPDUs: samples whole, cut at each octet and with more behind; round trips; fuzzing."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otppi.wire import gsm7
from otppi.wire.address import Address, NumberingPlan, TypeOfNumber
from otppi.wire.dcs import GSM7, UCS2, Alphabet, Dcs
from otppi.wire.errors import AlphabetError, TpduError, WireError
from otppi.wire.segment import segment
from otppi.wire.tpdu import (
    AbsoluteValidity,
    EnhancedValidity,
    ReportOutcome,
    SmsDeliver,
    SmsStatusReport,
    SmsSubmit,
    Tpdu,
    UserData,
    Validity,
    decode_tpdu,
    parse_pdu_line,
    pdu_line,
)
from otppi.wire.udh import Concatenation, InformationElement, UserDataHeader

JAKARTA = timezone(timedelta(hours=7))
PHONE = Address("6281234567890", TypeOfNumber.INTERNATIONAL)
NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=JAKARTA)
NAME = Address("Design@Home", TypeOfNumber.ALPHANUMERIC, NumberingPlan.UNKNOWN)


def plain(text: str) -> UserData:
    return segment(text)[0]


AMERICA = Address("15551234567", TypeOfNumber.INTERNATIONAL)
SHORT = Address("888")
SECOND_PART = UserData(GSM7, UserDataHeader.of(Concatenation(0xAA, 2, 1)), b"a")

# The octets of these were written down by hand from 3GPP TS 23.040 9.2.2 and 9.2.3: first octet, fields, user data.
SUBMITS = [
    ("0100 0B915155214365F7 0000 0AE8329BFD4697D9EC37", SmsSubmit(AMERICA, plain("hellohello"))),
    (
        "312A 0D91261832547698F0 0000 00 03E1F118",
        SmsSubmit(PHONE, plain("acc"), message_reference=42, validity=Validity(0), status_report_request=True),
    ),
    ("0500 038188F8 0018 04D83DDE00", SmsSubmit(SHORT, segment("😀", flash=True)[0], reject_duplicates=True)),
    (
        "99FF 0081 4008 62112221000082 020436",
        SmsSubmit(
            Address(""),
            plain("ж"),
            message_reference=255,
            validity=AbsoluteValidity(NOON),
            reply_path=True,
            protocol_id=0x40,
        ),
    ),
    (
        "0900 038188F8 0004 023C0000000000 0200FF",
        SmsSubmit(SHORT, UserData(Dcs(Alphabet.EIGHT_BIT), None, b"\x00\xff"), validity=EnhancedValidity(60)),
    ),
    ("4100 038188F8 0000 08050003AA0201C2", SmsSubmit(SHORT, SECOND_PART)),
]
DELIVERS = [
    (
        "04 0B915155214365F7 0000 70402132522423 0AE8329BFD4697D9EC37",
        SmsDeliver(
            AMERICA, datetime(2007, 4, 12, 23, 25, 42, tzinfo=timezone(timedelta(hours=8))), plain("hellohello")
        ),
    ),
    ("00 14D0C4F23C7D760390EF7619 0008 62112221000082 020436", SmsDeliver(NAME, NOON, plain("ж"), more_messages=True)),
    (
        "E4 038188F8 3F00 00000000000000 08050003AA0201C2",
        SmsDeliver(SHORT, None, SECOND_PART, status_report_indication=True, reply_path=True, protocol_id=0x3F),
    ),
]
REPORTS = [
    (
        "062A 0D91261832547698F0 62112221000082 62112221000182 00",
        SmsStatusReport(42, PHONE, NOON, NOON + timedelta(seconds=10), 0),
    ),
    (
        "22FF 038188F8 62112221000082 00000000000000 46 07 00 08 020436",
        SmsStatusReport(
            255, SHORT, NOON, None, 0x46, more_messages=True, of_command=True, protocol_id=0, user_data=plain("ж")
        ),
    ),
]
SAMPLES: list[tuple[str, Tpdu]] = [*SUBMITS, *DELIVERS, *REPORTS]


def pressed(sample: str) -> str:
    return sample.replace(" ", "")


@pytest.mark.parametrize(("sample", "tpdu"), SAMPLES)
def test_samples_read_and_write(sample: str, tpdu: Tpdu) -> None:
    octets = bytes.fromhex(sample)
    assert tpdu.encode().hex().upper() == pressed(sample)
    assert decode_tpdu(octets, from_network=not isinstance(tpdu, SmsSubmit)) == tpdu
    assert type(tpdu).decode(octets) == tpdu


@pytest.mark.parametrize(("sample", "tpdu"), [*SUBMITS, *DELIVERS])
def test_samples_cut_at_each_octet_are_refused(sample: str, tpdu: Tpdu) -> None:
    octets = bytes.fromhex(sample)
    for end in range(len(octets)):
        with pytest.raises(WireError):
            type(tpdu).decode(octets[:end])


@pytest.mark.parametrize(("sample", "tpdu"), [*SUBMITS, *DELIVERS, REPORTS[1]])
def test_octets_behind_the_end_are_ignored(sample: str, tpdu: Tpdu) -> None:
    for after in (b"\0", b"\xff", b"\x1a\r\n", bytes(200)):
        assert type(tpdu).decode(bytes.fromhex(sample) + after) == tpdu


@pytest.mark.parametrize(("sample", "tpdu"), REPORTS)
def test_a_report_cut_behind_its_status_keeps_the_status(sample: str, tpdu: SmsStatusReport) -> None:
    octets = bytes.fromhex(sample)
    mandatory = 2 + len(tpdu.recipient.encode()) + 7 + 7 + 1
    for end in range(len(octets)):
        if end < mandatory:
            with pytest.raises(WireError):
                SmsStatusReport.decode(octets[:end])
        else:
            report = SmsStatusReport.decode(octets[:end])
            assert (report.message_reference, report.status) == (tpdu.message_reference, tpdu.status)
            assert report.user_data is None


@pytest.mark.parametrize("after", ["00", "01", "04", "80", "FF", "FFFFFFFF", "0400", "07000001FF", "8000", "818100"])
def test_whatever_is_behind_a_report_its_outcome_stays(after: str) -> None:
    report = SmsStatusReport.decode(bytes.fromhex(REPORTS[0][0] + after))
    assert report.outcome is ReportOutcome.DELIVERED
    assert (report.message_reference, report.recipient, report.discharge) == (42, PHONE, NOON + timedelta(seconds=10))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (0x00, ReportOutcome.DELIVERED),
        (0x01, ReportOutcome.DELIVERED),
        (0x02, ReportOutcome.FAILED),  # replaced by another message
        (0x03, ReportOutcome.FAILED),  # reserved: to be read as "service rejected"
        (0x1F, ReportOutcome.DELIVERED),
        (0x20, ReportOutcome.PENDING),
        (0x25, ReportOutcome.PENDING),
        (0x26, ReportOutcome.FAILED),
        (0x30, ReportOutcome.PENDING),
        (0x3F, ReportOutcome.PENDING),
        (0x40, ReportOutcome.FAILED),
        (0x46, ReportOutcome.FAILED),  # validity period expired
        (0x60, ReportOutcome.FAILED),  # temporary error, no more attempts
        (0x80, ReportOutcome.FAILED),
        (0xFF, ReportOutcome.FAILED),
    ],
)
def test_what_a_status_means(status: int, outcome: ReportOutcome) -> None:
    assert SmsStatusReport(0, PHONE, NOON, NOON, status).outcome is outcome


def test_the_direction_tells_types_apart() -> None:
    submit, deliver, report = (bytes.fromhex(sample) for sample in (SUBMITS[0][0], DELIVERS[0][0], REPORTS[0][0]))
    for octets, from_network in ((submit, True), (deliver, False), (report, False)):
        with pytest.raises(TpduError):
            decode_tpdu(octets, from_network)
    with pytest.raises(TpduError):
        decode_tpdu(b"", from_network=True)
    reserved = bytes((deliver[0] | 3,)) + deliver[1:]
    assert decode_tpdu(reserved, from_network=True) == DELIVERS[0][1], "9.2.3.1: as if it were an SMS-DELIVER"


@pytest.mark.parametrize(
    ("line", "smsc", "tpdu"),
    [
        ("00" + SUBMITS[0][0], None, SUBMITS[0][0]),
        (
            "07912299976758F2" + DELIVERS[0][0].lower(),
            Address("22997976852", TypeOfNumber.INTERNATIONAL),
            DELIVERS[0][0],
        ),
        ("00", None, ""),
    ],
)
def test_lines_of_the_modem(line: str, smsc: Address | None, tpdu: str) -> None:
    assert parse_pdu_line(line) == (smsc, bytes.fromhex(tpdu))


@pytest.mark.parametrize("line", ["", "0", "OK", "0G", "00 1x", "+CMGR: 1", "ñ", "01", "FF91", "\ud800"])
def test_lines_that_are_no_pdu_are_refused(line: str) -> None:
    with pytest.raises(WireError):
        parse_pdu_line(line)


def test_the_line_for_the_modem_and_its_length() -> None:
    submit = SUBMITS[0][1]
    assert pdu_line(submit) == ("00" + pressed(SUBMITS[0][0]), len(submit.encode()))
    smsc = Address("62816124", TypeOfNumber.INTERNATIONAL)
    line, length = pdu_line(submit, smsc)
    assert (line, length) == ("059126181642" + pressed(SUBMITS[0][0]), len(submit.encode()))
    assert parse_pdu_line(line) == (smsc, submit.encode())


def test_no_text_in_any_repr() -> None:
    for tpdu in (
        SmsSubmit(PHONE, plain("secret 493817")),
        SmsDeliver(PHONE, NOON, plain("secret 493817")),
        SmsStatusReport(0, PHONE, NOON, NOON, 0, user_data=plain("secret 493817")),
        SmsSubmit(PHONE, UserData(header=UserDataHeader((InformationElement(0x77, b"secret 493817"),)))),
    ):
        assert "493817" not in repr(tpdu)
        assert plain("secret 493817").payload.hex() not in repr(tpdu)


def test_user_data_reads_as_its_coding_says() -> None:
    assert UserData(Dcs(Alphabet.EIGHT_BIT), None, b"a\xe9\x00").text == "aé\x00"
    assert UserData(UCS2, None, b"\x04\x36\xd8").text == "ж\ufffd", "an odd octet is half a character"
    header = UserDataHeader((InformationElement(0x24, b"\x01"), InformationElement(0x25, b"\x01")))
    assert UserData(GSM7, header, b"\x1b\x47\x0b").text == "ĞĞ"
    with pytest.raises(AlphabetError):
        _ = UserData(Dcs(compressed=True), None, b"abc").text


def test_user_data_is_140_octets_at_most() -> None:
    header = UserDataHeader.of(Concatenation(0, 1, 1))
    for dcs, head, most in [(GSM7, None, 160), (GSM7, header, 153), (UCS2, None, 140), (UCS2, header, 134)]:
        assert len(UserData(dcs, head, bytes(most)).encode()) == 141
        with pytest.raises(TpduError):
            UserData(dcs, head, bytes(most + 1))


def test_a_length_that_the_header_does_not_leave_room_for_is_refused() -> None:
    with pytest.raises(TpduError):
        UserData.decode(bytes.fromhex("06 050003AA0201 00"), GSM7, has_header=True)


def test_numbers_out_of_range_are_refused() -> None:
    for bad in (-1, 256):
        for make in (
            lambda value: SmsSubmit(PHONE, plain(""), message_reference=value),
            lambda value: SmsSubmit(PHONE, plain(""), protocol_id=value),
            lambda value: SmsDeliver(PHONE, NOON, plain(""), protocol_id=value),
            lambda value: SmsStatusReport(value, PHONE, NOON, NOON, 0),
            lambda value: SmsStatusReport(0, PHONE, NOON, NOON, value),
            lambda value: SmsStatusReport(0, PHONE, NOON, NOON, 0, protocol_id=value),
        ):
            with pytest.raises(TpduError):
                make(bad)


# Strategies: whatever can be made must come back from its octets.
OCTET = st.integers(0, 255)
TIMES = st.none() | st.builds(
    lambda second, quarters: (datetime(2000, 1, 2, tzinfo=UTC) + timedelta(seconds=second)).astimezone(
        timezone(quarters * timedelta(minutes=15))
    ),
    st.integers(0, 99 * 365 * 86_400),
    st.integers(-79, 79),
)
ADDRESSES = st.builds(
    Address,
    st.text("0123456789*#abc", max_size=20),
    st.sampled_from([ton for ton in TypeOfNumber if ton is not TypeOfNumber.ALPHANUMERIC]),
    st.sampled_from(NumberingPlan),
) | st.sampled_from([NAME, Address.parse("BANK")])
HEADERS = st.none() | st.lists(st.builds(InformationElement, OCTET, st.binary(max_size=6)), max_size=4).map(
    lambda elements: UserDataHeader(tuple(elements))
)
SEPTETS = st.binary(max_size=110).map(lambda octets: bytes(octet & 0x7F for octet in octets))
DCS = OCTET.map(Dcs.from_octet)
USER_DATA = st.tuples(DCS, HEADERS, SEPTETS | st.binary(max_size=100)).map(
    lambda parts: UserData(
        parts[0], parts[1], bytes(octet & 0x7F for octet in parts[2]) if parts[0].packed else parts[2]
    )
) | st.text(max_size=60).filter(lambda text: not any("\ud800" <= char <= "\udfff" for char in text)).map(plain)
VALIDITY = (
    st.none()
    | st.builds(Validity, OCTET)
    | st.builds(AbsoluteValidity, TIMES)
    | st.builds(EnhancedValidity, st.none() | st.integers(1, 359_999), st.booleans())
)
FLAG = st.booleans()
SUBMIT = st.builds(SmsSubmit, ADDRESSES, USER_DATA, OCTET, VALIDITY, FLAG, FLAG, FLAG, OCTET)
DELIVER = st.builds(SmsDeliver, ADDRESSES, TIMES, USER_DATA, FLAG, FLAG, FLAG, OCTET)
REPORT = st.builds(
    SmsStatusReport, OCTET, ADDRESSES, TIMES, TIMES, OCTET, FLAG, FLAG, st.none() | OCTET, st.none() | USER_DATA
)
TPDUS = st.one_of(SUBMIT, DELIVER, REPORT)


@given(TPDUS)
def test_any_tpdu_comes_back(tpdu: Tpdu) -> None:
    octets = tpdu.encode()
    assert decode_tpdu(octets, from_network=not isinstance(tpdu, SmsSubmit)) == tpdu


@given(SUBMIT | DELIVER, st.data())
def test_any_cut_tpdu_is_refused(tpdu: Tpdu, data: st.DataObject) -> None:
    octets = tpdu.encode()
    end = data.draw(st.integers(0, len(octets) - 1))
    with pytest.raises(WireError):
        type(tpdu).decode(octets[:end])


@given(SUBMIT, st.none() | st.just(PHONE))
def test_any_line_comes_back(submit: SmsSubmit, smsc: Address | None) -> None:
    line, length = pdu_line(submit, smsc)
    read_smsc, tpdu = parse_pdu_line(line)
    assert (read_smsc, len(tpdu)) == (smsc, length)
    assert SmsSubmit.decode(tpdu) == submit


def use(octets: bytes, from_network: bool) -> None:
    """Read a TPDU as the gateway would: nothing but a `WireError` may come of it."""
    try:
        tpdu = decode_tpdu(octets, from_network)
        repr(tpdu)
        again = tpdu.encode()
        assert decode_tpdu(again, from_network) == tpdu
        if tpdu.user_data is not None:
            _ = (tpdu.user_data.text, tpdu.user_data.concatenation, tpdu.user_data.length)
    except WireError:
        return


@settings(max_examples=800)
@given(st.binary(max_size=200), FLAG)
def test_random_octets_give_a_value_or_a_typed_error(octets: bytes, from_network: bool) -> None:
    use(octets, from_network)


@settings(max_examples=800)
@given(TPDUS, st.lists(st.tuples(st.integers(0, 250), OCTET), min_size=1, max_size=6), st.binary(max_size=4), st.data())
def test_mutated_tpdus_give_a_value_or_a_typed_error(
    tpdu: Tpdu, changes: list[tuple[int, int]], after: bytes, data: st.DataObject
) -> None:
    octets = bytearray(tpdu.encode())
    for position, value in changes:
        octets[position % len(octets)] = value
    cut = bytes(octets[: data.draw(st.integers(0, len(octets)))]) + after
    use(bytes(octets), not isinstance(tpdu, SmsSubmit))
    use(cut, not isinstance(tpdu, SmsSubmit))


@given(st.text(max_size=60) | st.text("0123456789abcdefABCDEF ", max_size=400))
def test_random_lines_give_a_value_or_a_typed_error(line: str) -> None:
    try:
        _, tpdu = parse_pdu_line(line)
    except WireError:
        return
    use(tpdu, from_network=True)


def test_gsm7_of_a_part_begins_at_a_septet_behind_its_header() -> None:
    part = segment("x" * 200)[0]
    bits = int.from_bytes(part.encode()[1:], "little")
    assert bits >> 7 * 7 & 0x7F == gsm7.encode("x")[0], "seven septets: six octets of header and one fill bit"
