"""What a USSD string reads as: texts of many languages in every form, beside every DCS, from every kind of modem."""

# ruff: noqa: RUF001 - the letters of other scripts are what is tested

from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.wire import gsm7
from otppi.wire.plausible import surprisal
from otppi.wire.ussd import pack
from otppi.wire.ussd_text import UssdForm, looks_like_code, read_ussd

TEXTS = {
    "Indonesian": "Pulsa Rp10.000",
    "Indonesian menu": "Sisa pulsa Rp.3000.Aktif sd 26/02/2030.\n1.YA\n2.Cek Kuota\n3.Nelpon",
    "French": "Votre crédit est de 12,50€ jusqu’au 31/12/2030 – merci d’utiliser nos services",
    "short French": "Crédit: 5,00 €",
    "Greek": "Το υπόλοιπό σας είναι 12,50 ευρώ. Λήξη 31/12/2030",
    "Greek capitals, as the 7 bit alphabet has them": "TO YΠOΛOIΠO ΣAΣ EINAI 12,50 EYPΩ",
    "Arabic": "رصيدك الحالي هو 12.50 ريال وينتهي في 31/12/2030",
    "Chinese": "尊敬的客户，您的账户余额为53.20元，有效期至2030年12月31日。",
    "short Chinese": "余额：10.00元",
    "Chinese, traditional": "您的餘額為 100 元，感謝您的使用",
    "Japanese": "残高は1200円です",
    "Korean": "고객님의 잔액은 5,000원 입니다",
    "Russian": "Баланс:2220,76р",
    "Hindi": "आपका बैलेंस 50 रुपये है",
    "Thai": "ยอดเงินคงเหลือ 25.50 บาท",
    "Amharic": "ቀሪ ሂሳብዎ 10.50 ብር ነው",
    "Vietnamese": "Tài khoản chính: 25.000 đồng",
    "Turkish": "Kalan bakiyeniz 12,50 TL'dir. İyi günler",
    "a number with decimals": "10000.50",
}
CODES = ("1234", "12345", "50000", "2000", "AB12CD34", "A1B2C3D4E5F6", "FACE", "081234567890", "628123456789")
"""Texts of hexadecimal digits that are meant as they stand."""
SCHEMES = (None, 0, 1, 7, 15, 16, 17, 68, 72, 244)


def written(text: str) -> Iterator[tuple[str, UssdForm | None, str]]:
    """Write a text in all forms: name, the form of the modem that does so, and the string."""
    yield "plain", UssdForm.PLAIN, text
    if gsm7.can_encode(text):
        yield "packed septets", UssdForm.GSM7_HEX, pack(text).hex().upper()
        yield "septets in octets", None, gsm7.encode(text).hex().upper()
    if text.isascii():
        yield "ASCII in octets", None, text.encode().hex()
    yield "UTF-8 in octets", None, text.encode().hex().upper()
    yield "UCS-2", UssdForm.UCS2_HEX, text.encode("utf-16-be").hex().upper()
    yield "UCS-2 in small letters", UssdForm.UCS2_HEX, text.encode("utf-16-be").hex()
    yield "UCS-2 with a byte order mark", None, ("\ufeff" + text).encode("utf-16-be").hex().upper()
    yield "UCS-2, low octet first", None, text.encode("utf-16-le").hex().upper()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_is_read_in_every_form_whatever_the_dcs_and_the_modem_say(text: str) -> None:
    for (name, _, raw), dcs, form in product(written(text), SCHEMES, UssdForm):
        assert read_ussd(raw, dcs, form).rstrip("\r") == text, f"{name}, DCS {dcs}, a modem of {form.value}"


@pytest.mark.parametrize("code", CODES)
def test_a_number_or_voucher_that_looks_like_hexadecimal_stays_what_it_is(code: str) -> None:
    for dcs in (None, 0, 1, 7, 15, 16):
        assert read_ussd(code, dcs, UssdForm.PLAIN) == code


@pytest.mark.parametrize("code", CODES)
def test_a_number_or_voucher_is_read_where_form_and_dcs_are_right(code: str) -> None:
    for _, form, raw in written(code):
        if form is not None:
            for dcs in (72,) if form is UssdForm.UCS2_HEX else (None, 0, 15):
                assert read_ussd(raw, dcs, form).rstrip("\r") == code, (form, dcs)


