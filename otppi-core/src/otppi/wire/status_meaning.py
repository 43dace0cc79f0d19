"""Owns the sentences for TP-Status, what the service centre says of a message (3GPP TS 23.040 9.2.3.15)."""

from collections.abc import Mapping
from typing import Final

_MEANINGS: Final[Mapping[int, str]] = {
    0x00: "received by the receiver's phone",
    0x01: "handed on; whether the phone got it is not known",
    0x02: "replaced at the service centre before it was delivered",
    0x20: "congestion",
    0x21: "the receiver's phone is busy",
    0x22: "no response from the receiver's phone",
    0x23: "the service was rejected",
    0x24: "the quality of service is not available",
    0x25: "error in the receiver's phone",
    0x40: "remote procedure error",
    0x41: "incompatible destination",
    0x42: "the connection was rejected by the receiver's phone",
    0x43: "the receiver cannot be reached",
    0x44: "the quality of service is not available",
    0x45: "no interworking is available",
    0x46: "its validity period expired at the service centre",
    0x47: "deleted by its sender",
    0x48: "deleted by the service centre",
    0x49: "the service centre does not know it",
    0x60: "congestion",
    0x61: "the receiver's phone is busy",
    0x62: "no response from the receiver's phone",
    0x63: "the service was rejected",
    0x64: "the quality of service is not available",
    0x65: "error in the receiver's phone",
}


def status_meaning(status: int) -> str:
    """Say in a few words what TP-ST `status` means; of a number that only one service centre knows, the number."""
    return f"{_MEANINGS.get(status, 'a reason of this service centre')} (TP-Status {status:#04x})"
