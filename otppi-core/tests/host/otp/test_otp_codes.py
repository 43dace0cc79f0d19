"""Codes and their keyed hashes: every code is as likely as any other, and a hash is that of one code in one place."""

from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from otppi.host.otp.codes import ALPHABETS, Hasher, new_code, tidy

HASHER = Hasher(b"k" * 32)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PARAMS = st.tuples(*[st.none() | TEXT] * 4)


@pytest.mark.parametrize("alphabet", ALPHABETS)
@pytest.mark.parametrize("length", [4, 12])
def test_a_code_is_made_of_its_alphabet(alphabet: str, length: int) -> None:
    code = new_code(length, alphabet)
    assert len(code) == length
    assert set(code) <= set(ALPHABETS[alphabet])
    assert tidy(code) == code, "what the receiver types as it stands is the code"


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_every_sign_is_as_likely_as_any_other(alphabet: str) -> None:
    signs = ALPHABETS[alphabet]
    assert len(set(signs)) == len(signs)
    drawn = Counter(new_code(30_000, alphabet))
    assert set(drawn) == set(signs)
    chi_square = sum((count - 30_000 / len(signs)) ** 2 / (30_000 / len(signs)) for count in drawn.values())
    assert chi_square < len(signs) - 1 + 7 * (2 * len(signs)) ** 0.5  # seven standard deviations


def test_letters_have_none_that_look_alike() -> None:
    for alphabet in ("letters", "letters-digits"):
        for pair in ("0O", "1I", "IL", "UV", "B8", "S5", "Z2", "G6"):
            assert not set(pair) <= set(ALPHABETS[alphabet]), pair


@pytest.mark.parametrize("typed", ["BCD-FGH", "bcdfgh", " BCD FGH ", "bCd\u00a0fgh", "BCDFGH\n"])
def test_what_a_person_types_is_tidied(typed: str) -> None:
    assert tidy(typed) == "BCDFGH"


@given(st.tuples(TEXT, TEXT, TEXT, PARAMS, TEXT), st.tuples(TEXT, TEXT, TEXT, PARAMS, TEXT))
def test_no_request_verifies_the_code_of_another(
    one: tuple[str, str, str, tuple[str | None, ...], str], other: tuple[str, str, str, tuple[str | None, ...], str]
) -> None:
    def comparable(
        bound: tuple[str, str, str, tuple[str | None, ...], str],
    ) -> tuple[str, str, str, tuple[str, ...], str]:
        owner, reference, receiver, params, code = bound
        return owner, reference, receiver, tuple(param or "" for param in params), code

    def hashed(bound: tuple[str, str, str, tuple[str | None, ...], str]) -> bytes:
        owner, reference, receiver, params, code = bound
        return HASHER.code("message", HASHER.place(owner, reference), receiver, params, code)

    assert (hashed(one) == hashed(other)) == (comparable(one) == comparable(other))


@given(TEXT, TEXT, PARAMS, TEXT, TEXT)
def test_fields_cannot_be_shifted_into_each_other(
    reference: str, receiver: str, params: tuple[str | None, ...], code: str, moved: str
) -> None:
    assume(moved)
    place = HASHER.place("a/b", reference)
    assert place != HASHER.place("a/b" + moved, reference)
    hash_ = HASHER.code("m", place, receiver, params, code)
    assert hash_ != HASHER.code("m", place, receiver + moved, params, code)
    assert hash_ != HASHER.code("m" + moved, place, receiver, params, code)
    assert hash_ != Hasher(b"l" * 32).code("m", place, receiver, params, code)
    if code.startswith(moved):
        assert hash_ != HASHER.code("m", place, receiver, (*params[:3], (params[3] or "") + moved), code[len(moved) :])
