"""TP-VP in its three forms, and the time stamps that one of them uses."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.wire.errors import TpduError
from otppi.wire.timestamp import decode_time, encode_time
from otppi.wire.validity import AbsoluteValidity, EnhancedValidity, Validity, ValidityFormat, decode_validity

MINUTE, HOUR, DAY, WEEK = 60, 3600, 86_400, 604_800
JAKARTA = timezone(timedelta(hours=7))
QUARTERS = st.integers(-79, 79).map(lambda quarters: timezone(quarters * timedelta(minutes=15)))
TIMES = st.builds(
    lambda second, zone: (datetime(2000, 1, 2, tzinfo=UTC) + timedelta(seconds=second)).astimezone(zone),
    st.integers(0, 99 * 365 * DAY),
    QUARTERS,
)


@pytest.mark.parametrize(
    ("octet", "seconds"),
    [
        (0, 5 * MINUTE),
        (143, 12 * HOUR),
        (144, 12 * HOUR + 30 * MINUTE),
        (167, 24 * HOUR),
        (168, 2 * DAY),
        (196, 30 * DAY),
        (197, 5 * WEEK),
        (255, 63 * WEEK),
    ],
)
def test_relative_periods_are_those_of_23_040(octet: int, seconds: int) -> None:
    assert Validity(octet).seconds == seconds
    assert Validity.from_seconds(seconds) == Validity(octet)


@pytest.mark.parametrize(("seconds", "octet"), [(-5, 0), (0, 0), (60, 0), (301, 1), (12 * HOUR + 1, 144),
                                                (24 * HOUR + 1, 168), (30 * DAY + 1, 197), (5 * WEEK + 1, 198),
                                                (63 * WEEK + 1, 255), (10**12, 255)])  # fmt: skip
def test_the_smallest_period_that_is_long_enough(seconds: int, octet: int) -> None:
    assert Validity.from_seconds(seconds).octet == octet


@given(st.integers(1, 63 * WEEK))
def test_no_shorter_period_would_do(seconds: int) -> None:
    chosen = Validity.from_seconds(seconds)
    assert chosen.seconds >= seconds
    assert chosen.octet == 0 or Validity(chosen.octet - 1).seconds < seconds


@given(st.integers(0, 254))
def test_periods_grow_with_the_octet(octet: int) -> None:
    assert Validity(octet).seconds < Validity(octet + 1).seconds


def test_values_out_of_range_are_refused() -> None:
    for octet in (-1, 256):
        with pytest.raises(TpduError):
            Validity(octet)
    for seconds in (0, -1, 63 * WEEK + 1):
        with pytest.raises(TpduError):
            EnhancedValidity(seconds)


@given(TIMES)
def test_any_time_comes_back(when: datetime) -> None:
    assert decode_time(encode_time(when)) == when
    assert decode_time(encode_time(when)).utcoffset() == when.utcoffset()  # type: ignore[union-attr]
    assert decode_validity(ValidityFormat.ABSOLUTE, AbsoluteValidity(when).encode()) == (AbsoluteValidity(when), 7)


@given(st.datetimes(timezones=st.timezones()))
def test_any_aware_time_is_written_to_the_second_or_refused(when: datetime) -> None:
    try:
        octets = encode_time(when)
    except TpduError:
        assert not 2001 <= when.year <= 2098
        return
    decoded = decode_time(octets)
    assert decoded is not None
    assert decoded == when.astimezone(UTC).replace(microsecond=0)


@pytest.mark.parametrize(
    ("octets", "when"),
    [
        ("70402132522423", datetime(2007, 4, 12, 23, 25, 42, tzinfo=timezone(timedelta(hours=8)))),
        ("3130523210658A", datetime(2013, 3, 25, 23, 1, 56, tzinfo=timezone(timedelta(hours=-7)))),
        ("62112281430182", datetime(2026, 11, 22, 18, 34, 10, tzinfo=JAKARTA)),
    ],
)
def test_time_samples(octets: str, when: datetime) -> None:
    assert decode_time(bytes.fromhex(octets)) == when
    assert encode_time(when).hex().upper() == octets


@pytest.mark.parametrize(
    "octets", ["00000000000000", "FFFFFFFFFFFFFF", "62312281430182", "A2112281430182", "62112242430182"]
)
def test_what_is_no_date_is_none(octets: str) -> None:
    assert decode_time(bytes.fromhex(octets)) is None


@pytest.mark.parametrize(
    ("zone", "quarters"), [("82", 28), ("A0", 10), ("F2", 35), ("8A", -28), ("FA", -35), ("FF", -85), ("0F", -70)]
)
def test_a_zone_with_bits_set_is_read_as_peers_read_it(zone: str, quarters: int) -> None:
    """As gammu does: GSM_DecodeSMSDateTime."""
    when = decode_time(bytes.fromhex("621122814301" + zone))
    assert when == datetime(2026, 11, 22, 18, 34, 10, tzinfo=timezone(quarters * timedelta(minutes=15)))


def test_an_unknown_time_is_written_as_zeros_and_a_naive_one_refused() -> None:
    assert encode_time(None) == bytes(7)
    with pytest.raises(TpduError):
        encode_time(datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None))


@pytest.mark.parametrize(
    ("octets", "validity"),
    [
        ("00000000000000", EnhancedValidity()),
        ("40000000000000", EnhancedValidity(single_shot=True)),
        ("021E0000000000", EnhancedValidity(30)),
        ("42FF0000000000", EnhancedValidity(255, single_shot=True)),
        ("03102030000000", EnhancedValidity(1 * HOUR + 2 * MINUTE + 3)),
        ("03999595000000", EnhancedValidity(99 * HOUR + 59 * MINUTE + 59)),
        ("01FF0000000000", EnhancedValidity(63 * WEEK)),
    ],
)
def test_enhanced_samples_whole_cut_and_with_more(octets: str, validity: EnhancedValidity) -> None:
    whole = bytes.fromhex(octets)
    assert decode_validity(ValidityFormat.ENHANCED, whole + b"\x01") == (validity, 7)
    assert validity.encode() == whole
    for end in range(7):
        with pytest.raises(TpduError):
            decode_validity(ValidityFormat.ENHANCED, whole[:end])


def test_an_enhanced_period_in_five_minute_steps_is_the_same_period() -> None:
    assert EnhancedValidity.decode(bytes.fromhex("01000000000000")) == EnhancedValidity(300)


@pytest.mark.parametrize("octets", ["80", "04", "07", "0200", "03000000", "03A00000", "03001600", "03000006"])
def test_enhanced_forms_that_mean_nothing_are_refused(octets: str) -> None:
    with pytest.raises(TpduError):
        EnhancedValidity.decode(bytes.fromhex(octets).ljust(7, b"\0"))


@given(st.integers(1, 63 * WEEK), st.booleans())
def test_enhanced_periods_come_back_and_are_never_shorter(seconds: int, single_shot: bool) -> None:
    decoded = EnhancedValidity.decode(EnhancedValidity(seconds, single_shot).encode())
    assert decoded.seconds is not None
    assert decoded.seconds == seconds or decoded.seconds > seconds >= 360_000
    assert decoded.single_shot is single_shot


@given(st.sampled_from(ValidityFormat), st.binary(max_size=9))
def test_any_octets_make_a_period_or_a_typed_error(form: ValidityFormat, octets: bytes) -> None:
    try:
        validity, size = decode_validity(form, octets)
    except TpduError:
        return
    assert size <= len(octets)
    assert validity is None or decode_validity(form, validity.encode()) == (validity, size)
