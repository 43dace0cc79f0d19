"""Owns one extended AT command as a handler gets it: its modem, its name, its parameters."""

from dataclasses import dataclass

from otppi.simulator.answers import RefusedError
from otppi.simulator.device import SimulatedDevice

_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class AtRequest:
    """One extended command to a modem: its name, "" "?" "=?" or "=", and its parameters without quotes."""

    peer: SimulatedDevice
    name: str
    operation: str
    arguments: tuple[str, ...]
    now: float

    def text(self, index: int) -> str:
        """Return a parameter.

        Raises:
            RefusedError: it is missing (CME 50: incorrect parameters).
        """
        if index >= len(self.arguments):
            raise RefusedError(50)
        return self.arguments[index]

    def number(self, index: int, default: int | None = None) -> int:
        """Return a numeric parameter.

        Raises:
            RefusedError: it is missing, and there is no default; or it is no number (CME 50: incorrect parameters).
        """
        text = self.arguments[index] if index < len(self.arguments) else ""
        if not text and default is not None:
            return default
        if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
            raise RefusedError(50)
        return int(text)
