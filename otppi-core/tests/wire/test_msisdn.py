"""Telephone numbers as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.wire.errors import AddressError
from otppi.wire.msisdn import mask, normalise, normalise_prefix


@pytest.mark.parametrize(
    "text",
    [
        "081234567890",
        "+6281234567890",
        "6281234567890",
        "006281234567890",
        "0812-3456-7890",
        " 0812 3456 7890\n",
        "+62 812 3456 7890",
        "+62 (0)812-3456-7890",
        "0062(0)812 3456 7890",
        "(0812) 3456.7890",
        "+62\u00a0812\u20113456\u20117890",
        "\u202a+62 812 3456 7890\u202c",
    ],
)
def test_the_same_number_however_written(text: str) -> None:
    assert normalise(text, "62") == "6281234567890"


def test_the_country_code_belongs_to_the_leading_zero_only() -> None:
    assert normalise("0412345678", "61") == "61412345678"
    assert normalise("+6591234567", "62") == "6591234567"
    assert normalise("6591234567", "62") == "6591234567"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" - ", "empty"),
        ("+", "empty"),
        ("0812ABC4567", "letters"),
        ("someone@example.org", "letters"),
        ("٠٨١٢٣٤٥٦٧٨", "no digit"),
        ("0812*345#678", "no digit"),
        ("0812+345678", "+"),
        ("++62812345678", "+"),
        ("888", "too short"),
        ("08123", "too short"),
        ("+62812345678901234", "too long"),
        ("0" * 5, "country code"),
        ("+0812345678", "country code"),
        ("00081234567", "country code"),
        ("00", "country code"),
    ],
)
def test_the_error_names_the_reason_and_not_the_number(text: str, reason: str) -> None:
    with pytest.raises(AddressError, match=reason.replace("+", r"\+")) as caught:
        normalise(text, "62")
    assert len(text) < 3 or text not in str(caught.value)


@pytest.mark.parametrize("country_code", ["", "0", "062", "+62", "6281", "ID"])
def test_a_wrong_country_code_is_told(country_code: str) -> None:
    with pytest.raises(AddressError, match="country code"):
        normalise("081234567890", country_code)


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("0871", "62871"),
        ("62871", "62871"),
        ("+62871", "62871"),
        ("0062871", "62871"),
        ("08 71", "62871"),
        ("62", "62"),
        ("0", "62"),
    ],
)
def test_prefixes(text: str, prefix: str) -> None:
    assert normalise_prefix(text, "62") == prefix


@pytest.mark.parametrize("text", ["", "+", "0x", "6281234567890123", "+0"])
def test_wrong_prefixes_are_refused(text: str) -> None:
    with pytest.raises(AddressError):
        normalise_prefix(text, "62")


@given(st.text(max_size=24), st.text(max_size=4))
def test_any_text_is_a_number_or_a_typed_error(text: str, country_code: str) -> None:
    try:
        number = normalise(text, country_code)
    except AddressError:
        return
    assert number.isascii()
    assert number.isdigit()
    assert 8 <= len(number) <= 15
    assert normalise(number, country_code) == normalise("+" + number, country_code) == number


@given(st.integers(10_000_000, 10**15 - 1).map(str))
def test_an_international_number_stays_what_it_is(number: str) -> None:
    assert normalise(number, "62") == number


@pytest.mark.parametrize(
    ("msisdn", "masked"),
    [
        ("628123456766", "62812*****66"),
        ("6281234567890", "62812******90"),
        ("62812345", "6*****45"),
        ("123456", "*****6"),
        ("888", "***"),
        ("", ""),
    ],
)
def test_masks(msisdn: str, masked: str) -> None:
    assert mask(msisdn) == masked


@given(st.text("0123456789", max_size=20))
def test_a_mask_hides_five_digits_at_least(msisdn: str) -> None:
    masked = mask(msisdn)
    assert len(masked) == len(msisdn)
    assert masked.count("*") >= min(5, len(msisdn))
    assert all(shown in ("*", digit) for shown, digit in zip(masked, msisdn, strict=True))
