"""One key for one subscriber, in the forms of libphonenumber's data (`sms.countries`, issue 9 A3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.host.numbering.numbers import Numbers, countries_problem, country_code_problem
from otppi.wire.errors import AddressError

INDONESIA = Numbers("62")
ANYWHERE = Numbers("62", ["any"])


@pytest.mark.parametrize(
    "text",
    [
        "081200000017",
        "+6281200000017",
        "6281200000017",
        "+62 0812 0000 0017",
        "62081200000017",
        "+62 (0)812-0000-0017",
        "0062 812 0000 0017",
        "0062 (0)812 0000 0017",
        "008 62 812 0000 0017",
        "009 62 812 0000 0017",
    ],
)
def test_one_subscriber_has_one_key(text: str) -> None:
    assert INDONESIA.receiver(text) == ANYWHERE.receiver(text) == "6281200000017"


@pytest.mark.parametrize(
    ("country_code", "texts", "key"),
    [
        ("1", ["2025550123", "12025550123", "+1 (202) 555-0123", "011 1 202 555 0123"], "12025550123"),
        ("7", ["8 912 123-45-67", "79121234567", "+7 912 123 45 67", "8 10 7 912 123 45 67"], "79121234567"),
        ("36", ["06 20 123 4567", "+36 20 123 4567", "+36 06 20 123 4567"], "36201234567"),
        ("39", ["06 1234 5678", "+39 06 1234 5678", "+39 (0)6 1234 5678"], "390612345678"),
        ("39", ["391 234 5678", "393912345678"], "393912345678"),
        ("44", ["07400 123456", "+44 (0)7400 123456", "0044 7400 123456"], "447400123456"),
        ("54", ["011 15 2345 6789", "+54 9 11 2345 6789", "+54 11 15 2345 6789"], "5491123456789"),
        ("61", ["0412 345 678", "+61 0412 345 678", "0011 61 412 345 678"], "61412345678"),
        ("65", ["9123 4567", "6591234567", "+65 9123 4567", "001 65 9123 4567"], "6591234567"),
    ],
)
def test_each_country_has_its_own_way_to_dial(country_code: str, texts: list[str], key: str) -> None:
    numbers = Numbers(country_code)
    assert {text: numbers.receiver(text) for text in texts} == dict.fromkeys(texts, key)


@pytest.mark.parametrize("numbers", [INDONESIA, ANYWHERE], ids=["own country", "any"])
@pytest.mark.parametrize(
    "text",
    [
        "81200000017",  # a spreadsheet took the zero; with a + it is in Japan
        "009 1 202 555 0123",  # 00 and +91: India; 009 and +1: North America
        "001 62 812 0000 0017",
        "007 62 812 0000 0017",
        "007 65 9123 4567",
        "01017 62 812 0000 0017",
        "01017 1 202 555 0123",
        "01017 65 9123 4567",
    ],
)
def test_what_may_mean_somebody_else_is_refused(numbers: Numbers, text: str) -> None:
    with pytest.raises(AddressError) as caught:
        numbers.receiver(text)
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("0812ABC4567", "letters"),
        ("888", "too short"),
        ("08123", "too short"),
        ("+62812345678901234", "too long"),
        ("08123456789012345", "too long"),
        ("00000", "country code"),
        ("00081234567", "country code"),
        ("00", "country code"),
        ("+999 812 0000 0017", "country code"),
        ("81200000017", "no leading 0"),
        ("009 1 202 555 0123", r"several countries: write \+"),
        ("001 62 812 0000 0017", r"write \+ and the country code"),
        ("+6591234567", r"sms.countries does not allow; .* \+62 or 0"),
    ],
)
def test_the_error_names_the_reason(text: str, reason: str) -> None:
    with pytest.raises(AddressError, match=reason):
        INDONESIA.receiver(text)


def test_only_the_countries_that_are_named_receive() -> None:
    numbers = Numbers("62", ["SG", "+60"])
    assert numbers.receiver("+65 9123 4567") == "6591234567"
    assert numbers.receiver("0060 12-345 6789") == "60123456789"
    assert numbers.receiver("081200000017") == "6281200000017"
    for text in ("+1 202 555 0123", "+81 90 1234 5678"):
        with pytest.raises(AddressError, match="does not allow"):
            numbers.receiver(text)
        assert numbers.key(text)  # it may be blocked all the same
        assert ANYWHERE.receiver(text) == numbers.key(text)


def test_countries_that_share_a_code_can_be_told_apart() -> None:
    """A premium number in the Caribbean has the code of North America: pumping of SMS."""
    assert Numbers("1").receiver("+1 876 555 0123") == "18765550123"
    numbers = Numbers("1", ["US"])
    assert numbers.receiver("202 555 0123") == "12025550123"
    with pytest.raises(AddressError, match="does not allow"):
        numbers.receiver("+1 876 550 0123")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("0871", "62871"),
        ("62871", "62871"),
        ("+62871", "62871"),
        ("0062871", "62871"),
        ("+62 0871", "62871"),
        ("08 71", "62871"),
        ("62", "62"),
        ("0", "62"),
        ("+65", "65"),
    ],
)
def test_prefixes(typed: str, kept: str) -> None:
    assert INDONESIA.prefix(typed) == kept


@pytest.mark.parametrize("text", ["", "+", "0x", "6281234567890123", "+0", "00"])
def test_wrong_prefixes_are_refused(text: str) -> None:
    with pytest.raises(AddressError):
        INDONESIA.prefix(text)


@pytest.mark.parametrize(
    ("kept", "key"),
    [
        ("62081200000017", "6281200000017"),
        ("81200000017", "6281200000017"),
        ("6281200000017", "6281200000017"),
        ("6591234567", "6591234567"),
        ("18005550100", "18005550100"),
        ("9" * 15, "9" * 15),
    ],
)
def test_what_an_earlier_version_kept_is_read_in_the_new_form(kept: str, key: str) -> None:
    assert INDONESIA.again(kept) == key


@given(st.text(max_size=24), st.sampled_from(["62", "1", "7", "39", "65"]))
def test_any_text_has_one_key_or_is_a_typed_error(text: str, country_code: str) -> None:
    numbers = Numbers(country_code, ["any"])
    try:
        key = numbers.key(text)
    except AddressError:
        return
    assert 8 <= len(key) <= 15
    assert numbers.key(f"+{key}") == key


@given(st.from_regex(r"\+?(62|0|00|00[1-9]|010[0-9]{2})?0?8[1-9][0-9]{7,10}", fullmatch=True))
def test_a_number_of_the_own_country_is_never_sent_abroad(text: str) -> None:
    try:
        key = INDONESIA.receiver(text)
    except AddressError:
        return
    assert key.startswith("628")
    assert key.endswith(text[-9:])


@pytest.mark.parametrize("code", ["999", "800", "0", "620", "062", "+62", "ID", ""])
def test_a_country_code_that_is_none_is_told(code: str) -> None:
    assert country_code_problem(code) == "is not a country code, such as 62"
    assert country_code_problem("62") is None


def test_countries_that_are_none_are_told() -> None:
    assert countries_problem(["any", "SG", "sg", "65", "+60"]) is None
    for one in ("XX", "999", "Japan", "", "6 5"):
        assert countries_problem([one])
