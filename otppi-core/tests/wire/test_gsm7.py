"""Septets: the tables of 23.038, packing, and what a receiver makes of odd ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.wire import gsm7
from otppi.wire.errors import AlphabetError
from otppi.wire.gsm7_tables import LOCKING, RESERVED, SINGLE, NationalLanguage

ALL = list(NationalLanguage)
SEPTETS = st.binary(max_size=400).map(lambda octets: bytes(octet & 0x7F for octet in octets))


def characters(locking: NationalLanguage, single: NationalLanguage) -> str:
    own = {char for septet, char in enumerate(LOCKING[locking]) if septet != gsm7.ESCAPE}
    return "".join(sorted((own | set(SINGLE[single].values())) - {RESERVED}))


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ("hellohello", "E8329BFD4697D9EC37"),
        ("1234567", "31D98C56B3DD00"),
        ("12345678", "31D98C56B3DD70"),
        ("", ""),
        ("@", "00"),
        ("2 € par mois", "32D0A60C8287E5A0F63B3D07"),
    ],
)
def test_known_texts_pack_as_others_pack_them(text: str, packed: str) -> None:
    septets = gsm7.encode(text)
    assert gsm7.pack(septets).hex().upper() == packed
    assert gsm7.decode(gsm7.unpack(bytes.fromhex(packed), len(septets))) == text


@given(SEPTETS, st.integers(0, 6))
def test_packing_is_undone_by_unpacking(septets: bytes, fill_bits: int) -> None:
    packed = gsm7.pack(septets, fill_bits)
    assert len(packed) == (7 * len(septets) + fill_bits + 7) // 8
    assert gsm7.unpack(packed, len(septets), fill_bits) == septets
    assert gsm7.unpack(packed + b"\xff\xff", len(septets), fill_bits) == septets


@given(SEPTETS, st.integers(0, 6))
def test_packing_is_bit_for_bit_what_23_038_draws(septets: bytes, fill_bits: int) -> None:
    bits = "".join(f"{septet:07b}" for septet in reversed(septets)) + "0" * fill_bits
    size = (len(bits) + 7) // 8
    assert gsm7.pack(septets, fill_bits) == int(bits or "0", 2).to_bytes(size, "little")


def test_too_few_octets_for_the_septets_are_refused() -> None:
    packed = gsm7.pack(b"x" * 20)
    for end in range(len(packed)):
        with pytest.raises(AlphabetError):
            gsm7.unpack(packed[:end], 20)


@pytest.mark.parametrize("language", ALL)
def test_each_locking_table_has_every_septet_once(language: NationalLanguage) -> None:
    table = LOCKING[language]
    assert len(table) == 128
    assert table[0x0A] == "\n"
    assert table[0x0D] == "\r"
    present = [char for septet, char in enumerate(table) if char != RESERVED and septet != gsm7.ESCAPE]
    assert len(present) == len(set(present))


@pytest.mark.parametrize("language", ALL)
def test_each_single_table_keeps_the_places_that_all_have(language: NationalLanguage) -> None:
    common = {
        0x0A: "\f",
        0x14: "^",
        0x28: "{",
        0x29: "}",
        0x2F: "\\",
        0x3C: "[",
        0x3D: "~",
        0x3E: "]",
        0x40: "|",
        0x65: "€",
    }
    table = SINGLE[language]
    assert common.items() <= table.items()
    assert not {0x0D, gsm7.ESCAPE} & table.keys(), "reserved for a second control character and a second table"


# Samples of annex A, a few of each table's own characters with the septet that 23.038 prints beside them.
@pytest.mark.parametrize(
    ("language", "locking"),
    [
        (NationalLanguage.DEFAULT, {0x00: "@", 0x10: "Δ", 0x24: "¤", 0x5F: "§", 0x7F: "à"}),
        (NationalLanguage.TURKISH, {0x04: "€", 0x07: "\u0131", 0x0B: "Ğ", 0x1C: "Ş", 0x40: "İ", 0x60: "ç"}),
        (NationalLanguage.PORTUGUESE, {0x04: "ê", 0x12: "ª", 0x15: "∞", 0x18: "€", 0x24: "º", 0x5E: "Ü", 0x7D: "`"}),
        (NationalLanguage.BENGALI, {0x00: "\u0981", 0x1F: "\u099e", 0x46: "\u09b2", 0x49: RESERVED, 0x7F: "\u09f1"}),
        (NationalLanguage.GUJARATI, {0x0C: "\u0a8d", 0x0E: RESERVED, 0x47: "\u0ab3", 0x60: "\u0ad0"}),
        (NationalLanguage.HINDI, {0x0E: "\u090e", 0x45: "\u0931", 0x4F: "\u093d", 0x5F: "\u094d", 0x7B: "\u0972"}),
        (NationalLanguage.KANNADA, {0x00: RESERVED, 0x01: "\u0c82", 0x24: "\u0ca1", 0x4E: "\u0cbc", 0x60: "\u0cd5"}),
        (NationalLanguage.MALAYALAM, {0x48: "\u0d34", 0x4E: RESERVED, 0x4F: "\u0d3d", 0x7F: "\u0d79"}),
        (NationalLanguage.ORIYA, {0x00: "\u0b01", 0x45: RESERVED, 0x4E: "\u0b3c", 0x60: "\u0b56"}),
        (NationalLanguage.PUNJABI, {0x09: RESERVED, 0x4C: "\u0a38", 0x4B: RESERVED, 0x7F: "\u0a74"}),
        (NationalLanguage.TAMIL, {0x15: "\u0b95", 0x16: RESERVED, 0x1D: "\u0b9c", 0x3C: "\u0ba9", 0x7F: "\u0bf9"}),
        (NationalLanguage.TELUGU, {0x00: "\u0c01", 0x45: "\u0c31", 0x4E: RESERVED, 0x7B: "\u0c56"}),
        (NationalLanguage.URDU, {0x00: "\u0627", 0x27: "\u0693", 0x3C: "\u069a", 0x60: "\u0654", 0x7F: "\u0670"}),
    ],
)  # fmt: skip
def test_locking_tables_have_the_characters_of_annex_a(language: NationalLanguage, locking: dict[int, str]) -> None:
    assert {septet: LOCKING[language][septet] for septet in locking} == locking


@pytest.mark.parametrize(
    ("language", "single"),
    [
        (NationalLanguage.TURKISH, {0x47: "Ğ", 0x49: "İ", 0x69: "\u0131", 0x73: "ş"}),
        (NationalLanguage.SPANISH, {0x09: "ç", 0x41: "Á", 0x75: "ú"}),
        (NationalLanguage.PORTUGUESE, {0x05: "ê", 0x12: "Φ", 0x1F: "Ê", 0x5B: "Ã", 0x7F: "â"}),
        (NationalLanguage.BENGALI, {0x19: "\u09e6", 0x1C: "\u09e8", 0x27: "\u09e2", 0x2A: "\u09e3", 0x34: "\u09fa"}),
        (NationalLanguage.GUJARATI, {0x19: "\u0964", 0x1C: "\u0ae6", 0x25: "\u0aef"}),
        (
            NationalLanguage.HINDI,
            {0x26: "\u0951", 0x2E: "\u095a", 0x30: "\u095b", 0x3A: "\u0971", 0x41: "A", 0x5A: "Z"},
        ),
        (NationalLanguage.KANNADA, {0x26: "\u0cde", 0x2A: "\u0cf2"}),
        (NationalLanguage.MALAYALAM, {0x2E: "\u0d7a", 0x30: "\u0d7b", 0x34: "\u0d7f"}),
        (NationalLanguage.ORIYA, {0x27: "\u0b5d", 0x2A: "\u0b5f", 0x2C: "\u0b71"}),
        (NationalLanguage.PUNJABI, {0x26: "\u0a59", 0x2C: "\u0a5e", 0x2D: "\u0a75"}),
        (NationalLanguage.TAMIL, {0x24: "\u0bee", 0x26: "\u0bf3", 0x2E: "\u0bfa"}),
        (NationalLanguage.TELUGU, {0x1C: "\u0c66", 0x22: "\u0c6c", 0x26: "\u0c58", 0x32: "\u0c7f"}),
        (NationalLanguage.URDU, {0x19: "\u0600", 0x1C: "\u06f0", 0x3B: "\u06cd", 0x3F: "\u06d4"}),
    ],
)
def test_single_tables_have_the_characters_of_annex_a(language: NationalLanguage, single: dict[int, str]) -> None:
    assert single.items() <= SINGLE[language].items()


@given(st.data(), st.sampled_from(ALL), st.sampled_from(ALL))
def test_texts_of_the_tables_come_back(
    data: st.DataObject, locking: NationalLanguage, single: NationalLanguage
) -> None:
    text = data.draw(st.text(characters(locking, single), max_size=200))
    assert gsm7.can_encode(text, locking, single)
    septets = gsm7.encode(text, locking, single)
    assert septets.isascii()
    assert gsm7.decode(septets, locking, single) == text


@given(st.text(max_size=50), st.sampled_from(ALL), st.sampled_from(ALL))
def test_any_text_is_encoded_whole_or_refused(text: str, locking: NationalLanguage, single: NationalLanguage) -> None:
    if gsm7.can_encode(text, locking, single):
        assert gsm7.decode(gsm7.encode(text, locking, single), locking, single) == text
    else:
        with pytest.raises(AlphabetError):
            gsm7.encode(text, locking, single)


@given(SEPTETS, st.sampled_from(ALL), st.sampled_from(ALL))
def test_any_septets_make_a_text(septets: bytes, locking: NationalLanguage, single: NationalLanguage) -> None:
    assert len(gsm7.decode(septets, locking, single)) <= len(septets)


@pytest.mark.parametrize("text", ["`", "\x1b", "\x80", "\ufffd", "\uffff", "😀"])
def test_what_no_table_has_is_refused(text: str) -> None:
    assert not gsm7.can_encode(text)
    with pytest.raises(AlphabetError) as caught:
        gsm7.encode("secret " + text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("septets", "text"),
    [
        (b"a\x1b", "a "),  # cut after the escape
        (b"a\x1b\x1bb", "a b"),  # an escape to a second table, which does not exist
        (b"\x1ba", "a"),  # not in the extension table: shown as in the default alphabet
        (b"\x1b\x65", "€"),
    ],
)
def test_odd_escapes_show_as_23_038_asks(septets: bytes, text: str) -> None:
    assert gsm7.decode(septets) == text


def test_half_a_surrogate_pair_is_refused() -> None:
    assert not gsm7.can_encode("\ud800")
    with pytest.raises(AlphabetError):
        gsm7.encode("\udc00")


def test_bytes_beyond_seven_bits_are_refused() -> None:
    for use in (gsm7.decode, gsm7.pack):
        with pytest.raises(AlphabetError):
            use(b"a\x80")
