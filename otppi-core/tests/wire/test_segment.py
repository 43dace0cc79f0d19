"""Cutting texts into messages and joining them again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.wire import gsm7
from otppi.wire.dcs import Alphabet
from otppi.wire.errors import AlphabetError, TpduError, WireError
from otppi.wire.gsm7 import NationalLanguage
from otppi.wire.gsm7_tables import LOCKING, SINGLE
from otppi.wire.segment import join, segment
from otppi.wire.udh import Concatenation, UserDataHeader
from otppi.wire.user_data import UserData

LANGUAGES = st.lists(st.sampled_from([language for language in NationalLanguage if language]), unique=True, max_size=3)
PLAIN = LOCKING[NationalLanguage.DEFAULT].replace(" ", "", 1) + "".join(SINGLE[NationalLanguage.DEFAULT].values())
TURKISH, HINDI = NationalLanguage.TURKISH, NationalLanguage.HINDI


def sizes(text: str, **options: object) -> list[int]:
    return [len(part.payload) for part in segment(text, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "wide", "expected"),
    [
        ("", False, [0]),
        ("a" * 160, False, [160]),
        ("a" * 161, False, [153, 8]),
        ("a" * 161, True, [152, 9]),
        ("a" * 306, False, [153, 153]),
        ("a" * 307, False, [153, 153, 1]),
        ("€" * 80, False, [160]),
        ("€" * 81, False, [152, 10]),  # 153 would cut an escape from its character
        ("a" + "€" * 80, False, [153, 8]),
        ("ж" * 70, False, [140]),
        ("ж" * 71, False, [134, 8]),
        ("ж" * 71, True, [132, 10]),
        ("😀" * 35, False, [140]),
        ("😀" * 36, False, [132, 12]),  # 67 units would cut a pair
        ("ж" + "😀" * 35, False, [134, 8]),
        ("ж" + "😀" * 35, True, [130, 12]),
    ],
)
def test_where_texts_are_cut(text: str, wide: bool, expected: list[int]) -> None:
    assert sizes(text, wide_reference=wide) == expected
    assert join(segment(text, wide_reference=wide)) == text


@pytest.mark.parametrize(
    ("text", "languages", "expected"),
    [
        ("ş" * 77, [TURKISH], [154]),  # the single shift alone: 155 septets
        ("ş" * 155, [TURKISH], [155]),  # the locking shift alone
        ("ş" * 156, [TURKISH], [149, 7]),
        ("ğ" + "a" * 153, [TURKISH], [155]),
        ("\u0905" * 155, [HINDI], [155]),
        ("\u0905" * 70 + "\u0966", [HINDI], [72]),  # both tables: a letter and a digit of its own
        ("ş" * 70, [], [140]),
        ("ş" * 71, [], [134, 8]),
        ("a" * 160, [TURKISH], [160]),
        ("ж" * 70, [TURKISH], [140]),
    ],
)
def test_national_tables_are_used_where_they_are_allowed(
    text: str, languages: list[NationalLanguage], expected: list[int]
) -> None:
    assert sizes(text, languages=languages) == expected
    assert join(segment(text, languages=languages)) == text


def test_a_national_header_is_in_every_part() -> None:
    parts = segment("ş" * 156, languages=[TURKISH], reference=5)
    assert [part.header for part in parts] == [
        UserDataHeader.of(Concatenation(5, 2, number), locking_shift=TURKISH) for number in (1, 2)
    ]


def test_of_several_languages_the_one_with_the_fewest_parts_is_used() -> None:
    text = "ç" * 150  # one septet in Turkish, two in Spanish
    (part,) = segment(text, languages=[NationalLanguage.SPANISH, TURKISH])
    assert part.header is not None
    assert part.header.locking_shift is TURKISH


def test_parts_say_which_they_are() -> None:
    assert [part.concatenation for part in segment("a" * 400, reference=0x1AA)] == [
        Concatenation(0xAA, 3, number) for number in (1, 2, 3)
    ]
    assert segment("a" * 400, reference=0x31234, wide_reference=True)[2].concatenation == Concatenation(
        0x1234, 3, 3, wide=True
    )
    assert segment("a")[0].header is None


def test_flash_is_message_class_0() -> None:
    assert segment("a", flash=True)[0].dcs.octet == 0x10
    assert {part.dcs.octet for part in segment("ж" * 99, flash=True)} == {0x18}
    assert segment("a")[0].dcs.octet == 0x00
    assert segment("ж")[0].dcs.octet == 0x08


def test_more_parts_than_allowed_are_refused() -> None:
    assert len(segment("a" * 153 * 255)) == 255
    assert len(segment("a" * 306, max_parts=2)) == 2
    for text, most in [("a" * (153 * 255 + 1), 255), ("a" * (153 * 255 + 1), 999), ("a" * 307, 2), ("a", 0)]:
        with pytest.raises(TpduError):
            segment(text, max_parts=most)


@pytest.mark.parametrize("text", ["secret \ud83d", "\udc00 secret", "\udc00\ud800"])
def test_half_a_surrogate_pair_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(AlphabetError) as caught:
        segment(text)
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None, "an UnicodeEncodeError would carry the text along"


@given(
    st.text(PLAIN, max_size=700)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
    | st.text(max_size=50),
    st.integers(0, 70000),
    st.booleans(),
    LANGUAGES,
    st.booleans(),
)
def test_any_text_comes_back_from_its_parts(
    text: str, reference: int, wide: bool, languages: list[NationalLanguage], flash: bool
) -> None:
    parts = segment(text, reference=reference, wide_reference=wide, languages=languages, flash=flash)
    assert join(reversed(parts)) == text
    assert join(parts + parts[:1]) == text, "a part that came twice"
    assert "".join(part.text for part in parts) == text, "nothing is cut in two"
    for part in parts:
        assert len(part.encode()) <= 141
        assert UserData.decode(part.encode(), part.dcs, has_header=part.header is not None)[0] == part
    if gsm7.can_encode(text):
        assert parts[0].dcs.alphabet is Alphabet.GSM7


@given(st.text(st.characters(), max_size=200), LANGUAGES)
def test_any_str_is_segmented_or_a_typed_error(text: str, languages: list[NationalLanguage]) -> None:
    try:
        parts = segment(text, languages=languages)
    except WireError:
        assert any("\ud800" <= char <= "\udfff" for char in text)
    else:
        assert join(parts) == text


def test_a_longer_header_never_costs_more_parts_than_ucs2() -> None:
    for size in range(1, 500, 7):
        text = "\u0966\u0905" * size
        assert len(segment(text, languages=[HINDI])) <= len(segment(text))


def test_characters_that_a_sender_cut_in_two_are_made_whole() -> None:
    first, second = segment("ж" * 71)
    pair = "😀".encode("utf-16-be")
    torn = [
        UserData(first.dcs, UserDataHeader.of(Concatenation(1, 2, 1)), pair[:2]),
        UserData(second.dcs, UserDataHeader.of(Concatenation(1, 2, 2)), pair[2:]),
    ]
    assert join(torn) == "😀"
    assert torn[0].text == "\ufffd"
    escape, euro = (septet.to_bytes() for septet in gsm7.encode("€"))
    one, two = (UserDataHeader.of(Concatenation(1, 2, number)) for number in (1, 2))
    assert join([UserData(header=one, payload=escape), UserData(header=two, payload=euro)]) == "€"


def test_parts_may_differ_in_alphabet() -> None:
    one, two = (UserDataHeader.of(Concatenation(1, 2, number)) for number in (1, 2))
    ucs2 = segment("ж")[0].dcs
    assert join([UserData(ucs2, two, "ж".encode("utf-16-be")), UserData(header=one, payload=gsm7.encode("a"))]) == "aж"


def test_parts_that_do_not_belong_together_are_refused() -> None:
    a, b = segment("a" * 200, reference=1), segment("b" * 200, reference=2)
    longer = segment("a" * 400, reference=1)
    wide = segment("a" * 200, reference=1, wide_reference=True)
    for parts in ([], [a[0]], [a[0], b[1]], [a[0], longer[1], longer[2]], [a[0], wide[1]], [a[0], a[1], *segment("c")],
                  [*segment("c"), *segment("d")], [a[0], a[1], segment("c" * 200, reference=1)[1]]):  # fmt: skip
        with pytest.raises(TpduError):
            join(parts)
