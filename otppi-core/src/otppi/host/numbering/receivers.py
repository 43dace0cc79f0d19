"""Who is meant by what a sender wrote as a receiver: one key for one subscriber or mailbox, whatever it looked like."""

import re
from dataclasses import dataclass, field
from typing import Final

from otppi.host.numbering.numbers import Numbers
from otppi.wire.mail_address import mask_mail_address, read_mail_address
from otppi.wire.msisdn import mask

_LIKE_A_NUMBER: Final = re.compile(r"[0-9+(). -]*[0-9][0-9+(). -]*", re.ASCII)
_NO_DIGIT: Final = re.compile("[^0-9]")


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


_LONGEST_PREFIX = 40


def prefix_of(shown: str) -> str:
    """Return what the report adds messages up by: the digits that a mask leaves at the beginning, a mail's domain.

    It is the same of a receiver that is masked and of one that is not, and says no more than the mask; empty where that
    hides all, as of a short number.
    """
    if "@" in shown:
        return f"@{shown.rpartition('@')[2]}"[:_LONGEST_PREFIX]
    return mask(shown).partition("*")[0]


def masked(receiver: str) -> str:
    """Show as much of a receiver as tells one from another."""
    return mask_mail_address(receiver) if "@" in receiver else mask(receiver)


def part_sought(text: str) -> str:
    """Return what a person looks for among receivers: in small letters; of a number its digits without its first zeros.

    Numbers are kept with their country code and typed without: 0812 finds 62812.
    """
    wanted = text.strip().casefold()
    digits = _NO_DIGIT.sub("", wanted).lstrip("0") if _LIKE_A_NUMBER.fullmatch(wanted) else ""
    return digits or wanted
