"""The character set of a modem's strings, which another program may have left at one of hexadecimal digits (+CSCS)."""

import re

from otppi.kit.at.channel import AtChannel
from otppi.wire.charset import PLAIN, encode

_SET = re.compile(r'\+CSCS: *"?([A-Za-z0-9-]+)"?')


def choose_charset(channel: AtChannel) -> None:
    """Set the line to a plain character set, where the modem takes one; the channel remembers which one it has.

    In UCS2 or HEX the operator's name and the SMSC's number are hexadecimal digits, and a number that is written
    plainly is refused (3GPP TS 27.007 5.5).
    """
    channel.charset = current = _ask(channel)
    if current in ("", PLAIN[0]):
        return
    for wanted in PLAIN:
        # Some take its name in the character set that they have.
        names = dict.fromkeys((wanted, encode(wanted, current)))
        if wanted == current or any(channel.attempt(f'AT+CSCS="{name}"') is not None for name in names):
            break
    channel.charset = _ask(channel)


def _ask(channel: AtChannel) -> str:
    found = _SET.search("\n".join(channel.attempt("AT+CSCS?") or ()))
    return found[1].upper() if found else ""