@pytest.mark.parametrize("code", ["1234", "AB12CD34", "12345", "50000"])
def test_a_code_stays_beside_the_dcs_of_ucs2_too(code: str) -> None:
    assert read_ussd(code, 72, UssdForm.PLAIN) == code


@given(st.text("0123456789ABCDEF", min_size=1, max_size=60))
def test_hexadecimal_digits_of_no_sense_never_vanish(raw: str) -> None:
    for dcs, form in product(SCHEMES, UssdForm):
        assert read_ussd(raw, dcs, form).strip()


@given(st.text(max_size=60), st.sampled_from(SCHEMES), st.sampled_from(UssdForm))
def test_what_is_no_hexadecimal_is_never_changed(text: str, dcs: int | None, form: UssdForm) -> None:
    if not looks_like_code(text) and '"' not in text:
        assert read_ussd(text, dcs, form) == text


# -- captures ----------------------------------------------------------------------------------------------------------


def ucs2(text: str) -> str:
    return text.encode("utf-16-be").hex().upper()


def test_gammu_358_ucs2_beside_dcs_15_with_a_letter_beyond_ascii() -> None:
    text = "Havi keret: 0Ft. Felöltött egyenleg: 7770Ft,(ebböl vàsàrlàsra is fordìthatò: 7770Ft). Dìjcsomag: A. *111#"
    for dcs, form in product((15, 0, None), UssdForm):
        assert read_ussd(ucs2(text), dcs, form) == text


def test_gammu_513_octets_beside_dcs_0() -> None:
    raw = (
        "536973612070756C73612052702E333030302E416B7469662073642032362F30322F323032302E0A"
        "312E59410A322E43656B204B756F74610A332E4E656C706F6E0A342E496E7465726E65740A352E4C61696E6E79610A"
    )
    for form in UssdForm:
        assert read_ussd(raw, 0, form).startswith("Sisa pulsa Rp.3000.Aktif sd 26/02/2020.\n1.YA\n2.Cek Kuota\n3.Nel")


def test_gammu_377_garbage_behind_the_end_of_the_string() -> None:
    """The modem writes its whole buffer: behind a zero stands what was in the memory before."""
    text = "Saldo: 10.50, berlaku sd 30-11-2030"
    raw = ucs2(text) + "0000FFFF60B16260EEEEFFFFFFFFFFFFFFFFFFFF60B16260EEEEFFFF00A96260"
    for dcs, form in product((15, 72, None), UssdForm):
        assert read_ussd(raw, dcs, form) == text


def test_gammu_150_a_quoted_part_in_plain_within_ucs2() -> None:
    raw = f'{ucs2(" Vas balans 950.08 r.")}"Shape of you"{ucs2(" Ed Sheeran na 15 dnej besplatno! Podkl.*4118#")}'
    for dcs, form in product((15, 72, None), UssdForm):
        text = read_ussd(raw, dcs, form)
        assert text == ' Vas balans 950.08 r."Shape of you" Ed Sheeran na 15 dnej besplatno! Podkl.*4118#'


def test_sms_tool_13_dcs_7_beside_ucs2() -> None:
    text = " Du har 0,00 kr och 0,99 GB surf kvar. Du ringer för 2kr/samtal, skickar SMS/MMS för 50öre/st."
    for form in UssdForm:
        assert read_ussd(ucs2(text), 7, form) == text


def test_a_string_that_was_cut_within_a_character_is_read_up_to_there() -> None:
    text = "Votre crédit est de 12,50 jusqu’au"
    for cut in (1, 2, 3):
        assert read_ussd(ucs2(text + "x")[:-cut], 15, UssdForm.PLAIN).startswith(text)


def test_ucs2_in_several_lines_is_one_string() -> None:
    raw = ucs2("Votre crédit est de 12,50")
    assert read_ussd(raw[:40] + "\n" + raw[40:], 15, UssdForm.PLAIN) == "Votre crédit est de 12,50"


# -- the measure -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_surprises_less_than_the_same_octets_read_wrongly(text: str) -> None:
    octets = text.encode("utf-16-be")
    for wrong in (octets.decode("latin-1"), octets.decode("utf-16-le", "replace"), octets.hex()):
        assert surprisal(text) + 20 < surprisal(wrong)


@given(st.text(max_size=200))
def test_every_text_has_a_measure(text: str) -> None:
    assert 0 <= surprisal(text) < 100 * (len(text) + 1)
