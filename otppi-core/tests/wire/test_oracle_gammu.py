"""Our codec against gammu's: what we write it reads, and what it writes we read."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import gammu
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otppi.wire import gsm7
from otppi.wire.address import Address, encode_smsc
from otppi.wire.gsm7_tables import LOCKING, SINGLE, NationalLanguage
from otppi.wire.segment import join, segment
from otppi.wire.tpdu import (
    ReportOutcome,
    SmsDeliver,
    SmsStatusReport,
    SmsSubmit,
    Validity,
    decode_tpdu,
    parse_pdu_line,
)

SMSC = Address.parse("+62816124")
PLAIN = LOCKING[NationalLanguage.DEFAULT].replace(" ", "", 1)
# In UCS-2 gammu takes a tilde for the escape of its own (Nokia) codes.
TEXTS = st.text(PLAIN + "".join(SINGLE[NationalLanguage.DEFAULT].values()), min_size=1, max_size=400) | st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn"], exclude_characters="~"), min_size=1, max_size=150
)
NUMBERS = st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True)
TIMES = st.builds(
    lambda second, quarters: (datetime(2005, 1, 2, tzinfo=UTC) + timedelta(seconds=second)).astimezone(
        timezone(quarters * timedelta(minutes=15))
    ),
    st.integers(0, 60 * 365 * 86_400),
    st.integers(-40, 40),
)
SLOWLY = settings(max_examples=200)


def gammu_read(tpdu: bytes) -> dict[str, Any]:
    message: dict[str, Any] = gammu.DecodePDU(encode_smsc(SMSC) + tpdu, True)
    assert message["SMSC"]["Number"] == str(SMSC)
    # python-gammu copies as many characters as there were septets: behind the NUL there is what the memory held.
    message["Text"] = message["Text"].partition("\0")[0] if isinstance(message["Text"], str) else message["Text"]
    return message


def gammu_write(text: str, number: str, unicode: bool, **fields: object) -> list[dict[str, Any]]:
    info = {"Class": -1, "Unicode": unicode, "Entries": [{"ID": "ConcatenatedTextLong", "Buffer": text}]}
    return [{**part, "Number": number, "SMSC": {"Number": str(SMSC)}, **fields} for part in gammu.EncodeSMS(info)]


@SLOWLY
@given(TEXTS, NUMBERS, st.integers(0, 10**7), st.integers(0, 255), st.booleans())
def test_gammu_reads_what_we_submit(text: str, number: str, seconds: int, reference: int, flash: bool) -> None:
    parts = segment(text, reference=reference, flash=flash)
    read = []
    for part in parts:
        submit = SmsSubmit(
            Address.parse(number),
            part,
            message_reference=reference,
            validity=Validity.from_seconds(seconds),
            status_report_request=True,
        )
        message = gammu_read(submit.encode())
        assert message["Type"] == "Submit"
        assert message["Number"] == number
        assert message["MessageReference"] == reference
        assert message["Class"] == (0 if flash else -1)
        if part.concatenation is not None:
            assert message["UDH"]["ID8bit"] == reference
            assert message["UDH"]["AllParts"] == len(parts)
            assert message["UDH"]["PartNumber"] == part.concatenation.number
        read.append(message["Text"])
    assert "".join(read) == text


@SLOWLY
@given(TEXTS, NUMBERS)
def test_we_read_what_gammu_submits(text: str, number: str) -> None:
    submits = []
    for part in gammu_write(text, number, unicode=not gsm7.can_encode(text)):
        octets = gammu.EncodePDU(part, "Submit")
        smsc, tpdu = parse_pdu_line(octets.hex())
        assert smsc == SMSC
        submits.append(SmsSubmit.decode(tpdu))
    assert {str(submit.destination) for submit in submits} == {number}
    assert join(submit.user_data for submit in submits) == text


@SLOWLY
@given(TEXTS, NUMBERS, TIMES)
def test_gammu_reads_what_we_deliver(text: str, number: str, when: datetime) -> None:
    parts = segment(text, reference=7)
    read = []
    for part in parts:
        octets = SmsDeliver(Address.parse(number), when, part).encode()
        message = gammu_read(octets)
        assert message["Type"] == "Deliver"
        assert (message["Number"], message["DateTime"]) == (number, when)
        read.append(message["Text"])
    assert "".join(read) == text


@SLOWLY
@given(TEXTS, NUMBERS)
def test_we_read_what_gammu_delivers(text: str, number: str) -> None:
    when = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001
    parts = gammu_write(
        text, number, unicode=not gsm7.can_encode(text), Type="Deliver", DateTime=when, SMSCDateTime=when
    )
    delivers = []
    for part in parts:
        smsc, tpdu = parse_pdu_line(gammu.EncodePDU(part, "Deliver").hex())
        assert smsc == SMSC
        delivers.append(SmsDeliver.decode(tpdu))
    assert {str(deliver.originator) for deliver in delivers} == {number}
    assert {deliver.timestamp.replace(tzinfo=None) for deliver in delivers if deliver.timestamp} == {when}
    assert join(deliver.user_data for deliver in delivers) == text


@given(st.text("ABCXYZabcxyz 0123", min_size=1, max_size=11))
def test_gammu_reads_the_names_of_senders(name: str) -> None:
    deliver = SmsDeliver(Address.parse("N" + name[1:]), datetime(2026, 1, 2, tzinfo=UTC), segment("x")[0])
    assert gammu_read(deliver.encode())["Number"] == "N" + name[1:]


@SLOWLY
@given(NUMBERS, TIMES, TIMES, st.integers(0, 255), st.sampled_from([0x00, 0x01, 0x20, 0x23, 0x30, 0x40, 0x46, 0x60]))
def test_gammu_reads_our_status_reports(
    number: str, sent: datetime, done: datetime, reference: int, status: int
) -> None:
    report = SmsStatusReport(reference, Address.parse(number), sent, done, status)
    message = gammu_read(report.encode())
    assert message["Type"] == "Status_Report"
    assert (message["Number"], message["MessageReference"], message["DeliveryStatus"]) == (number, reference, status)
    assert (message["DateTime"], message["SMSCDateTime"]) == (sent, done)
    words = {"Delivered": ReportOutcome.DELIVERED, "Pending": ReportOutcome.PENDING, "Failed": ReportOutcome.FAILED}
    assert words[message["Text"]] is report.outcome
    assert decode_tpdu(report.encode(), from_network=True) == report


@pytest.mark.parametrize("octet", range(0, 256, 5))
def test_gammu_agrees_on_relative_validity(octet: int) -> None:
    message = gammu_read(SmsSubmit(Address.parse("+6281234567890"), segment("x")[0], validity=Validity(octet)).encode())
    units = {"M": 60, "H": 3600, "D": 86_400, "W": 604_800}
    text = message["SMSC"]["Validity"]
    seconds = 63 * units["W"] if text == "Max" else int(text[:-1]) * units[text[-1]]
    assert abs(seconds - Validity(octet).seconds) < units.get(text[-1], 1), "gammu rounds down to whole units"
