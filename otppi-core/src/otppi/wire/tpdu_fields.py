"""Owns what the TPDUs share: the bits of their first octet and the reading of single octets (3GPP TS 23.040 9.2.3)."""

from enum import IntEnum
from typing import Final

from otppi.wire.errors import TpduError


class MessageType(IntEnum):
    """TP-MTI, bits 1 and 0 of the first octet (9.2.3.1)."""

    DELIVER = 0
    SUBMIT = 1
    STATUS_REPORT = 2
    RESERVED = 3


# Bits of the first octet; which of them a TPDU has differs by its type.
MTI: Final = 0x03
RD: Final = 0x04
NO_MMS: Final = 0x04
VPF_SHIFT: Final = 3
SRR: Final = 0x20
SRI: Final = 0x20
SRQ: Final = 0x20
UDHI: Final = 0x40
RP: Final = 0x80


def check_octet(value: int, name: str) -> None:
    """Raise a `TpduError` that names the field, unless its value is an octet."""
    if not 0 <= value <= 0xFF:
        raise TpduError(f"{name} is one octet")


def octet_at(data: bytes, position: int) -> int:
    """Return the octet at a position, or raise a `TpduError` where the TPDU ends before it."""
    if position >= len(data):
        raise TpduError("a TPDU ends before a field that it must have")
    return data[position]


def first_octet(data: bytes, *types: MessageType) -> int:
    """Return the first octet, or raise a `TpduError` unless the TPDU is of one of these types."""
    first = octet_at(data, 0)
    if first & MTI not in types:
        raise TpduError("a TPDU is of another type than expected")
    return first
