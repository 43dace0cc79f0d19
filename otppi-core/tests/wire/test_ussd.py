"""USSD strings: three forms, the padding of 23.038 6.1.2.3.1, the data coding schemes of 23.038 5, and +CUSD lines."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.wire import gsm7
from otppi.wire.dcs import Alphabet
from otppi.wire.errors import AlphabetError, AtError
from otppi.wire.gsm7_tables import LOCKING, RESERVED, NationalLanguage
from otppi.wire.ussd import (
    LONGEST,
    UssdForm,
    UssdLine,
    alphabet_of,
    is_code,
    pack,
    parameters,
    parse,
    text_of,
    unpack,
)

GSM7 = "".join(set(LOCKING[NationalLanguage.DEFAULT]) - {RESERVED, "\x1b"}) + "€[]{}|~^\\"
texts = st.text(GSM7, max_size=LONGEST)


@pytest.mark.parametrize(
    ("form", "written"),
    [
        (UssdForm.PLAIN, '"*123#",15'),
        (UssdForm.GSM7_HEX, '"AA986C3602",15'),
        (UssdForm.UCS2_HEX, '"002A0031003200330023",15'),
    ],
)
def test_a_code_in_each_form(form: UssdForm, written: str) -> None:
    assert parameters("*123#", form) == written


def test_what_a_form_cannot_write() -> None:
    assert parameters("привет", UssdForm.UCS2_HEX).endswith('",72')
    for form in (UssdForm.PLAIN, UssdForm.GSM7_HEX):
        with pytest.raises(AlphabetError):
            parameters("привет", form)
    for text in ('say "1"', "1\r", "é"):  # they would end the string, or the line, or are not ASCII
        with pytest.raises(AlphabetError):
            parameters(text, UssdForm.PLAIN)
        assert parameters(text, UssdForm.GSM7_HEX)


@given(texts)
def test_packing_goes_there_and_back(text: str) -> None:
    assert unpack(pack(text)) == text.rstrip("\r")


@given(texts)
def test_seven_spare_bits_are_filled_with_a_carriage_return(text: str) -> None:
    text += "x" * (-(len(gsm7.encode(text)) + 1) % 8)
    count = len(gsm7.encode(text))
    assert gsm7.unpack(pack(text), count + 1) == gsm7.encode(text) + b"\r"
    assert unpack(pack(text)) == text.rstrip("\r")


def test_a_carriage_return_that_is_meant_is_doubled_where_it_would_be_taken_for_fill() -> None:
    assert gsm7.unpack(pack("1234567\r"), 9)[-2:] == b"\r\r"
    assert gsm7.unpack(pack("123456\r"), 8) == b"123456\r\r"


WORDS = [
    "Pulsa",
    "Rp10.000",
    "aktif",
    "s.d.",
    "31/12/2030",
    "Solde",
    "12,50€",
    "*123#",
    "[1]",
    "à",
    "1.YA\n2.Cek",
    "@home",
]


@given(st.lists(st.sampled_from(WORDS), min_size=2, max_size=8), st.sampled_from(UssdForm))
def test_each_form_is_read_as_it_was_written(words: list[str], form: UssdForm) -> None:
    text = " ".join(words)
    try:
        line = parse(f"+CUSD: 0,{parameters(text, form)}")
    except AlphabetError:
        assert form is UssdForm.PLAIN
        return
    assert text_of(line, form) == text


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("+CUSD: 4", UssdLine(4)),
        ("+CUSD:5,", UssdLine(5)),
        ('+CUSD: 0,"Pulsa",15', UssdLine(0, "Pulsa", 15)),
        ('+CUSD: 1,"1 Pulsa\n2 Paket", 15', UssdLine(1, "1 Pulsa\n2 Paket", 15)),
        ('+CUSD: 0,"Pulsa"', UssdLine(0, "Pulsa")),
        ('+CUSD: 0,"Pulsa",', UssdLine(0, "Pulsa")),
        ('+CUSD: 0,"say "1", please",15', UssdLine(0, 'say "1", please', 15)),
        ('+CUSD: 0,"cut off', UssdLine(0, "cut off")),
        ("+CUSD: 0, without quotes", UssdLine(0, "without quotes")),
        ('+CUSD: 2,"",15', UssdLine(2, "", 15)),
    ],
)
def test_lines(line: str, read: UssdLine) -> None:
    assert parse(line) == read


@pytest.mark.parametrize("line", ["+CUSD:", "+CUSD: x", "+CMTI: 1", "", "+CUSD: 123456789"])
def test_what_is_no_line_of_ussd(line: str) -> None:
    with pytest.raises(AtError):
        parse(line)


@given(st.text(max_size=60), st.one_of(st.none(), st.integers(0, 255)), st.sampled_from(UssdForm))
def test_every_answer_is_read_somehow(raw: str, dcs: int | None, form: UssdForm) -> None:
    assert "\r" not in text_of(UssdLine(0, raw, dcs), form)


@given(st.text(max_size=60))
def test_no_line_breaks_the_reader(text: str) -> None:
    with contextlib.suppress(AtError):
        parse(f"+CUSD: {text}")


def hexed(text: str) -> str:
    return text.encode("utf-16-be").hex().upper()


@pytest.mark.parametrize("form", UssdForm)
def test_the_dcs_comes_first(form: UssdForm) -> None:
    assert text_of(UssdLine(0, hexed("Сколько"), 72), form) == "Сколько"
    assert text_of(UssdLine(0, "50756C7361", 68), form) == "Pulsa"
    assert text_of(UssdLine(0, "as it stands", 72), form) == "as it stands"


def test_ucs2_is_known_without_its_dcs_by_what_it_looks_like() -> None:
    for dcs in (None, 15):
        assert text_of(UssdLine(0, hexed("Rp 10"), dcs), UssdForm.PLAIN) == "Rp 10"
    assert text_of(UssdLine(0, "00310032", 15), UssdForm.PLAIN) == "00310032"
    assert text_of(UssdLine(0, "ABBA", 15), UssdForm.PLAIN) == "ABBA"


def test_the_language_before_a_text_is_left_out() -> None:
    assert text_of(UssdLine(0, pack("id\rPulsa").hex(), 0x10), UssdForm.GSM7_HEX) == "Pulsa"
    assert text_of(UssdLine(0, "7234" + hexed("Pulsa"), 0x11), UssdForm.UCS2_HEX) == "Pulsa"


@pytest.mark.parametrize(
    ("dcs", "alphabet"),
    [
        *((dcs, Alphabet.GSM7) for dcs in (0x00, 0x0F, 0x10, 0x21, 0x3F, 0x40, 0x4C, 0x80, 0x90, 0xE5, 0xF1)),
        *((dcs, Alphabet.EIGHT_BIT) for dcs in (0x44, 0x55, 0x94, 0xF5)),
        *((dcs, Alphabet.UCS2) for dcs in (0x11, 0x48, 0x5B, 0x68, 0x98)),
    ],
)
def test_alphabets(dcs: int, alphabet: Alphabet) -> None:
    assert alphabet_of(dcs) is alphabet


def test_codes() -> None:
    assert all(is_code(code) for code in ("*123#", "*123*4#", "#31#", "1", "**21*+628120000000#"))
    assert not any(is_code(code) for code in ("", "*123#\r", '*1"', "balance", "*" * 183, "*123#>1", "\u0661"))


def test_no_text_is_shown_by_repr() -> None:
    assert "Pulsa" not in repr(UssdLine(0, "Pulsa", 15))
