"""TP-DCS: all octets of 23.038 4."""

import pytest

from otppi.wire.dcs import Alphabet, Dcs, MessageWaiting, WaitingGroup, WaitingKind
from otppi.wire.errors import TpduError


@pytest.mark.parametrize(
    ("octet", "dcs"),
    [
        (0x00, Dcs()),
        (0x04, Dcs(Alphabet.EIGHT_BIT)),
        (0x08, Dcs(Alphabet.UCS2)),
        (0x10, Dcs(message_class=0)),
        (0x11, Dcs(message_class=1)),
        (0x18, Dcs(Alphabet.UCS2, message_class=0)),
        (0x20, Dcs(compressed=True)),
        (0x48, Dcs(Alphabet.UCS2, automatic_deletion=True)),
        (0xC8, Dcs(waiting=MessageWaiting(WaitingGroup.DISCARD, True, WaitingKind.VOICEMAIL))),
        (0xD1, Dcs(waiting=MessageWaiting(WaitingGroup.STORE_GSM7, False, WaitingKind.FAX))),
        (0xEA, Dcs(Alphabet.UCS2, waiting=MessageWaiting(WaitingGroup.STORE_UCS2, True, WaitingKind.EMAIL))),
    ],
)
def test_an_octet_and_its_meaning(octet: int, dcs: Dcs) -> None:
    assert Dcs.from_octet(octet) == dcs
    assert dcs.octet == octet


@pytest.mark.parametrize(
    ("octet", "same_as"),
    [
        (0x0C, 0x00),  # alphabet 11 is reserved
        (0x03, 0x00),  # bits 1 and 0 mean nothing without bit 4
        (0x80, 0x00),  # the groups 1000 to 1011 are reserved
        (0xBF, 0x00),
        (0xF0, 0x10),  # 1111: class, in another group
        (0xF6, 0x16),
        (0xFA, 0x12),  # bit 3 of group 1111 is reserved
    ],
)
def test_reserved_and_second_codings_read_as_the_plain_one(octet: int, same_as: int) -> None:
    assert Dcs.from_octet(octet) == Dcs.from_octet(same_as)
    assert Dcs.from_octet(octet).octet == same_as


@pytest.mark.parametrize("octet", range(256))
def test_every_octet_reads_and_comes_back(octet: int) -> None:
    dcs = Dcs.from_octet(octet)
    assert Dcs.from_octet(dcs.octet) == dcs


@pytest.mark.parametrize("octet", [-1, 256])
def test_what_is_no_octet_is_refused(octet: int) -> None:
    with pytest.raises(TpduError):
        Dcs.from_octet(octet)


def test_contradictions_are_refused() -> None:
    waiting = MessageWaiting(WaitingGroup.DISCARD, True, WaitingKind.OTHER)
    with pytest.raises(TpduError):
        Dcs(message_class=4)
    with pytest.raises(TpduError):
        Dcs(Alphabet.UCS2, waiting=waiting)
    with pytest.raises(TpduError):
        Dcs(message_class=0, waiting=waiting)
