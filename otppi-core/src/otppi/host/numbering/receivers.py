"""Who is meant by what a sender wrote as a receiver: one key for one subscriber or mailbox, whatever it looked like."""

from dataclasses import dataclass, field

from otppi.host.numbering.numbers import Numbers
from otppi.wire.mail_address import mask_mail_address, read_mail_address
from otppi.wire.msisdn import mask


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver.

    Attributes:
        key: What duplicates, limits, the blocking list and one-time passwords know it by.
        destination: What a message is sent to: of a number the key, of an e-mail address with its capital letters.
    """

    key: str = field(repr=False)
    destination: str = field(repr=False)


def receiver_of(text: str, numbers: Numbers, *, sending: bool = False) -> Receiver:
    """Read a receiver: an e-mail address where there is an @ in it, else a telephone number.

    Args:
        text: What was written.
        numbers: Who knows what a number means here.
        sending: Whether a message is to go to it, so that its country must be allowed.

    Raises:
        AddressError: It is neither.
    """
    if "@" in text:
        address = read_mail_address(text)
        return Receiver(address.key, address.address)
    key = numbers.receiver(text) if sending else numbers.key(text)
    return Receiver(key, key)


def masked(receiver: str) -> str:
    """Show as much of a receiver as tells one from another."""
    return mask_mail_address(receiver) if "@" in receiver else mask(receiver)
