"""Files of numbers: read whatever program wrote them, refused line by line, and written so that they are read again."""

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.host.messages.blocklist_csv import MOST_TOLD, NumberFile, lines_of, read, written
from otppi.host.messages.blocklist_file import Entry
from otppi.host.numbering.numbers import Numbers
from otppi.host.numbering.receivers import receiver_of
from otppi.text.languages import translated

ONE, TWO, THREE = "6281200000001", "6281200000002", "6281200000003"
IMPORTER = Entry(1_700_000_000.0, "administration/adi")
NUMBERS = Numbers("62")


def key(text: str) -> str:
    return receiver_of(text, NUMBERS).key


def found_in(octets: bytes) -> NumberFile:
    return read(lines_of(octets), key, IMPORTER)


def numbers_in(text: str) -> list[str]:
    found = found_in(text.encode())
    assert not found.wrong, found.wrong
    return list(found.entries)


@pytest.mark.parametrize(
    "text",
    [
        "081200000001\n081200000002\n", "081200000001\r\n081200000002\r\n", "081200000001\r081200000002",
        "\ufeff081200000001\n\n\n  081200000002  ", "+62 812-0000-0001\n0062 812 0000 0002",
        "# of last year\n081200000001\n\t\n081200000002", "'081200000001\n'+6281200000002",
        "081200000001,Budi,x\n081200000002,Ani", "081200000001;Budi\n081200000002",
        "081200000001\tBudi\n081200000002\t",
        '"081200000001","Budi, jr."\n"081200000002"', "081200000001\n081200000002,Ani,0899",
        "Number\n081200000001\n081200000002", "nama;nomor;alamat\nBudi;081200000001;x\nAni;081200000002;y",
        'MSISDN\tReason\n081200000001\t"\n081200000002\t', "name of it\n081200000001\n081200000002",
    ],
)  # fmt: skip
def test_numbers_are_found_however_they_were_written_down(text: str) -> None:
    assert numbers_in(text) == [ONE, TWO]
    assert set(found_in(text.encode()).entries.values()) == {IMPORTER}


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_a_file_may_be_in_any_of_these_encodings(codec: str) -> None:
    octets = "nomor,nama\n081200000001,José\n".encode(codec)
    assert list(found_in(octets).entries) == [ONE]
    assert lines_of(octets)[-1] == "081200000001,José"


def test_an_address_is_a_receiver_too() -> None:
    assert numbers_in("Ani@Example.com\n=x@example.com") == ["ani@example.com", "=x@example.com"]


def test_since_and_by_are_read_where_the_first_line_says_so() -> None:
    text = "by,number,since\ncommand-line/x,081200000001,2026-11-29T19:00:00+07:00\n,081200000002,\n"
    found = found_in(text.encode())
    assert found.entries == {ONE: Entry(1_795_953_600.0, "command-line/x"), TWO: Entry(IMPORTER.since, "")}
    assert set(found_in(b"081200000001,2026-11-29T19:00:00+07:00,x").entries.values()) == {IMPORTER}


def test_a_number_that_comes_again_counts_once() -> None:
    found = found_in(b"081200000001\n+6281200000001\n081200000002\n0812-0000-0001")
    assert (list(found.entries), found.repeated) == ([ONE, TWO], 2)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("6,281E+12", "a spreadsheet has rounded the number, and its last digits are lost"),
        ("6.28120E+12", "a spreadsheet has rounded the number, and its last digits are lost"),
        ("0812", "the number is too short: 5 digits with its country code, at least 8"),
        ("81200000001", "the number has no leading 0, which may be lost, and no + before a country code"),
        ("a@", ""), ("'", "the number is empty"), (",x", "the number is empty"), ("x0812000000", ""),
        ("<script>alert(1)</script>", ""), ("=cmd|'/C calc'!A1", ""), ("\x1b[2J0812", ""), ("0" * 10_000, ""),
        ("\u202e081200000001", ""), ("\0" * 600, ""),
    ],
)  # fmt: skip
def test_what_is_no_number_is_told_with_its_line_and_never_quoted(line: str, reason: str) -> None:
    found = found_in(f"number\n081200000001\n{line}\n".encode())
    (wrong,) = found.wrong
    assert (wrong.line, list(found.entries)) == (3, [ONE])
    if reason:
        assert wrong.reason == reason
    assert wrong.reason.isprintable()
    for part in ("script", "cmd", "x0812", "@", "\u202e"):
        assert part not in wrong.reason.replace("no @", "").replace("the @", "")
    assert translated(wrong.reason, "id") != str(wrong.reason) or "e-mail" in wrong.reason


