"""Owns the user data header: parts of a long message, ports, national tables (3GPP TS 23.040 9.2.3.24)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Self, TypeVar

from otppi.wire.errors import TpduError
from otppi.wire.gsm7_tables import NationalLanguage


class Identifier(IntEnum):
    """The information elements that this module reads; others are kept as they are."""

    CONCATENATION = 0x00
    PORTS_8_BIT = 0x04
    PORTS_16_BIT = 0x05
    WIDE_CONCATENATION = 0x08
    SINGLE_SHIFT = 0x24
    LOCKING_SHIFT = 0x25


_Read = TypeVar("_Read")

_MOST_OCTETS: Final = 140
"""A header may fill the user data of a TPDU."""
_CONCATENATIONS: Final[Mapping[int, int]] = {Identifier.CONCATENATION: 3, Identifier.WIDE_CONCATENATION: 4}
_PORTS: Final[Mapping[int, int]] = {Identifier.PORTS_8_BIT: 2, Identifier.PORTS_16_BIT: 4}
_SINGLE_SHIFT: Final[Mapping[int, int]] = {Identifier.SINGLE_SHIFT: 1}
_LANGUAGES: Final = {language.value: language for language in NationalLanguage}
_LOCKING_SHIFT: Final[Mapping[int, int]] = {Identifier.LOCKING_SHIFT: 1}


@dataclass(frozen=True, slots=True)
class InformationElement:
    """One information element.

    Attributes:
        identifier: Its kind, 0 to 255; see `Identifier`.
        data: Its octets.

    Raises:
        TpduError: The identifier is no octet, or there are more than 255 octets.
    """

    identifier: int
    data: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.identifier <= 0xFF or len(self.data) > 0xFF:
            raise TpduError("an information element has an identifier of one octet and at most 255 octets")


@dataclass(frozen=True, slots=True)
class Concatenation:
    """Which part of which long message this is (9.2.3.24.1, 9.2.3.24.8).

    Attributes:
        reference: The same in all parts of a message; 8 bits, or 16 where `wide`.
        total: How many parts there are, 1 to 255.
        number: Which one this is, from 1.
        wide: The reference has 16 bits.

    Raises:
        TpduError: One of the numbers is out of its range.
    """

    reference: int
    total: int
    number: int
    wide: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.reference <= (0xFFFF if self.wide else 0xFF):
            raise TpduError("the reference of a concatenated message is out of range")
        if not 1 <= self.number <= self.total <= 0xFF:
            raise TpduError("a part's number is 1 to the number of parts, which is at most 255")

    @property
    def element(self) -> InformationElement:
        """The information element that says this."""
        if self.wide:
            numbers = bytes((self.reference >> 8, self.reference & 0xFF, self.total, self.number))
            return InformationElement(Identifier.WIDE_CONCATENATION, numbers)
        return InformationElement(Identifier.CONCATENATION, bytes((self.reference, self.total, self.number)))


@dataclass(frozen=True, slots=True)
class Ports:
    """The application that a message is for and from (9.2.3.24.3, 9.2.3.24.4).

    Attributes:
        destination: The port at the receiver; 8 bits, or 16 where `wide`.
        origin: The port at the sender.
        wide: Ports have 16 bits.

    Raises:
        TpduError: A port is out of range.
    """

    destination: int
    origin: int
    wide: bool = True

    def __post_init__(self) -> None:
        if not all(0 <= port <= (0xFFFF if self.wide else 0xFF) for port in (self.destination, self.origin)):
            raise TpduError("an application port is out of range")

    @property
    def element(self) -> InformationElement:
        """The information element that says this."""
        size = 2 if self.wide else 1
        data = self.destination.to_bytes(size, "big") + self.origin.to_bytes(size, "big")
        return InformationElement(Identifier.PORTS_16_BIT if self.wide else Identifier.PORTS_8_BIT, data)


def _read_concatenation(data: bytes) -> Concatenation | None:
    *reference, total, number = data
    # 9.2.3.24.1: an element with a total or number of zero, or a number beyond the total, is to be ignored as a whole.
    if not 1 <= number <= total:
        return None
    return Concatenation(int.from_bytes(bytes(reference), "big"), total, number, wide=len(reference) == 2)


def _read_ports(data: bytes) -> Ports:
    size = len(data) // 2
    return Ports(int.from_bytes(data[:size], "big"), int.from_bytes(data[size:], "big"), wide=size == 2)


def _read_language(data: bytes) -> NationalLanguage | None:
    return _LANGUAGES.get(data[0])


@dataclass(frozen=True, slots=True)
class UserDataHeader:
    """The information elements before the user data.

    Of an element that may stand only once the last counts, and one that is malformed or unknown is ignored by the
    properties (9.2.3.24), though it is kept.

    Attributes:
        elements: All elements, in their order.

    Raises:
        TpduError: They take more than 140 octets.
    """

    elements: tuple[InformationElement, ...] = ()

    def __post_init__(self) -> None:
        if self.size > _MOST_OCTETS:
            raise TpduError(f"a user data header has at most {_MOST_OCTETS} octets")

    @classmethod
    def of(
        cls,
        concatenation: Concatenation | None = None,
        *,
        ports: Ports | None = None,
        single_shift: NationalLanguage = NationalLanguage.DEFAULT,
        locking_shift: NationalLanguage = NationalLanguage.DEFAULT,
    ) -> Self | None:
        """Make the header that says these things; None where there is nothing to say."""
        elements = [part.element for part in (concatenation, ports) if part is not None]
        for identifier, language in (
            (Identifier.SINGLE_SHIFT, single_shift),
            (Identifier.LOCKING_SHIFT, locking_shift),
        ):
            if language is not NationalLanguage.DEFAULT:
                elements.append(InformationElement(identifier, bytes((language,))))
        return cls(tuple(elements)) if elements else None

    @property
    def size(self) -> int:
        """How many octets `encode` gives, with the one of the length."""
        return 1 + sum(2 + len(element.data) for element in self.elements)

    @property
    def concatenation(self) -> Concatenation | None:
        """Which part this is, or None where the message stands alone."""
        return self._last(_CONCATENATIONS, _read_concatenation)

    @property
    def ports(self) -> Ports | None:
        """The application ports, or None."""
        return self._last(_PORTS, _read_ports)

    @property
    def single_shift(self) -> NationalLanguage:
        """Whose single shift table the text uses; `DEFAULT` where none or an unknown one is named."""
        return self._last(_SINGLE_SHIFT, _read_language) or NationalLanguage.DEFAULT

    @property
    def locking_shift(self) -> NationalLanguage:
        """Whose locking shift table the text uses; `DEFAULT` where none or an unknown one is named."""
        return self._last(_LOCKING_SHIFT, _read_language) or NationalLanguage.DEFAULT

    def encode(self) -> bytes:
        """Write the header: its length, and each element with identifier, length and octets."""
        octets = bytearray((self.size - 1,))
        for element in self.elements:
            octets += bytes((element.identifier, len(element.data)))
            octets += element.data
        return bytes(octets)

    @classmethod
    def decode(cls, octets: bytes) -> tuple[Self, int]:
        """Read a header; octets after it are left alone.

        Where the last element does not fit the header's length, the whole header is ignored, as 9.2.3.24 asks: it
        takes its octets and has no elements.

        Returns:
            The header and how many octets it took.

        Raises:
            TpduError: The octets end before the header does.
        """
        if not octets or len(octets) <= octets[0]:
            raise TpduError("a user data header is longer than the user data")
        end = 1 + octets[0]
        elements = []
        position = 1
        while position < end:
            body = position + 2
            position = body + octets[position + 1] if body <= end else end + 1
            if position > end:
                return cls(), end
            elements.append(InformationElement(octets[body - 2], octets[body:position]))
        return cls(tuple(elements)), end

    def _last(self, sizes: Mapping[int, int], read: Callable[[bytes], _Read | None]) -> _Read | None:
        """Read the last well-formed element of these identifiers, each with the only size that it may have."""
        for element in reversed(self.elements):
            if sizes.get(element.identifier) == len(element.data):
                return read(element.data)
        return None
