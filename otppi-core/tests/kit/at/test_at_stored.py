"""What +CMGL and +CMGR tell of a stored message, whichever fields their headers leave out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.api.events import DeliveryReport, InboundPart
from otppi.kit.at.stored import Stored, listed, read
from otppi.wire.address import Address
from otppi.wire.segment import segment
from otppi.wire.tpdu import SmsDeliver, SmsSubmit, pdu_line

DELIVER = "00" + SmsDeliver(Address.parse("+6281200000001"), None, segment("Halo")[0]).encode().hex().upper()
SUBMIT, _ = pdu_line(SmsSubmit(Address.parse("+6281200000001"), segment("a draft")[0]))
REPORT = "000617098121436587F900000000000000000000000000000000"
LENGTH = len(DELIVER) // 2 - 1
FOREIGN = "_OUWCTI: 4"


def text_of(stored: Stored | None) -> Any:
    came = stored.came() if stored else None
    return came.text if isinstance(came, InboundPart) else came


@pytest.mark.parametrize(
    "lines",
    [
        (f"+CMGR: 0,,{LENGTH}", DELIVER),
        (f"+CMGR: ,,{LENGTH}", DELIVER),  # ZTE: "+CMGR: ,,27"
        (f"+CMGR:1,{LENGTH}", DELIVER),
        (f"+CMGR: {LENGTH}", DELIVER),
        (f'+CMGR: "REC UNREAD",,{LENGTH}', DELIVER),
        (f'+CMGR: 1,"Budi, A",{LENGTH}', DELIVER),
        ("+CMGR: 1,,", DELIVER),
        ("+CMGR:", DELIVER),
        (f"+CMGR: 4,,{LENGTH}", DELIVER),
        (f",,{LENGTH}", DELIVER),
        (DELIVER,),
        (f"+CMGR: 1,,{LENGTH}", FOREIGN, DELIVER),
        ("^RSSI: 20", f"+CMGR: 0,,{LENGTH}", DELIVER),  # python-gsmmodem#40
        (FOREIGN, f"+CMGR: ,,{LENGTH}", FOREIGN, DELIVER, FOREIGN),
    ],
)
def test_a_message_is_read_whatever_its_header_leaves_out(lines: tuple[str, ...]) -> None:
    assert text_of(read(lines)) == "Halo"


@pytest.mark.parametrize("lines", [(), ("+CMGR: 0,,0",), ("+CMGR: ,,0",), (FOREIGN,)])
def test_an_empty_place(lines: tuple[str, ...]) -> None:
    assert read(lines) is None


@pytest.mark.parametrize("header", ["+CMGR: 2,,24", "+CMGR: 3,,24", '+CMGR: "STO UNSENT",,24', "+CMGR: ,,24", "+CMGR:"])
def test_what_is_to_be_sent_did_not_come_in(header: str) -> None:
    stored = read((header, SUBMIT))
    assert stored is not None
    assert stored.came() is None


def test_a_report_without_a_status_is_one() -> None:
    stored = read(("+CMGR: ,,25", REPORT))
    assert stored is not None
    assert isinstance(stored.came(), DeliveryReport)


@pytest.mark.parametrize(
    "header",
    ["+CMGL: 4,1,,{}", "4,1,,{}", "+CMGL:4,,,{}", "+CMGL: 4,{}", "+CMGL: 4", ' 4 , 1, "a, b",{}', "+CMGL: 4,1,,"],
)
def test_a_list_without_some_fields(header: str) -> None:
    header = header.format(LENGTH)
    found, complete = listed((header, FOREIGN, DELIVER, f"5,1,,{LENGTH}", DELIVER))
    assert complete
    assert [(index, text_of(one)) for index, one in found.items()] == [(4, "Halo"), (5, "Halo")]


def test_a_list_that_does_not_tell_the_places_is_not_relied_on() -> None:
    found, complete = listed((f"+CMGL: ,1,,{LENGTH}", DELIVER, f"+CMGL: 3,1,,{LENGTH}", DELIVER))
    assert not complete
    assert list(found) == [3]
    assert listed((DELIVER,)) == ({}, False)


def test_what_lacks_its_pdu_is_yet_to_be_read() -> None:
    found, complete = listed((f"+CMGL: 1,1,,{LENGTH}", f"+CMGL: 2,1,,{LENGTH}", DELIVER))
    assert complete
    assert not found[1].is_there
    assert text_of(found[2]) == "Halo"


HEADERS = st.sampled_from(["+CMGL: {},1,,{}", "{},0,,{}", "+CMGL:{},,,{}", '+CMGL: {},1,"a",{}', "+CMGL: {}"])
OTHERS = st.lists(
    st.one_of(
        st.sampled_from([FOREIGN, "+CSQ: 9,0", "x"]),
        st.text(max_size=9).filter(lambda line: "," not in line and "+CMG" not in line),
    ),
    max_size=3,
)
ENTRIES = st.lists(st.tuples(HEADERS, OTHERS, OTHERS), max_size=8)


@given(ENTRIES)
def test_fuzz_no_message_is_passed_over(entries: list[tuple[str, list[str], list[str]]]) -> None:
    lines = [FOREIGN]
    for index, (header, before, behind) in enumerate(entries):
        lines += [header.format(index, LENGTH), *before, DELIVER, *behind]
    found, complete = listed(lines)
    assert complete
    assert [(index, text_of(one)) for index, one in found.items()] == [(n, "Halo") for n in range(len(entries))]


LINES = st.one_of(
    st.text(max_size=20),
    st.from_regex(r"(\+CMG[LR]:? ?)?[0-9]{0,3},?[0-9]{0,2},?,?[0-9]{0,3}", fullmatch=True),
    st.sampled_from([DELIVER, SUBMIT, REPORT, FOREIGN, "OK", DELIVER + ",0", "9" * 5000]),
)


@given(st.lists(LINES, max_size=12))
def test_fuzz_every_reply_is_read(lines: list[str]) -> None:
    found, _ = listed(lines)
    for one in (read(lines), *found.values()):
        assert one is None or one.came() is None or one.is_there
    if any(line.startswith(DELIVER) for line in lines):
        assert read(lines) is not None
