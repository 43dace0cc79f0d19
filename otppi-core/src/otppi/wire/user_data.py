"""Owns the user data of a TPDU: header and text or octets, with TP-UDL (3GPP TS 23.040 9.2.3.16, 9.2.3.24)."""

from dataclasses import dataclass, field
from typing import Final, Self

from otppi.wire import dcs as coding
from otppi.wire import gsm7
from otppi.wire.dcs import Alphabet, Dcs
from otppi.wire.errors import AlphabetError, TpduError
from otppi.wire.udh import Concatenation, UserDataHeader

MOST_OCTETS: Final = 140
"""Octets of user data in a TPDU, header and all."""
MOST_SEPTETS: Final = 160
"""Septets that fit into them."""


@dataclass(frozen=True, slots=True)
class UserData:
    """What a message carries.

    Attributes:
        dcs: How the payload is written.
        header: The information elements before it, or None (TP-UDHI).
        payload: One septet in each byte for the 7 bit alphabets, otherwise octets.

    Raises:
        TpduError: Header and payload are more than 140 octets.
    """

    dcs: Dcs = coding.GSM7
    header: UserDataHeader | None = None
    payload: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if self.length > (MOST_SEPTETS if self.dcs.packed else MOST_OCTETS):
            raise TpduError("user data is longer than 140 octets")

    @property
    def length(self) -> int:
        """TP-UDL: septets of header (rounded up) and payload for the 7 bit alphabets, otherwise octets."""
        size = 0 if self.header is None else self.header.size
        return (header_septets(size) if self.dcs.packed else size) + len(self.payload)

    @property
    def concatenation(self) -> Concatenation | None:
        """Which part of a long message this is, or None where it stands alone."""
        return None if self.header is None else self.header.concatenation

    @property
    def text(self) -> str:
        """The payload as text.

        UCS-2 is read as UTF-16, and halves of surrogate pairs become U+FFFD; 8 bit data has no alphabet and is read
        as Latin-1, so that each octet shows.

        Raises:
            AlphabetError: The text is compressed (3GPP TS 23.042).
        """
        return decode_payload(self, self.payload)

    def encode(self) -> bytes:
        """Write TP-UDL and TP-UD."""
        prefix = b"" if self.header is None else self.header.encode()
        if not self.dcs.packed:
            return bytes((self.length,)) + prefix + self.payload
        return bytes((self.length,)) + prefix + gsm7.pack(self.payload, fill_bits(len(prefix)))

    @classmethod
    def decode(cls, octets: bytes, dcs: Dcs, *, has_header: bool) -> tuple[Self, int]:
        """Read TP-UDL and TP-UD; octets after them are left alone.

        Args:
            octets: The octets from TP-UDL on.
            dcs: What TP-DCS says.
            has_header: What TP-UDHI says.

        Returns:
            The user data and how many octets it took.

        Raises:
            TpduError: The octets end too soon, or TP-UDL is more than the header leaves room for.
        """
        if not octets:
            raise TpduError("a TPDU ends before its user data length")
        length = octets[0]
        end = 1 + ((7 * length + 7) // 8 if dcs.packed else length)
        if len(octets) < end:
            raise TpduError("a TPDU ends before its user data does")
        body = octets[1:end]
        header, size = UserDataHeader.decode(body) if has_header else (None, 0)
        if not dcs.packed:
            return cls(dcs, header, body[size:]), end
        count = length - header_septets(size)
        if count < 0:
            raise TpduError("a user data header is longer than the user data")
        return cls(dcs, header, gsm7.unpack(body[size:], count, fill_bits(size))), end


def decode_payload(part: UserData, payload: bytes) -> str:
    """Read a payload as the given user data says: by its alphabet and its national tables.

    The payload may be longer than one part's: characters that a sender cut in two are whole again in a joined one.

    Raises:
        AlphabetError: The text is compressed (3GPP TS 23.042).
    """
    if part.dcs.compressed:
        raise AlphabetError("compressed text (3GPP TS 23.042) cannot be read")
    match part.dcs.alphabet:
        case Alphabet.UCS2:
            return payload.decode("utf-16-be", errors="replace")
        case Alphabet.EIGHT_BIT:
            return payload.decode("latin-1")
        case Alphabet.GSM7 if part.header is None:
            return gsm7.decode(payload)
        case Alphabet.GSM7:
            return gsm7.decode(payload, part.header.locking_shift, part.header.single_shift)


def header_septets(size: int) -> int:
    """How many septets a header of so many octets takes, fill bits included."""
    return (8 * size + 6) // 7


def fill_bits(size: int) -> int:
    """How many fill bits follow a header of so many octets, so that the text begins at a septet (9.2.3.24)."""
    return 7 * header_septets(size) - 8 * size
