"""The SMSC's number, which some modems forget with the network: read again, and given back (modems.md 21)."""

import re
import time
from dataclasses import replace

from otppi.api.modem import ModemIdentity
from otppi.kit.at.channel import AtChannel
from otppi.wire.at import Noise, Urc
from otppi.wire.charset import encode

_NEVER = float("inf")
_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_UCS2_NUMBER = re.compile(r"(?:002[Bb])?(?:003[0-9]){3,20}")
"""As AT+CSCS="UCS2" has it: no number begins with 003 and goes on with 003."""
_HEX_NUMBER = re.compile(r"2[Bb](?:3[0-9]){3,20}")
"""As AT+CSCS="HEX" has it; without its `+` it looks like another number."""
_REGISTRATION = frozenset({"+CREG", "+CGREG", "+CEREG"})


class SmscKeeper:
    """A chore that looks at +CSCA whenever the registration has changed or the modem was opened.

    Args:
        wanted: The number of the settings, without `+`; empty where the SIM's own one is used.
    """

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted.lstrip("+")
        self._sim = ""
        self._known = ""
        self.due = _NEVER

    @property
    def number(self) -> str:
        """The number of the settings, or the one that this SIM had; empty where none is known."""
        return self._wanted or self._known

    def opened(self, channel: AtChannel, identity: ModemIdentity) -> None:
        """Take note of the number that the SIM has, or give it back."""
        if identity.imsi != self._sim:
            self._sim, self._known = identity.imsi, ""
        if _NUMBER.fullmatch(identity.smsc):  # it is to be written back as it stands
            self._known = identity.smsc.lstrip("+")
        if not identity.smsc:
            self.restore(channel)
        self.due = _NEVER

    def completed(self, identity: ModemIdentity) -> ModemIdentity:
        """Return the identity with the number that was given back."""
        return identity if identity.smsc or not self.number else replace(identity, smsc=f"+{self.number}")

    def heard(self, event: Urc | Noise) -> bool:
        """Look again after the network was lost or found; others want to hear of it too."""
        if isinstance(event, Urc) and event.name in _REGISTRATION:
            self.due = time.monotonic()
        return False

    def work(self, channel: AtChannel) -> None:
        """Look, and give the number back where it is gone."""
        self.due = _NEVER
        lines = channel.attempt("AT+CSCA?")
        if lines is not None and not number_in(lines):
            self.restore(channel)

    def restore(self, channel: AtChannel) -> None:
        """Set the number, where one is known (27.005 3.3.1)."""
        if self.number:
            set_smsc(channel, self.number)

    def closed(self) -> None:
        """Look no more."""
        self.due = _NEVER


def set_smsc(channel: AtChannel, number: str) -> bool:
    """Set the number, without `+`, in the form in which the modem has strings (27.005 3.3.1); whether it was taken."""
    return channel.attempt(f'AT+CSCA="{encode(f"+{number}", channel.charset)}",145') is not None


def number_in(lines: tuple[str, ...]) -> str:
    """Find the number in the reply to AT+CSCA?, also where a quote is lost, or it is hexadecimal (AT+CSCS)."""
    found = re.search(r'\+CSCA: *"?([^",]*)', "\n".join(lines))
    number = found[1].strip() if found else ""
    if _UCS2_NUMBER.fullmatch(number):
        return bytes.fromhex(number).decode("utf-16-be")
    return bytes.fromhex(number).decode("ascii") if _HEX_NUMBER.fullmatch(number) else number
