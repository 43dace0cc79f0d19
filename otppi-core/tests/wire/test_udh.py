"""User data headers: what they say, and what a receiver makes of broken ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.wire.errors import TpduError
from otppi.wire.gsm7 import NationalLanguage
from otppi.wire.udh import Concatenation, InformationElement, Ports, UserDataHeader

ELEMENTS = st.builds(InformationElement, st.integers(0, 255), st.binary(max_size=12))
HEADERS = st.lists(ELEMENTS, max_size=9).map(lambda elements: UserDataHeader(tuple(elements)))


def header(hexadecimal: str) -> UserDataHeader:
    octets = bytes.fromhex(hexadecimal)
    decoded, size = UserDataHeader.decode(octets)
    assert size == len(octets)
    return decoded


@pytest.mark.parametrize(
    ("octets", "made"),
    [
        ("050003AA0302", UserDataHeader.of(Concatenation(0xAA, 3, 2))),
        ("0608041234FF01", UserDataHeader.of(Concatenation(0x1234, 255, 1, wide=True))),
        ("0605040B8423F0", UserDataHeader.of(ports=Ports(2948, 9200))),
        ("040402F5F6", UserDataHeader.of(ports=Ports(0xF5, 0xF6, wide=False))),
        ("03240101", UserDataHeader.of(single_shift=NationalLanguage.TURKISH)),
        ("06240103250103", UserDataHeader.of(single_shift=NationalLanguage(3), locking_shift=NationalLanguage(3))),
    ],
)  # fmt: skip
def test_headers_read_and_write(octets: str, made: UserDataHeader) -> None:
    assert header(octets) == made
    assert made.encode().hex().upper() == octets
    assert made.size == len(octets) // 2


def test_nothing_to_say_makes_no_header() -> None:
    assert UserDataHeader.of() is None


def test_properties_say_what_was_put_in() -> None:
    made = UserDataHeader.of(
        Concatenation(7, 2, 1),
        ports=Ports(1, 2),
        single_shift=NationalLanguage.URDU,
        locking_shift=NationalLanguage.HINDI,
    )
    assert made is not None
    assert made.concatenation == Concatenation(7, 2, 1)
    assert made.ports == Ports(1, 2)
    assert made.single_shift is NationalLanguage.URDU
    assert made.locking_shift is NationalLanguage.HINDI


@given(HEADERS, st.binary(max_size=4))
def test_any_header_comes_back(made: UserDataHeader, after: bytes) -> None:
    octets = made.encode()
    assert UserDataHeader.decode(octets + after) == (made, len(octets))
    for end in range(len(octets)):
        with pytest.raises(TpduError):
            UserDataHeader.decode(octets[:end])


@given(st.binary(max_size=140))
def test_any_octets_make_a_header_or_a_typed_error(octets: bytes) -> None:
    try:
        decoded, size = UserDataHeader.decode(octets)
    except TpduError:
        return
    assert size == octets[0] + 1
    assert UserDataHeader.decode(decoded.encode())[0] == decoded
    _ = (decoded.concatenation, decoded.ports, decoded.single_shift, decoded.locking_shift)


@pytest.mark.parametrize("octets", ["0400030102", "0100", "060003AA030200"])
def test_a_last_element_that_does_not_fit_voids_the_header(octets: str) -> None:
    assert header(octets).elements == ()


@pytest.mark.parametrize("octets", ["050003AA0300", "050003AA0304", "050003AA0000", "040002AA01", "00"])
def test_an_impossible_concatenation_is_none(octets: str) -> None:
    assert header(octets).concatenation is None


def test_of_a_repeated_element_the_last_counts() -> None:
    assert header("0A0003AA03020003BB0201").concatenation == Concatenation(0xBB, 2, 1)
    assert header("0B0003AA03020804BBBB0201").concatenation == Concatenation(0xBBBB, 2, 1, wide=True)


def test_an_unknown_language_is_the_default_one() -> None:
    assert header("032401FE").single_shift is NationalLanguage.DEFAULT


def test_numbers_out_of_range_are_refused() -> None:
    for reference, total, number, wide in [(256, 1, 1, False), (65536, 1, 1, True), (-1, 1, 1, False), (0, 2, 3, False),
                                           (0, 0, 0, False), (0, 256, 1, False), (0, 1, 0, False)]:  # fmt: skip
        with pytest.raises(TpduError):
            Concatenation(reference, total, number, wide)
    with pytest.raises(TpduError):
        Ports(256, 0, wide=False)
    with pytest.raises(TpduError):
        InformationElement(256, b"")
    with pytest.raises(TpduError):
        UserDataHeader((InformationElement(0, bytes(138)),))
