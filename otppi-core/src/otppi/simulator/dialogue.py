"""Owns one AT+CMGS dialogue of the simulated modem, and who is told of its end."""

from collections.abc import Callable
from dataclasses import dataclass

from otppi.wire.tpdu import SmsSubmit


@dataclass(slots=True)
class Dialogue:
    """One AT+CMGS dialogue in progress. Times are seconds of `time.monotonic()`, comparable between processes on Linux.

    Attributes:
        length: the TPDU's octets as AT+CMGS told them.
        first_byte: when the first byte of the AT+CMGS line was read.
        ctrl_z: when the Ctrl-Z was read; 0 before.
        deaf_until: what arrives before this time is lost: the modem is not ready for it.
        number: in text mode, the receiver as AT+CMGS told it.
        submit: what was submitted, as soon as it is known to be a good TPDU.
    """

    length: int
    first_byte: float
    ctrl_z: float = 0.0
    ready: float = 0.0
    deaf_until: float = 0.0
    number: str = ""
    submit: SmsSubmit | None = None


Recorder = Callable[[str, Dialogue, str, float], None]
"""Takes the modem's name, a dialogue, its final answer ("" if it is never told) and the time of the answer."""
