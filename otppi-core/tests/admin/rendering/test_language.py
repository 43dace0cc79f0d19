"""In which language a page is written, and how numbers and times are."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.admin.rendering import formats
from otppi.admin.rendering.language import chosen
from otppi.text.languages import languages


@pytest.mark.parametrize(
    ("wishes", "accepted", "language"),
    [
        (("en", "id"), "id", "en"),
        (("", "en"), "id", "en"),
        (("xx", ""), "en-GB,en;q=0.9,id;q=0.8", "en"),
        (("", ""), "de, id;q=0.5, en;q=0.7", "en"),
        (("", ""), "id-ID,id;q=0.9,en;q=0.8", "id"),
        (("", ""), "en;q=0", "id"),
        (("", ""), "", "id"),
        (("", ""), "en;q=x", "id"),
        (("", ""), ";;,,q=", "id"),
    ],
)
def test_the_set_one_then_the_browsers_then_indonesian(wishes: tuple[str, str], accepted: str, language: str) -> None:
    assert chosen(*wishes, accepted=accepted) == language


@given(st.text(max_size=600))
def test_whatever_a_browser_accepts_there_is_a_language(accepted: str) -> None:
    assert chosen(accepted=accepted) in languages()


def test_numbers() -> None:
    assert formats.number(10000.5, "id", 1) == "10.000,5"
    assert formats.number(10000.5, "en", 1) == "10,000.5"
    assert formats.number(1204, "id") == "1.204"


def test_times() -> None:
    now = time.time()
    today = time.localtime(now)
    assert formats.moment(now, "id") == f"{today.tm_hour:02}.{today.tm_min:02}"
    assert formats.moment(now, "en") == f"{today.tm_hour:02}:{today.tm_min:02}"
    assert formats.moment(time.mktime((2020, 5, 17, 8, 5, 0, 0, 0, -1)), "id") == "17 Mei 2020 08.05"
    assert formats.moment(time.mktime((2020, 8, 17, 8, 5, 0, 0, 0, -1)), "en") == "17 Aug 2020 08:05"
