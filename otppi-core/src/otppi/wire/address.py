"""Owns the address fields of TPDUs: telephone numbers, short codes and sender names (3GPP TS 23.040 9.1.2.5)."""

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from otppi.text import _
from otppi.wire import gsm7
from otppi.wire.errors import AddressError


class TypeOfNumber(IntEnum):
    """Bits 6 to 4 of the type of address."""

    UNKNOWN = 0
    INTERNATIONAL = 1
    NATIONAL = 2
    NETWORK_SPECIFIC = 3
    SUBSCRIBER = 4
    ALPHANUMERIC = 5
    ABBREVIATED = 6
    RESERVED = 7


class NumberingPlan(IntEnum):
    """Bits 3 to 0 of the type of address; a value that is not here is read as `UNKNOWN`."""

    UNKNOWN = 0
    ISDN = 1
    DATA = 3
    TELEX = 4
    SC_SPECIFIC = 5
    SC_SPECIFIC_2 = 6
    NATIONAL = 8
    PRIVATE = 9
    ERMES = 10
    RESERVED = 15


_TYPES: Final = tuple(TypeOfNumber)
_DEFINED_PLANS: Final = {plan.value: plan for plan in NumberingPlan}
_PLANS: Final = tuple(_DEFINED_PLANS.get(value, NumberingPlan.UNKNOWN) for value in range(16))
_MOST_SEMI_OCTETS: Final = 20
"""The address value has at most ten octets (23.040 9.1.2.5)."""
_MOST_SMSC_OCTETS: Final = 11
"""Type of address and ten octets of digits (3GPP TS 24.011 8.2.5.2)."""
_SHORTEST_INTERNATIONAL: Final = 8

_DIGITS: Final = re.compile(r"[0-9*#abc]{0,20}")
_NUMBER: Final = re.compile(r"\+?[0-9*#]+")
_TO_HEX: Final = str.maketrans("*#abc", "abcde")
_FROM_HEX: Final = str.maketrans("abcde", "*#abc")
_SWAP_NIBBLES: Final = bytes((octet & 0x0F) << 4 | octet >> 4 for octet in range(256))