@pytest.mark.parametrize(
    "row",
    [
        "081200000001,yesterday,x", "081200000001,2026-11-29T19:00:00,x", "081200000001,1700000000,x",
        "081200000001,1901-01-01T00:00:00Z,x", "081200000001,9999-12-31T23:59:59-23:59,x", "081200000001,,\x1b[2J",
        f"081200000001,,{'x' * 201}",
    ],
)  # fmt: skip
def test_since_and_by_that_make_no_sense_are_told(row: str) -> None:
    found = found_in(f"number,since,by\n{row}\n".encode())
    assert (found.wrong_lines, found.entries) == (1, {})
    assert "2J" not in found.wrong[0].reason


def test_of_many_wrong_lines_the_first_are_told_and_all_counted() -> None:
    found = found_in(b"x\n" * 5000)
    assert [one.line for one in found.wrong] == [*range(2, MOST_TOLD + 2)], "the first is taken for a title"
    assert found.wrong_lines == 4999


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_told(octets: bytes) -> None:
    found = found_in(octets)
    assert len(found.entries) + found.repeated + found.wrong_lines <= len(lines_of(octets))
    assert all(one.reason.isprintable() for one in found.wrong)


names = st.text(st.characters(exclude_categories=("C", "Z")), max_size=40)
keys = st.one_of(
    st.integers(0, 99_999_999).map(lambda one: f"62812{one:08}"),
    st.sampled_from(["14155552671", "6591234567", "=a@example.com", "'+b@example.com", "+@example.com",
                     "é@example.com"]),
)  # fmt: skip


@given(st.dictionaries(keys, st.builds(Entry, st.integers(0, 4_000_000_000).map(float), names), max_size=20))
def test_what_is_written_is_read_again_exactly(entries: dict[str, Entry]) -> None:
    text = "".join(written(entries))
    found = found_in(text.encode())
    assert (found.wrong, found.entries) == ([], entries)
    assert list(found.entries) == list(entries), "in its order"
    assert found_in(("\ufeff" + text).encode()).entries == entries
    assert found_in(text.replace("\r\n", "\n").encode()).entries == entries
    rows = [*csv.reader(io.StringIO(text, newline=""))]
    assert rows[0] == ["number", "since", "by"]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)


def test_it_is_written_as_spreadsheets_and_programs_read_it() -> None:
    entries = {ONE: Entry(1_795_953_600.4, "administration/adi"), "a@example.com": Entry(0.0, 'x/"y", z')}
    assert list(written(entries)) == [
        "number,since,by\r\n",
        "'+6281200000001,2026-11-29T12:00:00Z,administration/adi\r\n",
        'a@example.com,1970-01-01T00:00:00Z,"x/""y"", z"\r\n',
    ]


def test_a_hundred_thousand_numbers_are_a_request_of_the_control_socket(tmp_path: Path) -> None:
    entries: Iterable[tuple[str, Entry]] = (
        (f"62812{one:08}", Entry(1_795_953_600.0, "administration/somebody")) for one in range(100_000)
    )
    lines = lines_of("".join(written(dict(entries))).encode())
    assert len(lines) == 100_001
    assert len(json.dumps({"lines": lines})) < 8_000_000
