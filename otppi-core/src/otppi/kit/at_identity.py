"""Who answers on an AT channel: manufacturer, model, IMEI, IMSI, ICCID and SMSC (3GPP TS 27.007 5, 27.005 3.3.1)."""

import re
from collections.abc import Iterable

from otppi.api.modem import ModemIdentity
from otppi.kit.at_channel import AtChannel
from otppi.kit.at_smsc import number_in

_IMEI = 15
_WITHOUT_CHECK_DIGIT = 14


def identify(channel: AtChannel, iccid: Iterable[str]) -> ModemIdentity:
    """Read what never changes while the modem is open; `iccid` are the commands that may tell the ICCID, in turn."""
    return ModemIdentity(
        manufacturer=_word(channel, "AT+CGMI"),
        model=_word(channel, "AT+CGMM"),
        revision=_word(channel, "AT+CGMR"),
        imei=read_imei(channel),
        imsi=_digits(_word(channel, "AT+CIMI"), 6),
        iccid=next(filter(None, (_digits(_word(channel, line), 18) for line in iccid)), ""),
        smsc=number_in(channel.attempt("AT+CSCA?") or ()),
    )


def read_imei(channel: AtChannel) -> str:
    """Read the IMEI, which most modems tell before their SIM is open; empty where it does not tell."""
    return _digits(_word(channel, "AT+CGSN"), _WITHOUT_CHECK_DIGIT)


def same_imei(one: str, other: str) -> bool:
    """Whether two IMEIs are one modem's, told with or without check digit, or as IMEISV (3GPP TS 23.003 6.2)."""
    if len(one) == len(other) == _IMEI:
        return one == other
    return bool(one) and one[:_WITHOUT_CHECK_DIGIT] == other[:_WITHOUT_CHECK_DIGIT]


def _word(channel: AtChannel, line: str) -> str:
    lines = channel.attempt(line) or ()
    # Not noise (modems.md 32).
    word = next((line for line in lines if line.isprintable() and "\ufffd" not in line), "")
    return re.sub(r"^[+^][A-Z]+: *", "", word).strip().strip('"')[:64]


def _digits(text: str, least: int) -> str:
    found = re.search(rf"\d{{{least},20}}", text)
    return found[0] if found else ""