@dataclass(frozen=True, slots=True)
class Address:
    """A number, or the name of a sender, with its type and numbering plan.

    Attributes:
        digits: Digits (also ``*``, ``#``, ``a``, ``b``, ``c``), at most 20; or, of an alphanumeric address, a text of
            at most 11 septets.
        ton: The type of number.
        npi: The numbering plan; an alphanumeric address has `NumberingPlan.UNKNOWN`.

    Raises:
        AddressError: The digits are no digits or too many, or the text is not in the default alphabet or too long.
    """

    digits: str
    ton: TypeOfNumber = TypeOfNumber.UNKNOWN
    npi: NumberingPlan = NumberingPlan.ISDN

    def __post_init__(self) -> None:
        if self.ton is TypeOfNumber.ALPHANUMERIC:
            if not gsm7.can_encode(self.digits):
                raise AddressError(_("an alphanumeric address has a character that the default alphabet has not"))
            if _semi_octets(gsm7.encode(self.digits)) > _MOST_SEMI_OCTETS:
                raise AddressError(_("an alphanumeric address has at most 11 septets"))
        elif not _DIGITS.fullmatch(self.digits):
            raise AddressError(_("an address has at most 20 digits and nothing else"))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address as people and settings write it.

        ``+628…`` is international, and so are eight or more digits that do not begin with 0, ``628…``; other digits
        (short codes, ``08…``) are of unknown type, as dialled; anything else is an alphanumeric address, ``BANK``.

        Raises:
            AddressError: The text is empty or is no address of these kinds.
        """
        if not text or text == "+":
            raise AddressError(_("the address is empty"))
        if not _NUMBER.fullmatch(text):
            return cls(text, TypeOfNumber.ALPHANUMERIC, NumberingPlan.UNKNOWN)
        if text[0] == "+":
            return cls(text[1:], TypeOfNumber.INTERNATIONAL)
        if len(text) >= _SHORTEST_INTERNATIONAL and text[0] not in "0*#":
            return cls(text, TypeOfNumber.INTERNATIONAL)
        return cls(text)

    def __str__(self) -> str:
        """Return the address as `parse` reads it: an international number with ``+``."""
        return f"+{self.digits}" if self.ton is TypeOfNumber.INTERNATIONAL else self.digits

    @property
    def type_octet(self) -> int:
        """The octet of the type of address; its bit 7 is always set."""
        return 0x80 | self.ton << 4 | self.npi

    def encode(self) -> bytes:
        """Write the address field: its length in semi-octets, the type of address, the value."""
        if self.ton is TypeOfNumber.ALPHANUMERIC:
            septets = gsm7.encode(self.digits)
            return bytes((_semi_octets(septets), self.type_octet)) + gsm7.pack(septets)
        return bytes((len(self.digits), self.type_octet)) + _pack_digits(self.digits)

    @classmethod
    def decode(cls, octets: bytes) -> tuple[Self, int]:
        """Read an address field; octets after it are left alone.

        A digit 1111 ends the digits, as in 3GPP TS 24.008. Where an alphanumeric address has an eighth septet of zero,
        that is padding: some networks count whole octets.

        Returns:
            The address and how many octets it took.

        Raises:
            AddressError: The octets end too soon, or the length is more than 20 semi-octets.
        """
        if len(octets) < 2:
            raise AddressError("an address field ends before its type of address")
        semi_octets = octets[0]
        end = 2 + (semi_octets + 1) // 2
        if semi_octets > _MOST_SEMI_OCTETS:
            raise AddressError("an address field is longer than 20 semi-octets")
        if len(octets) < end:
            raise AddressError("an address field ends before its value")
        ton, npi = _type_of_address(octets[1])
        if ton is TypeOfNumber.ALPHANUMERIC:
            return cls(_unpack_name(octets[2:end], semi_octets), ton, npi), end
        return cls(_unpack_digits(octets[2:end])[:semi_octets], ton, npi), end


def encode_smsc(smsc: Address | None) -> bytes:
    """Write the service centre's address before a TPDU, as AT+CMGS wants it (3GPP TS 27.005 3.1, 24.011 8.2.5.2).

    Its length counts octets, with the type of address. None stands for the one that the SIM has stored.
    """
    if smsc is None:
        return b"\0"
    value = smsc.encode()
    return bytes((len(value) - 1,)) + value[1:]


def decode_smsc(octets: bytes) -> tuple[Address | None, int]:
    """Read the service centre's address before a TPDU.

    Returns:
        The address, None where there is none, and how many octets it took.

    Raises:
        AddressError: The octets end too soon, or the length is more than 11 octets.
    """
    size = smsc_size(octets)
    if size == 1:
        return None, 1
    ton, npi = _type_of_address(octets[1])
    value = octets[2:size]
    digits = _unpack_name(value, 2 * len(value)) if ton is TypeOfNumber.ALPHANUMERIC else _unpack_digits(value)
    return Address(digits, ton, npi), size


def smsc_size(octets: bytes) -> int:
    """Return how many octets the service centre's address before a TPDU takes, its length included.

    Raises:
        AddressError: The octets end too soon, or the length is more than 11 octets.
    """
    if not octets:
        raise AddressError("there is no service centre address, not even an empty one")
    length = octets[0]
    if length > _MOST_SMSC_OCTETS:
        raise AddressError("a service centre address is longer than 11 octets")
    if len(octets) <= length:
        raise AddressError("a service centre address ends before its value")
    return 1 + length


def _type_of_address(octet: int) -> tuple[TypeOfNumber, NumberingPlan]:
    return _TYPES[octet >> 4 & 7], _PLANS[octet & 0x0F]


def _semi_octets(septets: bytes) -> int:
    """How many semi-octets are useful: the length of an alphanumeric address (23.040 9.1.2.5)."""
    return (7 * len(septets) + 3) // 4


def _unpack_name(octets: bytes, semi_octets: int) -> str:
    septets = gsm7.unpack(octets, 4 * semi_octets // 7)
    return gsm7.decode(septets[:-1] if len(septets) == 8 and septets[-1] == 0 else septets)


def _pack_digits(digits: str) -> bytes:
    """Write digits as semi-octets, the first in the low half, 1111 after an odd number (23.040 9.1.2.3)."""
    return bytes.fromhex(digits.translate(_TO_HEX) + "f" * (len(digits) & 1)).translate(_SWAP_NIBBLES)


def _unpack_digits(octets: bytes) -> str:
    return octets.translate(_SWAP_NIBBLES).hex().partition("f")[0].translate(_FROM_HEX)
