"""Owns the sentences for TP-Status, what the service centre says of a message (3GPP TS 23.040 9.2.3.15)."""

from collections.abc import Mapping
from typing import Final

from otppi.text import _

_MEANINGS: Final[Mapping[int, str]] = {
    0x00: _("received by the receiver's phone"),
    0x01: _("handed on; whether the phone got it is not known"),
    0x02: _("replaced at the service centre before it was delivered"),
    0x20: _("congestion"),
    0x21: _("the receiver's phone is busy"),
    0x22: _("no response from the receiver's phone"),
    0x23: _("the service was rejected"),
    0x24: _("the quality of service is not available"),
    0x25: _("error in the receiver's phone"),
    0x40: _("remote procedure error"),
    0x41: _("incompatible destination"),
    0x42: _("the connection was rejected by the receiver's phone"),
    0x43: _("the receiver cannot be reached"),
    0x44: _("the quality of service is not available"),
    0x45: _("no interworking is available"),
    0x46: _("its validity period expired at the service centre"),
    0x47: _("deleted by its sender"),
    0x48: _("deleted by the service centre"),
    0x49: _("the service centre does not know it"),
    0x60: _("congestion"),
    0x61: _("the receiver's phone is busy"),
    0x62: _("no response from the receiver's phone"),
    0x63: _("the service was rejected"),
    0x64: _("the quality of service is not available"),
    0x65: _("error in the receiver's phone"),
}

_OF_ITS_OWN = _("a reason of this service centre")


def status_meaning(status: int) -> str:
    """Say in a few words what TP-ST `status` means; of a number that only one service centre knows, the number."""
    meaning = _MEANINGS.get(status, _OF_ITS_OWN)
    return _("{meaning} (TP-Status {status:#04x})", meaning=meaning, status=status)
