"""Owns what ModemManager's errors mean: in words, and whether a message may be sent again.

ModemManager gives the errors of the modem names; behind those of its domains `Message` and `MobileEquipment` are the
numbers of +CMS ERROR and +CME ERROR (`ModemManager-errors.h`; 3GPP TS 27.005 3.2.5, 27.007 9.2), whose table decides as
it does for an AT modem.
"""

from collections.abc import Mapping
from typing import Final

from otppi.api.errors import ModemUnfit, NotSent, Rejected, SendError, Unconfirmed
from otppi.wire.cme_cms import Advice, cme_advice, cme_meaning, cms_advice, cms_meaning
from otppi_modem_modemmanager.bus import BusError
from otppi_modem_modemmanager.names import ERROR
from otppi_modem_modemmanager.text import _

_WAIT_RETRY = 2.0

_MESSAGE: Final[Mapping[str, int]] = {
    "MeFailure": 300,
    "SmsServiceReserved": 301,
    "NotAllowed": 302,
    "NotSupported": 303,
    "InvalidPduParameter": 304,
    "InvalidTextParameter": 305,
    "SimNotInserted": 310,
    "SimPin": 311,
    "PhSimPin": 312,
    "SimFailure": 313,
    "SimBusy": 314,
    "SimWrong": 315,
    "SimPuk": 316,
    "SimPin2": 317,
    "SimPuk2": 318,
    "MemoryFailure": 320,
    "InvalidIndex": 321,
    "MemoryFull": 322,
    "SmscAddressUnknown": 330,
    "NoNetwork": 331,
    "NetworkTimeout": 332,
    "NoCnmaAckExpected": 340,
    "Unknown": 500,
}

_MOBILE_EQUIPMENT: Final[Mapping[str, int]] = {
    "PhoneFailure": 0,
    "NoConnection": 1,
    "LinkReserved": 2,
    "NotAllowed": 3,
    "NotSupported": 4,
    "PhSimPin": 5,
    "SimNotInserted": 10,
    "SimPin": 11,
    "SimPuk": 12,
    "SimFailure": 13,
    "SimBusy": 14,
    "SimWrong": 15,
    "IncorrectPassword": 16,
    "SimPin2": 17,
    "SimPuk2": 18,
    "MemoryFull": 20,
    "InvalidIndex": 21,
    "NotFound": 22,
    "MemoryFailure": 23,
    "TextTooLong": 24,
    "InvalidChars": 25,
    "DialStringTooLong": 26,
    "DialStringInvalid": 27,
    "NoNetwork": 30,
    "NetworkTimeout": 31,
    "NetworkNotAllowed": 32,
    "IncorrectParameters": 50,
    "CallBarred": 62,
    "Unknown": 100,
}

_OTHERS: Final[Mapping[str, tuple[Advice, str]]] = {
    "Core.InvalidArgs": (Advice.NEVER, _("ModemManager cannot write it as SMS")),
    "Core.TooMany": (Advice.NEVER, _("ModemManager cannot write it as SMS: it is too long")),
    "Core.Unsupported": (Advice.OTHER, _("ModemManager cannot do that with this modem")),
    "Core.WrongState": (Advice.WAIT, _("the modem is in a state in which it cannot do that")),
    "Core.InProgress": (Advice.WAIT, _("ModemManager is busy with the modem")),
    "Core.Retry": (Advice.WAIT, _("ModemManager asks to try again later")),
    "Core.ResetRetry": (Advice.WAIT, _("ModemManager asks to try again after a reset")),
    "Core.Throttled": (Advice.WAIT, _("ModemManager asks to try again later")),
    "Core.Aborted": (Advice.AMBIGUOUS, _("it was ended by the network or the modem")),
    "Core.Cancelled": (Advice.AMBIGUOUS, _("it was cancelled")),
    "Core.Timeout": (Advice.AMBIGUOUS, _("the modem did not answer ModemManager in time")),
    "Serial.ResponseTimeout": (Advice.AMBIGUOUS, _("the modem did not answer ModemManager in time")),
    "Serial.OpenFailed": (Advice.WAIT, _("ModemManager cannot open the modem's port")),
    "Serial.OpenFailedNoDevice": (Advice.WAIT, _("ModemManager cannot open the modem's port")),
    "Serial.NotOpen": (Advice.WAIT, _("ModemManager does not have the modem's port open")),
}
_BEFORE_ANY_PART = frozenset({"Core.InvalidArgs", "Core.TooMany", "Core.Unsupported", "Core.WrongState"})
"""ModemManager finds these before it gives the modem anything."""


def short(error: BusError) -> str:
    """Name an error without what is the same in all: `Message.NetworkTimeout`."""
    return error.name.removeprefix(ERROR).removeprefix("org.freedesktop.DBus.Error.")[:64]


def advice_and_meaning(error: BusError, maker: str = "") -> tuple[Advice, str]:
    """Return what may be done after an error, and what it means to this maker's modems; one of nobody is ambiguous."""
    name = short(error)
    domain, _dot, nick = name.partition(".")
    if domain == "Message" and nick in _MESSAGE:
        number = (error.number if nick == "Unknown" else None) or _MESSAGE[nick]
        return cms_advice(number, maker), cms_meaning(number, maker)
    if domain == "MobileEquipment" and nick in _MOBILE_EQUIPMENT:
        number = (error.number if nick == "Unknown" else None) or _MOBILE_EQUIPMENT[nick]
        return cme_advice(number), cme_meaning(number)
    return _OTHERS.get(name, (Advice.AMBIGUOUS, _("ModemManager gave no reason ({name})", name=name)))


def refusal(error: BusError, *, dispatched: bool, parts: int, maker: str = "") -> SendError:
    """Turn an error into "may it be sent again?".

    ModemManager sends the parts by itself and does not tell how many the SMSC has when one fails: of a message of
    several parts, nothing is certain then.
    """
    advice, meaning = advice_and_meaning(error, maker)
    code = short(error)
    if advice is Advice.NEVER:
        return Rejected(meaning, code=code)
    if dispatched and advice is Advice.AMBIGUOUS:
        return Unconfirmed(meaning, code=code)
    if dispatched and parts > 1 and code not in _BEFORE_ANY_PART:
        return Unconfirmed(_("some of its parts may have gone out: {meaning}", meaning=meaning), code=code)
    if advice in (Advice.OTHER, Advice.FREE_STORAGE, Advice.SET_SMSC):
        return ModemUnfit(meaning, code=code)
    return NotSent(meaning, code=code, retry_after=0.0 if advice is Advice.RETRY_ONCE else _WAIT_RETRY)
