"""Owns how the simulated modem words its answers: information lines, final results, refusals."""

from collections.abc import Iterable
from typing import Literal

Family = Literal["CME", "CMS"]

CME_TEXTS = {
    3: "operation not allowed",
    4: "operation not supported",
    10: "SIM not inserted",
    11: "SIM PIN required",
    12: "SIM PUK required",
    13: "SIM failure",
    14: "SIM busy",
    16: "incorrect password",
    21: "invalid index",
    30: "no network service",
    50: "incorrect parameters",
    515: "please wait, init or command processing in progress",
}
"""The wordings of 3GPP TS 27.007 9.2 for the codes that this modem uses (515 is a vendor's)."""

_CMS_OF_CME = {10: 310, 11: 311, 12: 316, 13: 313, 14: 314}
"""What the message commands say of the SIM's state: 3GPP TS 27.005 3.2.5."""


class RefusedError(Exception):
    """A command is refused with the `code` of its family; without a code it is a bare ERROR."""

    def __init__(self, code: int | None = None, family: Family = "CME") -> None:
        super().__init__(code, family)
        self.code = code
        self.family = family

    def for_messages(self) -> "RefusedError":
        """Return the same refusal as a message command tells it."""
        code = _CMS_OF_CME.get(self.code or 0)
        return RefusedError(code, "CMS") if code else self

    def line(self, cmee: int) -> str:
        """Return the final result under AT+CMEE=`cmee` (3GPP TS 27.007 9.1); CMS codes are told under each."""
        if self.code is None or (self.family == "CME" and cmee == 0):
            return "ERROR"
        text = CME_TEXTS.get(self.code) if self.family == "CME" and cmee == 2 else None
        return f"+{self.family} ERROR: {text or self.code}"


class CallEndedError(Exception):
    """A dialled call ends the command with this result instead of OK (ITU-T V.250 5.7.1), CONNECT among them."""

    def __init__(self, result: str) -> None:
        super().__init__(result)
        self.result = result


def render(lines: Iterable[str]) -> bytes:
    """Return the lines as they go out: each between CR LF, as ITU-T V.250 5.7.1 has it with ATV1."""
    return "".join(f"\r\n{line}\r\n" for line in lines).encode("latin-1", "replace")
