"""Owns the errors of the protocol floor: bytes or values that break a protocol's rules, never a failure of I/O.

No error's text quotes a message, a code or a number: it may be logged as it stands.
"""

from collections.abc import Iterable
from dataclasses import dataclass


class WireError(ValueError):
    """Something breaks the rules of a protocol of this floor; the base of all its errors."""


class AlphabetError(WireError):
    """A text cannot be written in an alphabet of 3GPP TS 23.038, or octets cannot be read in one."""


class AddressError(WireError):
    """A telephone number or an address field (3GPP TS 23.040 9.1.2.5) is not valid; the text names the reason."""


class TpduError(WireError):
    """A TPDU of 3GPP TS 23.040, or a value meant to become one, is not valid."""


class AtError(WireError):
    """The AT dialogue (3GPP TS 27.005, 27.007) was used or answered out of order."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a request.

    Attributes:
        field: The field's path, such as ``data.receiver`` or ``data[2].id``.
        reason: One sentence for the sender; never the field's value.
        noted: What log and audit say in place of the field, where its path has what they are not to hold, such as a
            number; else empty.
    """

    field: str
    reason: str
    noted: str = ""

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


class EnvelopeError(WireError):
    """A command envelope is malformed; all that is wrong with it is told at once.

    Attributes:
        errors: One entry for each faulty field, in the order of the request.
        command: The command as the sender spelled it, where it is one that is known; else empty.
        callback_topic: Where the sender wants the answer, where that could be read.
        callback_delay: How many milliseconds to wait before answering there.
    """

    def __init__(
        self,
        errors: Iterable[FieldError],
        *,
        command: str = "",
        callback_topic: str | None = None,
        callback_delay: int = 0,
    ) -> None:
        self.errors: tuple[FieldError, ...] = tuple(errors)
        self.command = command
        self.callback_topic = callback_topic
        self.callback_delay = callback_delay
        super().__init__("; ".join(map(str, self.errors)))
