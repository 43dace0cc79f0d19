"""Address fields of TPDUs and of the service centre."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.wire import gsm7
from otppi.wire.address import Address, NumberingPlan, TypeOfNumber, decode_smsc, encode_smsc
from otppi.wire.errors import AddressError
from otppi.wire.gsm7_tables import LOCKING

NUMBERS = st.builds(
    Address,
    st.text("0123456789*#abc", max_size=20),
    st.sampled_from([ton for ton in TypeOfNumber if ton is not TypeOfNumber.ALPHANUMERIC]),
    st.sampled_from(NumberingPlan),
)
# Seven characters and an @ look like seven characters and padding; see Address.decode.
NAMES = (
    st.text(LOCKING[gsm7.NationalLanguage.DEFAULT].replace(" ", "", 1) + "€{", min_size=1, max_size=11)
    .filter(lambda text: len(gsm7.encode(text)) <= 11)
    .filter(lambda text: not (len(gsm7.encode(text)) == 8 and text.endswith("@")))
    .map(lambda text: Address(text, TypeOfNumber.ALPHANUMERIC, NumberingPlan.UNKNOWN))
)
ADDRESSES = NUMBERS | NAMES

SAMPLES = [
    ("0B915155214365F7", Address("15551234567", TypeOfNumber.INTERNATIONAL)),
    ("0D91261832547698F0", Address("6281234567890", TypeOfNumber.INTERNATIONAL)),
    ("04818080", Address("0808")),
    ("038188F8", Address("888")),
    ("0581A1B2F3", Address("1*2#3")),
    ("0BD0CDE6DB5DCE03", Address("MMoney", TypeOfNumber.ALPHANUMERIC, NumberingPlan.UNKNOWN)),
    ("14D0C4F23C7D760390EF7619", Address("Design@Home", TypeOfNumber.ALPHANUMERIC, NumberingPlan.UNKNOWN)),
    ("0091", Address("", TypeOfNumber.INTERNATIONAL)),
]


@pytest.mark.parametrize(("sample", "address"), SAMPLES)
def test_samples_whole_cut_and_with_more(sample: str, address: Address) -> None:
    octets = bytes.fromhex(sample)
    assert Address.decode(octets) == (address, len(octets))
    assert Address.decode(octets + b"\xff\x00") == (address, len(octets))
    assert address.encode() == octets
    for end in range(len(octets)):
        with pytest.raises(AddressError):
            Address.decode(octets[:end])


@given(ADDRESSES, st.binary(max_size=3))
def test_any_address_comes_back(address: Address, after: bytes) -> None:
    octets = address.encode()
    assert Address.decode(octets + after) == (address, len(octets))


@given(st.binary(max_size=16))
def test_any_octets_make_an_address_or_a_typed_error(octets: bytes) -> None:
    for decode in (Address.decode, decode_smsc):
        try:
            address, size = decode(octets)
        except AddressError:
            continue
        assert 0 < size <= len(octets)
        assert address is None or Address.decode(address.encode())[0].ton is address.ton


@pytest.mark.parametrize(
    ("text", "ton", "digits"),
    [
        ("+6281234567890", TypeOfNumber.INTERNATIONAL, "6281234567890"),
        ("6281234567890", TypeOfNumber.INTERNATIONAL, "6281234567890"),
        ("081234567890", TypeOfNumber.UNKNOWN, "081234567890"),
        ("888", TypeOfNumber.UNKNOWN, "888"),
        ("*123#", TypeOfNumber.UNKNOWN, "*123#"),
        ("BANK", TypeOfNumber.ALPHANUMERIC, "BANK"),
        ("Bank 24h", TypeOfNumber.ALPHANUMERIC, "Bank 24h"),
    ],
)
def test_addresses_are_read_as_people_write_them(text: str, ton: TypeOfNumber, digits: str) -> None:
    address = Address.parse(text)
    assert (address.ton, address.digits) == (ton, digits)
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize("text", ["", "+", "123456789012345678901", "TwelveLetter", "жук", "{{{{{{", "\ud800"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        Address.parse(text)


def test_a_digit_1111_ends_the_digits() -> None:
    assert Address.decode(bytes.fromhex("0691 21F3FF"))[0] == Address("123", TypeOfNumber.INTERNATIONAL)


def test_padding_of_a_name_is_no_character() -> None:
    # Seven septets are 13 semi-octets; some networks count the whole octets, 14.
    assert Address.decode(bytes.fromhex("0ED0") + gsm7.pack(gsm7.encode("BANKABC")))[0].digits == "BANKABC"


def test_a_reserved_numbering_plan_is_read_as_unknown() -> None:
    assert Address.decode(bytes.fromhex("029221"))[0] == Address(
        "12", TypeOfNumber.INTERNATIONAL, NumberingPlan.UNKNOWN
    )


@pytest.mark.parametrize(
    ("sample", "smsc"),
    [
        ("00", None),
        ("07912299976758F2", Address("22997976852", TypeOfNumber.INTERNATIONAL)),
        ("059126181642", Address("62816124", TypeOfNumber.INTERNATIONAL)),
        ("0191", Address("", TypeOfNumber.INTERNATIONAL)),
    ],
)
def test_service_centre_samples_whole_cut_and_with_more(sample: str, smsc: Address | None) -> None:
    octets = bytes.fromhex(sample)
    assert decode_smsc(octets) == (smsc, len(octets))
    assert decode_smsc(octets + b"\x11") == (smsc, len(octets))
    assert encode_smsc(smsc) == octets
    for end in range(len(octets)):
        with pytest.raises(AddressError):
            decode_smsc(octets[:end])


@given(st.none() | NUMBERS)
def test_any_service_centre_comes_back(smsc: Address | None) -> None:
    octets = encode_smsc(smsc)
    assert decode_smsc(octets) == (smsc, len(octets))


def test_a_service_centre_longer_than_eleven_octets_is_refused() -> None:
    with pytest.raises(AddressError):
        decode_smsc(b"\x0c\x91" + bytes(11))
