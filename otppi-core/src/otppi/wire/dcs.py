"""Owns the data coding scheme: which alphabet and which message class an octet of TP-DCS means (3GPP TS 23.038 4)."""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final, Self

from otppi.wire.errors import TpduError


class Alphabet(IntEnum):
    """How the user data is written; the value is that of bits 3 and 2 of the general data coding group."""

    GSM7 = 0
    EIGHT_BIT = 1
    UCS2 = 2


class WaitingKind(IntEnum):
    """What waits for the subscriber; the value is that of bits 1 and 0 of the message waiting groups."""

    VOICEMAIL = 0
    FAX = 1
    EMAIL = 2
    OTHER = 3


class WaitingGroup(Enum):
    """What becomes of a message waiting indication; the value is its coding group, bits 7 to 4."""

    DISCARD = 0b1100
    STORE_GSM7 = 0b1101
    STORE_UCS2 = 0b1110


@dataclass(frozen=True, slots=True)
class MessageWaiting:
    """A message waiting indication.

    Attributes:
        group: May the message be discarded, and how is it written.
        active: The indication is to be set, not cleared.
        kind: What waits.
    """

    group: WaitingGroup
    active: bool
    kind: WaitingKind


@dataclass(frozen=True, slots=True)
class Dcs:
    """A data coding scheme.

    Attributes:
        alphabet: How the user data is written.
        message_class: 0 (flash: shown at once), 1 (in the telephone), 2 (on the SIM), 3 (for a terminal), or None.
        compressed: The text is compressed as in 3GPP TS 23.042; its octets are kept as they are.
        automatic_deletion: The message may be deleted once it was read.
        waiting: The message waiting indication, where there is one; it excludes the three fields before it.

    Raises:
        TpduError: The message class is not 0 to 3, or a message waiting indication stands beside other fields.
    """

    alphabet: Alphabet = Alphabet.GSM7
    message_class: int | None = None
    compressed: bool = False
    automatic_deletion: bool = False
    waiting: MessageWaiting | None = None

    def __post_init__(self) -> None:
        if self.message_class is not None and not 0 <= self.message_class <= 3:
            raise TpduError("a message class is 0 to 3")
        if self.waiting is None:
            return
        expected = Alphabet.UCS2 if self.waiting.group is WaitingGroup.STORE_UCS2 else Alphabet.GSM7
        if (
            self.alphabet is not expected
            or self.message_class is not None
            or self.compressed
            or self.automatic_deletion
        ):
            raise TpduError("a message waiting indication has its own alphabet, no class and no other flags")

    @property
    def octet(self) -> int:
        """The octet of TP-DCS."""
        if self.waiting is not None:
            return self.waiting.group.value << 4 | self.waiting.active << 3 | self.waiting.kind
        flags = self.automatic_deletion << 6 | self.compressed << 5 | self.alphabet << 2
        return flags if self.message_class is None else flags | 0x10 | self.message_class

    @classmethod
    def from_octet(cls, octet: int) -> Self:
        """Read TP-DCS.

        Group 1111 is read as the general data coding of the same meaning. Reserved codings are read as the GSM 7 bit
        default alphabet, as 23.038 4 asks of a receiver.

        Raises:
            TpduError: The number is no octet.
        """
        if not 0 <= octet <= 0xFF:
            raise TpduError("a data coding scheme is one octet")
        match octet >> 4:
            case group if group < 0b1000:
                return cls(
                    # 11 is reserved: read as the default alphabet.
                    alphabet=Alphabet(octet >> 2 & 3) if octet >> 2 & 3 != 3 else Alphabet.GSM7,
                    message_class=octet & 3 if octet & 0x10 else None,
                    compressed=bool(octet & 0x20),
                    automatic_deletion=bool(octet & 0x40),
                )
            case 0b1111:
                return cls(Alphabet.EIGHT_BIT if octet & 4 else Alphabet.GSM7, message_class=octet & 3)
            case group if group >= 0b1100:
                waiting = MessageWaiting(WaitingGroup(group), bool(octet & 8), WaitingKind(octet & 3))
                return cls(
                    Alphabet.UCS2 if waiting.group is WaitingGroup.STORE_UCS2 else Alphabet.GSM7, waiting=waiting
                )
            case _:
                return cls()

    @property
    def packed(self) -> bool:
        """The user data is made of septets, and TP-UDL counts them (not so for compressed text, 23.040 9.2.3.16)."""
        return self.alphabet is Alphabet.GSM7 and not self.compressed


GSM7: Final = Dcs()
"""The GSM 7 bit default alphabet without class."""
UCS2: Final = Dcs(Alphabet.UCS2)
"""UCS-2 without class."""
