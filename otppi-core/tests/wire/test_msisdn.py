"""Telephone numbers as people write them, and as logs show them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.wire.errors import AddressError
from otppi.wire.msisdn import Written, mask, read_written, service_number


@pytest.mark.parametrize(
    ("text", "digits", "plus"),
    [
        ("081234567890", "081234567890", False),
        ("+6281234567890", "6281234567890", True),
        (" 0812 3456 7890\n", "081234567890", False),
        ("(0812) 3456.7890", "081234567890", False),
        ("+62 (0)812-3456-7890", "62081234567890", True),
        ("+62\u00a0812\u20113456\u20117890", "6281234567890", True),
        ("\u202a+62 812 3456 7890\u202c", "6281234567890", True),
    ],
)
def test_the_digits_however_written(text: str, digits: str, plus: bool) -> None:
    assert read_written(text) == Written(digits, plus)


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
        ("+0812345678", "country code"),
        ("1" * 25, "too long"),
    ],
)
def test_the_error_names_the_reason_and_not_the_number(text: str, reason: str) -> None:
    with pytest.raises(AddressError, match=reason.replace("+", r"\+")) as caught:
        read_written(text)
    assert len(text) < 3 or text not in str(caught.value)


@given(st.text(max_size=30))
def test_any_text_has_digits_or_is_a_typed_error(text: str) -> None:
    try:
        written = read_written(text)
    except AddressError:
        return
    assert written.digits.isascii()
    assert written.digits.isdigit()


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


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4444", "4444"),
        (" 99 899 ", "99899"),
        ("*888#", "*888#"),
        ("*123*4#", "*123*4#"),
        ("#31#", "#31#"),
        ("**21*12#", "**21*12#"),
    ],
)
def test_service_numbers(text: str, number: str) -> None:
    assert service_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "44",
        "0812",
        "1234567",
        "+4444",
        "081234567890",
        "BANK",
        "*#",
        "****",
        "*888#x",
        "628*****66",
        "*" + "1" * 20,
    ],
)
def test_what_is_no_service_number(text: str) -> None:
    assert service_number(text) is None


@given(st.from_regex(r"[1-9][0-9]{7,14}", fullmatch=True))
def test_no_msisdn_and_no_masked_one_is_a_service_number(number: str) -> None:
    assert service_number(number) is None
    assert service_number(mask(number)) is None
