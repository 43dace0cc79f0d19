"""Our codec against smspdudecoder's, which only reads: what we write it reads."""

from datetime import UTC, datetime, timedelta, timezone
from io import StringIO

from hypothesis import given, settings
from hypothesis import strategies as st
from smspdudecoder.codecs import GSM
from smspdudecoder.easy import read_incoming_sms
from smspdudecoder.fields import SMSSubmit as OtherSubmit

from otppi.wire import gsm7
from otppi.wire.address import Address, encode_smsc
from otppi.wire.gsm7_tables import LOCKING, SINGLE, NationalLanguage
from otppi.wire.segment import segment
from otppi.wire.tpdu import SmsDeliver, SmsSubmit, Validity, pdu_line

SMSC = Address.parse("+62816124")
PLAIN = LOCKING[NationalLanguage.DEFAULT].replace(" ", "", 1)
TEXTS = st.text(PLAIN + "".join(SINGLE[NationalLanguage.DEFAULT].values()), min_size=1, max_size=400) | st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=150
)
NUMBERS = st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True)
TIMES = st.builds(
    lambda second, quarters: (datetime(2005, 1, 2, tzinfo=UTC) + timedelta(seconds=second)).astimezone(
        timezone(quarters * timedelta(minutes=15))
    ),
    st.integers(0, 60 * 365 * 86_400),
    st.integers(-40, 40),
)
SLOWLY = settings(max_examples=100)


def same(theirs: str, ours: str) -> bool:
    """Compare texts; it takes seven zero bits at the end for padding or for an @, as it happens."""
    return theirs.rstrip("@") == ours.rstrip("@")


@SLOWLY
@given(TEXTS, NUMBERS, st.booleans())
def test_it_reads_what_we_submit(text: str, number: str, wide: bool) -> None:
    for part in segment(text, wide_reference=wide):
        line, _ = pdu_line(SmsSubmit(Address.parse(number), part, message_reference=9, validity=Validity(167)), SMSC)
        other = OtherSubmit.decode(StringIO(line))
        assert other["smsc"]["number"] == SMSC.digits
        assert (other["recipient"]["number"], other["message-ref"]) == (number[1:], 9)
        assert other["validity-hours"] == 24
        assert same(other["user_data"]["data"], part.text)


@SLOWLY
@given(TEXTS, NUMBERS, TIMES, st.integers(0, 0xFFFF), st.booleans())
def test_it_reads_what_we_deliver(text: str, number: str, when: datetime, reference: int, wide: bool) -> None:
    for part in segment(text, reference=reference, wide_reference=wide):
        octets = SmsDeliver(Address.parse(number), when, part).encode()
        other = read_incoming_sms((encode_smsc(SMSC) + octets).hex())
        assert (other["sender"], other["date"]) == (number, when)
        assert same(other["content"], part.text)
        if part.concatenation is not None:
            place = part.concatenation
            assert other["partial"] == {
                "reference": f"{place.reference}-{place.total}",
                "parts_count": place.total,
                "part_number": place.number,
            }


@given(st.text(PLAIN, min_size=1, max_size=200))
def test_it_packs_septets_as_we_do(text: str) -> None:
    assert gsm7.pack(gsm7.encode(text)).hex().upper() == GSM.encode(text)


@given(st.text("ABCXYZabcxyz 0123", min_size=1, max_size=11))
def test_it_reads_the_names_of_senders(name: str) -> None:
    octets = SmsDeliver(Address.parse("N" + name[1:]), datetime(2026, 1, 2, tzinfo=UTC), segment("x")[0]).encode()
    assert same(read_incoming_sms((encode_smsc(SMSC) + octets).hex())["sender"], "N" + name[1:])
